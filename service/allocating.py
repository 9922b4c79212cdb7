"""The `portfolio` command: books by every construction method side by side, then the same methods out of sample."""

import csv
import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..desk.book import Book
from ..desk.desk import scene_at
from ..desk.errors import SettingsInvalid, WeightsInvalid
from ..desk.settings import load_settings
from ..domain.canonical import short_id
from ..domain.decisions import Evidence
from ..evals.baselines import Baseline, rebalanced
from ..gate.limits import load_limits
from ..market.cards import DataCard
from ..market.history import History
from ..quant.errors import QuantError
from ..quant.performance import annual_return, max_drawdown, sharpe, sharpe_interval
from ..quant.var import annual_volatility
from ..tools.construction import METHODS, Window, build_books, frontier, window_of
from ..tools.errors import NotEnoughData
from ..tools.estimators import Estimators
from ..tools.ledger import Ledger, figure
from ..tools.scene import WINDOW_DAYS, FloatArray, Scene
from .console import Console
from .deciding import session_at
from .pages.allocation import allocation_page
from .pages.twin import Twin
from .preparing import DEFAULT_DATA
from .reports import Report, write_report

OUT_OF_SAMPLE_DAYS = 756
INTERVAL_SEED = 11
IN_SAMPLE = (
    "Each book is measured on the year it was built on, which flatters the methods that fit that year hardest. "
    "Out of sample they are built again every month on the year before it."
)


@dataclass(frozen=True, slots=True)
class PortfolioRequest:
    """The options of `portfolio`: where to build, and which method's weights to write to which file."""

    data: str | None
    as_of: str | None
    method: str | None
    weights: Path | None
    out: Path | None
    book: Path
    config: Path | None


def perform_portfolio(request: PortfolioRequest, console: Console) -> None:
    chosen = _method_named(request)
    settings = load_settings(request.config)
    data = Book(request.book).load(request.data or DEFAULT_DATA)
    history = data.history()
    session = session_at(history, request.as_of) if request.as_of else history.last_session
    scene = scene_at(settings, load_limits(settings.limits_file), data, session)
    entries = compared(scene, history)
    document: dict[str, Any] = {entry.tool: entry.output for entry in entries}
    if chosen and request.weights:
        _write_weights(request.weights, chosen, document["build_books"]["books"][chosen])
    report = _report(entries, data.card, session, scene)
    html, twin = _written(report, request)
    console.result(
        {
            "id": report.id,
            "as_of": scene.view.as_of.isoformat(),
            "data": data.card.name,
            "in_sample": IN_SAMPLE,
            "methods": document["build_books"]["books"],
            "ledoit_wolf_intensity": document["build_books"]["ledoit_wolf_intensity"],
            "frontier": document["efficient_frontier"]["points"],
            "out_of_sample": document["out_of_sample"],
            "weights": str(request.weights) if request.weights else None,
            "html": str(html),
            "json": str(twin),
        }
    )
    _print(console, document, session, request, html)


def compared(scene: Scene, history: History) -> tuple[Evidence, ...]:
    """The books, the frontier under the same limits, and the trial out of sample; each a ledger entry."""
    ledger = Ledger(scene.view.as_of, scene.view.fingerprint)
    estimators = Estimators()
    # Earlier closes first: the scores' record grows forward, and no week of it is gone over twice.
    span = _trial_span(scene, history, estimators)
    window = window_of(ledger, scene, estimators)
    # Before anything else is solved: limits that no book can meet are refused here, with their names.
    frontier(ledger, scene, window)
    build_books(ledger, scene, window)
    out_of_sample(ledger, scene, span)
    return ledger.entries


@dataclass(frozen=True, slots=True, eq=False)
class TrialSpan:
    """The sessions of a trial, its names, and what was known before each day on which weights are asked for."""

    first: int
    symbols: tuple[str, ...]
    windows: dict[int, Window]
    refused: str
    """Why there is no trial; empty when there is one."""


