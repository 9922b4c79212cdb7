"""What trading cost and why: every order's shortfall by cause, the forecast against it, and impact measured anew."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import numpy as np

from ..domain.orders import Side
from ..quant.cost_attribution import CostAttribution
from ..quant.errors import QuantError
from ..quant.impact import calibrate_impact
from .attributed import LIKELY_ERRORS, PARTS, Attributed, attributed, counted, fidelity_of, summed
from .cost_forecasts import forecasts
from .errors import NotEnoughData
from .executed import ExecutedOrder
from .ledger import Ledger, figure

Group = dict[str, object]


def cost_attribution(
    ledger: Ledger, run: Mapping[str, str], orders: Sequence[ExecutedOrder]
) -> tuple[str, dict[str, object]]:
    """Where the money went between the decision prices and the fills, by order and by group, and the forecast of it.

    Cash is written out in full and adds up exactly; bps are of the value decided on. By venue each has its own fills'
    part of an order, and what was never filled stands by itself.
    """
    if not orders:
        raise NotEnoughData(
            f"run {run['run']} closed no order, so nothing was paid", remedy="Name a run with trades; see `parley run`."
        )
    found = [attributed(item) for item in orders]
    output: dict[str, object] = {
        "total": _group([(one.cost, fidelity_of(one.item.fills)) for one in found]),
        "filled_frac": figure(_filled_value(orders) / float(sum(one.cost.decided_value for one in found))),
        "by_side": _grouped(found, lambda item: item.order.side.value),
        "by_algorithm": _grouped(found, lambda item: item.order.advice.algorithm.value),
        "by_venue": _venues(found),
        "by_symbol": _grouped(found, lambda item: item.order.symbol),
        "by_month": _grouped(found, lambda item: f"{item.session:%Y-%m}"),
        "by_year": _grouped(found, lambda item: f"{item.session:%Y}"),
        "forecast": forecasts(found),
        "orders": [_row(one) for one in found],
    }
    return ledger.record("cost_attribution", 2, "cash, bps of decided value", {**run}, output).id, output


def impact_calibration(
    ledger: Ledger, run: Mapping[str, str], orders: Sequence[ExecutedOrder], assumed: float
) -> tuple[str, dict[str, object]]:
    """The coefficient of the square-root law from the run's own fills, beside the one the desk assumes."""
    used = [item for item in orders if item.fills and item.daily_vol_frac is not None]
    synthetic = sum(all(fill.synthetic for fill in item.fills) for item in used)
    output: dict[str, object] = {
        "assumed": figure(assumed),
        "orders": len(used),
        "synthetic_orders": synthetic,
        "fidelity": counted(fidelity_of(item.fills) for item in used),
        "volume_is_assumed": any(item.volume_is_assumed for item in used),
        "past_touch": _fitted(used, _past_touch, [item.daily_vol_frac for item in used], assumed),
        "past_touch_quarter": _fitted(used, _past_touch, [item.quarter_vol_frac for item in used], assumed),
        "against_arrival": _fitted(used, _against_arrival, [item.daily_vol_frac for item in used], assumed),
    }
    return ledger.record(
        "impact_calibration", 2, "coefficient of the law", {**run, "assumed": assumed}, output
    ).id, output


def _filled_value(orders: Sequence[ExecutedOrder]) -> float:
    """What was filled, at decision prices."""
    return float(sum((item.order.reference_price * item.filled for item in orders), Decimal(0)))


def _group(rows: Sequence[tuple[CostAttribution, str]]) -> Group:
    """Sums over some costs, each with what its fills rest on: cash as text, exact to its last digit, and bps of what
    was decided."""
    whole = summed([cost for cost, _ in rows])
    cash = {part: getattr(whole, part) for part in (*PARTS, "total")}
    return {
        "orders": len(rows),
        "value": f"{whole.decided_value:f}",
        "cash": {part: f"{amount:f}" for part, amount in cash.items()},
        "bps": {part: figure(whole.bps(amount)) for part, amount in cash.items()},
        "fidelity": counted(fidelity for _, fidelity in rows),
    }


def _grouped(found: Sequence[Attributed], key: Callable[[ExecutedOrder], str]) -> dict[str, Group]:
    groups: dict[str, list[tuple[CostAttribution, str]]] = {}
    for one in found:
        groups.setdefault(key(one.item), []).append((one.cost, fidelity_of(one.item.fills)))
    return {name: _group(groups[name]) for name in sorted(groups)}


def _venues(found: Sequence[Attributed]) -> dict[str, Group]:
    groups: dict[str, list[tuple[CostAttribution, str]]] = {}
    for one in found:
        for venue, cost in one.by_venue.items():
            mine = [fill for fill in one.item.fills if fill.venue == venue]
            groups.setdefault(venue, []).append((cost, fidelity_of(mine)))
    return {name: _group(groups[name]) for name in sorted(groups)}


def _row(one: Attributed) -> Group:
    item, cost = one.item, one.cost
    return {
        "order": item.order.order_id,
        "symbol": item.order.symbol,
        "side": item.order.side.value,
        "session": item.session.isoformat(),
        "value": figure(float(cost.decided_value)),
        "filled": figure(item.filled / item.order.quantity),
        "predicted_bps": item.order.advice.expected_cost_bps,
        "fidelity": fidelity_of(item.fills),
        "total": f"{cost.total:f}",
        **{f"{part}_bps": figure(cost.bps(getattr(cost, part))) for part in (*PARTS, "total")},
    }


def _past_touch(item: ExecutedOrder) -> float:
    return _paid(item, [float((fill.price - fill.touch_price) * fill.quantity) for fill in item.fills])


def _against_arrival(item: ExecutedOrder) -> float:
    return _paid(item, [float((fill.price - item.arrival_price) * fill.quantity) for fill in item.fills])


def _paid(item: ExecutedOrder, over: Sequence[float]) -> float:
    """Cash over a benchmark price as a fraction of what was filled at arrival; positive when paid."""
    sign = 1 if item.order.side is Side.BUY else -1
    return sign * sum(over) / float(item.arrival_price * item.filled)


def _fitted(
    used: Sequence[ExecutedOrder],
    paid: Callable[[ExecutedOrder], float],
    vols: Sequence[float | None],
    assumed: float,
) -> dict[str, object]:
    known = [vol for vol in vols if vol is not None]
    if len(known) < len(vols):
        return {"refused": "volatility over a quarter of days is not known within the day"}
    try:
        fit = calibrate_impact(
            np.array([paid(item) for item in used]),
            np.array([item.filled / item.daily_volume for item in used]),
            np.array(known, dtype=np.float64),
        )
    except QuantError as error:
        return {"refused": error.message}
    low, high = fit.y - LIKELY_ERRORS * fit.y_std_error, fit.y + LIKELY_ERRORS * fit.y_std_error
    return {
        "coefficient": figure(fit.y),
        "std_error": figure(fit.y_std_error),
        "low": figure(low),
        "high": figure(high),
        "holds_assumed": low <= assumed <= high,
        "fixed_cost_vols": figure(fit.fixed_cost_vols),
        "r_squared": figure(fit.r_squared),
    }
