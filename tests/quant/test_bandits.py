"""Bandits on arms of known means: their indices by hand, and their regret beside what theory allows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.bandits import lai_robbins_regret, thompson_draws, ucb1_indices, ucb1_regret_bound
from parley.quant.errors import ParameterError, SampleError, ShapeError


def test_an_index_is_the_mean_and_its_bound_and_an_untried_arm_comes_first() -> None:
    indices = ucb1_indices([3.0, 1.0, 0.0], [4, 2, 0])

    assert indices[:2] == pytest.approx([0.75 + np.sqrt(2 * np.log(6) / 4), 0.5 + np.sqrt(2 * np.log(6) / 2)])
    assert indices[2] == np.inf


def test_draws_have_the_mean_and_variance_of_the_beta_posterior() -> None:
    rng = np.random.default_rng(1)

    draws = np.array([thompson_draws([7.5], [10], rng)[0] for _ in range(20_000)])

    # Beta(8.5, 3.5): mean a / (a + b), variance ab / ((a + b)^2 (a + b + 1)).
    assert draws.mean() == pytest.approx(8.5 / 12, abs=0.005)
    assert draws.var() == pytest.approx(8.5 * 3.5 / (144 * 13), rel=0.05)


def test_the_bounds_are_those_of_the_papers_by_hand() -> None:
    # Two arms, 0.6 and 0.4, 1000 rounds: 8 ln(1000) / 0.2 + (1 + pi^2 / 3) 0.2.
    assert ucb1_regret_bound([0.6, 0.4], 1000) == pytest.approx(8 * np.log(1000) / 0.2 + (1 + np.pi**2 / 3) * 0.2)
    divergence = 0.4 * np.log(0.4 / 0.6) + 0.6 * np.log(0.6 / 0.4)
    assert lai_robbins_regret([0.6, 0.4], 1000) == pytest.approx(np.log(1000) * 0.2 / divergence)
    assert lai_robbins_regret([0.5, 0.5], 1000) == ucb1_regret_bound([0.5, 0.5], 1000) == 0.0
    assert lai_robbins_regret([0.5, 0.0], 1000) == pytest.approx(np.log(1000) * 0.5 / np.log(2))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1)), min_size=1, max_size=6), st.integers(0, 999))
def test_draws_are_chances_indices_pass_the_mean_and_the_same_rng_draws_the_same(
    arms: list[tuple[int, float]], seed: int
) -> None:
    trials = np.array([count for count, _ in arms], dtype=float)
    rewards = trials * np.array([mean for _, mean in arms])

    draws, again = (thompson_draws(rewards, trials, np.random.default_rng(seed)) for _ in range(2))

    assert (draws == again).all()
    assert ((draws >= 0) & (draws <= 1)).all()
    assert (ucb1_indices(rewards, trials) >= rewards / trials).all()


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: ucb1_indices([2.0], [1]), SampleError, "arm 0: rewards sum to 2 over 1 trials"),
        (lambda: ucb1_indices([-0.1, 0.5], [1, 1]), SampleError, "arm 0"),
        (lambda: ucb1_indices([0.5], [1, 1]), ShapeError, "trials"),
        (lambda: thompson_draws([np.nan], [1], np.random.default_rng(1)), SampleError, "NaN"),
        (lambda: ucb1_regret_bound([0.5, 1.5], 10), SampleError, "within"),
        (lambda: ucb1_regret_bound([0.5, 0.4], 0), ParameterError, "n_rounds"),
        (lambda: lai_robbins_regret([1.0, 0.5], 10), ParameterError, "below 1"),
    ],
)
def test_bad_input_is_named(call: object, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call()  # pyright: ignore
