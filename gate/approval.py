"""The two approved types and the register that makes them: what is not in the register is not approved.

An approved object is genuine when the gate issued this very object and its content is still what was
reviewed. Both facts live in this module's registers and not on the object, so copying, unpickling,
building one with `object.__new__` or changing a field yields something that venues refuse.

Python cannot stop code in the same process that sets out to edit these registers. What holds that line is
outside the language: a test that no file beyond `gate/` names `issue_plan` or `issue_order`, and the
floors, which keep agents, tools and service code away from venues.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from operator import is_
from typing import Any, NamedTuple, NoReturn, final
from weakref import WeakKeyDictionary

from ..domain.canonical import content_hash
from ..domain.instruments import AssetClass
from ..domain.orders import ChildOrder, Plan, Side
from ..domain.portfolio import Portfolio
from .errors import NotApproved
from .state import WorkingOrder, stamp


@dataclass(frozen=True, slots=True)
class LegTerms:
    """What was approved of one leg, copied out of the plan so that later tampering with it changes nothing."""

    order_id: str
    symbol: str
    side: Side
    quantity: int
    mark: Decimal
    tick: Decimal
    lot: int
    asset_class: AssetClass
    sector: str
    daily_volume: float | None
    shortable: int | None = None
    """Shares located for a short sale when the plan was approved; None when nobody looked."""
    protects: bool = False
    """Approved for a protective order alone: nothing but a stop that rests is a child of it."""


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """What one approval covers: its legs, and the book and marks it was given for."""

    decision_id: str
    content_hash: str
    limits_hash: str
    state_version: str
    equity: Decimal
    portfolio: Portfolio
    legs: Mapping[str, LegTerms]
    marks: Mapping[str, Decimal]
    groups: Mapping[str, tuple[AssetClass, str]]
    working: tuple[WorkingOrder, ...]
    strategy: str = ""


class _Approved:
    """Refuses every way of making or changing an object that Python offers for free."""

    __slots__ = ("__weakref__",)

    def __new__(cls, *args: object, **kwargs: object) -> NoReturn:
        raise NotApproved(
            f"{cls.__name__} can't be constructed: only the gate issues it",
            remedy="Send the plan or the order through parley.gate.gate.",
        )

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise NotApproved(f"{type(self).__name__}.{name} can't be changed after approval")

    def __delattr__(self, name: str) -> NoReturn:
        raise NotApproved(f"{type(self).__name__}.{name} can't be removed after approval")

    def __copy__(self) -> NoReturn:
        self._refuse_copy()

    def __deepcopy__(self, memo: object) -> NoReturn:
        self._refuse_copy()

    def __replace__(self, **changes: object) -> NoReturn:
        self._refuse_copy()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        self._refuse_copy()

    def _refuse_copy(self) -> NoReturn:
        raise NotApproved(
            f"{type(self).__name__} can't be copied or stored: an approval is for one object in one process",
            remedy="Store the plan and its verdict, and review it again.",
        )


@final
class ApprovedPlan(_Approved):
    """A plan the gate let through."""

    __slots__ = ("plan",)
    plan: Plan

    @property
    def terms(self) -> PlanTerms:
        """What was approved; raises NotApproved unless the gate issued this object."""
        return terms_of(self)


@final
class ApprovedOrder(_Approved):
    """A child order the gate let through, with the hash of the review that did."""

    __slots__ = ("child", "verdict_hash")
    child: ChildOrder
    verdict_hash: str


class _Issued(NamedTuple):
    """What was reviewed of an order: its digest, the review's hash, and the very values that the digest is over."""

    digest: str
    verdict_hash: str
    names: tuple[str, ...]
    values: tuple[Any, ...]

    def is_of(self, child: ChildOrder) -> bool:
        """Whether these are the fields that were reviewed. None of their types can change, so that a child which
        still holds the same objects need not be hashed again; any other one is."""
        fields = child.__dict__
        is_untouched = tuple(fields) == self.names and all(map(is_, fields.values(), self.values))
        return is_untouched or child_digest(child) == self.digest


_PLANS: WeakKeyDictionary[ApprovedPlan, PlanTerms] = WeakKeyDictionary()
_ORDERS: WeakKeyDictionary[ApprovedOrder, _Issued] = WeakKeyDictionary()
_new, _set = object.__new__, object.__setattr__


def issue_plan(plan: Plan, terms: PlanTerms) -> ApprovedPlan:
    """For the gate alone."""
    approved = _new(ApprovedPlan)
    _set(approved, "plan", plan)
    _PLANS[approved] = terms
    return approved


def issue_order(child: ChildOrder, digest: str, verdict_hash: str) -> ApprovedOrder:
    """For the gate alone."""
    approved, fields = _new(ApprovedOrder), child.__dict__
    _set(approved, "child", child)
    _set(approved, "verdict_hash", verdict_hash)
    _ORDERS[approved] = _Issued(digest, verdict_hash, tuple(fields), tuple(fields.values()))
    return approved


def terms_of(plan: ApprovedPlan) -> PlanTerms:
    """The terms the gate wrote down for this object, whatever has been done to the object since."""
    terms = _PLANS.get(plan) if type(plan) is ApprovedPlan else None
    if terms is None:
        raise _forged(plan)
    return terms


def genuine_plan(plan: ApprovedPlan) -> Plan:
    """The plan inside, once it is proved to be the one that was reviewed."""
    terms = terms_of(plan)
    if content_hash(plan.plan) != terms.content_hash:
        raise _altered(plan)
    return plan.plan


def genuine_order(order: ApprovedOrder) -> ChildOrder:
    """The child inside, once it is proved to be the one that was reviewed: a venue's first line."""
    issued = _ORDERS.get(order) if type(order) is ApprovedOrder else None
    if issued is None:
        raise _forged(order)
    child = order.child
    if order.verdict_hash != issued.verdict_hash or not issued.is_of(child):
        raise _altered(order)
    return child


def child_digest(child: ChildOrder) -> str:
    """SHA-256 over every field of a child; a tenth of the cost of its canonical JSON, on the hot path."""
    # Read from the dictionary: a model's own attribute access costs twice that.
    f = child.__dict__
    # The enumerations are text already: joined as such, and not formatted, they cost nothing.
    fields = (
        f["client_order_id"], f["order_id"], f["decision_id"], f["symbol"], f["side"],
        str(f["quantity"]), str(f["limit_price"]), str(f["sequence"]), stamp(f["created_at"]),
        f["order_type"], f["time_in_force"], str(f["stop_price"]), str(f["expires_at"]),
    )  # fmt: skip
    try:
        text = "\x1f".join(fields)
    except TypeError:  # One of them has been made something else: it has another digest then.
        text = "\x1f".join(map(str, fields))
    return hashlib.sha256(text.encode()).hexdigest()


def _forged(value: Any) -> NotApproved:
    return NotApproved(
        f"a {type(value).__name__} was offered that the gate never issued",
        remedy="Send the plan or the order through parley.gate.gate.",
    )


def _altered(value: Any) -> NotApproved:
    return NotApproved(
        f"the content of this {type(value).__name__} is not what the gate reviewed",
        remedy="Never change an approved plan or order; make a new one and have it reviewed.",
    )
