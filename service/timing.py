"""The timed runs behind `bench`: whole decisions with their log, and the two steps every child order takes."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ..desk.book import Book, open_log
from ..desk.clock import cpu_s, elapsed_s
from ..desk.desk import Desk, build_desk, build_model, run_started
from ..domain.canonical import short_id
from ..domain.decisions import Decision, Intent, Snapshot
from ..domain.events import Actor, ChildSubmitted, NewEvent
from ..domain.market import Quote
from ..domain.orders import ChildOrder
from ..domain.portfolio import Portfolio
from ..domain.trading import TradingState
from ..evals.days import RecordedDays
from ..execution.session_book import SessionBook, Surroundings
from ..execution.venues.venue import VenueTerms
from ..gate.approval import ApprovedPlan
from ..gate.gate import review_child
from ..graph.run import DecisionGraph
from .console import Console
from .preparing import Prepared, RunRequest, prepare

START, END = "2021-06-01", "2022-06-30"
WARM_UP = 5
"""Sessions left out: the first decision fits thirty years of calibration, which later ones only carry on."""

ROUNDS = 2000


@dataclass(frozen=True, slots=True)
class Row:
    """One timed thing. `ok` compares the median with the goal."""

    name: str
    p50: float
    p99: float
    unit: str
    goal: float
    ok: bool


class TimedGraph(DecisionGraph):
    """A decision graph that notes what each decision cost; it decides as the one it wraps."""

    def __init__(self, inner: DecisionGraph) -> None:
        self._inner = inner
        self.cpu_ms: list[float] = []
        self.wall_ms: list[float] = []
        self.ended_cpu_ms: list[float] = []

    async def decide(self, snapshot: Snapshot, intent: Intent | None = None) -> Decision:
        cpu, wall = cpu_s(), elapsed_s()
        decision = await self._inner.decide(snapshot, intent)
        self.ended_cpu_ms.append(1e3 * cpu_s())
        self.cpu_ms.append(self.ended_cpu_ms[-1] - 1e3 * cpu)
        self.wall_ms.append(1e3 * (elapsed_s() - wall))
        return decision


def bench_decisions(console: Console) -> list[Row]:
    """Every decision of thirteen months on 20 names, with the log, without a language model."""
    with _desk(START, END) as (desk, prepared), console.progress("decisions") as bar:
        timed = TimedGraph(desk.graph)
        first = run_started(prepared.settings, prepared.limits, prepared.data, prepared.plan)
        days = RecordedDays(replace(desk, graph=timed), prepared.plan.sessions, prepared.plan.seed, first)
        asyncio.run(days.run(bar))
    whole_days = np.diff(timed.ended_cpu_ms[WARM_UP - 1 :]).tolist()
    return [
        timed_row("decision, 20 names, with log, CPU", timed.cpu_ms[WARM_UP:], 15.0),
        timed_row("decision, 20 names, with log, wall", timed.wall_ms[WARM_UP:], 100.0),
        timed_row("whole day incl. trading and marks, CPU", whole_days, 21.0),
    ]


def bench_fast_path(console: Console) -> list[Row]:
    """The gate's review of one child order, and its announcement made durable in the log."""
    with _desk(END, END) as (desk, prepared), console.progress("fast path"):
        session = prepared.plan.sessions[0]
        cash = prepared.settings.cash
        start = desk.snapshot(session, Portfolio(cash=cash), cash, cash)
        approved = desk.approved(asyncio.run(desk.decide(start)))
        assert approved is not None, "an all-cash book is invested at its first decision"
        child, quote, book = _first_child(approved)

        def review() -> None:
            around = Surroundings(child.created_at, True, VenueTerms(), True, True, True, 0.0)
            context = book.context(child, quote, Decimal(0), TradingState.ACTIVE, around)
            assert review_child(child, approved, context, desk.limits, child.created_at).order is not None

        def announce() -> None:
            desk.log.append([_announced(desk, child)])

        return [
            timed_row("gate: review of one child order, wall", timed(review), 0.05),
            timed_row("log: append one event with commit, wall", timed(announce), 1.0),
        ]


def timed_row(name: str, values_ms: Sequence[float], goal_ms: float) -> Row:
    p50, p99 = (float(np.percentile(values_ms, level)) for level in (50, 99))
    return Row(name, p50, p99, "ms", goal_ms, p50 <= goal_ms)


@contextmanager
def _desk(start: str, end: str) -> Iterator[tuple[Desk, Prepared]]:
    """A desk of its own, by the rules, in a folder that is gone afterwards."""
    with TemporaryDirectory() as scratch:
        prepared = prepare(RunRequest("us20", start, end, "rules", seed=7, book=Path(scratch)))
        folder = Book(Path(scratch)).create(prepared.run_id)
        with open_log(folder) as (log, _):
            model = build_model("rules", prepared.settings.llm)
            yield (
                build_desk(prepared.settings, prepared.limits, prepared.data, prepared.plan, log, model, None),
                prepared,
            )


def _first_child(approved: ApprovedPlan) -> tuple[ChildOrder, Quote, SessionBook]:
    """One share of the first leg a minute after the decision, at a quote two ticks wide around its mark."""
    leg = approved.plan.legs[0]
    terms = approved.terms.legs[leg.order_id]
    now = approved.plan.as_of + timedelta(minutes=1)
    quote = Quote(leg.symbol, now, terms.mark - terms.tick, terms.mark + terms.tick, 100, 100, synthetic=True)
    child = ChildOrder(
        client_order_id=short_id("ord", leg.decision_id, leg.order_id, 0),
        order_id=leg.order_id,
        decision_id=leg.decision_id,
        symbol=leg.symbol,
        side=leg.side,
        quantity=1,
        limit_price=quote.ask,
        sequence=0,
        created_at=now,
    )
    return child, quote, SessionBook(approved.terms)


def _announced(desk: Desk, child: ChildOrder) -> NewEvent:
    return NewEvent(
        stream=f"order/{child.order_id}",
        event_time=child.created_at,
        actor=Actor(kind="desk", name="bench"),
        payload=ChildSubmitted(child=child, verdict_hash="0" * 64),
        run_id=desk.run_id,
        decision_id=child.decision_id,
        order_id=child.order_id,
    )


def timed(work: Callable[[], object]) -> list[float]:
    taken_ms: list[float] = []
    for _ in range(ROUNDS):
        began = elapsed_s()
        work()
        taken_ms.append(1e3 * (elapsed_s() - began))
    return taken_ms[ROUNDS // 10 :]
