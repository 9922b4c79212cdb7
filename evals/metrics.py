"""The figures of one equity path: what a run and each of its baselines is told by."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from ..quant.arrays import FloatArray
from ..quant.bootstrap import MIN_INTERVAL_DAYS, Interval
from ..quant.path_metrics import yearly_turnover
from ..quant.performance import summarize
from ..quant.sharpe_bootstrap import NoInterval, sharpe_intervals
from ..tools.track_record import INTERVAL_SEED

NO_INTERVAL: Mapping[NoInterval, str] = {
    NoInterval.TOO_SHORT: f"No interval: a Sharpe ratio has one from {MIN_INTERVAL_DAYS + 1} sessions on.",
    NoInterval.IDLE: "No interval: it stood still on so many days that some of its resampled histories never move.",
}


@dataclass(frozen=True, slots=True)
class Metrics:
    """Net of costs. Fractions; `sharpe` and `sortino` are annual over a cash return of zero, None if undefined.

    `sharpe_low` and `sharpe_high` are None together, and `no_interval` then says why. `turnover` is traded value a
    year over mean equity, buys plus sells; `costs_bps` are fees, spread and impact over traded value. Of a few days
    within which the desk decided there is no `annual_return`, and `turnover` is that of the run.
    """

    total_return: float
    annual_return: float | None
    annual_volatility: float
    sharpe: float | None
    sharpe_low: float | None
    sharpe_high: float | None
    no_interval: NoInterval | None
    sortino: float | None
    max_drawdown: float
    turnover: float
    costs_bps: float

    def plain(self) -> dict[str, float | str | None]:
        return asdict(self)


def path_metrics(equity: FloatArray, traded: float, costs: float, interval: Interval | NoInterval) -> Metrics:
    """The figures of one equity path (n_sessions,); `traded` and `costs` are totals in currency.

    Under three sessions there are no two returns: the ratios are None, the year is not extrapolated.
    """
    turnover = yearly_turnover(traded, equity)
    costs_bps = 1e4 * costs / traded if traded > 0 else 0.0
    bounds = (interval.low, interval.high, None) if isinstance(interval, Interval) else (None, None, interval)
    if len(equity) < 3:
        change = float(equity[-1] / equity[0] - 1.0)
        return Metrics(change, change, 0.0, None, *bounds, None, max(0.0, -change), turnover, costs_bps)
    summary = summarize(equity)
    return Metrics(
        summary.total_return,
        summary.annual_return,
        summary.annual_volatility,
        summary.sharpe,
        *bounds,
        summary.sortino,
        summary.max_drawdown,
        turnover,
        costs_bps,
    )


def path_intervals(paths: Mapping[str, FloatArray]) -> dict[str, Interval | NoInterval]:
    """The interval of the Sharpe ratio of each equity path (n_sessions,), all of the same sessions, by its name.

    The same draws for every path, so that their intervals can be compared; `performance` shows the same ones.
    """
    if min(map(len, paths.values())) < 2:
        return dict.fromkeys(paths, NoInterval.TOO_SHORT)
    equity = np.column_stack(list(paths.values()))
    found = sharpe_intervals(equity[1:] / equity[:-1] - 1.0, np.random.default_rng(INTERVAL_SEED))
    return dict(zip(paths, found, strict=True))
