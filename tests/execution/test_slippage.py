"""What a parent costs against what was predicted: another pace past the band, nothing more far past it."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parley.domain.events import ChildSubmitted, NewEvent, OrderClosed, OrderPaced
from parley.domain.orders import ExecutionAdvice, Pace
from parley.execution.slippage import judged
from parley.execution.watching import Reading, Unwatched

from .scripted import as_events
from .test_resuming import Killed, kill_at


class Watching(Unwatched):
    def __init__(self) -> None:
        self.readings: list[Reading] = []

    def observe(self, reading: Reading) -> None:
        self.readings.append(reading)


def advised(std: float, **changes: Any) -> ExecutionAdvice:
    return ExecutionAdvice(**{"slices": 13, "expected_cost_bps": 1.0, "cost_std_bps": std, **changes})


def drifting(floor: Any, bps_each: int, half_spread: str = "0.01") -> list[Any]:
    """A quote each half hour whose mid rises by so many basis points of 100 each time."""
    quotes: list[Any] = []
    for place in range(14):
        mid = 100 + Decimal(bps_each * place) / 100
        half = Decimal(half_spread)
        quotes.append(floor.quote(minutes=30 * place, bid=str(mid - half), ask=str(mid + half)))
    return quotes


def of(log: list[NewEvent], kind: type) -> list[Any]:
    return [event.payload for event in log if isinstance(event.payload, kind)]


def worked(floor: Any, std: float, bps_each: int, half_spread: str = "0.01", **work: Any) -> list[NewEvent]:
    log: list[NewEvent] = []
    plan = floor.approved(floor.leg("AAA", "BUY", 1300, advice=advised(std)))
    floor.work(plan, drifting(floor, bps_each, half_spread), log, **work)
    return log


@given(st.sampled_from(list(Pace)), st.floats(-500, 500), st.floats(-500, 500), st.floats(-50, 50), st.floats(0.1, 100))
def test_a_parent_that_was_stopped_stays_so_and_a_cheap_one_is_never_held_up(
    before: Pace, realized: float, footprint: float, expected: float, std: float
) -> None:
    after = judged(before, realized, footprint, expected, std)

    assert (after is Pace.STOPPED) == (before is Pace.STOPPED or (realized - expected) / std >= 4.0)
    if before is not Pace.STOPPED and realized <= expected:
        assert after is Pace.NORMAL


def test_its_own_footprint_slows_an_order_down_and_a_market_that_runs_away_hurries_it() -> None:
    assert judged(Pace.NORMAL, 31.0, 30.0, 1.0, 10.0) is Pace.SLOWER
    assert judged(Pace.NORMAL, 31.0, 5.0, 1.0, 10.0) is Pace.FASTER
    # Between one and two standard deviations nothing changes: no order goes to and fro at a single line.
    assert judged(Pace.SLOWER, 16.0, 15.0, 1.0, 10.0) is Pace.SLOWER
    assert judged(Pace.NORMAL, 16.0, 15.0, 1.0, 10.0) is Pace.NORMAL
    assert judged(Pace.SLOWER, 10.0, 9.0, 1.0, 10.0) is Pace.NORMAL


def test_a_market_that_runs_away_is_bought_a_slice_ahead(floor: Any) -> None:
    log = worked(floor, 15.0, 10)

    paced = of(log, OrderPaced)
    assert paced[0].after is Pace.FASTER
    assert paced[0].footprint_bps < 0.5 * paced[0].realized_bps
    assert "15.0" in paced[0].reason
    sizes = [child.child.quantity for child in of(log, ChildSubmitted)]
    assert sum(sizes) == 1300
    assert max(sizes) == 200


def test_a_wide_market_is_bought_a_slice_behind_and_the_end_waits_for_nothing(floor: Any) -> None:
    log = worked(floor, 10.0, 0, "0.30")

    assert [paced.after for paced in of(log, OrderPaced)] == [Pace.SLOWER]
    sizes = [child.child.quantity for child in of(log, ChildSubmitted)]
    # The second slice goes out before it is known; then one is skipped, and made up for by the last.
    assert sizes == [100, *[100] * 10, 200]
    assert sum(sizes) == 1300


def test_an_order_far_past_its_band_is_stopped_and_says_why(floor: Any) -> None:
    log = worked(floor, 1.0, 10)

    stopped = of(log, OrderPaced)[-1]
    assert stopped.after is Pace.STOPPED
    closed = of(log, OrderClosed)[0]
    assert closed.status == "partial"
    assert closed.reason == stopped.reason
    assert closed.unfilled == 1300 - sum(child.child.quantity for child in of(log, ChildSubmitted))


def test_a_session_taken_up_again_sends_nothing_more_of_what_was_stopped(floor: Any) -> None:
    whole = worked(floor, 1.0, 10)
    paces = [getattr(event.payload, "after", None) for event in whole]
    place = paces.index(Pace.STOPPED)
    plan, venue = floor.approved(floor.leg("AAA", "BUY", 1300, advice=advised(1.0))), floor.venue()
    log: list[NewEvent] = []
    with pytest.raises(Killed):
        floor.work(plan, drifting(floor, 10), log, venue=venue, emit=kill_at(log, place, keeps_last=True))
    rest = [quote for quote in drifting(floor, 10) if quote.ts_event >= log[-1].event_time]

    floor.work(plan, rest, log, venue=venue, resume=as_events(log))

    assert not of(log[place + 1 :], ChildSubmitted)
    assert not of(log[place + 1 :], OrderPaced)
    assert of(log, OrderClosed)[0].reason == of(log[: place + 1], OrderPaced)[-1].reason


def test_without_a_word_on_its_uncertainty_no_order_is_held_to_a_band(floor: Any) -> None:
    assert not of(worked(floor, 0.0, 50), OrderPaced)


def test_the_breaker_reads_the_same_count(floor: Any) -> None:
    watch = Watching()

    log = worked(floor, 1e9, 10, watch=watch)

    closed = of(log, OrderClosed)[0]
    assert watch.readings[-1].slippage_bps == pytest.approx(closed.shortfall_bps)
    assert watch.readings[-1].expected_bps == 1.0
