"""Regimes: the likelihood of hmmlearn, a causal filter, and recovery of a known chain."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from typing import Any

import numba
import numpy as np
import pytest
from hmmlearn.hmm import GaussianHMM
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant import hmm_kernel
from parley.quant.errors import ParameterError, SampleError
from parley.quant.regimes import (
    RegimeModel,
    choose_regimes,
    filter_regimes,
    filter_step,
    fit_regimes,
    log_likelihood,
    warm_up,
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


def _guess(n_states: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    transition = np.full((n_states, n_states), 0.1 / (n_states - 1))
    np.fill_diagonal(transition, 0.9)
    return np.full(n_states, 1.0 / n_states), transition, np.zeros(n_states), 1e-4 * 4.0 ** np.arange(n_states)


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


@pytest.mark.parametrize("n_states", [2, 3])
@pytest.mark.parametrize("implementation", ["log", "scaling"])
def test_twelve_rounds_from_a_start_reach_the_parameters_of_hmmlearn(n_states: int, implementation: str) -> None:
    x, _ = _chain(5, 900, (0.006, 0.012, 0.03))
    guess = _guess(n_states)
    oracle = GaussianHMM(
        n_states,
        n_iter=12,
        tol=-np.inf,
        init_params="",
        implementation=implementation,
        covars_prior=0.0,
        covars_weight=0,
        min_covar=0.0,
    )
    oracle.startprob_, oracle.transmat_, oracle.means_ = guess[0], guess[1], guess[2][:, None]
    oracle.covars_ = guess[3][:, None]
    oracle.fit(x[:, None])

    fit = hmm_kernel.maximize(x, *guess, variance_floor=1e-12, max_rounds=12, least_gain=-np.inf)

    assert fit.log_likelihood == pytest.approx(oracle.score(x[:, None]), rel=1e-9)
    np.testing.assert_allclose(fit.transition, oracle.transmat_, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(fit.mean, np.ravel(oracle.means_), rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(fit.variance, np.ravel(np.asarray(oracle.covars_)), rtol=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(2, 3), st.integers(2, 6))
def test_one_round_weighs_every_path_of_states_by_its_probability(seed: int, n_states: int, n_days: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(0.0, 0.02, n_days)
    start, transition = rng.dirichlet(np.ones(n_states)), rng.dirichlet(np.ones(n_states), n_states)
    mean, variance = rng.normal(0.0, 0.01, n_states), rng.uniform(1e-4, 1e-3, n_states)
    density = np.exp(-0.5 * np.square(x[:, None] - mean) / variance) / np.sqrt(2.0 * np.pi * variance)
    days, counts, total = np.zeros((n_days, n_states)), np.zeros((n_states, n_states)), 0.0
    for path in itertools.product(range(n_states), repeat=n_days):
        weight = start[path[0]] * np.prod(density[range(n_days), path])
        weight *= np.prod([transition[i, j] for i, j in itertools.pairwise(path)])
        total += weight
        days[range(n_days), path] += weight
        for i, j in itertools.pairwise(path):
            counts[i, j] += weight
    share = days / total
    expected_mean = share.T @ x / share.sum(axis=0)
    expected_variance = (share * np.square(x[:, None] - expected_mean)).sum(axis=0) / share.sum(axis=0)

    guess = (start, transition, mean, variance)
    fit = hmm_kernel.maximize(x, *guess, variance_floor=1e-12, max_rounds=1, least_gain=-np.inf)

    assert log_likelihood(RegimeModel(start, transition, mean, np.sqrt(variance), 0.0, n_days), x) == pytest.approx(
        np.log(total), rel=1e-9, abs=1e-9
    )
    np.testing.assert_allclose(fit.start, share[0], rtol=1e-8)
    np.testing.assert_allclose(fit.transition, counts / counts.sum(axis=1, keepdims=True), rtol=1e-8)
    np.testing.assert_allclose(fit.mean, expected_mean, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(fit.variance, np.maximum(expected_variance, 1e-12), rtol=1e-6, atol=1e-14)


def test_a_round_leaves_its_guess_as_it_was() -> None:
    x, _ = _chain(6, 200, (0.006, 0.02))
    guess = _guess(2)
    kept = [part.copy() for part in guess]

    hmm_kernel.maximize(x, *guess, variance_floor=1e-9, max_rounds=3, least_gain=0.0)

    for part, before in zip(guess, kept, strict=True):
        np.testing.assert_array_equal(part, before)


def test_a_state_that_cannot_be_reached_keeps_its_parameters_and_spoils_nothing() -> None:
    x, _ = _chain(7, 300, (0.01, 0.01))
    start, transition = np.array([1.0, 0.0]), np.array([[1.0, 0.0], [0.5, 0.5]])

    fit = hmm_kernel.maximize(
        x,
        start,
        transition,
        np.array([0.0, 0.02]),
        np.array([1e-4, 4e-4]),
        variance_floor=1e-9,
        max_rounds=5,
        least_gain=-np.inf,
    )

    assert (fit.mean[1], fit.variance[1]) == (0.02, 4e-4)
    np.testing.assert_array_equal(fit.transition, transition)
    assert fit.mean[0] == pytest.approx(x.mean(), abs=1e-15)
    assert fit.variance[0] == pytest.approx(x.var(), rel=1e-12)


def test_a_state_on_a_single_day_gets_no_less_than_the_variance_floor() -> None:
    x = np.where(np.arange(300) == 150, 0.5, np.sin(np.arange(300.0)) / 100.0)
    guess = (np.full(2, 0.5), np.array([[0.99, 0.01], [0.5, 0.5]]), np.array([0.0, 0.5]), np.array([1e-4, 1e-4]))

    fit = hmm_kernel.maximize(x, *guess, variance_floor=1e-6, max_rounds=20, least_gain=-np.inf)

    assert fit.variance[1] == 1e-6
    assert np.isfinite(fit.log_likelihood)


def test_a_warm_start_leaves_nothing_to_compile() -> None:
    kernels: list[Any] = [hmm_kernel._forward, hmm_kernel._rounds]
    warm_up()
    ready = [len(kernel.signatures) for kernel in kernels]
    returns, _ = _chain(8, 600, (0.006, 0.02))
    returns.flags.writeable = False

    model = choose_regimes(returns[::2])
    filter_regimes(model, returns[100:])

    assert [len(kernel.signatures) for kernel in kernels] == ready
    assert min(ready) >= 2


def test_without_a_disk_for_the_cache_the_kernels_are_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def njit(*kernels: Any, cache: bool = False) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return kernels[0]

    monkeypatch.setattr(numba, "njit", njit)

    assert hmm_kernel._compiled(math.fabs)(-3.0) == 3.0


def test_importing_the_regimes_does_not_import_the_compiler() -> None:
    asked = "import sys, parley.quant.regimes, parley.tools.estimators; sys.exit('numba' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


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
