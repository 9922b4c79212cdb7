"""The flip rate: none by the rules, some by a model that wavers, and the same figure for the same seeds."""

from typing import Any

import pytest
from parley.agents.llm.rules import RulesModel
from parley.evals.attacks.ground import SETTINGS, stretch
from parley.evals.determinism import StochasticModel, epoch_of, flips_of, legs_of
from parley.gate.limits import load_limits

DAYS = 2


@pytest.fixture(scope="module")
def ground() -> Any:
    data = stretch(40)
    return data, data.history().sessions_between()[-40::20]


def flips(ground: Any, models: list[Any]) -> Any:
    data, sessions = ground
    said = [[legs_of(data, day, model, SETTINGS, load_limits()) for model in models] for day in sessions[:DAYS]]
    return flips_of(models[-1].name, said)


def test_the_rules_never_decide_otherwise(ground: Any) -> None:
    count = flips(ground, [epoch_of("rules", epoch) for epoch in range(3)])

    assert (count.model, count.epochs, count.decisions) == ("rules", 3, DAYS)
    assert count.legs > 0
    assert count.flipped == count.other_sizes == 0


def test_a_model_that_wavers_is_seen_to_and_a_seed_repeats_it(ground: Any) -> None:
    wavering = flips(ground, [epoch_of("stochastic", epoch) for epoch in range(3)])

    assert wavering.flipped + wavering.other_sizes > 0
    assert flips(ground, [StochasticModel(7), StochasticModel(7)]).flipped == 0


def test_legs_are_counted_once_whoever_traded_them(ground: Any) -> None:
    mixed = flips(ground, [RulesModel(), StochasticModel(1), StochasticModel(2)])

    assert mixed.flipped + mixed.other_sizes <= mixed.legs <= 6 * DAYS
