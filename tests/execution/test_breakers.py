"""The breakers' table: what each measures, where it trips, and that no figure slips through as NaN."""

import math
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.trading import Scope
from parley.execution.breaker_rules import USUAL_RULES, BreakerRules, FloorRule, Rule
from parley.execution.breakers import BREAKERS, DayFacts, Gauge, is_back, rule_of, trips
from parley.execution.watching import Reading
from pydantic import ValidationError

NOW = datetime(2022, 3, 1, 15, tzinfo=UTC)
READING = Reading(NOW, Decimal(97_000), {"AAA": Decimal(12_000)}, 20, 3, 0, 1, 30.0, 10.0, 7.0)
DAY = DayFacts(100_000.0, 110_000.0, {"AAA": 0.10, "FND": 0.60}, 0.85, 0.25)
GAUGE = Gauge(READING, DAY, 2, 1)


def measured(name: str, gauge: Gauge = GAUGE) -> list[float]:
    return [figure.value for breaker in BREAKERS if breaker.name == name for figure in breaker.measure(gauge)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("daily_loss", 0.03),
        ("drawdown", 1 - 97 / 110),
        ("drawdown_alert", 1 - 97 / 110),
        ("concentration", 12 / 97 / 0.10),
        ("correlation", 0.85),
        ("confidence", 0.25),
        ("reject_rate", 3 / 20),
        ("slippage", 20.0),
        ("stale_data", 7.0),
        ("drift", 2.0),
        ("unresolved", 1.0),
        ("unacknowledged", 1.0),
    ],
)
def test_each_breaker_measures_its_own_figure(name: str, value: float) -> None:
    assert measured(name) == pytest.approx([value])


def test_every_breaker_has_a_rule_and_every_rule_a_breaker() -> None:
    names = [breaker.name for breaker in BREAKERS]

    assert sorted(names) == sorted(BreakerRules.model_fields)
    assert len(set(names)) == len(names)


def test_the_document_s_levels_are_the_defaults() -> None:
    rules = USUAL_RULES

    assert (rules.daily_loss.trip, rules.correlation.trip, rules.confidence.trip) == (0.02, 0.8, 0.3)
    # 10 % of equity in one company: the figure is a share of that limit.
    assert rules.concentration.trip == 1.0
    assert (rules.drawdown_alert.trip, rules.drawdown_alert.action) == (0.05, "alert")
    assert (rules.drawdown.trip, rules.drawdown.action) == (0.10, "halt")


def test_a_fund_may_be_a_larger_share_than_a_stock() -> None:
    values = {"AAA": Decimal(9_000), "FND": Decimal(50_000)}
    gauge = replace(GAUGE, reading=READING._replace(values=values))

    found = {
        figure.scope.name: figure.value for b in BREAKERS if b.name == "concentration" for figure in b.measure(gauge)
    }

    assert found == pytest.approx({"AAA": 9 / 97 / 0.1, "FND": 50 / 97 / 0.6})
    assert not any(trips(USUAL_RULES.concentration, value) for value in found.values())


def test_what_nobody_knows_trips_nothing() -> None:
    quiet = Reading(NOW, Decimal(100), {}, 0, 0, 0, 0, None, None, None)
    gauge = Gauge(quiet, DayFacts(100.0, 100.0))

    tripped = [b.name for b in BREAKERS for f in b.measure(gauge) if trips(rule_of(USUAL_RULES, b.name), f.value)]

    assert tripped == []


def test_a_rate_of_few_orders_is_none() -> None:
    assert measured("reject_rate", replace(GAUGE, reading=READING._replace(sent=9, rejected=9))) == []


@pytest.mark.parametrize("equity", [Decimal("NaN"), Decimal(0), Decimal(-5)])
def test_an_equity_that_is_none_trips_the_losses_and_the_concentration(equity: Decimal) -> None:
    gauge = replace(GAUGE, reading=READING._replace(equity=equity))

    for name in ("daily_loss", "drawdown", "concentration"):
        assert any(trips(rule_of(USUAL_RULES, name), value) for value in measured(name, gauge)), name


@settings(max_examples=50, deadline=None)
@given(st.floats(allow_nan=True), st.floats(0, 10), st.floats(0, 10))
def test_what_is_back_does_not_trip_and_nan_is_never_back(value: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    ceiling, floor = Rule(trip=high, rearm=low, action="halt"), FloorRule(trip=low, rearm=high, action="halt")

    for rule in (ceiling, floor):
        assert not (is_back(rule, value) and trips(rule, value))
        if math.isnan(value):
            assert trips(rule, value)


def test_a_band_the_wrong_way_round_is_refused() -> None:
    with pytest.raises(ValidationError, match="armed while it trips"):
        Rule(trip=0.02, rearm=0.03, action="halt")
    with pytest.raises(ValidationError, match="armed while it trips"):
        FloorRule(trip=0.3, rearm=0.2, action="alert")
    with pytest.raises(ValidationError):
        Rule(trip=float("nan"), rearm=0.0, action="halt")


def test_a_concentration_is_about_its_own_name() -> None:
    figures = [figure for breaker in BREAKERS if breaker.name == "concentration" for figure in breaker.measure(GAUGE)]

    assert [figure.scope for figure in figures] == [Scope(kind="instrument", name="AAA")]
