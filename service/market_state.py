"""The `market` command: indicators, candles, patterns, regimes and breaks of the market and names, with a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ..desk.book import Book
from ..desk.desk import scene_at
from ..desk.errors import SettingsInvalid
from ..desk.settings import load_settings
from ..domain.canonical import short_id
from ..domain.decisions import Evidence
from ..gate.limits import load_limits
from ..tools.bars import all_bars, market_bars, symbol_bars
from ..tools.charting import candlesticks, chart_patterns, indicator_history, pattern_record
from ..tools.ledger import Ledger
from ..tools.regime_history import change_points, regime_history
from ..tools.scene import Scene
from .console import Console
from .deciding import session_at
from .market_pictures import Picture, picture_of
from .pages.market_state import market_page
from .pages.twin import Twin
from .preparing import DEFAULT_DATA
from .regime_log import print_regime_switches, regime_switches
from .reports import Report, write_report

MAX_CLOSE_LOOKS = 8
"""Names looked at closely in one page; each takes a second or two and a screen."""

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MarketRequest:
    """The options of `market`: the names to look at closely, none for the market alone beside all names in brief."""

    symbols: tuple[str, ...]
    data: str | None
    as_of: str | None
    out: Path | None
    book: Path
    config: Path | None


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found: ledger entries, pictures of the series looked at closely, and the rest in brief."""

    entries: tuple[Evidence, ...]
    pictures: tuple[Picture, ...]
    brief: tuple[str, ...]
    left_out: tuple[str, ...]

    def output(self, tool: str, series: str) -> Document:
        """The output of a tool for one series."""
        return self.by_tool(series)[tool]

    def by_tool(self, series: str) -> dict[str, Document]:
        """What every tool that was asked about a series said."""
        outputs = [(entry.tool, cast(Document, entry.output)) for entry in self.entries]
        return {tool: output for tool, output in outputs if output["series"] == series}

    @property
    def pooled(self) -> Document:
        """The record of the patterns of all names together."""
        return next(cast(Document, entry.output) for entry in self.entries if entry.tool == "pattern_record")


def perform_market(request: MarketRequest, console: Console) -> None:
    if len(request.symbols) > MAX_CLOSE_LOOKS:
        raise SettingsInvalid(
            f"found {len(request.symbols)} symbols, expected at most {MAX_CLOSE_LOOKS} for close looks",
            remedy="Name fewer, or none: then every name is listed in brief.",
        )
    settings = load_settings(request.config)
    name, book, limits = request.data or DEFAULT_DATA, Book(request.book), load_limits(settings.limits_file)
    data = book.load(name)
    history = data.history()
    session = session_at(history, request.as_of) if request.as_of else history.last_session
    scene = scene_at(settings, limits, data, session)
    switches = regime_switches(settings, limits, book, name, scene.view.as_of)
    looked = looked_at(scene, tuple(dict.fromkeys(request.symbols)))
    ident = short_id("market", data.card.name, session, list(request.symbols))
    twin = Twin("market", ident)
    facts = twin.evidence([entry.model_dump(mode="json") for entry in looked.entries])
    switched = twin.derive("regime_switches", [ident, limits.hash(), switches["run"]], switches)
    html = market_page(twin, facts, looked.pictures, looked.brief, session.isoformat(), data.card, switched)
    paths = _written(Report(ident, "market", html, twin.data()), request)
    console.result(
        {
            "id": ident,
            "as_of": scene.view.as_of.isoformat(),
            "data": data.card.name,
            "series": {picture.name: looked.by_tool(picture.name) for picture in looked.pictures},
            "brief": {name: looked.output("indicator_history", name) for name in looked.brief},
            "pattern_record": looked.pooled,
            "left_out": list(looked.left_out),
            "regime_switches": switches,
            "html": str(paths[0]),
            "json": str(paths[1]),
        }
    )
    _print(console, looked, session.isoformat(), data.card.name)
    print_regime_switches(console, switches)
    console.say(f"\nPage: {paths[0]}")


def looked_at(scene: Scene, symbols: Sequence[str]) -> Looked:
    """The market and the named symbols closely; without names, every other one in brief. All through the ledger."""
    ledger = Ledger(scene.view.as_of, scene.view.fingerprint)
    closely = [market_bars(scene.view), *(symbol_bars(scene.view, symbol) for symbol in symbols)]
    others, left_out = ([], []) if symbols else all_bars(scene.view)
    for bars in closely:
        for tool in (indicator_history, candlesticks, chart_patterns, regime_history, change_points):
            tool(ledger, scene, bars)
    for bars in others:
        indicator_history(ledger, scene, bars)
        chart_patterns(ledger, scene, bars)
    pattern_record(ledger, scene, [*closely[1:], *others])
    return Looked(
        ledger.entries,
        tuple(picture_of(scene, bars) for bars in closely),
        tuple(bars.name for bars in others),
        tuple(left_out),
    )


def _written(report: Report, request: MarketRequest) -> tuple[Path, Path]:
    if request.out is None:
        return write_report(report, request.book / "market")
    return write_report(Report(request.out.stem, report.kind, report.html, report.data), request.out.parent)


