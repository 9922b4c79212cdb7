"""The fast path's bench: a latency counts from the scheduled arrival, and every row says what it is."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from itertools import count

import pytest
from parley.domain.events import ChildSubmitted, NewEvent
from parley.execution.recorder import Emit
from parley.service import benching
from parley.service import fast_path_bench as bench
from parley.service import fast_path_load as load
from parley.service.console import Console
from parley.service.one_line import Served, in_line


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four slices, told as fast as they are taken."""
    monkeypatch.setattr(load, "SLICES", 4)
    for name, value in {"CALM_PER_S": 2_000, "BUSY_PER_S": 100_000, "CPU_ROUNDS": 1}.items():
        monkeypatch.setattr(bench, name, value)


def test_the_bench_gives_a_row_for_each_goal_with_raw_percentiles(small: None) -> None:
    rows = bench.bench_fast_path(Console(True))

    assert len(rows) == 15
    assert {row.unit for row in rows} == {"us"}
    for row in rows:
        assert row.p90 is not None and row.p999 is not None and row.most is not None
        assert 0 <= row.p50 <= row.p90 <= row.p99 <= row.p999 <= row.most
    named = {row.name.split(",")[0]: row for row in rows}
    assert (named["CPU to checked order"].goal, named["garbage collections in the session"].most) == (50.0, 0.0)
    assert named["yardstick of this machine"].p50 > 0


def test_the_printed_table_keeps_each_row_on_a_line(
    small: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = bench.bench_fast_path(Console(False))
    slow = [replace(row, p50=12345.678, p90=12345.678, p99=12345.678, p999=12345.678, most=12345.678) for row in rows]
    monkeypatch.setitem(benching.BENCHES, "fast-path", lambda console: slow)

    benching.perform_bench("fast-path", Console(False))

    lines = capsys.readouterr().out.splitlines()
    assert [len([line for line in lines if row.name in line]) for row in rows] == [1] * len(rows)
    assert max(len(line) for line in lines) <= 120


def test_an_event_behind_a_slow_one_is_charged_with_its_wait(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = count()
    monkeypatch.setattr(bench, "elapsed_s", lambda: float(next(ticks)))

    taken = bench._open_loop(load.approved_plan(), load.quotes_of(range(50)), 500, load.in_memory, keeps_warm=False)

    # A clock that goes a second at each look is behind after the first event, and falls back with every one.
    assert taken.worked_s == sorted(taken.worked_s)
    assert taken.worked_s[-1] > taken.worked_s[0] + 100


def test_an_order_is_checked_before_it_is_sent_and_sent_before_its_end(small: None) -> None:
    taken = bench._open_loop(load.approved_plan(), load.quotes_of(range(50)), 20_000, load.on_disk, keeps_warm=False)

    assert len(taken.checked_s) == len(taken.sent_s) > 0
    assert all(checked < sent for checked, sent in zip(taken.checked_s, taken.sent_s, strict=True))
    assert max(taken.sent_s) < max(taken.worked_s)


def test_what_keeps_the_way_warm_tells_nothing_to_the_log_and_orders_nothing_of_the_session(small: None) -> None:
    told: dict[bool, list[NewEvent]] = {False: [], True: []}

    for keeps_warm, facts in told.items():
        quotes = load.quotes_of(range(50))
        bench._open_loop(
            load.approved_plan(), quotes, 2_000, lambda facts=facts: nullcontext(facts.append), keeps_warm=keeps_warm
        )

    assert told[True] == told[False]
    assert any(isinstance(event.payload, ChildSubmitted) for event in told[True])


def test_a_sparring_session_trades_until_its_quotes_are_over() -> None:
    seen: list[object] = []
    quotes = load.quotes_of(range(50))[:60]
    sparring = load.Sparring(load.approved_plan(), quotes, 2)
    sparring._steps = (seen.append(quote) or (path, quote) for path, quote in sparring._steps)

    for _ in range(200):
        sparring.step()

    assert seen == [*quotes, *quotes]


def test_events_served_by_their_cpu_time_wait_for_the_one_in_front() -> None:
    served = [Served(0.5, 2.0), Served(None, 1.0), Served(0.25, 0.5), Served(0.5, 1.0)]

    # Worked out by hand: served from 0 to 2, 2 to 3, 3 to 3.5 and 10 to 11; the third came at 1.5 and waited.
    assert in_line([0.0, 1.0, 1.5, 10.0], served) == [0.5, 1.75, 0.5]


def test_every_order_of_the_bench_is_reviewed_sent_and_in_the_log(small: None) -> None:
    told: list[NewEvent] = []
    ordering = load.quotes_of(range(20))

    order_us = bench._order_us(load.approved_plan(), ordering, lambda: nullcontext(told.append))

    sent = [event for event in told if isinstance(event.payload, ChildSubmitted)]
    assert len(sent) == len(bench._checked_us(load.approved_plan(), ordering)) == 20 * 4
    assert order_us > 0


def test_what_the_log_stores_after_the_last_order_is_counted(small: None) -> None:
    @contextmanager
    def slow_to_close() -> Iterator[Emit]:
        yield lambda event: None
        total = 0
        for step in range(300_000):
            total += step

    quick = bench._order_us(load.approved_plan(), load.quotes_of(range(20)), load.in_memory)
    slow = bench._order_us(load.approved_plan(), load.quotes_of(range(20)), slow_to_close)

    # A hundredth of a second at least, on 80 orders.
    assert slow > quick + 60
