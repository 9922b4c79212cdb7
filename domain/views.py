"""What the agents say: views by source, signals, abstentions, the risk assessment, targets and votes."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from .model import Fraction, Model, Percent, Score, Symbol


class Stance(StrEnum):
    BUY = "BUY"
    SELL = "SELL"
    HOLD = "HOLD"


class Source(StrEnum):
    TECHNICAL = "technical"
    SENTIMENT = "sentiment"
    MICROSTRUCTURE = "microstructure"
    MACRO = "macro"


class Agent(StrEnum):
    ANALYST = "market_analyst"
    RISK = "risk_manager"
    OPTIMIZER = "portfolio_optimizer"
    EXECUTION = "execution_agent"


class AbstainReason(StrEnum):
    NO_DATA = "no_data"
    SHORT_HISTORY = "short_history"
    NO_EDGE = "no_edge"
    UNPARSABLE = "unparsable"
    MODEL_FAILED = "model_failed"
    OUT_OF_BUDGET = "out_of_budget"


class Regime(StrEnum):
    CALM = "calm"
    STRESSED = "stressed"
    CRISIS = "crisis"
    UNKNOWN = "unknown"


class Abstention(Model):
    """Somebody had nothing to say, and why: never counted as a HOLD or a BUY."""

    who: str
    reason: AbstainReason
    text: str = ""


class SourceView(Model):
    """One source's score per instrument, from -1 (down) to 1 (up), or its abstention."""

    source: Source
    scores: dict[Symbol, Score] = {}
    abstention: Abstention | None = None
    evidence: tuple[str, ...] = ()


class Signal(Model):
    """The analyst's view of one instrument. `expected_return` is over the horizon, net of the market's part;
    `risk_adjusted_return` divides it by the residual volatility over the same horizon."""

    symbol: Symbol
    side: Stance
    confidence: Percent
    horizon_days: int = Field(ge=1)
    expected_return: float
    risk_adjusted_return: float
    regime: Regime
    attribution: dict[Source, Fraction]
    evidence: tuple[str, ...] = ()
    explanation: str = ""


class Hedge(Model):
    """A suggestion, not an order: the short amount of the benchmark that would remove the beta."""

    instrument: Symbol
    notional: float
    text: str


class RiskMetrics(Model):
    """One-day figures of a portfolio as fractions of equity; VaR and ES are positive when money is lost."""

    var_99_historical: float
    var_99_filtered: float | None = None
    """Past returns at each name's volatility of today; None where it is not known, as in older logs."""
    var_99_parametric: float
    es_975_historical: float
    es_975_parametric: float
    volatility_annual: float
    beta: float | None = None
    gross: float


class Assessment(Model):
    """The risk agent's opinion: figures now, caps it asks for (only ever tighter than the limits), alerts."""

    metrics: RiskMetrics
    regime: Regime
    max_weights: dict[Symbol, Fraction]
    max_gross: float
    alerts: tuple[str, ...] = ()
    hedge: Hedge | None = None
    evidence: tuple[str, ...] = ()
    explanation: str = ""


class SizingStep(Model):
    """One link of the chain from raw book to final size, for the report."""

    name: str
    value: float
    text: str


class TargetWeights(Model):
    """Fractions of equity by symbol, how they came about, and what they are expected to do."""

    weights: dict[Symbol, float]
    held: dict[Symbol, float]
    gross: float
    turnover: float
    volatility_annual: float
    expected_return: float
    exposures: dict[str, float]
    rebalance: bool
    path: tuple[SizingStep, ...] = ()
    evidence: tuple[str, ...] = ()
    explanation: str = ""


class Vote(Model):
    """One agent on one leg: for (+1), against (-1), neutral (0), or an abstention (no vote at all)."""

    agent: Agent
    symbol: Symbol
    value: Literal[-1, 0, 1] | None
    confidence: Percent = 0
    abstention: AbstainReason | None = None


class LegConsensus(Model):
    """What the votes on one leg came to; `size_multiplier` can only shrink the leg."""

    symbol: Symbol
    support: Score
    size_multiplier: Fraction
    voters: int
    dissent: tuple[Agent, ...] = ()


class Consensus(Model):
    """The weighted outcome for every leg, with the weights it was reached by."""

    weights: dict[Agent, Fraction]
    legs: tuple[LegConsensus, ...] = ()
