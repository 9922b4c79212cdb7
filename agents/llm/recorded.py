"""Replays what was recorded: the same reply to the same question, by request hash, prompt version and occurrence."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Protocol

from ...domain.decisions import ModelCall
from ..errors import ModelFailed, ReplayMiss
from .port import ChatModel, ChatReply, ChatRequest
from .rules import FALLBACK_MODEL


class Recordings(Protocol):
    """Where recorded calls are looked up: a run's log, or the calls kept in a book."""

    def find(self, request: ChatRequest, occurrence: int) -> ModelCall | None:
        """The call made when this was asked for the n-th time, from 0."""
        ...


class RecordedCalls:
    """Calls as a log holds them, in their order. What the rules said in a model's place, they can say again."""

    def __init__(self, calls: Iterable[ModelCall]) -> None:
        self._calls: defaultdict[tuple[str, int], list[ModelCall]] = defaultdict(list)
        for call in calls:
            if call.model != FALLBACK_MODEL:
                self._calls[call.request_hash, call.prompt_version].append(call)

    def find(self, request: ChatRequest, occurrence: int) -> ModelCall | None:
        found = self._calls[request.hash, request.prompt.version]
        return found[occurrence] if occurrence < len(found) else None


class ReplayModel:
    """Strict, unless there is a live model behind it: what was not recorded raises ReplayMiss."""

    is_deterministic = True

    def __init__(self, calls: Iterable[ModelCall] | Recordings, name: str, live: ChatModel | None = None) -> None:
        self._recordings = RecordedCalls(calls) if isinstance(calls, Iterable) else calls
        self._asked: Counter[str] = Counter()
        self._name = name
        self._live = live
        if live is not None:
            self.is_deterministic = live.is_deterministic

    @property
    def name(self) -> str:
        """The recorded model's name, so that a replayed decision is the recorded one to the byte."""
        return self._name

    async def complete(self, request: ChatRequest) -> ChatReply:
        occurrence = self._asked[request.hash]
        self._asked[request.hash] += 1
        call = self._recordings.find(request, occurrence)
        if call is None and self._live is not None:
            return await self._live.complete(request)
        if call is None:
            raise ReplayMiss(
                f"{request.node}: no recorded reply for prompt {request.prompt.name} "
                f"version {request.prompt.version} with this content",
                remedy="The inputs or the prompt changed since the recording; `parley diff` shows which.",
            )
        if call.error is not None:
            raise ModelFailed(call.error)
        return ChatReply(call.reply, call.prompt_tokens, call.completion_tokens)
