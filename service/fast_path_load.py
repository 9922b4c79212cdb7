"""The load of the fast path's bench: a session of 50 names, its quotes, when they arrive, and the log it writes."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ..desk.clock import wall_time
from ..domain.events import ChildSubmitted, NewEvent
from ..domain.market import Quote
from ..domain.orders import ExecutionAdvice, ParentOrder, Plan, Side
from ..execution.fast_path import FastPath
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
from .gate_timing import DECIDED, NAMES, PRICE, bench_state

LEGS, SLICES = 20, 100
OPENS = datetime(2022, 7, 1, 13, 30, tzinfo=UTC)
HOURS = SessionHours(DECIDED, OPENS, OPENS + timedelta(hours=6.5))
TICK = Decimal("0.01")

Log = Callable[[], AbstractContextManager[Emit]]


@dataclass(slots=True)
class Marks:
    """When the order of an event was where, by a clock; None where no order came of it."""

    clock: Callable[[], float]
    checked_at: float | None = None
    """The gate has let it through, and its fact is made: the log is next."""
    sent_at: float | None = None
    """It is at the venue's door, and in the log."""

    def begin(self) -> None:
        """The next event."""
        self.checked_at = self.sent_at = None


class MarkedVenue(PaperVenue):
    """A paper venue at whose door the time is noted."""

    marks: Marks

    def submit(self, order: ApprovedOrder) -> tuple[Report, ...]:
        self.marks.sent_at = self.marks.clock()
        return super().submit(order)


def opened(approved: ApprovedPlan, emit: Emit, marks: Marks) -> FastPath:
    """A session as a run opens it, at a paper venue."""
    liquidity = Liquidity(tick=TICK, lot=1, daily_vol_frac=0.01, volume=1e6, is_recorded=True)
    venue = MarkedVenue(HOURS, {f"N{place:02d}": liquidity for place in range(NAMES)}, FeeModel())
    venue.marks = marks

    def noted(event: NewEvent) -> None:
        if type(event.__dict__["payload"]) is ChildSubmitted:
            marks.checked_at = marks.clock()
        emit(event)

    return open_session(approved, venue, HOURS, approved.terms.portfolio, load_limits(), noted, run_id="bench")


class Sparring:
    """Sessions of no account beside the real one, for the gaps between its events.

    A processor that did something else for a millisecond has forgotten the way of an order, and the next one takes
    three times as long. One that trades on in a session of its own, with nothing kept of it and nothing shared, has it
    at hand. Trading systems do so with orders that never leave: Cook, "When a microsecond is an eternity", CppCon 2017.
    """

    def __init__(self, approved: ApprovedPlan, quotes: Sequence[Quote], rounds: int) -> None:
        """All sessions are opened here; `rounds` is how many times the quotes will do."""
        paths = [opened(approved, lambda event: None, Marks(lambda: 0.0)) for _ in range(rounds)]
        self._steps = ((path, quote) for path in paths for quote in quotes)

    def step(self) -> None:
        """One event of theirs."""
        for path, quote in islice(self._steps, 1):
            path.on_quote(quote)
            path.on_timer(quote.ts_event)


def approved_plan() -> ApprovedPlan:
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


def quotes_of(places: range) -> list[Quote]:
    """Every name once a slice, in an order of chance, each at a moment of its own, a few ticks around the price."""
    rng = np.random.default_rng(7)
    slice_s = (HOURS.closes_at - HOURS.opens_at).total_seconds() / SLICES
    quotes: list[Quote] = []
    for begun in range(SLICES):
        ticks = rng.integers(-3, 4, NAMES).tolist()
        for turn, place in enumerate(rng.permutation(places).tolist()):
            at = OPENS + timedelta(seconds=slice_s * (begun + turn / NAMES))
            mid = PRICE + TICK * ticks[place]
            quotes.append(Quote(f"N{place:02d}", at, mid - TICK, mid + TICK, 500, 500, synthetic=True))
    return quotes


def arrivals(count: int, per_s: float) -> list[float]:
    """Seconds from the first moment on, at random and drawn beforehand."""
    return np.cumsum(np.random.default_rng(7).exponential(1.0 / per_s, count)).tolist()


@contextmanager
def on_disk() -> Iterator[Emit]:
    """A log as a session writes it: grouped commits, a journal beside it."""
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


def in_memory() -> AbstractContextManager[Emit]:
    """No log: the last thousand facts are kept, and nothing is written."""
    told: deque[NewEvent] = deque(maxlen=1000)
    return nullcontext(told.append)
