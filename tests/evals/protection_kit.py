"""Walks a log and finds every span in which a long position had neither a stop at the venue nor an order at work."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from parley.domain.control_events import NotificationRaised, TradingStateChanged
from parley.domain.events import (
    ChildAccepted,
    ChildClosed,
    ChildSubmitted,
    Event,
    OrderClosed,
    OrderFilled,
    PlanApproved,
    PortfolioMarked,
)
from parley.domain.orders import Side
from parley.domain.overnight import OrderAdjusted
from parley.domain.portfolio import Portfolio, book_fill
from parley.domain.trading import UNRESTRICTED, TradingState
from parley.evals.overnight import pass_night
from parley.evals.steering import RESTART
from parley.execution.standing import UNPROTECTED
from parley.memory.sent_orders import SentOrders, rests

MOMENT = timedelta(minutes=30, seconds=1)
"""How far quotes drawn from daily bars are apart, and how long a message takes: what is asked for at one is there at
the next."""


@dataclass(frozen=True)
class Span:
    """A position without protection; `until` is None where the session ended in it."""

    symbol: str
    since: datetime
    until: datetime | None
    seq: int

    @property
    def is_long(self) -> bool:
        return self.until is None or self.until - self.since > MOMENT


@dataclass
class Walk:
    """The fold: what is held, what stands at the venue, what is worked, what a person was told."""

    portfolio: Portfolio
    sent: SentOrders = field(default_factory=SentOrders)
    accepted: set[str] = field(default_factory=set)
    legs: dict[str, Any] = field(default_factory=dict)
    filled: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    over: set[str] = field(default_factory=set)
    states: Any = UNRESTRICTED
    warned: set[str] = field(default_factory=set)

    def fold(self, fact: Any) -> None:
        self.sent.fold(fact)
        match fact:
            case OrderFilled():
                self.portfolio = book_fill(self.portfolio, fact.fill)
                self.filled[fact.fill.order_id] += fact.fill.quantity
            case PlanApproved():
                self.legs |= {leg.order_id: leg for leg in fact.plan.legs}
            case ChildSubmitted() if rests(fact.child):
                self.legs.pop(fact.child.order_id)
                self.warned.discard(fact.child.symbol)
            case ChildAccepted():
                self.accepted.add(fact.client_order_id)
            case OrderClosed():
                self.over.add(fact.order_id)
            case TradingStateChanged():
                self.states = self.states.with_state(fact.scope, fact.after)
            case NotificationRaised() if fact.code == UNPROTECTED:
                self.warned.add(fact.text.split(" ")[1])
            case ChildClosed() | OrderAdjusted():
                pass
            case _:
                self.portfolio = pass_night(self.portfolio, fact)

    def protected(self, symbol: str) -> int:
        return sum(
            item.open_quantity
            for item in self.sent.open
            if rests(item.child) and item.child.symbol == symbol and item.child.client_order_id in self.accepted
        )

    def on_sale(self, symbol: str) -> int:
        """Shares that open orders of any kind may still sell."""
        mine = [item for item in self.sent.open if item.child.symbol == symbol and item.child.side is Side.SELL]
        return sum(item.open_quantity for item in mine)

    def is_worked(self, symbol: str) -> bool:
        if self.states.of(symbol) is TradingState.HALTED:
            return False
        return any(
            leg.symbol == symbol and not leg.protects and name not in self.over and self.filled[name] < leg.quantity
            for name, leg in self.legs.items()
        )

    def is_naked(self, symbol: str, held: int) -> bool:
        is_covered = self.protected(symbol) == held
        return held > 0 and not is_covered and not self.is_worked(symbol) and symbol not in self.warned


def naked_spans(events: Iterable[Event]) -> list[Span]:
    """Every one of them, long or short; and no stop is ever larger than what it protects."""
    walk, since, found = Walk(Portfolio(cash=10**9)), dict[str, tuple[datetime, int]](), list[Span]()  # pyright: ignore
    for event in events:
        fact = event.decoded()
        if isinstance(fact, PortfolioMarked):
            found += [Span(name, at, None, seq) for name, (at, seq) in since.items()]
            since = {}
        if isinstance(fact, NotificationRaised) and fact.code == RESTART:
            # What was asked for in the moment in which the process died is asked for again at the next one.
            since = dict.fromkeys(since, (event.event_time, event.seq))
        walk.fold(fact)
        holdings = walk.portfolio.holdings()
        for symbol in {*holdings, *since}:
            held = holdings.get(symbol, 0)
            assert walk.on_sale(symbol) <= max(held, 0), f"event {event.seq}: more than {held} {symbol} would be sold"
            if walk.is_naked(symbol, held):
                since.setdefault(symbol, (event.event_time, event.seq))
            elif symbol in since:
                at, seq = since.pop(symbol)
                found.append(Span(symbol, at, event.event_time, seq))
    return found
