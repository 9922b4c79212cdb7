"""The circuit breakers: each a small pure rule from what is seen to one figure, in one table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from ..domain.levels import BREAKER_UNITS, Unit, measured_text
from ..domain.trading import ACCOUNT, Scope
from .breaker_rules import BreakerRules, FloorRule, Rule
from .watching import Reading

MIN_ORDERS = 10
"""Fewer orders than this are no rate."""


@dataclass(frozen=True, slots=True)
class DayFacts:
    """What is fixed while a session runs. None is what nobody knows, and trips nothing.

    Equities in money; `max_weights` is each instrument's limit as a fraction of equity, `correlation` the mean
    pairwise one of what is held, `confidence` the mean of the last decision's signals, from 0 to 1.
    """

    previous_equity: float
    peak_equity: float
    max_weights: Mapping[str, float] = field(default_factory=dict[str, float])
    correlation: float | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Gauge:
    """All that a breaker may look at: this moment, this day, and what a person still has to look into."""

    reading: Reading
    day: DayFacts
    unexplained: int = 0
    unacknowledged: int = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """What a breaker measured, and which part of the desk it is about."""

    value: float
    scope: Scope = ACCOUNT


@dataclass(frozen=True, slots=True)
class Breaker:
    """One rule of the table; its name is its field in BreakerRules."""

    name: str
    what: str
    measure: Callable[[Gauge], list[Figure]]
    at_open_only: bool = False
    fades: bool = False
    """A day on which nothing of it is measured has none of it: a new session's orders, a name that was sold."""
    each_second: bool = False
    """It goes through every name: it is judged at the first reading of each second of market time only."""

    @property
    def unit(self) -> Unit:
        return BREAKER_UNITS[self.name]


def daily_loss(gauge: Gauge) -> list[Figure]:
    return _loss(float(gauge.reading.equity), gauge.day.previous_equity)


def drawdown(gauge: Gauge) -> list[Figure]:
    return _loss(float(gauge.reading.equity), gauge.day.peak_equity)


def concentration(gauge: Gauge) -> list[Figure]:
    """One figure for each held name, so that only the name that is too large is restricted."""
    equity = float(gauge.reading.equity)
    if not equity > 0:
        return [Figure(float("inf"))] if gauge.reading.values else []
    return [
        Figure(abs(float(value)) / equity / limit if limit > 0 else float("inf"), _instrument(symbol))
        for symbol, value in sorted(gauge.reading.values.items())
        if value and (limit := gauge.day.max_weights.get(symbol)) is not None
    ]


def correlation(gauge: Gauge) -> list[Figure]:
    return _known(gauge.day.correlation)


def confidence(gauge: Gauge) -> list[Figure]:
    return _known(gauge.day.confidence)


def reject_rate(gauge: Gauge) -> list[Figure]:
    sent = gauge.reading.sent
    return [Figure(gauge.reading.rejected / sent)] if sent >= MIN_ORDERS else []


def slippage(gauge: Gauge) -> list[Figure]:
    paid, expected = gauge.reading.slippage_bps, gauge.reading.expected_bps
    return [] if paid is None or expected is None else [Figure(paid - expected)]


def stale_data(gauge: Gauge) -> list[Figure]:
    return _known(gauge.reading.oldest_quote_age_s)


def drift(gauge: Gauge) -> list[Figure]:
    return [Figure(float(gauge.unexplained))]


def unresolved(gauge: Gauge) -> list[Figure]:
    return [Figure(float(gauge.reading.unresolved))]


def unacknowledged(gauge: Gauge) -> list[Figure]:
    return [Figure(float(gauge.unacknowledged))]


BREAKERS: tuple[Breaker, ...] = (
    Breaker("daily_loss", "loss since the last close", daily_loss),
    Breaker(
        "concentration",
        "share of its limit one name has reached",
        concentration,
        fades=True,
        each_second=True,
    ),
    Breaker("correlation", "mean pairwise correlation of what is held", correlation),
    Breaker("confidence", "mean confidence of the signals", confidence),
    Breaker("drawdown_alert", "loss since the peak", drawdown),
    Breaker("drawdown", "loss since the peak", drawdown),
    Breaker("reject_rate", "share of the session's orders that the venue refused", reject_rate, fades=True),
    Breaker("slippage", "paid beyond what was expected", slippage, fades=True),
    Breaker("stale_data", "age of the oldest quote", stale_data, fades=True),
    Breaker("drift", "differences with the venue that nothing explains", drift),
    Breaker("unresolved", "orders whose outcome is unknown yet, the venue having been asked", unresolved),
    Breaker("unacknowledged", "critical notifications nobody acknowledged", unacknowledged, at_open_only=True),
)


def rule_of(rules: BreakerRules, name: str) -> Rule | FloorRule:
    return getattr(rules, name)


def trips(rule: Rule | FloorRule, value: float) -> bool:
    """Past the level. NaN is past every level: what can't be measured is not fine."""
    return not (value >= rule.trip if isinstance(rule, FloorRule) else value <= rule.trip)


def is_back(rule: Rule | FloorRule, value: float) -> bool:
    """Far enough inside the level to be armed again."""
    return value >= rule.rearm if isinstance(rule, FloorRule) else value <= rule.rearm


def outside_band_text(rules: BreakerRules, name: str, tripped: float | None, now: float | None) -> str:
    """Why it is not armed again yet; None is a figure that was not finite when it tripped, or is not known now."""
    unit, rearm = BREAKER_UNITS[name], rule_of(rules, name).rearm
    at = "no finite figure" if tripped is None else measured_text(tripped, unit)
    seen = "not known now" if now is None else f"{measured_text(now, unit)} now"
    return f"{name} tripped at {at} and is {seen}; it may be armed at {measured_text(rearm, unit)}"


def _loss(equity: float, before: float) -> list[Figure]:
    return [Figure(1.0 - equity / before)] if before > 0 else []


@cache
def _instrument(symbol: str) -> Scope:
    """One object a name: its figure is measured at every moment."""
    return Scope(kind="instrument", name=symbol)


def _known(value: float | None) -> list[Figure]:
    return [] if value is None else [Figure(value)]
