"""The execution agent's tools: how to slice each leg and what that is expected to cost."""

from dataclasses import asdict

from ..domain.orders import Algorithm, ExecutionAdvice, ParentOrder, Plan, Urgency
from ..quant.covariance import ewma_vol
from ..quant.impact import expected_cost_frac
from ..quant.schedules import slices_for
from .ledger import Ledger, figure
from .scene import Scene

HIGH_PARTICIPATION_FRAC = 0.05
"""A leg this large is worked without hurry: impact grows with the square root of its share of the volume."""


def advise(ledger: Ledger, scene: Scene, plan: Plan) -> tuple[str, Plan]:
    """The plan with advice on every leg: how to slice it, and what it should cost."""
    vol = dict(zip(scene.symbols, ewma_vol(scene.returns).tolist(), strict=True))
    legs: list[ParentOrder] = []
    rows: dict[str, dict[str, float | int | bool]] = {}
    for leg in plan.legs:
        recorded = recorded_participation(scene, leg)
        participation = _assumed_participation(scene, leg) if recorded is None else recorded
        advice = _advice(scene, leg, participation, vol[leg.symbol])
        legs.append(leg.model_copy(update={"advice": advice}))
        rows[leg.symbol] = {
            "slices": advice.slices,
            "participation": figure(participation),
            "volume_is_assumed": recorded is None,
            "cost_bps": advice.expected_cost_bps,
        }
    asked = {leg.symbol: [leg.side.value, leg.quantity, str(leg.reference_price)] for leg in plan.legs}
    inputs = {"legs": asked, "costs": asdict(scene.costs)}
    evidence = ledger.record("execution_preview", 1, "bps of leg value", inputs, rows)
    return evidence.id, plan.model_copy(update={"legs": tuple(legs)})


def recorded_participation(scene: Scene, leg: ParentOrder) -> float | None:
    """The leg's share of a mean day's volume; None where no volume is recorded, and huge where it is zero."""
    volume = scene.daily_volume.get(leg.symbol)
    return None if volume is None else leg.quantity / max(volume, 1.0)


def _assumed_participation(scene: Scene, leg: ParentOrder) -> float:
    return float(leg.notional) / scene.costs.assumed_daily_volume


def _advice(scene: Scene, leg: ParentOrder, participation: float, daily_vol_frac: float) -> ExecutionAdvice:
    costs, instrument = scene.costs, scene.instrument(leg.symbol)
    cost_frac = expected_cost_frac(
        costs.half_spread_bps / 1e4, costs.fee_bps / 1e4, daily_vol_frac, participation, costs.impact_coefficient
    )
    worth = slices_for(float(leg.notional), costs.min_child_notional, costs.max_slices)
    return ExecutionAdvice(
        algorithm=Algorithm.TWAP,
        urgency=Urgency.LOW if participation > HIGH_PARTICIPATION_FRAC else Urgency.MEDIUM,
        slices=min(worth, max(leg.quantity // instrument.lot, 1)),
        max_participation_frac=scene.limits.max_participation_frac,
        expected_cost_bps=figure(1e4 * cost_frac),
    )
