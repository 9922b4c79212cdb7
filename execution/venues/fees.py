"""What a venue or broker charges per order."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from ..errors import ExecutionError

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class FeeModel:
    """A part by value, a part by share, and a minimum per order; billed in whole cents, rounded up.

    The defaults are a US retail broker's tiered stock plan: half a cent a share would be 0.5 bps at 100
    dollars; one basis point of the value holds over all prices, also back-adjusted ones.
    """

    value_bps: Decimal = Decimal(1)
    per_share: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        for name in ("value_bps", "per_share", "minimum"):
            amount: Decimal = getattr(self, name)
            if not amount.is_finite() or amount < 0:
                raise ExecutionError(
                    f"fee {name} is {amount}, expected a finite amount of at least 0",
                    remedy="Correct the fee settings.",
                )

    def fee(self, quantity: int, notional: Decimal) -> Decimal:
        """The whole fee of an order once this much of it has filled."""
        if quantity == 0:
            return Decimal(0)
        raw = notional * self.value_bps / 10_000 + self.per_share * quantity
        return max(raw, self.minimum).quantize(CENT, rounding=ROUND_CEILING)
