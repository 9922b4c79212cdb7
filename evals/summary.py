"""The figures of a finished run beside its baselines: what `run` prints and the report shows."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from ..desk.settings import settings_of_run
from ..domain.events import RunFinished
from ..market.history import History
from ..memory.history import fills, run_started
from ..memory.log import EventLog
from ..memory.performance_view import SessionRecord
from ..memory.views import ReadModels
from ..quant.performance import sharpe_interval, summarize
from .baselines import Baseline, baselines
from .errors import RunIncomplete

FloatArray = npt.NDArray[np.float64]

INTERVAL_SEED = 20_200_102
"""The bootstrap's own seed: the interval of a run is a property of the run, not of the moment it is printed."""

DAYS_PER_YEAR = 252

COUNTS = ("sessions", "decisions", "orders", "fills", "vetoes", "abstentions", "llm_calls")


@dataclass(frozen=True, slots=True)
class Metrics:
    """Net of costs. Fractions; `sharpe` and `sortino` are annual over a cash return of zero, None if undefined.

    `turnover` is traded value a year over mean equity, buys plus sells; `costs_bps` are fees, spread and impact
    over traded value.
    """

    total_return: float
    annual_return: float
    annual_volatility: float
    sharpe: float | None
    sharpe_low: float | None
    sharpe_high: float | None
    sortino: float | None
    max_drawdown: float
    turnover: float
    costs_bps: float

    def plain(self) -> dict[str, float | None]:
        return asdict(self)


def run_metrics(sessions: tuple[SessionRecord, ...], costs: float) -> Metrics:
    """The desk's own figures; `costs` are all trading costs in currency."""
    equity = np.array([float(item.equity) for item in sessions])
    return path_metrics(equity, float(sum(item.traded for item in sessions)), costs)


def path_metrics(equity: FloatArray, traded: float, costs: float) -> Metrics:
    """The figures of one equity path (n_sessions,); `traded` and `costs` are totals in currency.

    Under three sessions there are no two returns: the ratios are None, the year is not extrapolated.
    """
    years = max(len(equity) - 1, 1) / DAYS_PER_YEAR
    turnover = traded / float(equity.mean()) / years
    costs_bps = 1e4 * costs / traded if traded > 0 else 0.0
    if len(equity) < 3:
        change = float(equity[-1] / equity[0] - 1.0)
        return Metrics(change, change, 0.0, None, None, None, None, max(0.0, -change), turnover, costs_bps)
    summary = summarize(equity)
    returns = equity[1:] / equity[:-1] - 1.0
    low = high = None
    if summary.sharpe is not None and len(returns) >= DAYS_PER_YEAR:
        interval = sharpe_interval(returns, np.random.default_rng(INTERVAL_SEED), n_draws=500)
        low, high = interval.low, interval.high
    return Metrics(
        total_return=summary.total_return,
        annual_return=summary.annual_return,
        annual_volatility=summary.annual_volatility,
        sharpe=summary.sharpe,
        sharpe_low=low,
        sharpe_high=high,
        sortino=summary.sortino,
        max_drawdown=summary.max_drawdown,
        turnover=turnover,
        costs_bps=costs_bps,
    )


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run came to."""

    run_id: str
    head_hash: str
    data: str
    model: str
    seed: int
    start: date
    end: date
    counts: Mapping[str, int]
    metrics: Metrics
    baselines: Mapping[str, Metrics]
    paths: Mapping[str, FloatArray]


def summarize_run(log: EventLog, views: ReadModels, history: History) -> RunSummary:
    """The summary of a finished run, from its log and read models; baselines pay the run's own spread and fee."""
    started, ended = run_started(log), log.last(RunFinished)
    if ended is None:
        raise RunIncomplete(f"run {started.run_id} has not finished", remedy="Go on with `parley run --resume`.")
    finished = ended.decoded()
    assert isinstance(finished, RunFinished), "asked for by type"
    sessions = views.performance()
    days = tuple(item.session for item in sessions)
    costs = settings_of_run(started.settings).costs
    others: dict[str, Baseline] = baselines(
        history, days, float(started.cash), (costs.half_spread_bps + costs.fee_bps) / 1e4
    )
    counts = finished.model_dump(include=set(COUNTS))
    return RunSummary(
        run_id=started.run_id,
        head_hash=log.head()[1],
        data=started.data,
        model=started.model,
        seed=started.seed,
        start=started.first_session,
        end=started.last_session,
        counts={name: counts[name] for name in COUNTS},
        metrics=run_metrics(sessions, trading_costs(log)),
        baselines={name: path_metrics(item.equity, item.traded, item.costs) for name, item in others.items()},
        paths={name: item.equity for name, item in others.items()},
    )


def trading_costs(log: EventLog) -> float:
    """All that trading cost: fees, and the distance of every fill from the mid at its moment."""
    return float(sum(fill.fee + fill.side.sign * (fill.price - fill.mid_price) * fill.quantity for fill in fills(log)))
