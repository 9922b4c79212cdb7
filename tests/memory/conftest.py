"""A small story of a book, event by event, for the tests of its memory."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest
from parley.domain.decisions import CheckResult, Decision, DecisionKind, Snapshot, Verdict
from parley.domain.events import (
    Actor,
    ChildClosed,
    ChildDenied,
    ChildSubmitted,
    DecisionMade,
    FillBusted,
    NewEvent,
    OrderClosed,
    OrderFilled,
    OrderOpened,
    Payload,
    PlanApproved,
    PortfolioMarked,
    RunStarted,
)
from parley.domain.instruments import Instrument, Universe
from parley.domain.orders import ChildOrder, Fill, OrderState, ParentOrder, Plan, Side
from parley.domain.portfolio import Portfolio
from parley.domain.views import Regime
from parley.memory.log import EventLog
from parley.memory.views import ReadModels
from parley.storage.sql import open_sqlite

BEGIN = datetime(2024, 1, 2, 21, 0, tzinfo=UTC)


class Story:
    """Makes the facts of a book; the same arguments always make the same fact."""

    cash = Decimal("100000")

    def fact(self, payload: Payload, stream: str = "run", **ids: str | None) -> NewEvent:
        actor = Actor(kind="desk", name="story")
        return NewEvent(stream=stream, event_time=BEGIN, actor=actor, payload=payload, run_id="run-1", **ids)

    def started(self) -> NewEvent:
        return self.fact(
            RunStarted(
                run_id="run-1",
                data="tiny",
                data_fingerprint="f" * 64,
                universe=Universe(name="two", instruments=(Instrument(symbol="AAPL"), Instrument(symbol="MSFT"))),
                first_session=date(2024, 1, 2),
                last_session=date(2024, 1, 31),
                seed=7,
                model="rules",
                cash=self.cash,
                settings={"note": "naïve ☂", "depth": 2},
                settings_hash="0" * 64,
                limits_hash="1" * 64,
                parley_version="0.1.0",
            )
        )

    def started_portfolio(self) -> Portfolio:
        return Portfolio(cash=self.cash)

    def leg(self, number: int, symbol: str = "AAPL", quantity: int = 100) -> ParentOrder:
        return ParentOrder(
            order_id=f"ord-{number}",
            decision_id=f"dec-{number}",
            symbol=symbol,
            side=Side.BUY,
            quantity=quantity,
            reference_price=Decimal("10.00"),
            reason="towards the target",
        )

    def verdict(self, *, approved: bool = True) -> Verdict:
        check = CheckResult(
            check="max_weight",
            symbol="AAPL",
            value=0.07,
            limit=0.05,
            unit="frac",
            passed=approved,
            text="weight 7% over 5%",
        )
        return Verdict(
            approved=approved,
            checks=(check,),
            content_hash="2" * 64,
            limits_hash="1" * 64,
            state_version="run:1",
            as_of=BEGIN,
        )

    def decided(
        self, number: int, kind: DecisionKind = "trade", summary: str = "buy a little", quantity: int = 100
    ) -> NewEvent:
        plan = self.plan(number, quantity) if kind == "trade" else None
        decision = Decision(
            decision_id=f"dec-{number}",
            run_id="run-1",
            as_of=BEGIN + timedelta(days=number),
            kind=kind,
            summary=summary,
            snapshot=Snapshot(
                as_of=BEGIN,
                session=date(2024, 1, 2),
                symbols=("AAPL", "MSFT"),
                prices={"AAPL": Decimal("10.00"), "MSFT": Decimal("20.00")},
                portfolio=Portfolio(cash=self.cash),
                equity=self.cash,
                peak_equity=self.cash,
                previous_equity=self.cash,
                limits_hash="1" * 64,
                settings_hash="0" * 64,
                data_fingerprint="f" * 64,
                model="rules",
            ),
            regime=Regime.CALM,
            views=(),
            signals=(),
            assessment=None,
            targets=None,
            drafts=(),
            votes=(),
            consensus=None,
            verdicts=(self.verdict(approved=kind == "trade"),) if kind in ("trade", "vetoed") else (),
            plan=plan,
            abstentions=(),
            llm_calls=2,
            prompt_tokens=900,
        )
        return self.fact(DecisionMade(decision=decision), decision_id=decision.decision_id)

    def plan(self, number: int, quantity: int = 100) -> Plan:
        leg = self.leg(number, quantity=quantity)
        return Plan(plan_id=f"plan-{number}", decision_id=leg.decision_id, as_of=BEGIN, legs=(leg,))

    def approved(self, number: int, quantity: int = 100) -> NewEvent:
        return self._of_order(PlanApproved(plan=self.plan(number, quantity), verdict=self.verdict()), number)

    def opened(self, number: int, quantity: int = 100) -> NewEvent:
        order = self.leg(number, quantity=quantity)
        return self._of_order(OrderOpened(order=order, arrival_price=Decimal("10.02")), number)

    def child(self, number: int, quantity: int) -> ChildOrder:
        return ChildOrder(
            client_order_id=f"child-{number}",
            order_id=f"ord-{number}",
            decision_id=f"dec-{number}",
            symbol="AAPL",
            side=Side.BUY,
            quantity=quantity,
            sequence=0,
            created_at=BEGIN,
        )

    def submitted(self, number: int, quantity: int = 100) -> NewEvent:
        return self._of_order(ChildSubmitted(child=self.child(number, quantity), verdict_hash="3" * 64), number)

    def denied(self, number: int, quantity: int = 100) -> NewEvent:
        payload = ChildDenied(child=self.child(number, quantity), verdict=self.verdict(approved=False))
        return self._of_order(payload, number)

    def child_canceled(self, number: int, unfilled: int = 0) -> NewEvent:
        payload = ChildClosed(
            client_order_id=f"child-{number}",
            order_id=f"ord-{number}",
            state=OrderState.CANCELED,
            unfilled=unfilled,
            reason="session over",
        )
        return self._of_order(payload, number)

    def filled(
        self,
        number: int,
        quantity: int = 100,
        price: str = "10.05",
        *,
        execution_id: str | None = None,
        symbol: str = "AAPL",
        side: Side = Side.BUY,
        fee: str = "0.35",
    ) -> NewEvent:
        fill = Fill(
            execution_id=execution_id or f"exec-{number}",
            client_order_id=f"child-{number}",
            order_id=f"ord-{number}",
            symbol=symbol,
            side=side,
            quantity=quantity,
            price=Decimal(price),
            fee=Decimal(fee),
            mid_price=Decimal(price),
            touch_price=Decimal(price),
            venue="paper",
            ts_event=BEGIN,
        )
        return self._of_order(OrderFilled(fill=fill), number)

    def busted(self, filled: NewEvent) -> NewEvent:
        """The venue takes back what an event of `filled` told."""
        assert isinstance(filled.payload, OrderFilled)
        fill = filled.payload.fill
        payload = FillBusted(execution_id=fill.execution_id, fill=fill, reason="erroneous")
        return self._of_order(payload, int(fill.order_id.removeprefix("ord-")))

    def closed(
        self, number: int, filled: int = 100, status: Literal["filled", "partial", "unfilled"] = "filled"
    ) -> NewEvent:
        payload = OrderClosed(
            order_id=f"ord-{number}",
            decision_id=f"dec-{number}",
            filled=filled,
            unfilled=100 - filled,
            average_price=Decimal("10.05") if filled else None,
            arrival_price=Decimal("10.02"),
            fees=Decimal("0.35"),
            shortfall_bps=29.94,
            status=status,
        )
        return self._of_order(payload, number)

    def marked(self, number: int, equity: str = "99999.65", peak: str = "100000") -> NewEvent:
        return self.fact(
            PortfolioMarked(
                session=date(2024, 1, 2) + timedelta(days=number),
                equity=Decimal(equity),
                peak_equity=Decimal(peak),
                cash=Decimal("98994.65"),
                gross=0.1,
                net=0.1,
                prices={"AAPL": Decimal("10.05")},
                benchmark=None,
                traded=Decimal("1005.00"),
                fees=Decimal("0.35"),
            )
        )

    def session(self, number: int) -> list[NewEvent]:
        """One day: decided, approved, worked, filled, marked; eight events."""
        return [
            self.decided(number),
            self.approved(number),
            self.opened(number),
            self.submitted(number),
            self.filled(number),
            self.child_canceled(number),
            self.closed(number),
            self.marked(number),
        ]

    def _of_order(self, payload: Payload, number: int) -> NewEvent:
        return self.fact(payload, f"order-{number}", decision_id=f"dec-{number}", order_id=f"ord-{number}")


@pytest.fixture(scope="session")
def story() -> Story:
    return Story()


@pytest.fixture
def log_path(tmp_path: Path) -> Path:
    return tmp_path / "book.db"


@pytest.fixture(scope="session")
def open_log() -> Callable[[Path], tuple[EventLog, ReadModels]]:
    """Opens a log for writing, with its read models."""

    def opener(path: Path) -> tuple[EventLog, ReadModels]:
        database = open_sqlite(path)
        views = ReadModels(database)
        return EventLog(database, views, recorded_at=lambda: "2024-01-02T21:00:00.123Z"), views

    return opener
