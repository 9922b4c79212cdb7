"""The grid that an instrument's prices and sizes live on, and how to find it in what was recorded."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from .panel import FloatArray

MOST_DECIMALS = 8
ROUNDING = 1e-9
USUAL_SHARE = 0.99
CENT = Decimal("0.01")
FINEST_QUOTED = Decimal("0.0001")
"""US stocks below a dollar are quoted in hundredths of a cent, and nothing is quoted finer (rule 612 of Reg NMS)."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Prices are whole `tick`s; a size of 1 is `unit` of what was recorded, whose price is that of one unit."""

    tick: Decimal = Decimal("0.01")
    unit: Decimal = Decimal(1)
    lot: int = 1

    def price(self, recorded: float) -> Decimal:
        return self.tick * round(recorded / float(self.tick)) * self.unit

    def size(self, recorded: float) -> int:
        return int(recorded / float(self.unit) + 1e-9)


def decimal_step(values: FloatArray, share: float = 1.0) -> Decimal:
    """The coarsest power of ten, at most one, of which this share of the values are whole multiples: all of them."""
    for decimals in range(MOST_DECIMALS + 1):
        scaled = values * 10.0**decimals
        on_step = np.abs(scaled - np.rint(scaled)) <= ROUNDING * np.maximum(np.abs(scaled), 1.0) * 10.0
        if on_step.sum() >= share * len(values):
            return Decimal(1).scaleb(-decimals)
    return Decimal(1).scaleb(-MOST_DECIMALS)


def quoted_tick(prices: FloatArray) -> Decimal | None:
    """The grid that prices as they were traded show, a cent at most; None where they show none.

    A hundredth of them may be off it: averages of off-exchange prints, and rows somebody computed.
    """
    known = prices[np.isfinite(prices)]
    if not len(known):
        return None
    step = min(decimal_step(known, USUAL_SHARE), CENT)
    return step if step >= FINEST_QUOTED else None
