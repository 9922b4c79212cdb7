"""The page of a run's trading costs: a waterfall of causes, groups, the forecast against it, and impact measured."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from markupsafe import Markup
from pydantic import JsonValue

from ...evals.attribution.cents import in_cents
from ...market.cards import DataCard
from .charts import bar
from .render import render
from .twin import Fact, Twin
from .xy import Point, xy_chart, xy_data

MEASURES = (
    "arrival",
    "interval_vwap",
    "interval_twap",
    "close",
    "reversion_1m",
    "reversion_5m",
    "reversion_30m",
    "reversion_next_close",
)
PARTS = ("delay", "spread", "impact", "timing", "fees", "opportunity")
MEANINGS = {
    "delay": "the market's move from the decision to the order's arrival",
    "spread": "half the spread at the fills",
    "impact": "what was paid past the best price",
    "timing": "the market's move while the order was worked",
    "fees": "paid to the venue",
    "opportunity": "the move on what was never filled",
}
FITS = {
    "past_touch": "Past the touch, by the desk's volatility",
    "past_touch_quarter": "Past the touch, by the last quarter's",
    "against_arrival": "Against arrival, by the desk's",
}
MOST_ORDERS = 40
"""Rows of the tables of single orders, the dearest; the JSON file holds all of them."""
MOST_MONTHS = 36
MOST_SPECKS = 1500


def costs_page(
    twin: Twin, entries: Mapping[str, Fact], run_id: str, card: DataCard, venue: str, *, has_protective: bool = False
) -> str:
    """The HTML; `entries` are ledger entries by the name of their tool, `venue` says what the fills were made on."""
    found, fitted = entries["cost_attribution"]["output"], entries["impact_calibration"]["output"]
    total = found["total"]
    measured = entries["post_trade"]["output"]
    by_time = "by_month" if len(list(found["by_month"].items())) <= MOST_MONTHS else "by_year"
    dearest = _dearest(found, measured)
    shown = [name for name in MEASURES if measured["total"][name].maybe("bps") is not None]
    return render(
        "costs.html",
        title="Costs",
        venue=venue,
        run=run_id,
        found=found,
        has_protective=has_protective,
        total=total,
        parts=PARTS,
        steps=_steps(twin, total),
        shown=shown,
        absent=_absent(measured, [name for name in MEASURES if name not in shown]),
        measured=measured,
        against=[
            ("all", [("", measured["total"])]),
            ("algorithm", list(measured["by_algorithm"].items())),
            ("venue", list(measured["by_venue"].items())),
        ],
        groups=[
            ("By algorithm", _rows(found["by_algorithm"])),
            ("By venue", _rows(found["by_venue"])),
            ("By side", _rows(found["by_side"])),
            ("By month" if by_time == "by_month" else "By year", _rows(found[by_time])),
            ("By symbol", _rows(found["by_symbol"])),
        ],
        venues=list(entries["venue_performance"]["output"]["venues"].items()),
        dearest=dearest,
        forecast=found["forecast"],
        judged=[("", found["forecast"]), *found["forecast"]["by_algorithm"].items()],
        scatter=_scatter(twin, entries["cost_attribution"]),
        fits=[(words, fitted[name]) for name, words in FITS.items()],
        fitted=fitted,
        survivorship=twin.derive("card", card.name, {"survivorship": card.survivorship})["survivorship"],
        evidence=list(entries.values()),
    )


def _dearest(found: Fact, measured: Fact) -> list[dict[str, Fact]]:
    """The dearest orders, each with its shortfall's row and its best-execution record."""
    records = {record["order"].string(): record for record in measured["orders"].rows()}
    rows = sorted(found["orders"].rows(), key=lambda row: -row["total"].number())[:MOST_ORDERS]
    return [{"cost": row, "record": records[row["order"].string()]} for row in rows]


def _absent(measured: Fact, names: list[str]) -> list[tuple[list[str], list[Fact]]]:
    """The measures that no order has, with why in sentences: those of one cause together."""
    by_cause: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        by_cause.setdefault(tuple(word for word, _ in measured["total"][name]["refused"].items()), []).append(name)
    return [(alike, [measured["lacks"][word] for word in words]) for words, alike in by_cause.items()]


def cents_of(cash: Mapping[str, str]) -> dict[str, str]:
    """The causes and their total in whole cents that add up, as an exact amount rounded on its own does not."""
    exact = {part: Decimal(cash[part]) for part in PARTS}
    total = Decimal(cash["total"])
    return {part: str(amount) for part, amount in in_cents(exact, total).items()} | {"total": f"{total:.2f}"}


def _steps(twin: Twin, total: Fact) -> list[dict[str, Any]]:
    """The waterfall: each cause begins where the one before it ended, and the last row is the sum."""
    exact: dict[str, JsonValue] = {part: total["cash"][part].string() for part in (*PARTS, "total")}
    cash = twin.derive("cents", exact, dict(cents_of({part: str(amount) for part, amount in exact.items()})))
    amounts = [(part, total["bps"][part].number()) for part in PARTS]
    ends, reached = [0.0], 0.0
    for _, amount in amounts:
        reached += amount
        ends.append(reached)
    low, high = min(ends), max(ends)
    rows = [
        {
            "part": part,
            "meaning": MEANINGS[part],
            "cash": cash[part],
            "bps": total["bps"][part],
            "bar": _step(ends[place], ends[place + 1], low, high),
        }
        for place, (part, _) in enumerate(amounts)
    ]
    whole = {"cash": cash["total"], "bps": total["bps"]["total"], "bar": _step(0.0, reached, low, high, "c0")}
    return [*rows, {"part": "total", "meaning": "the paper portfolio less the real one", **whole}]


def _step(start: float, end: float, low: float, high: float, tone: str = "") -> Markup:
    """One step between two running sums, red for money lost; it repeats the number beside it."""
    span = high - low or 1.0
    left, width = 100 * (min(start, end) - low) / span, 100 * abs(end - start) / span
    zero = min(100 * (0.0 - low) / span, 99.4)
    return Markup(
        '<svg class="bar" aria-hidden="true">'
        f'<rect class="{tone or ("bad" if end > start else "good")}" x="{left:.1f}%" width="{max(width, 0.3):.1f}%"/>'
        f'<rect class="zero" x="{zero:.1f}%" width="0.6%"/></svg>'
    )


def _rows(groups: Fact) -> list[dict[str, Any]]:
    rows = [{"name": name, "group": group} for name, group in groups.items()]
    widest = max((abs(row["group"]["bps"]["total"].number()) for row in rows), default=1.0)
    return [row | {"bar": bar(row["group"]["bps"]["total"].number(), widest, signed=True)} for row in rows]


def _scatter(twin: Twin, entry: Fact) -> Markup | None:
    """Every order's charge over its forecast, with the line on which forecasts come true; thinned when many."""
    forecast = entry["output"]["forecast"]
    predicted = [row.number() for row in forecast["predicted_bps"].rows()]
    charged = [row.number() for row in forecast["charged_bps"].rows()]
    if not predicted:
        return None
    step = -(-len(predicted) // MOST_SPECKS)
    cloud: list[Point] = list(zip(predicted, charged, strict=True))[::step]
    low, high = min(*predicted, *charged), max(*predicted, *charged)
    line: list[Point] = [(low, low), (high, high)]
    title = "Charged over forecast, bp: spread, impact and fees"
    data: dict[str, JsonValue] = xy_data(title, "num", "num", {"as forecast": line}, cloud=cloud)
    return xy_chart(twin.derive("forecast_chart", entry.ref_id, data), height_px=320)
