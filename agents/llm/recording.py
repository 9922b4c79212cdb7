"""Keeps what is asked of a live model and what came of it, inside the budgets of the decision and the day."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ...domain.decisions import ModelCall
from ..errors import BudgetSpent, ModelFailed
from .call_store import GIVEN_UP, CallStore, KeptCall
from .completions import readable
from .port import ChatModel, ChatReply, ChatRequest, request_tokens
from .spending import Meter

LATE_FRAC = 0.99
"""The deadline is measured by another clock than ours: what comes this close to it was stopped by it."""


@dataclass
class RecordingModel:
    """Keeps every question put to a live model, and what came of it; asks nothing that the budget refuses.

    `now_s` rises steadily, `stamp` is the time of day: both end up beside the record, never in it.
    """

    live: ChatModel
    store: CallStore
    meter: Meter
    now_s: Callable[[], float]
    stamp: Callable[[], str]
    timeout_s: float
    names: Mapping[str, str] = field(default_factory=dict)
    decision_id: str = ""
    _depth: int = 0

    @property
    def name(self) -> str:
        return self.live.name

    @property
    def is_deterministic(self) -> bool:
        return self.live.is_deterministic

    def begin_decision(self, decision_id: str) -> None:
        """From here on, calls are this decision's: its budget is whole, and none of its calls has been made."""
        self.decision_id, self._depth = decision_id, 0
        self.meter.begin_decision()

    async def complete(self, request: ChatRequest) -> ChatReply:
        began_s, depth = self.now_s(), self._depth + 1
        model = self.names.get(request.node, self.name)
        estimate = request_tokens(request)
        try:
            held = self.meter.admit(model, estimate, request.max_tokens)
        except BudgetSpent as refused:
            self._keep(request, model, ChatReply("", 0, 0), refused.message, 0.0, depth)
            raise
        reply, error = ChatReply("", estimate, 0), None
        try:
            reply = await self.live.complete(request)
            return reply
        except ModelFailed as failed:
            error = failed.message
            raise
        except asyncio.CancelledError:
            is_late = self.now_s() - began_s >= LATE_FRAC * self.timeout_s
            error = f"no reply within {self.timeout_s:g} s" if is_late else GIVEN_UP
            raise
        finally:
            seconds = self.now_s() - began_s
            self.meter.settle(held, model, reply.prompt_tokens, reply.completion_tokens, seconds)
            self._keep(request, model, reply, error, seconds, depth)
            self._depth = max(self._depth, depth)

    def _keep(
        self, request: ChatRequest, model: str, reply: ChatReply, error: str | None, seconds: float, depth: int
    ) -> None:
        call = ModelCall(
            node=request.node,
            prompt=request.prompt.name,
            prompt_version=request.prompt.version,
            prompt_hash=request.prompt.hash,
            model=model,
            request_hash=request.hash,
            reply=reply.text.encode("utf-8", "replace").decode("utf-8"),
            error=error,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
        )
        cost = self.meter.cost(model, reply.prompt_tokens, reply.completion_tokens)
        kept = KeptCall(
            call=call,
            occurrence=self.store.next_occurrence(call),
            decision_id=self.decision_id,
            depth=depth,
            seconds=round(seconds, 3),
            cost=cost,
            recorded_at=self.stamp(),
            asked=readable(request),
        )
        self.store.keep(kept)
