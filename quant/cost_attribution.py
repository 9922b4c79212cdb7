"""Where the money of one executed order went, in cash, by six causes that add up exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from .errors import ParameterError

Number = Decimal | int | float
"""A float counts as the decimal that it prints as: 10.05 is 10.05, not its binary neighbor."""

_GRID = Decimal("1e-8")
_DIGITS = 60
"""Products and sums of prices, quantities and half spreads stay exact far inside this precision."""


@dataclass(frozen=True, slots=True)
class ExecutedFill:
    """One fill, with the market at that moment."""

    quantity: Number
    """Shares, above 0."""
    price: Number
    mid: Number
    """Middle of bid and ask just before the fill."""
    touch: Number | None = None
    """Best opposite price just before the fill; None where it is not known, and all past the mid is spread."""


@dataclass(frozen=True, slots=True)
class CostAttribution:
    """Cash costs of one parent order; positive is money lost, and the six parts sum exactly to ``total``."""

    delay: Decimal
    """Drift of the mid from decision to arrival, on what was filled."""
    spread: Decimal
    """The touch against the mid of the fills' moments; negative when the spread was earned."""
    impact: Decimal
    """What was paid past the touch, and what the impact model expected our own trading to move the mid."""
    timing: Decimal
    """The rest of the mid's move from arrival to each fill: the market's drift, or a wrong impact model."""
    opportunity: Decimal
    """Drift of the mid from decision to the end, on what was never filled."""
    fees: Decimal
    total: Decimal
    """The paper portfolio minus the real one."""
    decided_value: Decimal
    """Quantity times decision price: what ``bps`` divides by."""

    def bps(self, cost: Decimal) -> float:
        """A cost of this order in basis points of its decided value."""
        return float(cost / self.decided_value) * 1e4


def attribute_cost(
    *,
    side: int,
    quantity: Number,
    decision_price: Number,
    arrival_price: Number,
    fills: Sequence[ExecutedFill],
    closing_price: Number,
    expected_impact_frac: Number = 0,
    fees: Number = 0,
) -> CostAttribution:
    """Implementation shortfall in cash, its trading part split into spread, impact and timing.

    Parameters
    ----------
    side : +1 to buy, -1 to sell
    quantity : what was decided, in shares, above 0
    decision_price, arrival_price, closing_price : mids when it was decided, when the order arrived and when
        the remainder was given up
    fills : executions with the mid of their moment; empty when nothing was filled
    expected_impact_frac : modelled mean price impact over the order as a fraction of the arrival price, such
        as ``impact.impact_frac`` of the filled quantity; at least 0
    fees : cash paid on all fills; negative for a rebate

    Raises
    ------
    ParameterError : a side other than +1 or -1, a NaN, a price or size not above 0, or more filled than decided

    Source: Perold (1988), J. Portfolio Management 14; Kissell (2006), "The expanded implementation
    shortfall", J. of Trading 1, for the split of the trading part.
    """
    if side not in (1, -1):
        raise ParameterError(f"side: found {side}, expected +1 (buy) or -1 (sell)")
    with localcontext() as context:
        context.prec = _DIGITS
        decided = _exact(quantity, "quantity", above_zero=True)
        decision = _exact(decision_price, "decision_price", above_zero=True)
        arrival = _exact(arrival_price, "arrival_price", above_zero=True)
        closing = _exact(closing_price, "closing_price", above_zero=True)
        model = _exact(expected_impact_frac, "expected_impact_frac")
        paid = _exact(fees, "fees")
        if model < 0:
            raise ParameterError(f"expected_impact_frac: found {model}, expected at least 0")
        rows = [_exact_fill(fill) for fill in fills]
        filled = sum((size for size, _, _, _ in rows), Decimal(0))
        if filled > decided:
            raise ParameterError(
                f"fills: found {filled} shares filled of {decided} decided, expected no more than decided",
                remedy="Drop duplicate execution reports before measuring the cost.",
            )
        # On a grid of a hundred-millionth of the currency, so that readers in ordinary precision can add the parts up.
        delay = _on_grid(side * (arrival - decision) * filled)
        spread = _on_grid(side * sum((size * (touch - mid) for size, _, mid, touch in rows), Decimal(0)))
        swept = _on_grid(side * sum((size * (price - touch) for size, price, _, touch in rows), Decimal(0)))
        moved = _on_grid(side * sum((size * (mid - arrival) for size, _, mid, _ in rows), Decimal(0)))
        modelled = _on_grid(model * arrival * filled)
        opportunity = _on_grid(side * (closing - decision) * (decided - filled))
        paid = _on_grid(paid)
        impact, timing = swept + modelled, moved - modelled
        total = delay + spread + impact + timing + opportunity + paid
        return CostAttribution(delay, spread, impact, timing, opportunity, paid, total, decided * decision)


def _on_grid(cash: Decimal) -> Decimal:
    return cash.quantize(_GRID)


def _exact_fill(fill: ExecutedFill) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    price = _exact(fill.price, "fill price", above_zero=True)
    return (
        _exact(fill.quantity, "fill quantity", above_zero=True),
        price,
        _exact(fill.mid, "fill mid", above_zero=True),
        price if fill.touch is None else _exact(fill.touch, "fill touch", above_zero=True),
    )


def _exact(value: Number, name: str, *, above_zero: bool = False) -> Decimal:
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    if not exact.is_finite() or (above_zero and exact <= 0):
        wanted = "a finite number above 0" if above_zero else "a finite number"
        raise ParameterError(f"{name}: found {value}, expected {wanted}")
    return exact
