"""The market's clock, on a wall that a test moves: nothing here waits."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.desk.trade_clock import LOOK_S, JumpClock, PacedClock

NOON = datetime(2024, 3, 8, 12, tzinfo=UTC)


class Wall:
    """Seconds that pass only while somebody sleeps, and a machine that may let them oversleep."""

    def __init__(self, late_s: float = 0.0) -> None:
        self.seconds, self.naps, self._late_s = 1_700_000_000.0, list[float](), late_s

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.seconds += seconds + self._late_s


def paced(wall: Wall, factor: float) -> PacedClock:
    return PacedClock(NOON, factor, wall.now, wall.sleep)


@pytest.mark.parametrize("factor", [1.0, 60.0, 10_000.0])
def test_work_takes_the_time_it_takes_whatever_the_pace(factor: float) -> None:
    wall = Wall()
    clock = paced(wall, factor)

    wall.seconds += 3.0

    assert (clock.now() - NOON).total_seconds() == pytest.approx(3.0, abs=1e-3)


def test_a_machine_that_wakes_the_desk_too_late_costs_what_it_took_and_no_more() -> None:
    wall = Wall(late_s=0.25)
    clock, until = paced(wall, 10_000.0), NOON + timedelta(minutes=5)

    clock.wait_until(until)

    assert len(wall.naps) == 1
    assert (clock.now() - until).total_seconds() == pytest.approx(0.25, abs=1e-3)


@given(minutes=st.floats(0.1, 3), factor=st.sampled_from([1.0, 25.0, 10_000.0]))
@settings(max_examples=25, deadline=None)
def test_a_wait_takes_as_long_as_it_says_in_short_naps(minutes: float, factor: float) -> None:
    wall = Wall()
    clock, until = paced(wall, factor), NOON + timedelta(minutes=minutes)

    clock.wait_until(until)

    assert clock.now() >= until - timedelta(microseconds=1)
    assert sum(wall.naps) == pytest.approx(minutes * 60 / factor, rel=1e-3, abs=1e-3)
    assert max(wall.naps) <= LOOK_S


def test_a_call_ends_the_wait_within_a_nap_and_the_past_is_not_waited_for() -> None:
    wall = Wall()
    clock = paced(wall, 1.0)

    clock.wait_until(NOON + timedelta(hours=1), lambda: len(wall.naps) == 3)
    assert len(wall.naps) == 3
    clock.wait_until(NOON)
    assert len(wall.naps) == 3


def test_a_jumping_clock_is_there_at_once_never_goes_back_and_stays_where_it_is_called() -> None:
    clock = JumpClock(NOON)

    clock.wait_until(NOON + timedelta(days=3), lambda: True)
    assert clock.now() == NOON
    clock.wait_until(NOON + timedelta(days=3))
    clock.wait_until(NOON)
    assert clock.now() == NOON + timedelta(days=3)
