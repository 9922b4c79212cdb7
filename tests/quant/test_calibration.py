"""Calibration: built day by day or at once it is the same, it never looks ahead, and it stays humble."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.calibration import (
    LAG_DAYS,
    Calibration,
    Outlook,
    calibrate,
    outlook,
    shrunk_ic,
    tilt_is_open,
)
from parley.quant.errors import SampleError, ShapeError
from parley.quant.scores import SCORE_NAMES, score_table
from scipy import stats

Sample = tuple[np.ndarray, np.ndarray]
FIELDS = ("week_rows", "ics", "composite_ics")


def _bytes(state: Calibration) -> tuple[object, ...]:
    return (state.next_row, *(getattr(state, name).tobytes() for name in FIELDS))


@pytest.fixture(scope="module")
def whole(market_and_returns: Sample) -> Calibration:
    market, returns = market_and_returns
    return calibrate(Calibration(), returns, market)


@settings(deadline=None, max_examples=10)
@given(cuts=st.lists(st.integers(1, 799), max_size=6, unique=True))
def test_built_in_any_steps_it_has_the_same_bytes(
    market_and_returns: Sample, whole: Calibration, cuts: list[int]
) -> None:
    market, returns = market_and_returns
    state = Calibration()

    for n_rows in [*sorted(cuts), 800]:
        state = calibrate(state, returns[:n_rows], market[:n_rows])

    assert _bytes(state) == _bytes(whole)


def test_built_every_day_it_has_the_same_bytes_and_most_days_change_nothing(
    market_and_returns: Sample, whole: Calibration
) -> None:
    market, returns = market_and_returns
    state, changes = Calibration(), 0

    for n_rows in range(1, 801):
        after = calibrate(state, returns[:n_rows], market[:n_rows])
        changes += after is not state
        state = after

    assert _bytes(state) == _bytes(whole)
    assert changes == len(whole.week_rows)


def test_data_after_today_changes_no_week_known_today(market_and_returns: Sample) -> None:
    market, returns = market_and_returns
    spoiled = np.vstack([returns[:500], -returns[500:]])

    early = calibrate(Calibration(), returns[:500], market[:500])
    late = calibrate(Calibration(), spoiled, market)

    n_weeks, n_composite = len(early.week_rows), len(early.composite_ics)
    np.testing.assert_array_equal(late.ics[:n_weeks], early.ics)
    np.testing.assert_array_equal(late.composite_ics[:n_composite], early.composite_ics)


def test_a_week_counts_on_the_day_its_outcome_is_history(market_and_returns: Sample) -> None:
    market, returns = market_and_returns
    last_needed = 251 + LAG_DAYS

    assert len(calibrate(Calibration(), returns[:last_needed], market[:last_needed]).week_rows) == 0
    first = calibrate(Calibration(), returns[: last_needed + 1], market[: last_needed + 1])
    assert first.week_rows.tolist() == [251]


def test_an_ic_is_the_spearman_correlation_with_the_residual_return_that_followed(
    market_and_returns: Sample, whole: Calibration
) -> None:
    market, returns = market_and_returns
    week = 30
    row = int(whole.week_rows[week])
    table = score_table(returns[: row + 1], market[: row + 1])

    # From close t+1 to close t+22: the 21 returns of rows t+2 to t+22.
    after = (returns[row + 2 : row + 23] - table.beta * market[row + 2 : row + 23, None]).sum(axis=0)

    for at, name in enumerate(SCORE_NAMES):
        expected = stats.spearmanr(table.raw_of(name), after)[0]
        assert whole.ics[week, at] == pytest.approx(expected, abs=1e-12)


def test_a_composite_is_weighted_by_the_weeks_known_on_its_own_day(
    market_and_returns: Sample, whole: Calibration
) -> None:
    market, returns = market_and_returns
    found = []

    for row in whole.week_rows:
        known = whole.week_rows + LAG_DAYS <= row
        table = score_table(returns[: row + 1], market[: row + 1])
        composite = shrunk_ic(whole.ics[known]) @ table.z
        after = (returns[row + 2 : row + 23] - table.beta * market[row + 2 : row + 23, None]).sum(axis=0)
        if composite.any():
            found.append(stats.spearmanr(composite, after)[0])

    assert len(found) < len(whole.week_rows)
    np.testing.assert_allclose(whole.composite_ics, found, atol=1e-12)


def _predictable(n_days: int = 1500) -> Sample:
    """A market in which each name keeps its own drift, so that residual momentum is right."""
    rng = np.random.default_rng(5)
    market = rng.normal(0.0003, 0.01, n_days)
    drift = np.linspace(-0.001, 0.001, 15)
    return market, market[:, None] + drift + rng.normal(0.0, 0.012, (n_days, 15))


def test_a_score_that_works_is_found_believed_and_allowed_to_tilt() -> None:
    market, returns = _predictable()
    state = calibrate(Calibration(), returns, market)

    view = outlook(state, score_table(returns, market))

    assert view.ic_by_score[SCORE_NAMES.index("resmom")] > 0.05
    assert view.ic > 0.05
    assert view.t_stat > 2.0
    assert view.n_weeks > 120
    assert view.expected_residual_return[-1] > view.expected_residual_return[0]
    assert tilt_is_open(view, expected_gain=0.01, cost_frac=0.0007, turnover=0.5)
    assert not tilt_is_open(view, expected_gain=0.0007, cost_frac=0.0007, turnover=0.5)


def test_expected_return_and_confidence_are_their_formulas() -> None:
    market, returns = _predictable(1000)
    table = score_table(returns, market)

    view = outlook(calibrate(Calibration(), returns, market), table)

    np.testing.assert_allclose(
        view.expected_residual_return, view.ic * table.residual_vol * 21**0.5 * view.score, rtol=1e-12
    )
    np.testing.assert_allclose(view.confidence, stats.norm.cdf(view.ic * np.abs(view.score)), rtol=1e-12)


def test_noise_earns_no_tilt_and_confidence_near_a_coin(market_and_returns: Sample, whole: Calibration) -> None:
    market, returns = market_and_returns

    view = outlook(whole, score_table(returns, market))

    assert not tilt_is_open(view, expected_gain=1.0, cost_frac=0.0, turnover=0.0)
    assert (view.confidence >= 0.5).all()
    assert view.confidence.max() < 0.56


def test_without_history_there_is_no_opinion(market_and_returns: Sample) -> None:
    market, returns = market_and_returns

    view = outlook(Calibration(), score_table(returns, market))

    assert (view.score == 0.0).all()
    assert (view.expected_residual_return == 0.0).all()
    assert (view.confidence == 0.5).all()


def test_shrinkage_halves_an_ic_after_sixty_independent_horizons() -> None:
    # 252 weeks of 21-day horizons are 60 independent ones.
    ics = np.column_stack([np.full(252, 0.04), np.full(252, -0.04)])

    np.testing.assert_allclose(shrunk_ic(ics), [0.02, 0.0], rtol=1e-12)


def test_names_with_gaps_sit_out_and_too_few_names_skip_the_week(market_and_returns: Sample) -> None:
    market, returns = market_and_returns
    holed = returns.copy()
    holed[:400, 0] = np.nan
    lonely = returns.copy()
    lonely[:, 4:] = np.nan

    without_first = calibrate(Calibration(), returns[:350, 1:], market[:350])
    with_hole = calibrate(Calibration(), holed[:350], market[:350])

    assert with_hole.ics.tobytes() == without_first.ics.tobytes()
    assert len(calibrate(Calibration(), lonely, market).week_rows) == 0


def test_a_shrunken_history_and_a_gap_in_the_market_are_refused(market_and_returns: Sample, whole: Calibration) -> None:
    market, returns = market_and_returns
    gap = market.copy()
    gap[260] = np.nan

    with pytest.raises(ShapeError, match="already judged"):
        calibrate(whole, returns[:600], market[:600])
    with pytest.raises(ShapeError):
        calibrate(Calibration(), returns, market[:-1])
    with pytest.raises(SampleError):
        calibrate(Calibration(), returns, gap)


def test_a_tilt_needs_enough_weeks_as_well_as_a_high_t() -> None:
    empty = np.zeros(0)
    view = Outlook(empty, empty, empty, empty, ic=0.1, t_stat=2.0, n_weeks=120)

    assert tilt_is_open(view, 0.01, 0.0007, 1.0)
    assert not tilt_is_open(replace(view, n_weeks=119), 0.01, 0.0007, 1.0)
    assert not tilt_is_open(replace(view, t_stat=1.99), 0.01, 0.0007, 1.0)
