"""The `replay` model: gives back recorded replies by request hash, and refuses anything it never heard."""

from collections import defaultdict, deque
from collections.abc import Iterable

from ...domain.decisions import ModelCall
from ..errors import ModelFailed, ReplayMiss
from .port import ChatReply, ChatRequest


class ReplayModel:
    """Strict: a request that was not recorded raises ReplayMiss; it never reaches for a live model."""

    is_deterministic = True

    def __init__(self, calls: Iterable[ModelCall], name: str) -> None:
        self._calls: defaultdict[str, deque[ModelCall]] = defaultdict(deque)
        self._name = name
        for call in calls:
            self._calls[call.request_hash].append(call)

    @property
    def name(self) -> str:
        """The recorded model's name, so that a replayed decision is the recorded one to the byte."""
        return self._name

    async def complete(self, request: ChatRequest) -> ChatReply:
        waiting = self._calls[request.hash]
        if not waiting:
            raise ReplayMiss(
                f"{request.node}: no recorded reply for prompt {request.prompt.name} "
                f"version {request.prompt.version} with this content",
                remedy="The inputs or the prompt changed since the recording; `parley diff` shows which.",
            )
        call = waiting.popleft()
        if call.error is not None:
            raise ModelFailed(call.error)
        return ChatReply(call.reply, call.prompt_tokens, call.completion_tokens)
