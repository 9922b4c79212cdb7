"""Faults as data: what breaks, where, when and how much; drawn from a seed, written to a file, and read back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from ..errors import FaultUnknown

Port = Literal["venue", "disk", "process", "feed", "model", "clock", "operator", "files", "tools", "recall"]
Counted = Literal[
    "submit", "cancel", "fill", "moment", "write", "commit", "call", "session", "reading", "window", "covariance"
]

MOMENTS = 40
"""Moments of one session; moments are numbered through all sessions of a world."""


class Crash(BaseException):
    """The process is gone between two statements: nothing of the desk may catch this."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that goes wrong. `at` is the place (the kind says what it counts, from 0), `size` how much or how
    long, `which` the variation: a symbol's number, or what else the kind says."""

    kind: str
    at: int
    size: int = 1
    which: int = 0

    def __str__(self) -> str:
        rule = rule_of(self.kind)
        return f"{self.kind} at {rule.counts} {self.at} (size {self.size}, variation {self.which}): {rule.text}"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of fault is: the port it sits behind, what its `at` counts, and the ranges it is drawn from."""

    port: Port
    counts: Counted
    text: str
    max_at: int
    max_size: int = 1


_DAY = 2 * MOMENTS
KINDS: Mapping[str, Kind] = {
    "send_lost": Kind("venue", "submit", "the send never arrives", 40),
    "ack_lost": Kind("venue", "submit", "the order arrives, no answer comes back", 40),
    "ack_twice": Kind("venue", "submit", "the acknowledgement comes twice", 40),
    "ack_last": Kind("venue", "submit", "what the send brought is told backwards: fills before the ack", 40),
    "ack_late": Kind("venue", "submit", "the acknowledgement comes some moments later", 40, 4),
    "fill_twice": Kind("venue", "fill", "the execution is told twice", 30),
    "fill_late": Kind("venue", "fill", "the execution is told some moments later", 30, 6),
    "fill_lost": Kind("venue", "fill", "the execution is never told, only found by asking", 30),
    "fill_busted": Kind("venue", "fill", "the execution is taken back some moments later", 30, 6),
    "fill_unknown": Kind("venue", "moment", "an execution of an order that this desk never sent", _DAY, 300),
    "cancel_refused": Kind("venue", "cancel", "the cancel is refused, the order goes on", 20),
    "cancel_lost": Kind("venue", "cancel", "the cancel is done, no answer comes back", 20),
    "cancel_raced": Kind("venue", "cancel", "the order fills just before the cancel", 20),
    "rejects_all": Kind("venue", "moment", "every order is rejected for some moments", _DAY, 12),
    "throttles": Kind("venue", "moment", "one order a moment is taken, the rest rejected", _DAY, 12),
    "disconnects": Kind("venue", "moment", "nothing is answered for some moments", _DAY, 8),
    "queries_fail": Kind("venue", "moment", "orders go through, questions get no answer for some moments", _DAY, 20),
    "session_ends": Kind("venue", "moment", "the venue closes in mid-session", _DAY),
    "positions_differ": Kind("venue", "session", "the venue starts the session with other shares", 2, 200),
    "disk_full": Kind("disk", "write", "some writes in a row fail: no space left", 600, 30),
    "disk_readonly": Kind("disk", "write", "some writes in a row fail: read-only", 600, 30),
    "disk_locked": Kind("disk", "write", "some writes in a row fail: locked by another", 600, 3),
    "fsync_failed": Kind("disk", "commit", "the commit fails", 200),
    "crash_before_commit": Kind("process", "commit", "the process dies before the commit", 200),
    "crash_after_commit": Kind("process", "commit", "the process dies after the commit", 200),
    "record_torn": Kind("process", "commit", "the process dies in the commit; its last bytes are missing", 200, 3000),
    "crash_before_send": Kind("process", "submit", "the process dies between record and send", 40),
    "crash_after_send": Kind("process", "submit", "the process dies between send and answer", 40),
    "crash_before_cancel": Kind("process", "cancel", "the process dies before a cancel", 20),
    "crash_at_moment": Kind("process", "moment", "the process dies and is away for some moments", _DAY, 6),
    "second_instance": Kind("process", "moment", "another process opens the same book", _DAY),
    "feed_gap": Kind("feed", "moment", "one symbol has no quotes for some moments", _DAY, 10),
    "feed_stale": Kind("feed", "moment", "an old quote comes again, out of its time", _DAY),
    "feed_crossed": Kind("feed", "moment", "the bid is above the ask", _DAY, 4),
    "feed_locked": Kind("feed", "moment", "the bid is the ask", _DAY, 4),
    "feed_zero": Kind("feed", "moment", "the prices are zero", _DAY, 4),
    "feed_negative": Kind("feed", "moment", "the prices are negative", _DAY, 4),
    "feed_spike": Kind("feed", "moment", "the prices are ten times what they are", _DAY, 4),
    "feed_burst": Kind("feed", "moment", "a hundred quotes within a tenth of a second", _DAY),
    "symbol_halted": Kind("feed", "moment", "the symbol stops trading until the close", _DAY),
    "symbol_split": Kind("feed", "moment", "a two-for-one split that nobody adjusted for", _DAY),
    "price_shock": Kind("feed", "moment", "every price falls by this many percent and stays there", _DAY, 24),
    "model_timeout": Kind("model", "call", "no answer within the deadline", 12),
    "model_429": Kind("model", "call", "too many requests", 12),
    "model_500": Kind("model", "call", "a server error", 12),
    "model_empty": Kind("model", "call", "an empty answer", 12),
    "model_garbage": Kind("model", "call", "bytes that are no JSON", 12),
    "model_refusal": Kind("model", "call", "a polite refusal", 12),
    "model_truncated": Kind("model", "call", "the first half of the answer", 12),
    "model_language": Kind("model", "call", "the answer in another language", 12),
    "model_huge": Kind("model", "call", "a reply of megabytes", 12),
    "model_slow": Kind("model", "session", "the decision comes some moments after the open", 2, 30),
    "clock_forward": Kind("clock", "moment", "the clock is an hour ahead for some moments", _DAY, 10),
    "clock_back": Kind("clock", "moment", "the clock is an hour behind for some moments", _DAY, 10),
    "clock_frozen": Kind("clock", "moment", "the clock stands still for some moments", _DAY, 10),
    "operator_halts": Kind("operator", "moment", "a person halts the account, or one symbol", _DAY),
    "operator_reduces": Kind("operator", "moment", "a person allows only what takes risk off", _DAY),
    "order_outlives": Kind("venue", "session", "what is open at the close stays open past its plan", 2),
    "stops_lost": Kind("venue", "session", "the venue forgets over night the stops that stand there", 3),
    "stops_traded": Kind("venue", "session", "stops trade before the open, all or a part of each", 3, 3),
    "kill_in_session": Kind("operator", "moment", "the kill flag goes up, and the log takes no writes", _DAY, 3),
    "kill_in_model": Kind("operator", "call", "the same while the model hangs", 12, 3),
    "asked_to_end": Kind("process", "moment", "the process is asked to end (SIGTERM) while it trades", _DAY),
    "asked_in_model": Kind("process", "call", "the process is asked to end while the model hangs", 12),
    "limits_loosened": Kind("files", "moment", "the limits file is loosened; moments later the process dies", _DAY, 9),
    "limits_tightened": Kind("files", "moment", "the limits file is tightened; moments later it dies", _DAY, 9),
    "limits_nan": Kind("files", "moment", "a limit in the file becomes NaN; moments later the process dies", _DAY, 9),
    "settings_unknown": Kind("files", "moment", "the settings get an unknown key; moments later it dies", _DAY, 9),
    "settings_cut": Kind("files", "moment", "the settings file is cut off; moments later the process dies", _DAY, 9),
    "log_newer_event": Kind("files", "moment", "a newer program added an event of a type of its own", _DAY),
    "log_newer_schema": Kind("files", "moment", "a newer program added an event of a newer schema", _DAY),
    "views_other_version": Kind("files", "moment", "the read models are those of another version", _DAY),
    "program_other_version": Kind("process", "moment", "another version of the program is started on the log", _DAY),
    "checkpoint_other": Kind("files", "call", "it dies in a decision; its checkpoint is of another version", 12),
    "tool_fails": Kind("tools", "reading", "an estimate raises a typed error", 8),
    "tool_starves": Kind("tools", "reading", "an estimate finds no memory, and takes the process with it", 8),
    "returns_nan": Kind("tools", "window", "a window of returns has a hole that nobody filled", 4),
    "covariance_fails": Kind("tools", "covariance", "no covariance can be solved for", 4),
    "covariance_unsound": Kind("tools", "covariance", "a covariance has a hole, or a negative variance", 4),
    "recall_missing": Kind("recall", "moment", "it dies, and the index of lessons is gone", 4 * MOMENTS),
    "recall_corrupt": Kind("recall", "moment", "it dies, and the index of lessons is cut off", 4 * MOMENTS),
    "recall_empty": Kind("recall", "moment", "it dies, and the index of lessons is empty", 4 * MOMENTS),
    "tool_slow": Kind("tools", "session", "a tool takes so long that the session runs already", 2, 30),
}  # fmt: skip

DRAINED = frozenset({"asked_to_end", "asked_in_model"})
"""Faults after which the log is, byte for byte, the one of a run that nobody disturbed."""
TRANSPARENT = DRAINED | frozenset(
    {"crash_before_commit", "crash_after_commit", "record_torn", "crash_before_send", "crash_after_send"}
    | {"crash_before_cancel", "second_instance", "limits_loosened", "limits_tightened", "limits_nan"}
    | {"settings_unknown", "settings_cut", "log_newer_event", "log_newer_schema", "views_other_version"}
    | {"program_other_version", "checkpoint_other", "tool_fails", "tool_starves", "returns_nan", "covariance_fails"}
    | {"covariance_unsound", "recall_missing", "recall_corrupt", "recall_empty"}
)
"""Faults that cost the desk no market time: after them it must end as if they had not been."""
REFUSING = frozenset({"disk_full", "disk_readonly", "disk_locked", "fsync_failed"})
"""Writes that fail cost market time: what is not in the log is not sent at that moment, and the slice is sent later
at another price. Nothing before the first of them may differ, and nothing from the first close after the last."""


def rule_of(kind: str) -> Kind:
    rule = KINDS.get(kind)
    if rule is None:
        raise FaultUnknown(f"there is no fault {kind!r}", remedy=f"Use one of: {', '.join(KINDS)}.")
    return rule


def draw_faults(rng: np.random.Generator, kinds: Sequence[str], count: int, *, calm_after: int) -> tuple[Fault, ...]:
    """`count` faults of these kinds; what is placed by moment or session begins before moment `calm_after`."""
    return tuple(sorted(_drawn(rng, kinds[int(rng.integers(len(kinds)))], calm_after) for _ in range(count)))


def _drawn(rng: np.random.Generator, kind: str, calm_after: int) -> Fault:
    rule = KINDS[kind]
    bounds = {"moment": calm_after, "session": -(-calm_after // MOMENTS)}
    at = int(rng.integers(min(rule.max_at, bounds.get(rule.counts, rule.max_at))))
    size = 1 + int(rng.integers(rule.max_size))
    if rule.counts == "moment" and kind not in ("price_shock", "fill_unknown"):
        size = min(size, max(calm_after - at, 1))
    return Fault(kind, at, size, int(rng.integers(16)))


def faults_json(faults: Iterable[Fault]) -> list[dict[str, Any]]:
    return [asdict(fault) for fault in faults]


def faults_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Fault, ...]:
    """Faults from plain data, each of a known kind."""
    found: list[Fault] = []
    for row in rows:
        if set(row) != {"kind", "at", "size", "which"} or not all(
            type(row[name]) is int for name in set(row) - {"kind"}
        ):
            raise FaultUnknown(
                f"{dict(row)!r} is no fault: expected kind, at, size and which, the last three whole numbers",
                remedy="Use a file that `parley eval run faults` wrote.",
            )
        rule_of(row["kind"])
        found.append(Fault(**row))
    return tuple(found)


class Schedule:
    """The faults of one run, by kind and place; what has happened once at a counted call does not happen again."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        self._by_kind: dict[str, list[Fault]] = {}
        for fault in self.faults:
            rule_of(fault.kind)
            self._by_kind.setdefault(fault.kind, []).append(fault)

    def of(self, kind: str) -> Sequence[Fault]:
        return self._by_kind.get(kind, ())

    def at(self, kind: str, place: int) -> Fault | None:
        """The fault of this kind that begins at this place."""
        return next((fault for fault in self.of(kind) if fault.at == place), None)

    def during(self, kind: str, place: int) -> Fault | None:
        """The fault of this kind that is under way at this place."""
        return next((fault for fault in self.of(kind) if fault.at <= place < fault.at + fault.size), None)
