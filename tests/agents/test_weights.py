"""Weights that learn: the formula by hand, the bound from the literature, and what no losses can do."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.agents.consensus import VOTING_WEIGHTS
from parley.agents.weights import CAP, DECAY, FLOOR, MIN_ROUNDS, RATE, adapted_weights, hedge_weights, within_bounds
from parley.domain.views import Agent

AGENTS = tuple(Agent)
LOSSES = st.lists(
    st.dictionaries(st.sampled_from(AGENTS), st.floats(0.0, 1.0, allow_nan=False), max_size=4), max_size=60
)


def test_one_round_comes_out_as_by_hand():
    prior = {Agent.ANALYST: 0.5, Agent.RISK: 0.5}

    weights = hedge_weights([{Agent.ANALYST: 0.0, Agent.RISK: 1.0}], prior, rate=1.0, decay=1.0)

    # Hedge: 0.5 e^0 against 0.5 e^-1; taking the mean loss from both changes no share.
    assert weights[Agent.ANALYST] == pytest.approx(1.0 / (1.0 + math.exp(-1.0)), abs=1e-12)


def test_two_rounds_with_decay_come_out_as_by_hand():
    prior = {Agent.ANALYST: 0.5, Agent.RISK: 0.5}
    rounds = [{Agent.ANALYST: 0.0, Agent.RISK: 1.0}, {}]

    weights = hedge_weights(rounds, prior, rate=1.0, decay=0.5)

    # The gap of 1 between the scores is half forgotten in a round in which nobody spoke.
    assert weights[Agent.ANALYST] == pytest.approx(1.0 / (1.0 + math.exp(-0.5)), abs=1e-12)


def test_the_regret_on_a_random_sequence_is_within_the_bound_of_hedge():
    # Cesa-Bianchi and Lugosi (2006), Prediction, Learning, and Games, theorem 2.2: ln(n) / rate + rate * T / 8.
    rng, n_rounds = np.random.default_rng(7), 200
    table = rng.random((n_rounds, 4)) * np.array([0.6, 0.8, 1.0, 1.0])
    rounds = [dict(zip(AGENTS, row.tolist(), strict=True)) for row in table]
    prior = dict.fromkeys(AGENTS, 0.25)
    rate = math.sqrt(8.0 * math.log(4) / n_rounds)
    suffered = 0.0
    for place in range(n_rounds):
        weights = hedge_weights(rounds[:place], prior, rate=rate, decay=1.0)
        suffered += sum(weights[agent] * rounds[place][agent] for agent in AGENTS)

    regret = suffered - float(table.sum(axis=0).min())

    assert 0.0 < regret <= math.log(4) / rate + rate * n_rounds / 8


def test_the_rate_is_the_one_of_least_bound_over_ten_years_of_thirteen_decisions():
    assert math.isclose(RATE, math.sqrt(8 * math.log(4) / 130), abs_tol=0.01)
    assert math.isclose(DECAY**69, 0.5, abs_tol=0.01)


def test_the_documents_weights_stand_while_there_is_little_to_go_by():
    rounds = [{Agent.ANALYST: 1.0, Agent.RISK: 0.0}] * (MIN_ROUNDS - 1)

    assert adapted_weights(rounds) == VOTING_WEIGHTS
    assert adapted_weights([*rounds, rounds[0]])[Agent.ANALYST] < VOTING_WEIGHTS[Agent.ANALYST]


def test_bounds_keep_the_sum_and_the_proportions_of_those_inside():
    weights = within_bounds({Agent.ANALYST: 0.9, Agent.RISK: 0.06, Agent.OPTIMIZER: 0.03, Agent.EXECUTION: 0.01})

    assert weights[Agent.ANALYST] == CAP
    assert math.fsum(weights.values()) == pytest.approx(1.0, abs=1e-9)
    assert weights[Agent.RISK] / weights[Agent.OPTIMIZER] == pytest.approx(2.0, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(LOSSES)
def test_nobody_is_silenced_and_nobody_decides_alone(rounds: list[dict[Agent, float]]):
    weights = adapted_weights(rounds * 3)

    assert all(FLOOR - 1e-6 <= weight <= CAP + 1e-6 for weight in weights.values())
    assert math.fsum(weights.values()) == pytest.approx(1.0, abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(LOSSES)
def test_who_never_speaks_keeps_its_place_among_the_others(rounds: list[dict[Agent, float]]):
    heard = [{agent: loss for agent, loss in losses.items() if agent is not Agent.RISK} for losses in rounds]
    alike = [dict.fromkeys(losses, 0.4) for losses in heard]

    assert hedge_weights(alike) == pytest.approx(VOTING_WEIGHTS, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(LOSSES.filter(bool), st.sampled_from(AGENTS))
def test_a_larger_loss_in_one_round_never_raises_a_weight(rounds: list[dict[Agent, float]], agent: Agent):
    last = {**dict.fromkeys(AGENTS, 0.3), **rounds[-1]}
    better, worse = hedge_weights([*rounds, last]), hedge_weights([*rounds, {**last, agent: 1.0}])

    assert worse[agent] <= better[agent] + 1e-12
