"""Waterfalls as rows of a table: what stood before a step, what it took or added, and what was left."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from pydantic import JsonValue

from ...execution.shortfall import BPS
from . import charts
from .trade_facts import Trade
from .twin import Fact, Twin


@dataclass(frozen=True, slots=True)
class Step:
    """One row: its name, the change or level shown, and a bar of where it begins and ends."""

    label: str
    value: Fact
    bar: Markup
    is_level: bool = False


def sizing_waterfall(decision: Fact, trade: Trade, twin: Twin) -> list[Step]:
    """The weight of one name, step by step: its share of the raw book, the optimizer's target, lots, votes, fills.

    From the lots on a weight is what was held before plus the order at its reference price.
    """
    targets = decision.maybe("targets")
    wanted = targets["weights"].maybe(trade.symbol) if targets else None
    legs = [leg for draft in decision["drafts"].rows() for leg in draft["legs"].where(symbol=trade.symbol)]
    equity, price, ordered = decision["snapshot"]["equity"], trade.order["reference_price"], trade.order["quantity"]
    sign = 1.0 if trade.order["side"].raw == "BUY" else -1.0
    positions = decision["snapshot"]["portfolio"]["positions"].where(symbol=trade.symbol)
    held = sum(row["quantity"].number() for row in positions) * price.number() / equity.number()

    def moved(quantity: Fact) -> float:
        return held + sign * quantity.number() * price.number() / equity.number()

    levels: dict[str, JsonValue] = {"Held before": held}
    inputs: list[JsonValue] = [equity.ref, price.ref, ordered.ref, *(row.ref for row in positions)]
    if targets is not None and wanted is not None:
        gross, reference = targets["gross"].number(), targets["path"].where(name="reference book")
        if reference and gross > 0:
            levels["Share of the raw book"] = wanted.number() / gross * reference[0]["value"].number()
        levels["Target, scaled and capped"] = wanted.number()
        inputs += [wanted.ref, targets["gross"].ref]
    if legs:
        levels["In whole lots"] = moved(legs[0]["quantity"])
        inputs.append(legs[0].ref)
    levels["After votes and gate"] = moved(ordered)
    if trade.closed:
        levels["Filled"] = moved(trade.closed["filled"])
        inputs.append(trade.closed["filled"].ref)
    kept = twin.derive("sizing_waterfall", inputs, levels)
    return _levels([(label, fact) for label, fact in kept.items()])


def _levels(rows: Sequence[tuple[str, Fact]]) -> list[Step]:
    """Each level beside the one before it; what is held, and the first that was wanted, stand for themselves."""
    scale, found = max(abs(fact.number()) for _, fact in rows), list[Step]()
    for place, (label, fact) in enumerate(rows):
        value = fact.number()
        before = value if place < 2 else rows[place - 1][1].number()
        bar = charts.bar(value, scale, tone="c1") if place == 0 else charts.step_bar(before, value, scale)
        found.append(Step(label, fact, bar, True))
    return found


COST_LABELS = {
    "delay_bps": "Delay to arrival",
    "spread_bps": "Half spread",
    "impact_bps": "Past the touch",
    "timing_bps": "Market's move",
    "opportunity_bps": "Never filled",
    "fee_bps": "Fees",
    "total_bps": "Realized in all",
}


def trading_parts(trade: Trade, twin: Twin) -> Fact:
    """What fills paid against arrival, apart: half the spread, past the touch, and the mid's own move."""
    sign = 1.0 if trade.order["side"].raw == "BUY" else -1.0
    bps = float(BPS) * sign / (trade.order["quantity"].number() * trade.order["reference_price"].number())
    parts = {"spread_bps": 0.0, "impact_bps": 0.0, "timing_bps": 0.0}
    for fill in trade.fills:
        price, touch, mid = (fill[name].number() for name in ("price", "touch_price", "mid_price"))
        size = fill["quantity"].number() * bps
        parts["spread_bps"] += (touch - mid) * size
        parts["impact_bps"] += (price - touch) * size
        parts["timing_bps"] += (mid - trade.arrival.number()) * size
    output: dict[str, JsonValue] = dict(parts)
    return twin.derive("trading_parts", [trade.order.ref, trade.arrival.ref, *(f.ref for f in trade.fills)], output)


def cost_waterfall(split: Fact | None, parts: Fact | None) -> list[Step]:
    """Delay, spread, impact, timing, what was never filled and fees, up to the whole; a cost goes to the right."""
    if split is None or parts is None:
        return []
    rows = [(label, parts.maybe(name) or split[name]) for name, label in COST_LABELS.items() if name != "total_bps"]
    total = split["total_bps"]
    ends, at = [0.0], 0.0
    for _, fact in rows:
        at += fact.number()
        ends.append(at)
    low, high = min(*ends, total.number()), max(*ends, total.number())
    found = [
        Step(label, fact, _floating(end, start, low, high, "more" if fact.number() > 0 else "good"))
        for (label, fact), start, end in zip(rows, ends, ends[1:], strict=False)
    ]
    return [*found, Step(COST_LABELS["total_bps"], total, _floating(total.number(), 0.0, low, high, "c0"), True)]


def _floating(end: float, start: float, low: float, high: float, tone: str) -> Markup:
    """A bar from one level to another on an axis that holds them all, with a mark at nothing."""
    span = high - low
    return charts.span_bar((start - low) / span, (end - low) / span, -low / span, tone) if span > 0 else Markup("")
