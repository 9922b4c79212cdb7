"""Stress: the shipped table against the recorded data, and closed forms against a numerical optimizer."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.stress import (
    FACTORS,
    Scenario,
    apply_moves,
    complete_moves,
    historical_scenarios,
    reverse_stress,
    shocked_cov,
    stress_table,
)

_FRENCH = {"market_frac": "Mkt-RF", "size_frac": "SMB", "value_frac": "HML", "momentum_frac": "Mom"}


def _cov(seed: int, n: int) -> np.ndarray:
    root = np.random.default_rng(seed).normal(size=(n + 3, n)) * 0.01
    return root.T @ root / (n + 3)


def _change(scenario: Scenario, days: np.ndarray, levels: np.ndarray) -> float:
    """From the last level before the first day to the level of the last day."""
    before = levels[days < np.datetime64(scenario.first_day)][-1]
    return float(levels[days == np.datetime64(scenario.last_day)].item() - before)


def test_the_table_covers_the_named_episodes_with_a_source_for_every_move() -> None:
    table = {scenario.name: scenario for scenario in historical_scenarios()}

    starts = {scenario.first_day for scenario in table.values()}
    assert {date(1987, 10, 19), date(2010, 5, 6), date(2015, 8, 24), date(2018, 2, 5)} <= starts
    assert {1998, 2000, 2008, 2011, 2020, 2022} <= {day.year for day in starts}
    for scenario in table.values():
        assert set(scenario.moves) <= set(FACTORS)
        assert set(FACTORS[:6]) <= set(scenario.moves)
        assert set(scenario.sources) == set(scenario.moves)
        assert all(len(source) > 10 for source in scenario.sources.values())
        assert scenario.first_day <= scenario.last_day


def test_equity_moves_are_the_compounded_factor_returns_of_the_recorded_data(recorded_data: Path) -> None:
    import pandas as pd

    french = pd.read_parquet(recorded_data / "factors" / "fama_french_daily_1926_2024.parquet").set_index("date")
    for scenario in historical_scenarios():
        days = french.loc[str(scenario.first_day) : str(scenario.last_day)]
        for factor, column in _FRENCH.items():
            assert scenario.moves[factor] == pytest.approx((1.0 + days[column]).prod() - 1.0, abs=6e-5)


def test_vix_moves_are_the_changes_of_the_recorded_close(recorded_data: Path) -> None:
    import pandas as pd

    vix = pd.read_parquet(recorded_data / "factors" / "vix_daily_1990_2024.parquet")
    days, close = vix["date"].to_numpy(dtype="datetime64[D]"), vix["close"].to_numpy()
    checked = [s for s in historical_scenarios() if s.first_day.year >= 1990]
    for scenario in checked:
        assert scenario.moves["vix_points"] == pytest.approx(_change(scenario, days, close), abs=0.006)
    assert len(checked) == len(historical_scenarios()) - 1


def test_rate_moves_are_the_changes_of_the_recorded_curve_while_it_lasts(recorded_data: Path) -> None:
    import pandas as pd

    curve = pd.read_parquet(recorded_data / "factors" / "us_treasury_curve_daily_1990_2017.parquet")
    days, ten = curve["date"].to_numpy(dtype="datetime64[D]"), curve["10year"].to_numpy()
    checked = [s for s in historical_scenarios() if 1990 <= s.first_day.year <= 2016]
    for scenario in checked:
        assert scenario.moves["rate_10y_bp"] == pytest.approx(_change(scenario, days, ten) * 1e4, abs=0.51)
    assert len(checked) == 8


def test_rate_moves_outside_the_recorded_curve_match_the_levels_in_their_source() -> None:
    import re

    stated = [s for s in historical_scenarios() if "H.15" in s.sources["rate_10y_bp"]]
    for scenario in stated:
        low, high = re.findall(r"\d+\.\d+", scenario.sources["rate_10y_bp"].split(":")[1])
        assert scenario.moves["rate_10y_bp"] == pytest.approx((float(high) - float(low)) * 100.0, abs=1e-9)
    assert [s.first_day.year for s in stated] == [1987, 2018, 2018, 2020, 2022]


def test_credit_moves_are_the_changes_of_the_packaged_moodys_spread() -> None:
    moodys = pytest.importorskip("arch.data.default").load()
    months = np.array(moodys.index, dtype="datetime64[M]")
    spread = (moodys["BAA"] - moodys["AAA"]).to_numpy()
    checked = [s for s in historical_scenarios() if "credit_bp" in s.moves]
    for scenario in checked:
        before = np.datetime64(scenario.first_day, "M") - 1
        moved = spread[months == np.datetime64(scenario.last_day, "M")] - spread[months == before]
        assert scenario.moves["credit_bp"] == pytest.approx(moved.item() * 100.0, abs=0.51)
    assert len(checked) == 5


def test_a_portfolio_loses_its_exposures_times_the_moves() -> None:
    # Black Monday: market -17.44 %, ten-year yield -8 bp. Beta 1.2, and 0.06 % gained per bp of falling yield:
    # -0.20928 + 0.0048.
    crash = next(s for s in historical_scenarios() if s.name == "black_monday_1987")

    result = apply_moves({"market_frac": 1.2, "rate_10y_bp": -0.0006}, crash.moves, crash.name)

    assert result.return_frac == pytest.approx(-0.20448)
    assert sum(result.by_factor.values()) == pytest.approx(result.return_frac)
    assert apply_moves({"market_frac": 1.2}, {"market_frac": -0.2}).return_frac == pytest.approx(-0.24)


def test_an_exposure_without_a_move_is_refused_not_taken_as_zero() -> None:
    with pytest.raises(SampleError, match="credit_bp"):
        apply_moves({"market_frac": 1.0, "credit_bp": -0.001}, {"market_frac": -0.1})
    with pytest.raises(SampleError, match="NaN"):
        apply_moves({"market_frac": float("nan")}, {"market_frac": -0.1})
    with pytest.raises(SampleError, match="credit_bp"):
        stress_table({"credit_bp": -0.001})


def test_the_table_of_results_is_worst_first_and_completes_missing_moves() -> None:
    names = ("market_frac", "credit_bp")
    cov = np.array([[1e-4, -0.02], [-0.02, 25.0]])

    plain = stress_table({"market_frac": 1.0})
    completed = stress_table({"credit_bp": -0.001}, names=names, cov=cov)

    assert plain[0].scenario == "financial_crisis_2007"
    assert [r.return_frac for r in plain] == sorted(r.return_frac for r in plain)
    by_name = {result.scenario: result.return_frac for result in completed}
    # Black Monday has no credit figure: -0.02 / 1e-4 = -200 bp per 1.00 of market, so +34.88 bp.
    assert by_name["black_monday_1987"] == pytest.approx(-0.03488)
    assert by_name["lehman_2008"] == pytest.approx(-0.158)


def test_completed_moves_are_the_regression_of_the_others_on_the_known() -> None:
    rng = np.random.default_rng(1)
    data = rng.normal(size=(500, 4)) @ rng.normal(size=(4, 4))
    data -= data.mean(axis=0)
    names = ("a", "b", "c", "d")

    moves = complete_moves({"a": -2.0, "c": 1.0, "elsewhere": 5.0}, names, data.T @ data / 500)

    slopes = np.linalg.lstsq(data[:, [0, 2]], data[:, [1, 3]], rcond=None)[0]
    expected = np.array([-2.0, 1.0]) @ slopes
    assert (moves["b"], moves["d"]) == pytest.approx(tuple(expected))
    assert (moves["a"], moves["c"], moves["elsewhere"]) == (-2.0, 1.0, 5.0)


def test_doubled_volatility_and_high_correlation_do_what_they_say() -> None:
    cov = _cov(2, 5)
    vol = np.sqrt(np.diag(cov))

    crisis = shocked_cov(cov, vol_multiple=2.0, correlation=0.9)

    np.testing.assert_allclose(np.sqrt(np.diag(crisis)), 2.0 * vol)
    assert crisis[0, 3] == pytest.approx(0.9 * 4.0 * vol[0] * vol[3])
    np.testing.assert_allclose(shocked_cov(cov), cov)
    assert np.linalg.eigvalsh(crisis)[0] > 0.0


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.floats(0.001, 0.5))
def test_reverse_stress_loses_exactly_that_much_and_nothing_nearer_does(seed: int, n: int, loss: float) -> None:
    cov, rng = _cov(seed, n), np.random.default_rng(seed)
    exposures = rng.normal(size=n)

    found = reverse_stress(exposures, cov, loss)

    assert exposures @ found.moves == pytest.approx(-loss, rel=1e-9)
    inverse = np.linalg.inv(cov)
    assert found.distance == pytest.approx(np.sqrt(found.moves @ inverse @ found.moves), rel=1e-6)
    for _ in range(5):
        other = rng.normal(size=n)
        other *= -loss / (exposures @ other)
        assert np.sqrt(other @ inverse @ other) >= found.distance * (1.0 - 1e-6)


def test_reverse_stress_agrees_with_a_numerical_optimizer() -> None:
    from scipy.optimize import minimize

    cov, exposures = _cov(3, 4) * 1e4, np.array([1.0, -0.5, 0.3, 0.8])
    inverse = np.linalg.inv(cov)

    found = reverse_stress(exposures, cov, 2.0)

    oracle = minimize(
        lambda x: x @ inverse @ x,
        np.full(4, -1.0),
        jac=lambda x: 2.0 * inverse @ x,
        constraints={"type": "eq", "fun": lambda x: exposures @ x + 2.0},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    np.testing.assert_allclose(found.moves, oracle.x, rtol=1e-4, atol=1e-5)


def test_reverse_stress_probability_is_the_normal_tail() -> None:
    # One factor of 1 % and beta 1: a loss of 2.326 % is the normal 1 % quantile (NIST: z = 2.326).
    found = reverse_stress(np.array([1.0]), np.array([[1e-4]]), 0.02326348)

    assert found.distance == pytest.approx(2.326348)
    assert found.normal_probability == pytest.approx(0.01, rel=1e-5)


def test_unusable_stress_inputs_are_refused() -> None:
    cov = _cov(4, 3)
    with pytest.raises(ParameterError):
        reverse_stress(np.ones(3), cov, 0.0)
    with pytest.raises(SampleError, match="no factor risk"):
        reverse_stress(np.zeros(3), cov, 0.1)
    with pytest.raises(SampleError, match="no factor risk"):
        reverse_stress(np.array([1.0, -1.0]), np.full((2, 2), 1e-4), 0.1)
    with pytest.raises(ShapeError):
        reverse_stress(np.ones(2), cov, 0.1)
    with pytest.raises(SampleError, match="eigenvalue"):
        reverse_stress(np.ones(2), np.array([[1.0, 2.0], [2.0, 1.0]]), 0.1)
    with pytest.raises(ParameterError, match="correlation"):
        shocked_cov(cov, correlation=-0.9)
    with pytest.raises(ParameterError):
        shocked_cov(cov, vol_multiple=-1.0)
    with pytest.raises(SampleError, match="at least one"):
        complete_moves({"x": 1.0}, ("a", "b", "c"), cov)
    with pytest.raises(SampleError, match="collinear"):
        complete_moves({"a": 1.0, "b": 1.0}, ("a", "b"), np.full((2, 2), 1e-4))
