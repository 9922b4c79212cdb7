"""The `portfolio` command: books by every construction method side by side, what sizes them, and the way to one."""

import csv
import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from ..desk.book import Book
from ..desk.desk import scene_at
from ..desk.errors import SettingsInvalid, WeightsInvalid
from ..desk.settings import load_settings
from ..domain.canonical import short_id
from ..domain.decisions import Evidence
from ..gate.limits import load_limits
from ..market.cards import DataCard, DataSet
from ..market.history import History
from ..tools.attribution import FactorTable
from ..tools.construction import METHODS, build_books, frontier
from ..tools.covariances import covariance_estimates
from ..tools.errors import NotEnoughData
from ..tools.estimators import Estimators
from ..tools.factor_exposures import factor_exposures
from ..tools.ledger import Ledger
from ..tools.rebalancing import Route, drifted, rebalancing_plan
from ..tools.scene import Scene
from ..tools.sizing import position_sizes
from ..tools.stated_views import StatedView, stated_views
from ..tools.window import AskedLimits, window_of
from .allocation_report import IN_SAMPLE, print_books
from .allocation_trial import out_of_sample
from .console import Console
from .deciding import session_at
from .factor_files import read_factors
from .monthly_books import TrialSpan, trial_span
from .pages.allocation import allocation_page
from .pages.twin import Twin
from .preparing import DEFAULT_DATA
from .reports import Report, write_report
from .run_books import book_at_end
from .view_texts import read_views
from .weights import read_weights

DEFAULT_TARGET = "reference book"


@dataclass(frozen=True, slots=True)
class PortfolioRequest:
    """The options of `portfolio`: where to build and within what, whose weights to write, and what is held now."""

    data: str | None
    as_of: str | None
    method: str | None
    weights: Path | None
    out: Path | None
    book: Path
    config: Path | None
    asked: AskedLimits = field(default_factory=AskedLimits)
    factors: Path | None = None
    held: Path | None = None
    since: str | None = None
    run_name: str | None = None
    from_run: bool = False
    views: tuple[str, ...] = ()
    """As typed."""


@dataclass(frozen=True, slots=True)
class HeldBook:
    """Weights that are held, what to call them, and how many sessions they have drifted since they were those."""

    source: str
    weights: dict[str, float]
    days: int


def perform_portfolio(request: PortfolioRequest, console: Console) -> None:
    _check(request)
    chosen = _method_named(request)
    settings = load_settings(request.config)
    factors = read_factors(request.factors) if request.factors else None
    data, session, held = _asked(request)
    scene = scene_at(settings, load_limits(settings.limits_file), data, session)
    target = chosen or DEFAULT_TARGET
    entries = compared(scene, data.history(), request.asked, factors, held, target, read_views(request.views))
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
            "covariances": document["covariance_estimates"],
            "sizes": document["position_sizes"],
            "factor_exposures": document["factor_exposures"],
            "rebalancing": document.get("rebalancing_plan"),
            "views": document.get("stated_views"),
            "weights": str(request.weights) if request.weights else None,
            "html": str(html),
            "json": str(twin),
        }
    )
    print_books(console, document, session, request.weights, html)


def compared(
    scene: Scene,
    history: History,
    asked: AskedLimits,
    factors: FactorTable | None,
    held: HeldBook | None,
    target: str,
    views: tuple[StatedView, ...],
) -> tuple[Evidence, ...]:
    """The books, the frontier under the same limits, the trial, and what sizes and moves books; each a ledger entry."""
    ledger = Ledger(scene.view.as_of, scene.view.fingerprint)
    estimators = Estimators()
    # Earlier closes first: the scores' record grows forward, and no week of it is gone over twice.
    span = _span_or_reason(scene, history, estimators, asked)
    window = window_of(ledger, scene, estimators, asked=asked)
    # Before anything else is solved: limits that no book can meet are refused here, with their names.
    frontier(ledger, scene, window)
    books = build_books(ledger, scene, window)[1]
    weights = {name: _weights_of(book) for name, book in books.items() if "weights" in book}
    if held is not None:
        if target not in weights:
            raise WeightsInvalid(f"{target}: {books[target]['refused']}", remedy="Choose another --method.")
        now = drifted(window, held.weights, held.days)
        rebalancing_plan(ledger, scene, window, Route(held.source, now, target, weights[target]))
    if views:
        stated_views(ledger, window, views)
    out_of_sample(ledger, scene, asked, span)
    covariance_estimates(ledger, scene, window)
    position_sizes(ledger, scene, window, estimators)
    factor_exposures(ledger, scene, window, weights, factors)
    return ledger.entries


