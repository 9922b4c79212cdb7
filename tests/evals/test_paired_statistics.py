"""Paired differences and calibration on trials whose answer is known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.orders import Side
from parley.evals.paired_execution import Trial
from parley.evals.paired_statistics import calibration, paired
from parley.quant.errors import SampleError

OPEN = datetime(2013, 10, 7, 14, tzinfo=UTC)


def trial(window: int = 0, side: Side = Side.BUY, arm: str = "TWAP", **changes: Any) -> Trial:
    values: dict[str, Any] = {
        "kind": "minute quotes",
        "symbol": "AAA",
        "window": OPEN + timedelta(hours=window),
        "side": side,
        "notional": 100_000,
        "arm": arm,
        "predicted_bps": 4.0,
        "predicted_std_bps": 10.0,
        "predicted_spread_bps": 1.0,
        "predicted_impact_bps": 2.0,
        "cost_bps": 4.0,
        "spread_bps": 1.0,
        "impact_bps": 0.0,
        "filled_frac": 1.0,
        "children": 12,
        "denied": 0,
        "failed_checks": (),
        "usual_kappa_span": 0.1,
        "tier": "T1",
    }
    return Trial(**{**values, **changes})


def test_a_constant_gain_on_twap_is_found_whatever_the_market_did() -> None:
    drift = np.random.default_rng(1).normal(0, 50, 12)
    found = [
        trial(window, side, arm, cost_bps=side.sign * drift[window] + (3.0 if arm == "TWAP" else 1.0))
        for window in range(12)
        for side in Side
        for arm in ("TWAP", "VWAP")
    ]

    row = paired(found, "VWAP")

    assert row.difference_bps.value == pytest.approx(-2.0)
    assert (row.difference_bps.interval.low, row.difference_bps.interval.high) == pytest.approx((-2.0, -2.0))
    assert row.difference_bps.is_clear
    assert (row.orders, row.windows, row.better_frac) == (24, 12, 1.0)


def test_a_difference_is_taken_to_the_same_symbol_window_side_and_size_only() -> None:
    found = [
        trial(window, side, arm, symbol=symbol, notional=size, cost_bps=base + (0.5 if arm == "IS" else 0.0))
        for window in range(3)
        for side in Side
        for symbol, size, base in (("AAA", 100_000, 1.0), ("AAA", 1_000_000, 9.0), ("BBB", 100_000, 30.0))
        for arm in ("TWAP", "IS")
    ]

    assert paired(found[::-1], "IS").difference_bps.interval.high == pytest.approx(0.5)


def test_a_difference_that_comes_and_goes_with_the_windows_is_not_clear() -> None:
    found = [
        trial(window, arm=arm, cost_bps=(5.0 if window % 2 else -4.0) * (arm == "POV"))
        for window in range(12)
        for arm in ("TWAP", "POV")
    ]

    row = paired(found, "POV")

    assert row.difference_bps.value == pytest.approx(0.5)
    assert not row.difference_bps.is_clear


def test_windows_with_more_orders_weigh_more() -> None:
    many = [
        trial(0, arm=arm, symbol=f"S{place}", cost_bps=1.0 * (arm == "IS"))
        for place in range(9)
        for arm in ("TWAP", "IS")
    ]
    one = [trial(1, arm=arm, cost_bps=11.0 * (arm == "IS")) for arm in ("TWAP", "IS")]

    assert paired([*many, *one], "IS").difference_bps.value == pytest.approx(2.0)


def predicted(slope: float, offset: float, noise: float = 0.0, n_windows: int = 12) -> list[Trial]:
    """Costs on a line over their predictions, with a drift that both sides share."""
    rng = np.random.default_rng(4)
    rows: list[Trial] = []
    for window in range(n_windows):
        drift = float(rng.normal(0, 5))
        for place, symbol in enumerate("ABC"):
            expected = 2.0 + 3.0 * place + window % 3
            came = offset + slope * expected + noise * float(rng.normal())
            for side in Side:
                cost = came + side.sign * drift
                rows.append(trial(window, side, symbol=symbol, predicted_bps=expected, cost_bps=cost,
                                  predicted_spread_bps=expected / 2, spread_bps=came / 2))  # fmt: skip
    return rows


@pytest.mark.parametrize(("slope", "offset"), [(1.0, 0.0), (0.4, 1.0), (0.0, 3.0), (-1.0, 20.0)])
def test_the_slope_and_the_gap_are_those_that_were_put_in(slope: float, offset: float) -> None:
    found = predicted(slope, offset)

    row = calibration(found)

    assert row.slope.value == pytest.approx(slope, abs=1e-9)
    assert (row.slope.interval.low, row.slope.interval.high) == pytest.approx((slope, slope), abs=1e-9)
    assert row.spread_slope is not None and row.spread_slope.value == pytest.approx(slope, abs=1e-9)
    assert row.missed_bps.value == pytest.approx(row.realised_bps - row.predicted_bps)
    assert row.spread_missed_bps.value == pytest.approx(row.missed_bps.value / 2)


def test_the_slope_is_least_squares_as_numpy_has_it() -> None:
    found = predicted(0.7, 1.0, noise=2.0)
    buys = {(item.symbol, item.window): item for item in found if item.side is Side.BUY}
    sells = {(item.symbol, item.window): item for item in found if item.side is Side.SELL}

    x = [item.predicted_bps for item in buys.values()]
    y = [(item.cost_bps + sells[name].cost_bps) / 2 for name, item in buys.items()]

    assert calibration(found).slope.value == pytest.approx(np.polyfit(x, y, 1)[0])


def test_a_band_of_normal_costs_covers_about_95_percent_and_one_of_half_the_width_about_two_thirds() -> None:
    rng = np.random.default_rng(2)
    found = [
        trial(
            window,
            side,
            symbol=f"S{place}",
            cost_bps=4.0 + 10.0 * float(rng.normal()),
            predicted_bps=4.0 + place / 99,
            predicted_spread_bps=1.0 + place,
        )
        for window in range(40)
        for place in range(20)
        for side in Side
    ]

    assert calibration(found).covered.value == pytest.approx(0.95, abs=0.02)
    narrow = [replace(item, predicted_std_bps=5.0) for item in found]
    assert calibration(narrow).covered.value == pytest.approx(0.673, abs=0.04)


def test_one_symbol_has_one_spread_and_so_no_slope_of_it() -> None:
    found = [
        trial(window, side, notional=size, predicted_bps=3.0 + size)
        for window in range(4)
        for side in Side
        for size in (1, 2)
    ]

    assert calibration(found).spread_slope is None


def test_predictions_that_are_all_alike_have_no_slope_and_are_refused() -> None:
    with pytest.raises(SampleError, match="NaN"):
        calibration([trial(window, side) for window in range(4) for side in Side])


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-50, 50), min_size=3, max_size=12), st.floats(-5, 5))
def test_an_interval_moves_with_the_costs_and_the_order_of_trials_does_not_matter(
    gaps: list[float], shift: float
) -> None:
    def rows(extra: float) -> list[Trial]:
        return [
            trial(window, arm=arm, cost_bps=(gap + extra) * (arm == "IS"))
            for window, gap in enumerate(gaps)
            for arm in ("TWAP", "IS")
        ]

    here, there = paired(rows(0.0), "IS").difference_bps, paired(rows(shift)[::-1], "IS").difference_bps

    assert there.value == pytest.approx(here.value + shift, abs=1e-9)
    assert there.interval.low == pytest.approx(here.interval.low + shift, abs=1e-9)
    assert here.interval.low <= here.value + 1e-9 and here.value - 1e-9 <= here.interval.high
