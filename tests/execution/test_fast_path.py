"""The fast path: told one by one events are the same session; nothing heavy, no pause, and no lost tail is doubled."""

import gc
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from parley.domain.canonical import canonical_text
from parley.domain.control_events import BookReconciled
from parley.domain.events import ChildSubmitted, NewEvent, OrderFilled
from parley.execution.board import Board
from parley.execution.fast_path import without_pauses
from parley.execution.session import open_session
from parley.execution.venues.fees import FeeModel

from .conftest import Floor
from .scripted import as_events
from .test_resuming import Killed, kill_at, world

FLOOR = Floor()
HEAVY = (
    "pandas", "scipy", "numba", "langgraph", "langchain_core", "openai", "autogen_core", "autogen_agentchat", "httpx",
    "requests", "aiohttp", "urllib3", "http.client", "ssl", "asyncio", "ib_async", "duckdb", "pyarrow", "sklearn",
)  # fmt: skip


def test_the_fast_path_imports_no_model_no_data_frames_and_no_network_client() -> None:
    code = (
        "import sys\n"
        "import parley.execution.session, parley.execution.fast_path, parley.execution.venues.paper\n"
        "import parley.execution.protection, parley.execution.flatten, parley.memory.log, parley.memory.group_commit\n"
        "print(*sorted(sys.modules))\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert "parley.execution.session_loop" in found
    assert [name for name in HEAVY if name in found] == []
    ours = {name.split(".")[1] for name in found if name.startswith("parley.")}
    assert not ours & {"agents", "graph", "tools", "prompts", "desk", "evals", "service"}


def test_quotes_told_one_by_one_make_the_same_events_as_recorded_moments(floor: Any) -> None:
    plan, venue, quotes = world(floor)
    apart = [quote for quote in quotes if quote.symbol == "AAA"]
    moments: list[NewEvent] = []
    expected = floor.work(plan, apart, moments, venue=venue)
    _, venue, _ = world(floor)
    told: list[NewEvent] = []

    path = open_session(plan, venue, floor.hours, plan.terms.portfolio, floor.limits, told.append, run_id="run")
    for quote in apart:
        path.on_quote(quote)
        assert path.on_timer(quote.ts_event)
    result = path.close(iter(()))

    assert told == moments
    assert result.fills
    assert (result.portfolio, result.fills) == (expected.portfolio, expected.fills)


def test_every_fact_of_a_session_is_what_validation_would_have_made_of_it(floor: Any) -> None:
    plan, venue, quotes = world(floor)
    told: list[NewEvent] = []
    floor.work(plan, quotes, told, venue=venue)

    assert {ChildSubmitted, OrderFilled} <= {type(event.payload) for event in told}
    for event in told:
        kind, payload = type(event.payload), event.payload
        again = NewEvent(**vars(event))
        assert again == event
        assert list(vars(again)) == list(vars(event))
        assert kind.model_validate(payload.model_dump(), strict=True) == payload
        assert kind.model_validate_json(canonical_text(payload)) == payload


def test_what_a_venue_says_between_two_quotes_is_booked_at_once(floor: Any) -> None:
    plan, venue, quotes = world(floor)
    log: list[NewEvent] = []
    path = open_session(plan, venue, floor.hours, plan.terms.portfolio, floor.limits, log.append, run_id="run")
    path.on_quote(quotes[0])
    path.on_timer(quotes[0].ts_event)
    before = sum(isinstance(event.payload, OrderFilled) for event in log)

    path.on_fill(venue.on_quote(quotes[2]))

    assert sum(isinstance(event.payload, OrderFilled) for event in log) == before + 1


def test_no_collection_runs_by_itself_and_one_that_is_asked_for_is_timed() -> None:
    ticks = count()

    with without_pauses(lambda: float(next(ticks))) as pauses:
        assert not gc.isenabled()
        assert gc.get_freeze_count() > 0
        held: list[Any] = [[] for _ in range(100_000)]
        assert pauses.taken_s == []
        with without_pauses():
            assert not gc.isenabled()
        assert not gc.isenabled()
        gc.collect()

    assert pauses.taken_s == [1.0]
    assert len(held) == 100_000
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    gc.collect()
    assert pauses.taken_s == [1.0]


def test_threads_beside_a_session_wait_their_turn_and_an_error_puts_all_back() -> None:
    turn_s = sys.getswitchinterval()

    with pytest.raises(ZeroDivisionError), without_pauses():
        assert sys.getswitchinterval() < turn_s
        raise ZeroDivisionError

    assert sys.getswitchinterval() == turn_s
    assert gc.isenabled()


PRICES = st.sampled_from(["NaN", "-1", "0", "99.98", "100", "100.02", "101.5", "Infinity"])


SEEN_AGAIN = [("AAA", "99.98", "100", 0, 0), ("CCC", "99.98", "100", 0, 0), ("AAA", "99.98", "100", 0, 0)]


@settings(max_examples=50, deadline=None)
@example(steps=SEEN_AGAIN)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["AAA", "BBB", "CCC"]), PRICES, PRICES, st.integers(-3, 3), st.sampled_from([0, 0, 9])
        ),
        min_size=1,
        max_size=30,
    )
)
def test_the_board_carries_what_a_sweep_over_everything_would_find(
    steps: list[tuple[str, str, str, int, int]],
) -> None:
    marks = dict.fromkeys(FLOOR.symbols, Decimal(100))
    held = Counter({"AAA": 10, "BBB": -4})
    board = Board(marks, held, ["AAA", "CCC"])
    last: dict[str, Any] = {}

    for place, (symbol, bid, ask, bought, late) in enumerate(steps):
        quote = FLOOR.quote(symbol, place - late, bid=bid, ask=ask)
        board.see(quote)
        if quote.bid.is_finite() and quote.ask.is_finite() and 0 < quote.bid <= quote.ask:
            last[symbol] = quote
        if bought:
            held[symbol] += bought
            board.changed(symbol)
        board.revalue()

        swept = {
            name: quantity * (last[name].mid if name in last else marks[name])
            for name, quantity in held.items()
            if quantity
        }
        assert board.values == swept
        assert board.value == sum(swept.values(), Decimal(0))
        assert board.oldest() == min((q.ts_event for n, q in last.items() if n in ("AAA", "CCC")), default=None)


