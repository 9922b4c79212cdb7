"""What one run decided: evidence, verdict, intent and the decision itself."""

from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import Field, JsonValue

from .model import Fraction, Model, Symbol, UtcTime
from .orders import Plan, Side
from .portfolio import Portfolio
from .reflections import Recollection
from .sessions import Session
from .trading import UNRESTRICTED, TradingStates
from .views import Abstention, Assessment, Consensus, Debate, Regime, Signal, SourceView, TargetWeights, Vote


class Evidence(Model):
    """One tool call: every number shown to a person resolves to an entry like this."""

    id: str
    tool: str
    tool_version: int = Field(ge=1)
    inputs_hash: str
    as_of: UtcTime
    unit: str
    output: JsonValue


class ModelCall(Model):
    """One language-model call as recorded: enough to replay it without the model."""

    node: str
    prompt: str
    prompt_version: int
    prompt_hash: str | None = None
    """Of the prompt's whole text; None in logs from before it was kept."""
    model: str
    request_hash: str
    reply: str
    error: str | None = None
    prompt_tokens: int
    completion_tokens: int


class Suspicion(Model):
    """Something from outside that plain rules found suspicious: which text or reply, and why; never its words."""

    origin: Literal["text", "reply"]
    name: str = Field(max_length=80)
    """The text's id, or the node whose model replied."""
    reasons: tuple[str, ...]
    text_hash: str


class CheckResult(Model):
    """One line of the gate's table: what was measured against which bound."""

    check: str
    symbol: Symbol | None = None
    value: float | None
    limit: float | None
    unit: str
    passed: bool
    text: str


class Verdict(Model):
    """The gate's answer to one content under one set of limits and one state; all reasons, not the first."""

    approved: bool
    checks: tuple[CheckResult, ...]
    content_hash: str
    limits_hash: str
    state_version: str
    as_of: UtcTime

    @property
    def reasons(self) -> tuple[CheckResult, ...]:
        return tuple(check for check in self.checks if not check.passed)


class IntentKind(StrEnum):
    """PROTECT is asked where trading is halted: orders that would close positions, and only as stops that rest."""

    REDUCE = "reduce"
    FLATTEN = "flatten"
    PROTECT = "protect"


class Intent(Model):
    """An operator's or breaker's typed request to take risk off; it still goes through the gate."""

    intent_id: str
    kind: IntentKind
    symbols: tuple[Symbol, ...] = Field(min_length=1)
    keep_frac: Fraction = 0.0
    keep_fracs: dict[Symbol, Fraction] = Field(default={}, exclude_if=lambda value: not value)
    """Of the names that keep another share than the rest."""
    by: str
    reason: str


class OpenOrder(Model):
    """An order of an earlier plan that may still fill: how much of it, and at what price at worst."""

    client_order_id: str
    symbol: Symbol
    side: Side
    quantity: int = Field(gt=0)
    worst_price: Decimal = Field(gt=0)
    stop_price: Decimal | None = Field(default=None, gt=0, exclude_if=lambda value: value is None)
    """What the market has to reach before it does anything."""


class Snapshot(Model):
    """What a decision starts from, frozen at `as_of`; arrays stay behind, reachable by `data_fingerprint`."""

    as_of: UtcTime
    session: Session
    symbols: tuple[Symbol, ...]
    prices: dict[Symbol, Decimal]
    portfolio: Portfolio
    equity: Decimal
    peak_equity: Decimal
    previous_equity: Decimal
    limits_hash: str
    settings_hash: str
    data_fingerprint: str
    model: str
    text_ids: tuple[str, ...] = ()
    trading_states: TradingStates = UNRESTRICTED
    """What breakers and people had restricted when the decision began."""
    working: tuple[OpenOrder, ...] = ()
    """What earlier plans left open, orders whose outcome nobody knows included."""
    tightened: dict[str, float] = Field(default={}, exclude_if=lambda value: not value)
    """Limits that people had made tighter when the decision began, by name."""


DecisionKind = Literal["trade", "no_trade", "vetoed", "refused"]


class Decision(Model):
    """All that one run saw, said, checked and settled.

    `trade`: legs were approved; `no_trade`: nothing needed doing; `vetoed`: the gate said no;
    `refused`: the desk lacked what it needs to decide (short history, bad data) and kept the book.
    """

    decision_id: str
    run_id: str
    as_of: UtcTime
    kind: DecisionKind
    summary: str
    snapshot: Snapshot
    regime: Regime
    views: tuple[SourceView, ...]
    signals: tuple[Signal, ...]
    assessment: Assessment | None
    targets: TargetWeights | None
    drafts: tuple[Plan, ...]
    votes: tuple[Vote, ...]
    consensus: Consensus | None
    verdicts: tuple[Verdict, ...]
    plan: Plan | None
    abstentions: tuple[Abstention, ...]
    intent: Intent | None = None
    debate: Debate | None = Field(default=None, exclude_if=lambda value: value is None)
    """What was argued where the sources disagreed; it may have moved the confidence of signals."""
    memory: Recollection | None = Field(default=None, exclude_if=lambda value: value is None)
    """Which lessons it saw; None where the desk has no memory."""
    llm_calls: int
    prompt_tokens: int

    @property
    def verdict(self) -> Verdict | None:
        return self.verdicts[-1] if self.verdicts else None
