"""The timed runs of the fast path: 50 names in one session, events that arrive whether the desk is ready or not.

Open loop: every event has a time at which it arrives, drawn beforehand, and its latency counts from there. What waits
behind a slow event is charged with the wait, so a pause shows in every event that it held up (no coordinated
omission). The session, gate, orders, venue and log are those of a run. A yardstick is timed in between: a figure of
another machine, or of this one under load, is read by its ratio to that.

By the wall clock this holds all that the machine does beside it, waking up after a gap included. The rows "by CPU" are
the same arrivals in the same line, each event served for the CPU time that it took: what would be left on a machine
with nothing else to do. No figure leaves out what the bench itself takes, a few looks at the clock.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep
from typing import NamedTuple

import numpy as np

from ..desk.clock import cpu_s, elapsed_s, wall_time
from ..domain.events import NewEvent
from ..domain.market import Quote
from ..domain.orders import ExecutionAdvice, ParentOrder, Plan, Side
from ..execution.board import Board
from ..execution.fast_path import FastPath, without_pauses
from ..execution.hours import SessionHours
from ..execution.recorder import Emit
from ..execution.session import open_session
from ..execution.venues.fees import FeeModel
from ..execution.venues.impact import Liquidity
from ..execution.venues.paper import PaperVenue
from ..execution.venues.venue import Report
from ..gate.approval import ApprovedOrder, ApprovedPlan
from ..gate.gate import review_plan
from ..gate.limits import load_limits
from ..memory.log import EventLog
from ..storage.journal import Journal
from ..storage.sql import open_sqlite
from .console import Console
from .gate_timing import DECIDED, NAMES, PRICE, bench_state
from .one_line import Served, in_line
from .timing import Row

LEGS, SLICES, ROUNDS_PER_SLICE = 20, 100, 1
EVENTS_PER_S = 500
CPU_ROUNDS = 5
WARM_UP_FRAC = 0.05
YARDSTICK_STEPS, YARDSTICK_US = 10_000, 500.0
"""A loop of plain Python, and what it takes on a machine like the one that the goals were set for."""
YARDSTICKS = 20
FOLLOWED_TURNS, FOLLOWED_US = 3, 2.0
SPIN_S = 0.0003
"""The last stretch before an arrival is waited for awake: a sleep ends this much too late."""
OPENS = datetime(2022, 7, 1, 13, 30, tzinfo=UTC)
HOURS = SessionHours(DECIDED, OPENS, OPENS + timedelta(hours=6.5))
TICK = Decimal("0.01")

Log = Callable[[], AbstractContextManager[Emit]]


class Taken(NamedTuple):
    """Seconds from arrival: to the approved order at the venue's door where one was made, and to the end of all."""

    checked_s: list[float]
    worked_s: list[float]
    pauses_s: list[float]


class Spent(NamedTuple):
    """CPU time of the whole process, the log's thread included: of one order in all, and of each up to the door."""

    order_us: float
    checked_us: list[float]


class DoorVenue(PaperVenue):
    """A paper venue that notes when an approved order comes to its door, by the clock it is given."""

    clock: Callable[[], float] = staticmethod(elapsed_s)
    came_at: float | None = None

    def submit(self, order: ApprovedOrder) -> tuple[Report, ...]:
        self.came_at = self.clock()
        return super().submit(order)


