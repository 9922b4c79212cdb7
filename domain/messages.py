"""The three messages of the design document (signal, risk, portfolio) as versioned schemas.

They are the desk's public wire form: a decision renders into them, other programs may send them.
"""

from typing import Literal

from pydantic import Field

from .decisions import Decision
from .model import Fraction, Model, Symbol, UtcTime
from .orders import Side, Urgency
from .views import Stance

SCHEMA_VERSION = 1


class Message(Model):
    schema_version: Literal[1] = SCHEMA_VERSION
    agent_id: str = Field(min_length=1)
    timestamp: UtcTime


class SignalPayload(Model):
    symbol: Symbol
    signal: Stance
    confidence: Fraction
    expected_return: float
    time_horizon: str = Field(pattern=r"^[1-9][0-9]*[DWMY]$")
    attribution: dict[str, Fraction]


class SignalMessage(Message):
    message_type: Literal["trading_signal"] = "trading_signal"
    payload: SignalPayload


class PositionLimit(Model):
    max_weight: Fraction
    current: float


class RiskPayload(Model):
    portfolio_var: float = Field(ge=0)
    position_limits: dict[Symbol, PositionLimit]
    risk_approval: bool
    constraints: tuple[str, ...]


class RiskMessage(Message):
    message_type: Literal["risk_assessment"] = "risk_assessment"
    payload: RiskPayload


class OrderPayload(Model):
    symbol: Symbol
    action: Side
    quantity: int = Field(gt=0)
    urgency: Urgency
    max_participation: Fraction


class PortfolioPayload(Model):
    orders: tuple[OrderPayload, ...]
    expected_cost: float = Field(ge=0)
    deadline: UtcTime


class PortfolioMessage(Message):
    message_type: Literal["rebalancing_order"] = "rebalancing_order"
    payload: PortfolioPayload


def signal_messages(decision: Decision) -> tuple[SignalMessage, ...]:
    """One message per signal of a decision."""
    return tuple(
        SignalMessage(
            agent_id="market_analyst",
            timestamp=decision.as_of,
            payload=SignalPayload(
                symbol=signal.symbol,
                signal=signal.side,
                confidence=signal.confidence / 100,
                expected_return=signal.expected_return,
                time_horizon=f"{signal.horizon_days}D",
                attribution={source.value: share for source, share in signal.attribution.items()},
            ),
        )
        for signal in decision.signals
    )


def risk_message(decision: Decision) -> RiskMessage | None:
    """The assessment of a decision, with the gate's answer as its approval; None when none was made."""
    assessment, targets = decision.assessment, decision.targets
    if assessment is None:
        return None
    held = targets.held if targets else {}
    return RiskMessage(
        agent_id="risk_manager",
        timestamp=decision.as_of,
        payload=RiskPayload(
            portfolio_var=max(0.0, assessment.metrics.var_99_historical),
            position_limits={
                symbol: PositionLimit(max_weight=cap, current=held.get(symbol, 0.0))
                for symbol, cap in assessment.max_weights.items()
            },
            risk_approval=decision.verdict.approved if decision.verdict else False,
            constraints=(f"max_gross: {assessment.max_gross:g}", *assessment.alerts),
        ),
    )


def portfolio_message(decision: Decision, deadline: UtcTime) -> PortfolioMessage | None:
    """The approved plan of a decision; None when nothing is to be traded."""
    if decision.plan is None or not decision.plan.legs:
        return None
    legs = decision.plan.legs
    total = sum(float(leg.notional) for leg in legs)
    cost = sum(leg.advice.expected_cost_bps * float(leg.notional) for leg in legs) / total / 1e4
    return PortfolioMessage(
        agent_id="portfolio_optimizer",
        timestamp=decision.as_of,
        payload=PortfolioPayload(
            orders=tuple(
                OrderPayload(
                    symbol=leg.symbol,
                    action=leg.side,
                    quantity=leg.quantity,
                    urgency=leg.advice.urgency,
                    max_participation=leg.advice.max_participation_frac,
                )
                for leg in legs
            ),
            expected_cost=max(0.0, cost),
            deadline=deadline,
        ),
    )
