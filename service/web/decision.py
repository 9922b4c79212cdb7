"""One decision on the page: its argument, votes, size, gate, orders and fills, and all the evidence behind it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any, cast

from ...domain.events import Event, RunStarted
from ...market.errors import MarketError
from ...memory.orders_view import OrderRecord
from ..answers.order_facts import order_row
from ..answers.reader import Reading
from ..api.errors import NotFound
from ..pages.around import on_days
from ..pages.case import VOTE_WORDS, Case, dissenters, evidence_rows, gate_tables, sizing_rows
from ..pages.charts import bar
from ..pages.decision import OUTCOMES, SPEAKERS
from ..pages.flags import decision_flags
from ..pages.record import CASE_EVENTS, PEOPLE_EVENTS
from ..pages.sheet import abstentions, agent_rows
from ..pages.twin import Fact, Twin

MOST_EVIDENCE = 40
EVENTS_AROUND = 2000
"""Events before a decision within which those of its day are looked for."""


@dataclass(frozen=True, slots=True)
class DecisionView:
    """What the template lays out."""

    twin: Twin
    case: Case
    kind: str
    outcome: str
    failed: tuple[Fact, ...]
    views: list[dict[str, Any]]
    """Each source: how many names it scored, or why it was silent."""
    signals: list[dict[str, Any]]
    debate: list[dict[str, Any]]
    abstained: list[Fact]
    agents: list[dict[str, Any]]
    votes: list[dict[str, Any]]
    sizing: list[dict[str, Any]]
    targets: list[dict[str, Any]]
    gate: list[dict[str, Any]]
    orders: list[Fact]
    people: list[dict[str, Any]]
    flags: dict[str, Any] | None
    evidence: list[dict[str, Any]]
    has_pages: tuple[str, ...]
    """Forms of its report that are written already."""

    @property
    def decision(self) -> Fact:
        return self.case.decision


def decision_view(reading: Reading, decision_id: str) -> DecisionView:
    """Raises NotFound. Nothing later than its orders' fills is looked at."""
    event = reading.decision_event(decision_id)
    if event is None:
        raise NotFound(f"this run has no decision {decision_id!r}", remedy="The list of decisions has all there are.")
    twin = Twin("decision", decision_id)
    case = Case.of(twin, reading.last(RunStarted), reading.read(*CASE_EVENTS, decision_id=decision_id))
    decision = case.decision
    return DecisionView(
        twin=twin,
        case=case,
        kind=decision["kind"].string(),
        outcome=OUTCOMES[decision["kind"].string()],
        failed=tuple(check for check in _last_checks(decision) if check["passed"].raw is False),
        views=_views(case),
        signals=_signals(decision),
        debate=_debate(decision),
        abstained=abstentions(decision),
        agents=agent_rows(case),
        votes=_votes(decision),
        sizing=sizing_rows(decision),
        targets=_targets(decision),
        gate=_gate(twin, decision),
        orders=_orders(twin, reading.views.orders(decision_id)),
        people=_people(reading, case, event),
        flags=_flags(reading, case),
        evidence=evidence_rows(case)[:MOST_EVIDENCE],
        has_pages=tuple(form for form in ("json", "pdf") if _page(reading, decision_id, form)),
    )


def evidence_entry(reading: Reading, decision_id: str, evidence_id: str) -> tuple[Twin, Fact]:
    """One ledger entry of a decision, whole. Raises NotFound."""
    twin = Twin("evidence", evidence_id)
    events = reading.read(*CASE_EVENTS, decision_id=decision_id)
    for event in (event for event in events if event.type == "EvidenceRecorded"):
        rows = Fact(event.payload, event.id)["entries"].where(id=evidence_id)
        if rows:
            return twin, twin.evidence([rows[0].raw])[0]
    raise NotFound(
        f"decision {decision_id!r} has no evidence {evidence_id!r}", remedy="The decision's page lists what it has."
    )


def _page(reading: Reading, decision_id: str, form: str) -> bool:
    return (reading.folder.reports_path / f"{decision_id}.{form}").is_file()


def _last_checks(decision: Fact) -> list[Fact]:
    verdicts = decision["verdicts"].rows()
    return verdicts[-1]["checks"].rows() if verdicts else []


def _gate(twin: Twin, decision: Fact) -> list[dict[str, Any]]:
    """Each review, with the checks that measured something apart from those that found nothing to measure."""
    found: list[dict[str, Any]] = []
    for item in gate_tables(decision):
        rows = cast("list[dict[str, Any]]", item["rows"])
        idle = [row for row in rows if row["check"]["passed"].raw is True and not row["check"]["value"].raw]
        verdict = cast("Fact", item["verdict"])
        found.append(
            {
                "verdict": verdict,
                "measured": [row for row in rows if row not in idle],
                "idle": idle,
                "idle_count": twin.derive("idle_checks", verdict.ref, len(idle)),
            }
        )
    return found


