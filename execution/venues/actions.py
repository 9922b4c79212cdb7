"""What a corporate action does to a position, to cash and to an order that stands; for prices as they were traded.

Where a run's prices are adjusted for an action already, applying it again would count it twice: the caller says so
and applies nothing.
"""

from decimal import ROUND_FLOOR, Decimal

from ...domain.portfolio import Portfolio, Position, cash_out
from ...market.corporate_actions import CorporateAction
from ..errors import ExecutionError
from .worked_order import WorkedOrder


def act_on_portfolio(portfolio: Portfolio, action: CorporateAction, price: Decimal | None = None) -> Portfolio:
    """The book at the open of the ex-date; without a position of the instrument it stays as it is.

    A split leaves what the position cost as it was; a fraction of a share is paid out at `price`, one new share's.
    A dividend is cash of the ex-date (a short position pays it), so that equity does not jump between then and the
    day of payment. A delisting pays out the position. Raises ExecutionError for a fraction without a price.
    """
    position = portfolio.position(action.symbol)
    if position is None or not position.quantity:
        return portfolio
    match action.kind:
        case "dividend":
            return portfolio.model_copy(update={"cash": portfolio.cash + action.cash * position.quantity})
        case "delisting":
            return cash_out(portfolio, action.symbol, action.cash)
        case "rename":
            return _renamed(portfolio, position, action.new_symbol)
        case "split":
            return _split(portfolio, position, action, price)


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


def _split(portfolio: Portfolio, position: Position, action: CorporateAction, price: Decimal | None) -> Portfolio:
    sign = 1 if position.quantity > 0 else -1
    whole, rest = divmod(abs(position.quantity) * action.new_shares, action.old_shares)
    average = position.average_price * action.old_shares / action.new_shares
    cash, realized = portfolio.cash, position.realized
    if rest:
        if price is None:
            raise ExecutionError(
                f"{action.symbol}: a {action.text} leaves {rest}/{action.old_shares} of a share and no price for it",
                remedy="Give the first price after the split.",
            )
        fraction = sign * Decimal(rest) / action.old_shares
        cash += fraction * price
        realized += fraction * (price - average)
    after = Position(
        symbol=position.symbol,
        quantity=sign * whole,
        average_price=average if whole else Decimal(0),
        realized=realized,
    )
    positions = tuple(after if item.symbol == position.symbol else item for item in portfolio.positions)
    return portfolio.model_copy(update={"cash": cash, "positions": positions})


def _renamed(portfolio: Portfolio, position: Position, name: str) -> Portfolio:
    other = portfolio.position(name)
    if other is not None and other.quantity:
        raise ExecutionError(
            f"{position.symbol} becomes {name}, of which {other.quantity} are held already",
            remedy="Enter it as a merger: pay one of them out.",
        )
    realized = position.realized + (other.realized if other else Decimal(0))
    moved = position.model_copy(update={"symbol": name, "realized": realized})
    rest = [item for item in portfolio.positions if item.symbol not in (position.symbol, name)]
    return portfolio.model_copy(update={"positions": tuple(sorted([*rest, moved], key=lambda item: item.symbol))})


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
