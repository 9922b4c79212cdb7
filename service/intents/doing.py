"""Does a confirmed request by the one way there is: flag, inbox or log, as `parley halt` and its like do."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from ...desk.operator import Command
from ...storage.flag import FlagNote
from ..answers.askable import Role
from ..answers.reader import Reading
from ..console import Console
from ..controlling import Request, perform_halt, perform_request, perform_resume
from ..pages.render import clean
from .effects import Effects, kept_shares, sold_symbols, waiting_notifications
from .intent import Acknowledge, Approve, Cancel, Flatten, Halt, Intent, Reduce, ReducePosition, Reject, Resume, Tighten

MAX_REASON_CHARS = 300
SHOWN = "halt"
"""In the details of a resume: the flag that it takes down."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it: `how` it went (log, inbox or flag), and why it was refused, or nothing."""

    how: str
    note: str
    refusal: str
    run: str

    def document(self) -> dict[str, JsonValue]:
        return {"how": self.how, "note": self.note, "refusal": self.refusal, "run": self.run}


class _Heard(Console):
    """Keeps the command's document instead of printing it."""

    def __init__(self) -> None:
        super().__init__(as_json=True)
        self.heard: dict[str, Any] = {}

    def result(self, document: Mapping[str, Any]) -> None:
        self.heard = dict(document)


Commands = list[tuple[Command, str | None, dict[str, JsonValue]]]
"""A command of `parley halt` and its like, the scope it is about, and its details."""


def do(book: Path, commands: Commands, reason: str, user: str, role: Role) -> Done:
    """The user's name goes into the log as who asked; the role and that it was confirmed stand beside it.

    The log must not be open for reading here: a book at rest is written to.
    """
    console = _Heard()
    for command, scope, detail in commands:
        said = {**detail, "role": role, "confirmed": True}
        request = Request(command, book, clean(f"{reason} (as {role})", MAX_REASON_CHARS), user, scope, said)
        if command == "halt":
            perform_halt(request, console)
        elif command == "resume":
            perform_resume(request, console, _halt_shown(detail))
        else:
            perform_request(request, console)
        if console.heard.get("refusal"):
            break
    heard = console.heard
    how, note, refusal, run = (str(heard.get(key, "")) for key in ("how", "note_id", "refusal", "run"))
    return Done(how, note, refusal, run)


def _halt_shown(detail: Mapping[str, JsonValue]) -> FlagNote | None:
    """The flag that the person was shown before the token was given."""
    found = detail.get(SHOWN)
    return FlagNote(*(str(found[name]) for name in ("by", "reason", "at"))) if isinstance(found, dict) else None


def commands_of(reading: Reading, intent: Intent, effects: Effects) -> Commands:
    """The request as the desk's own commands."""
    match intent:
        case Resume():
            shown: dict[str, JsonValue] = {SHOWN: effects["halt"]} if effects.get("halt") else {}
            return [(intent.action, f"instrument:{intent.symbol}" if intent.symbol else None, shown)]
        case Halt() | Reduce():
            return [(intent.action, f"instrument:{intent.symbol}" if intent.symbol else None, {})]
        case Flatten():
            names = sold_symbols(reading, intent)
            return [("flatten", None, {"symbols": list[JsonValue](names)} if names else {})]
        case ReducePosition():
            kept: dict[str, JsonValue] = {intent.symbol: kept_shares(reading, intent)}
            return [("flatten", None, {"symbols": [intent.symbol], "keep": kept, "weight_frac": intent.weight_frac})]
        case Cancel():
            return [("cancel", None, {"orders": [intent.order]} if intent.order else {})]
        case Tighten():
            limits: dict[str, JsonValue] = {intent.limit: intent.bound}
            return [("tighten", None, {"limits": limits, "limits_hash": effects["limits_hash"]})]
        case Acknowledge():
            names = waiting_notifications(reading, intent)
            return [("acknowledge", None, {"notification_id": name}) for name in names]
        case Approve() | Reject():
            named: dict[str, JsonValue] = {name: effects[name] for name in ("decision_id", "plan_hash")}
            return [(intent.action, None, named)]
