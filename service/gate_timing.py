"""The timed runs of the gate alone: one child and one plan against the full checklist, on a book of 50 names."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from ..domain.instruments import Instrument
from ..domain.market import Quote
from ..domain.orders import ChildOrder, ParentOrder, Plan, Side
from ..domain.portfolio import Portfolio, Position
from ..gate.approval import ApprovedPlan
from ..gate.child_checks import judged, passes, view_of
from ..gate.gate import review_child, review_plan
from ..gate.limits import load_limits
from ..gate.state import GateState, OrderContext
from .console import Console
from .timing import Row, timed, timed_row

NAMES, LEGS, DAYS, SECTORS = 50, 20, 252, 10
DECIDED = datetime(2022, 6, 30, 20, tzinfo=UTC)
PRICE = Decimal(100)


def bench_gate_child(console: Console) -> list[Row]:
    """A child at the instant of sending, every figure given: the checks alone, and with hashes and approval."""
    limits, approved = load_limits(), _approved()
    child, context = _child(approved), _instant()
    with console.progress("gate: child"):
        view = view_of(child, approved.terms, context, limits, child.created_at)
        checked_ms = timed(lambda: passes(child, approved.terms, context, limits, child.created_at))
        measured_ms = timed(lambda: judged(view))
        reviewed_ms = timed(lambda: review_child(child, approved, context, limits, child.created_at))
    return [
        timed_row("gate: one pass over all that a clear child is held to, 50 positions, wall", checked_ms, 0.02),
        timed_row("gate: full checklist of one child, line by line, wall", measured_ms, 0.02),
        timed_row("gate: the same, sealed and approved, wall", reviewed_ms, 0.05),
    ]


def bench_gate_plan(console: Console) -> list[Row]:
    """A plan of 20 legs, with tail risk, beta and clusters of the book after it."""
    limits, state, plan = load_limits(), bench_state(), _plan()
    with console.progress("gate: plan"):
        taken_ms = timed(lambda: review_plan(plan, state, limits, DECIDED))
    return [timed_row("gate: plan of 20 legs with VaR after it, 50 positions, wall", taken_ms, 2.0)]


def bench_state() -> GateState:
    """Half invested in 50 names of ten sectors, a hundredth of equity each."""
    symbols = tuple(f"N{place:02d}" for place in range(NAMES))
    positions = tuple(Position(symbol=symbol, quantity=100, average_price=PRICE) for symbol in symbols)
    prices = dict.fromkeys(symbols, PRICE)
    portfolio = Portfolio(cash=PRICE * 100 * NAMES, positions=positions)
    rng = np.random.default_rng(7)
    market = rng.normal(0.0003, 0.006, (DAYS, 1))
    return GateState(
        portfolio=portfolio,
        instruments={name: Instrument(symbol=name, sector=f"s{place % SECTORS}") for place, name in enumerate(symbols)},
        prices=prices,
        price_ages_days=dict.fromkeys(symbols, 0.0),
        equity=portfolio.equity(prices),
        previous_equity=portfolio.equity(prices),
        returns=market + rng.normal(0.0, 0.01, (DAYS, NAMES)),
        return_symbols=symbols,
        state_version="bench",
        daily_volumes=dict.fromkeys(symbols, 1e6),
        market_returns=market[:, 0],
        halted=frozenset(),
    )


def _plan() -> Plan:
    """Ten sells and ten buys."""
    legs = tuple(
        ParentOrder(
            order_id=f"leg-{place}",
            decision_id="bench",
            symbol=f"N{place:02d}",
            side=Side.SELL if place % 2 else Side.BUY,
            quantity=50,
            reference_price=PRICE,
            reason="bench",
        )
        for place in range(LEGS)
    )
    return Plan(plan_id="bench", decision_id="bench", as_of=DECIDED, legs=legs)


def _approved() -> ApprovedPlan:
    approved = review_plan(_plan(), bench_state(), load_limits(), DECIDED)[1]
    assert approved is not None, "the plan of the bench is inside every limit"
    return approved


def _child(approved: ApprovedPlan) -> ChildOrder:
    leg = approved.plan.legs[0]
    return ChildOrder(
        client_order_id="bench-0",
        order_id=leg.order_id,
        decision_id=leg.decision_id,
        symbol=leg.symbol,
        side=leg.side,
        quantity=10,
        limit_price=PRICE,
        sequence=0,
        created_at=DECIDED + timedelta(minutes=1),
    )


def _instant() -> OrderContext:
    at = DECIDED + timedelta(minutes=1)
    return OrderContext(
        quote=Quote("N00", at, PRICE - Decimal("0.01"), PRICE + Decimal("0.01"), 500, 500, synthetic=False),
        held=100,
        open_buys=10,
        open_sells=0,
        committed=10,
        children=1,
        traded=10,
        cash=PRICE * 100 * NAMES,
        reserved=Decimal(1000),
        gross_value=PRICE * 100 * NAMES,
        sector_value=PRICE * 100 * NAMES / SECTORS,
        in_session=True,
        is_halted=False,
        price_band=(Decimal(95), Decimal(105)),
        clock_skew_s=0.004,
        twin_age_s=1800.0,
        repeated_legs=0,
        unexecuted=Decimal(1000),
        settled_cash=PRICE * 100 * NAMES,
        net_value=PRICE * 100 * NAMES,
        day_trades=0,
        submits_last_s=1,
        cancels_last_s=0,
        orders_today=40,
        messages_today=60,
        fills_today=30,
        queue_age_s=0.0,
        venue_connected=True,
        venue_reconciled=True,
        log_writable=True,
        state_age_s=0.1,
    )
