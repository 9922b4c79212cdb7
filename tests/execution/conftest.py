"""One session of a small desk: approved plans, quotes, a paper venue, and a list as the log."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from parley.domain.events import NewEvent
from parley.domain.instruments import AssetClass, Instrument
from parley.domain.market import Quote
from parley.domain.orders import ChildOrder, ExecutionAdvice, ParentOrder, Plan, Side
from parley.domain.portfolio import Portfolio, Position
from parley.execution.hours import SessionHours
from parley.execution.recorder import Recorder
from parley.execution.reviewing import Reviewer
from parley.execution.session import SessionResult, work_session
from parley.execution.session_book import SessionBook
from parley.execution.venues.fees import FeeModel
from parley.execution.venues.paper import Liquidity, PaperVenue
from parley.gate.approval import ApprovedOrder, ApprovedPlan
from parley.gate.gate import review_child, review_plan
from parley.gate.limits import load_limits
from parley.gate.state import GateState, OrderContext

FIGURES: dict[str, Any] = {
    "in_session": True, "is_halted": False, "clock_skew_s": 0.0, "twin_age_s": float("inf"), "repeated_legs": 0,
    "unexecuted": Decimal(0), "settled_cash": Decimal(10**9), "net_value": Decimal(0), "submits_last_s": 0,
    "cancels_last_s": 0, "orders_today": 0, "messages_today": 0, "fills_today": 0, "queue_age_s": 0.0,
    "venue_connected": True, "venue_reconciled": True, "log_writable": True, "state_age_s": 0.0,
}  # fmt: skip
"""All that a session tells the gate of a child, at its best."""


class Floor:
    """Builders with sensible defaults; every test changes one thing."""

    decided = datetime(2024, 3, 4, 21, tzinfo=UTC)
    opens = datetime(2024, 3, 5, 14, 30, tzinfo=UTC)
    closes = datetime(2024, 3, 5, 21, tzinfo=UTC)
    hours = SessionHours(decided, opens, closes)
    symbols: tuple[str, ...] = ("AAA", "BBB", "CCC")
    limits = load_limits()

    def state(self, cash: str = "1000000", held: dict[str, int] | None = None, **changes: Any) -> GateState:
        marks = dict.fromkeys(self.symbols, Decimal(100))
        positions = tuple(
            Position(symbol=symbol, quantity=quantity, average_price=Decimal(100))
            for symbol, quantity in sorted((held or {}).items())
        )
        portfolio = Portfolio(cash=Decimal(cash), positions=positions)
        equity = portfolio.equity(marks)
        values: dict[str, Any] = {
            "portfolio": portfolio,
            "instruments": {
                symbol: Instrument(symbol=symbol, sector=symbol, asset_class=AssetClass.FUND) for symbol in self.symbols
            },
            "prices": marks,
            "price_ages_days": dict.fromkeys(self.symbols, 0.0),
            "equity": equity,
            "previous_equity": equity,
            "returns": np.random.default_rng(3).normal(0, 0.005, (250, 3)),
            "return_symbols": self.symbols,
            "state_version": "v1",
            "halted": frozenset(),
        }
        return GateState(**{**values, **changes})

    def leg(self, symbol: str, side: str, quantity: int, slices: int = 1, **changes: Any) -> ParentOrder:
        values = {
            "order_id": f"leg-{symbol}",
            "decision_id": "d1",
            "symbol": symbol,
            "side": Side(side),
            "quantity": quantity,
            "reference_price": Decimal(100),
            "reason": "test",
            "advice": ExecutionAdvice(slices=slices),
        }
        return ParentOrder(**{**values, **changes})

    def approved(self, *legs: ParentOrder, state: GateState | None = None) -> ApprovedPlan:
        plan = Plan(plan_id="p1", decision_id="d1", as_of=self.decided, legs=legs)
        verdict, approved = review_plan(plan, state or self.state(), self.limits, self.decided)
        assert approved is not None, verdict.reasons
        return approved

    def at(self, minutes: float) -> datetime:
        return self.opens + timedelta(minutes=minutes)

    def quote(
        self, symbol: str = "AAA", minutes: float = 0, bid: str = "99.99", ask: str = "100.01", size: int = 1_000_000
    ) -> Quote:
        return Quote(symbol, self.at(minutes), Decimal(bid), Decimal(ask), size, size, True)

    def quotes(self, symbols: Iterable[str] = ("AAA",), count: int = 14, **changes: Any) -> list[Quote]:
        """Flat quotes, one per half hour from the open on, the last one at the close."""
        return [self.quote(symbol, 30 * place, **changes) for place in range(count) for symbol in symbols]

    def liquidity(self, **changes: Any) -> Liquidity:
        values = {
            "tick": Decimal("0.01"),
            "lot": 1,
            "daily_vol_frac": 0.01,
            "volume": 1e6,
            "is_recorded": True,
        }
        return Liquidity(**{**values, **changes})

    def venue(self, fees: FeeModel | None = None, liquidity: Liquidity | None = None, **changes: Any) -> PaperVenue:
        terms = dict.fromkeys(self.symbols, liquidity or self.liquidity())
        return PaperVenue(self.hours, terms, fees or FeeModel(), **changes)

    def order(self, quantity: int, side: str = "BUY", limit: str | None = "100.50", **changes: Any) -> ApprovedOrder:
        """One approved child of its own plan, ready for a venue."""
        state = self.state(held={"AAA": quantity} if side == "SELL" else None, cash="900000000")
        values = {
            "client_order_id": "c1",
            "order_id": "leg-AAA",
            "decision_id": "d1",
            "symbol": "AAA",
            "side": Side(side),
            "quantity": quantity,
            "limit_price": None if limit is None else Decimal(limit),
            "sequence": 0,
            "created_at": self.opens,
        }
        child = ChildOrder(**{**values, **changes})
        mid = child.limit_price or Decimal(100)
        context = OrderContext(
            quote=Quote("AAA", child.created_at, mid, mid, 1, 1, True),
            held=quantity if side == "SELL" else 0,
            open_buys=0,
            open_sells=0,
            committed=0,
            children=0,
            traded=0,
            cash=Decimal(10**9),
            reserved=Decimal(0),
            gross_value=Decimal(0),
            sector_value=Decimal(0),
            **FIGURES,
        )
        plan = self.approved(self.leg("AAA", side, quantity), state=state)
        review = review_child(child, plan, context, self.limits, child.created_at)
        assert review.order is not None, review.verdict.reasons
        return review.order

    def reviewer(self, plan: ApprovedPlan, venue: Any, book: SessionBook, recorder: Recorder) -> Reviewer:
        """A gate that knows the venue is there and the books agree."""
        reviewer = Reviewer(plan, venue, book, self.limits, self.hours, recorder.health)
        reviewer.heard(self.opens)
        reviewer.is_reconciled = True
        return reviewer

    def work(self, plan: ApprovedPlan, quotes: Iterable[Quote], log: list[NewEvent], **changes: Any) -> SessionResult:
        values = {
            "venue": changes.pop("venue", None) or self.venue(),
            "hours": self.hours,
            "portfolio": plan.terms.portfolio,
            "limits": self.limits,
            "emit": log.append,
            "run_id": "run",
        }
        return work_session(plan, quotes, **{**values, **changes})


@pytest.fixture(scope="session")
def floor() -> Floor:
    return Floor()
