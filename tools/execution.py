"""The execution agent's tools: how to slice each leg and what that is expected to cost."""

from dataclasses import asdict

from ..domain.orders import Algorithm, ExecutionAdvice, ParentOrder, Plan, Urgency
from ..quant.covariance import ewma_vol
from ..quant.schedules import slices_by_urgency, slices_for
from .ledger import Ledger, figure
from .order_cost import OrderCost, order_cost
from .scene import Scene

PATIENT_SESSIONS = 1.0
"""A half-life longer than the session: waiting for it costs less than hurry."""
HASTY_SESSIONS = 0.25
"""A half-life this short: most of the order belongs into the first two hours."""


def advise(ledger: Ledger, scene: Scene, plan: Plan) -> tuple[str, Plan]:
    """The plan with advice on every leg: how to slice it, and what it should cost."""
    vol = dict(zip(scene.symbols, ewma_vol(scene.returns).tolist(), strict=True))
    legs: list[ParentOrder] = []
    rows: dict[str, dict[str, float | int | bool | str]] = {}
    for leg in plan.legs:
        recorded = recorded_participation(scene, leg)
        participation = _assumed_participation(scene, leg) if recorded is None else recorded
        cost = order_cost(scene, leg.quantity, float(leg.reference_price), participation, vol[leg.symbol])
        advice = _advice(scene, leg, cost)
        legs.append(leg.model_copy(update={"advice": advice}))
        rows[leg.symbol] = {
            "slices": advice.slices,
            "participation": figure(participation),
            "volume_is_assumed": recorded is None,
            "cost_bps": advice.expected_cost_bps,
            "half_life_sessions": figure(cost.half_life_sessions),
        }
    asked = {leg.symbol: [leg.side.value, leg.quantity, str(leg.reference_price)] for leg in plan.legs}
    inputs = {"legs": asked, "costs": asdict(scene.costs)}
    evidence = ledger.record("execution_preview", 2, "bps of leg value", inputs, rows)
    return evidence.id, plan.model_copy(update={"legs": tuple(legs)})


def recorded_participation(scene: Scene, leg: ParentOrder) -> float | None:
    """The leg's share of a mean day's volume; None where no volume is recorded, and huge where it is zero."""
    volume = scene.daily_volume.get(leg.symbol)
    return None if volume is None else leg.quantity / max(volume, 1.0)


def _assumed_participation(scene: Scene, leg: ParentOrder) -> float:
    return float(leg.notional) / scene.costs.assumed_daily_volume


def _advice(scene: Scene, leg: ParentOrder, cost: OrderCost) -> ExecutionAdvice:
    """As many slices as the leg's value bears, and no more than its half-life leaves time for."""
    worth = slices_for(cost.value, scene.costs.min_child_notional, scene.costs.max_slices)
    timely = slices_by_urgency(cost.kappa * cost.span, scene.costs.max_slices)
    return ExecutionAdvice(
        algorithm=Algorithm.TWAP,
        urgency=_urgency(cost.half_life_sessions),
        slices=min(worth, timely, max(leg.quantity // scene.instrument(leg.symbol).lot, 1)),
        max_participation_frac=scene.limits.max_participation_frac,
        expected_cost_bps=figure(1e4 * cost.expected_frac),
    )


def _urgency(half_life_sessions: float) -> Urgency:
    if half_life_sessions >= PATIENT_SESSIONS:
        return Urgency.LOW
    return Urgency.HIGH if half_life_sessions < HASTY_SESSIONS else Urgency.MEDIUM
