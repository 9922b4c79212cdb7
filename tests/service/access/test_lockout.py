"""Wrong passwords shut the door, for longer each time, and calls beyond a rate wait."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.service.access.errors import LockedOut, TooManyCalls
from parley.service.access.lockout import FREE_TRIES, LONGEST_WAIT_S, Lockout
from parley.service.access.rates import Rates
from parley.service.access.store import DOOR_TABLES, AccessStore
from parley.storage.sql import Database, open_in_memory


def _lockout(now_s: Callable[[], float]) -> Lockout:
    """One whose database is in memory."""
    database = open_in_memory()
    for table in DOOR_TABLES:
        database.execute(table)

    @contextmanager
    def changing() -> Iterator[Database]:
        yield database

    return Lockout(now_s, changing)


def _wrong(lockout: Lockout, user: str, address: str) -> float:
    """One wrong try: 0 when it was let through, or how long the door stays shut."""
    try:
        lockout.begin(user, address)
    except LockedOut as error:
        return error.retry_after_s
    return 0.0


def test_the_door_shuts_after_the_free_tries_and_opens_again() -> None:
    now = [0.0]
    lockout = _lockout(lambda: now[0])

    waits = [_wrong(lockout, "ada", "10.0.0.1") for _ in range(6)]
    now[0] = 30.5

    assert waits == [0, 0, 0, 0, 0, 30.0]
    assert _wrong(lockout, "ada", "10.0.0.1") == 0
    assert _wrong(lockout, "ada", "10.0.0.1") == pytest.approx(60.0)


def test_one_address_shuts_out_neither_the_user_elsewhere_nor_others_at_once() -> None:
    lockout = _lockout(lambda: 0.0)

    for _ in range(FREE_TRIES["user at address"]):
        lockout.begin("ada", "10.0.0.1")

    lockout.begin("ada", "10.0.0.2")
    lockout.begin("bob", "10.0.0.1")


def test_an_address_that_tries_many_names_is_shut_out_for_all_of_them() -> None:
    lockout = _lockout(lambda: 0.0)

    waits = [_wrong(lockout, f"user{number}", "10.0.0.1") for number in range(40)]

    assert [wait > 0 for wait in waits] == [False] * 30 + [True] * 10


def test_a_name_that_is_tried_from_many_addresses_is_shut() -> None:
    lockout = _lockout(lambda: 0.0)

    waits = [_wrong(lockout, "ada", f"10.0.0.{number}") for number in range(25)]

    assert [wait > 0 for wait in waits] == [False] * 20 + [True] * 5


def test_the_right_password_starts_the_count_over() -> None:
    lockout = _lockout(lambda: 0.0)

    for _ in range(20):
        lockout.begin("ada", "10.0.0.1")
        lockout.succeed("ada", "10.0.0.1")


@given(pauses=st.lists(st.floats(0.0, 400.0), min_size=1, max_size=80))
@settings(max_examples=40, deadline=None)
def test_no_rhythm_of_guessing_gets_more_tries_than_the_waits_allow(pauses: list[float]) -> None:
    now = [0.0]
    lockout = _lockout(lambda: now[0])
    let_in = 0

    for pause in pauses:
        now[0] += pause
        wait = _wrong(lockout, "ada", "10.0.0.1")
        assert wait <= LONGEST_WAIT_S
        let_in += wait == 0

    waited, allowed = now[0], FREE_TRIES["user at address"]
    while waited >= (step := min(30.0 * 2.0 ** (allowed - 5), LONGEST_WAIT_S)):
        waited, allowed = waited - step, allowed + 1
    assert let_in <= allowed


@given(gaps=st.lists(st.floats(0.0, 0.5), min_size=1, max_size=120))
@settings(max_examples=40, deadline=None)
def test_no_pattern_of_calls_gets_more_than_the_bucket_and_its_rate(gaps: list[float]) -> None:
    now = [0.0]
    rates = Rates(5.0, 10, lambda: now[0])
    taken = 0

    for gap in gaps:
        now[0] += gap
        try:
            rates.take("ada")
        except TooManyCalls as error:
            assert 0 < error.retry_after_s <= 0.2 + 1e-9
        else:
            taken += 1

    assert taken <= 10 + 5.0 * now[0] + 1e-6


def test_one_caller_does_not_use_up_the_calls_of_another() -> None:
    rates = Rates(1.0, 2, lambda: 0.0)

    rates.take("ada")
    rates.take("ada")

    rates.take("bob")
    with pytest.raises(TooManyCalls):
        rates.take("ada")


def test_wrong_tries_outlive_the_process_that_counted_them(tmp_path: Path) -> None:
    before, after = (Lockout(lambda: 100.0, AccessStore(tmp_path).door.changing) for _ in range(2))

    for _ in range(FREE_TRIES["user at address"]):
        before.begin("ada", "10.0.0.1")

    assert _wrong(after, "ada", "10.0.0.1") == 30.0
    assert _wrong(after, "bob", "10.0.0.2") == 0
    assert (tmp_path / "access" / "door.db").stat().st_mode & 0o777 == 0o600
