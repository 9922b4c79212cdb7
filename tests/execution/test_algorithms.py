"""Schedules of a parent order: they sum, never fall, never take too much of the volume, and remember nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.orders import Algorithm, ExecutionAdvice, ParentOrder, Side
from parley.execution.algorithms.observed import ObservedVolume
from parley.execution.algorithms.schedule import Schedule, ScheduleState
from parley.execution.algorithms.table import SCHEDULES, schedule_of
from parley.execution.hours import SessionHours
from parley.quant.almgren_chriss import LinearImpact, optimal_trajectory
from parley.quant.schedules import late_slices, shortfall_slices
from pydantic import ValidationError

OPENS = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)
CLOSES = datetime(2013, 10, 7, 20, 0, tzinfo=UTC)
HOURS = SessionHours(OPENS - timedelta(days=1), OPENS, CLOSES)
PLANNED = [Algorithm.TWAP, Algorithm.VWAP, Algorithm.IS, Algorithm.CLOSE]


def order(algorithm: Algorithm, quantity: int = 1000, slices: int = 13, **advice: Any) -> ParentOrder:
    return ParentOrder(
        order_id="leg",
        decision_id="d1",
        symbol="AAA",
        side=Side.BUY,
        quantity=quantity,
        reference_price=100,  # pyright: ignore
        reason="test",
        advice=ExecutionAdvice(algorithm=algorithm, slices=slices, **advice),
    )


def walked(schedule: Schedule, volumes: list[int] | None = None, usual: float | None = None) -> list[int]:
    """What is committed after each slice, where all that is due is sent; `volumes` trade during each slice."""
    committed, traded, path = 0, 0, list[int]()
    for place, start in enumerate(schedule.starts):
        seen = None if volumes is None else traded
        committed = schedule.due(start, ScheduleState(committed, seen, usual))
        path.append(committed)
        traded += 0 if volumes is None else volumes[place]
    return path


def advised() -> st.SearchStrategy[ParentOrder]:
    def made(algorithm: Algorithm, quantity: int, shares: list[float], kappa: float, frac: float) -> ParentOrder:
        return order(
            algorithm, quantity, len(shares), volume_shares=shares, kappa_span=kappa, max_participation_frac=frac
        )

    shares = st.lists(st.floats(0.01, 10.0), min_size=1, max_size=26)
    return st.builds(
        made, st.sampled_from(list(Algorithm)), st.integers(1, 10**6), shares, st.floats(0, 8), st.floats(0, 1)
    )


def test_every_algorithm_has_a_schedule() -> None:
    assert set(SCHEDULES) == set(Algorithm)
    completes = {algorithm: schedule_of(order(algorithm), 1, HOURS).completes for algorithm in Algorithm}
    assert completes == dict.fromkeys(PLANNED, True) | {Algorithm.POV: False}


@pytest.mark.parametrize("algorithm", PLANNED)
def test_a_planned_schedule_is_the_one_its_costs_were_predicted_with(algorithm: Algorithm) -> None:
    shares = (3.0, 1.0, 1.0, 5.0)
    impact = LinearImpact(permanent=1e-7, temporary=2e-6)
    best = optimal_trajectory(1000, 4, 0.25, daily_vol=1.5, risk_aversion=2e-5, impact=impact)
    kappa_span = best.kappa_per_day * 1.0

    asked = order(algorithm, 1000, 4, volume_shares=shares, kappa_span=kappa_span)
    found = np.diff(walked(schedule_of(asked, 1, HOURS)), prepend=0).tolist()

    expected = {
        Algorithm.TWAP: [250, 250, 250, 250],
        Algorithm.VWAP: [300, 100, 100, 500],
        Algorithm.IS: shortfall_slices(1000, 4, best.kappa_per_day * 0.25, 1, shares).tolist(),
        Algorithm.CLOSE: late_slices(1000, shares, 1).tolist(),
    }
    assert found == expected[algorithm]
    assert sum(found) == 1000


def test_an_order_in_haste_trades_most_at_first_and_one_for_the_close_only_at_last() -> None:
    hasty = walked(schedule_of(order(Algorithm.IS, kappa_span=6.0), 1, HOURS))
    late = walked(schedule_of(order(Algorithm.CLOSE), 1, HOURS))

    # 1 - sinh(6 * 12/13) / sinh(6), Almgren and Chriss (2000) eq. 17.
    assert hasty[0] == pytest.approx(1000 * (1 - np.sinh(6 * 12 / 13) / np.sinh(6)), abs=1)
    assert late[:10] == [0] * 10
    assert late[-1] == 1000


@settings(max_examples=50, deadline=None)
@given(advised(), st.integers(1, 100), st.data())
def test_what_is_due_never_falls_never_passes_the_parent_and_never_takes_too_much(
    asked: ParentOrder, lot: int, data: st.DataObject
) -> None:
    schedule = schedule_of(asked, lot, HOURS)
    volumes = data.draw(st.lists(st.integers(0, 10**6), min_size=len(schedule.starts), max_size=len(schedule.starts)))
    usual = data.draw(st.sampled_from([None, 0.0, 5e5]))

    path = walked(schedule, volumes, usual)

    assert path == sorted(path)
    assert path[0] >= 0
    assert path[-1] <= asked.quantity
    frac = asked.advice.max_participation_frac
    share = np.array(asked.advice.volume_shares) / sum(asked.advice.volume_shares)
    before = np.append(0, np.cumsum(volumes))[:-1]
    followed = asked.advice.algorithm is Algorithm.POV
    for place, committed in enumerate(path):
        sent = committed - (path[place - 1] if place else 0)
        if usual is not None and sent:
            expected = 0.0 if followed else usual * share[place]
            assert committed <= frac * (before[place] + expected) + 1e-3


@settings(max_examples=50, deadline=None)
@given(advised(), st.integers(1, 100))
def test_without_a_word_on_volume_a_planned_schedule_is_due_in_full_by_its_last_slice(
    asked: ParentOrder, lot: int
) -> None:
    schedule = schedule_of(asked, lot, HOURS)

    path = walked(schedule)

    assert path[-1] == (asked.quantity if schedule.completes else 0)
    assert schedule.due(OPENS - timedelta(seconds=1), ScheduleState(0)) == 0
    assert schedule.due(CLOSES, ScheduleState(path[-1])) == path[-1]


@settings(max_examples=30, deadline=None)
@given(advised(), st.integers(0, 25))
def test_a_schedule_made_again_halfway_goes_on_as_the_first_one(asked: ParentOrder, cut: int) -> None:
    first, again = (schedule_of(order, 1, HOURS) for order in (asked, ParentOrder.model_validate(asked.model_dump())))
    place = min(cut, len(first.starts) - 1)
    committed = walked(first, [999] * len(first.starts), 1e4)[place]
    state = ScheduleState(committed, 999 * place, 1e4)

    rest = [schedule.due(start, state) for schedule in (first, again) for start in first.starts[place:]]

    assert rest[: len(rest) // 2] == rest[len(rest) // 2 :]


def test_a_followed_volume_is_that_of_others_and_the_past_only() -> None:
    schedule = schedule_of(order(Algorithm.POV, 1000, 4, max_participation_frac=0.1), 1, HOURS)

    assert walked(schedule, [4000, 0, 1000, 9999]) == [0, 400, 400, 500]
    assert walked(schedule, [10**6] * 4) == [0, 1000, 1000, 1000]


def test_a_followed_volume_that_nobody_tells_is_that_of_a_usual_day() -> None:
    asked = order(Algorithm.POV, 1000, 4, max_participation_frac=0.1, volume_shares=(1.0, 1.0, 1.0, 1.0))

    assert walked(schedule_of(asked, 1, HOURS), usual=8000.0) == [0, 200, 400, 600]
    assert walked(schedule_of(asked, 1, HOURS)) == [0, 0, 0, 0]


def test_a_dull_market_holds_a_planned_slice_back_and_a_lively_one_lets_it_catch_up() -> None:
    asked = order(Algorithm.TWAP, 1000, 4, max_participation_frac=0.1, volume_shares=(1.0, 1.0, 1.0, 1.0))
    schedule = schedule_of(asked, 1, HOURS)

    # No usual day is known: the first slice is free, then the pace so far is taken to go on.
    assert walked(schedule, [1000, 1000, 20_000, 0]) == [250, 250, 300, 1000]
    # A usual day of 4,000: a tenth of what was seen and of the 1,000 of the slice that begins.
    assert walked(schedule, [1000, 1000, 20_000, 0], 4000.0) == [100, 200, 300, 1000]


def test_volume_is_counted_after_one_moment_and_up_to_another() -> None:
    seen = ObservedVolume(["AAA", "BBB"])
    for minutes, size in ((0, 10), (1, 20), (5, 30), (3, 40)):
        seen.on_trade("AAA", OPENS + timedelta(minutes=minutes), size)

    assert seen.traded("AAA", OPENS, OPENS + timedelta(minutes=1)) == 20
    # The print that came late counts from when it could be known.
    assert seen.traded("AAA", OPENS, OPENS + timedelta(minutes=4)) == 20
    assert seen.traded("AAA", OPENS, CLOSES) == 90
    assert seen.traded("BBB", OPENS, CLOSES) == 0
    assert seen.traded("CCC", OPENS, CLOSES) is None
    seen.on_trade("CCC", OPENS, 7)
    assert seen.traded("CCC", OPENS, CLOSES) is None, "nobody said that its trades are told"


@pytest.mark.parametrize("shares", [(1.0, 2.0), (0.0, 0.0, 0.0), (1.0, -1.0, 1.0)])
def test_shares_that_do_not_fit_the_slices_are_no_advice(shares: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError):
        ExecutionAdvice(algorithm=Algorithm.VWAP, slices=3, volume_shares=shares)


def test_advice_that_says_nothing_new_has_the_bytes_it_always_had() -> None:
    assert ExecutionAdvice().model_dump_json() == (
        '{"algorithm":"TWAP","urgency":"MEDIUM","slices":1,"max_participation_frac":0.1,"expected_cost_bps":0.0}'
    )
