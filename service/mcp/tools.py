"""What a model may call: every question of the table, a proposal for each request that changes it, and confirm."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from pydantic import ValidationError

from ...domain.model import Model
from ..access.roles import Caller, Role, Scope, allows
from ..answers.answer import Answer
from ..answers.askable import Askable
from ..answers.errors import BadArguments
from ..answers.table import ASKABLES
from ..api.desk import ServedDesk
from ..api.schemas import AnswerDocument, Confirmation
from ..intents.intent import NEEDS, Intent, parse_intent
from ..intents.proposing import confirm, propose
from .errors import UnknownTool
from .reports import address_of

PROPOSE, CONFIRM = "propose_", "confirm"
LAST_STEP = (
    "Do what a token of a propose_ tool stands for: once, within a minute, for the same user, and only while the desk "
    "is as it was shown. Show the person what the proposal said, and call this only when they agree."
)

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeskTool:
    """One tool: who may call it, and what it does."""

    name: str
    says: str
    parameters: dict[str, Any]
    role: Role
    scope: Scope
    act: Callable[[ServedDesk, Caller, Arguments], Answer]
    changes: bool = False
    """Whether calling it can change something of the desk."""
    asks: bool = True
    """Whether it only reads: the same call may be made again."""


@dataclass(frozen=True, slots=True)
class ToolReply:
    """What came of a call: text for the model, the document for programs, and the evidence beside both."""

    text: str
    document: dict[str, Any]
    evidence: dict[str, Any]
    report: str | None = None
    """The address of the report that the answer is about."""


def tools_for(caller: Caller) -> list[DeskTool]:
    """Those the caller may call, in the order of the table."""
    return [tool for tool in TOOLS.values() if allows(caller.role, tool.role) and tool.scope in caller.scopes]


def find_tool(name: str) -> DeskTool:
    tool = TOOLS.get(name)
    if tool is None:
        raise UnknownTool(f"{name[:80]!r} is no tool of this desk", remedy="List the tools, and call one of those.")
    return tool


def call_tool(desk: ServedDesk, caller: Caller, tool: DeskTool, arguments: Arguments) -> ToolReply:
    """The reply to one call. Raises NotAllowed, TooManyCalls, BadArguments and whatever the desk refuses with."""
    desk.rates.take(caller.user)
    caller.require("viewer", tool.scope)
    return _reply(tool.act(desk, caller, arguments))


def reply_schema() -> dict[str, Any]:
    """The document of every tool's reply: the answer of the chat and the API, its evidence left to the side."""
    schema = AnswerDocument.model_json_schema()
    schema.pop("example", None)  # it is one with evidence
    kept = {name: value for name, value in schema["properties"].items() if name != "evidence"}
    return {**schema, "properties": kept, "required": list(kept)}


def _reply(answer: Answer) -> ToolReply:
    document = answer.document()
    evidence = document.pop("evidence")
    report = address_of(answer.link) if answer.link else None
    document["link"] = report
    said = [answer.text, f"(more: {answer.more})" if answer.more else ""]
    if answer.token:
        said.append(f"To do it, call {CONFIRM} with token {answer.token}.")
    return ToolReply("\n".join(filter(None, said)), document, evidence, report)


def _question(askable: Askable) -> DeskTool:
    def act(desk: ServedDesk, caller: Caller, arguments: Arguments) -> Answer:
        return desk.ask(None, askable.name, arguments, caller)

    says = f"{askable.says} For example: {askable.examples[0]}" if askable.examples else askable.says
    return DeskTool(askable.name, says, askable.parameters.model_json_schema(), askable.role, "read", act)


def _proposal(kind: type[Model]) -> DeskTool:
    """The first step of one request; the role is the request's own to refuse, in the words of the chat."""
    schema = kind.model_json_schema()
    schema["properties"] = {name: value for name, value in schema["properties"].items() if name != "action"}
    action = str(kind.model_fields["action"].default)

    def act(desk: ServedDesk, caller: Caller, arguments: Arguments) -> Answer:
        if "action" in arguments:
            raise BadArguments(f"{PROPOSE}{action}: action is said by the tool's name", remedy="Leave it out.")
        intent = parse_intent({**arguments, "action": action})
        return propose(caller.user, caller.role, intent, desk.reader(desk.book.operated().run_id))

    says = (
        f"{(kind.__doc__ or '').strip()} Nothing is done yet: the reply shows the effects, and a token for {CONFIRM}."
    )
    return DeskTool(PROPOSE + action, says, schema, NEEDS[action], "act", act, asks=False)


def _confirm(desk: ServedDesk, caller: Caller, arguments: Arguments) -> Answer:
    try:
        token = Confirmation.model_validate(dict(arguments)).token
    except ValidationError as error:
        raise BadArguments(f"{CONFIRM}: a token is expected, and nothing else", remedy="Propose again.") from error
    try:
        made = confirm(caller.user, caller.role, token, desk.reader(desk.book.operated().run_id))
    finally:
        desk.changed()
    return replace(made, token=None)


TOOLS: Mapping[str, DeskTool] = {
    tool.name: tool
    for tool in (
        *map(_question, ASKABLES.values()),
        *map(_proposal, get_args(Intent)),
        DeskTool(
            CONFIRM,
            LAST_STEP,
            Confirmation.model_json_schema(),
            "operator",
            "act",
            _confirm,
            changes=True,
            asks=False,
        ),
    )
}
