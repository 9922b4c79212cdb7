"""The page of one trade: what was bought or sold and why, who argued what, what was checked, how it was filled."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from pydantic import JsonValue

from ...domain.events import Event
from ...market.cards import DataCard
from ...quant.impact import implementation_shortfall
from . import case as shared
from . import charts
from .case import Case
from .prices import PriceHistory
from .render import render
from .twin import Fact, Twin, payload_of

COSTS = "costs"
"""The name of the page of what a run's trading cost, beside those of its orders."""
VERBS = {
    ("BUY", True): "Bought",
    ("SELL", True): "Sold",
    ("BUY", False): "Tried to buy",
    ("SELL", False): "Tried to sell",
}


@dataclass(frozen=True, slots=True)
class Trade:
    """One parent order as the log tells it; `closed` is None while it is still being worked."""

    order: Fact
    arrival: Fact
    opened_at: Fact
    closed: Fact | None
    fills: tuple[Fact, ...]
    children: tuple[Fact, ...]
    denials: tuple[Fact, ...]
    endings: tuple[Fact, ...]
    chain: tuple[Fact, ...]
    """The opening and closing events, for the footer."""

    @classmethod
    def of(cls, twin: Twin, opened: Event, events: Sequence[Event]) -> "Trade":
        """Sort one order's events; execution reports that came twice count once."""
        root = twin.event(opened)
        kinds: dict[str, list[Fact]] = {}
        seen: set[JsonValue] = set()
        chain = [root]
        for event in events:
            if event.id == opened.id:
                continue
            fact = twin.event(event)
            payload = payload_of(fact)
            if event.type == "OrderFilled":
                execution_id = payload["fill"]["execution_id"].raw
                if execution_id in seen:
                    continue
                seen.add(execution_id)
            if event.type == "OrderClosed":
                chain.append(fact)
            kinds.setdefault(event.type, []).append(payload)
        return cls(
            order=payload_of(root)["order"],
            arrival=payload_of(root)["arrival_price"],
            opened_at=root["event_time"],
            closed=(kinds.get("OrderClosed") or [None])[-1],
            fills=tuple(row["fill"] for row in kinds.get("OrderFilled", [])),
            children=tuple(row["child"] for row in kinds.get("ChildSubmitted", [])),
            denials=tuple(kinds.get("ChildDenied", [])),
            endings=tuple(kinds.get("ChildClosed", [])),
            chain=tuple(chain),
        )

    @property
    def symbol(self) -> str:
        return self.order["symbol"].string()


def trade_page(
    case: Case,
    trade: Trade,
    prices: PriceHistory | None,
    card: DataCard | None,
    links: Collection[str],
) -> str:
    """The HTML of one trade's page."""
    symbol = trade.symbol
    leg = shared.leg_consensus(case, symbol)
    split = _shortfall(case.twin, trade) if trade.closed else None
    decision_id = case.decision["decision_id"].string()
    return render(
        "trade.html",
        title=f"{trade.order['side'].string()} {symbol}",
        case=case,
        decision=case.decision,
        trade=trade,
        done=_done(case.twin, trade),
        verb=VERBS[trade.order["side"].string(), bool(trade.fills)],
        status=trade.closed["status"].string() if trade.closed else "working",
        signal=case.signal(symbol),
        attribution=_attribution(case.signal(symbol)),
        sources=_source_scores(case.decision, symbol),
        votes=shared.vote_rows(case, symbol),
        consensus=leg,
        dissent=shared.dissenters(leg),
        assessment=case.decision.maybe("assessment"),
        verdicts=shared.gate_tables(case.decision, brief=True),
        sizing=shared.sizing_rows(case.decision),
        quantities=_quantities(case.decision, trade),
        weights=_weights(case.decision, symbol),
        price_chart=_price_chart(case, trade, prices),
        fills_chart=_fills_chart(case.twin, trade),
        split=split,
        shortfall_rows=_split_rows(split),
        evidence=shared.evidence_rows(case, symbol),
        provenance=shared.provenance(case, card, trade.chain),
        children=_children(trade),
        within_day=len(case.decision["snapshot"]["session"].string()) > len("YYYY-MM-DD"),
        is_synthetic=any(fill["synthetic"].raw is True for fill in trade.fills),
        decision_link=f"{decision_id}.html" if decision_id in links else None,
        costs_link=f"{COSTS}.html#{trade.order['order_id'].string()}" if COSTS in links else None,
    )


def _done(twin: Twin, trade: Trade) -> dict[str, Fact | None]:
    """Filled quantity and average price: the closing event's, or so far when the order still works."""
    if trade.closed:
        return {"filled": trade.closed["filled"], "average": trade.closed.maybe("average_price")}
    quantities = [int(fill["quantity"].number()) for fill in trade.fills]
    values = [fill["price"].number() * fill["quantity"].number() for fill in trade.fills]
    average: JsonValue = sum(values) / sum(quantities) if quantities else None
    so_far = twin.derive(
        "filled_so_far", [fill.ref for fill in trade.fills], {"filled": sum(quantities), "average": average}
    )
    return {"filled": so_far["filled"], "average": so_far.maybe("average")}


