"""What own orders do to the price where no depth is recorded: square-root impact that builds up over a session."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from ...domain.orders import BUY, Side
from ...quant.impact import impact_frac

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Liquidity:
    """What is known of one instrument's day: its grid, daily volatility, and volume in shares.

    A volume that is only assumed (close-only data) still prices impact, but caps nothing.
    """

    tick: Decimal
    lot: int
    daily_vol_frac: float
    volume: float
    is_recorded: bool


class SessionImpact:
    """One instrument's: it builds up over all of a side's fills in the session and does not fade, so that slicing
    alone earns nothing."""

    def __init__(self, liquidity: Liquidity) -> None:
        self._liquidity = liquidity
        self._pushed: dict[Side, int] = dict.fromkeys(Side, 0)
        self._costs: dict[Side, tuple[int, float]] = dict.fromkeys(Side, (0, 0.0))
        """The total cost of a side at the quantity that was asked for last: the next fill begins where it ended."""

    @property
    def traded(self) -> int:
        """Own shares of both sides so far."""
        return sum(self._pushed.values())

    def push(self, side: Side, quantity: int) -> None:
        self._pushed[side] += quantity

    def most(self, side: Side, touch: Decimal, quantity: int, limit: Decimal | None) -> tuple[int, Decimal]:
        """The most that can be taken without the price, impact included, passing the limit; and that price."""
        price = self.price(side, touch, quantity)
        if quantity <= 0 or _is_within(side, limit, price):
            return quantity, price
        lot = self._liquidity.lot
        low, high = 0, quantity // lot
        while high - low > 1:
            middle = (low + high) // 2
            if _is_within(side, limit, self.price(side, touch, middle * lot)):
                low = middle
            else:
                high = middle
        return low * lot, self.price(side, touch, low * lot)

    def price(self, side: Side, touch: Decimal, quantity: int) -> Decimal:
        """Average price of taking this much now: the touch moved by this slice's part of the side's total
        square-root cost, rounded to the tick against the order."""
        terms, before, move = self._liquidity, self._pushed[side], 0.0
        if quantity > 0:
            cost_before, cost_after = self._cost(side, before), self._cost(side, before + quantity)
            move = max(cost_after - cost_before, 0.0) / quantity
        moved, buys = Decimal(repr(round(move, 12))), side is BUY
        raw = touch * (ONE + moved if buys else ONE - moved)
        ticks = (raw / terms.tick).to_integral_value(ROUND_CEILING if buys else ROUND_FLOOR)
        return (ticks if ticks > ONE else ONE) * terms.tick

    def _cost(self, side: Side, quantity: int) -> float:
        """What all of a side's shares cost in impact once they are so many: shares times fractions of the price."""
        known, cost = self._costs[side]
        if known != quantity:
            cost = quantity * impact_frac(quantity / self._liquidity.volume, self._liquidity.daily_vol_frac)
            self._costs[side] = quantity, cost
        return cost


def _is_within(side: Side, limit: Decimal | None, price: Decimal) -> bool:
    return limit is None or (price <= limit if side is BUY else price >= limit)
