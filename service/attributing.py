"""The `attribution` command: a run's profit by name, sector, effect, factor, decision and agent, with a page."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydantic import JsonValue

from ..desk.book import Book, open_log
from ..desk.errors import SettingsInvalid
from ..domain.canonical import short_id
from ..evals.attribution.cells import READ, Session, run_cells
from ..evals.attribution.effects import EFFECTS, Effects, Prices, effects
from ..evals.attribution.errors import NothingToSplit
from ..evals.attribution.factor_split import by_factor, by_file
from ..evals.attribution.splits import Split, by_agent, by_decision, by_effect, by_instrument, by_sector
from ..market.cards import DataSet
from ..market.history import History
from ..memory.history import run_started
from ..quant.errors import SampleError
from ..tools.attribution import OWN_MODEL, own_factors
from ..tools.errors import NotEnoughData
from ..tools.track_record import TrackRecord
from .console import Console
from .factor_files import read_factors
from .pages.attribution import attribution_page
from .pages.twin import Twin
from .reports import Report, write_report

SHOWN = 12
"""Rows of a long table that are printed; the page and the document have all."""


@dataclass(frozen=True, slots=True)
class AttributionRequest:
    """The options of `attribution`."""

    run_name: str | None
    factors: Path | None
    out: Path | None
    book: Path


@dataclass(frozen=True, slots=True, eq=False)
class Attributed:
    """A run's profit and every split of it."""

    run_id: str
    data: DataSet
    sessions: tuple[Session, ...]
    splits: tuple[Split, ...]
    effects: Effects
    refused: dict[str, str]
    """Splits that the data do not allow, and why."""


def perform_attribution(request: AttributionRequest, console: Console) -> None:
    if request.out is not None and request.out.suffix != ".html":
        raise SettingsInvalid(f"--out {request.out} is not an HTML file", remedy="Let the name end in .html.")
    found = attributed(request)
    document = _document(found)
    ident = short_id("attribution", found.run_id, document)
    twin = Twin("attribution", ident)
    html = attribution_page(twin, twin.derive("attribution", found.run_id, document), found.data.card)
    report = Report(ident, "attribution", html, twin.data())
    if request.out is not None:
        report = replace(report, id=request.out.stem)
    page, beside = write_report(report, request.book / "attribution" if request.out is None else request.out.parent)
    console.result({"id": ident, **document, "html": str(page), "json": str(beside)})
    _print(console, found, page)


def attributed(request: AttributionRequest) -> Attributed:
    """Every split of one run's profit; what the data do not allow is refused with its reason."""
    table = None if request.factors is None else read_factors(request.factors)
    folder = Book(request.book).find(request.run_name)
    with open_log(folder, readonly=True) as (log, views):
        started = run_started(log)
        sessions, votes = run_cells(log.read(types=READ)), views.votes()
        benchmarks = [item.benchmark for item in views.performance()]
    if len(sessions) < 2:
        raise NothingToSplit(f"run {folder.run_id} marked {len(sessions)} sessions", remedy="Run over a longer span.")
    data = folder.book.load(started.data)
    history = data.history()
    history.require_daily("where a profit came from")
    found = effects(sessions, _prices(history, sessions), data.universe)
    splits = [
        by_effect(sessions, found),
        by_sector(sessions, data.universe),
        by_instrument(sessions),
        by_agent(sessions, votes),
        by_decision(sessions),
    ]
    refused: dict[str, str] = {}
    try:
        record = _record(folder.run_id, sessions, benchmarks, data)
        view = history.as_of(history.close_time(sessions[-1].day))
        names, days, factors, _ = own_factors(record, view)
        splits.insert(3, by_factor("factor", f"By factor: {OWN_MODEL}", sessions, names, days, factors))
    except (NotEnoughData, SampleError) as error:
        refused["factor"] = error.message
    if table is not None:
        splits.insert(4, by_file(sessions, table))
    return Attributed(folder.run_id, data, sessions, tuple(splits), found, refused)


def _prices(history: History, sessions: tuple[Session, ...]) -> Prices:
    days = [session.day for session in sessions]
    view = history.as_of(history.close_time(days[-1]))
    return Prices(view.symbols, view.close[history.rows_of(days)])


def _record(run_id: str, sessions: tuple[Session, ...], benchmarks: list[float | None], data: DataSet) -> TrackRecord:
    known = [level for level in benchmarks if level is not None]
    return TrackRecord(
        name=run_id,
        sessions=np.array([session.day for session in sessions], dtype="datetime64[D]"),
        equity=np.array([float(session.equity) for session in sessions]),
        benchmark=np.array(known) if len(known) == len(sessions) else None,
        benchmark_name=data.universe.benchmark or "",
        turnover=0.0,
        costs_bps=0.0,
    )


def _document(found: Attributed) -> dict[str, JsonValue]:
    first, last = found.sessions[0], found.sessions[-1]
    profit = last.equity - first.equity_before
    splits: list[JsonValue] = [_split_document(split) for split in found.splits]
    cumulated: dict[str, JsonValue] = {
        name: [round(float(value), 2) for value in np.cumsum(found.effects.by_effect[name])] for name in EFFECTS
    }
    sectors: list[JsonValue] = [
        {"sector": name, "allocation": round(allocation, 2) + 0.0, "selection": round(selection, 2) + 0.0}
        for name, (allocation, selection) in found.effects.sectors.items()
    ]
    return {
        "run": found.run_id,
        "data": found.data.card.name,
        "start": first.day.isoformat(),
        "end": last.day.isoformat(),
        "sessions": len(found.sessions),
        "equity_before": str(first.equity_before),
        "equity": str(last.equity),
        "profit": str(profit),
        "mean_exposure": round(found.effects.mean_exposure, 6),
        "splits": splits,
        "sectors": sectors,
        "days": [session.day.isoformat() for session in found.sessions[1:]],
        "cumulated": cumulated,
        "refused": dict(found.refused),
    }


def _split_document(split: Split) -> JsonValue:
    total = split.total
    rows: list[JsonValue] = [
        {"name": name, "amount": str(amount), "share": round(float(amount / total), 6) if total else None}
        for name, amount in split.parts.items()
    ]
    return {"name": split.name, "title": split.title, "total": str(total), "note": split.note, "rows": rows}


def _print(console: Console, found: Attributed, page: Path) -> None:
    first, last = found.sessions[0], found.sessions[-1]
    profit = last.equity - first.equity_before
    console.say(
        f"{found.run_id}: profit {profit:+,.2f} on {first.equity_before:,.2f}, {first.day} to {last.day}, "
        f"{found.effects.mean_exposure:.1%} invested on average"
    )
    for split in found.splits:
        rows = [
            (name, f"{amount:+,.2f}", f"{float(amount / split.total):+.1%}" if split.total else "-")
            for name, amount in split.parts.items()
        ]
        if len(rows) > SHOWN:
            half = SHOWN // 2
            rest = sum(list(split.parts.values())[half:-half])
            rows = [*rows[:half], (f"{len(rows) - 2 * half} between", f"{rest:+,.2f}", ""), *rows[-half:]]
        rows.append(("sum", f"{split.total:+,.2f}", ""))
        console.table(split.title, ("part", "profit", "share"), rows)
        console.say(f"  {split.note}")
    for name, why in found.refused.items():
        console.say(f"no split by {name}: {why}")
    console.say(f"\nPage: {page}")
