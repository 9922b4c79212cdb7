"""Each parent order's best-execution record against the market it traded in, and the same by algorithm and venue."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from ..memory.event_table import utc_text
from .attributed import PARTS, Attributed, attributed, fidelity_of, fills_by_venue
from .cost_forecasts import with_timing
from .executed import ExecutedOrder
from .ledger import Ledger, figure
from .market_tape import LACK_SAYS
from .order_benchmarks import BPS, Benchmarks, MarketAround, pooled, stated

NOT_KNOWN = {"peers": "no orders of other desks are known"}


def post_trade(
    ledger: Ledger, run: Mapping[str, str], orders: Sequence[ExecutedOrder], around: MarketAround
) -> tuple[str, dict[str, object]]:
    """Every parent order against the market it traded in, and the same pooled in sum, by algorithm and by venue.

    A figure that the data can't give is an object with `refused`, whose word `lacks` explains; it is never a zero.
    """
    rows: list[dict[str, object]] = []
    measured: list[tuple[str, Benchmarks]] = []
    by_venue: dict[str, list[Benchmarks]] = {}
    for one in map(attributed, orders):
        whole = around.benchmarks(one.item, one.item.fills)
        rows.append(_row(one, whole))
        measured.append((one.item.order.advice.algorithm.value, whole))
        for venue, fills in fills_by_venue(one.item).items():
            by_venue.setdefault(venue, []).append(around.benchmarks(one.item, fills))
    words = set(_refused(rows))
    output: dict[str, object] = {
        "total": pooled([whole for _, whole in measured]),
        "by_algorithm": {
            name: pooled([whole for algorithm, whole in measured if algorithm == name])
            for name in sorted({algorithm for algorithm, _ in measured})
        },
        "by_venue": {name: pooled(by_venue[name]) for name in sorted(by_venue)},
        "orders": rows,
        "lacks": {lack.value: LACK_SAYS[lack] for lack in LACK_SAYS if lack.value in words},
        "not_known": NOT_KNOWN,
    }
    return ledger.record("post_trade", 1, "bps, prices, cash", {**run}, output).id, output


def _row(one: Attributed, whole: Benchmarks) -> dict[str, object]:
    """The fields of best execution: who, what, when, at which price against which, what it cost, and as expected?"""
    item, order = one.item, one.item.order
    limits = [child.limit_price for child in item.children if child.limit_price is not None]
    stamps = [fill.ts_event for fill in item.fills]
    return {
        "order": order.order_id,
        "instrument": order.symbol,
        "side": order.side.value,
        "quantity": order.quantity,
        "filled": item.filled,
        "order_types": sorted({child.order_type.value for child in item.children}),
        "limit_price_lowest": _text(min(limits, default=None)),
        "limit_price_highest": _text(max(limits, default=None)),
        "venues": list(fills_by_venue(item)),
        "algorithm": order.advice.algorithm.value,
        "why": order.reason,
        "urgency": order.advice.urgency.value,
        "slices": order.advice.slices,
        "decided_at": None if item.decided_at is None else utc_text(item.decided_at),
        "arrived_at": utc_text(item.opened_at),
        "first_fill_at": utc_text(min(stamps)) if stamps else None,
        "last_fill_at": utc_text(max(stamps)) if stamps else None,
        "closed_at": utc_text(item.closed_at),
        "decision_price": f"{order.reference_price:f}",
        "arrival_mid": f"{item.arrival_price:f}",
        "average_price": figure(whole.value / item.filled) if item.fills else None,
        "spread_at_fills_bps": _spread_bps(item),
        "benchmarks": whole.plain(),
        "shortfall": {part: f"{getattr(one.cost, part):f}" for part in (*PARTS, "total")},
        "shortfall_bps": {part: figure(one.cost.bps(getattr(one.cost, part))) for part in (*PARTS, "total")},
        "expected_bps": order.advice.expected_cost_bps,
        "expected_std_bps": order.advice.cost_std_bps or None,
        "realized_bps": figure(with_timing(one)) if item.fills else None,
        "participation_of_interval": stated(whole.participation),
        "participation_of_day": figure(item.filled / item.daily_volume),
        "day_volume_is_assumed": item.volume_is_assumed,
        "fills_made_by": fidelity_of(item.fills),
        "market_from": whole.made_from,
    }


def _spread_bps(item: ExecutedOrder) -> float | None:
    """Twice the distance of the touch from the mid at the fills, by what was filled."""
    if not item.fills:
        return None
    crossed = sum((abs(fill.touch_price - fill.mid_price) * fill.quantity for fill in item.fills), Decimal(0))
    at_mid = sum((fill.mid_price * fill.quantity for fill in item.fills), Decimal(0))
    return figure(float(2 * crossed / at_mid) * BPS)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _refused(value: object) -> Iterator[str]:
    """Every word that stands in the place of a figure."""
    match value:
        case {"refused": str() as word}:
            yield word
        case dict():
            for part in value.values():
                yield from _refused(part)
        case list():
            for part in value:
                yield from _refused(part)
        case _:
            pass
