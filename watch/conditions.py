"""What holds until it is lifted: halts, restrictions, differences with the venue, and notes for a person."""

from collections import Counter

from ..domain.approval_events import ApprovalAnswered, ApprovalAsked
from ..domain.control_events import (
    BookReconciled,
    NotificationAcknowledged,
    NotificationRaised,
    TradingStateChanged,
)
from ..domain.events import Payload, PortfolioMarked
from ..domain.levels import measured_text
from ..domain.sessions import session_text
from ..domain.step_events import StepHeld
from ..domain.trading import ACCOUNT, TradingState
from .changes import Change, Linked, Noticed, Raised, Seen
from .holding import Holding, Key
from .rules import AlertRules, Severity
from .texts import MAX_NAME_CHARS, cleaned, notification_text, state_text

OUTSIDE_STREAM = "outside"
"""Where the desk records what it did not work out by itself."""
ASKED_FOR = frozenset({"operator", "kill_flag"})
"""Causes of a halt that need nobody to be woken: a person was there."""
PREFLIGHT = "preflight"
"""The checks before a session said no: it is tried again, and the job's own row says which."""
BREAKER_RULES = {"stale_data": "stale_feed"}
"""Breakers whose figure a rule has under another name."""
UNACKNOWLEDGED = "unacknowledged"
"""The breaker that holds a session closed because of an alert that stands already."""
BACK = "back: "
APPROVAL_ASKED = "approval_asked"
"""The note that goes with a plan that waits."""
JOBS = "jobs"
NOTE_RULES = {"job_missed": "jobs_missed"}
"""Notes that have a rule of their own."""
OWN_WORDS = frozenset({"job_missed", "restart", "incident_not_written"})
"""Notes that the desk writes itself although no fold of the market can make them again."""
HELD: dict[str, str] = {"missed": "jobs_missed", "refused": "jobs_refused", "late": "jobs_late"}
MEASURED_HERE = frozenset({"drawdown_alert"})
"""Notes of breakers that a rule of the table says as well, with its figure."""
QUIET_MARKS = 5
"""After so many closes a note that was not critical is old news."""
STATE, VENUE, NOTE, PLAN = "state", "venue", "note", "plan"


