"""What anyone could have done instead on the same days: the index, 1/N, risk parity, minimum variance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from ..domain.sessions import day_of
from ..market.history import History
from ..quant.covariance import shrunk_cov
from ..quant.optimizer import maximize_utility

FloatArray = npt.NDArray[np.float64]

WINDOW_DAYS = 253
MIN_DAILY_VOL = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """Equity (n_sessions,) at each close, net of costs; `traded` and `costs` are totals in currency."""

    equity: FloatArray
    traded: float
    costs: float


def baselines(history: History, sessions: Sequence[date], start_equity: float, cost_frac: float) -> dict[str, Baseline]:
    """Each entered one session after the first close, as the desk can at best, and weighed by earlier closes only.

    `index` is held; `equal_weight`, `risk_parity` (inverse volatility) and `minimum_variance` go back to their
    weights monthly. `cost_frac` is paid on every unit of value traded. What the data cannot support is left out.
    """
    view = history.as_of(history.close_time(sessions[-1]))
    days = np.array([day_of(session) for session in sessions], dtype="datetime64[D]")
    rows = history.rows_of(sessions)
    found: dict[str, Baseline] = {}
    if view.benchmark is not None and np.isfinite(view.benchmark[rows]).all():
        found["index"] = held(view.benchmark[rows], start_equity, cost_frac)
    whole = np.isfinite(view.close[rows]).all(axis=0)
    if whole.any():
        found["equal_weight"] = equal_weight(view.close[rows][:, whole], days, start_equity, cost_frac)
    first = max(0, int(rows[0]) - WINDOW_DAYS)
    past = view.close[first:]
    known = np.isfinite(past).all(axis=0)
    if len(sessions) > 1 and int(rows[0]) >= WINDOW_DAYS and known.sum() > 1:
        returns = past[1:, known] / past[:-1, known] - 1.0
        closes = view.close[rows][:, known]
        for name, weigh in (("risk_parity", inverse_volatility), ("minimum_variance", minimum_variance)):
            # Trading at a session's close on what was known the close before it.
            weights = _weights_before(returns, rows - first, weigh)
            found[name] = rebalanced(closes, days, start_equity, cost_frac, weights)
    return found


def inverse_volatility(returns: FloatArray) -> FloatArray:
    """Weights (n_names,) inverse to volatility over the window (n_days, n_names): risk parity without correlations."""
    weights = 1.0 / np.maximum(returns.std(axis=0, ddof=1), MIN_DAILY_VOL)
    return weights / weights.sum()


def minimum_variance(returns: FloatArray) -> FloatArray:
    """Long-only weights (n_names,) of least variance, none above 15 % (or 2/n where that is more)."""
    n_names = returns.shape[1]
    upper = np.full(n_names, max(0.15, 2.0 / n_names))
    flat = np.zeros(n_names)
    return maximize_utility(flat, shrunk_cov(returns), lower=flat, upper=upper, gamma=1.0).weights


def _weights_before(
    returns: FloatArray, rows: npt.NDArray[np.int64], weigh: Callable[[FloatArray], FloatArray]
) -> Callable[[int], FloatArray]:
    """The weights for trading at the n-th session: weighed on the 252 returns that end one session earlier."""
    return lambda place: weigh(returns[int(rows[place]) - WINDOW_DAYS : int(rows[place]) - 1])


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
    even = np.full(closes.shape[1], 1.0 / closes.shape[1])
    return rebalanced(closes, days, start_equity, cost_frac, lambda place: even)


def rebalanced(
    closes: FloatArray,
    days: npt.NDArray[np.datetime64],
    start_equity: float,
    cost_frac: float,
    weights_at: Callable[[int], FloatArray],
) -> Baseline:
    """Entered at the second close (n_days, n_names) and brought to `weights_at` at each month's first close."""
    n_days = len(closes)
    path = np.full(n_days, start_equity)
    if n_days < 2:
        return Baseline(path, 0.0, 0.0)
    months = days.astype("datetime64[M]")
    traded, costs = start_equity, cost_frac * start_equity
    path[1] = start_equity - costs
    values = path[1] * weights_at(1)
    for row in range(2, n_days):
        values = values * closes[row] / closes[row - 1]
        path[row] = values.sum()
        if months[row] != months[row - 1]:
            weights = weights_at(row)
            moved = float(np.abs(path[row] * weights - values).sum())
            traded, costs = traded + moved, costs + cost_frac * moved
            path[row] -= cost_frac * moved
            values = path[row] * weights
    return Baseline(path, traded, costs)
