"""What happens to orders: opened, sent, answered, filled, closed; and the protective stops over positions."""

from decimal import Decimal
from typing import Literal

from pydantic import Field

from .decisions import Verdict
from .model import Payload, UtcTime
from .orders import ChildOrder, Fill, OrderState, Pace, ParentOrder


class OrderOpened(Payload):
    """A parent order began to be worked; arrival price is the mid when it did."""

    order: ParentOrder
    arrival_price: Decimal


class ChildSubmitted(Payload):
    """The intent to send a child, durable before it is sent, with the gate's answer to it."""

    child: ChildOrder
    verdict_hash: str


class ChildDenied(Payload):
    """The gate refused a child; it was never sent."""

    child: ChildOrder
    verdict: Verdict


class ChildClosed(Payload):
    """A child reached a terminal state other than filled."""

    client_order_id: str
    order_id: str
    state: Literal[OrderState.CANCELED, OrderState.REJECTED, OrderState.EXPIRED]
    unfilled: int = Field(ge=0)
    reason: str


class ChildAccepted(Payload):
    """The venue has the child and works it."""

    client_order_id: str
    order_id: str


class CancelRequested(Payload):
    """The intent to cancel a child, recorded before it is asked for."""

    client_order_id: str
    order_id: str
    reason: str


class CancelRefused(Payload):
    """The venue would not cancel: the child may still fill."""

    client_order_id: str
    order_id: str
    reason: str


class ChildUnresolved(Payload):
    """No answer came to a send or a cancel: the child may be working, filled or unknown to the venue."""

    client_order_id: str
    order_id: str
    reason: str


class OrderFilled(Payload):
    fill: Fill


class FillBusted(Payload):
    """The venue took an execution back: shares and money go back as if it had not been."""

    execution_id: str
    fill: Fill
    reason: str


class QuotesDropped(Payload):
    """Quotes of one symbol that came after the session had gone on to a later moment; told once, at its end."""

    symbol: str
    count: int = Field(ge=1)
    first: UtcTime
    """The time that the first of them was of."""
    most_behind_s: float = Field(gt=0)


class OrderClosed(Payload):
    """A parent order is over: what was filled, at what price, and the shortfall against arrival."""

    order_id: str
    decision_id: str
    filled: int = Field(ge=0)
    unfilled: int = Field(ge=0)
    average_price: Decimal | None
    arrival_price: Decimal
    fees: Decimal
    shortfall_bps: float
    status: Literal["filled", "partial", "unfilled"]
    reason: str = ""
    """Why its session was stopped; empty when it was not."""


class OrderPaced(Payload):
    """A parent order goes on at another pace, or no further: what it has cost against what was predicted."""

    order_id: str
    decision_id: str
    before: Pace
    after: Pace
    realized_bps: float
    """What its fills paid past the arrival price."""
    footprint_bps: float
    """The part of it that was paid past the mid: spread and impact, and not the market's own move."""
    expected_bps: float
    std_bps: float
    reason: str


class StopArmed(Payload):
    """A protective stop stands ready for a position, or with none left of it, no longer."""

    symbol: str
    quantity: int
    """The position it is for, signed."""
    entry_price: Decimal
    stop_price: Decimal


class StopFired(Payload):
    """A quote reached a position's protective stop."""

    symbol: str
    quantity: int
    stop_price: Decimal
    price: Decimal
    """The side of the quote that the position can be closed at."""
    exits: tuple[ParentOrder, ...]
    """The approved orders that close it; none where the gate or the desk refused."""
    outcome: str
    """What was done about it."""
