"""The page of a whole run: the desk beside its baselines, what it risked, paid, refused, and what that proves."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from pydantic import JsonValue

from ...domain.sessions import day_of, session_of
from ...evals.metrics import NO_INTERVAL, path_intervals
from ...evals.within_days import day_closes, is_too_short, short_metrics
from ...market.cards import DataCard
from ...market.intervals import BarInterval
from ...quant.arrays import DAYS_PER_YEAR
from ...quant.bootstrap import LEVEL, Interval
from ...quant.errors import SampleError
from ...quant.performance import is_distinguishable_from_luck, summarize
from ...quant.sharpe_bootstrap import NoInterval
from .case import card_facts
from .curves import Curves, curves_of, drawdown_chart, equity_chart, gross_chart
from .flags import run_flags
from .months import MONTHS, month_row
from .record import RunRecord
from .render import render
from .twin import Fact, Twin, payload_of

TARGET = {"sharpe": 1.5, "max_drawdown": 0.10}
"""What the design document asks of the desk (row N1)."""
MAX_ROWS = 12


def run_page(
    twin: Twin,
    record: RunRecord,
    baselines: Mapping[str, Sequence[float]],
    card: DataCard | None,
    sample: str,
    links: Collection[str],
    interval: BarInterval | None = None,
    agents: JsonValue = None,
    quotes: Mapping[str, str] | None = None,
) -> str:
    """The HTML of a run's page; `baselines` are equity paths of one value per session, by the names of their lines.

    `interval` are the bars and decision times of a run that decided within the day; `agents` how its votes came out;
    `quotes` the first words of texts by their ids.
    """
    started = payload_of(twin.event(record.started)) if record.started else None
    finished = payload_of(twin.event(record.finished)) if record.finished else None
    curves = curves_of(record, baselines)
    is_brief = interval is not None and is_too_short([session_of(text) for text in curves.sessions])
    metrics = _brief_metrics(twin, curves, interval) if interval and is_brief else _metrics(twin, curves, interval)
    desk = metrics[0]["figures"] if metrics else None
    return render(
        "run.html",
        title="Run",
        started=started,
        finished=finished,
        metrics=metrics,
        desk=desk,
        target=None if is_brief else _target(twin, desk),
        activity=_activity(twin, record, is_brief=is_brief),
        is_brief=is_brief,
        within_day=interval is not None,
        is_short=not is_distinguishable_from_luck(_n_days(curves.sessions)),
        equity_chart=equity_chart(twin, curves),
        drawdown_chart=drawdown_chart(twin, curves),
        gross_chart=gross_chart(twin, record, curves),
        months=_months(twin, curves),
        month_names=MONTHS,
        counts=_counts(twin, record),
        flags=run_flags(twin, record, quotes or {}),
        agents=twin.derive("agent_scores", {"run": twin.record_id}, agents) if agents else None,
        biggest=_trades(twin, record, "biggest_trades", links),
        latest=_trades(twin, record, "latest_trades", links),
        stopped=_stopped(twin, record, links),
        card=card_facts(twin, card),
        sample=twin.derive("sample", "caller", sample) if sample else None,
        uses_rules=started is not None and started["model"].raw == "rules",
        has_synthetic=record.synthetic_fills > 0,
        close_only=card is not None and card.close_only,
    )


def _n_days(sessions: Sequence[str]) -> int:
    return len({day_of(session_of(text)) for text in sessions})


def _brief_metrics(twin: Twin, curves: Curves, interval: BarInterval) -> list[dict[str, Fact | str]]:
    """One row per line of a run within a few days: what its path came to, without a year and without a ratio."""
    rows: list[dict[str, Fact | str]] = []
    for name, line in curves.lines.items():
        found = short_metrics(line, interval, 0.0, 0.0)
        figures: dict[str, JsonValue] = {
            "total_return": found.total_return,
            "annual_return": None,
            "annual_volatility": found.annual_volatility,
            "sharpe": None,
            "sortino": None,
            "max_drawdown": found.max_drawdown,
            "interval_level": LEVEL,
            "no_interval": NO_INTERVAL[NoInterval.TOO_SHORT],
        }
        rows.append({"name": name, "figures": twin.derive("summary", [curves.inputs, name], figures)})
    return rows


def _metrics(twin: Twin, curves: Curves, interval: BarInterval | None) -> list[dict[str, Fact | str]]:
    """One row per line: its summary and the interval of its Sharpe ratio; none for a run too short to measure."""
    rows: list[dict[str, Fact | str]] = []
    lines = curves.lines
    if interval is not None:
        sessions = [session_of(text) for text in curves.sessions]
        lines = {name: day_closes(sessions, line) for name, line in lines.items()}
    try:
        summaries = {name: summarize(line) for name, line in lines.items()}
    except SampleError:
        return []
    intervals = path_intervals(lines)
    for name, summary in summaries.items():
        bounds = intervals[name]
        found = bounds if isinstance(bounds, Interval) else None
        figures: dict[str, JsonValue] = {
            "total_return": summary.total_return,
            "annual_return": summary.annual_return,
            "annual_volatility": summary.annual_volatility,
            "sharpe": summary.sharpe,
            "sortino": summary.sortino,
            "max_drawdown": summary.max_drawdown,
            "years": summary.n_days / DAYS_PER_YEAR,
            "sharpe_low": found.low if found else None,
            "sharpe_high": found.high if found else None,
            "interval_level": LEVEL,
            "no_interval": None if isinstance(bounds, Interval) else NO_INTERVAL[bounds],
        }
        rows.append({"name": name, "figures": twin.derive("summary", [curves.inputs, name], figures)})
    return rows


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


def _activity(twin: Twin, record: RunRecord, *, is_brief: bool) -> Fact | None:
    """What was traded and paid. Turnover is traded value a year over mean equity, buys plus sells; a run within a few
    days has none."""
    marks = record.marks
    n, days = len(marks.sessions), _n_days(marks.sessions)
    if n == 0:
        return None
    equity = np.array(marks.equity)
    value, fees = float(sum(marks.traded)), float(sum(marks.fees))
    weights = np.array([_float(row["notional"]) for row in record.trades])
    shortfalls = np.array([_float(row["shortfall_bps"]) for row in record.trades])
    has_value = bool(weights.sum() > 0)
    output: dict[str, JsonValue] = {
        "sessions": n,
        "days": days,
        "turnover_per_year": None if is_brief else value / float(equity.mean()) / (max(days - 1, 1) / DAYS_PER_YEAR),
        "traded": value,
        "fees": fees,
        "fees_bps": fees / value * 1e4 if value else None,
        "costs_bps": record.trading_costs / value * 1e4 if value else None,
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


def _months(twin: Twin, curves: Curves) -> list[dict[str, object]]:
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
    return [month_row(year, row["year"], row) for year, row in kept.items()]


def _counts(twin: Twin, record: RunRecord) -> list[dict[str, object]]:
    """Decisions by kind, and everything that was stopped or left unsaid, by reason."""
    groups = {
        "Decisions": record.kinds,
        "Vetoed by check": record.failed_checks,
        "Child orders denied by check": record.denied_checks,
        "Abstentions": record.abstentions,
        "Fills by the tier of their data": record.fidelity,
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
