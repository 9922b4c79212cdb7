"""What the night does to a book: corporate actions, borrow fees and standing orders, as facts for the log.

It is reckoned at the close, for what is decided there: the book, its orders and its prices are those of the next
session's shares from then on. Dividends count at once, as cash to come; what was recorded is what the log folds.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from ..desk.desk import Desk
from ..domain.events import ChildClosed, OrderClosed, Payload, PositionCashedOut
from ..domain.orders import OrderState
from ..domain.overnight import (
    BorrowCharged,
    DividendBooked,
    OrderAdjusted,
    PositionRenamed,
    SharesSplit,
    book_night,
)
from ..domain.portfolio import Portfolio, cash_out
from ..domain.sessions import Session, day_of
from ..execution.venues.account import borrow_fee
from ..execution.venues.actions import act_on_order, action_fact
from ..execution.venues.worked_order import carried
from ..market.corporate_actions import CorporateAction, due
from ..memory.order_results import result_of
from ..memory.sent_orders import SentOrder, rests
from ..tools.scene import on_grid

Grid = Mapping[str, tuple[Decimal, int]]
"""Tick and lot by symbol."""


def night_facts(
    desk: Desk, session: Session, portfolio: Portfolio, working: Iterable[SentOrder]
) -> tuple[Payload, ...]:
    """What happens between this session's close and the next one's open; nothing between two spans of one day."""
    since, until = day_of(session), day_of(desk.history.next_session(session))
    if since == until:
        return ()
    orders = [sent for sent in working if sent.open_quantity]
    concerned = {*portfolio.holdings(), *(sent.child.symbol for sent in orders)}
    actions = due(desk.data.actions, concerned, since, until) if desk.data.actions else []
    is_short = any(held < 0 for held in portfolio.holdings().values())
    if not actions and not is_short:
        return ()
    prices = restated_prices(desk, session)
    facts = [*action_facts(portfolio, actions, prices), *order_facts(orders, actions, _grid(desk))]
    for fact in facts:
        portfolio = pass_night(portfolio, fact)
    nights = (until - since).days
    return *facts, *borrow_facts(portfolio, prices, desk.settings.venue.borrow_rate_frac, nights)


def restated_prices(desk: Desk, session: Session) -> dict[str, Decimal]:
    """The last prices known at a close, in the shares of the next open."""
    lasts = desk.history.as_of(desk.history.close_time(session)).last_closes().tolist()
    known = zip(desk.data.universe.instruments, lasts, strict=True)
    return {item.symbol: on_grid(last, item.tick) for item, last in known if last == last}


def action_facts(
    portfolio: Portfolio, actions: Sequence[CorporateAction], prices: Mapping[str, Decimal]
) -> list[Payload]:
    """`prices` are in the shares after the actions. A new name that has no price is paid out at the old one's last."""
    facts: list[Payload] = []
    for action in actions:
        fact = action_fact(portfolio, action, prices.get(action.symbol))
        if isinstance(fact, PositionRenamed) and fact.new_symbol not in prices:
            reason = f"{action.symbol} was {action.text}, which the data do not hold; paid out at the last close"
            fact = action_fact(portfolio, _paid_out(action, prices[action.symbol]))
            assert isinstance(fact, PositionCashedOut), "of a delisting"
            fact = fact.model_copy(update={"reason": reason})
        if fact is not None:
            facts.append(fact)
            portfolio = pass_night(portfolio, fact)
    return facts


def order_facts(orders: Iterable[SentOrder], actions: Sequence[CorporateAction], grid: Grid) -> list[Payload]:
    """Standing orders that an action moves or cancels, and the results of those it cancels."""
    facts: list[Payload] = []
    for sent in orders:
        acting = [action for action in actions if action.symbol == sent.child.symbol]
        order, canceled = carried(sent), ""
        for action in acting:
            canceled = canceled or act_on_order(order, action, *grid[action.symbol])
        child = sent.child
        terms = (order.quantity, order.limit, order.stop)
        if canceled:
            facts.append(
                ChildClosed(
                    client_order_id=child.client_order_id,
                    order_id=child.order_id,
                    state=OrderState.CANCELED,
                    unfilled=sent.open_quantity,
                    reason=canceled,
                )
            )
            if rests(child):
                facts.append(result_of(child, sent.standing))
        elif terms != (child.quantity, child.limit_price, child.stop_price):
            facts.append(
                OrderAdjusted(
                    client_order_id=child.client_order_id,
                    order_id=child.order_id,
                    quantity=order.quantity,
                    limit_price=order.limit,
                    stop_price=order.stop,
                    reason=", ".join(action.text for action in acting),
                )
            )
    return facts


def order_ids(payload: Payload) -> tuple[str | None, str | None]:
    """The order a fact is about, and for an order's result its decision."""
    match payload:
        case OrderAdjusted() | ChildClosed():
            return payload.order_id, None
        case OrderClosed():
            return payload.order_id, payload.decision_id
        case _:
            return None, None


def borrow_facts(
    portfolio: Portfolio, prices: Mapping[str, Decimal], rate_frac: float, nights: int
) -> list[BorrowCharged]:
    """The fee of every short position, at these prices."""
    return [
        BorrowCharged(
            symbol=symbol,
            quantity=held,
            price=prices[symbol],
            rate_frac=rate_frac,
            nights=nights,
            amount=borrow_fee(-held, prices[symbol], rate_frac, nights),
        )
        for symbol, held in portfolio.holdings().items()
        if held < 0
    ]


def pass_night(portfolio: Portfolio, fact: Payload) -> Portfolio:
    """The book after one of these facts; an order's leaves it as it is."""
    match fact:
        case PositionCashedOut():
            return cash_out(portfolio, fact.symbol, fact.price)
        case DividendBooked() | SharesSplit() | PositionRenamed() | BorrowCharged():
            return book_night(portfolio, fact)
        case _:
            return portfolio


def _paid_out(action: CorporateAction, price: Decimal) -> CorporateAction:
    return CorporateAction(action.symbol, "delisting", action.ex_date, cash=price)


def _grid(desk: Desk) -> Grid:
    return {item.symbol: (item.tick, item.lot) for item in desk.data.universe.instruments}
