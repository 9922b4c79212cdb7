"""What a venue or broker charges per order."""

from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

from ...domain.orders import Side
from ..errors import ExecutionError

CENT = Decimal("0.01")
ZERO = Decimal(0)
BPS = Decimal(10_000)


def _check(name: str, amount: Decimal) -> None:
    if not amount.is_finite() or amount < 0:
        raise ExecutionError(
            f"fee {name} is {amount}, expected a finite amount of at least 0",
            remedy="Correct the fee settings.",
        )


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
            _check(name, getattr(self, name))

    def fee(self, quantity: int, notional: Decimal) -> Decimal:
        """The whole fee of an order once this much of it has filled."""
        if quantity == 0:
            return Decimal(0)
        raw = notional * self.value_bps / BPS + self.per_share * quantity
        return (raw if raw > self.minimum else self.minimum).quantize(CENT, ROUND_CEILING)


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """A broker's commission, the exchange's charge for taking or pay for making, and the levies on sales.

    The commission is `broker`, at most `max_value_frac` of the value. `taker_per_share` and `maker_per_share`
    are the exchange's, below zero where it pays. Sales owe `sec_frac` of their value (SEC section 31) and
    `taf_per_share` up to `taf_max` an order (FINRA trading activity fee). All of it in whole cents, rounded up.
    """

    broker: FeeModel = field(default_factory=FeeModel)
    max_value_frac: Decimal | None = None
    taker_per_share: Decimal = ZERO
    maker_per_share: Decimal = ZERO
    sec_frac: Decimal = ZERO
    taf_per_share: Decimal = ZERO
    taf_max: Decimal = Decimal("8.30")

    def __post_init__(self) -> None:
        for name in ("taker_per_share", "maker_per_share"):
            if not getattr(self, name).is_finite():
                raise ExecutionError(
                    f"fee {name} is {getattr(self, name)}, expected a finite amount",
                    remedy="Correct the fee settings.",
                )
        for name in ("sec_frac", "taf_per_share", "taf_max", "max_value_frac"):
            if getattr(self, name) is not None:
                _check(name, getattr(self, name))

    def owed(self, side: Side, taken: int, made: int, notional: Decimal) -> Decimal:
        """The whole fee of an order once this much of it has filled by taking and by resting."""
        quantity = taken + made
        if quantity == 0:
            return ZERO
        commission = self.broker.fee(quantity, notional)
        if self.max_value_frac is not None:
            commission = min(commission, notional * self.max_value_frac)
        total = commission + self.taker_per_share * taken + self.maker_per_share * made
        if side is Side.SELL:
            total += notional * self.sec_frac + min(self.taf_per_share * quantity, self.taf_max)
        return total.quantize(CENT, rounding=ROUND_CEILING)

    def worst(self, quantity: int, price: Decimal) -> Decimal:
        """The most that an order of either side can owe at this price: all of it at the dearer of taking and making."""
        notional = price * quantity
        return max(self.owed(side, taken, quantity - taken, notional) for side in Side for taken in (0, quantity)).max(
            ZERO
        )


US_RETAIL_2024 = FeeSchedule(
    FeeModel(value_bps=ZERO, per_share=Decimal("0.0035"), minimum=Decimal("0.35")),
    max_value_frac=Decimal("0.01"),
    taker_per_share=Decimal("0.0030"),
    maker_per_share=Decimal("-0.0020"),
    sec_frac=Decimal("0.0000278"),
    taf_per_share=Decimal("0.000166"),
)
"""A tiered US stock plan of 2024: 0.35 cents a share, at least 35 cents, at most 1 % of the value; taking costs the
most that rule 610 of Regulation NMS allows; 27.80 dollars a million (SEC, from 22 May 2024), 0.0166 cents a share
(FINRA, 2024)."""
