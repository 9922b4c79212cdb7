"""What trading cost and why: every order's shortfall by cause, the forecast against it, and impact measured anew."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import numpy as np

from ..domain.orders import Side
from ..quant.cost_attribution import CostAttribution, ExecutedFill, attribute_cost
from ..quant.errors import QuantError
from ..quant.factors import fit_factors
from ..quant.impact import calibrate_impact
from .errors import NotEnoughData
from .executed import ExecutedOrder
from .ledger import Ledger, figure

PARTS = ("delay", "spread", "impact", "timing", "fees", "opportunity")
LIKELY_ERRORS = 1.96
"""Standard errors on each side of a 95 % interval."""

Group = dict[str, object]


def cost_attribution(
    ledger: Ledger, run: Mapping[str, str], orders: Sequence[ExecutedOrder]
) -> tuple[str, dict[str, object]]:
    """Where the money went between the decision prices and the fills, by order and by group, and the forecast of it.

    Cash is written out in full and adds up exactly; bps are of the value decided on.
    """
    if not orders:
        raise NotEnoughData(
            f"run {run['run']} closed no order, so nothing was paid", remedy="Name a run with trades; see `parley run`."
        )
    costs = [_attributed(item) for item in orders]
    keyed = list(zip(orders, costs, strict=True))
    output: dict[str, object] = {
        "total": _group(costs),
        "filled_frac": figure(_filled_value(orders) / float(sum(cost.decided_value for cost in costs))),
        "by_side": _grouped(keyed, lambda item: item.order.side.value),
        "by_symbol": _grouped(keyed, lambda item: item.order.symbol),
        "by_month": _grouped(keyed, lambda item: f"{item.session:%Y-%m}"),
        "by_year": _grouped(keyed, lambda item: f"{item.session:%Y}"),
        "forecast": _forecasts(keyed),
        "orders": [_row(item, cost) for item, cost in keyed],
    }
    return ledger.record("cost_attribution", 1, "cash, bps of decided value", {**run}, output).id, output


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
        "volume_is_assumed": any(item.volume_is_assumed for item in used),
        "past_touch": _fitted(used, _past_touch, [item.daily_vol_frac for item in used], assumed),
        "past_touch_quarter": _fitted(used, _past_touch, [item.quarter_vol_frac for item in used], assumed),
        "against_arrival": _fitted(used, _against_arrival, [item.daily_vol_frac for item in used], assumed),
    }
    return ledger.record(
        "impact_calibration", 1, "coefficient of the law", {**run, "assumed": assumed}, output
    ).id, output


def _attributed(item: ExecutedOrder) -> CostAttribution:
    """No model moves the mid here: what our own trading did to it can't be told from the market and is timing."""
    order = item.order
    return attribute_cost(
        side=order.side.sign,
        quantity=order.quantity,
        decision_price=order.reference_price,
        arrival_price=item.arrival_price,
        fills=[ExecutedFill(fill.quantity, fill.price, fill.mid_price, fill.touch_price) for fill in item.fills],
        closing_price=item.closing_price,
        fees=sum((fill.fee for fill in item.fills), Decimal(0)),
    )


def _filled_value(orders: Sequence[ExecutedOrder]) -> float:
    """What was filled, at decision prices."""
    return float(sum((item.order.reference_price * item.filled for item in orders), Decimal(0)))


def _group(costs: Sequence[CostAttribution]) -> Group:
    """Sums over some orders: cash as text, exact to its last digit, and bps of what was decided."""
    value = sum((cost.decided_value for cost in costs), Decimal(0))
    cash = {part: sum((getattr(cost, part) for cost in costs), Decimal(0)) for part in (*PARTS, "total")}
    return {
        "orders": len(costs),
        "value": f"{value:f}",
        "cash": {part: f"{amount:f}" for part, amount in cash.items()},
        "bps": {part: figure(float(amount / value) * 1e4) for part, amount in cash.items()},
    }


def _grouped(
    keyed: Sequence[tuple[ExecutedOrder, CostAttribution]], key: Callable[[ExecutedOrder], str]
) -> dict[str, Group]:
    groups: dict[str, list[CostAttribution]] = {}
    for item, cost in keyed:
        groups.setdefault(key(item), []).append(cost)
    return {name: _group(groups[name]) for name in sorted(groups)}


def _row(item: ExecutedOrder, cost: CostAttribution) -> Group:
    return {
        "order": item.order.order_id,
        "symbol": item.order.symbol,
        "side": item.order.side.value,
        "session": item.session.isoformat(),
        "value": figure(float(cost.decided_value)),
        "filled": figure(item.filled / item.order.quantity),
        "predicted_bps": item.order.advice.expected_cost_bps,
        "total": f"{cost.total:f}",
        **{f"{part}_bps": figure(cost.bps(getattr(cost, part))) for part in (*PARTS, "total")},
    }


def _forecasts(keyed: Sequence[tuple[ExecutedOrder, CostAttribution]]) -> dict[str, object]:
    """The forecast against what it forecasts (spread, impact, fees), and against that with the market's moves."""
    filled = [(item, cost) for item, cost in keyed if item.fills]
    predicted = np.array([item.order.advice.expected_cost_bps for item, _ in filled])
    value = [float(item.arrival_price * item.filled) / 1e4 for item, _ in filled]
    charged = np.array(
        [float(cost.spread + cost.impact + cost.fees) / base for (_, cost), base in zip(filled, value, strict=True)]
    )
    drift = np.array([float(cost.timing) / base for (_, cost), base in zip(filled, value, strict=True)])
    return {
        "predicted_bps": [figure(number) for number in predicted.tolist()],
        "charged_bps": [figure(number) for number in charged.tolist()],
        "charged": _regressed(charged, predicted),
        "with_timing": _regressed(charged + drift, predicted),
    }


def _regressed(realized: np.ndarray, predicted: np.ndarray) -> dict[str, object]:
    """Realized = intercept + slope x predicted, with Newey-West intervals: orders of one plan are no two samples."""
    try:
        fit = fit_factors(realized, predicted[:, None], ("predicted",))
    except QuantError as error:
        return {"refused": error.message, "orders": len(realized)}
    slope, slope_error = float(fit.betas[0]), float(fit.beta_se[0])
    return {
        "orders": len(realized),
        "mean_predicted_bps": figure(float(predicted.mean())),
        "mean_realized_bps": figure(float(realized.mean())),
        "slope": figure(slope),
        "slope_low": figure(slope - LIKELY_ERRORS * slope_error),
        "slope_high": figure(slope + LIKELY_ERRORS * slope_error),
        "intercept_bps": figure(fit.alpha),
        "intercept_low_bps": figure(fit.alpha - LIKELY_ERRORS * fit.alpha_se),
        "intercept_high_bps": figure(fit.alpha + LIKELY_ERRORS * fit.alpha_se),
        "r_squared": figure(fit.r_squared),
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
    try:
        fit = calibrate_impact(
            np.array([paid(item) for item in used]),
            np.array([item.filled / item.daily_volume for item in used]),
            np.array(vols, dtype=np.float64),
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
