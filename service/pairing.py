"""The `pairs` command: spreads that should revert, and the plain record of trading them after costs, with a page."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ..desk.book import Book
from ..desk.desk import scene_at
from ..desk.errors import SettingsInvalid
from ..desk.settings import load_settings
from ..domain.canonical import short_id
from ..domain.decisions import Evidence
from ..gate.limits import load_limits
from ..market.cards import DataCard
from ..tools.ledger import Ledger
from ..tools.reversion import reverting_spreads
from ..tools.reversion_record import reversion_record
from ..tools.scene import Scene
from .console import Console
from .deciding import session_at
from .pages.pairs import pairs_page
from .pages.twin import Twin
from .preparing import DEFAULT_DATA
from .reports import Report, write_report

MOST_SPREADS = 50


@dataclass(frozen=True, slots=True)
class PairsRequest:
    """The options of `pairs`."""

    data: str | None
    as_of: str | None
    top: int
    out: Path | None
    book: Path
    config: Path | None


def perform_pairs(request: PairsRequest, console: Console) -> None:
    if not 1 <= request.top <= MOST_SPREADS:
        raise SettingsInvalid(f"--top {request.top}", remedy=f"Give a number of spreads from 1 to {MOST_SPREADS}.")
    settings = load_settings(request.config)
    data = Book(request.book).load(request.data or DEFAULT_DATA)
    history = data.history()
    session = session_at(history, request.as_of) if request.as_of else history.last_session
    scene = scene_at(settings, load_limits(settings.limits_file), data, session)
    entries = measured(scene, request.top)
    document: dict[str, Any] = {entry.tool: entry.output for entry in entries}
    report = _report(entries, data.card, session, scene)
    html, twin = _written(report, request)
    console.result(
        {
            "id": report.id,
            "as_of": scene.view.as_of.isoformat(),
            "data": data.card.name,
            "survivorship": data.card.survivorship,
            **document,
            "html": str(html),
            "json": str(twin),
        }
    )
    _print(console, document, session, data.card, html)


def measured(scene: Scene, top: int) -> tuple[Evidence, ...]:
    """The spreads of this close, then the record of the rule that trades them; each a ledger entry."""
    ledger = Ledger(scene.view.as_of, scene.view.fingerprint)
    reverting_spreads(ledger, scene, top)
    reversion_record(ledger, scene, top)
    return ledger.entries


def _report(entries: tuple[Evidence, ...], card: DataCard, session: date, scene: Scene) -> Report:
    ident = short_id("pairs", card.name, session, scene.view.fingerprint, [entry.id for entry in entries])
    twin = Twin("pairs", ident)
    facts = twin.evidence([entry.model_dump(mode="json") for entry in entries])
    by_tool = {entry.tool: fact for entry, fact in zip(entries, facts, strict=True)}
    return Report(ident, "pairs", pairs_page(twin, by_tool, session.isoformat(), card), twin.data())


def _written(report: Report, request: PairsRequest) -> tuple[Path, Path]:
    if request.out is None:
        return write_report(report, request.book / "pairs")
    named = Report(request.out.stem, report.kind, report.html, report.data)
    return write_report(named, request.out.parent)


def _print(console: Console, document: dict[str, Any], session: date, card: DataCard, html: Path) -> None:
    now, record = document["reverting_spreads"], document["reversion_record"]
    console.say(f"Spreads of {card.name} that reverted over the year to the close of {session}")
    for kind, tried in now["tried"].items():
        if tried:
            console.say(
                f"  {kind}: {tried} tried, {now['passed'][kind]} passed; {now['by_chance'][kind]:.0f} would by luck"
            )
    rows = [
        (
            row["label"],
            f"{row['half_life_days']:.1f}",
            f"{row['half_life_low']:.1f} to {_days(row['half_life_high'])}",
            f"{row['unit_root_t']:.2f}",
            f"{row['s_score']:+.2f}",
            f"{row['entry_score']:+.2f} / {row['exit_score']:+.2f}",
            row["says"],
            f"{row['promised_annual']:.0%}",
        )
        for row in now["rows"]
    ]
    header = ("spread", "half-life", "days", "t", "score", "band", "says", "promise")
    if rows:
        console.table("best by their own fit, which is hindsight", header, rows)
    else:
        console.say("  None passed.")
    if "refused" in record:
        console.say(f"  No record: {record['refused']}.")
    else:
        _print_record(console, record)
    console.say(f"  Names: {card.survivorship}.")
    console.say(f"\nPage: {html}")


def _days(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _print_record(console: Console, record: dict[str, Any]) -> None:
    rows = []
    for kind, row in record["kinds"].items():
        if "no_trades" in row:
            rows.append((kind, *("-",) * 5, row["no_trades"]))
            continue
        rows.append(
            (
                kind,
                *(f"{row[key]:.1%}" for key in ("promised_annual", "in_sample_annual", "gross_annual", "net_annual")),
                f"{row['net_low']:.1%} to {row['net_high']:.1%}",
                f"{row['entries']}",
            )
        )
    title = f"a year, {record['quarters']} quarters from {record['first_day']} to {record['last_day']}"
    header = ("kind", "promised", "in sample", "out, gross", "out, net", "interval of net", "entries")
    console.table(title, header, rows)
    console.say(f"  {record['verdict']}")
