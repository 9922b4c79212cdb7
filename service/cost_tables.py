"""The costs of a run by order, algorithm or venue: one row each, with its benchmarks and what made its numbers."""

from enum import StrEnum
from typing import Any

from .console import Console

Document = dict[str, Any]


class CostsBy(StrEnum):
    ORDER = "order"
    ALGORITHM = "algorithm"
    VENUE = "venue"


NAMES = {
    "arrival": "arrival",
    "interval_vwap": "VWAP",
    "interval_twap": "TWAP",
    "close": "close",
    "reversion_1m": "back 1m",
    "reversion_5m": "back 5m",
    "reversion_30m": "back 30m",
    "reversion_next_close": "back next close",
}
SAYS = (
    "bp of each price; costs and a price that came back are positive. The shortfall is against the decision price, the "
    "rest of what was filled."
)


def grouped_rows(document: Document, by: CostsBy) -> list[Document]:
    """One row for each order, algorithm or venue: its shortfall, its benchmarks, its forecast and its fidelity."""
    costs, measured = document["cost_attribution"], document["post_trade"]
    if by is CostsBy.ORDER:
        return measured["orders"]
    groups, pooled = costs[f"by_{by.value}"], measured[f"by_{by.value}"]
    rows = [{by.value: name, **group, "benchmarks": pooled.get(name)} for name, group in groups.items()]
    if by is CostsBy.VENUE:
        return rows
    judged = costs["forecast"]["by_algorithm"]
    return [row | {"forecast": judged.get(row[by.value])} for row in rows]


def print_grouped(console: Console, run_id: str, document: Document, by: CostsBy) -> None:
    """What each cost, then each against the market; a figure that can't be had is a word instead."""
    rows, total = grouped_rows(document, by), document["post_trade"]["total"]
    shown = [name for name in NAMES if "bps" in total[name]]
    is_order = by is CostsBy.ORDER
    parts = tuple(document["cost_attribution"]["total"]["bps"])
    judged = ("forecast", "realized") if by is CostsBy.ALGORITHM else ()
    header = _ORDER_HEADER if is_order else ("orders", *parts, *judged, "fills")
    console.table(
        f"costs of {run_id} by {by.value}, bp of decided value",
        (by.value, *header),
        [_order(row) if is_order else (row[by.value], *_group(row)) for row in rows],
    )
    against = [_order_market(row, shown) if is_order else (row[by.value], *_group_market(row, shown)) for row in rows]
    console.table("against the market, bp", (by.value, *(NAMES[name] for name in shown), "of volume", "from"), against)
    console.say(f"  {SAYS}")
    for name in NAMES:
        if name not in shown:
            why = " or ".join(document["post_trade"]["lacks"].get(word, word) for word in total[name]["refused"])
            console.say(f"  No {NAMES[name]}: {why}.")


_ORDER_HEADER = ("what", "algorithm", "cash", "shortfall", "forecast", "realized", "fills")


def _order(row: Document) -> tuple[str, ...]:
    return (
        row["order"],
        f"{row['side']} {row['filled']:,} of {row['quantity']:,} {row['instrument']}",
        row["algorithm"],
        f"{float(row['shortfall']['total']):,.2f}",
        f"{row['shortfall_bps']['total']:.1f}",
        f"{row['expected_bps']:.1f}",
        "" if row["realized_bps"] is None else f"{row['realized_bps']:.1f}",
        row["fills_made_by"],
    )


def _order_market(row: Document, shown: list[str]) -> tuple[str, ...]:
    cells = (_bps(row["benchmarks"][name]["bps"]) for name in shown)
    return (row["order"], *cells, _share(row["participation_of_interval"]), row["market_from"])


def _group(row: Document) -> tuple[str, ...]:
    made_by = ", ".join(f"{count:,} {name}" for name, count in row["fidelity"].items())
    parts = (f"{bps:.1f}" for bps in row["bps"].values())
    return (f"{row['orders']:,}", *parts, *_judged(row), made_by)


def _judged(row: Document) -> tuple[str, ...]:
    """Forecast and realized of an algorithm's orders, empty where none was filled; a venue has no forecast."""
    if "forecast" not in row:
        return ()
    judged = row["forecast"]
    if judged is None:
        return ("", "")
    return tuple(f"{judged['with_timing'][end]:.1f}" for end in ("mean_predicted_bps", "mean_realized_bps"))


def _group_market(row: Document, shown: list[str]) -> tuple[str, ...]:
    pooled = row["benchmarks"]
    if pooled is None:
        return ("",) * (len(shown) + 2)
    share = pooled["participation"]
    made_by = ", ".join(f"{count:,} {name}" for name, count in pooled["market_from"].items())
    return (*(_pooled(pooled[name]) for name in shown), _share_of(share), made_by)


def _bps(value: Any) -> str:
    return _word(value["refused"]) if isinstance(value, dict) else f"{value:.1f}"


def _share(value: Any) -> str:
    return _word(value["refused"]) if isinstance(value, dict) else f"{value:.2%}"


def _pooled(row: Document) -> str:
    """The mean, and of how many orders where not all have the figure."""
    if "bps" not in row:
        return ", ".join(map(_word, row["refused"]))
    return f"{row['bps']:.1f}" + (f" of {row['orders']:,}" if row["refused"] else "")


def _share_of(row: Document) -> str:
    return f"{row['frac']:.2%}" if "frac" in row else ", ".join(map(_word, row["refused"]))


def _word(lack: str) -> str:
    return lack.replace("_", " ")
