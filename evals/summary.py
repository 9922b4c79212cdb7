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
from ..memory.views import ReadModels
from ..quant.bootstrap import MIN_INTERVAL_DAYS, Interval
from ..quant.path_metrics import yearly_turnover
from ..quant.performance import summarize
from ..quant.sharpe_bootstrap import NoInterval, sharpe_intervals
from ..tools.track_record import INTERVAL_SEED
from .baselines import Baseline, baselines
from .errors import RunIncomplete
from .fidelity import fill_fidelity

NO_INTERVAL: Mapping[NoInterval, str] = {
    NoInterval.TOO_SHORT: f"No interval: a Sharpe ratio has one from {MIN_INTERVAL_DAYS + 1} sessions on.",
    NoInterval.IDLE: "No interval: it stood still on so many days that some of its resampled histories never move.",
}

FloatArray = npt.NDArray[np.float64]

DESK = "desk"
COUNTS = ("sessions", "decisions", "orders", "fills", "vetoes", "abstentions", "llm_calls")


@dataclass(frozen=True, slots=True)
class Metrics:
    """Net of costs. Fractions; `sharpe` and `sortino` are annual over a cash return of zero, None if undefined.

    `sharpe_low` and `sharpe_high` are None together, and `no_interval` then says why. `turnover` is traded value a
    year over mean equity, buys plus sells; `costs_bps` are fees, spread and impact over traded value.
    """

    total_return: float
    annual_return: float
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
    fidelity: Mapping[str, int]
    """Fills by the tier of their data and whether its paths were drawn."""


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
    desk = np.array([float(item.equity) for item in sessions])
    traded = float(sum(item.traded for item in sessions))
    intervals = path_intervals({DESK: desk} | {name: item.equity for name, item in others.items()})
    return RunSummary(
        run_id=started.run_id,
        head_hash=log.head()[1],
        data=started.data,
        model=started.model,
        seed=started.seed,
        start=started.first_session,
        end=started.last_session,
        counts={name: counts[name] for name in COUNTS},
        metrics=path_metrics(desk, traded, trading_costs(log), intervals[DESK]),
        baselines={
            name: path_metrics(item.equity, item.traded, item.costs, intervals[name]) for name, item in others.items()
        },
        paths={name: item.equity for name, item in others.items()},
        fidelity=fill_fidelity(fills(log)),
    )


def trading_costs(log: EventLog) -> float:
    """All that trading cost: fees, and the distance of every fill from the mid at its moment."""
    return float(sum(fill.fee + fill.side.sign * (fill.price - fill.mid_price) * fill.quantity for fill in fills(log)))
