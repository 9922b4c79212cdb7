"""Control facts in the log: what the desk worked out, and what came from outside and has to be taken from it again.

A replay and a resumed run make everything again but what people, files and signals did. Those facts stand in
a stream of their own and are copied from their places instead.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime

from ..domain.approval_events import ApprovalAnswered, ApprovalAsked
from ..domain.control_events import (
    BookReconciled,
    IncidentRecorded,
    NotificationAcknowledged,
    NotificationRaised,
    OperatorAsked,
    TradingStateChanged,
)
from ..domain.events import Actor, Event, NewEvent, Payload
from ..domain.step_events import StepHeld
from ..memory.log import EventLog

CONTROLS, OUTSIDE = "controls", "outside"
CONTROL_FACTS: tuple[type[Payload], ...] = (
    BookReconciled,
    TradingStateChanged,
    OperatorAsked,
    NotificationRaised,
    NotificationAcknowledged,
    IncidentRecorded,
    ApprovalAsked,
    ApprovalAnswered,
    StepHeld,
)


class ControlLog:
    """One run's log as the controls write it."""

    def __init__(self, log: EventLog, run_id: str, after: int) -> None:
        """`after` is the event the run goes on from: what stands behind it is walked over again."""
        self._log, self._run_id = log, run_id
        behind = log.read(after, types=CONTROL_FACTS)
        self._stored: deque[Event] = deque(event for event in behind if event.stream == OUTSIDE)
        self._before = after
        self.listener: Callable[[Payload], None] = lambda payload: None
        """Told of every fact that was taken again."""

    def history(self) -> Iterator[Payload]:
        """Every control fact before the place the run goes on from."""
        return (event.decoded() for event in self._log.read(types=CONTROL_FACTS, until=self._before))

    @property
    def is_rewalking(self) -> bool:
        return self._log.is_rewalking

    def batch(self) -> AbstractContextManager[None]:
        """What is recorded inside stands in the log together or not at all."""
        return self._log.batch()

    def record(self, payload: Payload, now: datetime, *, outside: bool) -> None:
        if not outside:
            self.retake()
        user = getattr(payload, "user", "")
        actor = Actor(kind="user", name=user) if user else Actor(kind="desk", name="controls")
        stream = OUTSIDE if outside else CONTROLS
        about = getattr(payload, "decision_id", None)
        self._log.append(
            [
                NewEvent(
                    stream=stream,
                    event_time=now,
                    actor=actor,
                    payload=payload,
                    run_id=self._run_id,
                    decision_id=about,
                )
            ]
        )

    def retake(self, now: datetime | None = None) -> None:
        """Take in what came from outside at this place when the run was here before; up to `now`, if given."""
        while self._stored and self._stored[0].seq == self._log.head()[0] + 1:
            event = self._stored[0]
            if now is not None and event.event_time > now:
                return
            self._stored.popleft()
            payload = event.decoded()
            self._log.append([_again(event, payload)])
            self.listener(payload)


def _again(event: Event, payload: Payload) -> NewEvent:
    return NewEvent(
        stream=event.stream,
        event_time=event.event_time,
        actor=event.actor,
        payload=payload,
        run_id=event.run_id,
        decision_id=event.decision_id,
        order_id=event.order_id,
        cause_id=event.cause_id,
    )
