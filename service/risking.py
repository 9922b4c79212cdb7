"""The `risk` command: a book's tail risk by every method, its parts, stress, exits and hedges, with a page."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ..desk.book import Book
from ..desk.desk import scene_at
from ..desk.errors import SettingsInvalid, WeightsInvalid
from ..desk.settings import load_settings
from ..domain.canonical import short_id
from ..domain.decisions import Evidence
from ..gate.limits import load_limits
from ..market.cards import DataSet
from ..tools.backtest import book_backtest
from ..tools.correlation import correlation_path
from ..tools.dependence import copula_choice, joint_tail
from ..tools.exits import exit_costs, liquidity_profile
from ..tools.extremes import extreme_tail
from ..tools.hedge_ratios import hedge_ratios
from ..tools.hedges import hedge_book
from ..tools.ledger import Ledger
from ..tools.scene import Scene
from ..tools.simulation import simulated_book
from ..tools.stress import break_book, shock_book, stress_book
from ..tools.structure import recent_break, risk_drivers
from ..tools.tails import components, tail_by_method
from .console import Console
from .deciding import session_at
from .pages.risk import risk_page
from .pages.twin import Twin
from .preparing import DEFAULT_DATA
from .reports import Report, write_report
from .risk_sections import chosen_sections, print_sections
from .run_books import book_at_end
from .weights import read_weights


@dataclass(frozen=True, slots=True)
class RiskRequest:
    """The options of `risk`: weights over a data set, or else what a run held when it ended."""

    data: str | None
    weights: Path | None
    as_of: str | None
    run_name: str | None
    level: float
    out: Path | None
    book: Path
    config: Path | None
    sections: tuple[str, ...] = ()
    """What to print; everything when empty. The page and the document always hold all of it."""


@dataclass(frozen=True, slots=True)
class AskedBook:
    """Weights at a session's close, and what to call them."""

    name: str
    data: DataSet
    session: date
    weights: dict[str, float]


def perform_risk(request: RiskRequest, console: Console) -> None:
    if not 0.5 < request.level < 1.0:
        raise SettingsInvalid(f"--level {request.level:g} is not a confidence", remedy="Give it as 0.99 or 0.975.")
    sections = chosen_sections(request.sections)
    settings = load_settings(request.config)
    asked = _from_file(request) if request.weights else _from_run(request)
    scene = scene_at(settings, load_limits(settings.limits_file), asked.data, asked.session)
    missing = sorted(symbol for symbol in asked.weights if symbol not in scene.symbols)
    if missing:
        raise WeightsInvalid(
            f"{', '.join(missing)}: too little history before {asked.session} to measure risk",
            remedy="Give a later --as-of, or leave them out.",
        )
    entries = measured(scene, asked.weights, request.level)
    report = _report(asked, entries, request.level)
    html, twin = _written(report, request)
    document = {entry.tool: entry.output for entry in entries}
    console.result(
        {
            "id": report.id,
            "book": asked.name,
            "as_of": scene.view.as_of.isoformat(),
            "level": request.level,
            "weights": asked.weights,
            **document,
            "html": str(html),
            "json": str(twin),
        }
    )
    console.say(f"Risk of {asked.name} at the close of {asked.session}, {sum(asked.weights.values()):.1%} invested")
    print_sections(console, document, request.level, sections)
    console.say(f"\nPage: {html}")


def measured(scene: Scene, weights: dict[str, float], level: float) -> tuple[Evidence, ...]:
    """Every risk tool on one book, in the order people read them; each number is a ledger entry."""
    ledger = Ledger(scene.view.as_of, scene.view.fingerprint)
    tail_by_method(ledger, scene, weights, level)
    components(ledger, scene, weights, level)
    simulated_book(ledger, scene, weights, level)
    extreme_tail(ledger, scene, weights)
    joint_tail(ledger, scene, weights, level)
    copula_choice(ledger, scene, weights)
    correlation_path(ledger, scene, weights)
    risk_drivers(ledger, scene, weights)
    recent_break(ledger, scene)
    stress_book(ledger, scene, weights)
    shock_book(ledger, scene, weights)
    break_book(ledger, scene, weights)
    exit_costs(ledger, scene, weights)
    liquidity_profile(ledger, scene, weights)
    hedge_book(ledger, scene, weights)
    hedge_ratios(ledger, scene, weights)
    book_backtest(ledger, scene, weights)
    return ledger.entries


def _from_file(request: RiskRequest) -> AskedBook:
    assert request.weights is not None, "asked with a file of weights"
    data = Book(request.book).load(request.data or DEFAULT_DATA)
    history = data.history()
    session = session_at(history, request.as_of) if request.as_of else history.last_session
    return AskedBook(request.weights.name, data, session, read_weights(request.weights, data.universe.symbols))


def _from_run(request: RiskRequest) -> AskedBook:
    if request.data or request.as_of:
        raise SettingsInvalid("--data and --as-of need --weights", remedy="Add --weights FILE, or leave them out.")
    ended = book_at_end(request.book, request.run_name, otherwise="--weights FILE")
    return AskedBook(ended.run_id, ended.data, ended.session, ended.weights)


def _report(asked: AskedBook, entries: tuple[Evidence, ...], level: float) -> Report:
    ident = short_id("risk", asked.name, asked.session, sorted(asked.weights.items()), level)
    twin = Twin("risk", ident)
    facts = twin.evidence([entry.model_dump(mode="json") for entry in entries])
    by_tool = {entry.tool: fact for entry, fact in zip(entries, facts, strict=True)}
    html = risk_page(twin, by_tool, asked.name, asked.session.isoformat(), asked.data.card)
    return Report(ident, "risk", html, twin.data())


def _written(report: Report, request: RiskRequest) -> tuple[Path, Path]:
    if request.out is None:
        return write_report(report, request.book / "risk")
    named = Report(request.out.stem, report.kind, report.html, report.data)
    return write_report(named, request.out.parent)
