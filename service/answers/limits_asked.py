"""What-if questions about bounds: targets with a constraint dropped, and a recorded plan under other limits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import Field, JsonValue

from ...domain.decisions import Decision
from ...domain.events import DecisionMade
from ...domain.model import Model
from ...domain.views import TargetWeights
from ...gate.limits import TABLES, Limits
from ...quant.calibration import Outlook
from ...tools.errors import NotEnoughData
from ...tools.estimators import Estimators
from ...tools.ledger import Ledger
from ...tools.market import scores
from ...tools.portfolio import draft_plan, target_weights
from ...tools.risk import position_caps
from ...tools.scene import Scene
from .answer import Answer, Kind
from .arguments import RecordId
from .askable import Askable
from .draft import Draft, num, quote, when
from .finding import find_decision, unknown_decision
from .reader import Reading
from .reviewing import changed, decision_of, limits_of, moment_of, review_again, scene_of

Constraint = Literal["name_cap", "sector_cap", "gross_cap", "volatility_target", "drawdown_throttle", "regime"]
LimitName = Literal[
    "max_gross",
    "max_net",
    "max_instrument_weight",
    "max_sector_weight",
    "max_var_99_frac",
    "max_es_975_frac",
    "max_beta",
    "max_concentration_hhi",
    "max_cluster_weight",
    "max_daily_loss_frac",
    "max_participation_frac",
    "max_order_notional",
    "max_legs",
    "max_price_age_days",
    "max_liquidation_days",
]
WIDEST_GROSS = 4.0
MOVES_SHOWN = 5
REASONS_SHOWN = 6
REVIEWED = "last_reviewed"
LOOKED_BACK = 60
"""Decisions that are gone through for target weights: about a quarter of a year."""


class OfConstraint(Model):
    """Which constraint of the target weights to leave out."""

    constraint: Constraint = "name_cap"


class OfLimit(Model):
    """One limit at another value, in the file's own unit: a fraction of equity unless its name says otherwise."""

    limit: LimitName
    value: float = Field(ge=0.0, le=1e12)
    decision: RecordId = REVIEWED


@dataclass(frozen=True, slots=True)
class Built:
    """Target weights under some rules, and what the gate says to the plan that goes there."""

    targets: TargetWeights
    legs: int
    approved: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """What target weights are made under."""

    scene: Scene
    max_gross: float
    is_capped: bool = True


def _without(constraint: Constraint, rules: Rules, file_limits: Limits) -> Rules:
    """The same rules with one left out."""
    scene = rules.scene
    drop: Mapping[Constraint, Callable[[], Rules]] = {
        "name_cap": lambda: replace(rules, is_capped=False),
        "sector_cap": lambda: replace(rules, scene=_under(scene, changed(scene.limits, "max_sector_weight", 1.0))),
        "gross_cap": lambda: replace(rules, max_gross=WIDEST_GROSS),
        "volatility_target": lambda: replace(
            rules, scene=replace(scene, policy=replace(scene.policy, vol_target=1.0), memo={})
        ),
        "drawdown_throttle": lambda: replace(rules, scene=replace(scene, peak_equity=scene.equity, memo={})),
        "regime": lambda: Rules(_under(scene, file_limits), min(file_limits.max_gross, scene.policy.max_gross)),
    }
    return drop[constraint]()


