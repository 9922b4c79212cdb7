"""The operator's commands: `halt`, `resume`, `reduce`, `flatten`, `cancel`, `ack` and `status`, on a desk that runs and
on a book at rest."""

import getpass
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from pydantic import JsonValue

from .. import ParleyError
from ..desk.book import Book, RunFolder, is_finished
from ..desk.clock import wall_time
from ..desk.errors import RunUnknown, SettingsInvalid
from ..desk.operator import BookPost, Command, OperatorIntent, book_post
from ..domain.levels import in_words
from ..domain.trading import ACCOUNT, Scope, ScopeKind
from ..evals.book_at_rest import BookAtRest, standing_of
from ..execution.standing import Standing
from ..storage.errors import StoreError, StoreLocked
from ..storage.flag import FlagNote
from .console import Console

AT_REST_S, AGAIN_S = 5.0, 0.05
"""How long a book is waited for that somebody else writes to although no desk runs, and how often it is tried."""
SCOPES: tuple[ScopeKind, ...] = ("account", "strategy", "venue", "instrument")


@dataclass(frozen=True, slots=True)
class Request:
    """What a command was given."""

    command: Command
    book: Path
    reason: str
    user: str | None = None
    scope: str | None = None
    detail: dict[str, JsonValue] | None = None

    def intent(self) -> OperatorIntent:
        return OperatorIntent(
            command=self.command,
            user=self.user or login_name(),
            reason=self.reason,
            scope=parse_scope(self.scope),
            detail=self.detail or {},
        )


def perform_halt(request: Request, console: Console) -> None:
    """The account by the flag, which needs nothing else to work; a part of it like any other request."""
    intent = request.intent()
    if intent.scope != ACCOUNT:
        perform_request(request, console)
        return
    post = book_post(request.book)
    note = post.flag.hoist(FlagNote(intent.user, intent.reason, wall_time()))
    how, text = _tell_book_of_flag(request.book, post)
    document = {"command": "halt", "flag": str(post.flag.path), "by": note.by, "reason": note.reason, "how": how}
    console.result(document | {"text": text})
    console.say(f"HALTED: the kill flag {post.flag.path} is up ({note.by}: {note.reason}).")
    console.say(text)


def flag_shown(book: Path) -> FlagNote | None:
    """What the kill flag says now, to whoever is about to take it down."""
    return book_post(book).flag.read()


def perform_resume(request: Request, console: Console, shown: FlagNote | None) -> bool:
    """Lowers the flag that the person was shown, and no other, and frees the scope; False when that was refused."""
    intent, post = request.intent(), book_post(request.book)
    if intent.scope == ACCOUNT and shown is not None:
        _tell_book_of_flag(request.book, post)
        if not post.flag.lower(shown):
            refusal = "the kill flag was raised anew since it was shown"
            console.result({"command": "resume", "how": "", "note_id": "", "refusal": refusal})
            console.say(f"refused: {refusal}")
            return False
        console.say(f"The kill flag {post.flag.path} is down.")
        if not _is_restricted(request.book, ACCOUNT):
            console.result({"command": "resume", "how": "flag", "note_id": "", "refusal": ""})
            return True
    return perform_request(request, console)


def perform_request(request: Request, console: Console) -> bool:
    """To the running desk through its inbox, or into the log of the run it is about; False when it was refused."""
    intent, post = request.intent(), book_post(request.book)
    if not intent.reason.strip():
        raise SettingsInvalid(f"{intent.command} needs a reason", remedy="Say why with --reason.")
    folder = _addressed(request.book, intent)
    if (refused := _obeyed_at_rest(folder, post, intent)) is None:
        note_id, how, refusal = post.inbox.put(intent.model_dump(mode="json")), "inbox", ""
    else:
        note_id, how, refusal = "", "log", refused
    document: dict[str, Any] = {"command": intent.command, "how": how, "note_id": note_id, "refusal": refusal}
    console.result(document | {"run": folder.run_id, "user": intent.user, "scope": str(intent.scope)})
    if refusal:
        console.say(f"refused: {refusal}")
    elif how == "inbox":
        console.say(f"{intent.command} of {intent.scope}: left for the desk as message {note_id}.")
    else:
        console.say(f"{intent.command} of {intent.scope}: recorded in {folder.run_id}, which is not running.")
    return not refusal


