"""The same desk over the same days at each venue there is: what the venue's model makes of a run."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal

from ..agents.llm.rules import RulesModel
from ..desk.desk import Desk, RunPlan, build_desk, run_started
from ..desk.settings import Settings, with_venue
from ..domain.events import OrderClosed, PortfolioMarked
from ..domain.orders import Fill
from ..execution.venues.fees import US_RETAIL_2024
from ..execution.venues.latency import Latency
from ..execution.venues.rules import ExchangeRules
from ..gate.limits import Limits
from ..market.cards import DataSet
from ..memory.history import fills
from ..memory.log import EventLog
from ..storage.sql import open_in_memory
from .days import RecordedDays
from .fidelity import fill_fidelity, fills_by_venue
from .recorded_exchange import exchange_venue
from .venues import VenueOf

SLOW = Latency(feed_ms=5, order_ms=20, ack_ms=20, jitter_ms=10, seed=1)
"""A retail line: tens of milliseconds each way."""


@dataclass(frozen=True, slots=True)
class ArmResult:
    """What one venue made of the run. Costs are against the mid at each fill, fees apart, in bps of traded value."""

    name: str
    head_hash: str
    orders: int
    fills: int
    traded: Decimal
    fees: Decimal
    spread_cost_bps: float
    fee_bps: float
    filled_frac: float
    """Shares filled over shares asked for."""
    total_return: float
    fidelity: Mapping[str, int]
    venues: Mapping[str, int]
    """Fills by the venue they were made at."""


@dataclass(frozen=True, slots=True)
class Arm:
    """A venue by its name in the settings, or one that is made otherwise."""

    choice: str
    venue_of: Callable[[Desk], VenueOf] | None = None


def _retail(desk: Desk) -> VenueOf:
    return exchange_venue(desk, ExchangeRules(fees=US_RETAIL_2024, participation_frac=_cap(desk)))


def _slow(desk: Desk) -> VenueOf:
    return exchange_venue(desk, ExchangeRules(fees=US_RETAIL_2024, latency=SLOW, participation_frac=_cap(desk)))


def _cap(desk: Desk) -> float:
    return desk.limits.max_participation_frac


ARMS: Mapping[str, Arm] = {
    "paper venue": Arm("paper"),
    "exchange": Arm("exchange", exchange_venue),
    "exchange, US retail fees": Arm("exchange", _retail),
    "exchange, US retail fees, 45 ms": Arm("exchange", _slow),
    "router, equal parts": Arm("routed:equal"),
    "router, censored sizes": Arm("routed:censored"),
}


def run_arm(name: str, data: DataSet, plan: RunPlan, settings: Settings, limits: Limits) -> ArmResult:
    """One run on a log in memory, by the `rules` model."""
    arm = ARMS[name]
    settings = with_venue(settings, arm.choice)
    with closing(open_in_memory()) as database:
        log = EventLog(database)
        desk = build_desk(settings, limits, data, plan, log, RulesModel(), None)
        started = run_started(settings, limits, data, plan)
        venue_of = arm.venue_of(desk) if arm.venue_of is not None else None
        days = RecordedDays(desk, plan.sessions, plan.seed, started, venue_of=venue_of)
        asyncio.run(days.run())
        return _result(name, log, started.cash)


def _result(name: str, log: EventLog, cash: Decimal) -> ArmResult:
    done: list[Fill] = list(fills(log))
    closed = [event.decoded() for event in log.read(types=(OrderClosed,))]
    counts = [(item.filled, item.unfilled) for item in closed if isinstance(item, OrderClosed)]
    asked = sum(filled + unfilled for filled, unfilled in counts)
    traded = sum((fill.notional for fill in done), Decimal(0))
    fees = sum((fill.fee for fill in done), Decimal(0))
    crossed = sum((fill.side.sign * (fill.price - fill.mid_price) * fill.quantity for fill in done), Decimal(0))
    last = log.last(PortfolioMarked)
    mark = last.decoded() if last else None
    assert isinstance(mark, PortfolioMarked), "every session ends with a mark"
    return ArmResult(
        name=name,
        head_hash=log.head()[1],
        orders=len(counts),
        fills=len(done),
        traded=traded,
        fees=fees,
        spread_cost_bps=float(10_000 * crossed / traded) if traded else 0.0,
        fee_bps=float(10_000 * fees / traded) if traded else 0.0,
        filled_frac=sum(filled for filled, _ in counts) / asked if asked else 0.0,
        total_return=float(mark.equity / cash) - 1.0,
        fidelity=fill_fidelity(done),
        venues=fills_by_venue(done),
    )
