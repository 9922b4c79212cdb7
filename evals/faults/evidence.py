"""A finished run as the invariants look at it: its log, the truth at the venue, and the state the desk ended in."""

from collections.abc import Iterable
from dataclasses import dataclass

from ...domain.events import BookReconciled, Event, FillBusted, OrderFilled, Payload, TradingStateChanged
from ...domain.orders import Fill
from ...domain.trading import ACCOUNT, TradingState
from ...memory.log import EventLog
from ...memory.verify import VerifyReport, verify_log
from ...storage.sql import open_sqlite
from .runner import Outcome


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one run left behind."""

    outcome: Outcome
    events: tuple[tuple[Event, Payload], ...]
    report: VerifyReport
    state: TradingState
    reason: str

    @property
    def booked(self) -> dict[str, Fill]:
        """The fills that stand in the log."""
        filled = (payload.fill for _, payload in self.events if isinstance(payload, OrderFilled))
        busted = {payload.execution_id for _, payload in self.events if isinstance(payload, FillBusted)}
        return {fill.execution_id: fill for fill in filled if fill.execution_id not in busted}

    @property
    def unexplained(self) -> list[str]:
        found = [payload for _, payload in self.events if isinstance(payload, BookReconciled)]
        return [f"{item.kind} {item.subject}" for told in found for item in told.differences if not item.explained]


def evidence_of(outcome: Outcome) -> Evidence:
    database = open_sqlite(outcome.stage.path, readonly=True)
    try:
        events = tuple((event, event.decoded()) for event in EventLog(database).read())
    finally:
        database.close()
    changes = [payload for _, payload in events if isinstance(payload, TradingStateChanged)]
    return Evidence(outcome, events, verify_log(outcome.stage.path), *_final_state(changes))


def _final_state(changes: Iterable[TradingStateChanged]) -> tuple[TradingState, str]:
    """What the account may do in the end, by the log, and why."""
    state, reason = TradingState.ACTIVE, ""
    for change in changes:
        if change.scope == ACCOUNT:
            state, reason = change.after, f"{change.name}: {change.reason}"
    return state, reason
