"""Regime, drawdown and volatility only ever tighten, within the bounds of the file."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.instruments import AssetClass
from parley.domain.views import Regime
from parley.gate.dynamic import SCALED, SCALED_TABLES, dynamic_limits, tightening_factor
from parley.gate.limits import load_limits

LIMITS = load_limits()
FEW = settings(max_examples=60, deadline=None)
regimes = st.sampled_from(list(Regime))
numbers = st.floats(-1, 5, allow_nan=False)


def test_a_calm_market_without_a_drawdown_leaves_the_limits_as_they_are() -> None:
    assert dynamic_limits(LIMITS, Regime.CALM, 0.05, 1.5) is LIMITS


@pytest.mark.parametrize(
    ("regime", "drawdown", "ratio", "factor"),
    [
        (Regime.STRESSED, 0.0, 1.0, 0.8),
        (Regime.CRISIS, 0.0, 1.0, 0.6),
        (Regime.UNKNOWN, 0.0, 1.0, 0.8),
        (Regime.CALM, 0.075, 1.0, 0.75),
        (Regime.CALM, 0.10, 1.0, 0.5),
        (Regime.CALM, 0.0, 2.0, 0.75),
        (Regime.CALM, 0.0, 30.0, 0.5),
        (Regime.CRISIS, 0.09, 2.0, 0.6),
        (Regime.CALM, math.nan, 1.0, 0.5),
        (Regime.CALM, 0.0, None, 0.5),
        (Regime.CALM, 0.0, math.nan, 0.5),
        (Regime.CALM, 0.0, math.inf, 0.5),
        (Regime.CALM, 0.0, -1.0, 0.5),
    ],
)
def test_the_strictest_reason_counts_and_what_is_not_known_is_the_worst(
    regime: Regime, drawdown: float, ratio: float | None, factor: float
) -> None:
    assert float(tightening_factor(LIMITS.dynamic, regime, drawdown, ratio)) == factor
    tight = dynamic_limits(LIMITS, regime, drawdown, ratio)

    assert tight.max_gross == factor
    assert tight.max_instrument_weight.stock == pytest.approx(0.1 * factor)
    assert tight.hash() != LIMITS.hash()


@given(regimes, numbers, st.none() | numbers, st.floats(0, 2), st.floats(0, 1))
@FEW
def test_no_figures_ever_loosen_a_limit(
    regime: Regime, drawdown: float, ratio: float | None, gross: float, weight: float
) -> None:
    base = LIMITS.tighten(
        max_gross=min(gross, 1.0), max_instrument_weight={"stock": min(weight, 0.1)}, dynamic={"crisis": 0.1}
    )

    tight = dynamic_limits(base, regime, drawdown, ratio)

    # tighten() itself refuses to loosen; that it took the result proves the direction.
    assert base.tighten(**{name: getattr(tight, name) for name in SCALED}).max_gross == tight.max_gross
    for name in SCALED_TABLES:
        assert all(getattr(tight, name).of(item) <= getattr(base, name).of(item) for item in AssetClass)
    assert tight.max_gross >= base.max_gross * base.dynamic.smallest_factor * (1 - 1e-12)


@given(regimes, numbers, numbers, numbers, numbers)
@FEW
def test_a_deeper_drawdown_and_a_wilder_market_never_give_more_room(
    regime: Regime, drawdown: float, deeper: float, ratio: float, wilder: float
) -> None:
    bounds = LIMITS.dynamic
    first = tightening_factor(bounds, regime, drawdown, abs(ratio))
    second = tightening_factor(bounds, regime, max(drawdown, deeper), max(abs(ratio), abs(wilder)))

    assert bounds.smallest_factor <= second <= first <= 1


def test_a_plan_that_passes_in_a_calm_market_is_too_much_in_a_crisis(bench: Any) -> None:
    plan = bench.plan(bench.leg("AAA", "BUY", 80))

    assert bench.failed(plan) == set()
    assert bench.failed(plan, limits=dynamic_limits(bench.limits, Regime.CRISIS, 0.0, 1.0)) == {"instrument_weight"}
