"""Where each circuit breaker trips, where it may be armed again, and what it does: read once and frozen."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ..domain.model import Model
from ..domain.trading import TradingState

Action = Literal["alert", "reduce", "halt", "flatten"]
"""alert: tell a person; reduce: only take risk off; halt: nothing new; flatten: reduce, and sell what is held."""

STATE_OF: dict[Action, TradingState] = {
    "reduce": TradingState.REDUCING,
    "halt": TradingState.HALTED,
    "flatten": TradingState.REDUCING,
}
"""What each action makes of the scope; an alert leaves it as it is."""

Level = Annotated[float, Field(ge=0)]


class Rule(Model):
    """A breaker whose figure must not rise above `trip`; a person may arm it again at or below `rearm`."""

    trip: Level
    rearm: Level
    action: Action

    @model_validator(mode="after")
    def _is_a_band(self) -> Self:
        if self.rearm > self.trip:
            raise ValueError(f"rearm {self.rearm} is above trip {self.trip}: it could be armed while it trips")
        return self


class FloorRule(Model):
    """A breaker whose figure must not fall below `trip`; a person may arm it again at or above `rearm`."""

    trip: Level
    rearm: Level
    action: Action

    @model_validator(mode="after")
    def _is_a_band(self) -> Self:
        if self.rearm < self.trip:
            raise ValueError(f"rearm {self.rearm} is below trip {self.trip}: it could be armed while it trips")
        return self


class BreakerRules(Model):
    """All breakers. The first four levels are the design document's; each of the others says its origin."""

    daily_loss: Rule = Rule(trip=0.02, rearm=0.015, action="reduce")
    concentration: Rule = Rule(trip=1.0, rearm=0.95, action="reduce")
    """The largest position as a share of what the limits file allows its asset class (10 % for a stock)."""
    correlation: Rule = Rule(trip=0.8, rearm=0.7, action="reduce")
    confidence: FloorRule = FloorRule(trip=0.3, rearm=0.35, action="alert")
    """Mean confidence of a decision's signals that take a side; low confidence makes the desk small by itself."""
    drawdown_alert: Rule = Rule(trip=0.05, rearm=0.04, action="alert")
    drawdown: Rule = Rule(trip=0.10, rearm=0.08, action="halt")
    reject_rate: Rule = Rule(trip=0.25, rearm=0.10, action="halt")
    """Of a session's orders, counted from the tenth on: a venue that refuses a quarter knows more than we."""
    slippage: Rule = Rule(trip=50.0, rearm=25.0, action="reduce")
    """Basis points paid beyond what the plan expected, over a session's fills: twice the desk's cost budget."""
    stale_data: Rule = Rule(trip=300.0, rearm=60.0, action="reduce")
    """Seconds since the oldest quote of what is worked; the gate itself refuses orders far earlier."""
    drift: Rule = Rule(trip=0.0, rearm=0.0, action="halt")
    """Differences with the venue's book that nothing explains: one is too many."""
    unresolved: Rule = Rule(trip=0.0, rearm=0.0, action="reduce")
    """Orders whose outcome is unknown yet, after the venue was asked: a line that is down carries no new risk."""
    unacknowledged: Rule = Rule(trip=0.0, rearm=0.0, action="halt")
    """Critical notifications nobody has acknowledged when a session opens (Knight Capital had 97)."""


USUAL_RULES = BreakerRules()