def out_of_sample(ledger: Ledger, scene: Scene, span: TrialSpan) -> dict[str, Any]:
    """Every method built again each month on the year before, net of costs, over the three years up to the scene.

    Traded at a close on what the close before it knew. A method that refuses in a month keeps the book it has,
    which at the start is equal weight.
    """
    view = scene.view
    cost_frac = (scene.costs.half_spread_bps + scene.costs.fee_bps) / 1e4
    inputs = {"days": OUT_OF_SAMPLE_DAYS, "costs": cost_frac, "limits": scene.limits.hash(), "seed": INTERVAL_SEED}
    output: dict[str, Any] = {"refused": span.refused}
    if not span.refused:
        days = view.sessions[span.first :]
        closes = view.close[span.first :, [view.symbols.index(symbol) for symbol in span.symbols]]
        output = {
            "first_day": str(days[0]),
            "last_day": str(days[-1]),
            "months": len(span.windows),
            "names": list(span.symbols),
            "cost_frac": figure(cost_frac),
            "methods": {name: _trial(name, closes, days, cost_frac, span.windows) for name in METHODS},
        }
    ledger.record("out_of_sample", 1, "fraction of equity", inputs, output)
    return output


def _trial_span(scene: Scene, history: History, estimators: Estimators) -> TrialSpan:
    """As much of the three years as has a year before it; too short or broken a history is a reason, not an error."""
    n_sessions = len(scene.view.close)
    first = max(n_sessions - 1 - OUT_OF_SAMPLE_DAYS, WINDOW_DAYS)
    n_days = n_sessions - first
    if n_days <= WINDOW_DAYS:
        said = f"{max(n_days, 0)} sessions are left after the first year, a trial needs {WINDOW_DAYS + 1}"
        return TrialSpan(first, (), {}, said)
    try:
        symbols, windows = _windows(scene, history, estimators, first)
    except NotEnoughData as error:
        return TrialSpan(first, (), {}, error.message)
    return TrialSpan(first, symbols, windows, "")


def _trading_places(days: npt.NDArray[np.datetime64]) -> list[int]:
    """Where `rebalanced` asks for weights: its second day, and the first day of each later month."""
    months = days.astype("datetime64[M]")
    return [1, *(place for place in range(2, len(days)) if months[place] != months[place - 1])]


def _windows(
    scene: Scene, history: History, estimators: Estimators, first: int
) -> tuple[tuple[str, ...], dict[int, Window]]:
    """The window known the close before each trading day, all over the names that every one of them has."""
    view = scene.view
    places = _trading_places(view.sessions[first:])
    moments = [history.close_time(view.sessions[first + place - 1].item()) for place in places]
    scenes = [replace(scene, view=history.as_of(moment), memo={}) for moment in moments]
    whole = np.flatnonzero(np.isfinite(view.close[first:]).all(axis=0)).tolist()
    shared = set(scene.symbols) & {view.symbols[column] for column in whole}
    for past in scenes:
        shared &= set(past.symbols)
    symbols = tuple(symbol for symbol in scene.symbols if symbol in shared)
    windows = {}
    for place, past in zip(places, scenes, strict=True):
        ledger = Ledger(past.view.as_of, past.view.fingerprint)
        windows[place] = window_of(ledger, past, estimators, symbols)
    return symbols, windows


def _trial(
    name: str, closes: FloatArray, days: npt.NDArray[np.datetime64], cost_frac: float, windows: dict[int, Window]
) -> dict[str, Any]:
    books: dict[int, FloatArray] = {}
    held = np.full(closes.shape[1], 1.0 / closes.shape[1])
    refused = 0
    for place, window in windows.items():
        try:
            held = METHODS[name](window)
        except (QuantError, NotEnoughData):
            refused += 1
        books[place] = held
    return _performance(rebalanced(closes, days, 1.0, cost_frac, books.__getitem__)) | {"months_refused": refused}


def _performance(path: Baseline) -> dict[str, Any]:
    returns = path.equity[1:] / path.equity[:-1] - 1.0
    interval = sharpe_interval(returns, np.random.default_rng(INTERVAL_SEED), n_draws=500)
    return {
        "return_annual": figure(annual_return(path.equity)),
        "volatility_annual": figure(annual_volatility(returns)),
        "sharpe": figure(sharpe(returns)),
        "sharpe_low": figure(interval.low),
        "sharpe_high": figure(interval.high),
        "max_drawdown": figure(max_drawdown(path.equity)),
        "traded": figure(path.traded),
        "costs": figure(path.costs),
    }


