"""Online regimes: the batch filter at rate zero, the E-step by brute force, and drift that only learning follows."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError
from parley.quant.online_regimes import begin_online, learn_path, learn_step
from parley.quant.regimes import RegimeModel, candidate_regimes, choose_regimes, filter_regimes, log_likelihood

FITTED = np.random.default_rng(5).normal(0.0, 0.01, 80)


def _model(n_states: int = 2) -> RegimeModel:
    stay = 0.95
    transition = np.full((n_states, n_states), (1 - stay) / (n_states - 1))
    np.fill_diagonal(transition, stay)
    return RegimeModel(
        start=np.full(n_states, 1 / n_states),
        transition=transition,
        mean=np.linspace(0.001, -0.003, n_states),
        vol=np.array([0.008, 0.016, 0.032])[:n_states],
        log_likelihood=0.0,
        n_rows=500,
    )


def _drifting(seed: int, n_days: int) -> np.ndarray:
    """Two states whose volatilities slowly double."""
    rng = np.random.default_rng(seed)
    state = np.zeros(n_days, dtype=int)
    for t in range(1, n_days):
        state[t] = state[t - 1] if rng.random() < 0.98 else 1 - state[t - 1]
    growth = 2.0 ** (np.arange(n_days) / n_days)
    return rng.normal(0.0005, np.array([0.006, 0.02])[state] * growth)


@pytest.mark.parametrize("n_states", [2, 3])
def test_at_rate_zero_it_is_the_batch_filter_with_the_parameters_begun_with(n_states: int) -> None:
    model = _model(n_states)
    later = np.random.default_rng(6).normal(0.0, 0.015, 200)
    both = np.concatenate([FITTED, later])

    path = learn_path(model, FITTED, later, 0.0)

    np.testing.assert_allclose(path.probability, filter_regimes(model, both)[len(FITTED) :], rtol=1e-9, atol=1e-12)
    gained = log_likelihood(model, both) - log_likelihood(model, FITTED)
    assert path.log_density.sum() == pytest.approx(gained, rel=1e-10)
    np.testing.assert_array_equal(path.last.vol, model.vol)
    np.testing.assert_array_equal(path.last.transition, model.transition)


def test_its_statistics_are_the_discounted_expectations_over_all_paths_of_states() -> None:
    """Brute force over the 2^6 paths of six days, weighted (1 - rate)^age: Cappe (2011), equation 2.

    The first step is compared: parameters are those begun with while the statistics are gathered.
    """
    model, rate = _model(), 0.1
    state = begin_online(model, FITTED)
    share, first = state.jumps.sum(axis=(1, 2)) / 2, state.probability
    x = np.array([0.004, -0.02, 0.01, 0.03, -0.001, -0.015])
    jumps, total = np.zeros((2, 2)), 0.0
    for path in itertools.product((0, 1), repeat=len(x) + 1):
        weight = first[path[0]]
        for before, now, value in zip(path, path[1:], x, strict=False):
            density = np.exp(-0.5 * ((value - model.mean[now]) / model.vol[now]) ** 2) / model.vol[now]
            weight *= model.transition[before, now] * density
        counted = (1 - rate) ** len(x) * share[:, None] * model.transition
        for age, (before, now) in enumerate(zip(path[::-1][1:], path[::-1], strict=False)):
            counted[before, now] += rate * (1 - rate) ** age
        jumps += weight * counted
        total += weight

    for value in x.tolist():
        gathered, _ = learn_step(state, value, rate)
        # The statistics with the parameters held: what the next step starts from.
        state = type(state)(
            model.transition, model.mean, model.vol, gathered.probability, gathered.jumps, gathered.moments, 0.0
        )

    np.testing.assert_allclose(state.jumps @ state.probability, jumps / total, rtol=1e-9)


def test_it_beats_the_frozen_model_where_volatilities_drift() -> None:
    gains = []
    for seed in range(3):
        returns = _drifting(seed, 3000)
        fitted, later = returns[:1000], returns[1000:]
        model = choose_regimes(fitted)
        frozen, online = (learn_path(model, fitted, later, rate).log_density for rate in (0.0, 1 / 500))
        gains.append(float((online - frozen).mean()))

    assert min(gains) > 0.005


def test_it_costs_next_to_nothing_where_nothing_drifts() -> None:
    returns = _drifting(4, 3000) / 2.0 ** (np.arange(3000) / 3000)
    fitted, later = returns[:1500], returns[1500:]
    model = choose_regimes(fitted)

    frozen, online = (learn_path(model, fitted, later, rate).log_density.mean() for rate in (0.0, 1 / 500))

    assert online > frozen - 0.005


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(-0.3, 0.3), min_size=1, max_size=40),
    st.floats(0.0, 0.5),
    st.sampled_from([2, 3]),
)
def test_whatever_comes_probabilities_sum_to_one_states_stay_in_order_and_the_past_stays(
    values: list[float], rate: float, n_states: int
) -> None:
    path = learn_path(_model(n_states), FITTED, values, rate)
    shorter = learn_path(_model(n_states), FITTED, values[: len(values) // 2 + 1], rate)

    np.testing.assert_allclose(path.probability.sum(axis=1), 1.0)
    np.testing.assert_allclose(path.last.transition.sum(axis=1), 1.0)
    assert np.isfinite(path.log_density).all()
    assert (np.diff(path.last.vol) >= 0.0).all() and path.last.vol[0] >= 0.1 * 0.008 * (1 - 1e-12)
    np.testing.assert_array_equal(path.probability[: len(shorter.probability)], shorter.probability)


def test_states_change_places_when_the_calm_one_becomes_the_rougher() -> None:
    apart = RegimeModel(
        np.array([0.5, 0.5]), np.full((2, 2), 0.5), np.array([0.1, -0.1]), np.array([0.01, 0.02]), 0.0, 500
    )
    rng = np.random.default_rng(8)
    up = rng.random(600) < 0.5
    later = np.where(up, rng.normal(0.1, 0.02, 600), rng.normal(-0.1, 0.005, 600))

    path = learn_path(apart, FITTED, later, 1 / 50)

    assert path.last.vol == pytest.approx([0.005, 0.02], rel=0.3)
    assert path.last.mean == pytest.approx([-0.1, 0.1], abs=0.02)
    assert (path.probability[-1].argmax() == 1) == up[-1]


def test_a_state_that_cannot_be_reached_does_not_empty_the_rest() -> None:
    model = _model()
    stuck = RegimeModel(np.array([1.0, 0.0]), np.eye(2), model.mean, model.vol, 0.0, 500)

    path = learn_path(stuck, FITTED, [0.9, 0.001], 0.01)

    assert np.isfinite(path.log_density).all()
    np.testing.assert_allclose(path.probability.sum(axis=1), 1.0)


@pytest.mark.parametrize(("value", "rate", "error"), [(np.nan, 0.1, SampleError), (0.01, 1.0, ParameterError)])
def test_bad_input_is_refused(value: float, rate: float, error: type[Exception]) -> None:
    with pytest.raises(error):
        learn_step(begin_online(_model(), FITTED), value, rate)
    with pytest.raises(SampleError):
        begin_online(_model(), [])


def test_the_chosen_model_is_the_candidate_with_the_lowest_bic() -> None:
    returns = _drifting(1, 800)

    candidates = candidate_regimes(returns)

    assert [len(each.vol) for each in candidates] == [2, 3]
    assert choose_regimes(returns).bic == min(each.bic for each in candidates)
