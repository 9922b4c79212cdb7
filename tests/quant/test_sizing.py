"""Sizes: Kelly and Thorp's own numbers, optima that nothing beats, and caps that always hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.policy import PolicyParams, exposure
from parley.quant.sizing import (
    Caps,
    atr_quantity,
    capped_weights,
    growth_rate,
    kelly_from_outcomes,
    kelly_weights,
    sized_book,
    vol_target_weight,
)


def _cov(seed: int, n: int) -> np.ndarray:
    root = np.random.default_rng(seed).normal(size=(n + 5, n)) * 0.1
    return root.T @ root / (n + 5)


def test_one_asset_kelly_is_thorps_index_example() -> None:
    # Thorp (2006), section 7: mean 0.11, deviation 0.15, cash 0.06: f* = 0.05 / 0.0225 = 2.22 and growth
    # 0.06 + 0.05^2 / (2 * 0.0225) = 0.1156; recalled from the paper and recomputed here from its inputs.
    mean, cov = np.array([0.05]), np.array([[0.0225]])
    weight = kelly_weights(mean, cov, fraction=1.0)

    assert weight == pytest.approx([2.2222], abs=1e-4)
    assert 0.06 + growth_rate(weight, mean, cov) == pytest.approx(0.1156, abs=5e-5)
    np.testing.assert_array_equal(kelly_weights(-mean, cov, fraction=1.0), -weight)


def test_half_kelly_keeps_three_quarters_of_the_growth() -> None:
    mean, cov = np.array([0.05, 0.08, 0.03]), _cov(1, 3)

    full, half = kelly_weights(mean, cov, fraction=1.0), kelly_weights(mean, cov)

    np.testing.assert_allclose(half, full / 2.0)
    assert growth_rate(half, mean, cov) == pytest.approx(0.75 * growth_rate(full, mean, cov))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_no_other_weights_grow_faster_than_full_kelly(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    mean, cov = rng.normal(0.03, 0.05, n), _cov(seed, n)
    best = kelly_weights(mean, cov, fraction=1.0)

    for _ in range(5):
        other = best + rng.normal(size=n)
        assert growth_rate(other, mean, cov) < growth_rate(best, mean, cov)


def test_simulated_wealth_grows_fastest_at_full_kelly() -> None:
    rng = np.random.default_rng(2)
    returns = rng.normal(0.0004, 0.01, 2_000_000)
    full = float(kelly_weights(returns.mean(keepdims=True), returns.var(keepdims=True)[:, None], fraction=1.0)[0])

    growth = [np.log1p(full * scale * returns).mean() for scale in (0.5, 1.0, 1.5)]

    assert growth[1] == max(growth)


def test_outcomes_of_a_bet_give_the_bets_own_fraction() -> None:
    # Kelly (1956): a bet at b to one stakes p - (1 - p) / b; even money at p = 0.6 is 0.2, two to one at 0.4 is 0.1,
    # and even money at p = 0.53, which Thorp (2006) also uses, 0.06.
    assert kelly_from_outcomes(np.array([1.0, 1.0, 1.0, -1.0, -1.0])) == pytest.approx(0.2)
    assert kelly_from_outcomes(np.array([2.0, 2.0, -1.0, -1.0, -1.0])) == pytest.approx(0.1)
    assert kelly_from_outcomes(np.repeat([1.0, -1.0], [53, 47])) == pytest.approx(0.06)
    assert kelly_from_outcomes(np.array([0.5, -1.0])) == 0.0


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-0.9, 2.0), min_size=3, max_size=30))
def test_no_other_stake_has_a_higher_mean_log_on_the_outcomes(outcomes: list[float]) -> None:
    sample = np.array([*outcomes, -0.5])

    best = kelly_from_outcomes(sample, cap=1.0)

    def mean_log(stake: float) -> float:
        return float(np.log1p(stake * sample).mean())

    for stake in np.linspace(0.0, min(1.0, -0.999 / sample.min()), 21):
        assert mean_log(stake) <= mean_log(best) + 1e-12


def test_vol_target_divides_and_caps() -> None:
    assert vol_target_weight(0.10, 0.20) == pytest.approx(0.5)
    assert vol_target_weight(0.10, 0.02) == 1.0
    assert vol_target_weight(0.10, 0.05, cap=3.0) == pytest.approx(2.0)


def test_an_atr_stop_loses_the_risk_it_was_sized_for() -> None:
    # 100,000 at 1 %, stop two ranges of 2.50 away: 1000 / 5 = 200 shares, worth 10,000.
    shares = atr_quantity(100_000.0, 50.0, 2.5)

    assert shares == pytest.approx(200.0)
    assert shares * 2.0 * 2.5 == pytest.approx(1_000.0)
    # A quiet name would be 20,000 shares; the cap of 15 % allows 300.
    assert atr_quantity(100_000.0, 50.0, 0.025) == pytest.approx(300.0)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.floats(-5.0, 5.0), min_size=1, max_size=12),
    st.floats(0.01, 1.0),
    st.floats(0.1, 2.0),
)
def test_caps_always_hold_and_never_scale_up(raw: list[float], max_weight: float, max_gross: float) -> None:
    weights = np.array(raw)

    capped = capped_weights(weights, Caps(max_weight, max_gross))

    assert np.abs(capped).max() <= max_weight * (1.0 + 1e-12)
    assert np.abs(capped).sum() <= max_gross * (1.0 + 1e-12)
    assert (np.abs(capped) <= np.abs(weights) + 1e-15).all()
    assert (capped * weights >= 0.0).all()


def test_a_sized_book_is_the_policys_exposure_under_the_caps() -> None:
    returns = np.random.default_rng(3).normal(0.0003, 0.01, (252, 4))
    book, params = np.array([0.7, 0.1, 0.1, 0.1]), PolicyParams()

    calm = sized_book(book, returns, equity=100.0, peak=100.0, caps=Caps(1.0, 1.0))
    fallen = sized_book(book, returns, equity=93.0, peak=100.0, caps=Caps(1.0, 1.0), vix=40.0)
    tight = sized_book(book, returns, equity=100.0, peak=100.0, caps=Caps(0.15, 1.0))

    expected = exposure(book, returns, None, 100.0, 100.0, params)
    np.testing.assert_allclose(calm.weights, book * expected.multiplier)
    assert not calm.is_capped
    assert fallen.exposure.k_dd < 1.0
    assert fallen.exposure.k_vix == pytest.approx(0.5)
    assert np.abs(fallen.weights).sum() < np.abs(calm.weights).sum()
    assert tight.is_capped
    assert tight.weights.max() == pytest.approx(0.15)


def test_unusable_sizes_are_refused() -> None:
    cov = _cov(4, 3)
    with pytest.raises(ParameterError, match="fraction"):
        kelly_weights(np.ones(3), cov, fraction=1.5)
    with pytest.raises(SampleError, match="NaN"):
        kelly_weights(np.full(3, np.nan), cov)
    with pytest.raises(SampleError, match="singular"):
        kelly_weights(np.ones(2), np.full((2, 2), 0.01))
    with pytest.raises(SampleError, match="singular"):
        kelly_weights(np.ones(2), np.diag([0.01, 0.0]))
    with pytest.raises(ShapeError):
        kelly_weights(np.ones(2), cov)
    with pytest.raises(SampleError, match="eigenvalue"):
        kelly_weights(np.ones(2), np.array([[1.0, 2.0], [2.0, 1.0]]))
    with pytest.raises(SampleError, match="at least one loss"):
        kelly_from_outcomes(np.array([0.1, 0.2]))
    with pytest.raises(SampleError, match="NaN"):
        kelly_from_outcomes(np.array([0.1, np.nan]))
    with pytest.raises(ParameterError):
        vol_target_weight(0.1, 0.0)
    with pytest.raises(ParameterError, match="atr"):
        atr_quantity(1e5, 50.0, 0.0)
    with pytest.raises(ParameterError):
        Caps(0.0)
    with pytest.raises(ParameterError):
        sized_book(np.ones(1), np.full((30, 1), 0.01), equity=-1.0, peak=1.0, caps=Caps())
