"""Which earlier event caused a new one: a child its plan, a fill its child, a result its last fill."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from ..domain.canonical import short_id
from ..domain.control_events import (
    BookReconciled,
    NotificationAcknowledged,
    NotificationRaised,
    OperatorAsked,
    TradingStateChanged,
)
from ..domain.events import (
    CancelRefused,
    CancelRequested,
    ChildAccepted,
    ChildClosed,
    ChildDenied,
    ChildSubmitted,
    ChildUnresolved,
    DecisionMade,
    Event,
    EvidenceRecorded,
    FillBusted,
    ModelReplied,
    NewEvent,
    OrderClosed,
    OrderFilled,
    OrderOpened,
    Payload,
    PlanApproved,
    PortfolioMarked,
    RunFinished,
    RunStarted,
)

Key = tuple[str, str]
"""A role and whose: ("plan", decision id), ("child", client order id). Later events take the role over."""

CLOSE: Key = ("close", "")
ASKED: Key = ("asked", "")
RECONCILED: Key = ("reconciled", "")
RUN_LEVEL = (RunStarted, PortfolioMarked, OperatorAsked, BookReconciled, NotificationRaised)
KEPT_DECISIONS = 4
"""Yesterday's orders and today's decision, with room for an intent in between."""


class Reader(Protocol):
    """The part of the log that is read again after a restart or a rewind."""

    def read(
        self, after: int = 0, *, types: Sequence[type[Payload]] = (), decision_id: str | None = None
    ) -> Iterable[Event]: ...

    def last(self, kind: type[Payload]) -> Event | None: ...


class Causes:
    """Fills `cause_id` where whoever made the fact left it open: a pure function of the events before it."""

    def __init__(self, log: Reader) -> None:
        self._log = log
        self._seq = -1
        self._run: dict[Key, str] = {}
        self._decisions: dict[str, dict[Key, str]] = {}

    def fill(self, new_events: Sequence[NewEvent], seq: int) -> list[NewEvent]:
        """The facts with their causes, as they will stand after event `seq`."""
        if seq != self._seq:  # a start, a rewind, or an append that came to nothing
            self._reload()
        filled: list[NewEvent] = []
        for place, new in enumerate(new_events, seq + 1):
            known = self._known(new.decision_id)
            if new.cause_id is None:
                keys = causes_of(new.payload, new.decision_id)
                cause = next((found for key in keys if (found := known.get(key) or self._run.get(key))), None)
                new = new if cause is None else new.model_copy(update={"cause_id": cause})
            self._take(new.payload, new.decision_id, short_id("evt", new.run_id, place))
            filled.append(new)
        self._seq = seq + len(new_events)
        return filled

    def _take(self, payload: Payload, decision_id: str | None, event_id: str) -> None:
        known = self._run if decision_id is None or isinstance(payload, RUN_LEVEL) else self._known(decision_id)
        for key in roles_of(payload, decision_id):
            known[key] = event_id

    def _known(self, decision_id: str | None) -> dict[Key, str]:
        """The roles inside one decision; those of one that is not at hand are read from the log."""
        if decision_id is None:
            return self._run
        if decision_id not in self._decisions:
            self._decisions[decision_id] = known = {}
            for event in self._log.read(decision_id=decision_id):
                payload = event.decoded()
                if not isinstance(payload, RUN_LEVEL):
                    known |= dict.fromkeys(roles_of(payload, decision_id), event.id)
            for oldest in list(self._decisions)[:-KEPT_DECISIONS]:
                del self._decisions[oldest]
        return self._decisions[decision_id]

    def _reload(self) -> None:
        self._decisions.clear()
        self._run.clear()
        lasts = (self._log.last(kind) for kind in RUN_LEVEL[:-1])
        events = sorted((event for event in lasts if event is not None), key=lambda event: event.seq)
        for event in (*self._log.read(types=(NotificationRaised,)), *events):
            self._run |= dict.fromkeys(roles_of(event.decoded(), event.decision_id), event.id)


def roles_of(payload: Payload, decision_id: str | None) -> Iterator[Key]:
    """What later events may name this one as their cause for."""
    own = decision_id or ""
    match payload:
        case RunStarted() | PortfolioMarked():
            yield CLOSE
        case EvidenceRecorded() | ModelReplied():
            yield "facts", own
        case DecisionMade():
            yield "decision", own
        case PlanApproved():
            yield "plan", own
        case OrderOpened():
            yield "opened", payload.order.order_id
        case ChildSubmitted():
            yield "child", payload.child.client_order_id
        case CancelRequested():
            yield "cancel", payload.client_order_id
        case ChildClosed():
            yield "result", payload.order_id
        case OrderFilled():
            yield "fill", payload.fill.execution_id
            yield "result", payload.fill.order_id
        case FillBusted():
            yield "result", payload.fill.order_id
        case OperatorAsked():
            yield ASKED
        case BookReconciled():
            yield RECONCILED
        case NotificationRaised():
            yield "notified", payload.notification_id
        case _:
            pass


def causes_of(payload: Payload, decision_id: str | None) -> Iterator[Key]:
    """The roles of what may have caused this one, the nearest first."""
    own = decision_id or ""
    match payload:
        case EvidenceRecorded() | RunFinished():
            yield CLOSE
        case ModelReplied() | DecisionMade():
            yield "facts", own
        case PlanApproved():
            yield "decision", own
        case OrderOpened() | ChildSubmitted() | ChildDenied():
            yield "plan", own
        case ChildAccepted() | ChildUnresolved() | CancelRequested():
            yield "child", payload.client_order_id
        case CancelRefused() | ChildClosed():
            yield "cancel", payload.client_order_id
            yield "child", payload.client_order_id
        case OrderFilled():
            yield "child", payload.fill.client_order_id
        case FillBusted():
            yield "fill", payload.execution_id
        case OrderClosed():
            yield "result", payload.order_id
            yield "opened", payload.order_id
        case TradingStateChanged() if payload.cause == "operator":
            yield ASKED
        case TradingStateChanged() if payload.cause == "reconciliation":
            yield RECONCILED
        case NotificationAcknowledged():
            yield "notified", payload.notification_id
        case _:
            pass
