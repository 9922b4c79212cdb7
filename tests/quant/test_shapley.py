"""Shapley values: games whose answer is in the books, and the four axioms that define them."""

from collections.abc import Callable
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from parley.quant.errors import SampleError, ShapeError
from parley.quant.shapley import shapley_values

SETTINGS = settings(max_examples=40, deadline=None)
WORTHS = st.integers(1, 5).flatmap(lambda n: arrays(np.float64, 2**n, elements=st.floats(-1e3, 1e3)))


def game(n_players: int, worth: Callable[[set[int]], float]) -> np.ndarray:
    return np.array(
        [worth({player for player in range(n_players) if row >> player & 1}) for row in range(2**n_players)]
    )


def test_the_owner_of_the_scarce_glove_gets_four_sixths() -> None:
    """Osborne and Rubinstein (1994), A Course in Game Theory, example 259.3 with two left gloves and one right one."""
    pairs = game(3, lambda team: float(2 in team and bool(team & {0, 1})))

    assert shapley_values(pairs) == pytest.approx([1 / 6, 1 / 6, 4 / 6], abs=1e-12)


def test_an_airport_runway_is_shared_by_those_who_need_each_stretch() -> None:
    """Littlechild and Owen (1973), Management Science 20: a stretch is paid in equal parts by all who need it."""
    costs = (8.0, 11.0, 13.0, 18.0)
    runway = game(4, lambda team: max((costs[player] for player in team), default=0.0))

    assert shapley_values(runway) == pytest.approx([2.0, 3.0, 4.0, 9.0], abs=1e-12)


def test_a_permanent_member_of_the_security_council_has_a_fifth_of_all_power() -> None:
    """Shapley and Shubik (1954), APSR 48, with the ten elected members of today: 0.1963 and 0.00186."""
    council = game(15, lambda team: float({0, 1, 2, 3, 4} <= team and len(team) >= 9))

    power = shapley_values(council)

    assert power[:5] == pytest.approx([0.19627] * 5, abs=1e-5)
    assert power[5:] == pytest.approx([0.0018648] * 10, abs=1e-7)


@SETTINGS
@given(WORTHS)
def test_the_values_add_up_to_what_everybody_adds_to_nobody(worths: np.ndarray) -> None:
    assert shapley_values(worths).sum() == pytest.approx(worths[-1] - worths[0], abs=1e-9)


@SETTINGS
@given(WORTHS)
def test_a_player_who_changes_no_coalition_is_worth_nothing_and_moves_nobody(worths: np.ndarray) -> None:
    with_dummy = np.concatenate([worths, worths])

    values = shapley_values(with_dummy)

    assert values[-1] == pytest.approx(0.0, abs=1e-9)
    assert values[:-1] == pytest.approx(shapley_values(worths), abs=1e-9)


@SETTINGS
@given(WORTHS, st.randoms(use_true_random=False))
def test_renaming_the_players_renames_their_values(worths: np.ndarray, chance: Random) -> None:
    n_players = len(worths).bit_length() - 1
    order = list(range(n_players))
    chance.shuffle(order)
    renamed = np.array(
        [
            worths[sum(1 << order[player] for player in range(n_players) if row >> player & 1)]
            for row in range(len(worths))
        ]
    )

    assert shapley_values(renamed) == pytest.approx(shapley_values(worths)[order], abs=1e-9)


@SETTINGS
@given(WORTHS, st.floats(-10, 10))
def test_games_that_are_added_add_their_values_and_are_solved_side_by_side(worths: np.ndarray, scale: float) -> None:
    other = np.arange(len(worths), dtype=np.float64) ** 2
    together = shapley_values(np.column_stack([worths, other, scale * worths + other]))

    assert together[:, 0] == pytest.approx(shapley_values(worths), abs=1e-9)
    assert together[:, 2] == pytest.approx(scale * together[:, 0] + together[:, 1], abs=1e-6)


@pytest.mark.parametrize("shape", [(), (1,), (3,), (15, 2), (2, 2, 2)])
def test_a_table_that_leaves_coalitions_out_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="expected"):
        shapley_values(np.zeros(shape))


def test_a_coalition_without_a_worth_is_refused() -> None:
    with pytest.raises(SampleError, match="1 NaN"):
        shapley_values([0.0, 1.0, np.nan, 2.0])
