"""The figures of a run that decides within the day: of its path from decision to decision, and never made annual."""

from collections.abc import Sequence
from datetime import date

from ..domain.sessions import day_of
from ..market.intervals import BarInterval
from ..quant.arrays import DAYS_PER_YEAR, FloatArray
from ..quant.bootstrap import MIN_INTERVAL_DAYS
from ..quant.performance import max_drawdown
from ..quant.sharpe_bootstrap import NoInterval
from .metrics import Metrics

SAYS = (
    "Nothing can be concluded about profit from so few days: no ratio is given, no year is extrapolated, and turnover "
    "is that of the run. Volatility is that of the returns between decisions, nights included, by the square root of "
    "time and 252 sessions a year."
)


def day_closes(sessions: Sequence[date], values: FloatArray) -> FloatArray:
    """Of one value (n_sessions,) per session: the first one, and the last of each day."""
    days = [day_of(session) for session in sessions]
    last = [place for place in range(len(days)) if place + 1 == len(days) or days[place + 1] > days[place]]
    return values[[0, *last]]


def is_too_short(sessions: Sequence[date]) -> bool:
    """Whether the days of a run are too few for daily figures."""
    return len({day_of(session) for session in sessions}) <= MIN_INTERVAL_DAYS


def short_metrics(equity: FloatArray, interval: BarInterval, traded: float, costs: float) -> Metrics:
    """Of a path (n_sessions,) over a few days; `traded` and `costs` are totals in currency."""
    returns = equity[1:] / equity[:-1] - 1.0
    per_year = interval.spans_per_session * DAYS_PER_YEAR
    return Metrics(
        total_return=float(equity[-1] / equity[0] - 1.0),
        annual_return=None,
        annual_volatility=float(returns.std(ddof=1)) * per_year**0.5 if len(returns) > 1 else 0.0,
        sharpe=None,
        sharpe_low=None,
        sharpe_high=None,
        no_interval=NoInterval.TOO_SHORT,
        sortino=None,
        max_drawdown=max_drawdown(equity) if len(equity) > 1 else 0.0,
        turnover=traded / float(equity.mean()),
        costs_bps=1e4 * costs / traded if traded > 0 else 0.0,
    )
