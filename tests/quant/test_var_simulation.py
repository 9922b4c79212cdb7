"""Simulated tails in single-precision normals: as accurate as the number of paths allows."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.var_simulation import PATHS_PER_CHUNK, _normals, simulated_tail
from scipy import stats


def test_the_draws_are_standard_normal_into_the_tails() -> None:
    n_rows = 500_000
    draws = _normals(n_rows, 2, np.random.default_rng(1)).ravel()

    # Kolmogorov-Smirnov at one in a thousand: a stated seed, so no luck from run to run.
    assert stats.kstest(draws, "norm").pvalue > 1e-3
    for probability in (1e-4, 1e-3, 0.01):
        se = np.sqrt(2 * n_rows * probability * (1.0 - probability))
        for tail in (draws, -draws):
            found = np.count_nonzero(tail < stats.norm.ppf(probability))
            assert found == pytest.approx(2 * n_rows * probability, abs=4.0 * se)
    assert np.mean(draws**4) == pytest.approx(3.0, abs=4.0 * np.sqrt(96.0 / (2 * n_rows)))


def test_the_two_halves_of_a_pair_are_unrelated_even_in_size() -> None:
    cosine, sine = _normals(2, 200_000, np.random.default_rng(2))
    bound = 4.0 / np.sqrt(200_000)

    assert abs(np.corrcoef(cosine, sine)[0, 1]) < bound
    assert abs(np.corrcoef(np.square(cosine), np.square(sine))[0, 1]) < bound


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 40), st.integers(1, 7), st.integers(0, 2**32 - 1))
def test_any_shape_is_filled_with_finite_draws(n_rows: int, n_columns: int, seed: int) -> None:
    draws = _normals(n_rows, n_columns, np.random.default_rng(seed))

    assert draws.shape == (n_rows, n_columns)
    assert draws.dtype == np.float64
    assert np.isfinite(draws).all()
    assert len(np.unique(draws)) > 0.9 * draws.size - 1


def test_a_uniform_of_exactly_zero_gives_a_finite_draw() -> None:
    class Zeros:
        def random(self, size: tuple[int, int], dtype: type[np.float32]) -> np.ndarray:
            return np.zeros(size, dtype=dtype)

    draws = _normals(3, 2, cast("np.random.Generator", Zeros()))

    np.testing.assert_array_equal(draws, np.zeros((3, 2)))


def test_a_million_paths_give_the_exact_normal_tail() -> None:
    rng = np.random.default_rng(3)
    mixing = rng.normal(0.0, 0.01, (20, 20))
    cov, weights = mixing @ mixing.T / 20.0, np.full(20, 0.05)
    vol, z = float(np.sqrt(weights @ cov @ weights)), float(stats.norm.ppf(0.99))

    tail = simulated_tail(lambda r: r @ weights, np.zeros(20), cov, np.random.default_rng(4), level=0.99)

    # One standard error of a simulated quantile is sqrt(p (1 - p) / n) / density there: 0.0037 deviations.
    assert tail.var == pytest.approx(vol * z, abs=4.0 * 0.0037 * vol)
    assert tail.es == pytest.approx(vol * stats.norm.pdf(z) / 0.01, abs=4.0 * 0.005 * vol)


def test_a_last_chunk_that_is_not_full_is_simulated_too() -> None:
    seen: list[int] = []

    def count(returns: np.ndarray) -> np.ndarray:
        seen.append(len(returns))
        return returns[:, 0]

    simulated_tail(count, np.zeros(3), np.eye(3) * 1e-4, np.random.default_rng(5), n_paths=PATHS_PER_CHUNK + 7)

    assert seen == [PATHS_PER_CHUNK, 7]
