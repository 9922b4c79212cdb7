"""Backtests of tail forecasts: the printed tables of Kupiec, Basel and Acerbi-Szekely, and the edge counts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.var_backtests import (
    Zone,
    basel_multiplier,
    christoffersen,
    cumulative_exceptions,
    exceptions,
    kupiec,
    shortfall_test,
    traffic_light,
)
from scipy import stats


@pytest.mark.parametrize(
    ("n_days", "level", "low", "high"),
    [
        (255, 0.99, 0, 7),
        (510, 0.99, 1, 11),
        (1000, 0.99, 4, 17),
        (255, 0.975, 2, 12),
        (510, 0.975, 6, 21),
        (1000, 0.975, 15, 36),
        (255, 0.95, 6, 21),
        (510, 0.95, 16, 36),
        (1000, 0.95, 37, 65),
    ],
)
def test_kupiec_keeps_the_counts_of_the_printed_table(n_days: int, level: float, low: int, high: int) -> None:
    # Kupiec (1995), as Jorion (2007) table 6.2: the model is kept at 95 % when low < N < high. The table prints only
    # "N < 7" for 255 days at 1 %, but the statistic of no failures is 5.13, past 3.84: no failures are rejected too.
    kept = [n for n in range(n_days) if kupiec(n, n_days, level).p_value > 0.05]

    assert kept == list(range(low + 1, high))


@pytest.mark.parametrize(("n_exceptions", "statistic"), [(0, -2 * 250 * math.log(0.99)), (250, -500 * math.log(0.01))])
def test_kupiec_stays_finite_with_no_and_with_only_exceptions(n_exceptions: int, statistic: float) -> None:
    found = kupiec(n_exceptions, 250, 0.99)

    assert found.statistic == pytest.approx(statistic, rel=1e-12)
    assert 0.0 <= found.p_value < 0.05


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 2000), st.floats(0.01, 0.999), st.data())
def test_kupiec_is_scipys_chi_squared_of_the_binomial_ratio(n_days: int, level: float, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, n_days))
    binomial = stats.binom.logpmf(hits, n_days, hits / n_days) - stats.binom.logpmf(hits, n_days, 1 - level)

    found = kupiec(hits, n_days, level)

    assert found.statistic == pytest.approx(2 * binomial, rel=1e-6, abs=1e-6)
    assert found.p_value == pytest.approx(stats.chi2.sf(found.statistic, 1), abs=1e-9)


def test_christoffersen_is_the_likelihood_ratio_of_the_written_out_transitions() -> None:
    hits = np.random.default_rng(1).random(600) < 0.03
    hits[100:104] = True
    pairs = list(zip(hits[:-1].tolist(), hits[1:].tolist(), strict=True))
    chance_after = {state: np.mean([b for a, b in pairs if a == state]) for state in (False, True)}
    overall = np.mean([b for _, b in pairs])
    chain = sum(math.log(chance_after[a] if b else 1 - chance_after[a]) for a, b in pairs)
    flat = sum(math.log(overall if b else 1 - overall) for _, b in pairs)

    found = christoffersen(hits, 0.97)

    assert found.independence.statistic == pytest.approx(2 * (chain - flat), rel=1e-9)
    assert found.independence.p_value == pytest.approx(stats.chi2.sf(2 * (chain - flat), 1), rel=1e-6)
    total = found.independence.statistic + kupiec(int(hits.sum()), 600, 0.97).statistic
    assert found.conditional.p_value == pytest.approx(stats.chi2.sf(total, 2), rel=1e-9)


@pytest.mark.parametrize("days", [[], [50, 150], [0], [249], list(range(250))])
def test_christoffersen_is_finite_when_exceptions_never_meet_or_never_end(days: list[int]) -> None:
    hits = np.zeros(250, dtype=bool)
    hits[days] = True

    found = christoffersen(hits)

    assert found.independence.statistic >= 0.0
    assert 0.0 <= found.conditional.p_value <= 1.0
    assert all(math.isfinite(test.statistic) for test in (found.independence, found.conditional))


def test_christoffersen_rejects_a_cluster_that_kupiec_lets_pass() -> None:
    hits = np.zeros(1000, dtype=bool)
    hits[500:510] = True

    found = christoffersen(hits)

    assert kupiec(10, 1000).p_value > 0.9
    assert found.independence.p_value < 1e-6


def test_christoffersen_refuses_short_runs_and_numbers() -> None:
    numbers: Any = np.zeros(250)

    with pytest.raises(SampleError, match="100"):
        christoffersen(np.zeros(50, dtype=bool))
    with pytest.raises(ShapeError, match="bool"):
        christoffersen(numbers)


@pytest.mark.parametrize(
    ("n_exceptions", "share_percent", "multiplier", "zone"),
    [
        (0, 8.11, 3.00, Zone.GREEN),
        (1, 28.58, 3.00, Zone.GREEN),
        (2, 54.32, 3.00, Zone.GREEN),
        (3, 75.81, 3.00, Zone.GREEN),
        (4, 89.22, 3.00, Zone.GREEN),
        (5, 95.88, 3.40, Zone.YELLOW),
        (6, 98.63, 3.50, Zone.YELLOW),
        (7, 99.60, 3.65, Zone.YELLOW),
        (8, 99.89, 3.75, Zone.YELLOW),
        (9, 99.97, 3.85, Zone.YELLOW),
        (10, 99.99, 4.00, Zone.RED),
        (25, 100.0, 4.00, Zone.RED),
    ],
)
def test_traffic_light_is_table_2_of_the_basel_framework(
    n_exceptions: int, share_percent: float, multiplier: float, zone: Zone
) -> None:
    # Basel Committee (1996), table 2: cumulative probability, 3 plus the increase, zone, for 250 days at 99 %.
    assert 100 * cumulative_exceptions(n_exceptions) == pytest.approx(share_percent, abs=0.0065)
    assert basel_multiplier(n_exceptions) == multiplier
    assert traffic_light(n_exceptions) is zone


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 1500), st.floats(0.5, 0.999), st.data())
def test_cumulative_exceptions_are_scipys_binomial(n_days: int, level: float, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, n_days))

    assert cumulative_exceptions(count, n_days, level) == pytest.approx(
        stats.binom.cdf(count, n_days, 1 - level), abs=1e-9
    )


def test_five_percent_point_of_z2_is_the_papers() -> None:
    # Acerbi and Szekely (2014), table 4: -0.70 at 5 % and -1.8 at 0.01 % for 250 days at 97.5 %.
    var, es = stats.norm.ppf(0.975), stats.norm.pdf(stats.norm.ppf(0.975)) / 0.025

    def p_value_at(z2: float) -> float:
        returns = np.zeros(250)
        returns[:10] = -(1.0 - z2) * es * 250 * 0.025 / 10
        found = shortfall_test(returns, np.full(250, var), np.full(250, es), np.random.default_rng(2), n_trials=100_000)
        assert found.z2 == pytest.approx(z2, rel=1e-9)
        return found.p_value

    assert p_value_at(-0.70) == pytest.approx(0.05, abs=0.003)
    assert p_value_at(-1.8) < 4e-4


def test_z2_is_the_papers_sum_over_the_days_beyond_var() -> None:
    rng = np.random.default_rng(3)
    returns, var = rng.normal(0.0, 0.01, 300), np.full(300, 0.015)
    es = var * rng.uniform(1.05, 1.5, 300)
    by_hand = 1.0 + sum(x / (300 * 0.025 * e) for x, v, e in zip(returns, var, es, strict=True) if x + v < 0)

    found = shortfall_test(returns, var, es, np.random.default_rng(4))

    assert found.z2 == pytest.approx(by_hand, rel=1e-12)
    assert found.n_exceptions == int((returns < -var).sum())


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(1.05, 3.0))
def test_a_higher_es_forecast_never_looks_worse(seed: int, size: float) -> None:
    returns = 0.01 * np.random.default_rng(seed).standard_t(4, 250)
    var, es = np.full(250, 0.02), np.full(250, 0.025)

    low = shortfall_test(returns, var, es, np.random.default_rng(5), n_trials=1_000)
    high = shortfall_test(returns, var, es * size, np.random.default_rng(5), n_trials=1_000)

    assert high.z2 >= low.z2
    assert high.p_value >= low.p_value


def test_a_loss_equal_to_the_var_is_no_exception() -> None:
    assert exceptions(np.array([-0.02, -0.0201, 0.03]), np.full(3, 0.02)).tolist() == [False, True, False]


def test_bad_backtests_are_refused() -> None:
    rng, days = np.random.default_rng(6), np.full(250, 0.02)

    with pytest.raises(SampleError, match="below its VaR"):
        shortfall_test(-days, days, days * 0.5, rng)
    with pytest.raises(SampleError, match="above 0"):
        shortfall_test(-days, -days, days * 0.0, rng)
    with pytest.raises(ShapeError, match="var"):
        shortfall_test(-days, days[1:], days, rng)
    with pytest.raises(SampleError, match="NaN"):
        exceptions(np.array([np.nan]), np.array([0.01]))
    with pytest.raises(ParameterError, match="n_exceptions"):
        kupiec(251, 250)
    with pytest.raises(ParameterError, match="n_exceptions"):
        basel_multiplier(-1)
