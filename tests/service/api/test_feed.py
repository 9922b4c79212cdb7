"""The head that answers are as of: held for a second while the log goes on, never of another run, and told."""

from contextlib import closing

from parley.desk.book import Book
from parley.memory.stored_events import StoredEvents
from parley.service.api.feed import HEAD_AGE_S, HELD_S, MOVING_AGE_S, Feed
from parley.storage.sql import open_sqlite

from .conftest import Served, cut, grow


class Clock:
    """Seconds that pass only when they are told to."""

    def __init__(self) -> None:
        self.at_s = 100.0

    def __call__(self) -> float:
        return self.at_s


def test_of_a_log_that_grows_all_the_time_a_head_is_held_for_a_second_and_then_is_the_newest(served: Served) -> None:
    path, rows = cut(served, 40)
    clock = Clock()
    feed = Feed(Book(served.book), clock)
    first = feed.held(None)
    step_s = MOVING_AGE_S * 1.25
    steps = int(HELD_S / step_s)
    assert first.seq == 40 and steps > 2

    held = list[int]()
    for number in range(steps + 1):
        grow(path, rows[number : number + 1])
        clock.at_s += step_s
        held.append(feed.held(None).seq)
        assert feed.head(None).seq == 41 + number, "who looks for events sees them meanwhile"

    assert held[: steps - 1] == [40] * (steps - 1)
    assert held[-1] > 40
    assert held == sorted(held)
    clock.at_s += HELD_S
    assert feed.held(None).seq == 41 + steps


def test_a_log_that_stands_still_and_then_grows_is_told_of_at_the_next_look(served: Served) -> None:
    path, rows = cut(served, 40)
    clock = Clock()
    feed = Feed(Book(served.book), clock)
    assert feed.held(None).seq == 40
    clock.at_s += 10.0
    assert feed.held(None).seq == 40

    grow(path, rows)
    clock.at_s += 2 * HEAD_AGE_S

    # Held since ten seconds ago: too old to be told again.
    assert feed.held(None).seq == 40 + len(rows)


def test_after_a_write_of_our_own_the_held_head_is_forgotten_at_once(served: Served) -> None:
    path, rows = cut(served, 40)
    feed = Feed(Book(served.book), Clock())
    assert feed.held(None).seq == 40

    grow(path, rows)
    assert feed.held(None).seq == 40
    feed.forget()

    assert feed.held(None).seq == 40 + len(rows)


def test_a_head_is_never_held_for_another_run(served: Served) -> None:
    clock = Clock()
    feed = Feed(Book(served.book), clock)
    assert feed.held(None).run == served.run
    other = served.run[:-1] + ("0" if served.run[-1] != "0" else "1")
    (served.book / "runs" / served.run).rename(served.book / "runs" / other)
    (served.book / "latest").write_text(other, encoding="utf-8")

    clock.at_s += 2 * HEAD_AGE_S

    assert feed.held(None).run == other


def test_a_reply_says_which_event_it_is_as_of(served: Served) -> None:
    client = served.client()
    reply = client.get("/answers/positions")

    run, seq, head = reply.headers["parley-as-of"].split()
    with closing(open_sqlite(served.book / "runs" / run / "log.db", readonly=True)) as database:
        stored = StoredEvents(database)
        assert (run, int(seq)) == (served.run, stored.last_seq())
        assert stored.hash_at(int(seq)).startswith(head)