def dropped_constraint(reading: Reading, draft: Draft, asked: OfConstraint) -> Answer:
    """The book that the optimizer would want without one constraint, beside the one it wants with all of them."""
    decision = _last_with_targets(reading)
    if decision is None:
        return draft.no_data("no decision of this run came to target weights yet.", more="decision")
    with_all = reading.of_decision("targets", lambda: _built(reading, decision, None), decision.decision_id)
    without = reading.of_decision(
        f"targets without {asked.constraint}", lambda: _built(reading, decision, asked.constraint), decision.decision_id
    )
    found = draft.derive(
        "targets",
        {
            "with_all": _described(with_all),
            "without": _described(without),
            "constraint": asked.constraint.replace("_", " "),
        }
        | {"session": decision.snapshot.session.isoformat()},
        decision=decision.decision_id,
    )
    old, new = found["with_all"], found["without"]
    draft.say(
        "Without the {} the targets at {} would be: gross {} instead of {}, volatility a year {} instead of {}.",
        *(quote(found["constraint"]), when(found["session"]), num(new["gross"], "frac"), num(old["gross"], "frac")),
        *(num(new["volatility"], "frac"), num(old["volatility"], "frac")),
    )
    draft.say(
        "Largest name {} with {}, before {} with {}.",
        *(quote(new["largest"]), num(new["largest_weight"], "frac")),
        *(quote(old["largest"]), num(old["largest_weight"], "frac")),
    )
    before = with_all.targets.weights
    moves = [
        {"symbol": name, "with_all": before[name], "without": weight, "move": weight - before[name]}
        for name, weight in without.targets.weights.items()
    ]
    moves.sort(key=lambda row: (-abs(row["move"]), row["symbol"]))
    table = draft.derive("moves", [*moves], decision=decision.decision_id).rows()
    if with_all.targets.weights == without.targets.weights:
        draft.say("It does not bind: no weight changes.")
    for row in table[:MOVES_SHOWN]:
        if row["move"].number():
            draft.say(
                "{}: {} instead of {}", quote(row["symbol"]), num(row["without"], "frac"), num(row["with_all"], "frac")
            )
    _say_verdict(draft, without)
    draft.table(
        {
            "symbol": ("text", "symbol"),
            "with all": ("frac", "with_all"),
            "without": ("frac", "without"),
            "difference": ("frac", "move"),
        },
        table,
    )
    return draft.answer(Kind.WHAT_IF, more="dropped_constraint constraint=volatility_target, or other_limits")


def other_limits(reading: Reading, draft: Draft, asked: OfLimit) -> Answer:
    """The gate's answer to a recorded plan with one limit moved, beside the one that is in the log."""
    named = asked.decision
    if named == REVIEWED:
        known = [item for item in reading.decisions if item.is_approved is not None]
        record = known[-1] if known else None
        if record is None:
            return draft.no_data("no plan of this run came before the gate yet.", more="decision")
    else:
        record = find_decision(reading, named)
        if record is None:
            return unknown_decision(reading, draft)
    decision = decision_of(reading, record.decision_id)
    plan = decision.plan or (decision.drafts[-1] if decision and decision.drafts else None) if decision else None
    if decision is None or decision.verdict is None or plan is None:
        return draft.no_data(
            "decision {} brought no plan before the gate.", quote(draft.derive("id", record.decision_id))
        )
    moment = moment_of(reading, decision)
    verdict = review_again(moment, plan, changed(moment.limits, asked.limit, asked.value))
    was = getattr(moment.limits, asked.limit)
    reasons: list[JsonValue] = [check.model_dump(mode="json") for check in verdict.reasons]
    found = draft.derive(
        "review",
        {"reasons": reasons, "was": next(iter(was.model_dump().values())) if asked.limit in TABLES else was}
        | {"limit": asked.limit, "value": asked.value, "decision": record.decision_id, "as_of": record.as_of}
        | {"checks": len(verdict.checks)},
        decision=record.decision_id,
        limits=moment.limits.hash(),
    )
    draft.say(
        "With {} at {} instead of {} the plan of {} ({}) "
        + ("would be let through." if verdict.approved else "would be vetoed."),
        *(quote(found["limit"]), num(found["value"]), num(found["was"])),
        *(quote(found["decision"]), when(found["as_of"])),
    )
    draft.say("In the log it was " + ("let through." if decision.verdict.approved else "vetoed."))
    if decision.plan is None:
        draft.say("The draft before the votes was reviewed here: a vetoed plan itself is not kept.")
    if asked.limit in TABLES:
        draft.say("The value stands for every asset class; the one of stocks was compared.")
    for row in found["reasons"].rows()[:REASONS_SHOWN]:
        draft.say("{}", quote(row["text"]))
    draft.table(
        {"check": ("text", "check"), "symbol": ("text", "symbol"), "text": ("text", "text")}, found["reasons"].rows()
    )
    draft.say("Asking changes nothing: limits are only ever tightened, and by the file or a confirmed intent.")
    return draft.answer(Kind.WHAT_IF, more=f"veto_reason decision={record.decision_id}, or limits_used")


