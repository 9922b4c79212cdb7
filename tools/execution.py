"""The execution agent's tools: the ways of working a leg that are offered, what each should cost, and the one taken."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from ..domain.orders import Algorithm, ExecutionAdvice, ParentOrder, Plan, Urgency
from ..market.cards import Frequency
from ..market.intraday_paths import HALF_HOUR_VOLUME_SHARE
from ..quant.covariance import ewma_vol
from ..quant.schedules import shortfall_slices, slices_by_urgency, slices_for
from .ledger import Ledger, figure
from .order_cost import OrderCost, order_cost
from .scene import Scene
from .schedules import Measured, best_of, fitting, measured, urgency_over_span
from .session_shape import SESSION_MINUTES, SessionShape
from .slicing import MAKERS, IntArray, OrderProblem, OrderQuestion

PATIENT_SESSIONS = 1.0
"""A half-life longer than the session: waiting for it costs less than hurry."""
HASTY_SESSIONS = 0.25
"""A half-life this short: most of the order belongs into the first two hours."""

AT_BARS = (Algorithm.TWAP, Algorithm.IS)
"""What is offered on daily bars: they show no volume within a day, so there is none to follow."""
WHERE_RECORDED = (Algorithm.TWAP, Algorithm.VWAP, Algorithm.IS, Algorithm.POV)
"""What is offered where the day itself was recorded, from the simplest on. CLOSE aims at another price than the one on
arrival, by which costs are measured here: it is worked where it is asked for, and never offered."""
USUAL_SHAPE = SessionShape(np.array(HALF_HOUR_VOLUME_SHARE) / sum(HALF_HOUR_VOLUME_SHARE), 0)


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """One way to work a leg, and what it is expected to cost."""

    advice: ExecutionAdvice
    measured: Measured


@dataclass(frozen=True, slots=True, eq=False)
class Offers:
    """The ways to work a leg that finish within the participation limit, where any does; `taken` is the tools' own."""

    cost: OrderCost
    by_algorithm: Mapping[Algorithm, Offer]
    taken: Algorithm

    @property
    def advice(self) -> ExecutionAdvice:
        return self.by_algorithm[self.taken].advice

    @property
    def ways(self) -> tuple[ExecutionAdvice, ...]:
        return tuple(item.advice for item in self.by_algorithm.values())


def advise(ledger: Ledger, scene: Scene, plan: Plan, frequency: Frequency = "daily") -> tuple[str, Plan]:
    """The plan with advice on every leg: how to work it, what that should cost, and what else was on offer."""
    legs: list[ParentOrder] = []
    rows: dict[str, dict[str, object]] = {}
    for leg in plan.legs:
        found = offers(scene, leg, frequency)
        legs.append(leg.model_copy(update={"advice": found.advice}))
        rows[leg.symbol] = {
            "algorithm": found.taken.value,
            "slices": found.advice.slices,
            "participation": figure(found.cost.participation),
            "volume_is_assumed": recorded_participation(scene, leg) is None,
            "cost_bps": found.advice.expected_cost_bps,
            "half_life_sessions": figure(found.cost.half_life_sessions),
            "offered": {name.value: _row(offer.measured) for name, offer in found.by_algorithm.items()},
        }
    asked = {leg.symbol: [leg.side.value, leg.quantity, str(leg.reference_price)] for leg in plan.legs}
    inputs = {"legs": asked, "costs": asdict(scene.costs), "frequency": frequency}
    evidence = ledger.record("execution_preview", 3, "bps of leg value", inputs, rows)
    return evidence.id, plan.model_copy(update={"legs": tuple(legs)})


def offers(scene: Scene, leg: ParentOrder, frequency: Frequency) -> Offers:
    """Every way to work a leg at what its data can show, and by `schedules.RULE` the one to take."""
    key = f"offers {leg.symbol} {leg.quantity} {leg.reference_price} {frequency}"
    return scene.once(key, lambda: _offers(scene, leg, frequency))


def offer(problem: OrderProblem, algorithm: Algorithm, *, is_recorded: bool) -> Offer | None:
    """One way to work an order, with all that its schedule needs; None where the order's window does not allow it."""
    if algorithm is Algorithm.POV:
        problem = replace(problem, max_participation_frac=_kept_rate(problem))
    kappa_span = urgency_over_span(problem) if algorithm is Algorithm.IS else 0.0
    slices = _slices(problem, algorithm, kappa_span)
    if isinstance(slices, str):
        return None
    found = measured(problem, algorithm.value, slices)
    is_timed = is_recorded and algorithm is not Algorithm.TWAP
    advice = ExecutionAdvice(
        algorithm=algorithm,
        urgency=_urgency(problem.cost.half_life_sessions),
        slices=problem.asked.n_slices,
        max_participation_frac=problem.max_participation_frac,
        expected_cost_bps=figure(found.cost_bps),
        volume_shares=tuple(figure(share) for share in problem.shares.tolist()) if is_timed else (),
        kappa_span=kappa_span,
        # On paths that were drawn, how far a cost strays says nothing about the market.
        cost_std_bps=figure(found.std_bps) if is_recorded else 0.0,
    )
    return Offer(advice, found)


