"""Cash and shares as the broker keeps them: fills, locates for short sales, and the cost of what is borrowed."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal

from ...domain.orders import Fill
from ...domain.portfolio import Portfolio, Position
from ...gate.state import Borrow
from ...market.corporate_actions import CorporateAction
from ..errors import ExecutionError
from .actions import act_on_portfolio

CENT = Decimal("0.01")
DAYS_IN_YEAR = 360
COLLATERAL_FRAC = Decimal("1.02")
"""Stock loans are priced on 102 % of the value, in whole dollars a share, over a year of 360 days: the custom of
US lenders."""


@dataclass(frozen=True, slots=True)
class BorrowCharge:
    """What holding a position short cost over some nights."""

    symbol: str
    shares: int
    price: Decimal
    rate_frac: float
    nights: int
    amount: Decimal


class Account:
    """One account over sessions and over all venues that settle into it. `borrow` is what may be sold short."""

    def __init__(self, portfolio: Portfolio, borrow: Mapping[str, Borrow] | None = None) -> None:
        self.cash = portfolio.cash
        self.held: dict[str, int] = defaultdict(int, portfolio.holdings())
        self._borrow = dict(borrow or {})

    def positions(self) -> dict[str, int]:
        return {symbol: held for symbol, held in self.held.items() if held}

    def book(self, fill: Fill) -> None:
        self.held[fill.symbol] += fill.side.sign * fill.quantity
        self.cash -= fill.side.sign * fill.notional + fill.fee

    def act(self, action: CorporateAction, price: Decimal | None = None) -> None:
        """A corporate action before the open; `price` is one of after a split, for fractions of a share."""
        held = tuple(
            Position(symbol=symbol, quantity=quantity, average_price=Decimal(0))
            for symbol, quantity in sorted(self.positions().items())
        )
        after = act_on_portfolio(Portfolio(cash=self.cash, positions=held), action, price)
        self.cash, self.held = after.cash, defaultdict(int, after.holdings())

    def unlocated(self, symbol: str, selling: int) -> int:
        """Shares of sales, open ones included, beyond what is held and located; they may not be sold."""
        located = self._borrow[symbol].shortable if symbol in self._borrow else 0
        return max(selling - self.held[symbol] - located, 0)

    def accrue(self, prices: Mapping[str, Decimal], since: date, until: date) -> tuple[BorrowCharge, ...]:
        """Charge every short position for the nights between two sessions, at the earlier one's closing prices.

        Raises ExecutionError for a short position without a price or a rate: a cost that is not known is not zero.
        """
        nights = (until - since).days
        charges: list[BorrowCharge] = []
        for symbol, held in sorted(self.held.items()):
            if held >= 0 or nights <= 0:
                continue
            if symbol not in prices or symbol not in self._borrow:
                raise ExecutionError(
                    f"{symbol}: {-held} shares are short, without {'a price' if symbol not in prices else 'a rate'}",
                    remedy="Give a closing price and a borrow rate for every short position.",
                )
            rate = self._borrow[symbol].rate_frac
            value = (prices[symbol] * COLLATERAL_FRAC).to_integral_value(ROUND_CEILING) * -held
            raw = value * Decimal(repr(rate)) * nights / DAYS_IN_YEAR
            amount = raw.quantize(CENT, rounding=ROUND_CEILING)
            charges.append(BorrowCharge(symbol, -held, prices[symbol], rate, nights, amount))
        self.cash -= sum((charge.amount for charge in charges), Decimal(0))
        return tuple(charges)