def _say_verdict(draft: Draft, built: Built) -> None:
    if not built.legs:
        draft.say("The drift to it is inside the band, so no order would follow.")
    elif built.approved:
        draft.say("The gate would let the plan that goes there through, at the limits in force.")
    else:
        reason = draft.derive("gate_reason", built.reasons[0], legs=built.legs)
        draft.say("The gate would veto the plan that goes there, at the limits in force: {}", quote(reason))


def _last_with_targets(reading: Reading) -> Decision | None:

    def find() -> Decision | None:
        for record in reversed(reading.decisions[-LOOKED_BACK:]):
            decision = decision_of(reading, record.decision_id)
            if decision is not None and decision.targets is not None and decision.assessment is not None:
                return decision
        return None

    return reading.once("last with targets", find, of=(DecisionMade,))


def _built(reading: Reading, decision: Decision, dropped: Constraint | None) -> Built:
    snapshot = decision.snapshot
    empty = scene_of(reading, snapshot)
    scene = _under(empty, limits_of(reading, decision, empty))
    rules = Rules(scene, min(scene.limits.max_gross, scene.policy.max_gross))
    rules = _without(dropped, rules, reading.limits) if dropped else rules
    ledger = Ledger(snapshot.as_of, scene.view.fingerprint)
    outlook = reading.of_decision("outlook", lambda: _outlook(ledger, scene), decision.decision_id)
    caps = position_caps(ledger, rules.scene)[1] if rules.is_capped else dict.fromkeys(scene.symbols, 1.0)
    _, targets = target_weights(ledger, rules.scene, caps, rules.max_gross, outlook)
    plan = draft_plan(rules.scene, targets, decision.decision_id)
    if not plan.legs:
        return Built(targets, 0, True, ())
    moment = moment_of(reading, decision)
    verdict = review_again(moment, plan, moment.limits)
    return Built(targets, len(plan.legs), verdict.approved, tuple(check.text for check in verdict.reasons))


def _outlook(ledger: Ledger, scene: Scene) -> Outlook | None:
    try:
        return scores(ledger, scene, Estimators())[1].outlook
    except NotEnoughData:
        return None


def _described(built: Built) -> dict[str, JsonValue]:
    weights = built.targets.weights
    largest = max(weights, key=lambda name: (abs(weights[name]), name))
    return {
        "gross": built.targets.gross,
        "volatility": built.targets.volatility_annual,
        "largest": largest,
        "largest_weight": weights[largest],
        "legs": built.legs,
        "reasons": list(built.reasons),
    }


def _under(scene: Scene, limits: Limits) -> Scene:
    return replace(scene, limits=limits, memo={})


LIMITS_ASKED = (
    Askable(
        name="dropped_constraint",
        says="The targets without one constraint: name, sector or gross cap, volatility target, throttle, regime.",
        parameters=OfConstraint,
        answer=dropped_constraint,
        kind=Kind.WHAT_IF,
        examples=("What would the optimizer hold without the sector cap?",),
    ),
    Askable(
        name="other_limits",
        says="The gate's answer to a recorded plan with one limit at another value.",
        parameters=OfLimit,
        answer=other_limits,
        kind=Kind.WHAT_IF,
        examples=("Would the plan have passed with a VaR limit of 1 %?",),
    ),
)
