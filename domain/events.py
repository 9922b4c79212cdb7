"""Every fact the desk records, and the envelope each one travels in; facts are in the past tense."""

from decimal import Decimal
from typing import Literal

from pydantic import Field, JsonValue

from .approval_events import ApprovalAnswered, ApprovalAsked
from .canonical import content_hash
from .control_events import (
    BookReconciled,
    IncidentRecorded,
    NotificationAcknowledged,
    NotificationRaised,
    OperatorAsked,
    TradingStateChanged,
)
from .decisions import Decision, Evidence, ModelCall, Suspicion, Verdict
from .errors import UnknownEvent
from .instruments import Universe
from .model import Fraction, Model, Payload, UtcTime
from .order_events import (
    CancelRefused,
    CancelRequested,
    ChildAccepted,
    ChildClosed,
    ChildDenied,
    ChildSubmitted,
    ChildUnresolved,
    FillBusted,
    OrderClosed,
    OrderFilled,
    OrderOpened,
    OrderPaced,
    QuotesDropped,
    StopArmed,
    StopFired,
)
from .orders import Plan
from .overnight import BorrowCharged, DividendBooked, OrderAdjusted, PositionRenamed, SharesSplit
from .reflections import Reflection
from .sessions import Session
from .step_events import StepHeld
from .views import Agent, Regime

GENESIS_HASH = "0" * 64


class RunStarted(Payload):
    """The first event of a log: everything needed to run it again."""

    run_id: str
    data: str
    data_fingerprint: str
    universe: Universe
    first_session: Session
    last_session: Session
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


class RegimeChanged(Payload):
    """The market's regime is another than at the last change, and what that switches by rule.

    `limit_factor` is the regime's own; a drawdown or a wild market may tighten the limits further.
    """

    decision_id: str
    from_regime: Regime
    to_regime: Regime
    probability: Fraction | None
    evidence: str | None
    limit_factor: Fraction
    voting_weights: dict[Agent, Fraction]
    framing: str
    reason: str


class UntrustedTextFlagged(Payload):
    """What a decision read or was told that looks like an attempt to steer it; it changes nothing by itself."""

    decision_id: str
    found: tuple[Suspicion, ...]


class PlanApproved(Payload):
    plan: Plan
    verdict: Verdict


class PositionCashedOut(Payload):
    """A held instrument stopped having prices; recorded days know no more, so its last price became cash."""

    symbol: str
    quantity: int
    price: Decimal
    priced_at: UtcTime
    reason: str


class PortfolioMarked(Payload):
    """Equity at a session's close, with the marks used."""

    session: Session
    equity: Decimal
    peak_equity: Decimal
    cash: Decimal
    gross: float
    net: float
    prices: dict[str, Decimal]
    benchmark: float | None
    traded: Decimal
    fees: Decimal


class ReflectionWritten(Payload):
    """A leg's horizon has passed: what was measured, for decisions from here on to be shown."""

    reflection: Reflection


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
        UntrustedTextFlagged,
        RegimeChanged,
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
        QuotesDropped,
        OrderClosed,
        OrderPaced,
        StopArmed,
        StopFired,
        BookReconciled,
        TradingStateChanged,
        OperatorAsked,
        NotificationRaised,
        NotificationAcknowledged,
        IncidentRecorded,
        ApprovalAsked,
        ApprovalAnswered,
        StepHeld,
        PositionCashedOut,
        DividendBooked,
        SharesSplit,
        PositionRenamed,
        BorrowCharged,
        OrderAdjusted,
        PortfolioMarked,
        ReflectionWritten,
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
