"""The `approvals`, `approve` and `reject` commands: what waits for a person, and the person's answer."""

from pathlib import Path
from typing import Any, Literal

from ..desk.book import Book
from .answers.approvals import ApprovalLine, approval_lines
from .answers.reader import DeskReader
from .console import Console
from .controlling import Request, perform_request
from .intents.answering import plan_answered
from .intents.intent import Approve, Reject

HASH_SHOWN = 16
LINES_SHOWN = 20


def perform_approvals(run: str | None, book: Path, console: Console) -> None:
    """Plans that wait, with their legs, and the newest answers of the run."""
    name = run or Book(book).operated().run_id
    with DeskReader(book, name).reading() as reading:
        lines, mode = approval_lines(reading), reading.settings.approval.mode
        waiting = [
            _waiting(plan_answered(reading, Approve(decision=line.decision_id, reason="-"))) for line in _open(lines)
        ]
    shown = [line.model_dump(mode="json") for line in reversed(lines)]
    console.result({"run": name, "mode": mode, "waiting": waiting, "approvals": shown})
    if not lines:
        off = "; approval.mode is off" if mode == "off" else ""
        console.say(f"No plan of {name} was asked about{off}.")
    for item in waiting:
        _say_waiting(item, console)
    answered = [line for line in reversed(lines) if line.state != "waiting"][:LINES_SHOWN]
    if answered:
        rows = [
            (line.decision_id, line.asked_at[:16], f"{line.turnover_frac:.1%}", *_answer(line)) for line in answered
        ]
        console.table("", ("decision", "asked", "turnover", "answer", "by", "reason"), rows)


def perform_answer(
    command: Literal["approve", "reject"], ident: str, book: Path, reason: str, user: str | None, console: Console
) -> bool:
    """A yes or no to the plan that waits under this id; False where it does not count, and why is said.

    It is bound to the content that waits now: should another plan wait when the desk takes it in, it is no answer.
    """
    name = Book(book).operated().run_id
    intent = (Approve if command == "approve" else Reject)(decision=ident, reason=reason)
    with DeskReader(book, name).reading() as reading:
        effects = plan_answered(reading, intent)
    refusal = str(effects["refusal"] or (f"no plan of {ident} waits for approval" if effects["idle"] else ""))
    if refusal:
        console.result({"command": command, "how": "", "note_id": "", "refusal": refusal, "run": name})
        console.say(f"refused: {refusal}")
        return False
    detail = {key: effects[key] for key in ("decision_id", "plan_hash")}
    digest = str(effects["plan_hash"])[:HASH_SHOWN]
    console.say(f"{command} of plan {digest} of {effects['decision_id']}, {len(_rows(effects, 'legs'))} legs")
    return perform_request(Request(command, book, reason, user, None, detail), console)


def _answer(line: ApprovalLine) -> tuple[str, str, str]:
    return line.state.replace("_", " "), line.user, line.reason


def _open(lines: tuple[ApprovalLine, ...]) -> list[ApprovalLine]:
    return [line for line in lines if line.state == "waiting"]


def _waiting(effects: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in effects.items() if key != "idle"}


def _rows(effects: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return list(effects.get(name) or [])


def _say_waiting(item: dict[str, Any], console: Console) -> None:
    console.say(f"{item['decision_id']} waits until {item['until']} (plan {item['plan_hash'][:HASH_SHOWN]})")
    for reason in _rows(item, "reasons"):
        console.say(f"  {reason['text']}")
    if item["refusal"]:
        console.say(f"  it could not be approved now: {item['refusal']}")
    rows = [
        (leg["side"], f"{leg['quantity']:,}", leg["symbol"], f"{leg['price']:,.2f}", f"{leg['weight'] or 0:.1%}")
        for leg in _rows(item, "legs")
    ]
    console.table("", ("side", "shares", "name", "price", "of equity"), rows)
    console.say(f"  parley approve {item['decision_id']} --reason ...   or   parley reject ... ; no answer is a no.")
