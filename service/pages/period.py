"""The page of a day or a month: what the desk made, traded, was denied, risked and paid, and what is still open."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from ...domain.events import Event
from ...memory.decisions_view import DecisionRecord
from . import charts
from .case import Case
from .decision import position_rows
from .render import render
from .twin import Fact, Twin, payload_of

PeriodKind = Literal["daily", "monthly"]
MOST_TRADES = 12
MOST_STOPPED = 8
MOST_TOLD = 12
LIMITS = {
    "var_99_historical": ("max_var_99_frac", "Value at risk, one day in a hundred", "frac"),
    "es_975_historical": ("max_es_975_frac", "Expected shortfall, one day in forty", "frac"),
    "gross": ("max_gross", "Gross exposure", "frac"),
    "beta": ("max_beta", "Beta", "ratio"),
}


@dataclass(frozen=True, slots=True)
class Period:
    """What the log holds of some days; `before` is the close that they began from."""

    kind: PeriodKind
    name: str
    marks: tuple[Event, ...]
    before: Event | None
    decisions: tuple[DecisionRecord, ...]
    trades: tuple[dict[str, JsonValue], ...]
    people: tuple[Event, ...]
    dropped: tuple[Event, ...]


def period_page(twin: Twin, case: Case, period: Period, links: Collection[str]) -> str:
    """The HTML; `case` is the last decision of the period, whose book and measures stand for its end."""
    started = case.started
    marks = [payload_of(twin.event(event)) for event in period.marks]
    before = payload_of(twin.event(period.before))["equity"] if period.before else started["cash"] if started else None
    told: list[dict[str, object]] = [
        {"kind": event.type, "at": fact["event_time"], "payload": payload_of(fact)}
        for event in period.people
        for fact in (twin.event(event),)
    ]
    positions = position_rows(case)
    return render(
        "period.html",
        title=f"{period.kind} report",
        period=period,
        first=marks[0]["session"],
        last=marks[-1]["session"],
        case=case,
        decision=case.decision,
        money=_money(twin, marks, before),
        chart=_chart(twin, marks, before) if len(marks) > 1 else None,
        counts=_counts(twin, period),
        trades=_trades(twin, period, links),
        traded=_traded(twin, period),
        stopped=_stopped(twin, period, links),
        limits=_limits(case),
        positions=positions,
        sectors=_sectors(case, positions),
        told=told[-MOST_TOLD:],
        dropped=[payload_of(twin.event(event)) for event in period.dropped],
        gaps=_gaps(case),
        restricted=case.decision["snapshot"]["trading_states"]["restricted"].rows(),
        waiting=_waiting(told),
        changed=_changed(told),
        is_monthly=period.kind == "monthly",
    )


def _money(twin: Twin, marks: Sequence[Fact], before: Fact | None) -> Fact:
    """What was made from the close before to the last one, net of everything, and what it took."""
    start = before.number() if before else marks[0]["equity"].number()
    end, peak = marks[-1]["equity"].number(), marks[-1]["peak_equity"].number()
    refs: list[JsonValue] = [*([before.ref] if before else []), *(mark.ref for mark in marks)]
    traded, fees = (sum(mark[name].number() for mark in marks) for name in ("traded", "fees"))
    output: dict[str, JsonValue] = {
        "start": start,
        "end": end,
        "made": end - start,
        "made_frac": end / start - 1.0 if start else None,
        "below_peak_frac": 1.0 - end / peak if peak > 0 else None,
        "traded": traded,
        "turnover": traded / start if start else None,
        "fees": fees,
        "sessions": len(marks),
    }
    return twin.derive("period", refs, output)


def _chart(twin: Twin, marks: Sequence[Fact], before: Fact | None) -> object:
    days, equity = [mark["session"].string() for mark in marks], [mark["equity"].number() for mark in marks]
    levels = {"before": before.number()} if before else None
    data = charts.chart_data("Equity at each close", "cash", days, {"equity": equity}, levels)
    return charts.line_chart(twin.derive("period_chart", [mark.ref for mark in marks], data), height_px=150)


def _counts(twin: Twin, period: Period) -> Fact:
    kinds = Counter(item.kind for item in period.decisions)
    output: dict[str, JsonValue] = {
        **{kind: kinds[kind] for kind in ("trade", "no_trade", "vetoed", "refused")},
        "decisions": len(period.decisions),
        "abstentions": sum(item.abstentions for item in period.decisions),
        "llm_calls": sum(item.llm_calls for item in period.decisions),
        "prompt_tokens": sum(item.prompt_tokens for item in period.decisions),
    }
    return twin.derive("decisions_counted", [item.decision_id for item in period.decisions], output)


def _trades(twin: Twin, period: Period, links: Collection[str]) -> list[dict[str, object]]:
    """The largest of the period's closed orders."""
    largest = sorted(period.trades, key=lambda row: -float(str(row["notional"])))[:MOST_TRADES]
    kept = twin.derive("trades", {"closed": period.name, "rows": len(largest)}, [dict(row) for row in largest])
    return [
        {"trade": row, "link": f"{row['order_id'].string()}.html" if row["order_id"].raw in links else None}
        for row in kept.rows()
    ]


