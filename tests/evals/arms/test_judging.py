"""What came of what was said: moves beyond the average name, and value at risk against the next close."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from parley.domain.views import Stance
from parley.evals.arms.judging import (
    ANALYST_SIGNALS,
    judged_signals,
    judged_votes,
    moves_beyond,
    source_calls,
    var_days,
)
from parley.evals.arms.playing import Ground, Record, record
from parley.evals.arms.table import find_arm
from parley.quant.calibration import HORIZON_DAYS

NAN = float("nan")


@pytest.fixture(scope="module")
def found(long_ground: Ground, some_days: tuple[date, ...]) -> Record:
    """With sides put into the analyst's mouth: the rules are sure of nothing after so short a history."""
    told = record(find_arm("full"), long_ground, some_days)
    sides = (Stance.SELL, Stance.BUY, Stance.HOLD)
    said = [
        [signal.model_copy(update={"side": sides[place % 3]}) for place, signal in enumerate(decision.signals)]
        for decision in told.decisions
    ]
    decisions = [
        decision.model_copy(update={"signals": tuple(signals)})
        for decision, signals in zip(told.decisions, said, strict=True)
    ]
    return replace(told, decisions=tuple(decisions))


def test_a_move_is_from_the_close_after_and_beyond_the_mean_of_those_with_both_prices() -> None:
    """From 110 to 121 is 10 %, from 50 to 50 nothing: 5 % either way; the third has no price at the end."""
    close = np.array([[100.0, 50.0, 7.0], [110.0, 50.0, 7.0], [121.0, 50.0, NAN], [1.0, 1.0, 1.0]])

    assert moves_beyond(close, [0], 1)[0] == pytest.approx([0.05, -0.05, NAN], nan_ok=True)


def test_a_horizon_that_has_not_passed_is_not_judged() -> None:
    assert np.isnan(moves_beyond(np.ones((5, 2)), [2, 3], 2)).all()
    assert not np.isnan(moves_beyond(np.ones((5, 2)), [1], 2)).any()


def test_signals_are_judged_by_their_side_after_the_close_they_could_be_traded_at(found: Record) -> None:
    calls = list(judged_signals(found.decisions, found.data))

    assert len(calls) == 4 * len(found.decisions)
    assert {call.who for call in calls} == {ANALYST_SIGNALS}
    close, row = found.data.panel.close, found.data.history().rows_of([calls[0].day])[0] + 1
    moves = close[row + HORIZON_DAYS] / close[row] - 1.0
    assert [call.gain for call in calls[:2]] == pytest.approx([moves.mean() - moves[0], moves[1] - moves.mean()])
    assert all(call.came_true == (call.gain > 0) for call in calls)


def test_votes_have_the_probability_they_gave_the_leg(found: Record) -> None:
    calls = list(judged_votes(found.decisions, found.votes, found.data))

    assert calls
    assert {call.day for call in calls} <= {decision.snapshot.session for decision in found.decisions}
    assert all(0.0 <= call.said <= 1.0 for call in calls)


def test_value_at_risk_is_held_against_the_next_close_of_what_was_held(found: Record) -> None:
    days = list(var_days(found.decisions, found.data))

    first = days[-1]
    decision = next(item for item in found.decisions if item.snapshot.session == first.day)
    assert decision.targets is not None
    close, row = found.data.panel.close, found.data.history().rows_of([first.day])[0]
    moves = close[row + 1] / close[row] - 1.0
    held = [decision.targets.held.get(symbol, 0.0) for symbol in found.data.panel.symbols]
    assert first.loss == pytest.approx(-float(np.dot(held, moves)))
    assert first.historical > 0
    assert len(days) < len(found.decisions)


def test_sources_are_counted_by_the_signs_of_their_scores(found: Record) -> None:
    counts = source_calls(found.decisions, found.data)

    n, right = counts["technical"]
    assert 0 < right < n <= 6 * len(found.decisions)
