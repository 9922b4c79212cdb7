"""The market's clock, on a wall that a test moves, sets back and puts to sleep: nothing here waits."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.desk.trade_clock import LOOK_S, JumpClock, PacedClock, WallClock

NOON = datetime(2024, 3, 8, 12, tzinfo=UTC)


class Wall:
    """Seconds that pass only while somebody sleeps, and a machine that may let them oversleep."""

    def __init__(self, late_s: float = 0.0) -> None:
        self.seconds, self.naps, self._late_s = 1_700_000_000.0, list[float](), late_s
        self.set_by_s = 0.0
        """How far the wall's clock was set since, or went on while the machine slept: the steady one did not."""

    def now(self) -> float:
        return self.seconds

    def shown(self) -> float:
        return self.seconds + self.set_by_s

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


def on_the_wall(wall: Wall, jumps: list[float]) -> WallClock:
    return WallClock(NOON, lambda by: jumps.append(by.total_seconds()), wall.shown, wall.now, wall.sleep)


def test_the_walls_own_clock_tells_its_time_and_nothing_of_a_drift() -> None:
    wall, jumps = Wall(), list[float]()
    clock = on_the_wall(wall, jumps)

    for _ in range(100):
        wall.seconds, wall.set_by_s = wall.seconds + 600.0, wall.set_by_s + 0.5
        clock.now()

    assert (clock.now() - NOON).total_seconds() == pytest.approx(100 * 600.5)
    assert jumps == []


def test_a_clock_that_is_set_back_stands_still_until_it_is_there_again_and_says_so_once() -> None:
    wall, jumps = Wall(), list[float]()
    clock = on_the_wall(wall, jumps)
    wall.seconds += 3600.0
    before = clock.now()

    wall.set_by_s -= 600.0
    told = [clock.now()]
    wall.seconds += 599.0
    told.append(clock.now())
    wall.seconds += 2.0
    told.append(clock.now())

    assert told == [before, before, before + timedelta(seconds=1)]
    assert jumps == [pytest.approx(-600.0)]


def test_a_machine_that_slept_is_later_at_once_and_a_wait_over_it_is_over() -> None:
    wall, jumps = Wall(), list[float]()
    clock = on_the_wall(wall, jumps)

    def falls_asleep() -> bool:
        wall.set_by_s = 7200.0 if len(wall.naps) >= 3 else 0.0
        return False

    clock.wait_until(NOON + timedelta(hours=1), falls_asleep)

    assert len(wall.naps) == 4
    assert (clock.now() - NOON).total_seconds() == pytest.approx(7200.0 + 4 * LOOK_S, abs=1e-3)
    assert jumps == [pytest.approx(7200.0)]


@given(st.lists(st.tuples(st.floats(0, 900), st.floats(-1800, 1800)), max_size=30))
@settings(max_examples=40, deadline=None)
def test_however_the_wall_is_set_its_clock_never_goes_back(moves: list[tuple[float, float]]) -> None:
    wall = Wall()
    clock = on_the_wall(wall, [])
    told = [clock.now()]
    for passed_s, set_s in moves:
        wall.seconds, wall.set_by_s = wall.seconds + passed_s, wall.set_by_s + set_s
        told.append(clock.now())

    assert told == sorted(told)
    highest = max((0.0, *accumulated(moves)))
    assert (told[-1] - NOON).total_seconds() == pytest.approx(highest, abs=1e-3)


def accumulated(moves: list[tuple[float, float]]) -> list[float]:
    """What the wall showed after each move, in seconds since noon."""
    found, at = list[float](), 0.0
    for passed_s, set_s in moves:
        at += passed_s + set_s
        found.append(at)
    return found


@pytest.mark.parametrize("factor", [1.0, 10_000.0])
def test_a_paced_clock_is_moved_by_nobody_who_sets_the_machines(factor: float) -> None:
    wall = Wall()
    clock = paced(wall, factor)

    wall.set_by_s = -7200.0
    clock.wait_until(NOON + timedelta(minutes=1))

    assert (clock.now() - NOON).total_seconds() == pytest.approx(60.0, abs=1e-3)


def test_a_jumping_clock_is_there_at_once_never_goes_back_and_stays_where_it_is_called() -> None:
    clock = JumpClock(NOON)

    clock.wait_until(NOON + timedelta(days=3), lambda: True)
    assert clock.now() == NOON
    clock.wait_until(NOON + timedelta(days=3))
    clock.wait_until(NOON)
    assert clock.now() == NOON + timedelta(days=3)
