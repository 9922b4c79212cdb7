"""The page of a whole run: the desk beside its baselines, what it risked, paid, refused, and what that proves."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from pydantic import JsonValue

from ...evals.summary import NO_INTERVAL, path_intervals
from ...market.cards import DataCard
from ...quant.arrays import DAYS_PER_YEAR
from ...quant.bootstrap import LEVEL, Interval
from ...quant.errors import SampleError
from ...quant.performance import is_distinguishable_from_luck, summarize
from .case import card_facts
from .curves import Curves, curves_of, drawdown_chart, equity_chart, gross_chart
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
) -> str:
    """The HTML of a run's page; `baselines` are equity paths of one value per session, by the names of their lines."""
    started = payload_of(twin.event(record.started)) if record.started else None
    finished = payload_of(twin.event(record.finished)) if record.finished else None
    curves = curves_of(record, baselines)
    metrics = _metrics(twin, curves)
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
        is_short=not is_distinguishable_from_luck(len(curves.sessions)),
        equity_chart=equity_chart(twin, curves),
        drawdown_chart=drawdown_chart(twin, curves),
        gross_chart=gross_chart(twin, record, curves),
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


def _metrics(twin: Twin, curves: Curves) -> list[dict[str, Fact | str]]:
    """One row per line: its summary and the interval of its Sharpe ratio; none for a run too short to measure."""
    rows: list[dict[str, Fact | str]] = []
    try:
        summaries = {name: summarize(line) for name, line in curves.lines.items()}
    except SampleError:
        return []
    intervals = path_intervals(curves.lines)
    for name, summary in summaries.items():
        interval = intervals[name]
        found = interval if isinstance(interval, Interval) else None
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
            "no_interval": None if isinstance(interval, Interval) else NO_INTERVAL[interval],
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


def _activity(twin: Twin, record: RunRecord) -> Fact | None:
    """What was traded and paid. Turnover is traded value a year over mean equity, buys plus sells."""
    marks = record.marks
    n = len(marks.sessions)
    if n == 0:
        return None
    equity = np.array(marks.equity)
    value, fees = float(sum(marks.traded)), float(sum(marks.fees))
    weights = np.array([_float(row["notional"]) for row in record.trades])
    shortfalls = np.array([_float(row["shortfall_bps"]) for row in record.trades])
    has_value = bool(weights.sum() > 0)
    output: dict[str, JsonValue] = {
        "sessions": n,
        "turnover_per_year": value / float(equity.mean()) / (max(n - 1, 1) / DAYS_PER_YEAR),
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
