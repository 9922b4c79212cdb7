"""What anyone could have done instead on the same days: hold the index, or hold 1/N of the names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from ..market.history import History

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """Equity (n_sessions,) at each close, net of costs; `traded` and `costs` are totals in currency."""

    equity: FloatArray
    traded: float
    costs: float


def baselines(history: History, sessions: Sequence[date], start_equity: float, cost_frac: float) -> dict[str, Baseline]:
    """`index` and `equal_weight`, entered one session after the first close, as the desk can at best.

    `cost_frac` is paid on every unit of value traded. Baselines that the data cannot support are left out.
    """
    view = history.as_of(history.close_time(sessions[-1]))
    days = np.array(sessions, dtype="datetime64[D]")
    rows = np.searchsorted(view.sessions, days)
    found: dict[str, Baseline] = {}
    if view.benchmark is not None and np.isfinite(view.benchmark[rows]).all():
        found["index"] = held(view.benchmark[rows], start_equity, cost_frac)
    closes = view.close[rows]
    whole = np.isfinite(closes).all(axis=0)
    if whole.any():
        found["equal_weight"] = equal_weight(closes[:, whole], days, start_equity, cost_frac)
    return found


def held(levels: FloatArray, start_equity: float, cost_frac: float) -> Baseline:
    """Everything into one series (n_days,) at its second close, and never touched again."""
    path = np.full(len(levels), start_equity)
    if len(levels) < 2:
        return Baseline(path, 0.0, 0.0)
    cost = cost_frac * start_equity
    path[1:] = (start_equity - cost) * levels[1:] / levels[1]
    return Baseline(path, start_equity, cost)


def equal_weight(
    closes: FloatArray, days: npt.NDArray[np.datetime64], start_equity: float, cost_frac: float
) -> Baseline:
    """1/N of the names in `closes` (n_days, n_names), brought back to 1/N at each month's first close."""
    n_days, n_names = closes.shape
    path = np.full(n_days, start_equity)
    if n_days < 2:
        return Baseline(path, 0.0, 0.0)
    months = days.astype("datetime64[M]")
    traded, costs = start_equity, cost_frac * start_equity
    path[1] = start_equity - costs
    values = np.full(n_names, path[1] / n_names)
    for row in range(2, n_days):
        values = values * closes[row] / closes[row - 1]
        path[row] = values.sum()
        if months[row] != months[row - 1]:
            moved = float(np.abs(path[row] / n_names - values).sum())
            traded, costs = traded + moved, costs + cost_frac * moved
            path[row] -= cost_frac * moved
            values = np.full(n_names, path[row] / n_names)
    return Baseline(path, traded, costs)
