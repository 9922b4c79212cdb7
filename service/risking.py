"""The `risk` command: a book's tail risk by every method, its parts, stress, exits and hedges, with a page."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ..desk.book import Book, open_log
from ..desk.desk import scene_at
from ..desk.errors import SettingsInvalid, WeightsInvalid
from ..desk.settings import load_settings
from ..domain.canonical import short_id
from ..domain.decisions import Evidence
from ..gate.limits import load_limits
from ..market.cards import DataSet
from ..memory.history import run_started
from ..tools.exits import exit_costs
from ..tools.hedges import hedge_book
from ..tools.ledger import Ledger
from ..tools.scene import Scene
from ..tools.stress import shock_book, stress_book
from ..tools.structure import joint_tail, recent_break, risk_drivers
from ..tools.tails import components, tail_by_method
from .console import Console
from .deciding import session_at
from .pages.risk import risk_page
from .pages.twin import Twin
from .preparing import DEFAULT_DATA
from .reports import Report, write_report
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
    _print(console, asked, document, request.level, html)


def measured(scene: Scene, weights: dict[str, float], level: float) -> tuple[Evidence, ...]:
    """Every risk tool on one book, in the order people read them; each number is a ledger entry."""
    ledger = Ledger(scene.view.as_of, scene.view.fingerprint)
    tail_by_method(ledger, scene, weights, level)
    components(ledger, scene, weights, level)
    joint_tail(ledger, scene, weights, level)
    risk_drivers(ledger, scene, weights)
    recent_break(ledger, scene)
    stress_book(ledger, scene, weights)
    shock_book(ledger, scene, weights)
    exit_costs(ledger, scene, weights)
    hedge_book(ledger, scene, weights)
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
    folder = Book(request.book).find(request.run_name)
    with open_log(folder, readonly=True) as (log, views):
        data = folder.book.load(run_started(log).data)
        sessions, portfolio = views.performance(), views.portfolio()
    if not sessions or not portfolio.holdings():
        raise WeightsInvalid(f"run {folder.run_id} ended with nothing held", remedy="Give --weights FILE instead.")
    last = sessions[-1]
    view = data.history().as_of(data.history().close_time(last.session))
    weights = {
        symbol: quantity * (view.last_close(symbol) or 0.0) / float(last.equity)
        for symbol, quantity in portfolio.holdings().items()
    }
    return AskedBook(folder.run_id, data, last.session, weights)


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


def _print(console: Console, asked: AskedBook, document: dict[str, Any], level: float, html: Path) -> None:
    console.say(f"Risk of {asked.name} at the close of {asked.session}, {sum(asked.weights.values()):.1%} invested")
    tails = document["tail_by_method"]
    rows = [(name, *(_percent(tail.get(key)) for key in ("var", "es"))) for name, tail in tails.items()]
    console.table(f"one day, {level:.1%}", ("method", "VaR", "ES"), rows)
    for name, tail in tails.items():
        if "refused" in tail:
            console.say(f"  {name}: {tail['refused']}")
    parts = sorted(document["var_components"]["by_name"].items(), key=lambda item: -item[1])
    console.table("largest parts of the VaR", ("name", "part"), [(name, f"{part:.3%}") for name, part in parts[:8]])
    drivers, joint, broken = document["risk_drivers"], document["joint_tail"], document["recent_break"]
    console.say(
        f"  {drivers['market_share']:.0%} of the variance is the market's, at a beta of {drivers['market_beta']:.2f}"
    )
    if "var" in joint:
        pair = f"{joint['closest_pair']}, tail dependence {joint['tail_dependence']:.2f}"
        console.say(f"  falling together (t copula): VaR {joint['var']:.2%}, ES {joint['es']:.2%}; closest {pair}")
    console.say(f"  chance that the market changed its ways within a month: {broken['probability']:.0%}")
    stressed = document["stress_table"]["rows"]
    rows = [(row["title"], row["first_day"], f"{row['market']:.1%}", f"{row['return']:.1%}") for row in stressed]
    console.table("dated scenarios, through the market beta", ("scenario", "from", "market", "book"), rows)
    shocks = [
        (name, f"{value:.2f}" if "standard" in name else f"{value:.2%}") for name, value in document["shocks"].items()
    ]
    console.table("round shocks", ("shock", "book"), shocks)
    out = document["exit_costs"]
    rows = [(name, f"{out[name]['last_day']:.2f}", f"{out[name]['cost']:.3%}") for name in ("now", "stressed")]
    console.table("selling everything", ("market", "days", "cost"), rows)
    hedges = [
        (row["hedge"], f"{row['notional']:,.0f}", f"{row['cost']:.3%}", row["note"])
        for row in document["hedges"]["rows"]
    ]
    console.table("hedges", ("hedge", "notional", "cost", "leaves"), hedges)
    if out["volume_is_assumed"]:
        console.say("  The data set records no volume: exits rest on an assumed daily value.")
    console.say(f"\nPage: {html}")


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"
