"""Asks an endpoint a few tiny questions to find out what it can do: schema, tool call, JSON mode, streaming, usage."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from ...domain.model import Model
from ...prompts.loader import load_prompt
from ..errors import WireFailed
from .completions import completion_body, read_completion, tool_calls_of
from .dialect import Dialect, OutputForm
from .gateway import LEAST_BYTES
from .port import ChatRequest
from .wire import Body, Wire

NODE = "probe"
MAX_TOKENS = 64


class ProbeReply(Model):
    """The prompt asks for another color: only a schema that is enforced brings this one."""

    color: Literal["blue"]


@dataclass(frozen=True, slots=True)
class Trait:
    """One thing an endpoint may be able to do, and what came of trying it."""

    name: str
    is_able: bool
    text: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What was found. `failure` says why nothing was: then there are no traits."""

    failure: str
    traits: tuple[Trait, ...]
    seconds: float

    def advice(self) -> str:
        """The settings that suit this endpoint, where they are not the usual ones."""
        able = {trait.name for trait in self.traits if trait.is_able}
        if not self.traits or OutputForm.SCHEMA in able:
            return ""
        best = next((form for form in OutputForm if form in able), OutputForm.TEXT)
        return f'set llm.output = "{best.value}"'


async def probe(wire: Wire, model: str, timeout_s: float, now_s: Callable[[], float]) -> Profile:
    """Five questions of a few tokens, one after the other, each inside the deadline."""
    began_s = now_s()
    try:
        payload, dialect = await _ask(wire, model, Dialect(OutputForm.TEXT), timeout_s)
    except WireFailed as failed:
        return Profile(failed.message, (), now_s() - began_s)
    seconds = now_s() - began_s
    has_usage = isinstance(payload.get("usage"), dict)
    traits = [
        await _try(wire, model, OutputForm.SCHEMA, dialect, timeout_s, _schema_text),
        await _try(wire, model, OutputForm.TOOL, dialect, timeout_s, _tool_text),
        await _try(wire, model, OutputForm.JSON, dialect, timeout_s, _json_text),
        await _try(wire, model, OutputForm.TEXT, dialect, timeout_s, lambda _: "", is_streaming=True),
        Trait("usage", has_usage, "reported" if has_usage else "not reported: tokens are estimated"),
    ]
    return Profile("", tuple(traits), seconds)


async def ping(wire: Wire, model: str, timeout_s: float) -> str:
    """Why a model has no answer to a question of a few tokens within the deadline; empty when it has."""
    try:
        await _ask(wire, model, Dialect(OutputForm.TEXT), timeout_s)
    except WireFailed as failed:
        return failed.message
    return ""


async def _try(
    wire: Wire,
    model: str,
    form: OutputForm,
    dialect: Dialect,
    timeout_s: float,
    fault_in: Callable[[Body], str],
    *,
    is_streaming: bool = False,
) -> Trait:
    """Whether a form is understood; `fault_in` says what is wrong with a reply that came."""
    name = "stream" if is_streaming else form.value
    tried = Dialect(form, dialect.is_limit_renamed, dialect.without)
    try:
        payload, _ = await _ask(wire, model, tried, timeout_s, is_streaming=is_streaming)
        fault = fault_in(payload)
    except WireFailed as failed:
        fault = f"refused ({failed.message})"
    return Trait(name, not fault, fault or "works")


async def _ask(
    wire: Wire, model: str, dialect: Dialect, timeout_s: float, *, is_streaming: bool = False
) -> tuple[Body, Dialect]:
    """The completion, in the form given; parameters that a server won't have are left out."""
    while True:
        body = completion_body(_question(), model, dialect, is_streaming=is_streaming)
        try:
            async with asyncio.timeout(timeout_s):
                payload = await wire.post(body, LEAST_BYTES)
            read_completion(payload, _question())
            return payload, dialect
        except TimeoutError as error:
            raise WireFailed(f"no reply within {timeout_s:g} s") from error
        except WireFailed as failed:
            plainer = dialect.plainer(failed)
            if plainer is None or plainer.form is not dialect.form:
                raise
            dialect = plainer


def _question() -> ChatRequest:
    return ChatRequest(NODE, load_prompt("ask/probe"), "{}", ProbeReply, MAX_TOKENS)


def _schema_text(payload: Body) -> str:
    try:
        ProbeReply.model_validate_json(read_completion(payload, _question()).text, strict=True)
    except ValidationError:
        return "taken, but not enforced"
    return ""


def _tool_text(payload: Body) -> str:
    return "" if tool_calls_of(payload["choices"][0]["message"]) else "taken, but no tool is called"


def _json_text(payload: Body) -> str:
    try:
        json.loads(read_completion(payload, _question()).text)
    except (ValueError, RecursionError):
        return "taken, but the reply is not JSON"
    return ""
