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
    COPIED_WRONG = "copied_wrong"
    """Its copy of a fact differs from the evidence: whoever misreads that has no view worth hearing."""
    SWITCHED_OFF = "switched_off"
    UNSOUND_BOOK = "unsound_book"
    """Its newest quote is locked or crossed, so nothing new is ordered in it."""


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


def _is_unsaid(value: object) -> bool:
    return not value


class SourceView(Model):
    """One source's score per instrument, from -1 (down) to 1 (up), or its abstention."""

    source: Source
    name: str = Field(default="", exclude_if=_is_unsaid)
    """Of a further view of the same source; the source's own has none."""
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
    score: Score | None = None
    """The mean of the views that spoke of it, from -1 (down) to 1 (up); None in older logs and where none did."""
    parts: dict[Source, Score] = {}
    """How much of the score comes from each source, signed: they add up to it."""
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


class Advice(StrEnum):
    """What an agent asks of a leg beside its vote. It can only make a leg that adds risk smaller, or later."""

    TRIM = "TRIM"
    HALVE = "HALVE"
    POSTPONE = "POSTPONE"


class Vote(Model):
    """One agent on one leg: for (+1), against (-1), neutral (0), or an abstention (no vote at all)."""

    agent: Agent
    symbol: Symbol
    value: Literal[-1, 0, 1] | None
    confidence: Percent = 0
    abstention: AbstainReason | None = None
    advice: Advice | None = Field(default=None, exclude_if=_is_unsaid)


class LegConsensus(Model):
    """What the votes on one leg came to; `size_multiplier` can only shrink the leg."""

    symbol: Symbol
    support: Score
    size_multiplier: Fraction
    voters: int
    dissent: tuple[Agent, ...] = ()
    rule: str = ""
    """Which rule of the conflict table held it there; empty in logs from before there was one."""


class CalibrationStep(Model):
    """Up to this stated probability, the share that came out right."""

    until: Fraction
    share: Fraction


class Consensus(Model):
    """The weighted outcome for every leg, with the weights it was reached by and what they were learned from."""

    weights: dict[Agent, Fraction]
    legs: tuple[LegConsensus, ...] = ()
    judged_decisions: int = 0
    """How many earlier decisions the weights and curves rest on; none when both are as configured."""
    calibration: dict[Agent, tuple[CalibrationStep, ...]] = {}
    """By which curve an agent's votes for a leg were lowered; agents without one were heard as they spoke."""


class Speaker(StrEnum):
    BULL = "bull"
    BEAR = "bear"


class Strength(StrEnum):
    WEAK = "WEAK"
    FAIR = "FAIR"
    STRONG = "STRONG"


class Case(Model):
    """What one speaker made of one contested instrument: the fact it leans on, and how far that goes.

    `words` are for people: held to the evidence, and in no prompt.
    """

    speaker: Speaker
    symbol: Symbol
    leans_on: str
    strength: Strength
    words: str = ""


class ConfidenceMove(Model):
    """What a debate did to the confidence of one signal."""

    symbol: Symbol
    before: Percent
    after: Percent


class Debate(Model):
    """A bull and a bear on the instruments whose sources disagree; `gaps` says by how much, on their scale."""

    gaps: dict[Symbol, float]
    cases: tuple[Case, ...] = ()
    moves: tuple[ConfidenceMove, ...] = ()
    abstentions: tuple[Abstention, ...] = ()
