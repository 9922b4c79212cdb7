"""A fold that goes on where it stopped gives what a fold from the beginning gives, of whatever log it is asked."""

from contextlib import closing
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.control_events import NotificationRaised
from parley.domain.events import Event, OrderFilled
from parley.memory.stored_events import StoredEvents
from parley.service.answers.growing import Gathered, Grown
from parley.service.answers.places import Places
from parley.service.answers.reader import DeskReader
from parley.storage.sql import open_sqlite


def _with_seq(found: Gathered[int], event: Event) -> Gathered[int]:
    return found.with_item(event.seq)


@settings(max_examples=30, deadline=None)
@given(stops=st.lists(st.integers(0, 60), min_size=1, max_size=6))
def test_a_fold_asked_at_any_places_in_any_order_is_that_of_the_whole_log(crash_book: Path, stops: list[int]) -> None:
    with DeskReader(crash_book).reading() as reading:
        path, last = reading.folder.log_path, reading.seq
    grown = Grown()

    with closing(open_sqlite(path, readonly=True)) as database:
        stored = StoredEvents(database)
        for stop in stops:
            folded = grown.state("all", stored, min(stop, last), (), Gathered[int](), _with_seq)
            assert list(folded) == list(range(1, min(stop, last) + 1))


def test_only_what_was_added_is_read_again(crash: DeskReader) -> None:
    seen = list[int]()

    def add(count: int, event: Event) -> int:
        seen.append(event.seq)
        return count + 1

    with crash.reading() as reading:
        first = reading.grown("counted", (OrderFilled,), 0, add)
        again = reading.grown("counted", (OrderFilled,), 0, add)
        whole = sum(1 for _ in reading.read(OrderFilled))

    assert first == again == whole == len(seen) > 0


def test_a_list_that_grew_two_ways_is_two_lists() -> None:
    one = Gathered[int]().with_item(1)
    two, other = one.with_item(2), one.with_item(3)

    assert (list(one), list(two), list(other)) == ([1], [1, 2], [1, 3])
    assert (two[0:5], two[-1], len(other)) == ([1, 2], 2, 2)


def test_a_result_holds_until_there_is_another_event_of_its_kinds(crash: DeskReader) -> None:
    with crash.reading() as reading:
        stored = reading._stored  # pyright: ignore[reportPrivateUsage]
        last = max(event.seq for event in reading.read(OrderFilled))
        places = {stop: Places.of_log(stored, stop) for stop in (last - 1, last, reading.seq)}

        assert places[last].of((OrderFilled,)) == places[reading.seq].of((OrderFilled,)) == stored.hash_at(last)
        assert places[last - 1].of((OrderFilled,)) != places[last].of((OrderFilled,))
        assert Places.of_log(stored, 1).of((NotificationRaised,)) == "0" * 64
