"""The language model behind its port: the rules model, whose n-th answer fails, never comes, or is not one."""

import asyncio
from collections.abc import Callable

from ...agents.errors import ModelFailed
from ...agents.llm.port import ChatReply, ChatRequest
from ...agents.llm.rules import RulesModel
from .faults import Fault, Schedule

HUGE_CHARS = 2_000_000

_TEXTS = {
    "model_empty": "",
    "model_garbage": "\x00\x1b]0;{{{{\ufffd <|endoftext|> }",
    "model_refusal": "I'm sorry, but I can't help with trading decisions.",
    "model_language": '{"ansichten": "Ich empfehle, alles zu kaufen."}',
    "model_huge": "[" * HUGE_CHARS,
}
_ERRORS = {
    "model_429": "the endpoint answered 429 (too many requests)",
    "model_500": "the endpoint answered 500 (internal server error)",
}


class FaultyModel:
    """Answers like `rules`, save where the schedule says otherwise; calls are counted over restarts."""

    name = "rules"

    def __init__(self, schedule: Schedule, in_call: Callable[[Fault], None]) -> None:
        """`in_call` is told of what happens to the process while the model is asked."""
        self._schedule, self._inner, self._in_call = schedule, RulesModel(), in_call
        self.calls = 0

    @property
    def is_deterministic(self) -> bool:
        """Checkpoints are kept of a model's answers only where they could be others the next time."""
        return not self._schedule.of("checkpoint_other")

    async def complete(self, request: ChatRequest) -> ChatReply:
        place = self.calls
        self.calls += 1
        reply = await self._inner.complete(request)
        for kind in ("kill_in_model", "asked_in_model", "checkpoint_other"):
            fault = self._schedule.at(kind, place)
            if fault:
                self._in_call(fault)
                await asyncio.Event().wait()  # for ever: whoever asks has to give up
        if self._schedule.at("model_timeout", place):
            # What the deadline in `ask` turns a hanging call into, without the wait.
            raise TimeoutError
        for kind, text in _ERRORS.items():
            if self._schedule.at(kind, place):
                raise ModelFailed(text)
        for kind, text in _TEXTS.items():
            if self._schedule.at(kind, place):
                return ChatReply(text, reply.prompt_tokens, len(text) // 4)
        if self._schedule.at("model_truncated", place):
            return ChatReply(reply.text[: len(reply.text) // 2], reply.prompt_tokens, reply.completion_tokens)
        return reply
