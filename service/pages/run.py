"""The page of a whole run: the desk beside its baselines, what it risked, paid, refused, and what that proves."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import JsonValue

from ...domain.canonical import content_hash
from ...market.cards import DataCard
from ...quant.arrays import DAYS_PER_YEAR, FloatArray
from ...quant.errors import SampleError
from ...quant.performance import Interval, sharpe_interval, summarize
from . import charts
from .case import card_facts
from .errors import SeriesMismatch
from .record import RunRecord
from .render import render
from .twin import Fact, Twin, payload_of

TARGET = {"sharpe": 1.5, "max_drawdown": 0.10}
"""What the design document asks of the desk (row N1)."""
LUCK_YEARS = 3
MAX_POINTS = 480
MAX_ROWS = 12
INTERVAL_SEED = 20_000
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class _Curves:
    """The desk and what it is measured against, over the same sessions."""

    sessions: Sequence[str]
    lines: Mapping[str, FloatArray]
    inputs: JsonValue


def run_page(
    twin: Twin,
    record: RunRecord,
    baselines: Mapping[str, Sequence[float]],
    intervals: Mapping[str, Interval] | None,
    card: DataCard | None,
    sample: str,
    links: Collection[str],
) -> str:
    """The HTML of a run's page; intervals that are not passed in are bootstrapped with a fixed seed."""
    started = payload_of(twin.event(record.started)) if record.started else None
    finished = payload_of(twin.event(record.finished)) if record.finished else None
    curves = _curves(record, baselines)
    metrics = _metrics(twin, curves, intervals)
    desk = metrics[0]["figures"] if metrics else None
    return render(
        "run.html",
        title="Run",
        started=started,
        finished=finished,
        metrics=metrics,
        desk=desk,
        target=_target(twin, desk),
        activity=_activity(twin, record),
        is_short=len(curves.sessions) < LUCK_YEARS * DAYS_PER_YEAR,
        equity_chart=_equity_chart(twin, curves),
        drawdown_chart=_drawdown_chart(twin, curves),
        gross_chart=_gross_chart(twin, record, curves),
        months=_months(twin, curves),
        month_names=MONTHS,
        counts=_counts(twin, record),
        biggest=_trades(twin, record, "biggest_trades", links),
        latest=_trades(twin, record, "latest_trades", links),
        stopped=_stopped(twin, record, links),
        card=card_facts(twin, card),
        sample=twin.derive("sample", "caller", sample) if sample else None,
        uses_rules=started is not None and started["model"].raw == "rules",
        has_synthetic=record.synthetic_fills > 0,
        close_only=card is not None and card.close_only,
    )


def _curves(record: RunRecord, baselines: Mapping[str, Sequence[float]]) -> _Curves:
    """The desk first, then the index of the marks, then the baselines, each of one value per session."""
    marks = record.marks
    n = len(marks.sessions)
    lines: dict[str, FloatArray] = {"Desk": np.array(marks.equity)}
    index = [level for level in marks.benchmark if level is not None]
    if n and len(index) == n:
        lines["Index"] = np.array(index)
    for name, values in baselines.items():
        if len(values) != n:
            raise SeriesMismatch(
                f"baseline {name}: found {len(values)} values, expected {n}, one per session of the run",
                remedy="Compute the baseline over the run's own sessions, from its first close to its last.",
            )
        lines[name] = np.array(values, dtype=np.float64)
    inputs: JsonValue = {
        "events": "PortfolioMarked",
        "first_seq": marks.first_seq,
        "last_seq": marks.last_seq,
        "series_hash": content_hash({name: line.tolist() for name, line in lines.items()}),
    }
    return _Curves(marks.sessions, lines, inputs)


def _metrics(twin: Twin, curves: _Curves, intervals: Mapping[str, Interval] | None) -> list[dict[str, Fact | str]]:
    """One row per line: its summary and the interval of its Sharpe ratio; none for a run too short to measure."""
    rows: list[dict[str, Fact | str]] = []
    for name, line in curves.lines.items():
        try:
            summary = summarize(line)
        except SampleError:
            return []
        interval = (intervals or {}).get(name) or _interval(line)
        figures: dict[str, JsonValue] = {
            "total_return": summary.total_return,
            "annual_return": summary.annual_return,
            "annual_volatility": summary.annual_volatility,
            "sharpe": summary.sharpe,
            "sortino": summary.sortino,
            "max_drawdown": summary.max_drawdown,
            "years": summary.n_days / DAYS_PER_YEAR,
            "sharpe_low": interval.low if interval else None,
            "sharpe_high": interval.high if interval else None,
            "interval_level": interval.level if interval else None,
        }
        rows.append({"name": name, "figures": twin.derive("summary", [curves.inputs, name], figures)})
    return rows


