"""The rows of an option chain, as the chain tools take them."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from ..quant.arrays import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Rows of an option chain, one per contract and day, in parallel arrays.

    `is_traded` is False where the price is no price of that day; an unknown open interest is NaN.
    """

    underlying: str
    day: npt.NDArray[np.datetime64]
    expiry: npt.NDArray[np.datetime64]
    strike: FloatArray
    is_call: npt.NDArray[np.bool_]
    price: FloatArray
    is_traded: npt.NDArray[np.bool_]
    volume: FloatArray
    open_interest: FloatArray
    spot: FloatArray

    def where(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Chain":
        """The rows that a mask or places keep."""
        return Chain(
            self.underlying,
            self.day[rows],
            self.expiry[rows],
            self.strike[rows],
            self.is_call[rows],
            self.price[rows],
            self.is_traded[rows],
            self.volume[rows],
            self.open_interest[rows],
            self.spot[rows],
        )

    def on(self, day: date) -> "Chain":
        """The rows of one day."""
        return self.where(self.day == np.datetime64(day, "D"))
