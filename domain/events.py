"""Every fact the desk records, and the envelope each one travels in; facts are in the past tense."""

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field, JsonValue

from .canonical import content_hash
from .control_events import (
    BookReconciled,
    IncidentRecorded,
    NotificationAcknowledged,
    NotificationRaised,
    OperatorAsked,
    TradingStateChanged,
)
from .decisions import Decision, Evidence, ModelCall, Verdict
from .errors import UnknownEvent
from .instruments import Universe
from .model import Model, Payload, UtcTime
from .orders import ChildOrder, Fill, OrderState, ParentOrder, Plan

GENESIS_HASH = "0" * 64


class RunStarted(Payload):
    """The first event of a log: everything needed to run it again."""

    run_id: str
    data: str
    data_fingerprint: str
    universe: Universe
    first_session: date
    last_session: date
    seed: int
    model: str
    cash: Decimal
    settings: dict[str, JsonValue]
    settings_hash: str
    limits_hash: str
    parley_version: str


class DecisionMade(Payload):
    decision: Decision


class EvidenceRecorded(Payload):
    decision_id: str
    entries: tuple[Evidence, ...]


class ModelReplied(Payload):
    decision_id: str
    calls: tuple[ModelCall, ...]


class PlanApproved(Payload):
    plan: Plan
    verdict: Verdict


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


class PositionCashedOut(Payload):
    """A held instrument stopped having prices; recorded days know no more, so its last price became cash."""

    symbol: str
    quantity: int
    price: Decimal
    priced_at: UtcTime
    reason: str


class PortfolioMarked(Payload):
    """Equity at a session's close, with the marks used."""

    session: date
    equity: Decimal
    peak_equity: Decimal
    cash: Decimal
    gross: float
    net: float
    prices: dict[str, Decimal]
    benchmark: float | None
    traded: Decimal
    fees: Decimal


class RunFinished(Payload):
    run_id: str
    sessions: int
    decisions: int
    orders: int
    fills: int
    vetoes: int
    abstentions: int
    llm_calls: int
    equity: Decimal


PAYLOADS: dict[str, type[Payload]] = {
    kind.__name__: kind
    for kind in (
        RunStarted,
        DecisionMade,
        EvidenceRecorded,
        ModelReplied,
        PlanApproved,
        OrderOpened,
        ChildSubmitted,
        ChildDenied,
        ChildAccepted,
        CancelRequested,
        CancelRefused,
        ChildUnresolved,
        ChildClosed,
        OrderFilled,
        FillBusted,
        OrderClosed,
        BookReconciled,
        TradingStateChanged,
        OperatorAsked,
        NotificationRaised,
        NotificationAcknowledged,
        IncidentRecorded,
        PositionCashedOut,
        PortfolioMarked,
        RunFinished,
    )
}


class Actor(Model):
    """Who made a fact: a node of the graph, the gate, a venue, a person."""

    kind: Literal["desk", "node", "gate", "venue", "user"]
    name: str
    detail: str = ""


class NewEvent(Model):
    """A fact about to be appended."""

    stream: str
    event_time: UtcTime
    actor: Actor
    payload: Payload
    run_id: str
    decision_id: str | None = None
    order_id: str | None = None
    cause_id: str | None = None


class Event(Model):
    """A fact in the log. `recorded_at` and other host facts live outside the hashed part."""

    seq: int = Field(ge=1)
    id: str
    stream: str
    version: int = Field(ge=1)
    type: str
    schema_version: int = Field(ge=1)
    event_time: UtcTime
    run_id: str
    decision_id: str | None
    order_id: str | None
    cause_id: str | None
    actor: Actor
    payload: JsonValue
    prev_hash: str
    hash: str

    def decoded(self) -> Payload:
        """The payload as its own type."""
        return decode_payload(self.type, self.schema_version, self.payload)


def decode_payload(kind: str, schema_version: int, payload: JsonValue) -> Payload:
    known = PAYLOADS.get(kind)
    if known is None or known.schema_version != schema_version:
        raise UnknownEvent(
            f"event type {kind} version {schema_version} is not known to this version of Parley",
            remedy="Read the log with the version that wrote it, or upgrade Parley.",
        )
    return known.model_validate(payload)


def chain_hash(prev_hash: str, body: dict[str, JsonValue]) -> str:
    """SHA-256 over the previous hash and the canonical body (every field of Event but `hash`)."""
    return content_hash({"prev_hash": prev_hash, **body})
