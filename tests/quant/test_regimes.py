"""Regimes: the likelihood of hmmlearn, a causal filter, and recovery of a known chain."""

from __future__ import annotations

import numpy as np
import pytest
from hmmlearn.hmm import GaussianHMM
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError
from parley.quant.regimes import (
    RegimeModel,
    choose_regimes,
    filter_regimes,
    filter_step,
    fit_regimes,
    log_likelihood,
)


def _chain(seed: int, n_days: int, vols: tuple[float, ...], stay: float = 0.98) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    state = np.zeros(n_days, dtype=int)
    for t in range(1, n_days):
        moves = [k for k in range(len(vols)) if k != state[t - 1]]
        state[t] = state[t - 1] if rng.random() < stay else rng.choice(moves)
    return rng.normal(np.where(state > 0, -0.005, 0.001), np.array(vols)[state]), state


def _oracle(model: RegimeModel) -> GaussianHMM:
    oracle = GaussianHMM(n_components=len(model.vol), covariance_type="diag")
    oracle.startprob_, oracle.transmat_ = model.start, model.transition
    oracle.means_, oracle.covars_ = model.mean[:, None], np.square(model.vol)[:, None]
    return oracle


@pytest.fixture(scope="module")
def fitted() -> tuple[RegimeModel, np.ndarray, np.ndarray]:
    returns, state = _chain(1, 1500, (0.006, 0.02))
    return fit_regimes(returns, 2), returns, state


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(2, 3), st.integers(1, 130))
def test_the_log_likelihood_is_hmmlearns(seed: int, n_states: int, n_days: int) -> None:
    rng = np.random.default_rng(seed)
    model = RegimeModel(
        start=rng.dirichlet(np.ones(n_states)),
        transition=rng.dirichlet(np.ones(n_states), n_states),
        mean=rng.normal(0.0, 0.01, n_states),
        vol=np.sort(rng.uniform(0.005, 0.05, n_states)),
        log_likelihood=0.0,
        n_rows=n_days,
    )
    returns = rng.normal(0.0, 0.02, n_days)

    assert log_likelihood(model, returns) == pytest.approx(_oracle(model).score(returns[:, None]), rel=1e-9)


def test_a_fit_is_as_likely_as_the_one_hmmlearn_reaches_from_it(
    fitted: tuple[RegimeModel, np.ndarray, np.ndarray],
) -> None:
    model, returns, _ = fitted
    oracle = _oracle(model)
    oracle.init_params, oracle.n_iter, oracle.tol = "", 200, 1e-6
    oracle.startprob_prior = oracle.transmat_prior = 1.0
    oracle.covars_prior, oracle.covars_weight = 0, 0

    oracle.fit(returns[:, None])
    variances = np.array([oracle.covars_], dtype=float)

    assert model.log_likelihood == pytest.approx(oracle.score(returns[:, None]), abs=0.5)
    order = np.argsort(variances.ravel())
    np.testing.assert_allclose(model.vol, np.sqrt(variances.ravel()[order]), rtol=0.02)
    np.testing.assert_allclose(model.mean, np.ravel(oracle.means_)[order], atol=1e-4)


def test_long_runs_of_nearly_impossible_switches_do_not_underflow() -> None:
    model = RegimeModel(
        start=np.array([0.5, 0.5]),
        transition=np.array([[1.0 - 1e-12, 1e-12], [1e-12, 1.0 - 1e-12]]),
        mean=np.zeros(2),
        vol=np.array([1e-13, 0.5]),
        log_likelihood=0.0,
        n_rows=3000,
    )
    returns = np.where(np.arange(3000) % 2 == 0, 0.0, 0.9)

    assert log_likelihood(model, returns) == pytest.approx(_oracle(model).score(returns[:, None]), rel=1e-9)


def test_a_known_chain_is_recovered(fitted: tuple[RegimeModel, np.ndarray, np.ndarray]) -> None:
    model, returns, state = fitted

    np.testing.assert_allclose(model.vol, [0.006, 0.02], rtol=0.1)
    np.testing.assert_allclose(np.diag(model.transition), 0.98, atol=0.015)
    seen = filter_regimes(model, returns).argmax(axis=1)
    assert (seen == state).mean() > 0.9
    assert model.labels == ("calm", "stressed")


def test_bic_counts_the_states_that_are_there() -> None:
    two, _ = _chain(2, 1200, (0.006, 0.02))
    three, _ = _chain(3, 1800, (0.004, 0.012, 0.04))

    assert choose_regimes(two).labels == ("calm", "stressed")
    assert choose_regimes(three).labels == ("calm", "stressed", "crisis")


def test_the_filter_never_looks_ahead(fitted: tuple[RegimeModel, np.ndarray, np.ndarray]) -> None:
    model, returns, _ = fitted
    whole = filter_regimes(model, returns)

    for t in (0, 1, 2, 10, 99, 700):
        np.testing.assert_allclose(filter_regimes(model, returns[: t + 1])[t], whole[t], atol=1e-12)
    spoiled = np.concatenate([returns[:700], 10.0 * returns[700:]])
    np.testing.assert_allclose(filter_regimes(model, spoiled)[:700], whole[:700], atol=1e-12)


def test_steps_of_the_filter_give_the_whole_filter(
    fitted: tuple[RegimeModel, np.ndarray, np.ndarray],
) -> None:
    model, returns, _ = fitted
    log_alpha = None
    steps = []

    for x in returns[:300]:
        log_alpha = filter_step(model, log_alpha, float(x))
        steps.append(np.exp(log_alpha))

    np.testing.assert_allclose(steps, filter_regimes(model, returns[:300]), atol=1e-10)


def test_a_crash_of_thirty_deviations_leaves_probabilities_finite(
    fitted: tuple[RegimeModel, np.ndarray, np.ndarray],
) -> None:
    model, _, _ = fitted

    seen = filter_regimes(model, np.array([0.001, -0.6, 0.001]))

    np.testing.assert_allclose(seen.sum(axis=1), 1.0)
    assert seen[1, 1] == pytest.approx(1.0)
    assert np.isfinite(filter_step(model, np.log(seen[0]), -0.6)).all()


def test_a_fit_is_deterministic_and_scales_with_its_unit() -> None:
    returns, _ = _chain(4, 400, (0.006, 0.02))

    once, again, scaled = (fit_regimes(x, 2) for x in (returns, returns.copy(), 100.0 * returns))

    assert once.transition.tobytes() == again.transition.tobytes()
    np.testing.assert_allclose(scaled.vol, 100.0 * once.vol, rtol=1e-6)


def test_unusable_series_are_refused() -> None:
    with pytest.raises(ParameterError):
        fit_regimes(np.zeros(500), 4)
    with pytest.raises(SampleError, match="expected at least 100"):
        fit_regimes(np.zeros(99), 2)
    with pytest.raises(SampleError, match="never move"):
        fit_regimes(np.full(200, 0.001), 2)
    with pytest.raises(SampleError, match="NaN"):
        fit_regimes(np.full(200, np.nan), 2)


def test_a_nan_return_is_refused_by_the_filter(fitted: tuple[RegimeModel, np.ndarray, np.ndarray]) -> None:
    with pytest.raises(SampleError, match="NaN"):
        filter_step(fitted[0], None, float("nan"))
