"""Cash and positions at an instant: a pure fold over fills, in Decimal."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from .errors import LedgerError
from .model import Model, Symbol
from .orders import Fill


class Position(Model):
    """A signed quantity of one instrument and what it cost on average."""

    symbol: Symbol
    quantity: int
    average_price: Decimal
    realized: Decimal = Decimal(0)


class Portfolio(Model):
    """What the desk owns. Positions are kept sorted by symbol; flat ones stay, for their realized result."""

    cash: Decimal
    currency: str = "USD"
    positions: tuple[Position, ...] = ()

    def quantity(self, symbol: str) -> int:
        found = self.position(symbol)
        return found.quantity if found else 0

    def position(self, symbol: str) -> Position | None:
        return next((item for item in self.positions if item.symbol == symbol), None)

    def holdings(self) -> dict[str, int]:
        """Quantities of the open positions, by symbol."""
        return {item.symbol: item.quantity for item in self.positions if item.quantity}

    def equity(self, prices: Mapping[str, Decimal]) -> Decimal:
        """Cash plus positions at these prices; a held symbol without a price is an error, never a zero."""
        total = self.cash
        for symbol, quantity in self.holdings().items():
            if symbol not in prices:
                raise LedgerError(
                    f"{symbol}: held {quantity} but no price was given",
                    remedy="Pass the last known price of every held symbol.",
                )
            total += prices[symbol] * quantity
        return total


def book_fill(portfolio: Portfolio, fill: Fill) -> Portfolio:
    """The portfolio after one fill; fees come out of cash, never out of the price."""
    return book_trade(portfolio, fill.symbol, fill.side.sign * fill.quantity, fill.price, fill.fee)


def book_trade(portfolio: Portfolio, symbol: str, signed: int, price: Decimal, fee: Decimal) -> Portfolio:
    """The portfolio after a signed quantity changed hands.

    Average cost: a trade that extends a position averages in, one that reduces it realizes
    (price - average) x quantity, one that crosses zero opens the rest at its own price.
    """
    old = portfolio.position(symbol) or Position(symbol=symbol, quantity=0, average_price=Decimal(0))
    after = old.quantity + signed
    realized, average = old.realized, old.average_price
    extends = old.quantity == 0 or (old.quantity > 0) == (signed > 0)
    if extends:
        average = (average * abs(old.quantity) + price * abs(signed)) / abs(after)
    else:
        closed = min(abs(signed), abs(old.quantity))
        direction = 1 if old.quantity > 0 else -1
        realized += (price - average) * closed * direction
        if after == 0:
            average = Decimal(0)
        elif (after > 0) != (old.quantity > 0):
            average = price
    position = Position(symbol=symbol, quantity=after, average_price=average, realized=realized)
    others = [item for item in portfolio.positions if item.symbol != symbol]
    return portfolio.model_copy(
        update={
            "cash": portfolio.cash - price * signed - fee,
            "positions": tuple(sorted([*others, position], key=lambda item: item.symbol)),
        }
    )


def cash_out(portfolio: Portfolio, symbol: str, price: Decimal) -> Portfolio:
    """The portfolio after a position became cash at a price, without a trade: a delisting or a takeover."""
    position = portfolio.position(symbol)
    if position is None or position.quantity == 0:
        raise LedgerError(f"{symbol}: nothing is held that could become cash", remedy="Check the position first.")
    gain = (price - position.average_price) * position.quantity
    closed = position.model_copy(
        update={"quantity": 0, "average_price": Decimal(0), "realized": position.realized + gain}
    )
    positions = tuple(closed if item.symbol == symbol else item for item in portfolio.positions)
    cash = portfolio.cash + price * position.quantity
    return portfolio.model_copy(update={"cash": cash, "positions": positions})


def book_fills(portfolio: Portfolio, fills: Iterable[Fill]) -> Portfolio:
    """Fold fills in order, each execution id once."""
    seen: set[str] = set()
    for fill in fills:
        if fill.execution_id not in seen:
            seen.add(fill.execution_id)
            portfolio = book_fill(portfolio, fill)
    return portfolio
