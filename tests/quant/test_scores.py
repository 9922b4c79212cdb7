"""The cross-sectional scores: each against a direct computation, ranks, causality, refusals."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from parley.quant.errors import SampleError, ShapeError
from parley.quant.scores import SCORE_NAMES, ranked, reversion_score, score_table, standardized
from scipy import stats

Sample = tuple[np.ndarray, np.ndarray]


def _residuals_by_hand(returns: np.ndarray, market: np.ndarray) -> np.ndarray:
    """r - beta[t-1] * market over the last 252 rows, each beta by polyfit over the 252 rows before it."""
    rows = range(len(market) - 252, len(market))
    return np.array(
        [returns[t] - np.polyfit(market[t - 252 : t], returns[t - 252 : t], 1)[0] * market[t] for t in rows]
    )


def test_residual_scores_equal_their_definition(market_and_returns: Sample) -> None:
    market, returns = market_and_returns
    returns = returns[:, :1]
    residuals = _residuals_by_hand(returns[:, 0], market)
    weights = 0.5 ** (np.arange(251, -1, -1) / 33.0)
    vol = np.sqrt((weights * residuals**2).sum() / weights.sum())

    table = score_table(returns, market)

    assert table.residual_vol[0] == pytest.approx(vol, rel=1e-4)
    assert table.raw_of("rev5")[0] == pytest.approx(-residuals[-5:].sum() / vol, rel=1e-3)
    # The first day of the window has a beta of 251 days, as only 504 rows count.
    assert table.raw_of("resmom")[0] == pytest.approx(residuals[:-21].sum() / vol, rel=2e-3)
    slope = np.polyfit(market[-252:], returns[-252:, 0], 1)[0]
    assert table.beta[0] == pytest.approx(slope, rel=1e-9)
    assert table.raw_of("lowbeta")[0] == pytest.approx(-slope, rel=1e-9)


def test_momentum_skips_the_last_month(market_and_returns: Sample) -> None:
    market, returns = market_and_returns

    table = score_table(returns, market)

    wealth = np.cumprod(1.0 + returns, axis=0)
    np.testing.assert_allclose(table.raw_of("mom12_1"), wealth[-22] / wealth[-253] - 1.0, rtol=1e-9)


def test_trend_is_one_for_a_steady_climb_and_minus_one_for_a_steady_fall() -> None:
    market = np.random.default_rng(3).normal(0.0, 0.01, 300)
    steady = 0.002 + np.where(np.arange(300) % 2 == 0, 0.0005, -0.0005)
    sideways = np.where(np.arange(300) % 2 == 0, 0.01, -0.01)

    trend = score_table(np.column_stack([steady, -steady, sideways]), market).raw_of("trend")

    assert trend[0] == 1.0
    assert trend[1] == -1.0
    assert abs(trend[2]) < 0.3


def test_the_reversion_score_falls_as_a_reverting_residual_ends_higher() -> None:
    # One name that is an AR(1) path of 0.7 that starts at its mean and ends this far from it.
    rng = np.random.default_rng(8)
    returns = rng.normal(0.0, 0.01, (300, 30)) + rng.normal(0.0, 0.01, (300, 1))
    path = np.zeros(60)
    for t in range(1, 59):
        path[t] = 0.7 * path[t - 1] + rng.normal(0.0, 0.01)
    returns[-59:, 0] = np.diff(path)
    scores = []

    for end in (-0.05, -0.02, 0.0, 0.02, 0.05):
        returns[-1, 0] = end - path[58]
        scores.append(reversion_score(returns)[0])

    assert scores[0] > 0.3
    assert scores[-1] < -0.3
    assert all(lower < higher for higher, lower in pairwise(scores))


def test_a_residual_that_reverts_too_slowly_has_no_reversion_score() -> None:
    rng = np.random.default_rng(9)
    returns = rng.normal(0.0, 0.01, (300, 20))
    returns[-60:, 4] += 0.02 * np.sign(np.arange(60) - 29.5)

    assert reversion_score(returns)[4] == 0.0
    assert (reversion_score(returns[:, :4]) == 0.0).all()


def test_scores_depend_on_504_rows_of_past_and_nothing_else(market_and_returns: Sample) -> None:
    market, returns = market_and_returns

    whole = score_table(returns[:700], market[:700])
    recent = score_table(returns[196:700], market[196:700])

    assert whole.z.tobytes() == recent.z.tobytes()
    assert whole.raw.tobytes() == recent.raw.tobytes()


def test_scores_follow_their_names_when_they_are_reordered(market_and_returns: Sample) -> None:
    market, returns = market_and_returns
    order = np.random.default_rng(2).permutation(12)

    table, moved = score_table(returns, market), score_table(returns[:, order], market)

    np.testing.assert_allclose(moved.raw, table.raw[:, order], rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(moved.z, table.z[:, order])


def test_every_score_ranks_higher_where_its_raw_value_is_higher(market_and_returns: Sample) -> None:
    market, returns = market_and_returns

    table = score_table(returns, market)

    assert table.raw.shape == table.z.shape == (len(SCORE_NAMES), 12)
    for name in SCORE_NAMES:
        assert stats.spearmanr(table.raw_of(name), table.z_of(name))[0] == pytest.approx(1.0)


def test_a_cash_like_name_has_no_opinion_where_it_has_no_risk(market_and_returns: Sample) -> None:
    market, returns = market_and_returns
    with_cash = returns.copy()
    with_cash[:, 0] = 0.0

    table = score_table(with_cash, market)

    assert np.isfinite(table.raw).all()
    for name in ("rev5", "resmom", "ou", "trend"):
        assert table.raw_of(name)[0] == 0.0


@settings(deadline=None, max_examples=50)
@given(arrays(np.float64, st.integers(2, 30), elements=st.integers(-5, 5).map(float)))
def test_ranks_are_scipys_average_ranks_standardized(values: np.ndarray) -> None:
    ranks = stats.rankdata(values)
    expected = (ranks - ranks.mean()) / ranks.std() if ranks.std() > 0.0 else np.zeros(len(ranks))

    np.testing.assert_allclose(ranked(values), np.clip(expected, -3.0, 3.0), atol=1e-12)


def test_a_name_without_a_score_gets_no_opinion_and_moves_nobody() -> None:
    values = np.array([0.3, np.nan, -0.2, 0.1])

    z = ranked(values)

    assert z[1] == 0.0
    np.testing.assert_array_equal(z[[0, 2, 3]], ranked(values[[0, 2, 3]]))


def test_one_outlier_among_twenty_is_clipped_at_three() -> None:
    assert standardized(np.eye(20)[0]).max() == 3.0
    assert (standardized(np.full(5, 0.1)) == 0.0).all()


def test_unusable_histories_are_refused(market_and_returns: Sample) -> None:
    market, returns = market_and_returns
    broken = returns.copy()
    broken[-3, 2] = np.nan

    with pytest.raises(SampleError, match="NaN"):
        score_table(broken, market)
    with pytest.raises(SampleError, match="expected at least 252"):
        score_table(returns[:251], market[:251])
    with pytest.raises(SampleError, match="market"):
        score_table(returns, np.zeros(800))
    with pytest.raises(ShapeError):
        score_table(returns[:300], market[:299])
    with pytest.raises(SampleError, match="infinity"):
        ranked(np.array([1.0, np.inf]))
