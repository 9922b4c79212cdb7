"""Brings what people and files ask for into a running desk: the kill flag at once, requests in their order."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import JsonValue, ValidationError

from ..domain.approval_events import ApprovalAnswered
from ..domain.control_events import OperatorAsked
from ..domain.model import Model
from ..domain.trading import ACCOUNT, Scope, TradingState
from ..execution.controls import Controls
from ..execution.errors import RearmRefused
from ..execution.flatten_requests import end_code
from ..execution.standing import UNPROTECTED
from ..gate.tightening import read_tightened
from ..storage.flag import KillFlag
from ..storage.inbox import Inbox, Note
from .control_log import ControlLog
from .deadman import Heartbeat

FLAG, INBOX, HEARTBEAT, INCIDENTS = "HALT", "inbox", "heartbeat", "incidents"
DEAD_MAN = "dead-man switch"
"""Who raised the flag, when the independent watchdog did."""

Command = Literal["halt", "reduce", "resume", "flatten", "cancel", "acknowledge", "tighten", "approve", "reject"]
RESTRICTING: tuple[Command, ...] = ("halt", "reduce", "flatten", "tighten")
TIMED: tuple[Command, ...] = ("reduce", "resume", "flatten", "cancel", "tighten")
"""What counts from the moment it was heard where a session is worked after it; a halt counts for all of it."""


class OperatorIntent(Model):
    """What a person asked for, as it travels to the desk."""

    version: Literal[1] = 1
    command: Command
    user: str
    reason: str
    scope: Scope = ACCOUNT
    detail: dict[str, JsonValue] = {}


@dataclass(frozen=True, slots=True)
class BookPost:
    """The files by which a book's desk is reached, whatever state its log is in."""

    flag: KillFlag
    inbox: Inbox
    heartbeat: Heartbeat
    incidents: Path


def book_post(book: Path) -> BookPost:
    return BookPost(KillFlag(book / FLAG), Inbox(book / INBOX), Heartbeat(book / HEARTBEAT), book / INCIDENTS)


