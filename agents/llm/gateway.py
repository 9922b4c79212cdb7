"""The model gateway: the one place with retries, the deadline over them, a circuit breaker, and turns to ask."""

import asyncio
from dataclasses import dataclass, field

from ..errors import ModelFailed, WireFailed
from .breaker import Breaker
from .completions import completion_body, read_completion, tool_calls_of
from .dialect import Dialect, OutputForm
from .port import ChatReply, ChatRequest
from .wire import Body, Wire

BYTES_PER_TOKEN = 1_024
"""A streamed token comes in some 250 bytes of its own chunk; what is larger than this did not keep to its bound."""

LEAST_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class GatewayTerms:
    """How one endpoint is asked. `timeout_s` covers waiting for a turn, every retry and every other form tried."""

    timeout_s: float = 30.0
    retries: int = 2
    backoff_s: float = 0.5
    form: OutputForm = OutputForm.SCHEMA
    is_native: bool = False
    is_streaming: bool = False
    max_concurrency: int = 4
    breaker_failures: int = 5
    breaker_cooldown_s: float = 30.0


@dataclass(slots=True)
class Endpoint:
    """What all models behind one wire share: the breaker, and the turns to ask."""

    wire: Wire
    terms: GatewayTerms
    breaker: Breaker = field(init=False)
    _turns: tuple[asyncio.AbstractEventLoop, asyncio.Semaphore] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.breaker = Breaker(self.terms.breaker_failures, self.terms.breaker_cooldown_s)

    def turn(self) -> asyncio.Semaphore:
        """A place among those who may ask at once; a semaphore belongs to the loop it is waited for in."""
        loop = asyncio.get_running_loop()
        if self._turns is None or self._turns[0] is not loop:
            self._turns = loop, asyncio.Semaphore(self.terms.max_concurrency)
        return self._turns[1]


class GatewayModel:
    """One model of an endpoint. What the endpoint refuses once in a form that a plainer one then serves, it is
    not asked for in that form again."""

    is_deterministic = False

    def __init__(self, name: str, endpoint: Endpoint) -> None:
        self.name = name
        self._endpoint = endpoint
        self._dialect = Dialect(endpoint.terms.form)

    async def complete(self, request: ChatRequest) -> ChatReply:
        """The reply; raises ModelFailed within the deadline when there is none."""
        now, breaker = asyncio.get_running_loop().time, self._endpoint.breaker
        deadline_s = now() + self._endpoint.terms.timeout_s
        try:
            breaker.admit(now())
        except ModelFailed as shut:
            raise ModelFailed(f"{self.name}: {shut.message}", remedy=shut.remedy) from shut
        try:
            async with asyncio.timeout_at(deadline_s), self._endpoint.turn():
                reply = await self._spoken(request, deadline_s)
        except WireFailed as failed:
            # A refusal of this one question says that the endpoint is well.
            breaker.succeeded() if failed.status == 400 else breaker.failed(now())
            raise ModelFailed(f"{self.name}: {failed.message}", remedy=failed.remedy) from failed
        except TimeoutError as error:
            breaker.failed(now())
            text = f"no reply within {self._endpoint.terms.timeout_s:g} s"
            raise ModelFailed(text, remedy="Raise llm.timeout_s, or ask a faster model.") from error
        except BaseException:
            breaker.failed(now())  # whoever asked gave up waiting
            raise
        breaker.succeeded()
        return reply

    async def _spoken(self, request: ChatRequest, deadline_s: float) -> ChatReply:
        """The reply in the best form that the endpoint takes; what it takes is remembered."""
        dialect: Dialect | None = self._dialect
        terms, max_bytes = self._endpoint.terms, LEAST_BYTES + BYTES_PER_TOKEN * request.max_tokens
        while dialect is not None:
            body = completion_body(
                request, self.name, dialect, is_native=terms.is_native, is_streaming=terms.is_streaming
            )
            try:
                payload = await self._posted(body, max_bytes, deadline_s)
            except WireFailed as failed:
                dialect = dialect.plainer(failed)
                if dialect is None:
                    raise
                continue
            reply = read_completion(payload, request)
            self._dialect = _as_served(dialect, request, payload)
            return reply
        raise AssertionError("a dialect that can't be made plainer raises")

    async def _posted(self, body: Body, max_bytes: int, deadline_s: float) -> Body:
        """One request, tried again when that can help and time is left: the only place that does."""
        now, terms = asyncio.get_running_loop().time, self._endpoint.terms
        for tried in range(terms.retries + 1):
            try:
                return await self._endpoint.wire.post(body, max_bytes)
            except WireFailed as failed:
                wait_s = terms.backoff_s * 2**tried if failed.retry_after_s is None else failed.retry_after_s
                if not failed.is_transient or tried == terms.retries or now() + wait_s >= deadline_s:
                    raise
            await asyncio.sleep(wait_s)
        raise AssertionError("the last try returns or raises")


def _as_served(dialect: Dialect, request: ChatRequest, payload: Body) -> Dialect:
    """A server that took the reply type as a tool and answered in words doesn't know tool calls."""
    if dialect.form is not OutputForm.TOOL or request.tools or request.reply_type is None:
        return dialect
    is_called = bool(tool_calls_of(payload["choices"][0]["message"]))
    return dialect if is_called else dialect.lower() or dialect
