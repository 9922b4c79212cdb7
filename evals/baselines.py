"""What anyone could have done instead on the same days: hold the index, or hold 1/N of the names."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

from ..market.history import History

FloatArray = npt.NDArray[np.float64]


def baseline_paths(
    history: History, sessions: Sequence[date], start_equity: float, cost_frac: float
) -> dict[str, FloatArray]:
    """Equity (n_sessions,) of each baseline, entered one session after the first close, as the desk can at best.

    `cost_frac` is paid on every unit of value traded. Baselines that the data cannot support are left out.
    """
    view = history.as_of(history.close_time(sessions[-1]))
    days = np.array(sessions, dtype="datetime64[D]")
    rows = np.searchsorted(view.sessions, days)
    paths: dict[str, FloatArray] = {}
    if view.benchmark is not None and np.isfinite(view.benchmark[rows]).all():
        paths["index"] = _held(view.benchmark[rows], start_equity, cost_frac)
    closes = view.close[rows]
    whole = np.isfinite(closes).all(axis=0)
    if whole.any():
        paths["equal_weight"] = _equal_weight(closes[:, whole], days, start_equity, cost_frac)
    return paths


def _held(levels: FloatArray, start: float, cost_frac: float) -> FloatArray:
    path = np.full(len(levels), start)
    if len(levels) > 2:
        path[1:] = start * (1.0 - cost_frac) * levels[1:] / levels[1]
    return path


def _equal_weight(closes: FloatArray, days: npt.NDArray[np.datetime64], start: float, cost_frac: float) -> FloatArray:
    """1/N of the names with a close on every session, brought back to 1/N at each month's first close."""
    n_days, n_names = closes.shape
    path = np.full(n_days, start)
    months = days.astype("datetime64[M]")
    values = np.zeros(n_names)
    for row in range(1, n_days):
        if row == 1:
            path[row] = start * (1.0 - cost_frac)
            values = np.full(n_names, path[row] / n_names)
            continue
        values = values * closes[row] / closes[row - 1]
        path[row] = values.sum()
        if months[row] != months[row - 1]:
            even = path[row] / n_names
            path[row] -= cost_frac * np.abs(even - values).sum()
            values = np.full(n_names, path[row] / n_names)
    return path