class Operator:
    """The outside of one run's controls. Without a `post` only what the log holds is taken in again."""

    def __init__(
        self,
        log: ControlLog,
        post: BookPost | None = None,
        *,
        is_running: bool = True,
        leaves_timed: bool = False,
        on_flag: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_flag` is told when the flag was seen: from then on nobody has to break in. With `leaves_timed` what is
        TIMED stays in the inbox, for one who knows the time."""
        self._log, self._post, self._is_running, self._on_flag = log, post, is_running, on_flag
        self._leaves_timed = leaves_timed
        self.orders: Mapping[str, str] = {}
        """Symbols by order id, of the plan that is worked or waits to be."""
        self.protective: Callable[[], Mapping[str, tuple[str, int]]] = dict
        """Symbols and shares by order id, of the stops that stand at the venue."""

    def take(self, controls: Controls, now: datetime) -> None:
        """Called at every moment: a look at the flag and one into the inbox."""
        self._log.retake(now)
        if self._post is None or self._log.is_rewalking:
            return
        if self._is_running:
            self._post.heartbeat.beat()
        if self._post.flag.is_raised:
            self._on_flag()
            self._obey_flag(controls, now)
        notes, bad = self._post.inbox.waiting()
        for item in bad:
            text = f"message {item.note_id} was set aside: {item.reason}"
            controls.notify("warning", "bad_message", text, now, outside=True)
        for note in notes:
            if not (self._leaves_timed and is_timed(note.content)):
                self._take_note(controls, note, now)

    def is_called(self) -> bool:
        """Whether a request waits that takes something away from what the desk may do."""
        if self._post is None or self._log.is_rewalking:
            return False
        intents = (parse_intent(note.content) for note in self._post.inbox.waiting()[0])
        return any(isinstance(intent, OperatorIntent) and intent.command in RESTRICTING for intent in intents)

    def _obey_flag(self, controls: Controls, now: datetime) -> None:
        assert self._post is not None, "a flag was seen"
        note = self._post.flag.read()
        by, reason = (note.by, note.reason) if note else ("unknown", "it was taken down again at once")
        cause = "dead_man" if by == DEAD_MAN else "kill_flag"
        controls.tighten(ACCOUNT, TradingState.HALTED, cause, cause, f"{by}: {reason}", now)

    def _take_note(self, controls: Controls, note: Note, now: datetime) -> None:
        assert self._post is not None, "a note was found"
        if note.note_id in controls.standing.asked:
            self._post.inbox.settle(note.note_id)
            return
        intent = parse_intent(note.content)
        if isinstance(intent, str):
            self._post.inbox.reject(note.note_id, intent)
            controls.notify("warning", "bad_message", f"message {note.note_id}: {intent}", now, outside=True)
            return
        with self._log.batch():
            self.obey(controls, intent, note.note_id, now)
        self._post.inbox.settle(note.note_id)

    def obey(self, controls: Controls, intent: OperatorIntent, note_id: str, now: datetime) -> str:
        """Record what was asked and do it; a refusal is recorded too, and given back as a text."""
        detail = {**intent.detail, "note_id": note_id}
        if intent.command == "cancel":
            detail["symbols"] = list[JsonValue](self._symbols_of(intent))
            detail |= self._unprotected_by(intent)
        asked = OperatorAsked(
            command=intent.command, user=intent.user, reason=intent.reason, scope=intent.scope, detail=detail
        )
        controls.ask(asked, now)
        refusal = self._done(controls, asked, now)
        if refusal:
            controls.notify("warning", f"{intent.command}_refused", refusal, now, outside=True)
        return refusal

    def _done(self, controls: Controls, asked: OperatorAsked, now: datetime) -> str:
        """Do it; why not, or an empty text."""
        by = f"{asked.user}: {asked.reason}"
        match asked.command:
            case "halt":
                controls.tighten(asked.scope, TradingState.HALTED, "operator", "halt", by, now)
            case "reduce":
                controls.tighten(asked.scope, TradingState.REDUCING, "operator", "reduce", by, now)
            case "resume":
                return self._resume(controls, asked, now)
            case "flatten":
                return self._flatten(controls, asked, now)
            case "cancel":
                bare = asked.detail.get(UNPROTECTED)
                for symbol, shares in sorted(bare.items()) if isinstance(bare, dict) else ():
                    text = f"{shares} {symbol} are held without a stop until the session is over: {by} took it back"
                    controls.notify("warning", UNPROTECTED, text, now, outside=True)
                if not (bare or asked.detail.get("symbols")):
                    return "no such order is worked or waits to be"
            case "acknowledge":
                ident = str(asked.detail.get("notification_id", ""))
                if not controls.acknowledge(ident, asked.user, asked.reason, now):
                    return f"notification {ident} does not wait to be acknowledged"
            case "approve" | "reject":
                return controls.answer_approval(_answer_of(asked), now)
            case "tighten":
                asked_for = asked.detail.get("limits")
                named = set(asked_for) if isinstance(asked_for, dict) else set[str]()
                if unusable := sorted(named - set(read_tightened(asked_for))) or ([] if named else ["nothing"]):
                    return f"no limit that a number can tighten: {', '.join(unusable)}"
        return ""

    def _resume(self, controls: Controls, asked: OperatorAsked, now: datetime) -> str:
        if self._post is not None and self._post.flag.is_raised:
            return "the kill flag is up"
        anyway = asked.detail.get("anyway") is True
        try:
            freed = controls.rearm(asked.scope, asked.user, asked.reason, now, anyway=anyway)
        except RearmRefused as error:
            return error.message
        return "" if freed else f"{asked.scope} is not restricted"

    def _flatten(self, controls: Controls, asked: OperatorAsked, now: datetime) -> str:
        if self._post is not None and self._post.flag.is_raised:
            refusal = "the kill flag is up: nothing at all may be sent"
            # Those before it in line are ended by whoever works them.
            last = len(controls.standing.flattens.asked) - 1
            controls.notify("warning", end_code(last), refusal, now, outside=True)
            return refusal
        controls.loosen_to_reduce(asked.user, asked.reason, now)
        named = asked.detail.get("symbols")
        symbols = named if isinstance(named, list) else []
        by = f"{asked.user}: {asked.reason}"
        for scope in [Scope(kind="instrument", name=str(symbol)) for symbol in symbols] or [ACCOUNT]:
            controls.tighten(scope, TradingState.REDUCING, "operator", "flatten", by, now)
        return ""

    def _unprotected_by(self, intent: OperatorIntent) -> dict[str, JsonValue]:
        """Shares that a cancel leaves without a stop, by name: a stop is only taken back by its own id."""
        named, standing = intent.detail.get("orders"), self.protective()
        orders = [str(name) for name in named] if isinstance(named, list) else []
        found = [standing[name] for name in orders if name in standing]
        return {UNPROTECTED: dict[str, JsonValue](found)} if found else {}

    def _symbols_of(self, intent: OperatorIntent) -> list[str]:
        named = intent.detail.get("orders")
        if not isinstance(named, list):
            return sorted(set(self.orders.values()))
        return sorted({symbol for order, symbol in self.orders.items() if order in named})


def _answer_of(asked: OperatorAsked) -> ApprovalAnswered:
    """What a person said to a plan, which they name by its decision and its content."""
    return ApprovalAnswered(
        decision_id=str(asked.detail.get("decision_id", "")),
        plan_hash=str(asked.detail.get("plan_hash", "")),
        answer="approved" if asked.command == "approve" else "rejected",
        user=asked.user,
        reason=asked.reason,
    )


def is_timed(content: Mapping[str, Any]) -> bool:
    """Whether it matters to a message at which moment of a session it is acted on."""
    intent = parse_intent(content)
    return isinstance(intent, OperatorIntent) and intent.command in TIMED


def parse_intent(content: Mapping[str, Any]) -> OperatorIntent | str:
    """The request, or what is wrong with it."""
    try:
        text = json.dumps(content, allow_nan=False)
    except (ValueError, RecursionError):
        return "it holds a number that is not finite, or is nested too deeply"
    try:
        return OperatorIntent.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        return f"{'.'.join(str(part) for part in first['loc']) or 'request'}: {first['msg']}"
