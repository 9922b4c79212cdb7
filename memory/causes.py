"""Which earlier event caused a new one: a child its plan, a fill its child, a result its last fill."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from ..domain.approval_events import ApprovalAnswered, ApprovalAsked
from ..domain.canonical import numbered_ids
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
    RegimeChanged,
    RunFinished,
    RunStarted,
)
from ..domain.overnight import OrderAdjusted

Key = tuple[str, str]
"""A role and whose: ("plan", decision id), ("child", client order id). Later events take the role over."""

CLOSE: Key = ("close", "")
ASKED: Key = ("asked", "")
RECONCILED: Key = ("reconciled", "")
RUN_LEVEL = (RunStarted, PortfolioMarked, OperatorAsked, BookReconciled, NotificationRaised)
KEPT_DECISIONS = 4
"""Yesterday's orders and today's decision, with room for an intent in between."""


Place = tuple[str, str | None]
"""What an event is called at its place in the log, and what brought it about: its id and that of its cause."""


class Reader(Protocol):
    """The part of the log that is read again after a restart or a rewind."""

    def read(
        self, after: int = 0, *, types: Sequence[type[Payload]] = (), decision_id: str | None = None
    ) -> Iterable[Event]: ...

    def last(self, kind: type[Payload]) -> Event | None: ...


class Causes:
    """Names the cause of a fact where whoever made it left it open: a pure function of the events before it."""

    def __init__(self, log: Reader) -> None:
        self._log = log
        self._seq = -1
        self._run_id, self._id_of = "", numbered_ids("evt", "")
        self._run: dict[Key, str] = {}
        self._decisions: dict[str, dict[Key, str]] = {}

    def place(self, new: NewEvent, seq: int) -> Place:
        """The id that a fact has as event `seq`, and its cause; asked for one place after the other."""
        if seq != self._seq + 1:  # a start, a rewind, or an append that came to nothing
            self._reload()
        # Read from the dictionary: a model's own attribute access costs twice that.
        f = new.__dict__
        payload, decision_id, cause_id, run_id = f["payload"], f["decision_id"], f["cause_id"], f["run_id"]
        if run_id != self._run_id:
            self._run_id, self._id_of = run_id, numbered_ids("evt", run_id)
        kind, own, run = type(payload), decision_id or "", self._run
        known = run if decision_id is None else self._decisions.get(decision_id) or self._known(decision_id)
        causes, roles = CAUSES.get(kind), ROLES.get(kind)
        if cause_id is None and causes is not None:
            for key in causes(payload, own):
                cause_id = known.get(key) or run.get(key)
                if cause_id is not None:
                    break
        event_id = self._id_of(seq)
        if roles is not None:
            told = run if kind in RUN_LEVEL else known
            for key in roles(payload, own):
                told[key] = event_id
        self._seq = seq
        return event_id, cause_id

    def _known(self, decision_id: str) -> dict[Key, str]:
        """The roles inside one decision; those of one that is not at hand are read from the log."""
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


def roles_of(payload: Payload, decision_id: str | None) -> tuple[Key, ...]:
    """What later events may name this one as their cause for."""
    return ROLES[type(payload)](payload, decision_id or "") if type(payload) in ROLES else ()


Keys = Callable[[Any, str], tuple[Key, ...]]
"""From a payload of the kind it is listed under, and its decision's id."""


def _controls(payload: TradingStateChanged, own: str) -> tuple[Key, ...]:
    return (ASKED,) if payload.cause == "operator" else (RECONCILED,) if payload.cause == "reconciliation" else ()


def _child(payload: ChildAccepted | ChildUnresolved | CancelRequested | OrderAdjusted, own: str) -> tuple[Key, ...]:
    return (("child", payload.client_order_id),)


def _after_cancel(payload: CancelRefused | ChildClosed, own: str) -> tuple[Key, ...]:
    return ("cancel", payload.client_order_id), ("child", payload.client_order_id)


def _decided(payload: Payload, own: str) -> tuple[Key, ...]:
    return (("facts", own),)


def _planned(payload: Payload, own: str) -> tuple[Key, ...]:
    return (("plan", own),)


ROLES: dict[type[Payload], Keys] = {
    RunStarted: lambda payload, own: (CLOSE,),
    PortfolioMarked: lambda payload, own: (CLOSE,),
    EvidenceRecorded: _decided,
    ModelReplied: _decided,
    DecisionMade: lambda payload, own: (("decision", own),),
    PlanApproved: _planned,
    OrderOpened: lambda payload, own: (("opened", payload.order.order_id),),
    ChildSubmitted: lambda payload, own: (("child", payload.child.client_order_id),),
    CancelRequested: lambda payload, own: (("cancel", payload.client_order_id),),
    ChildClosed: lambda payload, own: (("result", payload.order_id),),
    OrderFilled: lambda payload, own: (("fill", payload.fill.execution_id), ("result", payload.fill.order_id)),
    FillBusted: lambda payload, own: (("result", payload.fill.order_id),),
    OperatorAsked: lambda payload, own: (ASKED,),
    BookReconciled: lambda payload, own: (RECONCILED,),
    ApprovalAsked: lambda payload, own: (("approval", own),),
    NotificationRaised: lambda payload, own: (("notified", payload.notification_id),),
}
"""What later events may name an event of this kind as their cause for."""

CAUSES: dict[type[Payload], Keys] = {
    EvidenceRecorded: lambda payload, own: (CLOSE,),
    RunFinished: lambda payload, own: (CLOSE,),
    ModelReplied: _decided,
    RegimeChanged: _decided,
    DecisionMade: _decided,
    PlanApproved: lambda payload, own: (("decision", own),),
    OrderOpened: _planned,
    ChildSubmitted: _planned,
    ChildDenied: _planned,
    ChildAccepted: _child,
    ChildUnresolved: _child,
    CancelRequested: _child,
    OrderAdjusted: _child,
    CancelRefused: _after_cancel,
    ChildClosed: _after_cancel,
    OrderFilled: lambda payload, own: (("child", payload.fill.client_order_id),),
    FillBusted: lambda payload, own: (("fill", payload.execution_id),),
    OrderClosed: lambda payload, own: (("result", payload.order_id), ("opened", payload.order_id)),
    TradingStateChanged: _controls,
    ApprovalAsked: _planned,
    ApprovalAnswered: lambda payload, own: (ASKED,) if payload.user else (("approval", own),),
    NotificationAcknowledged: lambda payload, own: (("notified", payload.notification_id),),
}
"""The roles of what may have caused an event of this kind, the nearest first."""
