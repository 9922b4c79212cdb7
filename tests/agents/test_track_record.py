"""Votes judged by what came after them: an example by hand, and that nothing is judged before its time."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.agents.scoring import agent_scores
from parley.agents.track_record import Judge, JudgedDecision, Prices
from parley.domain.views import AbstainReason, Agent, Vote
from parley.memory.agent_scores import CastVote

START = datetime(2020, 1, 1, 21, tzinfo=UTC)
HORIZON = 3
SYMBOLS = ("AAA", "BBB", "CCC")


def cast(row: int, symbol: str, agent: Agent, value: int | None, confidence: int, *, buys: bool = True) -> CastVote:
    reason = AbstainReason.NO_EDGE if value is None else None
    vote = Vote.model_validate(
        {"agent": agent, "symbol": symbol, "value": value, "confidence": confidence, "abstention": reason}
    )
    return CastVote(f"dec-{row}", row + 1, START + timedelta(days=row), buys, vote, 0.25)


def prices(close: list[list[float]] | np.ndarray) -> Prices:
    table = np.asarray(close, dtype=np.float64)
    times = np.datetime64("2020-01-01T21:00:00") + np.arange(len(table)).astype("timedelta64[D]")
    return Prices(SYMBOLS, table, times)


def judge() -> Judge:
    return Judge(lambda moment: (moment - START).days, HORIZON)


def test_a_vote_is_judged_from_the_next_close_against_the_average_name_as_by_hand():
    # Decided at row 0 and judged from row 1 to row 4: +10 %, -5 % and +1 %, on average +2 %.
    close = [[90.0, 100, 100], [100, 100, 100], [50, 50, 50], [80, 80, 80], [110, 95, 101]]
    votes = [
        cast(0, "AAA", Agent.RISK, 1, 80),
        cast(0, "BBB", Agent.RISK, -1, 70),
        cast(0, "CCC", Agent.ANALYST, 1, 60, buys=False),
        cast(0, "CCC", Agent.OPTIMIZER, None, 0),
    ]

    [decision] = judge().judged(votes, prices(close))

    gains = [vote.gain for vote in decision.votes]
    # The sell of CCC gains when it does worse than the average; the silent optimizer is not judged.
    assert gains == pytest.approx([0.08, -0.07, 0.01])
    assert [vote.was_right for vote in decision.votes] == [True, True, True]
    assert [vote.probability for vote in decision.votes] == pytest.approx([0.8, 0.3, 0.6])
    assert decision.losses == pytest.approx({Agent.RISK: (0.2**2 + 0.3**2) / 2, Agent.ANALYST: 0.4**2})
    assert decision.known_at == np.datetime64("2020-01-05T21:00:00")


def test_nothing_is_judged_before_its_last_close_is_known():
    close = [[100.0, 100, 100], [100, 100, 100], [100, 101, 102], [100, 101, 102], [100, 101, 103]]
    votes = [cast(0, "AAA", Agent.RISK, 1, 80), cast(1, "AAA", Agent.RISK, 1, 80)]

    assert judge().judged(votes, prices(close[:4])) == ()
    assert [found.decision_id for found in judge().judged(votes, prices(close))] == ["dec-0"]


def test_a_name_that_lost_its_price_is_not_judged():
    close = [[100.0, 100, 100]] * 4 + [[np.nan, 101, 103]]

    [decision] = judge().judged([cast(0, "AAA", Agent.RISK, 1, 80)], prices(close))

    assert decision.votes == () and decision.losses == {}


CLOSES = st.integers(0, 2**31).map(lambda seed: np.random.default_rng(seed).uniform(1.0, 100.0, (16, 3)))


@settings(max_examples=40, deadline=None)
@given(CLOSES, CLOSES, st.integers(5, 16))
def test_no_price_after_the_moment_of_judging_reaches_a_judgment(past: np.ndarray, future: np.ndarray, known: int):
    votes = [cast(row, name, Agent.RISK, 1, 80) for row in range(12) for name in SYMBOLS]
    other = np.concatenate([past[:known], future[known:]])
    kept = judge()

    def seen(by: Judge, close: np.ndarray) -> list[JudgedDecision]:
        return list(by.judged(votes, prices(close[:known])))

    # The one that has judged the whole of another future before says the same as one that never saw it.
    kept.judged(votes, prices(other[:known]))
    assert seen(judge(), past) == seen(judge(), other) == seen(kept, past)
    assert len(seen(judge(), past)) == min(12, known - HORIZON - 1)


def test_a_score_counts_hits_silence_and_edge_by_hand():
    close = [[100.0, 100, 100]] * 4 + [[110.0, 90, 100]]
    votes = [
        cast(0, "AAA", Agent.RISK, 1, 80),
        cast(0, "BBB", Agent.RISK, 1, 80),
        cast(0, "CCC", Agent.RISK, None, 0),
    ]

    scores = {score.agent: score for score in agent_scores(votes, judge().judged(votes, prices(close)))}

    risk = scores[Agent.RISK]
    assert (risk.votes, risk.abstentions, risk.judged_votes, risk.judged_decisions) == (2, 1, 2, 1)
    assert (risk.hit_rate, risk.edge) == (0.5, pytest.approx(0.0))
    assert risk.brier == pytest.approx((0.2**2 + 0.8**2) / 2)
    assert risk.weights == (("2020-01-01", 0.25),)
    assert scores[Agent.ANALYST].hit_rate is None


def test_calibration_is_compared_only_on_years_whose_january_had_enough_outcomes():
    n_days = 500
    rng = np.random.default_rng(5)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, (n_days, 3)), axis=0))
    votes = [cast(row, name, Agent.RISK, 1, 95) for row in range(n_days) for name in SYMBOLS]

    [_, risk, *_] = agent_scores(votes, judge().judged(votes, prices(close)))

    # 2020 has no January before it; the votes of 2021 are read off a curve of those of 2020.
    assert risk.calibrated is not None
    assert risk.calibrated.n_outcomes == 3 * sum(row >= 366 for row in range(n_days - HORIZON - 1))
    assert risk.calibrated.brier_calibrated < 0.27 < risk.calibrated.brier_said
