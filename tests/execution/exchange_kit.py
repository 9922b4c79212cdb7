"""One session at the simulated exchange: orders that the gate approved, market events with defaults, and its venue."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from parley.domain.market import Quote
from parley.domain.orders import ChildOrder, Fill, OrderType, Plan, Side, TimeInForce
from parley.domain.portfolio import Portfolio, Position
from parley.execution.venues.account import Account
from parley.execution.venues.exchange import Exchange
from parley.execution.venues.fees import FeeModel, FeeSchedule
from parley.execution.venues.market_events import Cross, Depth, Halt, MarketEvent, Phase, Print
from parley.execution.venues.rules import ExchangeRules, Listing
from parley.execution.venues.venue import Filled, Rejected, Report
from parley.execution.venues.worked_order import WorkedOrder, worked
from parley.gate.approval import ApprovedOrder
from parley.gate.gate import review_child, review_plan
from parley.gate.limits import parse_limits
from parley.gate.state import Borrow, OrderContext

FREE = FeeSchedule(FeeModel(value_bps=Decimal(0)))


class Kit:
    """Builders with sensible defaults; every test changes one thing."""

    def __init__(self, floor: Any) -> None:
        self.floor = floor

    def at(self, seconds: float) -> datetime:
        return self.floor.opens + timedelta(seconds=seconds)

    def child(
        self, quantity: int, side: str = "BUY", limit: str | None = "101", name: str = "c1", **changes: Any
    ) -> ChildOrder:
        values = {
            "client_order_id": name,
            "order_id": "leg-AAA",
            "decision_id": "d1",
            "symbol": "AAA",
            "side": Side(side),
            "quantity": quantity,
            "limit_price": None if limit is None else Decimal(limit),
            "sequence": 0,
            "created_at": self.floor.opens,
        }
        return ChildOrder(**{**values, **changes})

    def resting(self, quantity: int, side: str, limit: str, seconds: float = 0.0, name: str = "c1") -> WorkedOrder:
        return worked(self.child(quantity, side, limit, name), self.at(seconds))

    def order(
        self,
        quantity: int,
        side: str = "BUY",
        limit: str | None = "101",
        name: str = "c1",
        mid: str = "100",
        **changes: Any,
    ) -> ApprovedOrder:
        """As the gate approves it with the market around `mid`; sales are of shares that are held."""
        child = self.child(quantity, side, limit, name, **changes)
        held = quantity if side == "SELL" else 0
        state = self.floor.state(held={"AAA": held} if held else None, cash="900000000")
        context = OrderContext(
            quote=Quote("AAA", child.created_at, Decimal(mid), Decimal(mid), 1, 1, True),
            held=held,
            open_buys=0,
            open_sells=0,
            committed=0,
            children=0,
            traded=0,
            cash=Decimal(10**9),
            reserved=Decimal(0),
            gross_value=Decimal(0),
            sector_value=Decimal(0),
        )
        limits = parse_limits(self.floor.limits.model_dump() | {"required_figures": ()}, "test")
        plan = Plan(
            plan_id="p1", decision_id="d1", as_of=self.floor.decided, legs=(self.floor.leg("AAA", side, quantity),)
        )
        verdict, approved = review_plan(plan, state, limits, self.floor.decided)
        assert approved is not None, verdict.reasons
        review = review_child(child, approved, context, limits, child.created_at)
        assert review.order is not None, review.verdict.reasons
        return review.order

    def exchange(
        self,
        tape: Sequence[MarketEvent] = (),
        tier: Any = "T2",
        held: Mapping[str, int] | None = None,
        cash: str = "1000000",
        borrow: Mapping[str, Borrow] | None = None,
        liquidity: Mapping[str, Any] | None = None,
        **rules: Any,
    ) -> Exchange:
        listing = Listing(self.floor.liquidity(**(liquidity or {"is_recorded": False})), tier)
        positions = tuple(
            Position(symbol=symbol, quantity=quantity, average_price=Decimal(100))
            for symbol, quantity in sorted((held or {}).items())
        )
        account = Account(Portfolio(cash=Decimal(cash), positions=positions), borrow)
        given = ExchangeRules(**{"fees": FREE, **rules})
        return Exchange(self.floor.hours, {"AAA": listing}, given, account, tape=tape)

    def depth(
        self,
        seconds: float,
        bids: Sequence[tuple[str, int]] = (("99.99", 500),),
        asks: Sequence[tuple[str, int]] = (("100.01", 500),),
    ) -> Depth:
        return Depth(
            "AAA",
            self.at(seconds),
            tuple((Decimal(price), size) for price, size in bids),
            tuple((Decimal(price), size) for price, size in asks),
        )

    def quote(self, seconds: float, bid: str = "99.99", ask: str = "100.01", size: int = 500) -> Quote:
        return Quote("AAA", self.at(seconds), Decimal(bid), Decimal(ask), size, size, False)

    def tick(self, seconds: float, price: str, size: int, aggressor: str | None = None) -> Print:
        return Print("AAA", self.at(seconds), Decimal(price), size, Side(aggressor) if aggressor else None)

    def cross(self, moment: datetime, phase: Phase, price: str = "100", size: int = 10_000) -> Cross:
        return Cross("AAA", moment, phase, Decimal(price), size)

    def halt(self, seconds: float, is_halted: bool = True) -> Halt:
        return Halt("AAA", self.at(seconds), is_halted, "news")


def fills_of(reports: Sequence[Report]) -> list[Fill]:
    return [report.fill for report in reports if isinstance(report, Filled)]


def reason_of(reports: Sequence[Report]) -> str:
    """Why the one thing that was reported is a refusal."""
    (report,) = reports
    assert isinstance(report, Rejected)
    return report.reason


def traded(reports: Sequence[Report]) -> list[tuple[int, Decimal]]:
    return [(fill.quantity, fill.price) for fill in fills_of(reports)]


def kinds(reports: Sequence[Report]) -> list[str]:
    return [type(report).__name__ for report in reports]


STOP, STOP_LIMIT = OrderType.STOP, OrderType.STOP_LIMIT
IOC, FOK, GTC, GTD = TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTC, TimeInForce.GTD
OPG, CLS = TimeInForce.OPG, TimeInForce.CLS
