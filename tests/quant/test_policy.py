"""The default policy: its factors by hand, its refusals, and thirty-one recorded years."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.performance import summarize
from parley.quant.policy import (
    NeutralParams,
    PolicyParams,
    exposure,
    neutral_book,
    rebalance_needed,
    reference_book,
    vix_regime,
)

QUIET = np.tile([[0.001], [-0.001]], (126, 1))
"""252 days of exactly 0.1 %: an annual volatility of 0.001 * sqrt(252) = 1.587 %."""
BOOK = np.ones(1)


def test_one_class_is_held_in_equal_weights() -> None:
    returns = np.random.default_rng(1).normal(0.0, 0.01, (252, 4))

    np.testing.assert_allclose(reference_book(returns, ["stock"] * 4), 0.25)


def test_two_classes_are_held_in_inverse_volatility() -> None:
    returns = np.column_stack([QUIET, QUIET, 3.0 * QUIET])

    book = reference_book(returns, ["bond", "bond", "stock"])

    np.testing.assert_allclose(book, [0.375, 0.375, 0.25], rtol=1e-12)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.permutations(range(6)))
def test_the_reference_book_sums_to_one_and_follows_its_names(seed: int, order: list[int]) -> None:
    returns = np.random.default_rng(seed).normal(0.0, 0.01, (252, 6))
    classes = ["stock", "stock", "bond", "stock", "gold", "bond"]

    book = reference_book(returns, classes)
    moved = reference_book(returns[:, order], [classes[each] for each in order])

    assert book.sum() == pytest.approx(1.0)
    assert book.min() > 0.0
    np.testing.assert_allclose(moved, book[order], rtol=1e-9)


def test_exposure_multiplies_volatility_vix_and_drawdown_factors() -> None:
    # Volatility 15.87 %, VIX 40, drawdown 6 %: 0.06 / 0.1587 * 0.5 * (0.08 - 0.06) / 0.04.
    found = exposure(BOOK, 10.0 * QUIET, vix=40.0, equity=94.0, peak=100.0)

    assert found.vol_forecast == pytest.approx(0.01 * 252**0.5)
    assert found.k_vol == pytest.approx(0.06 / found.vol_forecast)
    assert found.k_vix == 0.5
    assert found.drawdown == pytest.approx(0.06)
    assert found.k_dd == pytest.approx(0.5)
    assert found.multiplier == pytest.approx(found.k_vol * 0.5 * 0.5)


def test_a_calm_book_is_capped_by_gross_and_never_levered_in_a_cash_account() -> None:
    found = exposure(BOOK, QUIET, vix=None, equity=100.0, peak=100.0)

    assert found.multiplier == 1.0
    assert exposure(BOOK, QUIET, None, 100.0, 100.0, PolicyParams(max_gross=1.5)).multiplier == 1.5


def test_the_larger_of_the_fast_and_slow_volatility_counts() -> None:
    spike, calm = QUIET.copy(), 5.0 * QUIET
    spike[-5:] *= 20.0
    calm[-20:] /= 5.0
    params = PolicyParams()

    for returns in (spike, calm):
        slow_only = replace(params, half_life_fast_days=33.0)
        fast_only = replace(params, half_life_slow_days=10.0)
        both = exposure(BOOK, returns, None, 1.0, 1.0, params).vol_forecast
        each = [exposure(BOOK, returns, None, 1.0, 1.0, p).vol_forecast for p in (slow_only, fast_only)]
        assert both == pytest.approx(max(each))


@pytest.mark.parametrize(("drawdown", "k_dd"), [(0.0, 1.0), (0.04, 1.0), (0.06, 0.5), (0.076, 0.1), (0.5, 0.1)])
def test_the_throttle_is_full_to_four_percent_and_a_tenth_at_eight(drawdown: float, k_dd: float) -> None:
    assert exposure(BOOK, QUIET, None, 1.0 - drawdown, 1.0).k_dd == pytest.approx(k_dd)


@settings(deadline=None, max_examples=50)
@given(st.floats(5.0, 90.0), st.floats(0.5, 1.0), st.floats(0.1, 10.0))
def test_more_fear_more_loss_or_more_volatility_never_means_more_exposure(
    vix: float, equity: float, size: float
) -> None:
    found = exposure(BOOK, size * QUIET, vix, equity, 1.0).multiplier

    assert exposure(BOOK, size * QUIET, vix * 1.1, equity, 1.0).multiplier <= found
    assert exposure(BOOK, size * QUIET, vix, equity * 0.99, 1.0).multiplier <= found
    assert exposure(BOOK, size * 1.1 * QUIET, vix, equity, 1.0).multiplier <= found
    assert found <= 1.0


def test_a_peak_below_todays_equity_is_no_drawdown() -> None:
    assert exposure(BOOK, QUIET, None, equity=110.0, peak=100.0).drawdown == 0.0


@pytest.mark.parametrize("where", ["returns", "weights", "vix", "equity", "peak"])
def test_a_nan_anywhere_is_refused(where: str) -> None:
    def value(name: str, whole: float) -> float:
        return np.nan if name == where else whole

    returns, weights = QUIET.copy(), BOOK.copy()
    returns[7, 0] = value("returns", 0.001)
    weights[0] = value("weights", 1.0)

    with pytest.raises(SampleError, match="NaN"):
        exposure(weights, returns, value("vix", 20.0), value("equity", 1.0), value("peak", 1.0))


def test_the_band_trades_only_past_a_fifth_of_the_gross_target() -> None:
    target = np.array([0.5, 0.3])

    assert not rebalance_needed(target, np.array([0.5, 0.14]), 0.20)
    assert rebalance_needed(target, np.array([0.5, 0.13]), 0.20)
    assert not rebalance_needed(np.zeros(2), np.array([0.01, 0.01]), 0.20)
    with pytest.raises(SampleError):
        rebalance_needed(target, np.array([np.nan, 0.1]), 0.20)


@pytest.mark.parametrize(("vix", "label"), [(12.0, "calm"), (20.0, "stressed"), (30.0, "stressed"), (30.1, "crisis")])
def test_vix_labels_follow_the_policys_bounds(vix: float, label: str) -> None:
    assert vix_regime(vix) == label


def test_the_name_cap_leaves_small_classes_room_to_be_filled() -> None:
    assert [PolicyParams().name_cap(n) for n in (1, 2, 5, 20)] == [1.0, 1.0, 0.4, 0.15]


@pytest.mark.parametrize(
    "changes",
    [{"vol_target": 0.0}, {"dd_limit": 8.0}, {"dd_start": 1.0}, {"dd_floor": -0.1}, {"band": -1.0}, {"cap": 0.0}],
)
def test_parameters_that_mean_nothing_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ParameterError):
        PolicyParams(**changes)


def test_unusable_books_are_refused() -> None:
    with pytest.raises(ShapeError):
        reference_book(QUIET, ["stock", "bond"])
    with pytest.raises(SampleError, match="never moved"):
        reference_book(np.column_stack([QUIET, np.zeros(252)]), ["stock", "cash"])
    with pytest.raises(ParameterError):
        exposure(BOOK, QUIET, vix=None, equity=0.0, peak=1.0)


def test_the_policy_on_the_us_market_repeats_the_study_of_1992_to_2022(recorded_data: Path) -> None:
    # Strategy study, section 4, "default, market only", 7 bp, filled one close late, leverage never used:
    # Sharpe .51, net 4.7 % a year, maximum drawdown 7.5 %.
    import pandas as pd

    factors = pd.read_parquet(recorded_data / "factors/fama_french_daily_1926_2024.parquet")
    index = pd.read_parquet(recorded_data / "factors/vix_daily_1990_2024.parquet")
    days = factors["date"].to_numpy().astype("datetime64[D]")
    kept = (days >= np.datetime64("1990-01-02")) & (days <= np.datetime64("2022-12-31"))
    days, cash = days[kept], factors["RF"].to_numpy()[kept]
    market = factors["Mkt-RF"].to_numpy()[kept] + cash
    latest = np.searchsorted(index["date"].to_numpy().astype("datetime64[D]"), days, side="right") - 1
    vix = index["close"].to_numpy()[latest]
    first = int((days < np.datetime64("1992-01-01")).sum())

    equity = _market_only_equity(market, cash, vix, first)

    found = summarize(equity, cash[first:])
    assert found.sharpe == pytest.approx(0.51, abs=0.01)
    assert found.annual_return == pytest.approx(0.047, abs=0.001)
    assert found.max_drawdown == pytest.approx(0.075, abs=0.001)


def _market_only_equity(market: np.ndarray, cash: np.ndarray, vix: np.ndarray, first: int) -> np.ndarray:
    """Net equity from ``first`` on: decide at close t, fill at close t+1, 7 bp per unit traded."""
    params = PolicyParams()
    held, pending, equity, peak = 0.0, None, 1.0, 1.0
    path = []
    for t in range(400, len(market)):
        gain = held * market[t] + (1.0 - held) * cash[t]
        held *= (1.0 + market[t]) / (1.0 + gain)
        equity *= 1.0 + gain
        if pending is not None:
            equity *= 1.0 - 7e-4 * abs(pending - held)
            held = pending
        peak = max(peak, equity)
        scale = exposure(BOOK, market[t - 251 : t + 1, None], float(vix[t]), equity, peak, params)
        target = np.array([scale.multiplier])
        pending = scale.multiplier if rebalance_needed(target, np.array([held]), params.band) else None
        path.append(equity)
    return np.array(path[first - 1 - 400 :])


def test_a_neutral_book_is_long_what_rose_before_the_last_month_and_short_what_fell() -> None:
    days = np.zeros((252, 6))
    days[:200] = [0.003, 0.002, 0.001, 0.0, -0.001, -0.002]
    # The last month says the opposite, and does not count.
    days[-21:] = [-0.05, -0.05, 0.0, 0.0, 0.05, 0.05]

    book = neutral_book(days)

    np.testing.assert_allclose(book, [0.25, 0.25, 0.0, 0.0, -0.25, -0.25])


@given(st.integers(2, 12), st.integers(0, 5), st.sampled_from([0.1, 1 / 3, 0.5]))
@settings(max_examples=30, deadline=None)
def test_a_neutral_book_nets_to_nothing_and_no_name_is_on_both_sides(n_names: int, seed: int, side: float) -> None:
    book = neutral_book(np.random.default_rng(seed).normal(0.0, 0.01, (252, n_names)), side)

    assert abs(book.sum()) < 1e-12
    assert abs(np.abs(book).sum() - 1.0) < 1e-12
    assert (book > 0).sum() == (book < 0).sum() == max(int(side * n_names), 1)


def test_a_neutral_book_needs_two_names_and_a_time_before_the_last_month() -> None:
    for returns in (np.zeros((252, 1)), np.zeros((21, 4))):
        with pytest.raises(SampleError, match="of at least 2"):
            neutral_book(returns)
    with pytest.raises(ParameterError, match="side_frac"):
        neutral_book(np.zeros((252, 4)), 0.6)
    with pytest.raises(ParameterError, match="side_frac"):
        NeutralParams(side_frac=0.0)
    with pytest.raises(ParameterError, match="vol_target"):
        NeutralParams(vol_target=0.0)
