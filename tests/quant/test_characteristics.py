"""Factors from the names: what they hold is known the day before, and each buys its own characteristic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.characteristics import CHARACTERISTICS, MOMENTUM_DAYS, characteristic_factors
from parley.quant.errors import SampleError


def _market(seed: int, n_days: int = 400, n_names: int = 10) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0003, 0.01, n_days)
    betas = np.linspace(0.4, 1.6, n_names)
    return market[:, None] * betas + rng.normal(0.0, 0.01, (n_days, n_names)), market


def test_the_momentum_factor_is_the_sort_written_out_by_hand() -> None:
    returns, market = _market(1)
    found = characteristic_factors(returns, market)
    at = 300

    past = np.prod(1.0 + returns[at - 252 : at - 21], axis=0)
    order = np.argsort(past)
    by_hand = returns[at, order[-3:]].mean() - returns[at, order[:3]].mean()

    assert found.shape == (400 - MOMENTUM_DAYS, len(CHARACTERISTICS))
    assert found[at - MOMENTUM_DAYS, 0] == pytest.approx(by_hand)


def test_the_volatility_factor_is_the_sort_written_out_by_hand() -> None:
    returns, market = _market(2)
    at = 333

    order = np.argsort(returns[at - 63 : at].std(axis=0, ddof=1))
    by_hand = returns[at, order[-3:]].mean() - returns[at, order[:3]].mean()

    assert characteristic_factors(returns, market)[at - MOMENTUM_DAYS, 1] == pytest.approx(by_hand)


def test_the_beta_factor_leans_on_the_market_by_the_difference_of_betas() -> None:
    returns, market = _market(3, 900)

    factor = characteristic_factors(returns, market)[:, 2]

    slope = np.polyfit(market[MOMENTUM_DAYS:], factor, 1)[0]
    assert slope == pytest.approx(np.linspace(0.4, 1.6, 10)[-3:].mean() - np.linspace(0.4, 1.6, 10)[:3].mean(), abs=0.1)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(260, 395))
def test_no_factor_looks_ahead(seed: int, cut: int) -> None:
    returns, market = _market(seed)

    whole, part = characteristic_factors(returns, market), characteristic_factors(returns[:cut], market[:cut])

    np.testing.assert_allclose(part, whole[: len(part)], atol=1e-12)


def test_a_year_before_the_first_day_is_needed() -> None:
    returns, market = _market(1, 253)

    with pytest.raises(SampleError, match="found 253 days, expected at least 254"):
        characteristic_factors(returns, market)
