"""What anyone could have done instead on the same days: the index, 1/N, risk parity, minimum variance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt

from ..domain.sessions import day_of
from ..market.history import History
from ..quant.covariance import shrunk_cov
from ..quant.optimizer import maximize_utility

FloatArray = npt.NDArray[np.float64]
Names = npt.NDArray[np.bool_]

WINDOW_DAYS = 253
MIN_DAILY_VOL = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """Equity (n_sessions,) at each close, net of costs; `traded` and `costs` are totals in currency."""

    equity: FloatArray
    traded: float
    costs: float
    values: FloatArray = field(default_factory=lambda: np.zeros(0))
    """What each name (n_names,) is worth at the end: a longer span goes on from there."""


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Baselines over some sessions, and what they were worked out of."""

    sessions: tuple[date, ...]
    rows: npt.NDArray[np.int64]
    closes: FloatArray
    whole: Names
    """Names with a price at each of the sessions, and those with one over the window before as well."""
    known: Names
    found: dict[str, Baseline]


def baselines(history: History, sessions: Sequence[date], start_equity: float, cost_frac: float) -> dict[str, Baseline]:
    """Each entered one session after the first close, as the desk can at best, and weighed by earlier closes only.

    `index` is held; `equal_weight`, `risk_parity` (inverse volatility) and `minimum_variance` go back to their
    weights monthly. `cost_frac` is paid on every unit of value traded. What the data cannot support is left out.
    """
    return compared(history, sessions, start_equity, cost_frac).found


def compared(
    history: History, sessions: Sequence[date], start_equity: float, cost_frac: float, before: Compared | None = None
) -> Compared:
    """The same, gone on from a shorter span of the same run where the prices of that span are what they were."""
    view = history.as_of(history.close_time(sessions[-1]))
    days = np.array([day_of(session) for session in sessions], dtype="datetime64[D]")
    if before is not None and not _goes_on(before, sessions, view.close):
        before = None
    done = 0 if before is None else len(before.sessions)
    later = history.rows_of(sessions[done:])
    rows = later if before is None else np.concatenate([before.rows, later])
    past_found = {} if before is None else before.found
    found: dict[str, Baseline] = {}
    if view.benchmark is not None and np.isfinite(view.benchmark[rows]).all():
        found["index"] = held(view.benchmark[rows], start_equity, cost_frac)
    whole = _always(view.close[rows])
    if whole.any():
        past = past_found.get("equal_weight") if _is_same(before and before.whole, whole) else None
        found["equal_weight"] = equal_weight(view.close[rows][:, whole], days, start_equity, cost_frac, past)
    first = max(0, int(rows[0]) - WINDOW_DAYS)
    window = view.close[first:]
    known = _always(window)
    if len(sessions) > 1 and int(rows[0]) >= WINDOW_DAYS and known.sum() > 1:
        returns = window[1:, known] / window[:-1, known] - 1.0
        closes, is_same = view.close[rows][:, known], _is_same(before and before.known, known)
        for name, weigh in (("risk_parity", inverse_volatility), ("minimum_variance", minimum_variance)):
            # Trading at a session's close on what was known the close before it.
            weights = _weights_before(returns, rows - first, weigh)
            past = past_found.get(name) if is_same else None
            found[name] = rebalanced(closes, days, start_equity, cost_frac, weights, past)
    return Compared(tuple(sessions), rows, view.close, whole, known, found)


def _goes_on(before: Compared, sessions: Sequence[date], closes: FloatArray) -> bool:
    """Whether a span begins with an earlier one, at the same prices: a split changes those behind it."""
    end = len(before.closes)
    return tuple(sessions[: len(before.sessions)]) == before.sessions and np.array_equal(
        closes[:end], before.closes, equal_nan=True
    )


def _always(closes: FloatArray) -> Names:
    """Names (n_names,) with a price in every row."""
    return np.asarray(np.isfinite(closes).all(axis=0))


def _is_same(before: Names | None, names: Names) -> bool:
    return before is not None and np.array_equal(before, names)


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
    closes: FloatArray,
    days: npt.NDArray[np.datetime64],
    start_equity: float,
    cost_frac: float,
    before: Baseline | None = None,
) -> Baseline:
    """1/N of the names in `closes` (n_days, n_names), brought back to 1/N at each month's first close."""
    even = np.full(closes.shape[1], 1.0 / closes.shape[1])
    return rebalanced(closes, days, start_equity, cost_frac, lambda place: even, before)


def rebalanced(
    closes: FloatArray,
    days: npt.NDArray[np.datetime64],
    start_equity: float,
    cost_frac: float,
    weights_at: Callable[[int], FloatArray],
    before: Baseline | None = None,
) -> Baseline:
    """Entered at the second close (n_days, n_names) and brought to `weights_at` at each month's first close.

    `before` is what came of the first of these days; it is gone on from."""
    n_days = len(closes)
    path = np.full(n_days, start_equity)
    if n_days < 2:
        return Baseline(path, 0.0, 0.0)
    months = days.astype("datetime64[M]")
    if before is not None and len(before.values):
        done, traded, costs, values = len(before.equity), before.traded, before.costs, before.values
        path[:done] = before.equity
    else:
        done, traded, costs = 2, start_equity, cost_frac * start_equity
        path[1] = start_equity - costs
        values = path[1] * weights_at(1)
    for row in range(done, n_days):
        values = values * closes[row] / closes[row - 1]
        path[row] = values.sum()
        if months[row] != months[row - 1]:
            weights = weights_at(row)
            moved = float(np.abs(path[row] * weights - values).sum())
            traded, costs = traded + moved, costs + cost_frac * moved
            path[row] -= cost_frac * moved
            values = path[row] * weights
    return Baseline(path, traded, costs, values)
