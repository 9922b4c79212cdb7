"""The page of one trade: what was bought or sold and why, who argued what, what was checked, how it was filled."""

from collections import Counter
from collections.abc import Collection

import numpy as np
from markupsafe import Markup
from pydantic import JsonValue

from ...market.cards import DataCard
from ...quant.impact import implementation_shortfall
from ...tools.attributed import made_by
from . import case as shared
from . import charts
from .around import Around, outcome_rows
from .case import Case
from .prices import PriceHistory
from .render import render
from .sheet import sheet_of, timeline
from .trade_facts import Trade
from .twin import Fact, Twin
from .waterfall import cost_waterfall, sizing_waterfall, trading_parts
from .what_if_rows import flip_rows, without_rows

COSTS = "costs"
"""The name of the page of what a run's trading cost, beside those of its orders."""
VERBS = {
    ("BUY", True): "Bought",
    ("SELL", True): "Sold",
    ("BUY", False): "Tried to buy",
    ("SELL", False): "Tried to sell",
}


def trade_page(
    case: Case,
    trade: Trade,
    prices: PriceHistory | None,
    card: DataCard | None,
    links: Collection[str],
    around: Around,
) -> str:
    """The HTML of one trade's page: one sheet of paper, and on screen all there is behind it."""
    symbol, session = trade.symbol, case.decision["snapshot"]["session"].string()
    sheet = sheet_of(case, around, symbol)
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
        sizing_steps=sizing_waterfall(case.decision, trade, case.twin),
        cost_steps=cost_waterfall(split, trading_parts(trade, case.twin) if split else None),
        sheet=sheet,
        without=without_rows(sheet.what_ifs, symbol, _signed(trade)),
        flips=flip_rows(sheet.what_ifs, symbol),
        moments=_moments(case, trade),
        outcome=outcome_rows(case.twin, prices, session, {}, {symbol: _side(trade)}),
        weights=_weights(case.decision, symbol),
        price_chart=_price_chart(case, trade, prices),
        fills_chart=_fills_chart(case.twin, trade),
        evidence=shared.evidence_rows(case, symbol),
        provenance=shared.provenance(case, card, trade.chain),
        children=_children(trade),
        within_day=case.is_within_day,
        units=case.twin.derive("units", card.name, note) if card and (note := card.units_note(symbol)) else None,
        is_synthetic=any(fill["synthetic"].raw is True for fill in trade.fills),
        rests_on=_rests_on(case.twin, trade),
        decision_link=f"{decision_id}.html" if decision_id in links else None,
        costs_link=f"{COSTS}.html#{trade.order['order_id'].string()}" if COSTS in links else None,
    )


def _side(trade: Trade) -> float:
    return 1.0 if trade.order["side"].raw == "BUY" else -1.0


def _signed(trade: Trade) -> int:
    return int(_side(trade) * trade.order["quantity"].number())


def _moments(case: Case, trade: Trade) -> list[dict[str, object]]:
    fills = [fill["ts_event"] for fill in trade.fills]
    closed = trade.chain[-1]["event_time"] if trade.closed else None
    return timeline(
        case.twin,
        [
            ("Decided and reviewed", case.decision["as_of"]),
            ("Opened", trade.opened_at),
            ("First fill", fills[0] if fills else None),
            ("Last fill", fills[-1] if fills else None),
            ("Closed", closed),
        ],
    )


def _rests_on(twin: Twin, trade: Trade) -> Fact:
    """How many fills rest on bars, on quotes or on depth, recorded or drawn."""
    kinds = Counter(made_by(fill["tier"].string(), fill["synthetic"].raw is True) for fill in trade.fills)
    return twin.derive("fills_rest_on", [fill.ref for fill in trade.fills], dict(sorted(kinds.items())))


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


def _weights(decision: Fact, symbol: str) -> list[tuple[str, Fact]]:
    """What a weight was held to: the cap that the risk manager asked for."""
    assessment = decision.maybe("assessment")
    cap = assessment["max_weights"].maybe(symbol) if assessment else None
    return [("Cap asked for by risk", cap)] if cap is not None else []


def _price_chart(case: Case, trade: Trade, prices: PriceHistory | None) -> dict[str, object] | None:
    """Closes around the decision; the decision's own close is the last one it could see."""
    session = case.decision["snapshot"]["session"].string()
    seen = case.decision["snapshot"]["prices"].maybe(trade.symbol)
    window = prices.around(trade.symbol, session, seen.number() if seen else None) if prices else None
    if window is None:
        return None
    levels = {"arrival": trade.arrival.number()}
    if trade.closed and (average := trade.closed.maybe("average_price")):
        levels["average fill"] = average.number()
    title = f"Closes of {trade.symbol} around the decision"
    data = charts.chart_data(title, "price", window.sessions, {"close": window.closes}, levels)
    inputs: JsonValue = {"symbol": trade.symbol, "sessions": [window.sessions[0], window.sessions[-1]]}
    return {
        "svg": charts.line_chart(
            case.twin.derive("price_chart", inputs, data), mark_at=window.decided_at, height_px=120
        )
    }


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
