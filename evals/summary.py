"""The figures of a finished run beside its baselines: what `run` prints and the report shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from ..desk.settings import settings_of_run
from ..domain.events import RunFinished
from ..domain.overnight import BorrowCharged
from ..domain.sessions import day_of
from ..market.history import History
from ..memory.history import fills, run_started, sent_orders
from ..memory.log import EventLog
from ..memory.sent_orders import rests
from ..memory.views import ReadModels
from .approving import approval_counts
from .baselines import Baseline, baselines
from .errors import RunIncomplete
from .fidelity import fill_fidelity, fills_by_venue
from .metrics import Metrics, path_intervals, path_metrics
from .within_days import day_closes, is_too_short, short_metrics

FloatArray = npt.NDArray[np.float64]

DESK = "desk"
COUNTS = ("sessions", "decisions", "orders", "fills", "vetoes", "abstentions", "llm_calls")


@dataclass(frozen=True, slots=True)
class Borrowing:
    """What holding shares short came to: its cost in cash, and over how many nights of how many names."""

    cost: Decimal
    nights: int
    names: int


@dataclass(frozen=True, slots=True)
class Resting:
    """Protective orders at the venue: how many were placed, traded, taken back untouched, and stand at the end."""

    placed: int
    traded: int
    taken_back: int
    standing: int


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
    days: int
    """On which it decided: fewer than its sessions where these are spans within a day."""
    metrics: Metrics
    baselines: Mapping[str, Metrics]
    paths: Mapping[str, FloatArray]
    fidelity: Mapping[str, int]
    """Fills by the tier of their data and whether its paths were drawn."""
    venues: Mapping[str, int]
    """Fills by the venue that made them."""
    borrowed: Borrowing
    resting: Resting
    approvals: Mapping[str, int]
    """Plans a person was asked about, and the answers; empty where nobody was."""


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
    lines = {DESK: np.array([float(item.equity) for item in sessions])}
    lines |= {name: item.equity for name, item in others.items()}
    spent = {DESK: (float(sum(item.traded for item in sessions)), trading_costs(log))}
    spent |= {name: (item.traded, item.costs) for name, item in others.items()}
    found = _figures(history, days, lines, spent)
    return RunSummary(
        run_id=started.run_id,
        head_hash=log.head()[1],
        data=started.data,
        model=started.model,
        seed=started.seed,
        start=started.first_session,
        end=started.last_session,
        counts={name: counts[name] for name in COUNTS},
        days=len({day_of(day) for day in days}),
        metrics=found.pop(DESK),
        baselines=found,
        paths={name: item.equity for name, item in others.items()},
        fidelity=fill_fidelity(fills(log)),
        venues=fills_by_venue(fills(log)),
        borrowed=borrowing(log),
        resting=resting(log) if "stop_orders" in started.settings else Resting(0, 0, 0, 0),
        approvals=approval_counts(log) if "approval" in started.settings else {},
    )


def _figures(
    history: History,
    sessions: tuple[date, ...],
    lines: Mapping[str, FloatArray],
    spent: Mapping[str, tuple[float, float]],
) -> dict[str, Metrics]:
    """Of each equity path, by its name; `spent` is what each traded and what that cost, in currency."""
    interval = history.interval
    if interval is not None and is_too_short(sessions):
        return {name: short_metrics(line, interval, *spent[name]) for name, line in lines.items()}
    if interval is not None:
        lines = {name: day_closes(sessions, line) for name, line in lines.items()}
    intervals = path_intervals(lines)
    return {name: path_metrics(line, *spent[name], intervals[name]) for name, line in lines.items()}


def trading_costs(log: EventLog) -> float:
    """All that trading cost: fees, the distance of every fill from the mid at its moment, and borrowing."""
    paid = sum(fill.fee + fill.side.sign * (fill.price - fill.mid_price) * fill.quantity for fill in fills(log))
    return float(paid + borrowing(log).cost)


def borrowing(log: EventLog) -> Borrowing:
    """Every night's charge for every position that was short."""
    facts = (event.decoded() for event in log.read(types=(BorrowCharged,)))
    charged = [fact for fact in facts if isinstance(fact, BorrowCharged)]
    return Borrowing(
        cost=sum((item.amount for item in charged), Decimal(0)),
        nights=sum(item.nights for item in charged),
        names=len({item.symbol for item in charged}),
    )


def resting(log: EventLog) -> Resting:
    """Of every protective order that was sent, what became of it."""
    sent = [item for item in sent_orders(log).all if rests(item.child)]
    standing = sum(item.open_quantity > 0 for item in sent)
    taken_back = sum(item.ended is not None and not item.executed for item in sent)
    return Resting(len(sent), sum(item.executed > 0 for item in sent), taken_back, standing)