class Conditions:
    """The part of a watch that follows states rather than figures."""

    kinds: tuple[type[Payload], ...] = (
        TradingStateChanged,
        BookReconciled,
        NotificationRaised,
        NotificationAcknowledged,
        ApprovalAsked,
        ApprovalAnswered,
        StepHeld,
        PortfolioMarked,
    )

    def __init__(self, rules: AlertRules, holding: Holding) -> None:
        self._rules, self._holding = rules, holding
        self._state_keys: dict[str, Key] = {}
        """The alert of each restricted scope."""
        self._said: tuple[str, Key] | None = None
        """The name of the last restriction and its alert: the note that follows says the same."""
        self._noted: dict[str, Key] = {}
        self._marks = Counter[Key]()

    def take(self, seen: Seen) -> list[Change]:
        match seen.payload:
            case TradingStateChanged() as change:
                return self._state(change, seen)
            case BookReconciled() as compared:
                return self._compared(compared, seen)
            case NotificationRaised() as note:
                return self._note(note, seen)
            case NotificationAcknowledged() as known:
                return self._acknowledged(known, seen)
            case ApprovalAsked() as asked:
                return self._asked(asked, seen)
            case ApprovalAnswered() as answered:
                key = ("approval", answered.decision_id)
                return [*self._holding.release(PLAN, key, seen.event.event_time, seen.event.id)]
            case StepHeld() as held:
                return self._held(held, seen)
            case PortfolioMarked():
                return self._age(seen)
            case _:
                return []

    def _state(self, change: TradingStateChanged, seen: Seen) -> list[Change]:
        scope, at, event_id = str(change.scope), seen.event.event_time, seen.event.id
        before = self._state_keys.pop(scope, None)
        key = (self._code_of(change), cleaned(scope, MAX_NAME_CHARS))
        changes: list[Change] = []
        if before is not None and (change.after is TradingState.ACTIVE or before != key):
            changes += self._holding.release(STATE, before, at, event_id)
        if change.after is TradingState.ACTIVE:
            if change.scope == ACCOUNT:
                changes += self._holding.release(VENUE, ("reconciliation", str(ACCOUNT)), at, event_id)
            return changes
        self._state_keys[scope], self._said = key, (change.name, key)
        text = state_text(scope, change.after.value, change.cause, change.name, change.figure, change.limit)
        raised = Raised(
            *(key[0], self._severity_of(change, key[0]), key[1], text, at, change.figure, change.limit),
            event_id=event_id,
        )
        return [*changes, *self._holding.hold(STATE, raised)]

    def _asked(self, asked: ApprovalAsked, seen: Seen) -> list[Change]:
        rule, key = self._rules["approval"], ("approval", asked.decision_id)
        self._said = APPROVAL_ASKED, key
        size = measured_text(asked.turnover_frac, "frac")
        text = f"{rule.what} until {asked.until:%Y-%m-%d %H:%M} UTC: it adds {size} of equity"
        at = seen.event.event_time
        raised = Raised(key[0], rule.severity, key[1], text, at, asked.turnover_frac, event_id=seen.event.id)
        return [*self._holding.hold(PLAN, raised)]

    def _held(self, held: StepHeld, seen: Seen) -> list[Change]:
        """A step of a day that was not taken in time; why is written by whoever held it, and stands in the log."""
        key = (HELD[held.cause], JOBS if held.cause == "missed" else held.step)
        text = f"{self._rules[key[0]].what}: {held.step} of {session_text(held.session)}, event {seen.event.id} has why"
        self._marks.pop(key, None)
        raised = Raised(
            *(key[0], self._rules[key[0]].severity, key[1], text, seen.event.event_time),
            event_id=seen.event.id,
            is_moment=True,
        )
        return [*self._holding.hold(NOTE, raised)]

    def _code_of(self, change: TradingStateChanged) -> str:
        """A breaker that a rule of the table measures too is that rule's alert, so that one happening is told once."""
        if change.cause == "reconciliation":
            return "reconciliation"
        if change.cause == PREFLIGHT:
            return "jobs_refused"
        if change.after is TradingState.HALTED:
            return "halted"
        name = BREAKER_RULES.get(change.name, change.name)
        return name if change.cause == "breaker" and name in self._rules else "restricted"

    def _severity_of(self, change: TradingStateChanged, code: str) -> Severity:
        if change.cause in ASKED_FOR | {PREFLIGHT} or change.name == UNACKNOWLEDGED:
            return "warning"
        return self._rules[code].severity

    def _compared(self, compared: BookReconciled, seen: Seen) -> list[Change]:
        open_count = sum(not item.explained for item in compared.differences)
        if not open_count:
            return []
        rule = self._rules["reconciliation"]
        text = f"{rule.what}: {open_count} at {cleaned(compared.venue, MAX_NAME_CHARS)}"
        raised = Raised(
            *("reconciliation", rule.severity, str(ACCOUNT), text, seen.event.event_time, float(open_count), 0.0),
            event_id=seen.event.id,
        )
        return [*self._holding.hold(VENUE, raised)]

    def _note(self, note: NotificationRaised, seen: Seen) -> list[Change]:
        said, self._said = self._said, None
        if said is not None and said[0] == note.code:
            self._noted[note.notification_id] = said[1]
            return [Linked(*said[1], note.notification_id)]
        at, event_id = seen.event.event_time, seen.event.id
        if note.code in MEASURED_HERE:
            return []
        if note.code.startswith(BACK):
            return self._end_note(_note_key(note.code.removeprefix(BACK)), seen)
        key = _note_key(note.code)
        is_outside = seen.event.stream == OUTSIDE_STREAM and note.code not in OWN_WORDS
        text = notification_text(note.code, note.text, event_id, is_outside=is_outside)
        self._noted[note.notification_id] = key
        self._marks.pop(key, None)
        raised = Raised(
            *(key[0], note.severity, key[1], text, at),
            event_id=event_id,
            notification_id=note.notification_id,
            is_moment=True,
        )
        return [*self._holding.hold(NOTE, raised)]

    def _acknowledged(self, known: NotificationAcknowledged, seen: Seen) -> list[Change]:
        noticed = Noticed(known.notification_id, cleaned(known.user, MAX_NAME_CHARS), cleaned(known.reason))
        key = self._noted.pop(known.notification_id, ("", ""))
        return [noticed, *self._holding.release(NOTE, key, seen.event.event_time, seen.event.id)]

    def _age(self, seen: Seen) -> list[Change]:
        """A close: what was noted some time ago, and is not critical, is over."""
        ended: list[Change] = []
        critical = {(item.code, item.subject) for item in self._holding.standing() if item.severity == "critical"}
        for key in self._holding.keys_of(NOTE):
            self._marks[key] += 1
            if self._marks[key] > QUIET_MARKS and key not in critical:
                ended += self._end_note(key, seen)
        return ended

    def _end_note(self, key: Key, seen: Seen) -> list[Change]:
        """It is old news, or over: whoever acknowledges one of its notes later ends nothing."""
        self._marks.pop(key, None)
        self._noted = {ident: found for ident, found in self._noted.items() if found != key}
        return [*self._holding.release(NOTE, key, seen.event.event_time, seen.event.id)]


def _note_key(code: str) -> Key:
    return (NOTE_RULES[code], JOBS) if code in NOTE_RULES else ("notification", cleaned(code, MAX_NAME_CHARS))