def perform_acknowledge(ident: str, request: Request, console: Console) -> bool:
    """One notification by its id or the beginning of it, or `all`."""
    standing = standing_of(Book(request.book).operated())
    waiting = sorted(standing.unacknowledged)
    found = waiting if ident == "all" else [name for name in waiting if name.startswith(ident)]
    if not found or (len(found) > 1 and ident != "all"):
        raise SettingsInvalid(
            f"{ident!r} names {len(found)} notifications that wait",
            remedy=f"Name one of: {', '.join(waiting) or 'none'}.",
        )
    done = [
        perform_request(
            Request("acknowledge", request.book, request.reason, request.user, None, {"notification_id": name}),
            Console(as_json=False) if not console.as_json else _Silent(),
        )
        for name in found
    ]
    console.result({"command": "acknowledge", "notifications": found, "ok": all(done)})
    return all(done)


def perform_status(book: Path, console: Console) -> bool:
    """What the desk may do and what waits for a person; False while it may not open a session."""
    post, found, problem = book_post(book), None, ""
    note = post.flag.read()
    try:
        folder = Book(book).operated()
        found = standing_of(folder)
    except (StoreError, ParleyError) as error:
        folder, problem = None, error.message
    document = status_document(found, note, post, folder, problem)
    console.result(document)
    print_status(document, console)
    return bool(document["may_open"])


def status_document(
    standing: Standing | None, note: FlagNote | None, post: BookPost, folder: RunFolder | None, problem: str
) -> dict[str, Any]:
    """The contract of `status --json`."""
    restrictions = [
        {
            "scope": str(change.scope),
            "state": change.after.value,
            "cause": change.cause,
            "name": change.name,
            "reason": in_words(change.reason),
            "figure": change.figure,
            "limit": change.limit,
        }
        for change in (standing.all_causes if standing else ())
    ]
    waiting = [
        {"id": item.notification_id, "code": item.code, "text": in_words(item.text)}
        for _, item in sorted((standing.unacknowledged if standing else {}).items())
    ]
    state = "HALTED" if note is not None or standing is None else standing.account.value
    return {
        "run": folder.run_id if folder else None,
        "state": state,
        "flag": None if note is None else {"by": note.by, "reason": note.reason, "at": note.at},
        "restrictions": restrictions,
        "alerts": sorted(standing.alerted) if standing else [],
        "unacknowledged": waiting,
        "awaiting": [
            {"decision": name, "until": asked.until.isoformat()}
            for name, asked in sorted((standing.awaiting if standing else {}).items())
        ],
        "waiting_requests": [item.note_id for item in post.inbox.waiting()[0]],
        "heartbeat_age_s": post.heartbeat.age_s(),
        "may_open": state != "HALTED" and not waiting,
        "problem": problem,
    }


def print_status(document: dict[str, Any], console: Console) -> None:
    age = document["heartbeat_age_s"]
    running = "not running" if age is None else f"heartbeat {age:.1f} s old"
    console.say(f"{document['state']}: {document['run'] or 'no run'}, {running}")
    if document["problem"]:
        console.say(f"  the log can't be read: {document['problem']}")
    if document["flag"]:
        flag = document["flag"]
        console.say(f"  kill flag raised by {flag['by']} at {flag['at']}: {flag['reason']}")
    rows = [(item["scope"], item["state"], item["name"], item["reason"]) for item in document["restrictions"]]
    if rows:
        console.table("", ("restricted", "state", "by", "why"), rows)
    for item in document["unacknowledged"]:
        console.say(f"  to acknowledge: {item['id']}  {item['text']}")
    for item in document["awaiting"]:
        console.say(f"  to approve: the plan of {item['decision']}, until {item['until']}; see parley approvals")
    if not document["may_open"]:
        console.say("  The next session does not open before this is settled: parley resume, parley ack.")


