"""A venue whose every move is scripted: it keeps orders and executions of its own, and answers when it is told to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from parley.domain.events import Event, NewEvent
from parley.domain.market import Quote
from parley.domain.orders import ChildOrder, Fill, OrderState
from parley.execution.errors import VenueUnreachable
from parley.execution.orders import TERMINAL
from parley.execution.venues.venue import (
    Accepted,
    Busted,
    Canceled,
    CancelRefused,
    Expired,
    Filled,
    Rejected,
    Report,
    VenueOrder,
    VenueTerms,
)
from parley.gate.approval import ApprovedOrder, genuine_order

Line = Literal["up", "answer lost", "down"]
"""`answer lost`: the next request arrives and its answer does not; `down`: the next one does not even arrive."""


@dataclass(slots=True)
class Kept:
    child: ChildOrder
    state: OrderState
    executed: int
    at: datetime
    sends: int = 1


class ScriptedVenue:
    """Reports wait in `pending` until they are delivered; what is asked is answered with the truth."""

    name = "scripted"

    def __init__(self, start: Mapping[str, int] | None = None, cash: Decimal | None = None) -> None:
        self.line: Line = "up"
        self.refuses = False
        """Whether the next request is refused."""
        self.is_silent = False
        """Whether questions go unanswered as well."""
        self.says = VenueTerms()
        """What it says of every instrument."""
        self.orders: dict[str, Kept] = {}
        self.told: list[Filled | Busted] = []
        self.pending: list[Report] = []
        self.sent: list[str] = []
        self._start, self._cash = start, cash

    def worst_fee(self, quantity: int, price: Decimal) -> Decimal:
        return Decimal(1)

    def terms(self, symbol: str) -> VenueTerms:
        return self.says

    def submit(self, order: ApprovedOrder) -> tuple[Report, ...]:
        child = genuine_order(order)
        self._arrive()
        name = child.client_order_id
        self.sent.append(name)
        if name in self.orders:
            self.orders[name].sends += 1
            assert self.orders[name].child == child
        elif self._is_refusing():
            self.orders[name] = Kept(child, OrderState.REJECTED, 0, child.created_at)
            self.pending.append(Rejected(name, child.created_at, "no"))
        else:
            self.orders[name] = Kept(child, OrderState.ACCEPTED, 0, child.created_at)
            self.pending.append(Accepted(name, child.created_at))
        return self._answered()

    def cancel(self, client_order_id: str, at: datetime) -> tuple[Report, ...]:
        self._arrive()
        kept = self.orders.get(client_order_id)
        if kept is None or kept.state in TERMINAL or self._is_refusing():
            self.pending.append(CancelRefused(client_order_id, at, "no"))
        else:
            kept.state, kept.at = OrderState.CANCELED, at
            self.pending.append(Canceled(client_order_id, at, "asked", kept.executed))
        return self._answered()

    def cancel_all(self, at: datetime) -> tuple[Report, ...]:
        return tuple(report for order in self.open_orders() for report in self.cancel(order.client_order_id, at))

    def on_quote(self, quote: Quote) -> tuple[Report, ...]:
        return self.deliver()

    def close(self, at: datetime) -> tuple[Report, ...]:
        for name in [name for name, kept in self.orders.items() if kept.state not in TERMINAL]:
            self.expire(name, at)
        return self.deliver()

    def order(self, client_order_id: str) -> VenueOrder | None:
        self._ask()
        kept = self.orders.get(client_order_id)
        return None if kept is None else _seen(kept)

    def open_orders(self) -> tuple[VenueOrder, ...]:
        self._ask()
        return tuple(_seen(kept) for kept in self.orders.values() if kept.state not in TERMINAL)

    def executions(self) -> tuple[Filled | Busted, ...]:
        self._ask()
        return tuple(self.told)

    def positions(self) -> Mapping[str, int] | None:
        self._ask()
        if self._start is None:
            return None
        held = dict(self._start)
        for fill in self.standing():
            held[fill.symbol] = held.get(fill.symbol, 0) + fill.side.sign * fill.quantity
        return {symbol: quantity for symbol, quantity in held.items() if quantity}

    def cash(self) -> Decimal | None:
        self._ask()
        if self._cash is None:
            return None
        return self._cash - sum((fill.side.sign * fill.notional + fill.fee for fill in self.standing()), Decimal(0))

    def standing(self) -> list[Fill]:
        gone = {report.fill.execution_id for report in self.told if isinstance(report, Busted)}
        fills = [report.fill for report in self.told if isinstance(report, Filled)]
        return [fill for fill in fills if fill.execution_id not in gone]

    def fill(self, name: str, quantity: int, at: datetime, price: str = "100") -> Filled:
        kept = self.orders[name]
        kept.executed += quantity
        kept.at = at
        if kept.state not in TERMINAL:
            over = kept.executed == kept.child.quantity
            kept.state = OrderState.FILLED if over else OrderState.PARTIALLY_FILLED
        report = Filled(
            Fill(
                execution_id=f"exe-{len(self.told)}",
                client_order_id=name,
                order_id=kept.child.order_id,
                symbol=kept.child.symbol,
                side=kept.child.side,
                quantity=quantity,
                price=Decimal(price),
                fee=Decimal("0.01"),
                mid_price=Decimal(price),
                touch_price=Decimal(price),
                venue=self.name,
                ts_event=at,
            )
        )
        self.told.append(report)
        self.pending.append(report)
        return report

    def bust(self, fill: Fill, at: datetime) -> None:
        report = Busted(fill, at, "erroneous")
        self.told.append(report)
        self.pending.append(report)

    def expire(self, name: str, at: datetime) -> None:
        kept = self.orders[name]
        kept.state, kept.at = OrderState.EXPIRED, at
        self.pending.append(Expired(name, at, "over", kept.executed))

    def deliver(self) -> tuple[Report, ...]:
        reports, self.pending = tuple(self.pending), []
        return reports

    def _arrive(self) -> None:
        if self.line == "down":
            self.line = "up"
            raise VenueUnreachable("the line is down")

    def _answered(self) -> tuple[Report, ...]:
        if self.line == "answer lost":
            self.line = "up"
            self.pending.pop()
            raise VenueUnreachable("no answer came")
        return ()

    def _is_refusing(self) -> bool:
        refuses, self.refuses = self.refuses, False
        return refuses

    def _ask(self) -> None:
        if self.is_silent:
            raise VenueUnreachable("no answer to a question")


def _seen(kept: Kept) -> VenueOrder:
    child = kept.child
    return VenueOrder(
        child.client_order_id, child.symbol, child.side, child.quantity, kept.state, kept.executed, kept.at, "seen"
    )


def as_events(log: Iterable[NewEvent]) -> list[Event]:
    """What the log would hand out of these facts."""
    return [
        Event(
            seq=place,
            id=str(place),
            stream=new.stream,
            version=place,
            type=type(new.payload).__name__,
            schema_version=new.payload.schema_version,
            event_time=new.event_time,
            run_id=new.run_id,
            decision_id=new.decision_id,
            order_id=new.order_id,
            cause_id=None,
            actor=new.actor,
            payload=new.payload.model_dump(mode="json"),
            prev_hash="",
            hash="",
        )
        for place, new in enumerate(log, 1)
    ]