def _print(console: Console, looked: Looked, session: str, name: str) -> None:
    console.say(f"The market by {name} at the close of {session}")
    for picture in looked.pictures:
        _print_closely(console, looked, picture.name)
    if looked.brief:
        rows = [_brief_row(looked, each) for each in looked.brief]
        console.table("every name", ("name", "close", "RSI", "trend up/down", "reversal up/down", "last pattern"), rows)
    if looked.left_out:
        console.say(f"  left out, too short or not traded that day: {', '.join(looked.left_out)}")
    if looked.pooled["record"]:
        console.table("patterns of these names, how often right", _RECORD_HEADER, _record_rows(looked.pooled["record"]))


def _print_closely(console: Console, looked: Looked, series: str) -> None:
    read = looked.output("indicator_history", series)
    console.say(f"\n{series}: {read['close']:,.2f} after {read['bars']:,} bars; {_leaning(read['tally'])}")
    for row in read["rows"]:
        console.say(f"  {row['says']}")
    if read["absent"]:
        absent = ", ".join(row["name"] for row in read["absent"])
        lacking = f"; the data have no {', '.join(read['missing_fields'])}" if read["missing_fields"] else ""
        console.say(f"  not computed: {absent}{lacking}")
    _print_candles(console, looked.output("candlesticks", series))
    _print_patterns(console, looked.output("chart_patterns", series))
    _print_regimes(console, looked.output("regime_history", series))
    _print_changes(console, looked.output("change_points", series))


def _print_candles(console: Console, found: Document) -> None:
    if "refused" in found:
        console.say(f"  {found['refused']}")
        return
    rows = [
        (f"{row['pattern']}, {row['session']}", _SIDES[row["side"]], str(row["seen"]), _right(row["record"] or {}))
        for row in found["rows"]
    ]
    console.table("candlesticks on the last bars", ("pattern", "side", "seen so far", "right after 5 days"), rows)


def _print_patterns(console: Console, found: Document) -> None:
    if "refused" in found:
        console.say(f"  {found['refused']}")
        return
    for row in found["recent"]:
        state = "stands" if row["stands"] else "undone"
        console.say(
            f"  {row['kind'].replace('_', ' ')}, {_SIDES[row['side']]} through {row['level']:,.2f} on "
            f"{row['known_at']}, {row['moved_since']:+.1%} since ({state})"
        )
    overall = [row for row in found["record"] if row["kind"] == "all"]
    console.table(f"{found['found']} chart patterns so far, how often right", _RECORD_HEADER, _record_rows(overall))


def _print_regimes(console: Console, found: Document) -> None:
    if "refused" in found:
        console.say(f"  regimes: {found['refused']}")
        return
    rows = [
        (label, f"{found['now'][label]:.1%}", f"{vol:.1%}", _days(found["dwell_days"][label]))
        for label, vol in found["annual_vol"].items()
    ]
    console.table(f"regime: {found['label']}", ("state", "now", "volatility", "lasts, days"), rows)
    learning = found["learning"]
    t_stat = "" if learning["t_stat"] is None else f", t {learning['t_stat']:.1f}"
    console.say(
        f"  learning day by day instead of waiting for January: {learning['gain_per_day']:+.4f} log-likelihood "
        f"a day over {learning['days']:,} days{t_stat}"
    )


def _print_changes(console: Console, found: Document) -> None:
    if "refused" in found:
        console.say(f"  changes: {found['refused']}")
        return
    console.say(f"  chance of a change within a month: {found['probability']:.0%}")
    for row in found["changes"][:3]:
        console.say(
            f"  changed on {row['began']} (known {row['known']}): volatility {_percent(row['vol_before'])} "
            f"to {_percent(row['vol_after'])}"
        )


def _brief_row(looked: Looked, series: str) -> tuple[str, ...]:
    read, patterns = looked.output("indicator_history", series), looked.output("chart_patterns", series)
    rsi = next((row["now"]["rsi"] for row in read["rows"] if row["name"] == "rsi"), None)
    last = next(iter(patterns.get("recent", [])), None)
    told = "-" if last is None else f"{last['kind'].replace('_', ' ')} {_SIDES[last['side']]}, {last['known_at']}"
    counts = (f"{read['tally'][group]['up']} / {read['tally'][group]['down']}" for group in ("trend", "reversal"))
    return series, f"{read['close']:,.2f}", "-" if rsi is None else f"{rsi:.1f}", *counts, told


def _record_rows(record: Sequence[Document]) -> list[tuple[str, ...]]:
    return [
        (
            row["kind"].replace("_", " "),
            str(row["horizon_days"]),
            str(row["judged"]),
            _right(row),
            _percent(row["by_drift"]),
        )
        for row in record
    ]


def _right(row: Document) -> str:
    if row.get("share") is None:
        return "-"
    return f"{row['share']:.0%} ({row['low']:.0%} to {row['high']:.0%})"


def _leaning(tally: Document) -> str:
    parts = (f"{group} {count['up']} up, {count['down']} down" for group, count in tally.items() if any(count.values()))
    return "; ".join(parts)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _days(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


_SIDES = {1: "up", -1: "down", 0: "no side"}
_RECORD_HEADER = ("pattern", "days", "judged", "right (95 % interval)", "by drift alone")