def parse_scope(text: str | None) -> Scope:
    """`account`, or a kind and a name: `instrument:AAPL`."""
    kind, _, name = (text or "account").partition(":")
    for known in SCOPES:
        if kind == known and bool(name) == (known != "account"):
            return Scope(kind=known, name=name)
    raise SettingsInvalid(
        f"--scope {text!r} is no scope", remedy="Write account, instrument:NAME, venue:NAME or strategy:NAME."
    )


def login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def symbols_detail(symbols: str | None) -> dict[str, JsonValue]:
    """A list of names from a command line; none means all."""
    named: Sequence[str] = [part.strip() for part in (symbols or "").split(",") if part.strip()]
    return {"symbols": list[JsonValue](named)} if named else {}


def orders_detail(order: str | None) -> dict[str, JsonValue]:
    """One order from a command line; none means all of the plan."""
    return {"orders": [order]} if order else {}


class _Silent(Console):
    """The command's own document is the only one."""

    def __init__(self) -> None:
        super().__init__(as_json=True)

    def result(self, document: Any) -> None:
        return None


def _obeyed_at_rest(folder: RunFolder, post: BookPost, intent: OperatorIntent) -> str | None:
    """Why it was refused, or nothing; None where a desk has to be asked, running or when it runs again.

    Another person's request holds the log for a moment only, and no heart beats beside it: that one is waited for.
    Raises StoreLocked where it is held for longer than a request takes, and by no desk.
    """
    waiting, left = Event(), AT_REST_S
    while True:
        try:
            with BookAtRest(folder, post) as book:
                return None if book.leaves(intent) else book.obey(intent)
        except StoreLocked as error:
            if post.heartbeat.age_s() is not None:
                return None
            if left <= 0:
                raise StoreLocked(error.message, remedy=f"No desk runs in it: {error.remedy}") from error
        waiting.wait(AGAIN_S)
        left -= AGAIN_S


def _addressed(book: Path, intent: OperatorIntent) -> RunFolder:
    """The run that the desk works; a resume goes to the one run that stands restricted, where the desk's does not."""
    desk = Book(book).operated()
    if intent.command != "resume" or _is_held(desk, intent.scope):
        return desk
    held = [run for run in Book(book).runs() if _is_held(run, intent.scope)]
    return held[0] if len(held) == 1 else desk


def _is_held(run: RunFolder, scope: Scope) -> bool:
    """Whether the scope of a run that is not over is restricted; of a log that can't be read nobody knows."""
    with suppress(ParleyError):
        return not is_finished(run) and scope in standing_of(run).in_force
    return False


def _is_restricted(book: Path, scope: Scope) -> bool:
    with suppress(ParleyError):
        return scope in standing_of(Book(book).operated()).in_force
    return False


def _tell_book_of_flag(book: Path, post: BookPost) -> tuple[str, str]:
    """Into the log of a book at rest; a running desk sees the flag by itself, and a broken log can't keep it down."""
    try:
        with BookAtRest(Book(book).operated(), post) as resting:
            resting.take_flag()
        return "log", "Nothing is running; the halt is recorded in the desk's run."
    except StoreLocked:
        if post.heartbeat.age_s() is None:
            return "flag", "Somebody else writes to the log at this moment; the flag holds without it."
        return "flag", "The running desk sees it within a second."
    except RunUnknown:
        return "flag", "No run is there yet; none starts trading while the flag is up."
    except ParleyError as error:
        return "flag", f"The log could not be written ({error.message}); the flag holds without it."