def cut_off(floor: Any, kept: int, written: int) -> tuple[list[NewEvent], Any, Any, list[Any]]:
    """A session that died after it wrote so many events, and whose log lost what came after the kept ones."""
    plan, venue, quotes = world(floor)
    log: list[NewEvent] = []
    with pytest.raises(Killed):
        floor.work(plan, quotes, log, venue=venue, emit=kill_at(log, written, keeps_last=False))
    since = log[-1].event_time
    return log[:kept], plan, venue, [quote for quote in quotes if quote.ts_event > since]


@pytest.mark.parametrize("lost", [1, 2, 3, 5, 9])
def test_a_lost_tail_is_found_at_the_start_and_no_order_is_sent_in_its_place(floor: Any, lost: int) -> None:
    plan, venue, quotes = world(floor)
    whole: list[NewEvent] = []
    floor.work(plan, quotes, whole, venue=venue)

    for written in range(lost + 1, len(whole) - 4):
        log, plan, venue, rest = cut_off(floor, written - lost, written)
        at_venue = [report.fill for report in venue.executions()]
        known = {e.payload.child.client_order_id for e in log if isinstance(e.payload, ChildSubmitted)}
        unknown = {fill.client_order_id for fill in at_venue} - known
        unknown |= {order.client_order_id for order in venue.open_orders()} - known
        before = len(log)

        result = floor.work(plan, rest, log, venue=venue, resume=as_events(log))

        booked = [e.payload.fill.execution_id for e in log if isinstance(e.payload, OrderFilled)]
        assert len(booked) == len(set(booked)), written
        if unknown:
            # The venue has what the log lost: the session halts on it, names it, and sends nothing.
            assert "differs" in result.stopped, written
            assert not [e for e in log[before:] if isinstance(e.payload, ChildSubmitted)]
            told = [e.payload for e in log[before:] if isinstance(e.payload, BookReconciled)]
            subjects = {item.subject for payload in told for item in payload.differences}
            texts = " ".join(item.text for payload in told for item in payload.differences)
            assert all(name in subjects or name in texts for name in unknown)
        else:
            # Only answers were lost: each is taken from the venue, once.
            assert not result.stopped, written
            assert {fill.execution_id for fill in at_venue} <= set(booked)


def test_fees_of_a_session_told_one_by_one_are_those_of_its_fills(floor: Any) -> None:
    plan = floor.approved(floor.leg("AAA", "BUY", 10))
    log: list[NewEvent] = []
    venue = floor.venue(FeeModel())
    path = open_session(plan, venue, floor.hours, plan.terms.portfolio, floor.limits, log.append, run_id="run")
    path.on_quote(floor.quote(minutes=0))
    path.on_timer(floor.opens)

    result = path.close(iter([floor.quote(minutes=5)]))

    assert result.fees == sum(fill.fee for fill in result.fills) > 0
    assert len(list(result.unread)) == 1