def _traded(twin: Twin, period: Period) -> Fact:
    """All orders closed: how they ended, and their mean shortfall against arrival by value."""
    states = Counter(str(row["status"]) for row in period.trades)
    worth = [(float(str(row["notional"])), row["shortfall_bps"]) for row in period.trades]
    paid = [(value, float(str(bps))) for value, bps in worth if value > 0 and bps is not None]
    whole = sum(value for value, _ in paid)
    output: dict[str, JsonValue] = {
        "orders": len(period.trades),
        **{state: states[state] for state in ("filled", "partial", "unfilled")},
        "shortfall_bps": sum(value * bps for value, bps in paid) / whole if whole > 0 else None,
        "fees": sum(float(str(row["fees"])) for row in period.trades),
        "fidelity": dict(sorted(Counter(str(row["rests_on"]) for row in period.trades).items())),
    }
    return twin.derive("orders_closed", [str(row["order_id"]) for row in period.trades], output)


def _stopped(twin: Twin, period: Period, links: Collection[str]) -> list[dict[str, object]]:
    """Decisions that were vetoed or refused, the newest first."""
    rows: list[JsonValue] = [
        {"decision_id": item.decision_id, "as_of": item.as_of, "kind": item.kind, "summary": item.summary}
        for item in reversed(period.decisions)
        if item.kind in ("vetoed", "refused")
    ]
    kept = twin.derive("stopped", {"period": period.name}, rows[:MOST_STOPPED])
    return [
        {"row": row, "link": f"{row['decision_id'].string()}.html" if row["decision_id"].raw in links else None}
        for row in kept.rows()
    ]


def _limits(case: Case) -> list[dict[str, object]]:
    """The book's risk at the last decision against the run's own limits."""
    assessment, started = case.decision.maybe("assessment"), case.started
    bounds = started["settings"].maybe("limits") if started else None
    if assessment is None or bounds is None:
        return []
    rows: list[dict[str, object]] = []
    for name, (limit, label, unit) in LIMITS.items():
        value, bound = assessment["metrics"].maybe(name), bounds.maybe(limit)
        if value is not None and bound is not None:
            used = charts.bar(abs(value.number()), bound.number(), tone="good")
            rows.append({"label": label, "value": value, "limit": bound, "unit": unit, "bar": used})
    return rows


def _sectors(case: Case, positions: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Weights by sector, largest first."""
    if case.started is None:
        return []
    sectors = {row["symbol"].string(): str(row["sector"].raw) for row in case.started["universe"]["instruments"].rows()}
    sums: dict[str, float] = {}
    for row in positions:
        position, marked = row["position"], row["marked"]
        if isinstance(position, Fact) and isinstance(marked, Fact) and marked["weight"].raw is not None:
            sector = sectors.get(position["symbol"].string(), "")
            sums[sector] = sums.get(sector, 0.0) + marked["weight"].number()
    scale = max((abs(value) for value in sums.values()), default=0.0)
    ordered = sorted(sums, key=lambda name: (-abs(sums[name]), name))
    kept = case.twin.derive("sector_weights", case.decision["snapshot"].ref, {name: sums[name] for name in ordered})
    return [{"name": name, "weight": w, "bar": charts.bar(w.number(), scale, signed=True)} for name, w in kept.items()]


def _gaps(case: Case) -> list[Fact]:
    """Sources and agents that lacked data at the last decision."""
    found = case.decision["abstentions"].rows() + [
        row for view in case.decision["views"].rows() if (row := view.maybe("abstention"))
    ]
    seen: set[tuple[str, str]] = set()
    kept: list[Fact] = []
    for row in found:
        key = (str(row["who"].raw), str(row["text"].raw))
        if key not in seen and row["reason"].raw in ("no_data", "short_history", "model_failed", "unparsable"):
            seen.add(key)
            kept.append(row)
    return kept


def _waiting(told: Sequence[dict[str, object]]) -> list[Fact]:
    """Critical notifications of the period that nobody acknowledged in it."""
    found = [(row["kind"], row["payload"]) for row in told]
    known = {
        fact["notification_id"].string()
        for kind, fact in found
        if kind == "NotificationAcknowledged" and isinstance(fact, Fact)
    }
    raised = [fact for kind, fact in found if kind == "NotificationRaised" and isinstance(fact, Fact)]
    return [
        fact for fact in raised if fact["severity"].raw == "critical" and fact["notification_id"].string() not in known
    ]


def _changed(told: Sequence[dict[str, object]]) -> list[Fact]:
    """The last change of each scope's state in the period, where it left the scope restricted."""
    last: dict[tuple[str, str], Fact] = {}
    for row in told:
        fact = row["payload"]
        if row["kind"] == "TradingStateChanged" and isinstance(fact, Fact):
            last[str(fact["scope"]["kind"].raw), str(fact["scope"]["name"].raw)] = fact
    return [fact for fact in last.values() if fact["after"].raw != "ACTIVE"]
