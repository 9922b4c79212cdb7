"""How the fast loop tells what happened: one fact at a time, each in the stream of what it is about."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from ..domain.events import Actor, NewEvent, Payload
from ..domain.made import whole
from ..domain.orders import ChildOrder

Emit = Callable[[NewEvent], None]

DESK = Actor(kind="desk", name="execution")
GATE = Actor(kind="gate", name="gate")


@dataclass(slots=True)
class LogHealth:
    """Whether the log took the last fact it was given."""

    is_writable: bool = True


@dataclass(frozen=True, slots=True)
class Recorder:
    """The log as one session writes it; what `emit` has taken is what the log says happened."""

    emit: Emit
    run_id: str
    decision_id: str
    venue: str
    health: LogHealth = field(default_factory=LogHealth, compare=False)
    by_venue: Actor = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_venue", Actor(kind="venue", name=self.venue))

    def of_order(
        self, order_id: str, at: datetime, actor: Actor, payload: Payload, *, decision_id: str | None = None
    ) -> None:
        """A fact about one parent order or a child of it, of this plan unless another decision is named."""
        fact = {
            "stream": f"order/{order_id}",
            "event_time": at,
            "actor": actor,
            "payload": payload,
            "run_id": self.run_id,
            "decision_id": decision_id or self.decision_id,
            "order_id": order_id,
            "cause_id": None,
        }
        self._tell(whole(NewEvent, fact))

    def of_child(self, child: ChildOrder, at: datetime, actor: Actor, payload: Payload) -> None:
        """A fact about a child, under the decision that sent it."""
        fields = child.__dict__
        self.of_order(fields["order_id"], at, actor, payload, decision_id=fields["decision_id"])

    def of_venue(self, at: datetime, payload: Payload) -> None:
        """A fact about our book beside the venue's."""
        self._tell(
            NewEvent(
                stream=f"venue/{self.venue}",
                event_time=at,
                actor=DESK,
                payload=payload,
                run_id=self.run_id,
                decision_id=self.decision_id,
            )
        )

    def _tell(self, event: NewEvent) -> None:
        health = self.health
        health.is_writable = False
        self.emit(event)
        health.is_writable = True
