"""The `microstructure` command: what a recorded book, tape or day of ticks says at a moment, with a page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from ..desk.errors import SettingsInvalid
from ..domain.canonical import short_id
from ..market.recordings import Recording, read_recording
from ..quant.errors import QuantError
from ..tools.errors import NotEnoughData, ToolError
from ..tools.ledger import Ledger
from ..tools.microstructure import book_pressure, trade_signs
from ..tools.traded_volume import toxicity, volume_shape
from ..tools.trading_costs import trading_costs_now
from .console import Console
from .pages.microstructure import microstructure_page
from .pages.twin import Twin
from .reports import Report, write_report

Ask = Callable[[Ledger, Recording], Mapping[str, object]]
ASKED: dict[str, Ask] = {
    "book_pressure": book_pressure,
    "trading_costs_now": trading_costs_now,
    "trade_signs": trade_signs,
    "toxicity": toxicity,
    "volume_shape": volume_shape,
}


@dataclass(frozen=True, slots=True)
class MicroRequest:
    """The options of `microstructure`."""

    data: Path
    symbol: str | None
    as_of: str | None
    out: Path | None
    book: Path


def perform_microstructure(request: MicroRequest, console: Console) -> None:
    recording = read_recording(request.data, request.symbol, _moment(request.as_of))
    ledger = Ledger(recording.as_of, recording.fingerprint)
    found, refused = measured(ledger, recording)
    findings = [{"code": item.code, "row": item.row, "text": item.text} for item in recording.findings]
    ident = short_id("micro", recording.symbol, recording.as_of.isoformat(), recording.fingerprint)
    twin = Twin("microstructure", ident)
    entries = twin.evidence([entry.model_dump(mode="json") for entry in ledger.entries])
    html_text = microstructure_page(twin, entries, recording, refused)
    report = Report(ident if request.out is None else request.out.stem, "microstructure", html_text, twin.data())
    html, json = write_report(report, request.book / "micro" if request.out is None else request.out.parent)
    console.result(
        {
            "id": ident,
            "symbol": recording.symbol,
            "as_of": recording.as_of.isoformat(),
            "files": list(recording.files),
            "findings": findings,
            **found,
            "refused": refused,
            "evidence": {entry.tool: entry.id for entry in ledger.entries},
            "html": str(html),
            "json": str(json),
        }
    )
    _print(console, recording, found, refused)
    console.say(f"\nPage: {html}")


def measured(ledger: Ledger, recording: Recording) -> tuple[dict[str, Mapping[str, Any]], dict[str, str]]:
    """Every tool's output, and why a tool had nothing to say; NotEnoughData when none had."""
    found: dict[str, Mapping[str, Any]] = {}
    refused: dict[str, str] = {}
    for name, ask in ASKED.items():
        try:
            found[name] = ask(ledger, recording)
        except (ToolError, QuantError) as error:
            refused[name] = error.message
    if not found:
        raise NotEnoughData(
            f"{recording.symbol}: {'; '.join(sorted(set(refused.values())))}", remedy="Give a longer recording."
        )
    return found, refused


def _moment(text: str | None) -> datetime | None:
    """The end of a day, or a time; one without a zone is meant in UTC."""
    if text is None:
        return None
    try:
        if len(text) <= len("YYYY-MM-DD"):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        remedy = "Write --as-of as YYYY-MM-DD, or as a time such as 2024-08-08T23:58:00+00:00."
        raise SettingsInvalid(f"--as-of {text!r} is neither a day nor a time", remedy=remedy) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _print(
    console: Console, recording: Recording, found: Mapping[str, Mapping[str, Any]], refused: Mapping[str, str]
) -> None:
    console.say(f"{recording.symbol} at {recording.as_of:%Y-%m-%d %H:%M:%S} UTC, from {', '.join(recording.files)}")
    for name, output in found.items():
        console.say(f"\n{name.replace('_', ' ')}: {output['reading']}")
    for name, why in refused.items():
        console.say(f"\n{name.replace('_', ' ')}: not known, {why}")
    console.say()
    if "book_pressure" in found:
        header = ("window", "windows", "one std", "R2 now", "t now", "R2 next", "t next")
        rows = [_flow_line(row) for row in found["book_pressure"]["flow"]]
        console.table("order flow against moves of the mid", header, rows)
    if "trading_costs_now" in found:
        rows = [_horizon_line(row) for row in found["trading_costs_now"]["horizons"]]
        if rows:
            console.table("spreads of trades, bp", ("after", "trades", "effective", "realized", "impact"), rows)
        rows = [_kyle_line(row) for row in found["trading_costs_now"]["kyle"]]
        if rows:
            console.table("net buying against moves", ("window", "windows", "bp per million", "t", "R2"), rows)
    for item in recording.findings:
        console.say(f"  {item.code}: {item.text}")


def _flow_line(row: Mapping[str, Any]) -> tuple[str, ...]:
    if "next" not in row:
        return (f"{row['window_s']} s", *["-"] * 6)
    fits = [text for fit in (row["same"], row["next"]) for text in (f"{fit['r_squared']:.1%}", _t(fit["t_stat"]))]
    return (f"{row['window_s']} s", str(row["windows"]), f"{row['one_std']:.4g}", *fits)


def _horizon_line(row: Mapping[str, Any]) -> tuple[str, ...]:
    if "trades" not in row:
        return (f"{row['horizon_s']} s", *["-"] * 4)
    parts = (f"{1e4 * row[name]:.3f}" for name in ("effective", "realized", "impact"))
    return (f"{row['horizon_s']} s", f"{row['trades']:,}", *parts)


def _kyle_line(row: Mapping[str, Any]) -> tuple[str, ...]:
    if "t_stat" not in row:
        return (f"{row['window_s']} s", *["-"] * 4)
    move = f"{1e4 * row['move_per_million']:.3f}"
    return (f"{row['window_s']} s", str(row["windows"]), move, _t(row["t_stat"]), f"{row['r_squared']:.1%}")


def _t(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
