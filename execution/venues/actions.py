"""What a corporate action does to a position, to cash and to an order that stands; for prices as they were traded.

Where a run's prices are adjusted for an action already, applying it again would count it twice: the caller says so
and applies nothing.
"""

from datetime import UTC, datetime, time
from decimal import ROUND_FLOOR, Decimal

from ...domain.errors import LedgerError
from ...domain.events import PositionCashedOut
from ...domain.overnight import DividendBooked, NightPayload, PositionRenamed, SharesSplit, book_night
from ...domain.portfolio import Portfolio, cash_out
from ...market.corporate_actions import CorporateAction
from ..errors import ExecutionError
from .worked_order import WorkedOrder


def act_on_portfolio(portfolio: Portfolio, action: CorporateAction, price: Decimal | None = None) -> Portfolio:
    """The book at the open of the ex-date; without a position of the instrument it stays as it is.

    Raises ExecutionError for a fraction of a share without a price, and for a new name that is held already.
    """
    fact = action_fact(portfolio, action, price)
    if fact is None:
        return portfolio
    if isinstance(fact, PositionCashedOut):
        return cash_out(portfolio, fact.symbol, fact.price)
    try:
        return book_night(portfolio, fact)
    except LedgerError as error:
        raise ExecutionError(error.message, remedy=error.remedy) from error


def action_fact(
    portfolio: Portfolio, action: CorporateAction, price: Decimal | None = None
) -> NightPayload | PositionCashedOut | None:
    """What an action is to a book, as the log records it; None without a position of the instrument.

    A split leaves what the position cost as it was; a fraction of a share is paid out at `price`, one new share's.
    A dividend is cash of the ex-date (a short position pays it), so that equity does not jump between then and the
    day of payment. A delisting pays out the position.
    """
    symbol, held = action.symbol, portfolio.quantity(action.symbol)
    if not held:
        return None
    match action.kind:
        case "dividend":
            return DividendBooked(
                symbol=symbol, quantity=held, cash_per_share=action.cash, ex_date=action.ex_date, paid=action.paid
            )
        case "delisting":
            at = datetime.combine(action.ex_date, time(0), UTC)
            return PositionCashedOut(
                symbol=symbol, quantity=held, price=action.cash, priced_at=at, reason=f"{symbol} was {action.text}"
            )
        case "rename":
            return PositionRenamed(symbol=symbol, quantity=held, new_symbol=action.new_symbol, ex_date=action.ex_date)
        case "split":
            return SharesSplit(
                symbol=symbol,
                quantity=held,
                old_shares=action.old_shares,
                new_shares=action.new_shares,
                fraction_price=price,
                ex_date=action.ex_date,
            )


def act_on_order(order: WorkedOrder, action: CorporateAction, tick: Decimal, lot: int) -> str:
    """Move a standing order to the new shares, in place, and say why it must be canceled instead; else empty.

    After FINRA rule 5330: a split divides prices and multiplies quantity, in whole lots; a reverse split cancels. A
    dividend lowers buy limits and sell stops by its amount, down to the grid.
    """
    match action.kind:
        case "split" if action.new_shares < action.old_shares:
            return f"a reverse {action.text}"
        case "split":
            ratio = Decimal(action.old_shares) / action.new_shares
            order.limit = _on_grid(order.limit, ratio, tick)
            order.stop = _on_grid(order.stop, ratio, tick)
            grown = order.remaining * action.new_shares // action.old_shares // lot * lot
            order.quantity, order.remaining = order.quantity + grown - order.remaining, grown
            return "" if grown else f"nothing is left after a {action.text}"
        case "dividend":
            return _less_dividend(order, action.cash, tick)
        case "delisting" | "rename":
            return f"{action.symbol} was {action.text}"


def _less_dividend(order: WorkedOrder, cash: Decimal, tick: Decimal) -> str:
    if order.side.sign > 0 and order.limit is not None and order.stop is None:
        order.limit = _down(order.limit - cash, tick)
    if order.side.sign < 0 and order.stop is not None:
        order.stop = _down(order.stop - cash, tick)
    left = min((price for price in (order.limit, order.stop) if price is not None), default=tick)
    return "" if left > 0 else f"its price is not above the dividend {cash}"


def _on_grid(price: Decimal | None, ratio: Decimal, tick: Decimal) -> Decimal | None:
    return None if price is None else max(_down(price * ratio, tick), tick)


def _down(price: Decimal, tick: Decimal) -> Decimal:
    return (price / tick).to_integral_value(ROUND_FLOOR) * tick
