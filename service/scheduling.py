"""The `schedule` command: one order, every way to work it, and the trade-off between cost and risk, with a page."""

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
from ..domain.orders import Side
from ..gate.limits import load_limits
from ..market.cards import DataSet
from ..tools.ledger import Ledger
from ..tools.schedules import cost_frontier, execution_schedules
from ..tools.session_shape import SESSION_MINUTES, SessionShape, session_shape
from ..tools.slicing import OrderQuestion
from .console import Console
from .deciding import session_at
from .pages.schedule import schedule_page
from .pages.twin import Twin
from .preparing import DEFAULT_DATA
from .reports import Report, write_report


@dataclass(frozen=True, slots=True)
class ScheduleRequest:
    """The options of `schedule`."""

    symbol: str
    side: str
    quantity: int
    data: str | None
    intraday: str | None
    as_of: str | None
    horizon_minutes: int
    slices: int
    risk_aversion: float | None
    out: Path | None
    book: Path
    config: Path | None


def perform_schedule(request: ScheduleRequest, console: Console) -> None:
    asked = _question(request)
    settings = load_settings(request.config)
    data = Book(request.book).load(request.data or DEFAULT_DATA)
    history = data.history()
    session = session_at(history, request.as_of) if request.as_of else history.last_session
    scene = scene_at(settings, load_limits(settings.limits_file), data, session)
    scene.view.last_close(asked.symbol)  # a symbol that the data do not hold is refused by name
    shape = _shape(request, data, asked.symbol, session)
    ledger = Ledger(scene.view.as_of, scene.view.fingerprint)
    execution_schedules(ledger, scene, asked, shape)
    cost_frontier(ledger, scene, asked, shape)
    report = _report(asked, ledger.entries, data, session)
    folder = request.book / "schedules" if request.out is None else request.out.parent
    named = report if request.out is None else Report(request.out.stem, report.kind, report.html, report.data)
    html, twin = write_report(named, folder)
    document: dict[str, Any] = {entry.tool: entry.output for entry in ledger.entries}
    console.result(
        {
            "id": report.id,
            "symbol": asked.symbol,
            "side": asked.side.value,
            "quantity": asked.quantity,
            "as_of": scene.view.as_of.isoformat(),
            "horizon_minutes": asked.horizon_minutes,
            **document,
            "html": str(html),
            "json": str(twin),
        }
    )
    _print(console, asked, session, document, html)


def _shape(request: ScheduleRequest, data: DataSet, symbol: str, session: date) -> SessionShape:
    """From the recorded minutes that were named, else from the data set's own, else assumed."""
    if request.intraday is None:
        return session_shape(data, symbol, session)
    shape = session_shape(Book(request.book).load(request.intraday), symbol, session)
    if not shape.n_sessions:
        raise SettingsInvalid(
            f"--intraday {request.intraday}: no minute of {symbol} was recorded by {session}",
            remedy="Give a later --as-of, a file that reaches back so far, or leave it out.",
        )
    return shape


def _question(request: ScheduleRequest) -> OrderQuestion:
    try:
        side = Side(request.side.upper())
    except ValueError as error:
        raise SettingsInvalid(f"{request.side!r} is no side", remedy="Write buy or sell.") from error
    if request.quantity < 1:
        raise SettingsInvalid(f"a quantity of {request.quantity} is no order", remedy="Give at least one share.")
    if not 1 <= request.horizon_minutes <= SESSION_MINUTES:
        raise SettingsInvalid(
            f"--horizon-minutes {request.horizon_minutes} does not fit a session of {SESSION_MINUTES} minutes",
            remedy="An order that needs days is an order for each day: give the part of one day.",
        )
    if not 1 <= request.slices <= SESSION_MINUTES:
        raise SettingsInvalid(
            f"--slices {request.slices} is not between 1 and {SESSION_MINUTES}", remedy="Thirteen are half hours."
        )
    if request.risk_aversion is not None and not 0.0 <= request.risk_aversion < 1.0:
        raise SettingsInvalid(
            f"--risk-aversion {request.risk_aversion:g} is not a number per unit of cash from 0 up to 1",
            remedy="Almgren and Chriss use 1e-6 for dollars; 0 does not care about risk.",
        )
    return OrderQuestion(
        request.symbol.upper(), side, request.quantity, request.horizon_minutes, request.slices, request.risk_aversion
    )


