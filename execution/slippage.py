"""Watches what each parent costs against what was predicted, and changes its pace or stops it.

A parent whose advice says how uncertain its cost is (`cost_std_bps`) is held to that band. Past it, an order that pays
for its own footprint goes a slice behind its schedule, and one that the market runs away from a slice ahead; far past
it the model is wrong, and nothing more is sent. The same count feeds the slippage breaker of the whole session.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ..domain.events import OrderPaced
from ..domain.orders import BUY, Fill, Pace
from ..gate.results import exact
from .known_orders import KnownOrders
from .recorder import DESK, Recorder
from .shortfall import BPS
from .working import WorkingParent

ZERO = Decimal(0)

CALM_AT, ADJUST_AT, STOP_AT = 1.0, 2.0, 4.0
"""Standard deviations past the predicted cost: back to normal below, another pace from, and stopped from. If costs
were normal, one order in forty would change its pace and one in thirty thousand be stopped."""
LEAST_FILLED_FRAC = 0.05
"""Less of an order than this is no sample of its cost."""


@dataclass(slots=True)
class Paid:
    """What fills have paid past arrival, in money; `footprint` is the part past the mid at each fill."""

    filled: int = 0
    base: Decimal = ZERO
    past_arrival: Decimal = ZERO
    footprint: Decimal = ZERO
    expected: Decimal = ZERO
    """In money times basis points."""

    def take(self, fill: Fill, arrival: Decimal, expected_bps: float) -> None:
        """Count one more fill, of an order that was worked from this price and was to cost this much past it."""
        f = fill.__dict__
        quantity, price = f["quantity"], f["price"]
        base = arrival * quantity
        paid, footprint = price * quantity - base, (price - f["mid_price"]) * quantity
        self.filled += quantity
        self.base += base
        if f["side"] is BUY:
            self.past_arrival += paid
            self.footprint += footprint
        else:
            self.past_arrival -= paid
            self.footprint -= footprint
        self.expected += base * exact(expected_bps)

    @property
    def realized_bps(self) -> float | None:
        return float(self.past_arrival / self.base * BPS) if self.base else None

    @property
    def footprint_bps(self) -> float:
        return float(self.footprint / self.base * BPS) if self.base else 0.0

    @property
    def expected_bps(self) -> float | None:
        return float(self.expected / self.base) if self.base else None


def judged(before: Pace, realized_bps: float, footprint_bps: float, expected_bps: float, std_bps: float) -> Pace:
    """The pace that a parent's cost asks for; one that was stopped stays so."""
    excess = (realized_bps - expected_bps) / std_bps
    if before is Pace.STOPPED or excess >= STOP_AT:
        return Pace.STOPPED
    if excess >= ADJUST_AT:
        is_own = footprint_bps - expected_bps >= 0.5 * (realized_bps - expected_bps)
        return Pace.SLOWER if is_own else Pace.FASTER
    return Pace.NORMAL if excess < CALM_AT else before


class SlippageMonitor:
    """Counts the fills of a session once each, and judges its parents by them; a bust makes it count anew."""

    def __init__(self, orders: KnownOrders, parents: Mapping[str, WorkingParent], recorder: Recorder) -> None:
        self._orders, self._parents, self._recorder = orders, parents, recorder
        self._counted = self._busted = 0
        self._paid: dict[str, Paid] = {}
        self._unjudged: set[str] = set()
        self._total = Paid()
        self.realized_bps: float | None = None
        self.expected_bps: float | None = None
        """Of all that was filled for the parents of this session, at the last count."""

    def count(self) -> None:
        """Take in the fills since the last count."""
        if len(self._orders.busted) != self._busted:
            self._busted, self._counted = len(self._orders.busted), 0
            self._paid, self._total = {}, Paid()
        elif self._counted == self._orders.n_standing:
            return
        fills, self._counted = self._orders.standing(self._counted), self._orders.n_standing
        for fill in fills:
            parent = self._parents.get(fill.order_id)
            if parent is None:
                continue  # A late fill of an earlier plan's order: this session worked at no price for it.
            arrival, expected = parent.arrival_price or fill.mid_price, parent.order.advice.expected_cost_bps
            self._total.take(fill, arrival, expected)
            if parent.order.advice.cost_std_bps:
                self._paid.setdefault(fill.order_id, Paid()).take(fill, arrival, expected)
                self._unjudged.add(fill.order_id)
        self.realized_bps, self.expected_bps = self._total.realized_bps, self._total.expected_bps

    def judge(self, now: datetime) -> None:
        """Set the pace of every parent that filled since the last time, and tell it where it changes."""
        self.count()
        if not self._unjudged:
            return
        unjudged, self._unjudged = sorted(self._unjudged), set()
        for order_id in unjudged:
            parent = self._parents[order_id]
            paid, std = self._paid[order_id], parent.order.advice.cost_std_bps
            if paid.filled < LEAST_FILLED_FRAC * parent.order.quantity:
                continue
            realized, expected = paid.realized_bps, paid.expected_bps
            if realized is None or expected is None:
                continue
            after = judged(parent.pace, realized, paid.footprint_bps, expected, std)
            if after is not parent.pace:
                self._change(parent, after, realized, paid.footprint_bps, expected, now)

    def _change(
        self, parent: WorkingParent, after: Pace, realized: float, footprint: float, expected: float, now: datetime
    ) -> None:
        order, before = parent.order, parent.pace
        std = order.advice.cost_std_bps
        reason = (
            f"cost {realized:.1f} bps past arrival, {footprint:.1f} of them past the mid; "
            f"{expected:.1f} were expected, give or take {std:.1f}"
        )
        paced = OrderPaced(
            order_id=order.order_id,
            decision_id=order.decision_id,
            before=before,
            after=after,
            realized_bps=realized,
            footprint_bps=footprint,
            expected_bps=expected,
            std_bps=std,
            reason=reason,
        )
        self._recorder.of_order(order.order_id, now, DESK, paced, decision_id=order.decision_id)
        parent.take_pace(paced)
