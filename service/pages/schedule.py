"""The page of one order's schedules: how each runs down, what each costs and risks, and the efficient frontier."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from pydantic import JsonValue

from ...market.cards import DataCard
from .charts import bar
from .render import render
from .twin import Fact, Twin
from .xy import Dot, xy_chart, xy_data

PARTS = ("spread_bps", "fee_bps", "temporary_bps", "permanent_bps")
LINES = ("TWAP", "VWAP", "IS", "POV", "close")
"""As many lines as there are tones."""


def schedule_page(twin: Twin, entries: Mapping[str, Fact], order: Fact, session: str, card: DataCard) -> str:
    """The HTML; `entries` are ledger entries by the name of their tool, `order` is what was asked."""
    found, frontier = entries["execution_schedules"]["output"], entries["cost_frontier"]["output"]
    rows = [{"name": name, "row": row} for name, row in found["schedules"].items()]
    made = [item for item in rows if item["row"].maybe("slices")]
    dearest = max(item["row"]["cost_bps"].number() for item in made)
    riskiest = max(item["row"]["std_bps"].number() for item in made)
    for item in made:
        item["cost_bar"] = bar(item["row"]["cost_bps"].number(), dearest)
        item["risk_bar"] = bar(item["row"]["std_bps"].number(), riskiest, tone="c1")
    refs = [entries[name].ref_id for name in ("execution_schedules", "cost_frontier")]
    runs, trade_off = _runs(twin, refs, order, made), _frontier(twin, refs, frontier, made)
    return render(
        "schedule.html",
        title="Schedules",
        order=order,
        name=card.name,
        session=session,
        found=found,
        frontier=frontier,
        rows=rows,
        made=made,
        runs=runs,
        line_names=[name for name in LINES if any(item["name"] == name for item in made)],
        trade_off=trade_off,
        children=_children(made),
        survivorship=twin.derive("card", card.name, {"survivorship": card.survivorship})["survivorship"],
        evidence=list(entries.values()),
    )


def _runs(twin: Twin, refs: Sequence[str], order: Fact, made: list[dict[str, Any]]) -> Markup:
    """What is left of the order, minute by minute, one line for each schedule."""
    horizon = order["horizon_minutes"].number()
    lines: dict[str, list[tuple[float, float]]] = {}
    for name in LINES:
        for item in made:
            if item["name"] == name:
                left = [1.0, *(share.number() for share in item["row"]["left"].rows())]
                step = horizon / (len(left) - 1)
                lines[name] = [(round(place * step, 4), share) for place, share in enumerate(left)]
    data = xy_data("Left to trade over minutes from the open", "count", "frac", lines, floor=0.0)
    return xy_chart(twin.derive("runs", [*refs], data), height_px=280)


def _frontier(twin: Twin, refs: Sequence[str], frontier: Fact, made: list[dict[str, Any]]) -> Markup:
    """Expected cost over risk of what finishes; the far end, where everything goes at once, is told in words."""
    dots = {
        item["name"]: (item["row"]["std_bps"].number(), item["row"]["cost_bps"].number())
        for item in made
        if item["row"]["filled"].number() >= 1.0
    }
    chosen = frontier["chosen"]
    tallest = 1.15 * max(cost for _, cost in dots.values())
    line = [
        (point["std_bps"].number(), point["cost_bps"].number())
        for point in frontier["points"].rows()
        if point["cost_bps"].number() <= tallest
    ]
    marks: list[Dot] = [(name, x, y) for name, (x, y) in dots.items()]
    marks.append(("chosen", chosen["std_bps"].number(), chosen["cost_bps"].number()))
    title = "Expected cost over its standard deviation, bp of value"
    data: dict[str, JsonValue] = xy_data(title, "num", "num", {"frontier": line}, marks)
    return xy_chart(twin.derive("frontier", [*refs], data), height_px=320)


def _children(made: list[dict[str, Any]]) -> list[list[Fact]]:
    """Rows of the table of children: one for each slice, one cell for each schedule."""
    columns = [item["row"]["slices"].rows() for item in made]
    return [list(cells) for cells in zip(*columns, strict=True)]
