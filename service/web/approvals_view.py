"""Plans that people were asked about: why, until when, with what legs, and under which checks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from pydantic import JsonValue

from ...domain.decisions import CheckResult
from ...domain.events import PlanApproved
from ..access.roles import Role
from ..answers.approvals import ApprovalLine, approval_lines
from ..answers.reader import Reading
from ..intents.answering import plan_legs
from ..pages.numbers import unit_named
from ..trading.status_file import read_status
from .parts import Asked

ANSWERED_SHOWN = 30


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One line of the gate's table, in a unit of the house; `used` is how much of its bound is taken, where it says."""

    check: CheckResult
    unit: str
    used: float | None


@dataclass(frozen=True, slots=True)
class Asking:
    """A plan that waits. `left_s` is market time; `is_live` says that a wall clock tells the same."""

    line: ApprovalLine
    legs: tuple[Mapping[str, JsonValue], ...]
    checks: tuple[CheckRow, ...]
    left_s: float | None
    is_live: bool

    @property
    def left(self) -> str:
        """The time left in words."""
        minutes = int((self.left_s or 0.0) // 60)
        days, hours = minutes // 1440, minutes // 60 % 24
        said = [f"{count} {name}" for count, name in ((days, "d"), (hours, "h")) if count]
        return " ".join([*said, f"{minutes % 60} min"][:2])


@dataclass(frozen=True, slots=True)
class ApprovalsView:
    """What waits, and what was answered last."""

    mode: str
    role: Role
    waiting: tuple[Asking, ...]
    answered: tuple[ApprovalLine, ...]
    asked: int


def approvals_view(asked: Asked) -> ApprovalsView:
    reading = asked.reading
    lines = approval_lines(reading)
    clock = read_status(asked.desk.settings.book) or {}
    return ApprovalsView(
        mode=reading.settings.approval.mode,
        role=reading.settings.approval.role,
        waiting=tuple(_asking(reading, line, clock) for line in lines if line.state == "waiting"),
        answered=tuple(reversed([line for line in lines if line.state != "waiting"][-ANSWERED_SHOWN:])),
        asked=len(lines),
    )


def _asking(reading: Reading, line: ApprovalLine, clock: Mapping[str, JsonValue]) -> Asking:
    event = next(reading.read(PlanApproved, decision_id=line.decision_id), None)
    payload = event.decoded() if event is not None else None
    checks = payload.verdict.checks if isinstance(payload, PlanApproved) else ()
    legs = [leg for leg in plan_legs(reading, line.decision_id) if isinstance(leg, dict)]
    return Asking(
        line=line,
        legs=tuple(cast(Mapping[str, JsonValue], leg) for leg in legs),
        checks=tuple(map(_row, checks)),
        left_s=_left_s(reading, line, clock),
        is_live=clock.get("accelerate") in (1, 1.0),
    )


def _row(check: CheckResult) -> CheckRow:
    has_share = check.value is not None and check.limit is not None and check.limit > 0
    used = check.value / check.limit if has_share and check.value is not None and check.limit else None
    return CheckRow(check, unit_named(check.unit) or "num", used)


def _left_s(reading: Reading, line: ApprovalLine, clock: Mapping[str, JsonValue]) -> float | None:
    """Until the time to answer is over, by the clock the desk goes by: the scheduler's, or that of the log's end."""
    said = clock.get("clock") if clock.get("run") == reading.run_id else None
    last = next(reading.read(after=reading.seq - 1), None)
    now = datetime.fromisoformat(str(said)) if said else last.event_time if last else None
    return None if now is None else max((datetime.fromisoformat(line.until) - now).total_seconds(), 0.0)
