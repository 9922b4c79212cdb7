"""Fixed weights held over a data set's history: equity net of costs."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..quant.arrays import FloatArray
from ..quant.performance import turnover
from ..tools.errors import NotEnoughData


@dataclass(frozen=True, slots=True, eq=False)
class HeldBook:
    """Equity (n_days + 1,) of a start of 1, what it turned over a year, and its costs over traded value."""

    equity: FloatArray
    turnover: float
    costs_bps: float


def hold(closes: FloatArray, days: npt.NDArray[np.datetime64], weights: FloatArray, cost_frac: float) -> HeldBook:
    """Bought at the first close (n_days + 1, n_names), brought back to (n_names,) `weights` at each month's first.

    What is not invested is cash without interest, and what is invested beyond 1 is borrowed without any.
    `cost_frac` is paid on every unit of value bought or sold, out of cash.
    """
    months = days.astype("datetime64[M]")
    before, after = np.zeros(closes.shape), np.zeros(closes.shape)
    equity = np.empty(len(closes))
    values, cash, costs, traded = np.zeros(closes.shape[1]), 1.0, 0.0, 0.0
    for row in range(len(closes)):
        if row:
            values = values * closes[row] / closes[row - 1]
        worth = float(values.sum()) + cash
        if worth <= 0.0:
            raise NotEnoughData(
                f"the book lost everything by {days[row]}", remedy="Give weights with less leverage, or another span."
            )
        before[row] = values / worth
        if row == 0 or months[row] != months[row - 1]:
            moved = float(np.abs(worth * weights - values).sum())
            cost = cost_frac * moved
            values, traded, costs = worth * weights, traded + moved, costs + cost
            worth -= cost
            cash = worth - float(values.sum())
        after[row] = values / worth
        equity[row] = worth
    # The first purchase is paid before the first close is judged, so that the record bears it.
    equity[0] = 1.0
    return HeldBook(equity, turnover(before, after), 1e4 * costs / traded if traded else 0.0)