def _interval(equity: FloatArray) -> Interval | None:
    """The same draws for every line, so that their intervals can be compared; None when it hardly ever moved."""
    try:
        return sharpe_interval(equity[1:] / equity[:-1] - 1.0, np.random.default_rng(INTERVAL_SEED))
    except SampleError:
        return None


def _target(twin: Twin, desk: Fact | str | None) -> dict[str, object] | None:
    if not isinstance(desk, Fact):
        return None
    goal = twin.derive("target", "design document, row N1", dict(TARGET))
    sharpe = desk["sharpe"].raw
    return {
        "goal": goal,
        "sharpe_met": isinstance(sharpe, float) and sharpe > TARGET["sharpe"],
        "drawdown_met": desk["max_drawdown"].number() < TARGET["max_drawdown"],
    }


def _activity(twin: Twin, record: RunRecord) -> Fact | None:
    """What was traded and paid. Turnover is traded value over equity, buys plus sells, a year."""
    marks = record.marks
    n = len(marks.sessions)
    if n == 0:
        return None
    equity, traded = np.array(marks.equity), np.array(marks.traded)
    value, fees = float(traded.sum()), float(sum(marks.fees))
    weights = np.array([_float(row["notional"]) for row in record.trades])
    shortfalls = np.array([_float(row["shortfall_bps"]) for row in record.trades])
    has_value = bool(weights.sum() > 0)
    output: dict[str, JsonValue] = {
        "sessions": n,
        "turnover_per_year": float((traded / equity).mean()) * DAYS_PER_YEAR,
        "traded": value,
        "fees": fees,
        "fees_bps": fees / value * 1e4 if value else None,
        "shortfall_bps": float(weights @ shortfalls / weights.sum()) if has_value else None,
        "mean_gross": float(np.mean(marks.gross)),
        "max_gross": float(np.max(marks.gross)),
        "fills": record.fills,
        "synthetic_fills": record.synthetic_fills,
        "orders": len(record.trades),
        "last_equity": float(equity[-1]),
    }
    return twin.derive("activity", {"first_seq": marks.first_seq, "last_seq": marks.last_seq}, output)


def _float(value: JsonValue) -> float:
    return float(value) if isinstance(value, (int, float, str)) else 0.0


def _rows_shown(lines: Mapping[str, FloatArray]) -> list[int]:
    """Evenly spaced rows plus every line's extremes, so that thinning never hides a peak or a trough."""
    n = len(next(iter(lines.values())))
    rows = set(np.linspace(0, n - 1, min(n, MAX_POINTS)).round().astype(int).tolist())
    for line in lines.values():
        rows |= {int(line.argmin()), int(line.argmax())}
    return sorted(rows)


def _chart(twin: Twin, tool: str, curves: _Curves, data: dict[str, JsonValue]) -> Fact:
    return twin.derive(tool, curves.inputs, data)


def _equity_chart(twin: Twin, curves: _Curves) -> dict[str, object] | None:
    """Growth of one unit; logarithmic once anything more than tripled, so that equal growth looks equal."""
    if len(curves.sessions) < 2:
        return None
    growth = {name: line / line[0] for name, line in curves.lines.items()}
    rows = _rows_shown(growth)
    is_log = max(float(line.max() / line.min()) for line in growth.values()) > 3.0
    lines = {name: [round(float(line[k]), 6) for k in rows] for name, line in growth.items()}
    title = "Growth of one unit of equity" + (", logarithmic" if is_log else "")
    data = charts.chart_data(title, "multiple", [curves.sessions[k] for k in rows], lines, log=is_log)
    fact = _chart(twin, "equity_chart", curves, data)
    return {"svg": charts.line_chart(fact, height_px=300), "title": title, "names": list(lines)}


