"""The `performance` command: what a run, or fixed weights over a data set, was worth, and what luck explains of it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..desk.book import Book, open_log
from ..desk.desk import scene_at
from ..desk.errors import SettingsInvalid, WeightsInvalid
from ..desk.settings import load_settings
from ..domain.canonical import short_id
from ..domain.decisions import Evidence
from ..evals.fidelity import venue_text
from ..evals.summary import summarize_run
from ..gate.limits import load_limits
from ..market.cards import DataSet
from ..market.errors import NoSessions
from ..market.history import MarketView
from ..memory.history import run_started
from ..quant.arrays import FloatArray
from ..tools.attribution import factor_attribution, own_attribution
from ..tools.book_costs import linear_cost_frac
from ..tools.errors import NotEnoughData
from ..tools.estimators import Estimators
from ..tools.ledger import Ledger
from ..tools.luck import luck, selection_luck
from ..tools.performance import against_benchmark, by_period, performance_figures
from ..tools.track_record import TrackRecord
from ..tools.window import AskedLimits
from .console import Console
from .factor_files import read_factors
from .holding import HeldBook, hold
from .monthly_books import monthly_books, trial_span
from .pages.performance import performance_page
from .pages.twin import Twin
from .performance_text import print_performance
from .preparing import DEFAULT_DATA, parse_day
from .reports import Report, write_report
from .weights import read_weights

RUN_CHOICE = "the desk and the baselines of its run"
METHOD_CHOICE = "the construction methods, rebuilt each month out of sample"


@dataclass(frozen=True, slots=True)
class PerformanceRequest:
    """The options of `performance`: a run, or else weights over a data set."""

    run_name: str | None
    weights: Path | None
    data: str | None
    start: str | None
    end: str | None
    factors: Path | None
    trials: int
    out: Path | None
    book: Path
    config: Path | None


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """The record that is meant, its data, and the strategies it stands among."""

    record: TrackRecord
    data: DataSet
    view: MarketView
    choice: str
    among: dict[str, FloatArray]
    """(n_days,) returns by name; empty where the data cannot support it."""
    note: str
    """What a reader must know about how the record came about."""


def perform_performance(request: PerformanceRequest, console: Console) -> None:
    if request.out is not None and request.out.suffix != ".html":
        raise SettingsInvalid(f"--out {request.out} is not an HTML file", remedy="Let the name end in .html.")
    table = read_factors(request.factors) if request.factors else None
    asked = _from_weights(request) if request.weights else _from_run(request)
    ledger = Ledger(asked.view.as_of, asked.view.fingerprint)
    record = asked.record
    performance_figures(ledger, record)
    luck(ledger, record, request.trials)
    against_benchmark(ledger, record)
    by_period(ledger, record)
    own_attribution(ledger, record, asked.view)
    if table is not None:
        factor_attribution(ledger, record, table)
    selection_luck(ledger, asked.among, asked.choice, record.inputs)
    report = _report(asked, ledger.entries)
    html, twin = _written(report, request)
    document: dict[str, Any] = {entry.tool: entry.output for entry in ledger.entries}
    console.result(
        {
            "id": report.id,
            "record": record.name,
            "data": asked.data.card.name,
            "as_of": asked.view.as_of.isoformat(),
            "note": asked.note,
            **document,
            "html": str(html),
            "json": str(twin),
        }
    )
    print_performance(console, record.name, asked.note, document, html)


def _from_run(request: PerformanceRequest) -> Asked:
    given = [
        name for name, value in (("--data", request.data), ("--start", request.start), ("--end", request.end)) if value
    ]
    if given:
        raise SettingsInvalid(f"{given[0]} needs --weights", remedy=f"Add --weights FILE, or leave {given[0]} out.")
    folder = Book(request.book).find(request.run_name)
    with open_log(folder, readonly=True) as (log, views):
        started = run_started(log)
        data = folder.book.load(started.data)
        history = data.history()
        history.require_daily("what a run was worth")
        summary = summarize_run(log, views, history)
        sessions = views.performance()
    levels = [item.benchmark for item in sessions]
    known = [level for level in levels if level is not None]
    equity = np.array([float(item.equity) for item in sessions])
    record = TrackRecord(
        name=folder.run_id,
        sessions=np.array([item.session for item in sessions], dtype="datetime64[D]"),
        equity=equity,
        benchmark=np.array(known) if len(known) == len(levels) else None,
        benchmark_name=data.universe.benchmark or "",
        turnover=summary.metrics.turnover,
        costs_bps=summary.metrics.costs_bps,
    )
    paths = {"desk": equity, **summary.paths}
    among = {name: path[1:] / path[:-1] - 1.0 for name, path in paths.items()}
    view = history.as_of(history.close_time(sessions[-1].session))
    where = venue_text(summary.venues, is_recorded=data.recordings is not None)
    note = f"Net of simulated costs on {where}; model {summary.model}; cash earns nothing."
    return Asked(record, data, view, RUN_CHOICE, among, note)


def _from_weights(request: PerformanceRequest) -> Asked:
    assert request.weights is not None, "asked with a file of weights"
    if request.run_name:
        raise SettingsInvalid("a run and --weights were both named", remedy="Give one of them.")
    settings = load_settings(request.config)
    data = Book(request.book).load(request.data or DEFAULT_DATA)
    weights = read_weights(request.weights, data.universe.symbols)
    history = data.history()
    history.require_daily("what weights were worth")
    days = history.sessions_between(parse_day(request.start, "--start"), parse_day(request.end, "--end"))
    view = history.as_of(history.close_time(days[-1]))
    held, first = _held(view, weights, days[0], (settings.costs.half_spread_bps + settings.costs.fee_bps) / 1e4)
    index = None if view.benchmark is None else view.benchmark[first:]
    record = TrackRecord(
        name=request.weights.name,
        sessions=view.sessions[first:],
        equity=held.equity,
        benchmark=index if index is not None and np.isfinite(index).all() else None,
        benchmark_name=view.benchmark_name or "",
        turnover=held.turnover,
        costs_bps=held.costs_bps,
        is_hindsight=True,
    )
    try:
        scene = scene_at(settings, load_limits(settings.limits_file), data, days[-1])
        span = trial_span(scene, history, Estimators(), AskedLimits())
        among = {
            name: book.path.equity[1:] / book.path.equity[:-1] - 1.0
            for name, book in monthly_books(span, linear_cost_frac(scene)).items()
        }
    except NotEnoughData:
        among = {}
    note = "Fixed weights, bought at the first close and brought back each month, net of costs; cash earns nothing."
    return Asked(record, data, view, METHOD_CHOICE, among, note)


def _held(view: MarketView, weights: dict[str, float], first_day: object, cost_frac: float) -> tuple[HeldBook, int]:
    """The book from the first close at which all its names are known, or the day asked for if that is later."""
    names = list(weights)
    closes = view.close[:, [view.symbols.index(name) for name in names]]
    first = int(np.searchsorted(view.sessions, np.datetime64(str(first_day), "D")))
    missing = np.flatnonzero(~np.isfinite(closes).all(axis=1))
    known = np.setdiff1d(np.arange(first, len(closes)), missing)
    if not len(known):
        raise WeightsInvalid("no day has a close of every name", remedy="Give names that traded at the same time.")
    first = int(known[0])
    if len(later := missing[missing > first]):
        day = view.sessions[int(later[0])]
        raise NoSessions(
            f"a close is missing on {day}", remedy="Choose --start and --end around it, or leave the name out."
        )
    book = np.array([weights[name] for name in names])
    return hold(closes[first:], view.sessions[first:], book, cost_frac), first


def _report(asked: Asked, entries: tuple[Evidence, ...]) -> Report:
    ident = short_id("performance", asked.record.name, [entry.id for entry in entries])
    twin = Twin("performance", ident)
    facts = twin.evidence([entry.model_dump(mode="json") for entry in entries])
    by_tool = {entry.tool: fact for entry, fact in zip(entries, facts, strict=True)}
    html = performance_page(twin, by_tool, asked.record, asked.note, asked.data.card)
    return Report(ident, "performance", html, twin.data())


def _written(report: Report, request: PerformanceRequest) -> tuple[Path, Path]:
    if request.out is None:
        return write_report(report, request.book / "performance")
    return write_report(replace(report, id=request.out.stem), request.out.parent)
