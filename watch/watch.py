"""One run watched: events come in one after the other, and what a person should know comes out."""

from collections.abc import Sequence

from ..domain.events import Payload, RunFinished
from .changes import Change, Measured, Raised, Seen
from .conditions import Conditions
from .gauges import (
    DailyLoss,
    DecisionLatency,
    Drawdown,
    ErrorRate,
    Gauge,
    QuotesBehind,
    RefusedDecisions,
    SpentBudget,
    TextAttacks,
)
from .holding import Holding
from .input_drift import InputDrift
from .rules import AlertRules


def usual_gauges() -> tuple[Gauge, ...]:
    """Fresh folds of all rules over events that measure something."""
    return (
        Drawdown(),
        DailyLoss(),
        DecisionLatency(),
        ErrorRate(),
        InputDrift(),
        QuotesBehind(),
        RefusedDecisions(),
        TextAttacks(),
        SpentBudget(),
    )


class Watch:
    """A fold: the same events give the same alerts, however many of them come at once."""

    def __init__(self, rules: AlertRules, gauges: Sequence[Gauge] | None = None) -> None:
        self._rules = rules
        self._holding = Holding(rules)
        self._conditions = Conditions(rules, self._holding)
        self._gauges: dict[type[Payload], list[Gauge]] = {}
        for gauge in usual_gauges() if gauges is None else gauges:
            for kind in gauge.kinds:
                self._gauges.setdefault(kind, []).append(gauge)

    @property
    def kinds(self) -> frozenset[type[Payload]]:
        """The events that it has to be shown; all others change nothing."""
        return frozenset({*self._gauges, *self._conditions.kinds, RunFinished})

    def take(self, seen: Seen) -> list[Change]:
        """One event, in the order of the log."""
        changes: list[Change] = self._conditions.take(seen)
        for gauge in self._gauges.get(type(seen.payload), ()):
            for measured in gauge.take(seen):
                changes += self._holding.weigh(measured)
        if isinstance(seen.payload, RunFinished):
            changes += self._holding.clear_all(seen.event.event_time, seen.event.id)
        return changes

    def measure(self, measured: Measured) -> list[Change]:
        """A figure that no event holds: of the disk, the jobs, the channels."""
        return [*self._holding.weigh(measured)]

    def standing(self) -> tuple[Raised, ...]:
        """The alerts that hold now."""
        return self._holding.standing()
