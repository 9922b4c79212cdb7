"""The page of one decision, also of one that traded nothing: what was known, said, wanted, checked and settled."""

from collections.abc import Collection, Mapping

from pydantic import JsonValue

from ...market.cards import DataCard
from ...quant.performance import max_drawdown
from . import case as shared
from . import charts
from .around import Around, outcome_rows
from .case import AGENT_WORDS, VOTE_WORDS, Case
from .flags import decision_flags
from .lessons import lesson_rows
from .prices import PriceHistory
from .render import render
from .sheet import abstentions, agent_rows, sheet_of, timeline
from .twin import Fact, Twin
from .what_if_rows import flip_rows, without_rows

SPEAKERS = ("bull", "bear")
OUTCOMES = {
    "trade": "The gate approved the plan below.",
    "no_trade": "Nothing was traded: the desk saw no change worth making.",
    "vetoed": "Nothing was traded: the gate said no. The checks that failed stand first in its table.",
    "refused": "Nothing was traded: the desk lacked what it needs to decide, so it kept the book as it was.",
}


def decision_page(
    case: Case,
    prices: PriceHistory | None,
    card: DataCard | None,
    links: Collection[str],
    quotes: Mapping[str, str],
    around: Around,
) -> str:
    """The HTML of one decision's page; `quotes` are the first words of texts by their ids."""
    decision = case.decision
    positions, targets = position_rows(case), _targets(decision)
    sheet = sheet_of(case, around)
    kind = decision["kind"].string()
    plan = decision.maybe("plan")
    return render(
        "decision.html",
        title=f"Decision {kind.replace('_', ' ')}",
        case=case,
        decision=decision,
        kind=kind,
        outcome=OUTCOMES[kind],
        snapshot=decision["snapshot"],
        drawdown=_drawdown(case.twin, decision["snapshot"]),
        positions=positions,
        signals=_signals(case, prices),
        abstentions=abstentions(decision),
        debate=_debate(decision),
        flags=decision_flags(case, quotes),
        lessons=lesson_rows(case),
        assessment=decision.maybe("assessment"),
        targets=decision.maybe("targets"),
        target_rows=targets,
        sheet=sheet,
        agent_votes=agent_rows(case),
        dissent=_dissent(decision),
        signal_counts=_signal_counts(case),
        without=without_rows(sheet.what_ifs, None, None),
        flips=flip_rows(sheet.what_ifs, None),
        dropped=_dropped(decision),
        became=_outcome(case, prices, positions),
        within_day=case.is_within_day,
        moments=timeline(case.twin, [("Decided", decision["as_of"])]),
        sizing=shared.sizing_rows(decision),
        votes=_votes(decision),
        agents=[(agent, AGENT_WORDS[agent]) for agent in AGENT_WORDS],
        consensus=decision.maybe("consensus"),
        weights=decision["consensus"]["weights"] if decision.maybe("consensus") else None,
        regime_change=case.regime_change,
        verdicts=shared.gate_tables(decision),
        failed=[row for row in _last_checks(decision) if row["passed"].raw is False],
        legs=[{"leg": leg, "link": _link(leg["order_id"], links)} for leg in (plan["legs"].rows() if plan else [])],
        intent=decision.maybe("intent"),
        evidence=shared.evidence_rows(case),
        provenance=shared.provenance(case, card),
    )


def _link(order_id: Fact, links: Collection[str]) -> str | None:
    return f"{order_id.string()}.html" if order_id.raw in links else None


def _last_checks(decision: Fact) -> list[Fact]:
    verdicts = decision["verdicts"].rows()
    return verdicts[-1]["checks"].rows() if verdicts else []


def _drawdown(twin: Twin, snapshot: Fact) -> Fact:
    import numpy as np

    path = np.array([snapshot["peak_equity"].number(), snapshot["equity"].number()])
    return twin.derive("drawdown", [snapshot["peak_equity"].ref, snapshot["equity"].ref], max_drawdown(path))


def position_rows(case: Case) -> list[dict[str, object]]:
    """Open positions at the snapshot's prices, the largest value first."""
    snapshot = case.decision["snapshot"]
    equity = snapshot["equity"].number()
    held = [row for row in snapshot["portfolio"]["positions"].rows() if row["quantity"].raw]
    values: dict[str, JsonValue] = {}
    for row in held:
        symbol = row["symbol"].string()
        value = row["quantity"].number() * snapshot["prices"][symbol].number()
        values[symbol] = {"value": value, "weight": value / equity if equity else None}
    if not held:
        return []
    marked = case.twin.derive("position_values", [snapshot["portfolio"].ref, snapshot["prices"].ref], values)
    rows = [(row, marked[row["symbol"].string()]) for row in held]
    rows.sort(key=lambda pair: (-abs(pair[1]["value"].number()), pair[0]["symbol"].string()))
    return [{"position": row, "price": snapshot["prices"][row["symbol"].string()], "marked": m} for row, m in rows]


