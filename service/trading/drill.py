"""A drill: what goes wrong at which market time, and who answers it; drawn from a seed or read from a file."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from ...market.history import History
from .errors import FaultsInvalid

DEFAULT = "default"
FaultKind = Literal[
    "dead_model", "stale_feed", "kill_in_session", "kill_in_decision", "kill_at_night", "full_disk", "locked_log"
]
KINDS: dict[FaultKind, str] = {
    "dead_model": "calls to the model time out at the decisions of so many sessions",
    "stale_feed": "the session's bar arrives so many minutes after its close",
    "kill_in_session": "the process is killed so many minutes after the open of the next session that works a plan",
    "kill_in_decision": "the process is killed while it decides on the session's close",
    "kill_at_night": "the process is killed so many minutes after the close",
    "full_disk": "the desk can write nothing for so many minutes of the next session that works a plan",
    "locked_log": "another program holds the log for so many minutes of the next session that works a plan",
}
OPERATOR_MINUTES, RESTART_MINUTES = 10, 2
NIGHT_MINUTES, PAST_OPEN_MINUTES = 150, 45
FULL_DISK_MINUTES, LOCKED_LOG_MINUTES = 30, 15


@dataclass(frozen=True, slots=True)
class DrillFault:
    """One thing that goes wrong; `size` is minutes, or sessions for a dead model."""

    kind: FaultKind
    session: date
    size: int = 1

    @property
    def name(self) -> str:
        return f"{self.kind} {self.session} {self.size}"


@dataclass(frozen=True, slots=True)
class Drill:
    """Everything a trading period is put through; without faults and without an operator it is none."""

    faults: tuple[DrillFault, ...] = ()
    operator_minutes: int | None = None
    """How long a person takes to answer a halt; None where nobody is there to answer."""
    restart_minutes: int = RESTART_MINUTES
    """How long a killed process is away where the clock jumps; a paced clock tells by itself."""

    def of(self, *kinds: FaultKind) -> tuple[DrillFault, ...]:
        return tuple(fault for fault in self.faults if fault.kind in kinds)

    def arrivals(self, history: History) -> dict[date, datetime]:
        """When the bars that come late arrive."""
        return {
            fault.session: history.close_time(fault.session) + timedelta(minutes=fault.size)
            for fault in self.of("stale_feed")
        }

    def dead_sessions(self, sessions: Sequence[date]) -> frozenset[date]:
        """The sessions whose decisions get no answer."""
        found: set[date] = set()
        for fault in self.of("dead_model"):
            place = sessions.index(fault.session)
            found.update(sessions[place : place + fault.size])
        return frozenset(found)

    def lines(self) -> tuple[str, ...]:
        """The drill in words, one fault a line, and who answers."""
        found = [f"{fault.session} {fault.kind} ({fault.size}): {KINDS[fault.kind]}" for fault in self.faults]
        if self.operator_minutes is not None:
            found.append(
                f"a scripted operator acknowledges and resumes {self.operator_minutes} minutes after a halt, in the "
                "place of a person"
            )
        return tuple(found)


def default_drill(sessions: Sequence[date], history: History, seed: int) -> Drill:
    """Faults of every kind on days drawn from the seed, a stale feed twice; none on the first or last days."""
    rng = np.random.default_rng([seed, 9])
    inner = list(sessions[2:-2])
    if len(inner) < 10:
        raise FaultsInvalid(
            f"a drill needs 14 sessions, the run has {len(sessions)}", remedy="Give more days, or a file of faults."
        )
    # One from each stretch of the run, so that no fault hides behind another.
    stretches = np.array_split(np.arange(len(inner)), 6)
    days = [inner[int(rng.choice(stretch))] for stretch in stretches]
    following = sessions[sessions.index(days[4]) + 1]
    over_night = history.opening_time(following) + timedelta(minutes=PAST_OPEN_MINUTES) - history.close_time(days[4])
    faults = [
        DrillFault("dead_model", days[0], 2),
        DrillFault("kill_in_session", days[1], int(rng.integers(45, 300))),
        DrillFault("stale_feed", days[2], 90),
        DrillFault("kill_in_decision", days[3], 1),
        DrillFault("stale_feed", days[4], int(over_night.total_seconds()) // 60),
        DrillFault("kill_at_night", days[5], NIGHT_MINUTES),
    ]
    full, locked = (int(rng.choice(half)) for half in np.array_split(_free(inner, days), 2))
    faults += [
        DrillFault("full_disk", inner[full], FULL_DISK_MINUTES),
        DrillFault("locked_log", inner[locked], LOCKED_LOG_MINUTES),
    ]
    return Drill(tuple(sorted(faults, key=lambda fault: fault.session)), OPERATOR_MINUTES)


def read_drill(source: str, sessions: Sequence[date], history: History, seed: int) -> Drill:
    """`default`, or a TOML file with [[fault]] tables; raises FaultsInvalid for what it cannot use."""
    if source == DEFAULT:
        return default_drill(sessions, history, seed)
    try:
        found = tomllib.loads(Path(source).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FaultsInvalid(
            f"{source}: {error}", remedy="Give a TOML file with [[fault]] tables, or default."
        ) from error
    rows = found.pop("fault", [])
    minutes, restart = found.pop("operator_minutes", None), found.pop("restart_minutes", RESTART_MINUTES)
    if found or not isinstance(rows, list) or not _is_count(restart) or not (minutes is None or _is_count(minutes)):
        raise FaultsInvalid(
            f"{source}: expected [[fault]] tables, operator_minutes and restart_minutes, the two whole numbers",
            remedy="Write operator_minutes = 10 at the top, then tables of kind, session and size.",
        )
    return Drill(tuple(_fault(row, source, sessions) for row in cast("list[Any]", rows)), minutes, restart)


def _free(inner: Sequence[date], taken: Sequence[date]) -> list[int]:
    """Places on which nothing happens, next to none on which something does where there are enough of them."""
    busy = {inner.index(day) for day in taken}
    places = [place for place in range(len(inner)) if place not in busy]
    apart = [place for place in places if not busy & {place - 1, place + 1}]
    return apart if len(apart) > 1 else places


def _fault(row: Any, source: str, sessions: Sequence[date]) -> DrillFault:
    values = cast("dict[str, Any]", row) if isinstance(row, dict) else {}
    kind, session, size = values.get("kind"), values.get("session"), values.get("size", 1)
    if kind not in KINDS or set(values) - {"kind", "session", "size"} or not _is_count(size):
        raise FaultsInvalid(
            f"{source}: {values!r} is no fault", remedy=f"Give kind ({', '.join(KINDS)}), session and size."
        )
    if session not in sessions:
        raise FaultsInvalid(
            f"{source}: {kind} at {session}, which is no session of the run",
            remedy=f"Write a day such as session = {sessions[len(sessions) // 2]}.",
        )
    return DrillFault(kind, cast("date", session), size)


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 1
