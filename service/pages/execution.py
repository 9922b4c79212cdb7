"""The page of best execution: what orders got against what was expected, by algorithm, venue and size."""

from collections import Counter
from collections.abc import Callable, Iterable

from pydantic import JsonValue

from . import charts
from .render import render
from .twin import Fact, Twin

SIZES = ((0.0001, "up to a hundredth of a percent"), (0.001, "up to a tenth of a percent"), (0.01, "up to a percent"))
LARGEST = "more than a percent"
"""Shares of a day's usual volume."""
MOST_WORST = 10


def execution_page(twin: Twin, by_tool: dict[str, Fact], run_id: str) -> str:
    """The HTML; `by_tool` has the ledger's entries of `post_trade` and `venue_performance`."""
    measured, venues = by_tool["post_trade"]["output"], by_tool["venue_performance"]["output"]
    orders = measured["orders"].rows()
    worst = sorted((row for row in orders if row["realized_bps"].raw is not None), key=_gap, reverse=True)
    groups = {
        "By algorithm": _grouped(twin, orders, lambda row: [row["algorithm"].string()]),
        "By venue": _grouped(twin, orders, lambda row: [venue.string() for venue in row["venues"].rows()]),
        "By share of a day's volume": _grouped(twin, orders, lambda row: [_size(row)]),
        "By kind of order": _grouped(twin, orders, lambda row: [kind.string() for kind in row["order_types"].rows()]),
    }
    return render(
        "execution.html",
        title="Best execution",
        run=run_id,
        total=_figures(twin, "all", orders),
        groups={name: rows for name, rows in groups.items() if rows},
        venues=list(venues["venues"].items()),
        worst=worst[:MOST_WORST],
        gaps={row["order"].string(): _difference(twin, row) for row in worst[:MOST_WORST]},
        lacks=measured["lacks"],
        not_known=measured["not_known"],
        entries=list(by_tool.values()),
        is_assumed=any(row["day_volume_is_assumed"].raw for row in orders),
        is_synthetic=any("synthetic" in str(row["fills_made_by"].raw) for row in orders),
    )


def _gap(row: Fact) -> float:
    return row["realized_bps"].number() - row["expected_bps"].number()


def _difference(twin: Twin, row: Fact) -> Fact:
    return twin.derive("less_expected", [row["realized_bps"].ref, row["expected_bps"].ref], _gap(row))


def _size(row: Fact) -> str:
    share = row["participation_of_day"].number()
    return next((name for most, name in SIZES if share <= most), LARGEST)


def _grouped(twin: Twin, orders: Iterable[Fact], names: Callable[[Fact], list[str]]) -> list[dict[str, object]]:
    """One row per name, the largest value first; an order at two venues counts at both."""
    found: dict[str, list[Fact]] = {}
    for row in orders:
        for name in names(row):
            found.setdefault(name, []).append(row)
    rows = [(name, _figures(twin, name, mine)) for name, mine in found.items()]
    rows.sort(key=lambda pair: -pair[1]["value"].number())
    scale = max((abs(_number(fact["realized_bps"])) for _, fact in rows), default=0.0)
    return [
        {"name": name, "found": fact, "bar": charts.bar(_number(fact["realized_bps"]), scale, signed=True)}
        for name, fact in rows
    ]


def _number(fact: Fact) -> float:
    return 0.0 if fact.raw is None else fact.number()


def _figures(twin: Twin, name: str, orders: list[Fact]) -> Fact:
    """Means by what was filled, at the decision price; realized past arrival, with fees, as it was expected."""
    worth = [(row["filled"].number() * row["decision_price"].number(), row) for row in orders]
    paid = [(value, row) for value, row in worth if value > 0 and row["realized_bps"].raw is not None]
    whole = sum(value for value, _ in paid)
    asked = sum(row["quantity"].number() * row["decision_price"].number() for row in orders)
    expected = sum(value * row["expected_bps"].number() for value, row in paid) / whole if whole > 0 else None
    realized = sum(value * row["realized_bps"].number() for value, row in paid) / whole if whole > 0 else None
    spread = [(value, row["spread_at_fills_bps"]) for value, row in paid if row["spread_at_fills_bps"].raw is not None]
    output: dict[str, JsonValue] = {
        "orders": len(orders),
        "value": whole,
        "filled_frac": sum(value for value, _ in worth) / asked if asked > 0 else None,
        "expected_bps": expected,
        "realized_bps": realized,
        "gap_bps": None if expected is None or realized is None else realized - expected,
        "spread_bps": sum(v * bps.number() for v, bps in spread) / whole if spread and whole > 0 else None,
        "worse_frac": sum(_gap(row) > 0 for _, row in paid) / len(paid) if paid else None,
        "fidelity": dict(sorted(Counter(row["fills_made_by"].string() for row in orders).items())),
    }
    return twin.derive("execution", {"group": name, "orders": [row.ref for row in orders]}, output)