def _span_or_reason(scene: Scene, history: History, estimators: Estimators, asked: AskedLimits) -> TrialSpan | str:
    """Too short or broken a history is a reason, not an error."""
    try:
        return trial_span(scene, history, estimators, asked)
    except NotEnoughData as error:
        return error.message


def _weights_of(book: dict[str, object]) -> dict[str, float]:
    weights = book["weights"]
    assert isinstance(weights, dict), "a book that was built has weights by symbol"
    return weights


def _check(request: PortfolioRequest) -> None:
    low, high, most = request.asked.beta_low, request.asked.beta_high, request.asked.max_sector_frac
    if low is not None and high is not None and not low <= high:
        raise SettingsInvalid(f"--beta-between {low:g} {high:g} is no range", remedy="Give the lower bound first.")
    if most is not None and not 0.0 < most <= 1.0:
        raise SettingsInvalid(f"--max-sector {most:g} is no share of equity", remedy="Give it as 0.25.")
    if request.held and request.from_run:
        raise SettingsInvalid("--from and --from-run are both given", remedy="Say one book that is held.")
    if request.since and not request.held:
        raise SettingsInvalid("--since needs --from FILE", remedy="Add --from FILE, or leave --since out.")
    if request.run_name and not request.from_run:
        raise SettingsInvalid("--run needs --from-run", remedy="Add --from-run, or leave --run out.")
    if request.from_run and (request.data or request.as_of):
        raise SettingsInvalid(
            "--from-run brings its own data and close", remedy="Leave --data and --as-of out, or give --from FILE."
        )


def _asked(request: PortfolioRequest) -> tuple[DataSet, date, HeldBook | None]:
    """The data set, the close to build at, and the book that is held there, if one was named."""
    if request.from_run:
        ended = book_at_end(request.book, request.run_name, otherwise="--from FILE")
        return ended.data, ended.session, HeldBook(ended.run_id, ended.weights, 0)
    data = Book(request.book).load(request.data or DEFAULT_DATA)
    history = data.history()
    session = session_at(history, request.as_of) if request.as_of else history.last_session
    if request.held is None:
        return data, session, None
    weights = read_weights(request.held, data.universe.symbols)
    since = session_at(history, request.since) if request.since else session
    if since > session:
        raise SettingsInvalid(
            f"--since {since} is after the close of {session}", remedy="Give a day at or before --as-of."
        )
    days = len(history.sessions_between(since, session)) - 1
    return data, session, HeldBook(request.held.name, weights, days)


def _method_named(request: PortfolioRequest) -> str | None:
    """The method asked for; it comes with a file to write its weights to, or with a book to trade from."""
    moves = request.held is not None or request.from_run
    if request.method is not None and request.weights is None and moves:
        return _spelled(request.method)
    if (request.method is None) != (request.weights is None):
        given, lacking = ("--weights", "--method NAME") if request.method is None else ("--method", "--weights FILE")
        raise SettingsInvalid(f"{given} needs {lacking}", remedy=f"Add {lacking}, or leave {given} out.")
    return None if request.method is None else _spelled(request.method)


def _spelled(method: str) -> str:
    by_words = {_words(name): name for name in METHODS}
    if _words(method) not in by_words:
        raise SettingsInvalid(
            f"--method {method!r} is not a construction method", remedy=f"Use one of: {', '.join(METHODS)}."
        )
    return by_words[_words(method)]


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
