"""How orders are executed: a page of orders at a time, what they cost, by which algorithm and at which venue."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import JsonValue

from ...domain.events import Event, FillBusted, OrderClosed, OrderFilled, PlanApproved
from ...memory.orders_view import ORDERS
from ...memory.record_pages import OrderPlace, OrdersWanted, VenueFills
from ...tools.attributed import made_by
from ..answers.draft import Draft
from ..answers.growing import Gathered
from ..answers.order_facts import order_row
from ..answers.reader import Reading
from ..api.errors import BadCall
from ..pages.charts import bar
from ..pages.evaluation_charts import picture
from ..pages.twin import Fact, Twin
from .lists import choice_of, symbol_of
from .parts import Asked

State = Literal["all", "approved", "not_sent", "working", "filled", "partial", "unfilled"]
STATES: dict[State, str] = {
    "all": "All",
    "approved": "Approved",
    "not_sent": "Not sent",
    "working": "Working",
    "filled": "Filled",
    "partial": "Partly filled",
    "unfilled": "Unfilled",
}
PER_PAGE = 40
MOST_BINS = 24
LEAST_ORDERS = 5
TRADED = (OrderClosed, OrderFilled, FillBusted, PlanApproved)
Forecasts = Gathered[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class OrdersPage:
    """One page of parent orders, those approved last first."""

    twin: Twin
    counts: Fact
    rows: tuple[dict[str, Any], ...]
    state: State
    symbol: str | None
    symbols: tuple[str, ...]
    before: str | None
    older: str | None

    @property
    def filters(self) -> dict[str, str]:
        """What an address of this list carries on."""
        return {"state": self.state} | ({"symbol": self.symbol} if self.symbol else {})

    @property
    def tabs(self) -> list[tuple[State, str, Fact | None]]:
        return [(state, says, self.counts.maybe(state)) for state, says in STATES.items()]


@dataclass(frozen=True, slots=True)
class CostsView:
    """What execution came to over the run; `total` is None before an order closed."""

    twin: Twin
    total: Fact | None
    picture: dict[str, Any] | None
    bins: list[Fact]
    algorithms: list[dict[str, Any]]
    venues: list[Fact]


def orders_part(asked: Asked) -> OrdersPage:
    """As its address asks for it. The table of all orders is long and in no order, so that while orders move all the
    time a page of it may be of a moment ago."""
    query, reading = asked.query, asked.reading
    state: State = choice_of(query, "state", STATES, "all")
    symbol, before = symbol_of(query), query.get("before") or None
    name = f"orders page {state} {symbol} {before}"
    return reading.seldom(name, lambda: orders_page(reading, state, symbol, before), of=ORDERS.handlers)


def orders_page(reading: Reading, state: State, symbol: str | None, before: str | None) -> OrdersPage:
    """Orders behind a place; a cursor stays good while the log grows."""
    pages = reading.views.pages
    found = pages.orders(OrdersWanted(None if state == "all" else state, symbol), _place(before), PER_PAGE + 1)
    shown = found[:PER_PAGE]
    states = pages.order_states()
    draft = reading.draft("orders", {"state": state, "symbol": symbol, "before": before})
    counts: dict[str, JsonValue] = {"all": sum(states.values()), **states}
    rows = draft.derive("orders", [order_row(item) for item in shown]).rows()
    expected = _expected(reading, {item.decision_id for item in shown})
    told = draft.derive("expected", {item.order_id: expected.get(item.order_id) for item in shown})
    return OrdersPage(
        twin=draft.twin,
        counts=draft.derive("orders_counted", counts),
        rows=tuple({"order": row, "expected": told.maybe(row["order_id"].string())} for row in rows),
        state=state,
        symbol=symbol,
        symbols=reading.symbols,
        before=before,
        older=f"{shown[-1].seq}.{shown[-1].order_id}" if len(found) > PER_PAGE else None,
    )


def _place(cursor: str | None) -> OrderPlace | None:
    if cursor is None:
        return None
    seq, _, order_id = cursor.partition(".")
    if not seq.isdecimal() or len(seq) > 12 or not order_id:
        raise BadCall(f"{cursor[:40]!r} is no place in the list of orders", remedy="Begin at the newest again.")
    return OrderPlace(int(seq), order_id)


def _expected(reading: Reading, decisions: Iterable[str]) -> dict[str, float]:
    """Of every order of some decisions the cost in bps that it was approved at; no other plan is read."""
    found = Forecasts()
    for decision_id in sorted(decisions):
        for event in reading.read(PlanApproved, decision_id=decision_id):
            found = _add_plan(found, event)
    return dict(found)


def _forecasts(reading: Reading) -> Forecasts:
    """Of every leg that was approved, the cost in bps that it was approved at."""
    return reading.grown("forecasts", (PlanApproved,), Forecasts(), _add_plan)


def _add_plan(known: Forecasts, event: Event) -> Forecasts:
    for leg in Fact(event.payload, event.id)["plan"]["legs"].rows():
        known = known.with_item((leg["order_id"].string(), leg["advice"]["expected_cost_bps"].number()))
    return known


def costs_view(asked: Asked) -> CostsView:
    """Slippage against arrival over all closed orders, by algorithm and venue, and forecast against realized. It is of
    the whole run, so that while orders close all the time it may be of a moment ago."""
    return asked.reading.seldom("execution page", lambda: _costs(asked.reading), of=TRADED)


def _costs(reading: Reading) -> CostsView:
    draft, pages = reading.draft("execution", {}), reading.views.pages
    short = pages.shortfalls()
    total = _total(draft, short)
    drawn, bins = _histogram(draft, [bps for _, _, _, bps in short])
    return CostsView(
        twin=draft.twin,
        total=total,
        picture=drawn,
        bins=bins,
        algorithms=_algorithms(reading, draft, short),
        venues=_venues(draft, pages.venues()),
    )


Shortfalls = Sequence[tuple[str, str, str, float]]
"""Order, algorithm, side and bps against arrival."""


def _total(draft: Draft, short: Shortfalls) -> Fact | None:
    if not short:
        return None
    bps = np.array([row[3] for row in short])
    return draft.derive("slippage", {"orders": len(bps), **_spread_of(bps)}, orders=len(short))


def _spread_of(bps: "np.typing.NDArray[np.float64]") -> dict[str, JsonValue]:
    low, mid, high = (round(float(np.percentile(bps, level)), 4) for level in (5, 50, 95))
    return {
        "mean": round(float(bps.mean()), 4),
        "p5": low,
        "p50": mid,
        "p95": high,
        "worst": round(float(bps.max()), 4),
    }


def _histogram(draft: Draft, bps: Sequence[float]) -> tuple[dict[str, Any] | None, list[Fact]]:
    """How slippage is spread; the outer percent on either side is put into the outermost bins."""
    if len(bps) < LEAST_ORDERS:
        return None, []
    low, high = np.percentile(bps, [1, 99])
    if high <= low:
        return None, []
    counts, edges = np.histogram(np.clip(bps, low, high), bins=min(MOST_BINS, max(5, len(bps) // 4)))
    chart: dict[str, JsonValue] = {
        "title": "Slippage against arrival",
        "kind": "histogram",
        "unit": "bps",
        "x": [round(float(edge), 4) for edge in edges],
        "lines": {"orders": [int(count) for count in counts]},
        "low": [],
        "high": [],
        "mark": round(float(np.mean(bps)), 4),
    }
    found = draft.derive("slippage_chart", chart)
    rows: list[JsonValue] = [
        {"from": round(float(a), 4), "to": round(float(b), 4), "orders": int(count)}
        for a, b, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    return picture(draft.twin, found), draft.derive("slippage_bins", rows).rows()


def _algorithms(reading: Reading, draft: Draft, short: Shortfalls) -> list[dict[str, Any]]:
    """Each algorithm's slippage beside what its orders were expected to cost; both without their sizes."""
    expected, names = dict(_forecasts(reading)), sorted({row[1] for row in short})
    rows: list[JsonValue] = []
    for name in names:
        mine = [row for row in short if row[1] == name]
        told = [expected[row[0]] for row in mine if row[0] in expected]
        spread = _spread_of(np.array([row[3] for row in mine]))
        rows.append(
            {"algorithm": name, "orders": len(mine), "expected": sum(told) / len(told) if told else None, **spread}
        )
    found = draft.derive("algorithms", rows).rows()
    scale = max((abs(row["mean"].number()) for row in found), default=0.0)
    return [{"row": row, "bar": bar(row["mean"].number(), scale, signed=True)} for row in found]


def _venues(draft: Draft, venues: Sequence[VenueFills]) -> list[Fact]:
    rows: list[JsonValue] = [
        {
            "venue": item.venue,
            "tier": item.tier,
            "made_by": made_by(item.tier, item.synthetic),
            "fills": item.fills,
            "shares": item.shares,
            "orders": item.orders,
        }
        for item in venues
    ]
    return draft.derive("venues", rows).rows()
