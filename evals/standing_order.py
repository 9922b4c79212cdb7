"""A position and a standing order over recorded days: every session at the exchange, and the nights between them.

No desk decides here. It shows what an order good till canceled, a position, its cost and the account's worth come to
where prices are as they were traded and shares split, pay, change their name or go.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ..desk.desk import Desk
from ..domain.events import Payload
from ..domain.orders import Fill
from ..domain.portfolio import Portfolio, book_fills
from ..execution.hours import SessionHours
from ..execution.venues.account import Account
from ..execution.venues.exchange import Exchange
from ..execution.venues.rules import ExchangeRules
from ..execution.venues.venue import Filled
from ..execution.venues.worked_order import WorkedOrder
from ..market.corporate_actions import CorporateAction, due
from ..tools.scene import on_grid
from .overnight import action_facts, borrow_facts, pass_night, restated_prices
from .recorded_exchange import listed, played
from .tape import session_tape


@dataclass(frozen=True, slots=True)
class SessionStep:
    """One session and the night after it. `standing` shares and `limit` are the order's at the close, `equity` the
    account's; `after` is the book of the next open."""

    session: date
    close: Decimal
    fills: tuple[Fill, ...]
    ended: str
    """Why the order ended without filling; empty while it stands, and once it has filled."""
    standing: int
    limit: Decimal | None
    equity: Decimal
    actions: tuple[CorporateAction, ...]
    night: tuple[Payload, ...]
    after: Portfolio


def walk(
    desk: Desk, sessions: Sequence[date], portfolio: Portfolio, order: WorkedOrder | None, symbol: str, seed: int
) -> Iterator[SessionStep]:
    """Session after session; the order stands at the first one's open."""
    standing: tuple[WorkedOrder, ...] = () if order is None else (order,)
    actions: tuple[CorporateAction, ...] = ()
    for session in sessions:
        exchange, fills = _session(desk, session, portfolio, standing, actions, symbol, seed)
        portfolio, standing = book_fills(portfolio, fills), exchange.carry_over()
        seen = exchange.order(order.child.client_order_id) if order is not None else None
        closes = _closes(desk, session, portfolio, symbol)
        until = desk.history.next_session(session)
        actions = tuple(due(desk.data.actions, {symbol, *portfolio.holdings()}, session, until))
        equity, limit = portfolio.equity(closes), standing[0].limit if standing else None
        prices = restated_prices(desk, session)
        night = action_facts(portfolio, actions, prices)
        for fact in night:
            portfolio = pass_night(portfolio, fact)
        rate_frac = desk.settings.venue.borrow_rate_frac
        fees = borrow_facts(portfolio, prices, rate_frac, (until - session).days)
        for fee in fees:
            portfolio = pass_night(portfolio, fee)
        yield SessionStep(
            session=session,
            close=closes.get(symbol, Decimal(0)),
            fills=fills,
            ended=seen.reason if seen is not None and not standing else "",
            standing=sum(item.remaining for item in standing),
            limit=limit,
            equity=equity,
            actions=actions,
            night=(*night, *fees),
            after=portfolio,
        )


def _session(
    desk: Desk,
    session: date,
    portfolio: Portfolio,
    standing: Sequence[WorkedOrder],
    actions: Sequence[CorporateAction],
    symbol: str,
    seed: int,
) -> tuple[Exchange, tuple[Fill, ...]]:
    tape = session_tape(desk, session, [symbol], seed)
    opens_at, closes_at = desk.history.opening_time(session), desk.history.close_time(session)
    hours = SessionHours(opens_at, opens_at, closes_at)
    events = played(desk, hours, tape)
    exchange = Exchange(hours, listed(tape), ExchangeRules(), Account(portfolio), tape=events)
    exchange.take_over(standing, actions)
    for quote in tape.quotes:
        exchange.on_quote(quote)
    exchange.close(closes_at)
    return exchange, tuple(item.fill for item in exchange.executions() if isinstance(item, Filled))


def _closes(desk: Desk, session: date, portfolio: Portfolio, symbol: str) -> dict[str, Decimal]:
    """As they were traded in this session; of a name that was not, the last one in its shares."""
    found = restated_prices(desk, session)
    for name in (symbol, *portfolio.holdings()):
        bar, instrument = desk.data.panel.bar(name, session), desk.data.universe.instrument(name)
        if bar is not None and instrument is not None:
            found[name] = on_grid(bar.close, instrument.tick)
    return found