def _shortfall(twin: Twin, trade: Trade) -> Fact:
    """Perold's split of the cost; what was never filled is marked at the last mid the order saw."""
    last_mid = trade.fills[-1]["mid_price"] if trade.fills else trade.arrival
    split = implementation_shortfall(
        side=1 if trade.order["side"].raw == "BUY" else -1,
        quantity=trade.order["quantity"].number(),
        decision_price=trade.order["reference_price"].number(),
        arrival_price=trade.arrival.number(),
        fill_prices=np.array([fill["price"].number() for fill in trade.fills]),
        fill_quantities=np.array([fill["quantity"].number() for fill in trade.fills]),
        closing_price=last_mid.number(),
        fees=sum(fill["fee"].number() for fill in trade.fills),
    )
    inputs: list[JsonValue] = [trade.order.ref, trade.arrival.ref, last_mid.ref, *(f.ref for f in trade.fills)]
    return twin.derive(
        "implementation_shortfall",
        inputs,
        {
            "delay_bps": split.delay_bps,
            "trading_bps": split.trading_bps,
            "opportunity_bps": split.opportunity_bps,
            "fee_bps": split.fee_bps,
            "total_bps": split.total_bps,
        },
    )


def _split_rows(split: Fact | None) -> list[dict[str, object]]:
    if split is None:
        return []
    labels = {
        "delay_bps": "Delay: decision to arrival",
        "trading_bps": "Trading: arrival to fills",
        "opportunity_bps": "Never filled",
        "fee_bps": "Fees",
        "total_bps": "Total",
    }
    scale = max(abs(value.number()) for _, value in split.items())
    return [
        {"label": label, "value": split[key], "bar": charts.bar(split[key].number(), scale, signed=True, tone="c0")}
        for key, label in labels.items()
    ]


def _children(trade: Trade) -> list[dict[str, object]]:
    """Each child with its fills and how it ended."""
    fills: dict[JsonValue, list[Fact]] = {}
    for fill in trade.fills:
        fills.setdefault(fill["client_order_id"].raw, []).append(fill)
    endings = {ending["client_order_id"].raw: ending for ending in trade.endings}
    return [
        {"child": child, "fills": fills.get(key, []), "ending": endings.get(key)}
        for child in trade.children
        for key in (child["client_order_id"].raw,)
    ]


def _attribution(signal: Fact | None) -> list[dict[str, object]]:
    if signal is None:
        return []
    parts = signal.maybe("parts")
    signed = dict(parts.items()) if parts else {}
    scale = max((abs(part.number()) for part in signed.values()), default=1.0)
    return [
        {
            "source": name,
            "share": share,
            "part": signed.get(name),
            "bar": charts.bar(signed[name].number(), scale, signed=True)
            if name in signed
            else charts.bar(share.number(), 1.0),
        }
        for name, share in signal["attribution"].items()
    ]


def _source_scores(decision: Fact, symbol: str) -> list[dict[str, object]]:
    """What each source said of the symbol, or why it said nothing."""
    rows: list[dict[str, object]] = []
    for view in decision["views"].rows():
        score = view["scores"].maybe(symbol)
        drawn = charts.bar(score.number(), 1.0, signed=True) if score else Markup("")
        rows.append({"source": view["source"], "score": score, "abstention": view.maybe("abstention"), "bar": drawn})
    return sorted(rows, key=lambda row: row["score"] is None)


def _quantities(decision: Fact, trade: Trade) -> list[dict[str, object]]:
    """The leg's quantity from the first draft to what was filled."""
    steps: list[tuple[str, Fact]] = []
    for draft in decision["drafts"].rows():
        for leg in draft["legs"].where(symbol=trade.symbol):
            steps.append(("Drafted" if not steps else "Redrafted", leg["quantity"]))
    steps.append(("Approved", trade.order["quantity"]))
    if trade.closed:
        steps.append(("Filled", trade.closed["filled"]))
    values = [fact.number() for _, fact in steps]
    scale = max(values)
    return [
        {"label": label, "value": fact, "bar": charts.step_bar(before, fact.number(), scale)}
        for (label, fact), before in zip(steps, [values[0], *values], strict=False)
    ]


def _weights(decision: Fact, symbol: str) -> list[tuple[str, Fact]]:
    targets, assessment = decision.maybe("targets"), decision.maybe("assessment")
    found = [
        ("Held before", targets["held"].maybe(symbol) if targets else None),
        ("Target", targets["weights"].maybe(symbol) if targets else None),
        ("Cap asked for by risk", assessment["max_weights"].maybe(symbol) if assessment else None),
    ]
    return [(label, fact) for label, fact in found if fact is not None]


def _price_chart(case: Case, trade: Trade, prices: PriceHistory | None) -> dict[str, object] | None:
    """Closes around the decision; the decision's own close is the last one it could see."""
    session = case.decision["snapshot"]["session"].string()
    window = prices.around(trade.symbol, session) if prices else None
    if window is None:
        return None
    levels = {"arrival": trade.arrival.number()}
    if trade.closed and (average := trade.closed.maybe("average_price")):
        levels["average fill"] = average.number()
    title = f"Closes of {trade.symbol} around the decision"
    data = charts.chart_data(title, "price", window.sessions, {"close": window.closes}, levels)
    inputs: JsonValue = {"symbol": trade.symbol, "sessions": [window.sessions[0], window.sessions[-1]]}
    return {"svg": charts.line_chart(case.twin.derive("price_chart", inputs, data), mark_at=window.decided_at)}


def _fills_chart(twin: Twin, trade: Trade) -> dict[str, object] | None:
    if not trade.fills:
        return None
    data = charts.fills_data(
        f"Fills of {trade.symbol} over the session",
        [fill["ts_event"].string() for fill in trade.fills],
        [fill["price"].number() for fill in trade.fills],
        [int(fill["quantity"].number()) for fill in trade.fills],
        trade.arrival.number(),
    )
    fact = twin.derive("fills_chart", [fill.ref for fill in trade.fills], data)
    return {"svg": charts.fills_chart(fact)}
