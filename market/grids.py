"""The grid that an instrument's prices and sizes live on, and how to find it in what was recorded."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from .panel import FloatArray

MOST_DECIMALS = 8
ROUNDING = 1e-9


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


def decimal_step(values: FloatArray) -> Decimal:
    """The coarsest power of ten, at most one, of which all values are whole multiples."""
    for decimals in range(MOST_DECIMALS + 1):
        scaled = values * 10.0**decimals
        if bool((np.abs(scaled - np.rint(scaled)) <= ROUNDING * np.maximum(np.abs(scaled), 1.0) * 10.0).all()):
            return Decimal(1).scaleb(-decimals)
    return Decimal(1).scaleb(-MOST_DECIMALS)
