"""What all plan checks share: each leg beside its marks, and the book as it would be in the worst case."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ..domain.instruments import AssetClass, Instrument
from ..domain.orders import ParentOrder, Plan, Side
from .limits import Limits
from .state import GateState, WorkingOrder

Group = tuple[AssetClass, str]
"""A sector inside its asset class: funds and companies of one sector are not added up."""


@dataclass(frozen=True, slots=True)
class LegContext:
    """One leg, what is held and open of its instrument, and whether it only takes risk off.

    `price` is the state's mark, None when it is missing, not finite or not positive. A leg reduces when it
    goes against the position and, with the open orders and sister legs on its side, not through zero.
    """

    leg: ParentOrder
    instrument: Instrument | None
    price: Decimal | None
    age_days: float | None
    held: int
    open_same_side: int
    reduces: bool


@dataclass(frozen=True, slots=True)
class Exposure:
    """The largest quantity (signed) one instrument may reach, and its value at the mark; None without a mark."""

    quantity: int
    value: Decimal | None
    group: Group | None
    highest: Decimal | None
    """Signed value at the upper end, if only buys fill; `lowest` if only sells do. Reducing legs are credited."""
    lowest: Decimal | None


@dataclass(frozen=True, slots=True)
class PlanContext:
    """Everything a plan check may look at. `equity` is None unless it is finite and positive."""

    plan: Plan
    state: GateState
    limits: Limits
    now: datetime
    legs: tuple[LegContext, ...]
    equity: Decimal | None
    exposures: Mapping[str, Exposure]

    @property
    def adding(self) -> tuple[LegContext, ...]:
        return tuple(item for item in self.legs if not item.reduces)

    @property
    def adds_risk(self) -> bool:
        return any(not item.reduces for item in self.legs)


def plan_context(plan: Plan, state: GateState, limits: Limits, now: datetime) -> PlanContext:
    """The plan beside the book; built once, so that each check is a few comparisons.

    Worst case: open and UNKNOWN orders count as filled on the side that adds. The plan's own reducing legs
    are credited, since otherwise a fully invested book could never change hands; the child check, which
    runs at the instant of sending, gives no such credit.
    """
    held = state.portfolio.holdings()
    opened = _open_quantities(state)
    planned: dict[tuple[str, Side], int] = defaultdict(int)
    for leg in plan.legs:
        planned[leg.symbol, leg.side] += leg.quantity
    legs = tuple(_leg_context(leg, state, held, opened, planned) for leg in plan.legs)
    reducing = {(item.leg.symbol, item.leg.side) for item in legs if item.reduces}
    symbols = sorted({*held, *(symbol for symbol, _ in opened), *(leg.symbol for leg in plan.legs)})
    exposures = {symbol: _exposure(symbol, state, held.get(symbol, 0), opened, planned, reducing) for symbol in symbols}
    equity = state.equity if is_positive(state.equity) else None
    return PlanContext(plan, state, limits, now, legs, equity, exposures)


def is_positive(value: Decimal | None) -> bool:
    """Whether a price or an amount is there, finite and above zero."""
    return value is not None and value.is_finite() and value > 0


def mark(state: GateState, symbol: str) -> Decimal | None:
    price = state.prices.get(symbol)
    return price if is_positive(price) else None


def group_of(instrument: Instrument | None) -> Group | None:
    return (instrument.asset_class, instrument.sector) if instrument else None


def _open_quantities(state: GateState) -> dict[tuple[str, Side], int]:
    """Protective orders count as far as they go beyond what is held: none of a name's children passes its own check
    until they are taken back, or shrunk by as much."""
    opened: dict[tuple[str, Side], int] = defaultdict(int)
    protective: dict[tuple[str, Side], int] = defaultdict(int)
    held = state.portfolio.holdings()
    for order in state.working:
        of_kind = protective if _is_protective(order, held.get(order.symbol, 0), mark(state, order.symbol)) else opened
        of_kind[order.symbol, order.side] += order.quantity
    for (symbol, side), quantity in protective.items():
        opened[symbol, side] += max(quantity - abs(held.get(symbol, 0)), 0)
    return opened


def _is_protective(order: WorkingOrder, held: int, price: Decimal | None) -> bool:
    """A stop on the side that closes the position, which the mark has yet to reach; in doubt it is like any order."""
    if not is_positive(order.stop_price) or price is None or held * order.side.sign >= 0:
        return False
    return order.stop_price is not None and order.side.sign * (order.stop_price - price) > 0


def _leg_context(
    leg: ParentOrder,
    state: GateState,
    held: Mapping[str, int],
    opened: Mapping[tuple[str, Side], int],
    planned: Mapping[tuple[str, Side], int],
) -> LegContext:
    quantity = held.get(leg.symbol, 0)
    same_side = opened.get((leg.symbol, leg.side), 0)
    against = quantity * leg.side.sign < 0
    through_zero = planned[leg.symbol, leg.side] + same_side > abs(quantity)
    reduces = against and not through_zero
    return LegContext(
        leg=leg,
        instrument=state.instruments.get(leg.symbol),
        price=mark(state, leg.symbol),
        age_days=state.price_ages_days.get(leg.symbol),
        held=quantity,
        open_same_side=same_side,
        reduces=reduces,
    )


def _exposure(
    symbol: str,
    state: GateState,
    held: int,
    opened: Mapping[tuple[str, Side], int],
    planned: Mapping[tuple[str, Side], int],
    reducing: set[tuple[str, Side]],
) -> Exposure:
    buys, sells = planned.get((symbol, Side.BUY), 0), planned.get((symbol, Side.SELL), 0)
    high = held + opened.get((symbol, Side.BUY), 0) + buys
    low = held - opened.get((symbol, Side.SELL), 0) - sells
    # Only a reducing leg pulls in the far end; an adding one must not, or a bigger order could look safer.
    if (symbol, Side.SELL) in reducing:
        high -= sells
    if (symbol, Side.BUY) in reducing:
        low += buys
    quantity = high if abs(high) >= abs(low) else low
    price = mark(state, symbol)
    value = None if price is None else price * abs(quantity)
    ends = (None, None) if price is None else (price * high, price * low)
    return Exposure(quantity, value, group_of(state.instruments.get(symbol)), *ends)