def _drawdown_chart(twin: Twin, curves: _Curves) -> dict[str, object] | None:
    if len(curves.sessions) < 2:
        return None
    growth = {name: line / line[0] for name, line in curves.lines.items()}
    falls = {name: line / np.maximum.accumulate(line) - 1.0 for name, line in growth.items()}
    rows = _rows_shown({**growth, **{f"{name} drawdown": line for name, line in falls.items()}})
    lines = {name: [round(float(line[k]), 6) + 0.0 for k in rows] for name, line in falls.items()}
    days = [curves.sessions[k] for k in rows]
    data = charts.chart_data("Drawdown from the highest equity so far", "frac", days, lines, floor=0.0)
    fact = _chart(twin, "drawdown_chart", curves, data)
    return {"svg": charts.line_chart(fact, height_px=180, area=True), "names": list(lines)}


def _gross_chart(twin: Twin, record: RunRecord, curves: _Curves) -> dict[str, object] | None:
    if len(curves.sessions) < 2:
        return None
    line = np.array(record.marks.gross)
    rows = _rows_shown({"gross": line})
    values = [round(float(line[k]), 6) for k in rows]
    days = [curves.sessions[k] for k in rows]
    data = charts.chart_data("Gross exposure", "frac", days, {"Gross exposure": values}, floor=0.0)
    fact = _chart(twin, "gross_chart", curves, data)
    return {"svg": charts.line_chart(fact, height_px=140, area=True)}


def _months(twin: Twin, curves: _Curves) -> list[dict[str, object]]:
    """The desk's return by month and year; each month from the close before it (the first from its own first)."""
    line = curves.lines["Desk"]
    if len(line) < 2:
        return []
    ends: dict[str, float] = {}
    for session, value in zip(curves.sessions, line, strict=True):
        ends[session[:7]] = float(value)
    table: dict[str, dict[str, JsonValue]] = {}
    before, year_before = float(line[0]), float(line[0])
    for month, value in ends.items():
        year = table.setdefault(month[:4], {})
        if not year:
            year_before = before
        year[month[5:]] = value / before - 1.0
        year["year"] = value / year_before - 1.0
        before = value
    kept = twin.derive("monthly_returns", curves.inputs, dict(table))
    return [
        {
            "year": year,
            "total": row["year"],
            "cells": [_heat(row.maybe(f"{month:02d}")) for month in range(1, 13)],
        }
        for year, row in kept.items()
    ]


def _heat(cell: Fact | None) -> tuple[Fact | None, str]:
    if cell is None:
        return None, ""
    level = min(4, int(abs(cell.number()) / 0.0125) + 1)
    return cell, f"h{'n' if cell.number() < 0 else 'p'} t{level}"


def _counts(twin: Twin, record: RunRecord) -> list[dict[str, object]]:
    """Decisions by kind, and everything that was stopped or left unsaid, by reason."""
    groups = {
        "Decisions": record.kinds,
        "Vetoed by check": record.failed_checks,
        "Child orders denied by check": record.denied_checks,
        "Abstentions": record.abstentions,
    }
    seq = record.finished.seq if record.finished else record.marks.last_seq
    output: dict[str, JsonValue] = {name: _ranked(counter) for name, counter in groups.items()}
    kept = twin.derive("counts", {"events": ["DecisionMade", "ChildDenied"], "until_seq": seq}, output)
    return [
        {"name": name, "rows": [(key.replace("_", " "), fact) for key, fact in kept[name].items()]}
        for name in groups
        if groups[name]
    ]


def _ranked(counter: Counter[str]) -> dict[str, JsonValue]:
    return {key: counter[key] for key in sorted(counter, key=lambda key: (-counter[key], key))}


def _trades(twin: Twin, record: RunRecord, tool: str, links: Collection[str]) -> list[dict[str, object]]:
    if tool == "biggest_trades":
        chosen = sorted(record.trades, key=lambda row: (-_float(row["notional"]), str(row["order_id"])))[:MAX_ROWS]
    else:
        chosen = record.trades[: -MAX_ROWS - 1 : -1]
    kept = twin.derive(tool, [str(row["order_id"]) for row in chosen], [dict(row) for row in chosen])
    return [{"trade": row, "link": _link(row["order_id"], links)} for row in kept.rows()]


def _stopped(twin: Twin, record: RunRecord, links: Collection[str]) -> list[dict[str, object]]:
    chosen = record.stopped[: -MAX_ROWS - 1 : -1]
    kept = twin.derive("stopped", [str(row["decision_id"]) for row in chosen], [dict(row) for row in chosen])
    return [{"decision": row, "link": _link(row["decision_id"], links)} for row in kept.rows()]


def _link(record_id: Fact, links: Collection[str]) -> str | None:
    return f"{record_id.string()}.html" if record_id.raw in links else None