def bench_fast_path(console: Console) -> list[Row]:
    """Latency of a session's events in memory and with its log, and what an order costs in CPU time."""
    approved, quotes = _approved(), _quotes(range(NAMES), ROUNDS_PER_SLICE)
    busy, cpu, cpu_logged, yardsticks_us = _quotes(range(LEGS), 1), list[Spent](), list[Spent](), list[float]()
    followed_us: list[float] = []
    with console.progress("fast path"):
        plain, logged = _open_loop(approved, quotes, _in_memory), _open_loop(approved, quotes, _logged)
        lined, lined_logged = _by_cpu(approved, quotes, _in_memory), _by_cpu(approved, quotes, _logged)
        for _ in range(CPU_ROUNDS):
            yardsticks_us += [_yardstick_us() for _ in range(YARDSTICKS)]
            cpu.append(_closed_loop(approved, busy, _in_memory))
            cpu_logged.append(_closed_loop(approved, busy, _logged))
            followed_us.append(_followed_us(quotes))
    checked_us = [us for spent in cpu for us in spent.checked_us]
    pauses = [1e6 * s for s in (*plain.pauses_s, *logged.pauses_s)] or [0.0]
    console.say(
        f"{NAMES} names in one session; events arrive at {EVENTS_PER_S} a second, ready or not, and latency counts "
        "from there;\nan order's end: sent, filled, booked and measured; the log commits in groups; "
        f"the yardstick: {YARDSTICK_STEPS:,} steps of a loop\n"
    )
    return [
        _latency("event to checked order, in memory", plain.checked_s, 50.0, 500.0),
        _latency("event to checked order, with log", logged.checked_s, 1000.0, 1000.0),
        _latency("the same by CPU, in memory", lined, 50.0, 500.0),
        _latency("the same by CPU, with log", lined_logged, 1000.0, 1000.0),
        _latency("event to its end, with log", logged.worked_s, 1000.0, 1000.0),
        _row("garbage collections in the session", pauses, 0.0, 0.0),
        _row("CPU to checked order, in memory", checked_us, 50.0, 500.0),
        _row("CPU per order to its end, in memory", [spent.order_us for spent in cpu], 100.0),
        _row("CPU per order to its end, with log", [spent.order_us for spent in cpu_logged], 100.0),
        _row("CPU per quote of a followed name", followed_us, FOLLOWED_US),
        _row("yardstick of this machine, CPU", yardsticks_us, YARDSTICK_US),
    ]


def _yardstick_us() -> float:
    began, total = cpu_s(), 0
    for step in range(YARDSTICK_STEPS):
        total += step * step
    return 1e6 * (cpu_s() - began)


def _followed_us(quotes: Sequence[Quote]) -> float:
    """What a quote costs the board more when its name is followed; the best of a few turns of each."""
    names = sorted({quote.symbol for quote in quotes})
    plain_s = min(_seen_s(quotes, names, ()) for _ in range(FOLLOWED_TURNS))
    followed_s = min(_seen_s(quotes, names, names) for _ in range(FOLLOWED_TURNS))
    return 1e6 * (followed_s - plain_s) / len(quotes)


def _seen_s(quotes: Sequence[Quote], names: Sequence[str], followed: Sequence[str]) -> float:
    board = Board({}, {}, names, followed)
    with without_pauses():
        began = cpu_s()
        for quote in quotes:
            board.see(quote)
        return cpu_s() - began


def _open_loop(approved: ApprovedPlan, quotes: Sequence[Quote], log: Log) -> Taken:
    arrivals, taken = _arrivals(len(quotes)), Taken([], [], [])
    with log() as emit:
        path, venue = _opened(approved, emit)
        with without_pauses(elapsed_s) as pauses:
            began = elapsed_s()
            for place, (quote, arrival) in enumerate(zip(quotes, arrivals, strict=True)):
                due = began + arrival
                _wait_until(due)
                venue.came_at = None
                path.on_quote(quote)
                path.on_timer(quote.ts_event)
                if place >= WARM_UP_FRAC * len(quotes):
                    taken.worked_s.append(elapsed_s() - due)
                    if venue.came_at is not None:
                        taken.checked_s.append(venue.came_at - due)
        taken.pauses_s.extend(pauses.taken_s)
        path.close(iter(()))
    return taken


def _arrivals(count: int) -> list[float]:
    """Seconds from the first moment on, drawn beforehand."""
    return np.cumsum(np.random.default_rng(7).exponential(1.0 / EVENTS_PER_S, count)).tolist()


def _by_cpu(approved: ApprovedPlan, quotes: Sequence[Quote], log: Log) -> list[float]:
    """The latencies of the open loop if every event took its CPU time and nothing more; the log's thread is charged to
    the event that it runs beside."""
    served: list[Served] = []
    with log() as emit:
        path, venue = _opened(approved, emit)
        venue.clock = cpu_s
        with without_pauses():
            for quote in quotes:
                venue.came_at, began = None, cpu_s()
                path.on_quote(quote)
                path.on_timer(quote.ts_event)
                ended = cpu_s()
                served.append(Served(None if venue.came_at is None else venue.came_at - began, ended - began))
        path.close(iter(()))
    return in_line(_arrivals(len(quotes)), served)[int(WARM_UP_FRAC * LEGS * SLICES) :]


