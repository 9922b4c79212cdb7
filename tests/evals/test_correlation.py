"""The mean pairwise correlation that the breaker of that name is given."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.evals.steering import CORRELATION_DAYS, mean_correlation


def closes(names: int, seed: int, common: float = 0.5, days: int = CORRELATION_DAYS + 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    returns = rng.normal(0, 0.01, (days, names)) + common * rng.normal(0, 0.01, (days, 1))
    return 50.0 * np.exp(np.cumsum(returns, axis=0))


@settings(max_examples=40, deadline=None)
@given(names=st.integers(2, 25), seed=st.integers(0, 10_000), common=st.floats(0, 5))
def test_it_is_the_mean_of_numpys_matrix_off_its_diagonal(names: int, seed: int, common: float) -> None:
    prices = closes(names, seed, common)
    matrix = np.asarray(np.corrcoef(prices[1:] / prices[:-1] - 1, rowvar=False))

    found = mean_correlation(prices)

    assert found == pytest.approx(matrix[~np.eye(names, dtype=bool)].mean(), abs=1e-12)


def test_a_name_that_never_moved_is_left_out() -> None:
    prices = closes(3, 1)

    assert mean_correlation(np.column_stack([prices, np.full(len(prices), 7.0)])) == mean_correlation(prices)


def test_too_few_names_or_days_have_none() -> None:
    assert mean_correlation(closes(1, 1)) is None
    assert mean_correlation(np.column_stack([closes(1, 1), np.full(CORRELATION_DAYS + 1, 7.0)])) is None
    assert mean_correlation(closes(3, 1, days=CORRELATION_DAYS)) is None