def recorded_participation(scene: Scene, leg: ParentOrder) -> float | None:
    """The leg's share of a mean day's volume; None where no volume is recorded, and huge where it is zero."""
    volume = scene.daily_volume.get(leg.symbol)
    return None if volume is None else leg.quantity / max(volume, 1.0)


def _offers(scene: Scene, leg: ParentOrder, frequency: Frequency) -> Offers:
    recorded = recorded_participation(scene, leg)
    participation = float(leg.notional) / scene.costs.assumed_daily_volume if recorded is None else recorded
    vol = scene.once(
        "daily volatilities", lambda: dict(zip(scene.symbols, ewma_vol(scene.returns).tolist(), strict=True))
    )
    cost = order_cost(scene, leg.quantity, float(leg.reference_price), participation, vol[leg.symbol])
    # As many slices as the leg's value bears; equal ones no more than its half-life leaves time for.
    lots = max(leg.quantity // scene.instrument(leg.symbol).lot, 1)
    worth = min(slices_for(cost.value, scene.costs.min_child_notional, scene.costs.max_slices), lots)
    timely = min(worth, slices_by_urgency(cost.kappa * cost.span, scene.costs.max_slices))
    is_recorded = frequency != "daily" and recorded is not None
    found: dict[Algorithm, Offer] = {}
    for algorithm in (WHERE_RECORDED if is_recorded else AT_BARS) if worth > 1 else AT_BARS[:1]:
        n_slices = timely if algorithm is Algorithm.TWAP else worth
        made = offer(_problem(scene, leg, cost, n_slices, is_recorded), algorithm, is_recorded=is_recorded)
        if made is not None:
            found[algorithm] = made
    figures = {name.value: item.measured for name, item in found.items()}
    taken = Algorithm(best_of(figures, scene.limits.max_participation_frac))
    fit = fitting(figures, scene.limits.max_participation_frac)
    return Offers(cost, {name: item for name, item in found.items() if name.value in fit}, taken)


def _problem(scene: Scene, leg: ParentOrder, cost: OrderCost, n_slices: int, is_recorded: bool) -> OrderProblem:
    """The leg over a whole session; on daily bars every slice is like every other."""
    shares = USUAL_SHAPE.window(SESSION_MINUTES, n_slices) if is_recorded else np.full(n_slices, 1.0 / n_slices)
    asked = OrderQuestion(leg.symbol, leg.side, leg.quantity, SESSION_MINUTES, n_slices)
    volumes = leg.quantity / cost.participation * shares
    lot = scene.instrument(leg.symbol).lot
    return OrderProblem(asked, cost, volumes, shares, scene.limits.max_participation_frac, lot)


def _slices(problem: OrderProblem, algorithm: Algorithm, kappa_span: float) -> IntArray | str:
    if algorithm is Algorithm.IS:
        # As its maker cuts it, from the trajectory that is known already.
        n_slices = problem.asked.n_slices
        return shortfall_slices(problem.asked.quantity, n_slices, kappa_span / n_slices, problem.lot, problem.volumes)
    # The close by the name that its maker has; its last part is measured at the touch, where a session sends it.
    return MAKERS["close" if algorithm is Algorithm.CLOSE else algorithm.value](problem)


def _kept_rate(problem: OrderProblem) -> float:
    """The share of volume to follow: each child is owed to the slice before, and must keep to the limit in its own."""
    steps = problem.shares[1:] / np.maximum(problem.shares[:-1], np.finfo(float).tiny)
    return problem.max_participation_frac * min(float(steps.min(initial=1.0)), 1.0)


def _row(found: Measured) -> dict[str, object]:
    return {
        "cost_bps": figure(found.cost_bps),
        "std_bps": figure(found.std_bps),
        "objective_bps": figure(found.objective_bps),
    }


def _urgency(half_life_sessions: float) -> Urgency:
    if half_life_sessions >= PATIENT_SESSIONS:
        return Urgency.LOW
    return Urgency.HIGH if half_life_sessions < HASTY_SESSIONS else Urgency.MEDIUM
