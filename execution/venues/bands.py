"""Limit up, limit down: the prices that may trade around the last minutes' reference, and the pause that follows.

After the plan of the US markets (National Market System Plan to Address Extraordinary Market Volatility): the
reference is the mean price of the last five minutes and moves only when it has changed by one percent; when the
market stands at or beyond a band for fifteen seconds, trading pauses for five minutes. The plan takes the mean of
trades, and widens the bands before the close: where there are no trades here, the mid stands in, and they stay.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from ..errors import ExecutionError

WINDOW = timedelta(minutes=5)
LEAST_CHANGE = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class BandRule:
    """How wide the bands are, how long the market may stand at one, and how long the pause is."""

    width_frac: Decimal = Decimal("0.05")
    limit_state: timedelta = timedelta(seconds=15)
    pause: timedelta = timedelta(minutes=5)

    def __post_init__(self) -> None:
        if not Decimal(0) < self.width_frac < 1:
            raise ExecutionError(
                f"a price band of {self.width_frac}, expected above 0 and below 1",
                remedy="Give the band as a fraction of the reference price, 0.05 for a large stock.",
            )


class Bands:
    """The bands of one instrument as its session goes on."""

    def __init__(self, rule: BandRule, tick: Decimal) -> None:
        self._rule, self._tick = rule, tick
        self._prices: deque[tuple[datetime, Decimal]] = deque()
        self._sum = Decimal(0)
        self._reference: Decimal | None = None
        self._outside_since: datetime | None = None
        self.paused_until: datetime | None = None

    @property
    def prices(self) -> tuple[Decimal, Decimal] | None:
        """Lowest and highest price that may trade, on the grid; None before there is a reference."""
        if self._reference is None:
            return None
        low, high = self._reference * (1 - self._rule.width_frac), self._reference * (1 + self._rule.width_frac)
        grid = self._tick
        return (low / grid).to_integral_value(ROUND_CEILING) * grid, (high / grid).to_integral_value(ROUND_FLOOR) * grid

    def observe(self, now: datetime, bid: Decimal, ask: Decimal) -> None:
        """A new best bid and ask; may begin a pause or end one."""
        if self.paused_until is not None:
            if now < self.paused_until:
                return
            # The price it reopens at is the new reference.
            self.paused_until = self._outside_since = self._reference = None
            self._prices.clear()
            self._sum = Decimal(0)
        band = self.prices
        is_outside = band is not None and (bid >= band[1] or ask <= band[0])
        if not is_outside:
            self._outside_since = None
            self._refer(now, (bid + ask) / 2)
        elif self._outside_since is None:
            self._outside_since = now
        elif now - self._outside_since >= self._rule.limit_state:
            self.paused_until = now + self._rule.pause

    def _refer(self, now: datetime, price: Decimal) -> None:
        self._prices.append((now, price))
        self._sum += price
        while now - self._prices[0][0] > WINDOW:
            self._sum -= self._prices.popleft()[1]
        mean = self._sum / len(self._prices)
        if self._reference is None or abs(mean / self._reference - 1) >= LEAST_CHANGE:
            self._reference = mean