def _signals(case: Case, prices: PriceHistory | None) -> list[dict[str, object]]:
    """Signals by size of expected return, each with the closes that the decision saw."""
    session = case.decision["snapshot"]["session"].string()
    rows = sorted(
        case.decision["signals"].rows(),
        key=lambda row: (-abs(row["expected_return"].number()), row["symbol"].string()),
    )
    scale = max((abs(row["expected_return"].number()) for row in rows), default=0.0)
    seen = {symbol: price.number() for symbol, price in case.decision["snapshot"]["prices"].items()}
    names = [row["symbol"].string() for row in rows]
    windows = {name: prices.around(name, session, seen.get(name)) if prices else None for name in names}
    closes: dict[str, JsonValue] = {s: list(w.known) for s, w in windows.items() if w and w.known}
    kept = case.twin.derive("closes", {"symbols": list(closes), "until": session}, closes)
    return [
        {
            "signal": row,
            "bar": charts.bar(row["expected_return"].number(), scale, signed=True),
            "spark": charts.sparkline(line) if (line := kept.maybe(row["symbol"].string())) else None,
        }
        for row in rows
    ]


def _signal_counts(case: Case) -> Fact:
    """How many instruments the analyst would buy, sell and hold."""
    said = [row["side"].raw for row in case.decision["signals"].rows()]
    counts: dict[str, JsonValue] = {side: said.count(side) for side in ("BUY", "SELL", "HOLD")}
    return case.twin.derive("signals_counted", [row.ref for row in case.decision["signals"].rows()], counts)


def _dissent(decision: Fact) -> list[tuple[str, Fact]]:
    """Legs that somebody was against, with who."""
    consensus = decision.maybe("consensus")
    legs = consensus["legs"].rows() if consensus else []
    return [(shared.dissenters(leg), leg["symbol"]) for leg in legs if leg["dissent"].raw]


def _dropped(decision: Fact) -> list[dict[str, object]]:
    """What was drafted and is not in the approved plan: the alternatives that were rejected, with why."""
    drafts, plan = decision["drafts"].rows(), decision.maybe("plan")
    kept = {leg["symbol"].string() for leg in plan["legs"].rows()} if plan else set[str]()
    consensus = decision.maybe("consensus")
    rules = {leg["symbol"].string(): leg for leg in (consensus["legs"].rows() if consensus else [])}
    legs = drafts[0]["legs"].rows() if drafts else []
    return [
        {"leg": leg, "settled": rules.get(leg["symbol"].string())} for leg in legs if leg["symbol"].string() not in kept
    ]


def _outcome(case: Case, prices: PriceHistory | None, positions: list[dict[str, object]]) -> list[dict[str, object]]:
    """The book as it was, and as the optimizer wanted it, over the horizons."""
    held: dict[str, float] = {}
    for row in positions:
        marked, position = row["marked"], row["position"]
        if isinstance(marked, Fact) and isinstance(position, Fact) and marked["weight"].raw is not None:
            held[position["symbol"].string()] = marked["weight"].number()
    targets = case.decision.maybe("targets")
    wanted = {symbol: weight.number() for symbol, weight in targets["weights"].items()} if targets else held
    return outcome_rows(case.twin, prices, case.decision["snapshot"]["session"].string(), held, wanted)


def _debate(decision: Fact) -> list[dict[str, object]]:
    """One row per contested instrument: how far its sources are apart, both cases, and what they moved."""
    debate = decision.maybe("debate")
    if debate is None:
        return []
    cases, moves = debate["cases"], debate["moves"]
    return [
        {
            "symbol": symbol,
            "gap": gap,
            "cases": [(who, cases.where(symbol=symbol, speaker=who)) for who in SPEAKERS],
            "move": next(iter(moves.where(symbol=symbol)), None),
        }
        for symbol, gap in debate["gaps"].items()
    ]


def _targets(decision: Fact) -> list[dict[str, object]]:
    """Held against target weight of every symbol in either, largest target first."""
    targets = decision.maybe("targets")
    if targets is None:
        return []
    held, wanted = dict(targets["held"].items()), dict(targets["weights"].items())
    sizes = {s: (_size(wanted.get(s)), _size(held.get(s))) for s in {*held, *wanted}}
    shown = sorted((s for s in sizes if any(sizes[s])), key=lambda s: (-abs(sizes[s][0]), s))
    scale = max((max(abs(a), abs(b)) for a, b in sizes.values()), default=0.0)
    signed = any(min(pair) < 0 for pair in sizes.values())
    return [
        {
            "symbol": symbol,
            "held": held.get(symbol),
            "target": wanted.get(symbol),
            "held_bar": charts.bar(sizes[symbol][1], scale, signed=signed, tone="c1"),
            "target_bar": charts.bar(sizes[symbol][0], scale, signed=signed),
        }
        for symbol in shown
    ]


def _size(weight: Fact | None) -> float:
    return weight.number() if weight is not None and weight.raw is not None else 0.0


def _votes(decision: Fact) -> list[dict[str, object]]:
    """One row per leg, one cell per agent, with what the leg's votes came to."""
    consensus = decision.maybe("consensus")
    legs = {leg["symbol"].string(): leg for leg in (consensus["legs"].rows() if consensus else [])}
    table: dict[str, dict[str, object]] = {}
    for vote in decision["votes"].rows():
        symbol, value = vote["symbol"].string(), vote["value"].raw
        row = table.setdefault(symbol, {"symbol": symbol, "cells": {}, "leg": legs.get(symbol)})
        cells = row["cells"]
        if isinstance(cells, dict):
            cells[vote["agent"].string()] = {
                "vote": vote,
                "advice": vote.maybe("advice"),
                "word": VOTE_WORDS[value if isinstance(value, int) else None],
            }
    return list(table.values())
