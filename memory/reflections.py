"""Makes lessons: what a decision traded, beside what was measured at its horizon. Pure; nobody's words come in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ..domain.decisions import Decision
from ..domain.order_events import OrderClosed
from ..domain.reflections import Reflection, lesson_id

BPS = 10_000
DIGITS = 10
"""Decimals of a return that are kept: more than anyone learns from, and the same on machines whose last bits differ."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Returns of every instrument with both prices, from the close after a decision to the end of its horizon."""

    known_at: datetime
    horizon_bars: int
    returns: Mapping[str, float]

    @property
    def average(self) -> float:
        return sum(self.returns.values()) / len(self.returns) if self.returns else 0.0


def reflections_of(decision: Decision, closed: Iterable[OrderClosed], measured: Measured) -> tuple[Reflection, ...]:
    """A lesson for each leg of the plan that was filled at all, by symbol.

    None for a leg whose setup was not kept, which is still open, or whose instrument lost its price on the way.
    """
    if decision.plan is None or decision.memory is None:
        return ()
    orders = {order.order_id: order for order in closed}
    signals = {signal.symbol: signal for signal in decision.signals}
    lessons: list[Reflection] = []
    for leg in sorted(decision.plan.legs, key=lambda leg: leg.symbol):
        order, setup = orders.get(leg.order_id), decision.memory.setups.get(leg.symbol)
        if order is None or setup is None or order.filled == 0 or leg.symbol not in measured.returns:
            continue
        return_frac, signal = measured.returns[leg.symbol], signals.get(leg.symbol)
        lessons.append(
            Reflection(
                reflection_id=lesson_id(decision.decision_id, leg.symbol),
                decision_id=decision.decision_id,
                symbol=leg.symbol,
                decided_at=decision.as_of,
                available_at=measured.known_at,
                horizon_bars=measured.horizon_bars,
                setup=setup,
                action=leg.side,
                said=signal.side if signal else None,
                return_frac=round(return_frac, DIGITS),
                relative_return=round(return_frac - measured.average, DIGITS),
                cost_bps=cost_bps(order),
            )
        )
    return tuple(lessons)


def cost_bps(order: OrderClosed) -> float:
    """Shortfall against arrival and fees, in basis points of what was filled at arrival."""
    base = order.arrival_price * order.filled
    fees = order.fees / base if base else Decimal(0)
    return round(order.shortfall_bps + float(fees * BPS), DIGITS)
