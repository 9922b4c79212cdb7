"""Estimates that are made for a whole series at once: what they say of a day may not depend on the days after it.

Decisions read estimates at one moment, and the future probes cover that. Backtests and reports read a path of them, and
there a normaliser or a model fitted to the whole sample would hide.
"""

from collections.abc import Callable, Mapping

import numpy as np

from ...desk.desk import scene_at
from ...desk.settings import Settings
from ...gate.limits import load_limits
from ...market.cards import DataSet
from ...market.history import MarketView
from ...quant.arrays import FloatArray
from ...quant.calibration import LAG_DAYS, Calibration, calibrate
from ...quant.tail_forecasts import TailModel, forecast_tail
from ...tools.bars import market_bars
from ...tools.estimators import market_series
from ...tools.regime_history import regime_walk
from .finding import Finding, Ground, Probe, caught, clean
from .futures import FUTURES
from .playing import Rig

Path = Callable[[DataSet], tuple[FloatArray, FloatArray]]
"""The row of a data set's panel by which each estimate was known, and the estimates, (n,) or (n, k)."""
TAILS = (TailModel.FILTERED_HISTORICAL, TailModel.NORMAL_EWMA, TailModel.GARCH_T, TailModel.RESCALED)


def refit_probe(path: Path) -> Probe:
    """The estimates of the days up to the cut, with the future that came and with two others."""

    def probe(here: Ground, _rig: Rig) -> Finding:
        row = int(np.searchsorted(here.data.panel.sessions, np.datetime64(here.cut, "D")))
        rows, told = path(here.data)
        known = rows <= row
        for kind in ("permuted", "truncated"):
            other_rows, retold = path(FUTURES[kind].change(here.data, here.cut, np.random.default_rng(row)))
            shared, others = known & np.isin(rows, other_rows), other_rows <= row
            # A path may lack its very last row where the data end: what is foreseen there has no day to be for.
            is_whole = known.sum() - shared.sum() <= 1 and shared.sum() == others.sum()
            if not is_whole or not np.array_equal(told[shared], retold[others], equal_nan=True):
                return caught(f"estimates up to the cut change with {FUTURES[kind].text}", int(known.sum()))
        if not known.any():
            return caught("no estimate lies before the cut, so that nothing was tested", 0)
        return clean("the same estimates with other futures", int(known.sum()))

    return probe


def _view(data: DataSet) -> MarketView:
    history = data.history()
    return history.as_of(history.close_time(history.last_session))


def _regimes(data: DataSet) -> tuple[FloatArray, FloatArray]:
    """Frozen and learning hidden Markov models, refitted each January, at every close."""
    scene = scene_at(Settings(), load_limits(), data, data.history().last_session)
    walk = regime_walk(scene, market_bars(scene.view))
    rows = walk.first_bar + np.arange(len(walk.probability), dtype=np.float64)
    return rows, np.column_stack([walk.probability, walk.frozen, walk.online])


def _tails(data: DataSet) -> tuple[FloatArray, FloatArray]:
    """VaR and expected shortfall of the market, foreseen for each day from the days before it."""
    returns = market_series(_view(data))
    found = [forecast_tail(returns, model) for model in TAILS]
    # Return k ends at row k + 1: the forecast for it was made at row k.
    rows = found[0].first_day + np.arange(len(found[0].var), dtype=np.float64)
    return rows, np.column_stack([column for one in found for column in (one.var, one.es)])


def _calibration(data: DataSet) -> tuple[FloatArray, FloatArray]:
    """The scores' weekly record, by the row at which each week's outcome was known."""
    view = _view(data)
    state = calibrate(Calibration(), view.close[1:] / view.close[:-1] - 1.0, market_series(view))
    return state.week_rows.astype(np.float64) + (LAG_DAYS + 1.0), state.ics


REFITS: Mapping[str, Path] = {"regimes": _regimes, "tails": _tails, "calibration": _calibration}


def full_sample_scores(data: DataSet) -> tuple[FloatArray, FloatArray]:
    """A planted look-ahead: closes standardised by the mean and deviation of the whole sample."""
    close = data.panel.close
    z = (close - np.nanmean(close, axis=0)) / np.nanstd(close, axis=0)
    return np.arange(len(close), dtype=np.float64), z


def unlagged_scores(data: DataSet) -> tuple[FloatArray, FloatArray]:
    """A planted look-ahead: the scores' record counted as known when its weeks begin."""
    rows, ics = _calibration(data)
    return rows - LAG_DAYS, ics