def _report(asked: OrderQuestion, entries: tuple[Evidence, ...], data: DataSet, session: date) -> Report:
    ident = short_id("sched", *(entry.id for entry in entries))
    twin = Twin("schedule", ident)
    facts = twin.evidence([entry.model_dump(mode="json") for entry in entries])
    by_tool = {entry.tool: fact for entry, fact in zip(entries, facts, strict=True)}
    order = twin.derive(
        "order",
        ident,
        {
            "symbol": asked.symbol,
            "side": asked.side.value,
            "quantity": asked.quantity,
            "horizon_minutes": asked.horizon_minutes,
        },
    )
    html = schedule_page(twin, by_tool, order, session.isoformat(), data.card)
    return Report(ident, "schedule", html, twin.data())


def _print(console: Console, asked: OrderQuestion, session: date, document: dict[str, Any], html: Path) -> None:
    found, frontier = document["execution_schedules"], document["cost_frontier"]
    console.say(
        f"{asked.side.value} {asked.quantity:,} {asked.symbol} after the close of {session}: "
        f"{found['value']:,.0f} in cash, {found['participation']:.2%} of a day's volume, "
        f"over {asked.horizon_minutes} minutes"
    )
    rows = [_row(name, row) for name, row in found["schedules"].items() if "refused" not in row]
    header = ("algorithm", "cost", "spread+fee", "temporary", "permanent", "risk (1 sd)", "peak of volume", "filled")
    console.table("expected, in bp of the order's value", header, rows)
    for name, row in found["schedules"].items():
        if "refused" in row:
            console.say(f"  {name}: {row['refused']}")
    console.say(f"Take {found['recommended']}: {found['rule']}.")
    half_life = found["half_life_minutes"]
    waits = "without end" if half_life is None else f"{half_life:,.0f} minutes of volume time"
    console.say(f"  half-life {waits} at a risk aversion of {found['risk_aversion']:.3g} per unit of cash")
    ends = [
        (name.replace("_", " "), f"{frontier[name]['cost_bps']:.2f}", f"{frontier[name]['std_bps']:.2f}")
        for name in ("risk_neutral", "chosen", "all_at_once")
    ]
    console.table("efficient frontier of Almgren and Chriss, bp", ("point", "cost", "risk (1 sd)"), ends)
    best = found["schedules"][found["recommended"]]["slices"]
    console.say(f"  children of {found['recommended']}: {', '.join(f'{size:,}' for size in best)}")
    for note in _notes(found):
        console.say(f"  {note}")
    console.say(f"\nPage: {html}")


def _row(name: str, row: dict[str, Any]) -> tuple[str, ...]:
    fixed = row["spread_bps"] + row["fee_bps"]
    costs = (row["cost_bps"], fixed, row["temporary_bps"], row["permanent_bps"], row["std_bps"])
    shown = (f"{cost:.2f}" for cost in costs)
    return (name, *shown, f"{row['peak_participation']:.2%}", f"{row['filled']:.1%}")


def _notes(found: dict[str, Any]) -> list[str]:
    """What rests on an assumption."""
    notes = []
    if found["curve_sessions"]:
        notes.append(f"Volume curve recorded over {found['curve_sessions']} sessions.")
    else:
        notes.append("Volume curve assumed: the usual shape of large US stocks.")
    if found["volume_is_assumed"]:
        notes.append("The data set records no volume: an assumed daily value stands in.")
    if not found["spread_is_recorded"]:
        notes.append("Spread assumed: the desk's setting.")
    if found["filled_at_limit"] < 1.0:
        notes.append(f"At the participation limit only {found['filled_at_limit']:.0%} of it fits into the window.")
    return notes