def _closed_loop(approved: ApprovedPlan, quotes: Sequence[Quote], log: Log) -> Spent:
    """One event after the other without a wait; every quote is one at which an order is due."""
    checked_us: list[float] = []
    with log() as emit:
        path, venue = _opened(approved, emit)
        venue.clock = cpu_s
        with without_pauses():
            before = cpu_s()
            for quote in quotes:
                venue.came_at, began = None, cpu_s()
                path.on_quote(quote)
                path.on_timer(quote.ts_event)
                if venue.came_at is not None:
                    checked_us.append(1e6 * (venue.came_at - began))
            spent = cpu_s() - before
        orders = len(path.close(iter(())).fills)
    return Spent(1e6 * spent / orders, checked_us)


def _wait_until(due: float) -> None:
    # Asleep the log's thread runs; awake nothing is asked of the system, whose answer may take as long as an order.
    if (left := due - elapsed_s()) > SPIN_S:
        sleep(left - SPIN_S)
    while elapsed_s() < due:
        pass


def _opened(approved: ApprovedPlan, emit: Emit) -> tuple[FastPath, DoorVenue]:
    liquidity = Liquidity(tick=TICK, lot=1, daily_vol_frac=0.01, volume=1e6, is_recorded=True)
    venue = DoorVenue(HOURS, {f"N{place:02d}": liquidity for place in range(NAMES)}, FeeModel())
    portfolio = approved.terms.portfolio
    return open_session(approved, venue, HOURS, portfolio, load_limits(), emit, run_id="bench"), venue


def _approved() -> ApprovedPlan:
    """Ten sells of all that is held and ten buys, each in a hundred slices."""
    legs = tuple(
        ParentOrder(
            order_id=f"leg-{place}",
            decision_id="bench",
            symbol=f"N{place:02d}",
            side=Side.SELL if place % 2 else Side.BUY,
            quantity=100,
            reference_price=PRICE,
            reason="bench",
            advice=ExecutionAdvice(slices=SLICES),
        )
        for place in range(LEGS)
    )
    plan = Plan(plan_id="bench", decision_id="bench", as_of=DECIDED, legs=legs)
    approved = review_plan(plan, bench_state(), load_limits(), DECIDED)[1]
    assert approved is not None, "the plan of the bench is inside every limit"
    return approved


def _quotes(places: range, rounds_per_slice: int) -> list[Quote]:
    """Each name in turn, every quote at a moment of its own, mids a few ticks around the price."""
    rng = np.random.default_rng(7)
    slice_s = (HOURS.closes_at - HOURS.opens_at).total_seconds() / SLICES
    apart_s = slice_s / rounds_per_slice / NAMES
    quotes: list[Quote] = []
    for turn in range(SLICES * rounds_per_slice):
        ticks = rng.integers(-3, 4, NAMES).tolist()
        for place in places:
            at = OPENS + timedelta(seconds=turn * slice_s / rounds_per_slice + place * apart_s)
            mid = PRICE + TICK * ticks[place]
            quotes.append(Quote(f"N{place:02d}", at, mid - TICK, mid + TICK, 500, 500, synthetic=True))
    return quotes


@contextmanager
def _logged() -> Iterator[Emit]:
    """A log on disk as a session writes it: grouped commits, a journal beside it."""
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "log.db"
        database = open_sqlite(path)
        try:
            log = EventLog(database, recorded_at=wall_time, journal=Journal(path))

            def emit(event: NewEvent) -> None:
                log.append([event])

            with log.grouped():
                yield emit
        finally:
            database.close()


def _in_memory() -> AbstractContextManager[Emit]:
    told: deque[NewEvent] = deque(maxlen=1000)
    return nullcontext(told.append)


def _latency(name: str, taken_s: Sequence[float], goal_us: float, goal_p99_us: float) -> Row:
    return _row(name, [1e6 * s for s in taken_s], goal_us, goal_p99_us)


def _row(name: str, values_us: Sequence[float], goal_us: float, goal_p99_us: float = float("inf")) -> Row:
    p50, p90, p99, p999 = (float(np.percentile(values_us, level)) for level in (50, 90, 99, 99.9))
    ok = p50 <= goal_us and p99 <= goal_p99_us
    return Row(name, p50, p99, "us", goal_us, ok, p90, p999, float(np.max(values_us)))
