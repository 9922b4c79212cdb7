"""Studentized Sharpe intervals: theory for independent days, coverage where days depend on each other, refusals."""

import numpy as np
import pytest
from parley.quant.arrays import FloatArray
from parley.quant.bootstrap import block_interval
from parley.quant.errors import SampleError
from parley.quant.performance import sharpe
from parley.quant.sharpe_studentized import sharpe_error, studentized_sharpe_interval


def test_independent_days_have_the_error_of_the_textbook() -> None:
    # Lo (2002), equation 9: sqrt((1 + SR^2 / 2) / n) in daily units.
    returns = np.random.default_rng(1).normal(0.001, 0.01, 5000)
    daily = sharpe(returns) / 252**0.5

    assert sharpe_error(returns) == pytest.approx(((1 + daily**2 / 2) / 5000) ** 0.5 * 252**0.5, rel=0.06)


def test_its_interval_is_about_as_wide_as_theory_says_and_holds_the_estimate() -> None:
    returns = np.random.default_rng(2).normal(0.0005, 0.01, 2520)

    found = studentized_sharpe_interval(returns, np.random.default_rng(3))

    assert found.high - found.low == pytest.approx(2 * 1.96 * (252 / 2520) ** 0.5, rel=0.15)
    assert found.low < sharpe(returns) < found.high


def _noise(phi: float, n_days: int, rng: np.random.Generator) -> FloatArray:
    """AR(1) with t(4) shocks, the world of the coverage table."""
    shocks = rng.standard_t(4, n_days + 50)
    path = np.zeros(n_days + 50)
    for row in range(1, len(path)):
        path[row] = phi * path[row - 1] + shocks[row]
    return path[50:]


@pytest.mark.parametrize(
    ("phi", "block", "low", "high"), [(0.0, 5, 0.90, 0.98), (0.4, 1, 0.66, 0.83), (0.4, 5, 0.82, 0.94)]
)
def test_blocks_cover_the_mean_where_single_days_do_not(phi: float, block: int, low: float, high: float) -> None:
    # 250 days of AR(1) with t(4) shocks, 95 % asked for: about .95 where days are independent; at phi 0.4 single
    # days cover .745 and blocks of 5 days .88 (200 histories each, so give or take .05).
    rng = np.random.default_rng(4)
    found = [
        block_interval(_noise(phi, 250, rng), lambda drawn: drawn.mean(axis=1), rng, block_days=block, n_draws=300)
        for _ in range(200)
    ]

    covered = float(np.mean([item.low <= 0.0 <= item.high for item in found]))

    assert low <= covered <= high


def test_dependent_days_are_covered_better_than_single_days_would() -> None:
    rng = np.random.default_rng(6)
    hits = {1: 0, 21: 0}
    for _ in range(60):
        returns = 0.01 * _noise(0.4, 504, rng)
        for block in hits:
            found = studentized_sharpe_interval(returns, rng, block_days=block, n_draws=200)
            hits[block] += found.low <= 0.0 <= found.high

    assert hits[21] >= 51  # 85 % of 60: nominal is 57
    assert hits[1] <= hits[21]


def test_the_same_generator_gives_the_same_interval() -> None:
    returns = np.random.default_rng(7).normal(0.0, 0.01, 300)

    once, again = (studentized_sharpe_interval(returns, np.random.default_rng(8), n_draws=200) for _ in range(2))

    assert once == again


def test_idle_and_short_records_are_refused() -> None:
    rng = np.random.default_rng(9)
    with pytest.raises(SampleError, match="never move"):
        studentized_sharpe_interval(np.zeros(300), rng)
    with pytest.raises(SampleError, match="two blocks"):
        studentized_sharpe_interval(rng.normal(size=41), rng)
    idle = np.zeros(300)
    idle[150] = 0.01
    with pytest.raises(SampleError, match="stand still"):
        studentized_sharpe_interval(idle, rng)
