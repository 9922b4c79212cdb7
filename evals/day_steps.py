"""Which steps of the day a log holds behind its last mark: what a desk that starts again has done already."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import date, datetime

from ..domain.events import DecisionMade
from ..domain.step_events import Step, StepHeld
from ..memory.log import EventLog


@dataclass(frozen=True, slots=True)
class StepsTold:
    """A look at the log's tail before it is walked again."""

    steps: Set[tuple[Step, date]] = frozenset()
    """Decided, or held: with the session."""
    until: datetime | None = None
    """The time of the last event; None where the tail is empty."""

    def holds(self, step: Step, session: date) -> bool:
        return (step, session) in self.steps

    def has_begun(self, session: date, opens_at: datetime) -> bool:
        """Whether anything of the session itself was recorded, or how it was held."""
        return (self.until is not None and self.until >= opens_at) or self.holds("trade", session)


def steps_told(log: EventLog, boundary: int) -> StepsTold:
    """The tail of a log after event `boundary`, which is its last mark."""
    found: set[tuple[Step, date]] = set()
    for event in log.read(boundary, types=(DecisionMade, StepHeld)):
        payload = event.decoded()
        if isinstance(payload, StepHeld):
            found.add((payload.step, payload.session))
        elif isinstance(payload, DecisionMade) and payload.decision.intent is None:
            found.add(("decide", payload.decision.snapshot.session))
    head = log.head()[0]
    last = next(log.read(head - 1), None) if head > boundary else None
    return StepsTold(found, last.event_time if last else None)
