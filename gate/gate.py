"""The hard-coded veto: reviews a plan, then each child of it; the only way to an approved plan or order.

Pure: the same plan, book, limits and time give the same verdict. All checks run and all reasons are given.
Tightening a limit never turns a veto into an approval.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from ..domain.canonical import content_hash, short_id
from ..domain.decisions import CheckResult, Verdict
from ..domain.errors import CanonicalError
from ..domain.orders import ChildOrder, Plan
from . import checks, exposure_checks, list_checks, tail_checks
from .approval import (
    ApprovedOrder,
    ApprovedPlan,
    LegTerms,
    PlanTerms,
    child_digest,
    issue_order,
    issue_plan,
    terms_of,
)
from .child_checks import CHILD_CHECKS, is_well_formed, judged, passes, view_of
from .context import PlanContext, plan_context
from .errors import GateError
from .limits import Limits
from .results import result
from .state import GateState, OrderContext, stamp

PlanCheck = Callable[[PlanContext], list[CheckResult]]

PLAN_CHECKS: tuple[PlanCheck, ...] = (
    checks.check_plan_identity,
    checks.check_plan_age,
    checks.check_trading_state,
    checks.check_instruments,
    checks.check_marks,
    checks.check_book,
    checks.check_size,
    list_checks.check_lists,
    list_checks.check_halts,
    list_checks.check_versions,
    list_checks.check_protection,
    list_checks.check_short,
    exposure_checks.check_cash,
    exposure_checks.check_unexecuted,
    exposure_checks.check_daily_loss,
    exposure_checks.check_instrument_weights,
    exposure_checks.check_sector_weights,
    exposure_checks.check_gross,
    exposure_checks.check_net,
    exposure_checks.check_concentration,
    exposure_checks.check_liquidation,
    tail_checks.check_history,
    tail_checks.check_tail,
    tail_checks.check_beta,
    tail_checks.check_clusters,
)

ABSURD_LEGS = 20_000
"""No limits file allows near this many; a plan past it is refused by its count, before its legs are read."""


UNREADABLE = (CanonicalError, ArithmeticError, TypeError, ValueError, AttributeError, LookupError, RecursionError)
"""What values can raise that are not what their types promise (pydantic's ValidationError is a ValueError)."""


@dataclass(slots=True)
class ChildReview:
    """The answer to one child. `order` is None when it was refused. Never changed; not frozen, which would cost a
    microsecond: what can't be forged is the order inside.

    What was looked at is kept; `verdict` measures it line by line and puts that into words, which costs ten times
    what the review does and is only needed for refusals and for people. `verdict_hash` covers child, approval,
    limits, time and all that the child was measured against: the same review gives the same hash again.
    """

    child: ChildOrder
    order: ApprovedOrder | None
    terms: PlanTerms
    context: OrderContext
    limits: Limits
    now: datetime
    content_hash: str
    verdict_hash: str

    @property
    def verdict(self) -> Verdict:
        """The same answer as a table of checks."""
        measures = judged(view_of(self.child, self.terms, self.context, self.limits, self.now))[1]
        rows = zip(CHILD_CHECKS, measures, strict=True)
        return Verdict(
            approved=self.order is not None,
            checks=tuple(result(check.name, *measure, check.unit, check.what) for check, measure in rows),
            content_hash=self.content_hash,
            limits_hash=self.limits.hash(),
            state_version=self.terms.state_version,
            as_of=self.now,
        )


def review_plan(plan: Plan, state: GateState, limits: Limits, now: datetime) -> tuple[Verdict, ApprovedPlan | None]:
    """Check a plan against the book and the limits; an ApprovedPlan comes back only when all checks pass."""
    _require_zone(now)
    try:
        if len(plan.legs) > ABSURD_LEGS:
            count = result("legs", len(plan.legs), limits.max_legs, "legs", "the plan has")
            return _verdict(content_hash(f"{plan.plan_id}: {len(plan.legs)} legs"), (count,), state, limits, now), None
        # A model built without validation can hold anything: parse it again and go on with the parsed one.
        parsed = Plan.model_validate(plan.model_dump(warnings=False), strict=True)
        content = content_hash(parsed)
    except UNREADABLE as error:
        # No canonical form can be hashed of what is no plan; how Python shows it has to do.
        return _verdict(content_hash(_shown(plan)), (_refusal("well_formed", error),), state, limits, now), None
    try:
        if type(state.state_version) is not str:
            raise TypeError(f"state_version is a {type(state.state_version).__name__}")
        context = plan_context(parsed, state, limits, now)
        rows = tuple(row for check in PLAN_CHECKS for row in check(context))
    except UNREADABLE as error:
        # Decimal signals on overflow and on NaN that says so; the rest are values of types nobody promised.
        return _verdict(content, (_refusal("computable", error),), state, limits, now), None
    verdict = _verdict(content, rows, state, limits, now)
    if not verdict.approved:
        return verdict, None
    return verdict, issue_plan(parsed, _terms(context, verdict))


def approve_nothing(decision_id: str, state: GateState, limits: Limits, now: datetime) -> ApprovedPlan:
    """An approval without a leg: of a session in which resting orders are followed, and no child of it can pass."""
    _require_zone(now)
    plan = Plan(plan_id=short_id("plan", decision_id, "nothing"), decision_id=decision_id, as_of=now)
    context = plan_context(plan, state, limits, now)
    return issue_plan(plan, _terms(context, _verdict(content_hash(plan), (), state, limits, now)))


def review_child(
    child: ChildOrder, plan: ApprovedPlan, context: OrderContext, limits: Limits, now: datetime
) -> ChildReview:
    """Check one child of an approved plan at the instant of sending.

    Raises NotApproved when `plan` is not an object the gate issued; everything else is a refusal with reasons.
    """
    _require_zone(now)
    terms = terms_of(plan)
    approved = passes(child, terms, context, limits, now)
    digest = child_digest(child) if approved or is_well_formed(child) else content_hash(_shown(child))
    instant = context.text() if approved else _text_of(context)
    against = f"{terms.content_hash}\x1f{limits.hash()}\x1f{terms.state_version}"
    seal = f"{digest}\x1f{against}\x1f{stamp(now)}\x1f{instant}"
    verdict_hash = hashlib.sha256(seal.encode()).hexdigest()
    order = issue_order(child, digest, verdict_hash) if approved else None
    return ChildReview(child, order, terms, context, limits, now, digest, verdict_hash)


def _terms(context: PlanContext, verdict: Verdict) -> PlanTerms:
    """What the fast loop needs of this approval; only called when every leg has an instrument and a mark."""
    state = context.state
    legs = {
        item.leg.order_id: LegTerms(
            order_id=item.leg.order_id,
            symbol=item.leg.symbol,
            side=item.leg.side,
            quantity=item.leg.quantity,
            mark=item.price,
            tick=item.instrument.tick,
            lot=item.instrument.lot,
            asset_class=item.instrument.asset_class,
            sector=item.instrument.sector,
            daily_volume=state.daily_volumes.get(item.leg.symbol),
            shortable=borrow.shortable if (borrow := state.borrow.get(item.leg.symbol)) else None,
            protects=item.leg.protects,
        )
        for item in context.legs
        if item.price is not None and item.instrument is not None
    }
    exposures = context.exposures
    return PlanTerms(
        decision_id=context.plan.decision_id,
        content_hash=verdict.content_hash,
        limits_hash=verdict.limits_hash,
        state_version=verdict.state_version,
        equity=state.equity,
        portfolio=state.portfolio,
        legs=MappingProxyType(legs),
        marks=MappingProxyType({name: state.prices[name] for name in exposures if name in state.prices}),
        groups=MappingProxyType({name: item.group for name, item in exposures.items() if item.group}),
        working=state.working,
        strategy=state.strategy,
    )


def _verdict(content: str, rows: tuple[CheckResult, ...], state: GateState, limits: Limits, now: datetime) -> Verdict:
    return Verdict(
        approved=all(row.passed for row in rows),
        checks=rows,
        content_hash=content,
        limits_hash=limits.hash(),
        state_version=_version_of(state),
        as_of=now,
    )


def _text_of(context: OrderContext) -> str:
    """Of a refused child the instant may be anything at all."""
    try:
        return context.text()
    except UNREADABLE:
        return _shown(context)


def _version_of(state: GateState) -> str:
    version: object = getattr(state, "state_version", None)
    return version if isinstance(version, str) else _shown(version)[:200]


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # A `__repr__` of the caller's making may raise anything at all.
        return f"{type(value).__name__} that can't be shown: {type(error).__name__}"


def _refusal(check: str, error: Exception) -> CheckResult:
    # One short line: a hostile plan could otherwise write a book into the log.
    lines = str(error).splitlines()
    text = f"{check}: {type(error).__name__} {lines[0][:200] if lines else ''}"
    return CheckResult(check=check, value=None, limit=None, unit="flag", passed=False, text=text)


def _require_zone(now: datetime) -> None:
    if now.tzinfo is None:
        raise GateError("review time has no zone", remedy="Pass an aware datetime in UTC.")
