"""Estimates that learn as time passes (calibration, regime): causal, cached, and equal from scratch.

Both are functions of the data up to `as_of` alone; the cache only saves the work of starting over, so a
resumed or replayed run gets the same numbers as one that never stopped.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..market.history import MarketView
from ..quant.calibration import LAG_DAYS, Calibration, calibrate
from ..quant.errors import SampleError
from ..quant.regimes import RegimeModel, choose_regimes, filter_step

FloatArray = npt.NDArray[np.float64]

FIT_DAYS = 2520
MIN_FIT_DAYS = 504


@dataclass(frozen=True, slots=True)
class RegimeReading:
    """Filtered probabilities of the states at the last close, calmest first, and the model they come from."""

    model: RegimeModel
    probabilities: FloatArray
    fitted_days: int


class Estimators:
    """Memory of one data set's estimates; ask in any order, forward is cheap."""

    def __init__(self) -> None:
        self._calibration = Calibration()
        self._calibrated_rows = 0
        self._refused: tuple[int, SampleError] | None = None
        """The rows at which the scores had no record, and why: several ask on one day, and each try costs all years."""
        self._model: tuple[int, int, RegimeModel | None] | None = None
        self._filtered: tuple[int, FloatArray] | None = None

    def calibration(self, view: MarketView) -> Calibration:
        """The scores' record over the whole history before `view.as_of`.

        Raises SampleError where the history allows none, worked out once a day.
        """
        n_rows = len(view.close)
        if self._refused is not None and self._refused[0] == n_rows:
            raise SampleError(self._refused[1].message, remedy=self._refused[1].remedy)
        if n_rows < self._calibrated_rows:
            self._calibration = Calibration()
        self._calibrated_rows = n_rows
        # On four days of five no new week is complete, and the whole history need not be gone over.
        if n_rows - 1 - LAG_DAYS > self._calibration.next_row:
            try:
                self._calibration = calibrate(self._calibration, _simple_returns(view.close), market_series(view))
            except SampleError as error:
                self._refused = n_rows, error
                raise
        return self._calibration

    def regime(self, view: MarketView) -> RegimeReading | None:
        """The filtered regime, from a model fitted to the years before this one; None when history is short.

        Its states are of daily returns: bars within the day tell of none.
        """
        if view.interval is not None:
            return None
        market = market_series(view)
        years = view.sessions.astype("datetime64[Y]")
        fitted_rows = int(np.searchsorted(years, years[-1])) - 1
        if fitted_rows < MIN_FIT_DAYS:
            return None
        first = max(0, fitted_rows - FIT_DAYS)
        if self._model is None or self._model[:2] != (first, fitted_rows):
            self._model = (first, fitted_rows, _fitted(market[first:fitted_rows]))
            self._filtered = None
        model = self._model[2]
        if model is None:
            return None
        log_alpha = self._filter(model, market, first)
        return RegimeReading(model, np.exp(log_alpha), fitted_rows - first)

    def _filter(self, model: RegimeModel, market: FloatArray, first: int) -> FloatArray:
        """Log probabilities at the last row, by single steps from the last row seen (always the same steps)."""
        done, log_alpha = self._filtered or (first, None)
        if done > len(market):
            done, log_alpha = first, None
        for value in market[done:]:
            log_alpha = filter_step(model, log_alpha, float(value))
        assert log_alpha is not None, "a fitted model has rows to filter"
        self._filtered = (len(market), log_alpha)
        return log_alpha


def market_series(view: MarketView, n_days: int | None = None) -> FloatArray:
    """(n_days,) latest returns of the market, or all n_rows - 1 of them.

    On each day the benchmark's, or where it is missing on that day or the one before, the mean over the
    names present on both. Decided day by day, so that a gap tomorrow leaves today's history as it was.
    """
    rows = slice(None) if n_days is None else slice(-(n_days + 1), None)
    levels = None if view.benchmark is None else view.benchmark[rows]
    if levels is not None and np.isfinite(levels).all():
        return levels[1:] / levels[:-1] - 1.0
    returns = _simple_returns(view.close[rows])
    present = np.isfinite(returns)
    counts = present.sum(axis=1)
    means = np.where(present, returns, 0.0).sum(axis=1) / np.maximum(counts, 1)
    if levels is None:
        return means
    own = levels[1:] / levels[:-1] - 1.0
    return np.where(np.isfinite(own), own, means)


def _fitted(market: FloatArray) -> RegimeModel | None:
    """The model of these days; None when they do not move enough to tell states apart."""
    try:
        return choose_regimes(market)
    except SampleError:
        return None


def _simple_returns(closes: FloatArray) -> FloatArray:
    return closes[1:] / closes[:-1] - 1.0
