"""Confidence recalibrated: the pooled curve by hand and against scikit-learn, and that it only ever lowers a vote."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.agents.calibration import (
    MIN_CONFIDENCE,
    MIN_OUTCOMES,
    fitted_curves,
    isotonic,
    read_off,
    recalibrated,
    reliability,
)
from parley.agents.consensus import reach_consensus
from parley.domain.views import Agent, CalibrationStep, Vote

OUTCOMES = st.lists(st.tuples(st.integers(0, 100).map(lambda said: said / 100), st.booleans()), min_size=1, max_size=80)


def vote(agent: Agent, value: int, confidence: int) -> Vote:
    return Vote.model_validate({"agent": agent, "symbol": "AAA", "value": value, "confidence": confidence})


def test_neighbors_out_of_order_are_pooled_as_by_hand():
    curve = isotonic([(0.6, True), (0.6, True), (0.7, False), (0.7, True), (0.9, True)])

    # 0.6 came true 2 of 2 and 0.7 only 1 of 2: pooled, 3 of 4.
    assert curve == (CalibrationStep(until=0.7, share=0.75), CalibrationStep(until=0.9, share=1.0))
    assert [read_off(curve, said) for said in (0.5, 0.65, 0.7, 0.8, 0.99)] == [0.75, 0.75, 0.75, 1.0, 1.0]


def test_the_curve_is_that_of_scikit_learn():
    from sklearn.isotonic import IsotonicRegression

    rng = np.random.default_rng(3)
    said = rng.integers(50, 100, 400) / 100
    right = rng.random(400) < 0.3 + 0.4 * said

    curve = isotonic(zip(said.tolist(), right.tolist(), strict=True))

    ours = [read_off(curve, value) for value in said.tolist()]
    assert ours == pytest.approx(IsotonicRegression().fit(said, right).predict(said).tolist(), abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(OUTCOMES)
def test_the_curve_never_falls_and_never_scores_worse_on_what_it_was_fitted_to(outcomes: list[tuple[float, bool]]):
    curve = isotonic(outcomes)
    read = [(read_off(curve, said), was_right) for said, was_right in outcomes]

    shares = [step.share for step in curve]
    before, after = reliability(outcomes), reliability(read)

    assert shares == sorted(shares)
    assert before is not None and after is not None and after.brier <= before.brier + 1e-5


def test_reliability_comes_out_as_by_hand():
    found = reliability([(0.8, True), (0.8, False), (0.6, True), (0.6, True)])

    # Squares .04 .64 .16 .16; the bins miss by |1.6 - 1| and |1.2 - 2| over four votes.
    assert found is not None
    assert (found.brier, found.ece) == (pytest.approx(0.25), pytest.approx(0.35))
    assert reliability([]) is None


def test_an_agent_is_not_touched_before_it_was_judged_often_enough():
    few, enough = [(0.9, False)] * (MIN_OUTCOMES - 1), [(0.9, False)] * MIN_OUTCOMES

    assert list(fitted_curves({Agent.RISK: few, Agent.OPTIMIZER: enough})) == [Agent.OPTIMIZER]


def test_a_vote_for_is_lowered_to_what_it_was_worth_and_an_objection_is_not():
    curves = {Agent.RISK: (CalibrationStep(until=0.9, share=0.62),)}

    lowered = recalibrated([vote(Agent.RISK, 1, 90), vote(Agent.RISK, -1, 90), vote(Agent.ANALYST, 1, 90)], curves)

    assert [item.confidence for item in lowered] == [62, 90, 90]


def test_a_worthless_vote_keeps_a_voice_and_a_modest_one_is_never_raised():
    worthless, modest = (CalibrationStep(until=1.0, share=0.1),), (CalibrationStep(until=1.0, share=0.9),)

    assert recalibrated([vote(Agent.RISK, 1, 95)], {Agent.RISK: worthless})[0].confidence == MIN_CONFIDENCE
    assert recalibrated([vote(Agent.RISK, 1, 55)], {Agent.RISK: modest})[0].confidence == 55


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(vote, st.sampled_from(Agent), st.sampled_from([-1, 0, 1]), st.integers(0, 100)),
        max_size=4,
        unique_by=lambda item: item.agent,
    ),
    st.dictionaries(st.sampled_from(Agent), st.floats(0.0, 1.0).map(lambda share: round(share, 3)), max_size=4),
)
def test_calibration_never_raises_a_size(votes: list[Vote], shares: dict[Agent, float]):
    curves = {agent: (CalibrationStep(until=1.0, share=share),) for agent, share in shares.items()}

    before = reach_consensus(["AAA"], votes, frozenset())
    after = reach_consensus(["AAA"], recalibrated(votes, curves), frozenset())

    assert after.legs[0].size_multiplier <= before.legs[0].size_multiplier
