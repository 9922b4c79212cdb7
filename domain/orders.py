"""Plans, parent and child orders, and fills: what the desk means to do and what came of it."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, Self, cast

from pydantic import Field, model_validator

from .model import Fraction, Model, Symbol, UtcTime

NonNegative = Annotated[float, Field(ge=0.0)]


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1


BUY, SELL = Side.BUY, Side.SELL
"""By these names where it counts: an enumeration's attribute costs ten times as much."""


class Algorithm(StrEnum):
    TWAP = "TWAP"
    VWAP = "VWAP"
    POV = "POV"
    IS = "IS"
    CLOSE = "CLOSE"


class Tactic(StrEnum):
    """How a slice is placed: at once with a marketable limit, first at rest on its own side of the market, or at rest
    only while the book leans its way."""

    MARKETABLE = "MARKETABLE"
    PEG = "PEG"
    LEAN = "LEAN"


class Urgency(StrEnum):
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


class Pace(StrEnum):
    """How a parent goes through its schedule: as planned, a slice behind or ahead of it, or no further."""

    NORMAL = "NORMAL"
    SLOWER = "SLOWER"
    FASTER = "FASTER"
    STOPPED = "STOPPED"


class OrderType(StrEnum):
    """STOP and STOP_LIMIT wait for the market to trade at their stop price, then are MARKET and LIMIT."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    STOP_LIMIT = "STOP_LIMIT"


class TimeInForce(StrEnum):
    """How long an order stands: OPG and CLS only take part in the opening and the closing auction."""

    DAY = "DAY"
    GTC = "GTC"
    GTD = "GTD"
    IOC = "IOC"
    FOK = "FOK"
    OPG = "OPG"
    CLS = "CLS"


class OrderState(StrEnum):
    """Where an order is in its life; the legal moves are one table in `execution/orders.py`."""

    INTENDED = "INTENDED"
    SUBMITTED = "SUBMITTED"
    ACCEPTED = "ACCEPTED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    PENDING_CANCEL = "PENDING_CANCEL"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    DENIED = "DENIED"
    UNKNOWN = "UNKNOWN"


def _is_unset(value: object) -> bool:
    return not value or value is Tactic.MARKETABLE


class ExecutionAdvice(Model):
    """How a parent order should be worked, and what that is expected to cost.

    What a schedule needs beyond these is here too, so that the log holds it and a restart works the same one. A field
    that says nothing is not written: advice without it has the bytes it always had.
    """

    algorithm: Algorithm = Algorithm.TWAP
    urgency: Urgency = Urgency.MEDIUM
    slices: int = Field(default=1, ge=1, le=390)
    max_participation_frac: Fraction = 0.1
    expected_cost_bps: float = 0.0
    tactic: Tactic = Field(default=Tactic.MARKETABLE, exclude_if=_is_unset)
    volume_shares: tuple[NonNegative, ...] = Field(default=(), exclude_if=_is_unset)
    """Volume expected in each slice, on any scale, from what was known when it was advised; empty where it was not."""
    kappa_span: NonNegative = Field(default=0.0, exclude_if=_is_unset)
    """Urgency of an IS order: Almgren and Chriss's kappa times the whole span."""
    cost_std_bps: NonNegative = Field(default=0.0, exclude_if=_is_unset)
    """Standard deviation of what it costs, around what is expected; 0 where nobody said."""

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        if self.volume_shares and (len(self.volume_shares) != self.slices or not sum(self.volume_shares) > 0):
            raise ValueError(
                f"volume_shares has {len(self.volume_shares)} values that sum to {sum(self.volume_shares)}, "
                f"expected {self.slices}, one for each slice, with a positive sum"
            )
        return self


class ParentOrder(Model):
    """One leg of a plan: a quantity of one instrument to reach, worked by an algorithm."""

    order_id: str
    decision_id: str
    symbol: Symbol
    side: Side
    quantity: int = Field(gt=0)
    reference_price: Decimal = Field(gt=0)
    reason: str
    advice: ExecutionAdvice = ExecutionAdvice()
    protects: bool = Field(default=False, exclude_if=_is_unset)
    """Its only child is a stop that closes a position and stands until it is taken back: it may go where trading is
    halted. A leg that says nothing of it has the bytes it always had."""

    @property
    def notional(self) -> Decimal:
        return self.reference_price * self.quantity


class Plan(Model):
    """The parent orders meant to reach the target weights; valid for the session after `as_of`."""

    plan_id: str
    decision_id: str
    as_of: UtcTime
    legs: tuple[ParentOrder, ...] = ()


class ChildOrder(Model):
    """A slice of a parent order: what is sent to a venue. Its id is a pure function of its place.

    Without an `order_type` it is a LIMIT order when it has a limit price and a MARKET order when it has none.
    Which types, prices and lifetimes go together is for the gate to say.
    """

    client_order_id: str
    order_id: str
    decision_id: str
    symbol: Symbol
    side: Side
    quantity: int = Field(gt=0)
    limit_price: Decimal | None = Field(default=None, gt=0)
    sequence: int = Field(ge=0)
    created_at: UtcTime
    order_type: OrderType = OrderType.LIMIT
    time_in_force: TimeInForce = TimeInForce.DAY
    stop_price: Decimal | None = Field(default=None, gt=0)
    expires_at: UtcTime | None = None
    """The last moment of a GTD order."""

    @model_validator(mode="before")
    @classmethod
    def _type_follows_the_limit(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        fields = cast("dict[str, Any]", given)
        if fields.get("order_type") is not None:
            return fields
        return {**fields, "order_type": OrderType.MARKET if fields.get("limit_price") is None else OrderType.LIMIT}


class Fill(Model):
    """One execution report. `execution_id` is the venue's; the ledger books each id once."""

    execution_id: str
    client_order_id: str
    order_id: str
    symbol: Symbol
    side: Side
    quantity: int = Field(gt=0)
    price: Decimal = Field(gt=0)
    fee: Decimal = Decimal(0)
    """Below zero where the venue pays for liquidity."""
    mid_price: Decimal = Field(gt=0)
    touch_price: Decimal = Field(gt=0)
    """The best opposite price when it happened: what lies past it is impact, what lies before it is spread."""
    venue: str
    ts_event: UtcTime
    synthetic: bool = False
    tier: Literal["T0", "T1", "T2"] = "T0"

    @property
    def notional(self) -> Decimal:
        return self.price * self.quantity
