"""Books that should revert: hedge ratios by hand, residuals orthogonal to what they leave out, and bands that trade."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.reversion import OuBand, OuProcess, best_band, fit_ou
from parley.quant.spreads import (
    cointegration_critical_t,
    half_life_interval,
    pair_weights,
    residual_weights,
    spread_paths,
    trade_band,
)

BAND = OuBand(entry=-1.0, exit=1.0, cycle_days=10.0, return_per_year=1.0)


def _returns(seed: int, n_days: int = 300, n_names: int = 8) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(0.0, 0.008, (n_days, 1)) + rng.normal(0.0, 0.01, (n_days, n_names))


def test_a_pair_that_moves_two_for_one_is_hedged_two_for_one() -> None:
    right = np.random.default_rng(1).normal(0.0, 0.01, 200)

    assert pair_weights(2.0 * right, right) == pytest.approx((1.0 / 3.0, -2.0 / 3.0))


def test_names_that_move_apart_are_no_pair() -> None:
    right = np.random.default_rng(1).normal(0.0, 0.01, 200)

    with pytest.raises(SampleError, match=r"slope on it is -1\.0"):
        pair_weights(-right, right)
    with pytest.raises(ShapeError):
        pair_weights(right[:-1], right)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_residual_books_are_orthogonal_to_the_components_and_of_gross_one(seed: int, n_components: int) -> None:
    returns = _returns(seed)

    books = residual_weights(returns, n_components)

    scaled = (returns - returns.mean(axis=0)) / returns.std(axis=0)
    vectors = np.linalg.svd(scaled, full_matrices=False)[2][:n_components]
    factors = returns @ (vectors / returns.std(axis=0)).T
    earned = returns @ books.T
    assert np.abs(books).sum(axis=1) == pytest.approx(np.ones(8))
    assert np.abs(factors.T @ earned).max() < 1e-9
    assert (np.diag(books) > 0.0).all()


def test_residuals_need_more_names_than_components() -> None:
    with pytest.raises(SampleError, match="found 3 names, expected more than 3"):
        residual_weights(_returns(1)[:, :3], 3)
    still = _returns(1)
    still[:, 2] = 0.0
    with pytest.raises(SampleError, match="column 2 never moves"):
        residual_weights(still, 2)


def test_the_critical_value_is_mackinnons_and_stricter_than_of_a_given_series(ou_path: Any) -> None:
    # MacKinnon (2010), table 2, N = 2 with a constant at 5 %: -3.33613 - 6.1101 / T - 6.823 / T^2.
    assert cointegration_critical_t(100) == pytest.approx(-3.33613 - 0.061101 - 0.0006823)
    path = ou_path(OuProcess(20.0, 0.0, 0.2), 0.0, 250, np.random.default_rng(3))
    assert cointegration_critical_t(250) < fit_ou(path).unit_root_critical_t


def test_the_half_life_interval_holds_the_truth_about_as_often_as_it_says(ou_path: Any) -> None:
    truth = OuProcess(30.0, 0.0, 0.2)
    rng = np.random.default_rng(11)
    inside = 0
    for _ in range(200):
        fit = fit_ou(ou_path(truth, 0.0, 1500, rng))
        low, high = half_life_interval(fit)
        inside += low <= truth.half_life_days <= (np.inf if high is None else high)
    # Binomial with p near .95: 200 draws leave .91 to .985 as three deviations.
    assert 0.90 <= inside / 200 <= 0.99


def test_a_half_life_without_an_upper_end_says_so(ou_path: Any) -> None:
    fit = fit_ou(ou_path(OuProcess(4.0, 0.0, 0.2), 0.0, 120, np.random.default_rng(2)), test_unit_root=False)

    low, high = half_life_interval(fit, 0.999)

    assert 0.0 < low < fit.process.half_life_days
    assert high is None
    with pytest.raises(ParameterError):
        half_life_interval(fit, 1.0)


def test_a_band_trades_at_the_close_after_the_touch_and_earns_from_the_day_after_that() -> None:
    path = np.array([0.0, -1.5, -0.5, 0.5, 1.5, 0.0, 0.0])
    moves = np.array([0.0, -1.5, 1.0, 1.0, 1.0, -1.5, 0.0])

    found = trade_band(path, moves, BAND, cost_frac=0.1)

    # Touched low on day 1, bought at the close of day 2, sold and reversed at day 5, closed on day 6.
    assert found.held.tolist() == [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, -1.0]
    assert found.gross.sum() == pytest.approx(1.0 + 1.0 - 1.5)
    assert found.traded == 1.0 + 2.0 + 1.0
    assert found.net.sum() == pytest.approx(0.5 - 0.4)
    assert found.entries == 2


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 200))
def test_what_a_band_does_never_depends_on_later_days(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    moves = rng.normal(0.0, 0.5, 220)
    whole = trade_band(np.cumsum(moves), moves, BAND, cost_frac=0.01)

    part = trade_band(np.cumsum(moves)[:cut], moves[:cut], BAND, cost_frac=0.01)

    assert part.gross.tolist() == whole.gross[:cut].tolist()
    # All but the last day, on which the shorter one closes what it holds.
    assert part.net[:-1].tolist() == whole.net[: cut - 1].tolist()
    assert whole.net.sum() <= whole.gross.sum()


def test_on_the_process_it_is_best_for_a_band_earns_about_what_it_promises(ou_path: Any) -> None:
    process = OuProcess(60.0, 0.0, 0.3)
    band = best_band(process, 0.004)
    path = ou_path(process, 0.0, 252 * 60, np.random.default_rng(5), step_days=1.0)

    found = trade_band(path, np.diff(path, prepend=path[0]), band, cost_frac=0.002, lag_days=0)

    # Long and short sides: twice the long-only promise; daily looks overshoot the edges, which moves it a little.
    assert found.net.mean() * 252 == pytest.approx(2.0 * band.return_per_year, rel=0.15)


def test_paths_are_summed_returns() -> None:
    returns = _returns(4, 10, 2)

    paths = spread_paths(returns, np.array([[1.0, -1.0]]))

    assert paths[-1, 0] == pytest.approx((returns[:, 0] - returns[:, 1]).sum())
