"""Cash and shares as the broker keeps them: fills, locates for short sales, and the cost of what is borrowed."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal

from ...domain.orders import Fill
from ...domain.portfolio import Portfolio
from ...gate.state import Borrow

CENT = Decimal("0.01")
DAYS_IN_YEAR = 360
COLLATERAL_FRAC = Decimal("1.02")
"""Stock loans are priced on 102 % of the value, in whole dollars a share, over a year of 360 days: the custom of
US lenders."""


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

    def unlocated(self, symbol: str, selling: int) -> int:
        """Shares of sales, open ones included, beyond what is held and located; they may not be sold."""
        located = self._borrow[symbol].shortable if symbol in self._borrow else 0
        return max(selling - self.held[symbol] - located, 0)


def borrow_fee(shares: int, price: Decimal, rate_frac: float, nights: int) -> Decimal:
    """What holding so many shares short costs over some nights, at the earlier close's price, in whole cents."""
    value = (price * COLLATERAL_FRAC).to_integral_value(ROUND_CEILING) * shares
    raw = value * Decimal(repr(rate_frac)) * nights / DAYS_IN_YEAR
    return raw.quantize(CENT, rounding=ROUND_CEILING)
