"""Explanation reports from the event log: each trade, each decision and the run, as HTML with a JSON twin."""

import json
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from ..domain.events import Event, OrderOpened, RunStarted
from ..market.cards import DataCard
from ..market.intervals import BarInterval
from .pages.around import Around, on_days
from .pages.case import Case
from .pages.decision import decision_page
from .pages.errors import ReportError, ReportUnwritable, UnknownRecord
from .pages.event_list import EventSource
from .pages.prices import PriceHistory
from .pages.record import CASE_EVENTS, PEOPLE_EVENTS, RunRecord
from .pages.run import run_page
from .pages.trade import trade_page
from .pages.trade_facts import Trade
from .pages.twin import Fact, Twin

__all__ = [
    "EventSource",
    "PriceHistory",
    "Report",
    "RunRecord",
    "decision_report",
    "order_report",
    "run_report",
    "write_report",
]

ReportKind = Literal[
    "attribution",
    "trade",
    "decision",
    "run",
    "risk",
    "chain",
    "portfolio",
    "pairs",
    "performance",
    "market",
    "microstructure",
    "schedule",
    "costs",
    "evaluation",
    "daily",
    "monthly",
    "execution",
]
_FILE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True)
class Report:
    """A page and its twin; `id` is the decision's, order's or run's, and names the files."""

    id: str
    kind: ReportKind
    html: str
    data: dict[str, JsonValue]


def decision_report(
    source: RunRecord | EventSource,
    decision_id: str,
    prices: PriceHistory | None = None,
    *,
    card: DataCard | None = None,
    links: Collection[str] = (),
    quotes: Mapping[str, str] | None = None,
    what_ifs: Mapping[str, JsonValue] | None = None,
) -> Report:
    """The page of one decision, of any kind; `links` are the ids whose pages exist beside this one, `quotes` the
    first words of texts by their ids, and `what_ifs` the document of `evals.counterfactual`."""
    prices = _prices(source, prices)
    twin = Twin("decision", decision_id)
    case = Case.of(twin, _started(source), _case_events(source, decision_id))
    around = _around(source, case, case.decision["as_of"].string(), what_ifs)
    return Report(decision_id, "decision", decision_page(case, prices, card, links, quotes or {}, around), twin.data())


def order_report(
    source: RunRecord | EventSource,
    order_id: str,
    prices: PriceHistory | None = None,
    *,
    card: DataCard | None = None,
    links: Collection[str] = (),
    what_ifs: Mapping[str, JsonValue] | None = None,
) -> Report:
    """The page of one trade; without `prices` a run's record falls back on the marks of its log."""
    prices = _prices(source, prices)
    events = list(_log(source).read(order_id=order_id))
    opened = next((event for event in events if event.type == OrderOpened.__name__), None)
    if opened is None:
        raise UnknownRecord(
            f"{order_id}: the log holds no OrderOpened event for it",
            remedy="List the orders of the run, and check that this is the run's own log.",
        )
    twin = Twin("trade", order_id)
    case = Case.of(twin, _started(source), _case_events(source, _decision_id(opened)))
    trade = Trade.of(twin, opened, events)
    around = _around(source, case, trade.chain[-1]["event_time"].string(), what_ifs)
    return Report(order_id, "trade", trade_page(case, trade, prices, card, links, around), twin.data())


def run_report(
    record: RunRecord,
    baselines: Mapping[str, Sequence[float]] | None = None,
    *,
    card: DataCard | None = None,
    sample: str = "",
    links: Collection[str] = (),
    interval: BarInterval | None = None,
    agents: JsonValue = None,
    quotes: Mapping[str, str] | None = None,
) -> Report:
    """The page of a run.

    `baselines` are equity paths with one value per PortfolioMarked event; `sample` says in one sentence which part
    of the data the settings were chosen on; `interval` are the bars and decision times of a run within the day;
    `agents` is the document of `parley agents`; `quotes` are the first words of texts by their ids.
    """
    if record.started is None:
        raise UnknownRecord("the record holds no RunStarted event", remedy="Build it with RunRecord.from_source.")
    twin = Twin("run", record.started.run_id)
    html = run_page(twin, record, baselines or {}, card, sample, links, interval, agents, quotes)
    return Report(record.started.run_id, "run", html, twin.data())


def write_report(report: Report, folder: Path) -> tuple[Path, Path]:
    """Write `<id>.html` and `<id>.json`, each whole or not at all."""
    if not _FILE_ID.fullmatch(report.id):
        raise ReportError(
            f"{report.id!r:.80}: not an id that can name a file",
            remedy="Ids hold letters, digits, dots, dashes and underscores, at most 128 of them.",
        )
    twin = json.dumps(report.data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        paths = folder / f"{report.id}.html", folder / f"{report.id}.json"
        _replace(paths[1], twin)
        _replace(paths[0], report.html)
    except OSError as error:
        raise ReportUnwritable(
            f"{folder}: cannot write the report {report.id} ({error.strerror})",
            remedy="Check the folder's permissions and free space, or choose another folder.",
        ) from error
    return paths


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _started(source: RunRecord | EventSource) -> Event | None:
    if isinstance(source, RunRecord):
        return source.started
    return next(iter(source.read(types=(RunStarted,))), None)


def _case_events(source: RunRecord | EventSource, decision_id: str) -> Iterable[Event]:
    if isinstance(source, RunRecord):
        return source.case_events(decision_id)
    return source.read(types=CASE_EVENTS, decision_id=decision_id)


def _around(
    source: RunRecord | EventSource, case: Case, until: str, what_ifs: Mapping[str, JsonValue] | None
) -> Around:
    """People and the watch from the decision's day to that of the moment `until`."""
    told = source.people if isinstance(source, RunRecord) else source.read(types=PEOPLE_EVENTS)
    first, last = (datetime.fromisoformat(text).date() for text in (case.decision["as_of"].string(), until))
    is_restricted = bool(case.decision["snapshot"]["trading_states"]["restricted"].rows())
    return Around(on_days(told, first, last, is_restricted=is_restricted), what_ifs)


def _log(source: RunRecord | EventSource) -> EventSource:
    return source.source if isinstance(source, RunRecord) else source


def _prices(source: RunRecord | EventSource, prices: PriceHistory | None) -> PriceHistory | None:
    return source.prices if prices is None and isinstance(source, RunRecord) else prices


def _decision_id(opened: Event) -> str:
    return Fact(opened.payload, opened.id)["order"]["decision_id"].string()