def _method_named(request: PortfolioRequest) -> str | None:
    """The method asked for, however it is spelled between its words; --method and --weights come together."""
    if (request.method is None) != (request.weights is None):
        given, lacking = ("--weights", "--method NAME") if request.method is None else ("--method", "--weights FILE")
        raise SettingsInvalid(f"{given} needs {lacking}", remedy=f"Add {lacking}, or leave {given} out.")
    if request.method is None:
        return None
    by_words = {_words(name): name for name in METHODS}
    if _words(request.method) not in by_words:
        raise SettingsInvalid(
            f"--method {request.method!r} is not a construction method", remedy=f"Use one of: {', '.join(METHODS)}."
        )
    return by_words[_words(request.method)]


def _words(text: str) -> str:
    return " ".join(re.findall("[a-z]+", text.lower()))


def _write_weights(path: Path, method: str, found: dict[str, Any]) -> None:
    """A CSV that `parley risk --weights` reads, without the names that the method leaves out."""
    if "refused" in found:
        raise WeightsInvalid(f"{method}: {found['refused']}", remedy="Choose another method, or another --as-of.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(("symbol", "weight"))
            rows.writerows((symbol, repr(weight)) for symbol, weight in found["weights"].items() if weight > 0.0)
    except OSError as error:
        said = f"{path}: cannot write the weights ({error.strerror})"
        raise WeightsInvalid(said, remedy="Check the folder's permissions, or choose another file.") from error


def _report(entries: tuple[Evidence, ...], card: DataCard, session: date, scene: Scene) -> Report:
    ident = short_id("portfolio", card.name, session, scene.view.fingerprint, [entry.id for entry in entries])
    twin = Twin("portfolio", ident)
    facts = twin.evidence([entry.model_dump(mode="json") for entry in entries])
    by_tool = {entry.tool: fact for entry, fact in zip(entries, facts, strict=True)}
    return Report(ident, "portfolio", allocation_page(twin, by_tool, session.isoformat(), card), twin.data())


def _written(report: Report, request: PortfolioRequest) -> tuple[Path, Path]:
    if request.out is None:
        return write_report(report, request.book / "portfolio")
    named = Report(request.out.stem, report.kind, report.html, report.data)
    return write_report(named, request.out.parent)


def _print(console: Console, document: dict[str, Any], session: date, request: PortfolioRequest, html: Path) -> None:
    books = document["build_books"]["books"]
    console.say(f"Fully invested books at the close of {session}")
    rows = [(name, *_columns(book)) for name, book in books.items() if "refused" not in book]
    header = ("method", "volatility", "VaR 99%", "ES 97.5%", "largest", "risk share", "names", "entry", "beta")
    console.table("in sample", header, rows)
    for name, book in books.items():
        if said := book.get("refused") or book.get("note"):
            console.say(f"  {name}: {said}")
        if book.get("over_limits"):
            console.say(f"  {name}: over the limit in {', '.join(book['over_limits'])}")
    console.say(f"  {IN_SAMPLE}")
    trial = document["out_of_sample"]
    if "refused" in trial:
        console.say(f"  No trial out of sample: {trial['refused']}.")
    else:
        _print_trial(console, trial)
    if request.weights:
        console.say(f"\nWeights: {request.weights}, for `parley risk --weights`")
    console.say(f"\nPage: {html}")


def _print_trial(console: Console, trial: dict[str, Any]) -> None:
    rows = [
        (
            name,
            *(f"{row[key]:.1%}" for key in ("return_annual", "volatility_annual")),
            f"{row['sharpe']:.2f}",
            f"{row['sharpe_low']:.2f} to {row['sharpe_high']:.2f}",
            *(f"{row[key]:.2%}" for key in ("max_drawdown", "costs")),
        )
        for name, row in trial["methods"].items()
    ]
    title = f"out of sample, {trial['first_day']} to {trial['last_day']}, net of costs"
    console.table(title, ("method", "return", "volatility", "Sharpe", "interval", "drawdown", "costs"), rows)


def _columns(book: dict[str, Any]) -> tuple[str, ...]:
    keys = ("volatility_annual", "var_99", "es_975", "largest_weight", "largest_risk_share")
    shares = [f"{book[key]:.1%}" for key in keys]
    return (*shares, f"{book['effective_names']:.1f}", f"{book['entry_cost']:.3%}", f"{book['beta']:.2f}")
