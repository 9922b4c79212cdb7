"""For each reason that the gate can give against a child at the instant of sending, one that has no other fault."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from ...domain.market import Quote
from ...domain.orders import ChildOrder, OrderType, Side, TimeInForce
from ...domain.trading import TradingState
from ...gate.approval import ApprovedPlan
from ...gate.gate import review_plan
from ...gate.limits import Limits
from ...gate.state import Borrow, OrderContext
from .veto_bench import Bench
from .veto_plans import shorting

KNOWN: dict[str, Any] = {
    "in_session": True, "is_halted": False, "price_band": (Decimal(90), Decimal(112)), "clock_skew_s": 0.01,
    "twin_age_s": float("inf"), "repeated_legs": 0, "unexecuted": Decimal(0), "settled_cash": Decimal(100_000),
    "net_value": Decimal(0), "day_trades": 0, "submits_last_s": 0, "cancels_last_s": 0, "orders_today": 0,
    "messages_today": 0, "fills_today": 0, "queue_age_s": 0.0, "venue_connected": True, "venue_reconciled": True,
    "log_writable": True, "state_age_s": 0.0,
}  # fmt: skip
"""Every figure a caller can give, at its best."""


class Moment(NamedTuple):
    """A child, the plan it belongs to, the instant it is reviewed in, and the limits."""

    child: ChildOrder
    plan: ApprovedPlan
    context: OrderContext
    limits: Limits


def approved(bench: Bench, **state: Any) -> ApprovedPlan:
    """Buy 50 AAA, sell all 40 of BBB."""
    held = bench.state(cash="96000", held={"BBB": 40}, **state)
    plan = bench.plan(bench.leg("AAA", "BUY", 50), bench.leg("BBB", "SELL", 40))
    found = review_plan(plan, held, bench.limits, bench.now)[1]
    assert found is not None, "it is inside every limit"
    return found


def moment(
    bench: Bench, child: dict[str, Any] | None = None, limits: dict[str, Any] | None = None, **seen: Any
) -> Moment:
    return Moment(
        bench.child(**(child or {})),
        approved(bench),
        bench.context(**{**KNOWN, **seen}),
        bench.limits.tighten(**(limits or {})),
    )


def odd_lot(bench: Bench) -> Moment:
    return moment(bench, {"quantity": 15})._replace(plan=approved(bench, lot=10))


def oversold(bench: Bench, located: bool, limits: Limits) -> Moment:
    sale = {"order_id": "leg-BBB-SELL", "symbol": "BBB", "side": Side.SELL, "quantity": 40}
    plan = approved(bench, borrow={"BBB": Borrow(100, 0.01)} if located else {})
    at = moment(bench, {**sale, "limit_price": Decimal("99.50")}, quote=bench.quote(symbol="BBB"), held=39)
    return at._replace(plan=plan, limits=limits)


def shown(bench: Bench, size: int) -> Quote:
    return replace(bench.quote(), ask_size=size, synthetic=False)


CHILD_BREACHES: dict[str, Callable[[Bench], Moment]] = {
    "plan_match": lambda b: moment(b, {"decision_id": "d2"}),
    "lot": odd_lot,
    "tick": lambda b: moment(b, {"limit_price": Decimal("100.505")}),
    "order_type": lambda b: moment(b, {"time_in_force": TimeInForce.GTD}),
    "stop_price": lambda b: moment(b, {"order_type": OrderType.STOP_LIMIT, "stop_price": Decimal("99.99")}),
    "expiry": lambda b: moment(b, {"time_in_force": TimeInForce.GTD, "expires_at": b.open}),
    "created": lambda b: moment(b, {"created_at": b.open - timedelta(seconds=31)}),
    "children_sum": lambda b: moment(b, committed=41),
    "children_count": lambda b: moment(b, children=400),
    "order_quantity": lambda b: moment(b, limits={"max_order_quantity": 9}),
    "order_notional": lambda b: moment(b, limits={"max_order_notional": 1000}),
    "min_notional": lambda b: moment(b, limits={"min_order_notional": 1001}),
    "duplicate": lambda b: moment(b, twin_age_s=0.5),
    "self_match": lambda b: moment(b, open_sells=5, opposite_price=Decimal("100.50")),
    "repeats": lambda b: moment(b, repeated_legs=4),
    "restricted": lambda b: moment(b, limits={"restricted_symbols": ("AAA",)}),
    "allowed": lambda b: moment(b, limits={"allowed_symbols": ("BBB",)}),
    "trading_state": lambda b: moment(b, trading_state=TradingState.REDUCING),
    "venue_ready": lambda b: moment(b, venue_reconciled=False),
    "log_writable": lambda b: moment(b, log_writable=False),
    "state_age": lambda b: moment(b, state_age_s=5.1),
    "quote_age": lambda b: moment(b, quote=b.quote(age_s=31)),
    "crossed_quote": lambda b: moment(b, quote=b.quote("100.01", "99.99")),
    "spread": lambda b: moment(b, quote=b.quote("97", "103")),
    "displayed_depth": lambda b: moment(b, {"quantity": 11}, quote=shown(b, 1)),
    "price_collar": lambda b: moment(b, {"limit_price": Decimal("110.01")}),
    "price_move": lambda b: moment(
        b, {"limit_price": Decimal(126)}, quote=b.quote("126", "126.02"), price_band=(Decimal(90), Decimal(130))
    ),
    "participation": lambda b: moment(b, traded=9_991),
    "session_hours": lambda b: moment(b, in_session=False),
    "halted": lambda b: moment(b, is_halted=True),
    "price_band": lambda b: moment(b, price_band=(Decimal(90), Decimal("100.49"))),
    "clock_skew": lambda b: moment(b, clock_skew_s=-1.1),
    "short": lambda b: oversold(b, True, b.limits),
    "shortable": lambda b: oversold(b, False, shorting(b)),
    "cash": lambda b: moment(b, cash=Decimal("1004.99")),
    "settled_cash": lambda b: moment(b, settled_cash=Decimal("1004.99")),
    "unexecuted_value": lambda b: moment(b, unexecuted=Decimal(99_999_000)),
    "instrument_weight": lambda b: moment(b, held=91),
    "sector_weight": lambda b: moment(b, sector_value=Decimal(29_001)),
    "gross": lambda b: moment(b, gross_value=Decimal(99_001)),
    "net": lambda b: moment(b, net_value=Decimal(99_001)),
    "day_trades": lambda b: moment(b, limits={"pattern_day_rule": True, "min_day_trade_equity": 100_001}, day_trades=3),
    "submit_rate": lambda b: moment(b, submits_last_s=20),
    "cancel_rate": lambda b: moment(b, cancels_last_s=21),
    "orders_per_day": lambda b: moment(b, orders_today=5000),
    "message_ratio": lambda b: moment(b, messages_today=101, fills_today=1),
    "queue_age": lambda b: moment(b, queue_age_s=2.1),
}
