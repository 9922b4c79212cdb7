"""Least expected shortfall: by hand, skfolio, optimality over the simplex, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, SolverError
from parley.quant.tail_optimizer import min_expected_shortfall
from parley.quant.var import expected_shortfall
from parley.quant.weight_limits import GroupLimits


def _returns(seed: int, n_days: int = 120, n_names: int = 5) -> np.ndarray:
    return np.clip(np.random.default_rng(seed).standard_t(4, (n_days, n_names)) * 0.008 + 0.0004, -0.5, 0.5)


def test_two_mirrored_names_are_split_evenly() -> None:
    # By hand: each day one name loses 2 % and the other gains 3 %, so halves gain 0.5 % every day.
    returns = np.tile([[0.03, -0.02], [-0.02, 0.03]], (20, 1))

    found = min_expected_shortfall(returns, 0.9)

    np.testing.assert_allclose(found.weights, [0.5, 0.5], atol=1e-9)
    assert found.expected_shortfall == pytest.approx(-0.005)
    assert found.mean == pytest.approx(0.005)


def test_the_weights_are_not_worse_than_skfolios() -> None:
    from skfolio.measures import RiskMeasure
    from skfolio.optimization import MeanRisk

    returns = _returns(1, 250, 8)
    theirs = np.asarray(MeanRisk(risk_measure=RiskMeasure.CVAR, cvar_beta=0.95).fit(returns).weights_, dtype=float)

    found = min_expected_shortfall(returns, 0.95)

    tail = expected_shortfall(np.asarray(returns @ theirs, dtype=np.float64), 0.95)
    assert found.expected_shortfall <= tail + 1e-9
    assert found.expected_shortfall == pytest.approx(tail, rel=1e-3)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.8, 0.93, 0.975]))
def test_no_other_long_only_mix_has_a_smaller_tail(seed: int, level: float) -> None:
    returns = _returns(seed)

    found = min_expected_shortfall(returns, level, upper=0.6)

    assert found.weights.sum() == pytest.approx(1.0, abs=1e-6)
    assert found.expected_shortfall >= found.value_at_risk
    rng = np.random.default_rng(seed)
    for other in rng.dirichlet(np.ones(5), 60):
        if other.max() <= 0.6:
            assert expected_shortfall(returns @ other, level) >= found.expected_shortfall - 1e-9


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_asking_for_more_return_never_shrinks_the_tail(seed: int) -> None:
    returns = _returns(seed)
    means = np.sort(returns.mean(axis=0))

    tails = [min_expected_shortfall(returns, min_mean=float(at)) for at in np.linspace(means[0], means[-1] - 1e-7, 4)]

    assert all(np.diff([tail.expected_shortfall for tail in tails]) >= -1e-9)
    assert tails[-1].mean == pytest.approx(means[-1], abs=1e-6)


def test_conflicts_are_named_and_unusable_samples_refused() -> None:
    returns = _returns(2)

    with pytest.raises(SolverError, match=r"total of 1; mean return at least 0\.1"):
        min_expected_shortfall(returns, min_mean=0.1)
    with pytest.raises(SolverError, match=r"total of 1; group a at most 0\.4; group b at most 0\.5"):
        min_expected_shortfall(returns, groups=GroupLimits.of_labels("aabbb", {"a": 0.4, "b": 0.5}))
    with pytest.raises(SampleError, match="rows"):
        min_expected_shortfall(returns[:39], 0.975)
    with pytest.raises(SampleError, match="every return is zero"):
        min_expected_shortfall(np.zeros((100, 2)))
    with pytest.raises(SampleError, match="NaN"):
        min_expected_shortfall(np.full((100, 2), np.nan))
    with pytest.raises(ParameterError):
        min_expected_shortfall(returns, 1.0)
    with pytest.raises(ParameterError, match="min_mean"):
        min_expected_shortfall(returns, min_mean=np.inf)
