"""Asks the pure gate again, on a copy: the book as it stands, or a recorded plan under other limits."""

from dataclasses import dataclass, replace

from pydantic import ValidationError

from ...desk.control_log import CONTROL_FACTS
from ...domain.canonical import short_id
from ...domain.decisions import Decision, Snapshot, Verdict
from ...domain.events import DecisionMade
from ...domain.orders import ParentOrder, Plan, Side
from ...gate.gate import review_plan
from ...gate.limits import Limits
from ...gate.state import GateState
from ...gate.tightening import tightest
from ...graph.ports import decision_limits, gate_state
from ...tools.locates import located
from ...tools.scene import Scene
from .errors import BadArguments
from .places import BOOK
from .reader import Reading


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What the gate said, of which decision's moment, under which limits."""

    verdict: Verdict
    decision_id: str
    limits: Limits

    @property
    def limits_hash(self) -> str:
        return self.limits.hash()


@dataclass(frozen=True, slots=True)
class Moment:
    """A recorded decision's moment as the gate saw it: its state and the limits it was held to."""

    decision: Decision
    state: GateState
    limits: Limits


def decision_of(reading: Reading, decision_id: str) -> Decision | None:
    """A decision with all it saw and said, as it is in the log."""

    def read() -> Decision | None:
        event = reading.decision_event(decision_id)
        payload = event.decoded() if event else None
        return payload.decision if isinstance(payload, DecisionMade) else None

    return reading.of_decision("decision", read, decision_id)


def moment_of(reading: Reading, decision: Decision) -> Moment:
    """What the gate would review a plan of this decision against."""
    snapshot = decision.snapshot
    scene = scene_of(reading, snapshot)
    limits = limits_of(reading, decision, scene)
    return Moment(decision, _state(reading, scene, snapshot, decision.decision_id), limits)


def limits_of(reading: Reading, decision: Decision, scene: Scene) -> Limits:
    """What a decision was held to: the file's limits, tightened by people, and by its regime and drawdown."""
    limits = tightest(reading.limits, decision.snapshot.tightened)
    return decision_limits(limits, scene, decision.snapshot, decision.regime)


def review_of_book(reading: Reading, legs: tuple[ParentOrder, ...] = ()) -> Reviewed | None:
    """The gate's answer to the book as it is at the last close, and to legs that somebody thinks of; nothing is sent.

    Without legs it still measures the book. The limits are the last decision's, as far as people tightened them since.
    """
    decisions = reading.decisions
    if reading.last_mark is None or not decisions:
        return None

    def review() -> Reviewed | None:
        decision = decision_of(reading, decisions[-1].decision_id)
        if decision is None:
            return None
        moment = moment_of(reading, decision)
        snapshot = decision.snapshot
        plan = Plan(
            plan_id=short_id("plan", decision.decision_id, "asked"),
            decision_id=decision.decision_id,
            as_of=snapshot.as_of,
            legs=tuple(leg.model_copy(update={"decision_id": decision.decision_id}) for leg in legs),
        )
        limits = tightest(moment.limits, reading.standing.tightened)
        verdict, _ = review_plan(plan, moment.state, limits, snapshot.as_of)
        return Reviewed(verdict, decision.decision_id, limits)

    rests_on = (DecisionMade, *BOOK, *CONTROL_FACTS)
    return reading.once("review of book", review, *(leg.model_dump(mode="json") for leg in legs), of=rests_on)


def review_again(moment: Moment, plan: Plan, limits: Limits) -> Verdict:
    """The gate's answer to a recorded plan under these limits, at the plan's own moment."""
    return review_plan(plan, moment.state, limits, moment.decision.snapshot.as_of)[0]


def changed(limits: Limits, name: str, value: float) -> Limits:
    """A copy with one bound moved to wherever was asked, looser as well: for a question, never for the desk."""
    content = limits.model_dump()
    held = content[name]
    is_count = isinstance(held, int) and not isinstance(held, bool)
    content[name] = dict.fromkeys(held, value) if isinstance(held, dict) else int(value) if is_count else value
    try:
        return Limits.model_validate(content)
    except ValidationError as error:
        said = error.errors(include_input=False, include_url=False)[0]["msg"]
        raise BadArguments(f"{name} at {value:g}: {said}", remedy="Give it in the unit of the limits file.") from error


def scene_of(reading: Reading, snapshot: Snapshot) -> Scene:
    """A recorded decision's moment as the tools see it, under the limits of the file."""
    view = reading.history.as_of(snapshot.as_of)
    return reading.scene_as(view, snapshot.portfolio, snapshot.equity, snapshot.peak_equity)


def probe_legs(reading: Reading) -> tuple[ParentOrder, ...]:
    """One lot more of every name held: the smallest plan for which the gate measures the whole book."""
    held = [symbol for symbol in reading.portfolio.holdings() if symbol in reading.scene.symbols]
    return tuple(
        leg_of(reading, name, reading.scene.instrument(name).lot) for name in held or reading.scene.symbols[:1]
    )


def leg_of(reading: Reading, symbol: str, quantity: int) -> ParentOrder:
    """An order that somebody thinks of, at the last price; it is in no plan of the desk."""
    return ParentOrder(
        order_id=short_id("ask", reading.run_id, reading.last_session, symbol, quantity),
        decision_id="asked",
        symbol=symbol,
        side=Side.BUY if quantity > 0 else Side.SELL,
        quantity=abs(quantity),
        reference_price=reading.scene.prices[symbol],
        reason="asked what if",
    )


def _state(reading: Reading, scene: Scene, snapshot: Snapshot, decision_id: str) -> GateState:
    """As `graph.ports.Ports.gate_state` makes it."""
    settings = reading.settings
    venue = settings.venue.name(reading.data.recordings is not None)
    protected = frozenset(scene.prices) if settings.stop_loss_frac is not None else None
    state = gate_state(scene, snapshot, decision_id, strategy="default", venue=venue, protected=protected)
    if not reading.limits.allow_short:
        return state
    return replace(state, borrow=located(scene, settings.venue.borrow_rate_frac))
