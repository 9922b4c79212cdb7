"""Which plans wait for a person: a pure rule over the decision, the run so far, and the settings.

A larger plan never needs less: every reason of a plan is one of each plan that has its legs and more, or more of them.
A plan none of whose legs adds risk has no reason at all.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ..domain.approval_events import ApprovalReason
from ..domain.decisions import Decision, Snapshot
from ..domain.orders import ParentOrder, Side
from ..domain.views import AbstainReason
from .approval_settings import ApprovalSettings

MODEL_TROUBLE = frozenset(
    {AbstainReason.UNPARSABLE, AbstainReason.MODEL_FAILED, AbstainReason.OUT_OF_BUDGET, AbstainReason.COPIED_WRONG}
)
"""Abstentions of a model that should have answered. Missing data is a source's usual state, and nothing new."""


@dataclass(frozen=True, slots=True)
class RunSoFar:
    """What of a run's past a plan is held to."""

    has_approved: bool = False
    """Whether a person has approved any plan of it."""
    is_new_regime: bool = False
    """Whether the market's regime has changed since the last plan that was approved."""
    fallbacks: int = 0
    """Replies of this very decision that rules gave in the place of a model."""


@dataclass(frozen=True, slots=True)
class AddedRisk:
    """The part of a plan that adds risk, in equities."""

    turnover_frac: float
    largest_leg_frac: float
    largest_symbol: str
    new_symbols: tuple[str, ...]


def approval_reasons(decision: Decision, so_far: RunSoFar, rule: ApprovalSettings) -> tuple[ApprovalReason, ...]:
    """Why this decision's plan waits for a person; nothing where it may be worked as it is."""
    added = added_risk(decision)
    if rule.mode == "off" or added is None:
        return ()
    found = [ApprovalReason(code="every_plan", text="every plan that adds risk is asked for")]
    reasons = found if rule.mode == "all" else []
    if added.turnover_frac > rule.turnover_frac:
        text = f"legs that add risk come to {added.turnover_frac:.1%} of equity, above {rule.turnover_frac:.1%}"
        reasons.append(ApprovalReason(code="turnover", text=text, figure=added.turnover_frac, limit=rule.turnover_frac))
    if added.largest_leg_frac > rule.leg_frac:
        name, size = added.largest_symbol, added.largest_leg_frac
        text = f"{name} alone is {size:.1%} of equity, above {rule.leg_frac:.1%}"
        reasons.append(ApprovalReason(code="leg", text=text, figure=size, limit=rule.leg_frac, symbols=(name,)))
    return (*reasons, *_novelties(decision, added, so_far)) if rule.novelty else tuple(reasons)


def added_risk(decision: Decision) -> AddedRisk | None:
    """What the legs that add risk come to; None where the plan has none. A leg counts whole where any of it adds.

    Without equity there is nothing to measure by, and a leg is the whole of it.
    """
    adding = adding_legs(decision)
    if not adding:
        return None
    equity, traded = decision.snapshot.equity, dict[str, Decimal]()
    for leg in adding:
        traded[leg.symbol] = traded.get(leg.symbol, Decimal(0)) + leg.notional
    fracs = {symbol: float(value / equity) if equity > 0 else 1.0 for symbol, value in traded.items()}
    largest = max(sorted(fracs), key=lambda symbol: fracs[symbol])
    ever_held = {item.symbol for item in decision.snapshot.portfolio.positions}
    total = float(sum(traded.values(), Decimal(0)) / equity) if equity > 0 else float(len(fracs))
    return AddedRisk(total, fracs[largest], largest, tuple(sorted(fracs.keys() - ever_held)))


def adding_legs(decision: Decision) -> tuple[ParentOrder, ...]:
    """The legs of its plan that, with what is open already, may take a position further from zero, or through it."""
    legs = decision.plan.legs if decision.plan is not None else ()
    planned: Mapping[tuple[str, Side], int] = _summed(legs, decision.snapshot)
    held = decision.snapshot.portfolio.holdings()

    def adds(leg: ParentOrder) -> bool:
        quantity = held.get(leg.symbol, 0)
        return quantity * leg.side.sign >= 0 or planned[leg.symbol, leg.side] > abs(quantity)

    return tuple(leg for leg in legs if adds(leg))


def _summed(legs: tuple[ParentOrder, ...], snapshot: Snapshot) -> Mapping[tuple[str, Side], int]:
    """Shares by name and side, those of open orders too; a stop is taken back before its name is traded."""
    total = defaultdict[tuple[str, Side], int](int)
    for leg in legs:
        total[leg.symbol, leg.side] += leg.quantity
    for order in snapshot.working:
        if order.stop_price is None:
            total[order.symbol, order.side] += order.quantity
    return total


def _novelties(decision: Decision, added: AddedRisk, so_far: RunSoFar) -> list[ApprovalReason]:
    reasons = list[ApprovalReason]()
    if not so_far.has_approved:
        reasons.append(ApprovalReason(code="first_plan", text="no plan of this run was approved by a person yet"))
    if added.new_symbols:
        text = f"never held in this run: {', '.join(added.new_symbols)}"
        reasons.append(ApprovalReason(code="new_symbol", text=text, symbols=added.new_symbols))
    if so_far.is_new_regime:
        text = f"the first plan since the market's regime became {decision.regime.value}"
        reasons.append(ApprovalReason(code="new_regime", text=text))
    failed = sum(item.reason in MODEL_TROUBLE for item in decision.abstentions) + so_far.fallbacks
    if failed:
        text = f"{failed} questions of this decision had no usable reply of their model"
        reasons.append(ApprovalReason(code="model_trouble", text=text, figure=float(failed), limit=0.0))
    return reasons
