"""How the risk agent's VaR of the held book came out, day after day."""

from dataclasses import dataclass

import numpy as np

from ...quant.arrays import FloatArray
from ...quant.var_backtests import BASEL_DAYS, MIN_DAYS, Zone, christoffersen, exceptions, kupiec, traffic_light

LEVEL = 0.99


@dataclass(frozen=True, slots=True)
class VarRecord:
    """The 99 % one-day VaR of each close against the day after it."""

    n_days: int
    n_exceptions: int
    kupiec_p: float
    """Small where there are too many or too few."""
    independence_p: float
    """Small where they come together."""
    coverage_p: float
    """Both at once (Christoffersen)."""
    last_year_exceptions: int
    last_year_zone: Zone
    worst_year_exceptions: int
    """Of any 250 days in a row."""

    @property
    def expected(self) -> float:
        return (1.0 - LEVEL) * self.n_days


def var_record(returns: FloatArray, forecasts: FloatArray) -> VarRecord | None:
    """Returns (n_days,) against the forecasts (n_days,) of the closes before them; None with too few of those.

    Days on which nothing was at risk have no forecast to test: a VaR of zero, or none at all.
    """
    tested = np.isfinite(forecasts) & (forecasts > 0.0)
    if int(tested.sum()) < max(MIN_DAYS, BASEL_DAYS):
        return None
    hits = exceptions(returns[tested], forecasts[tested])
    coverage = christoffersen(hits, LEVEL)
    windows = np.convolve(hits.astype(np.int64), np.ones(BASEL_DAYS, dtype=np.int64), mode="valid")
    last = int(windows[-1])
    return VarRecord(
        n_days=len(hits),
        n_exceptions=int(hits.sum()),
        kupiec_p=kupiec(int(hits.sum()), len(hits), LEVEL).p_value,
        independence_p=coverage.independence.p_value,
        coverage_p=coverage.conditional.p_value,
        last_year_exceptions=last,
        last_year_zone=traffic_light(last),
        worst_year_exceptions=int(windows.max()),
    )
