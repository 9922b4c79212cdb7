"""The execution agent's tools: how to slice each leg and what that is expected to cost."""

from ..domain.orders import Algorithm, ExecutionAdvice, ParentOrder, Plan, Urgency
from ..quant.covariance import ewma_vol
from ..quant.impact import expected_cost_frac
from ..quant.schedules import slices_for
from .ledger import Ledger, figure
from .scene import Scene

HIGH_PARTICIPATION_FRAC = 0.05


def advise(ledger: Ledger, scene: Scene, plan: Plan) -> tuple[str, Plan, dict[str, float | None]]:
    """The plan with advice on every leg, and each leg's share of a day's volume (None where unknown)."""
    vol = dict(zip(scene.symbols, ewma_vol(scene.returns).tolist(), strict=True))
    legs: list[ParentOrder] = []
    shares: dict[str, float | None] = {}
    rows: dict[str, dict[str, float | int | str | bool]] = {}
    for leg in plan.legs:
        participation, is_assumed = _participation(scene, leg)
        costs = scene.costs
        cost_bps = 1e4 * expected_cost_frac(
            costs.half_spread_bps / 1e4,
            costs.fee_bps / 1e4,
            vol.get(leg.symbol, 0.0),
            participation,
            costs.impact_coefficient,
        )
        slices = min(slices_for(float(leg.notional), costs.min_child_notional, costs.max_slices), leg.quantity)
        advice = ExecutionAdvice(
            algorithm=Algorithm.TWAP,
            urgency=Urgency.LOW if participation > HIGH_PARTICIPATION_FRAC else Urgency.MEDIUM,
            slices=slices,
            max_participation_frac=scene.limits.max_participation_frac,
            expected_cost_bps=figure(cost_bps),
        )
        legs.append(leg.model_copy(update={"advice": advice}))
        shares[leg.symbol] = None if is_assumed else figure(participation)
        rows[leg.symbol] = {
            "slices": slices,
            "participation": figure(participation),
            "volume_is_assumed": is_assumed,
            "cost_bps": advice.expected_cost_bps,
        }
    inputs = {leg.symbol: [leg.side.value, leg.quantity, str(leg.reference_price)] for leg in plan.legs}
    evidence = ledger.record("execution_preview", 1, "bps of leg value", inputs, rows)
    return evidence.id, plan.model_copy(update={"legs": tuple(legs)}), shares


def _participation(scene: Scene, leg: ParentOrder) -> tuple[float, bool]:
    """The leg's share of a mean day's volume, and whether that volume had to be assumed."""
    volume = scene.daily_volume.get(leg.symbol)
    if volume:
        return leg.quantity / volume, False
    return float(leg.notional) / scene.costs.assumed_daily_volume, True
