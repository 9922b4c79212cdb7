"""What happens to a book between two sessions: dividends, splits, new names, borrow fees, orders that stand."""

from datetime import date
from decimal import Decimal

from pydantic import Field

from .errors import LedgerError
from .model import Payload, Symbol
from .portfolio import Portfolio, Position


class DividendBooked(Payload):
    """Cash a share at the ex-date: a short position pays it. `paid` is when the money comes, where that is known."""

    symbol: Symbol
    quantity: int
    cash_per_share: Decimal = Field(gt=0)
    ex_date: date
    paid: date | None

    @property
    def amount(self) -> Decimal:
        """Into cash; below zero for a short position."""
        return self.cash_per_share * self.quantity


class SharesSplit(Payload):
    """`old_shares` became `new_shares`; a fraction of a share was paid out at `fraction_price`, one new share's."""

    symbol: Symbol
    quantity: int
    old_shares: int = Field(gt=0)
    new_shares: int = Field(gt=0)
    fraction_price: Decimal | None
    ex_date: date


class PositionRenamed(Payload):
    """The instrument goes on under another symbol."""

    symbol: Symbol
    quantity: int
    new_symbol: Symbol
    ex_date: date


class BorrowCharged(Payload):
    """What holding a position short cost over the nights to the next session."""

    symbol: Symbol
    quantity: int = Field(lt=0)
    price: Decimal
    rate_frac: float = Field(ge=0)
    nights: int = Field(gt=0)
    amount: Decimal = Field(ge=0)


class OrderAdjusted(Payload):
    """A standing child was moved by a corporate action: its new whole quantity and prices."""

    client_order_id: str
    order_id: str
    quantity: int = Field(gt=0)
    limit_price: Decimal | None
    stop_price: Decimal | None
    reason: str


NightPayload = DividendBooked | SharesSplit | PositionRenamed | BorrowCharged


def book_night(portfolio: Portfolio, payload: NightPayload) -> Portfolio:
    """The portfolio after one of these.

    Cash is what was recorded; a split and a new name take what is held, which is another quantity than was recorded
    only where a fill from before was taken back since. LedgerError for a fraction of a share that has no price, and
    for a new name that is held already.
    """
    position = portfolio.position(payload.symbol)
    match payload:
        case DividendBooked():
            return portfolio.model_copy(update={"cash": portfolio.cash + payload.amount})
        case BorrowCharged():
            return portfolio.model_copy(update={"cash": portfolio.cash - payload.amount})
        case SharesSplit() if position is not None and position.quantity:
            return _split(portfolio, position, payload)
        case PositionRenamed() if position is not None and position.quantity:
            return _renamed(portfolio, position, payload.new_symbol)
        case _:
            return portfolio


def _split(portfolio: Portfolio, position: Position, split: SharesSplit) -> Portfolio:
    """What the position cost stays as it was."""
    sign = 1 if position.quantity > 0 else -1
    whole, rest = divmod(abs(position.quantity) * split.new_shares, split.old_shares)
    average = position.average_price * split.old_shares / split.new_shares
    cash, realized = portfolio.cash, position.realized
    if rest:
        if split.fraction_price is None:
            raise LedgerError(
                f"{split.symbol}: a split {split.new_shares}:{split.old_shares} leaves {rest}/{split.old_shares} of a "
                "share and no price for it",
                remedy="Give the first price after the split.",
            )
        fraction = sign * Decimal(rest) / split.old_shares
        cash += fraction * split.fraction_price
        realized += fraction * (split.fraction_price - average)
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
        raise LedgerError(
            f"{position.symbol} becomes {name}, of which {other.quantity} are held already",
            remedy="Enter it as a merger: pay one of them out.",
        )
    realized = position.realized + (other.realized if other else Decimal(0))
    moved = position.model_copy(update={"symbol": name, "realized": realized})
    rest = [item for item in portfolio.positions if item.symbol not in (position.symbol, name)]
    return portfolio.model_copy(update={"positions": tuple(sorted([*rest, moved], key=lambda item: item.symbol))})