def _views(case: Case) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for view in case.decision["views"].rows():
        scores = [score.number() for _, score in view["scores"].items()]
        counted = case.twin.derive(
            "view_counted",
            view.ref,
            {
                "names": len(scores),
                "up": sum(score > 0 for score in scores),
                "down": sum(score < 0 for score in scores),
                "mean": sum(scores) / len(scores) if scores else None,
            },
        )
        rows.append({"view": view, "counted": counted, "abstention": view.maybe("abstention")})
    return rows


def _signals(decision: Fact) -> list[dict[str, Any]]:
    """By the size of what is expected, the largest first."""
    rows = sorted(
        decision["signals"].rows(), key=lambda row: (-abs(row["expected_return"].number()), row["symbol"].string())
    )
    scale = max((abs(row["expected_return"].number()) for row in rows), default=0.0)
    return [{"signal": row, "bar": bar(row["expected_return"].number(), scale, signed=True)} for row in rows]


def _debate(decision: Fact) -> list[dict[str, Any]]:
    """One row per contested name: how far its sources are apart, both cases, and what they moved."""
    debate = decision.maybe("debate")
    if debate is None:
        return []
    return [
        {
            "symbol": symbol,
            "gap": gap,
            "cases": [(who, debate["cases"].where(symbol=symbol, speaker=who)) for who in SPEAKERS],
            "move": next(iter(debate["moves"].where(symbol=symbol)), None),
        }
        for symbol, gap in debate["gaps"].items()
    ]


def _votes(decision: Fact) -> list[dict[str, Any]]:
    """One row per leg: each agent's vote, what they came to, and who was against."""
    consensus = decision.maybe("consensus")
    legs = {leg["symbol"].string(): leg for leg in (consensus["legs"].rows() if consensus else [])}
    cells: dict[str, dict[str, Any]] = {}
    for vote in decision["votes"].rows():
        value = vote["value"].raw
        word = VOTE_WORDS[value if isinstance(value, int) else None]
        cells.setdefault(vote["symbol"].string(), {})[vote["agent"].string()] = {
            "vote": vote,
            "word": word,
            "advice": vote.maybe("advice"),
        }
    return [
        {"symbol": symbol, "cells": row, "leg": legs.get(symbol), "dissent": dissenters(legs.get(symbol))}
        for symbol, row in cells.items()
    ]


def _targets(decision: Fact) -> list[dict[str, Any]]:
    """Held against wanted of every name in either, the largest target first."""
    targets = decision.maybe("targets")
    if targets is None:
        return []
    held, wanted = dict(targets["held"].items()), dict(targets["weights"].items())
    sizes = {name: (_size(wanted.get(name)), _size(held.get(name))) for name in {*held, *wanted}}
    shown = sorted((name for name in sizes if any(sizes[name])), key=lambda name: (-abs(sizes[name][0]), name))
    scale = max((max(abs(a), abs(b)) for a, b in sizes.values()), default=0.0)
    signed = any(min(pair) < 0 for pair in sizes.values())
    return [
        {
            "symbol": name,
            "held": held.get(name),
            "target": wanted.get(name),
            "held_bar": bar(sizes[name][1], scale, signed=signed, tone="c1"),
            "target_bar": bar(sizes[name][0], scale, signed=signed),
        }
        for name in shown
    ]


def _size(weight: Fact | None) -> float:
    return weight.number() if weight is not None and weight.raw is not None else 0.0


def _orders(twin: Twin, orders: Iterable[OrderRecord]) -> list[Fact]:
    rows = [order_row(item) for item in orders]
    return twin.derive("orders_now", [row["order_id"] for row in rows], [*rows]).rows()


def _people(reading: Reading, case: Case, made: Event) -> list[dict[str, Any]]:
    """What people and the watch did on the decision's day."""
    day = datetime.fromisoformat(case.decision["as_of"].string()).date()
    is_restricted = bool(case.decision["snapshot"]["trading_states"]["restricted"].rows())
    near = reading.read(*PEOPLE_EVENTS, after=max(0, made.seq - EVENTS_AROUND), limit=EVENTS_AROUND)
    told = on_days(takewhile(lambda event: event.event_time.date() <= day, near), day, day, is_restricted=is_restricted)
    rows: list[dict[str, Any]] = []
    for event in told:
        fact = case.twin.event(event)
        rows.append({"kind": event.type, "at": fact["event_time"], "payload": fact["payload"]})
    return rows


def _flags(reading: Reading, case: Case) -> dict[str, Any] | None:
    """Texts' first words are looked up in the data, which are only loaded when something was flagged."""
    if case.flags is None:
        return None
    from ..flagged import quotes_of

    try:
        quotes = quotes_of(reading.data.texts)
    except MarketError:
        quotes = {}
    return decision_flags(case, quotes)
