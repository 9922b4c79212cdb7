"""What a chat model may say: small, flat, closed schemas; an integer percent is its only number."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from ..domain.model import Model, Percent
from ..domain.orders import Algorithm
from ..domain.views import Strength

MAX_ENTRIES = 2000

Name = Annotated[str, Field(max_length=24)]
"""A symbol as a model wrote it: it counts only if it is one the desk asked about."""

ItemId = Annotated[str, Field(max_length=80)]


class ViewReply(Model):
    """Facts first, as copies to compare; then the stance; then what it leans on."""

    symbol: Name
    trend: Literal["UP", "FLAT", "DOWN", "UNKNOWN"]
    outlook: Literal["GAIN", "NONE", "LOSS"]
    side: Literal["BUY", "SELL", "HOLD"]
    confidence: Percent
    driver: Literal["technical", "sentiment", "flow", "macro", "none"]


class AnalystReply(Model):
    views: tuple[ViewReply, ...] = Field(max_length=MAX_ENTRIES)


class CaseReply(Model):
    """A fact of the row, copied; how far it goes; and words that only people see."""

    symbol: Name
    leans_on: Name
    copied: Literal[
        "UP", "GAIN", "GOOD", "DOWN", "LOSS", "BAD", "FLAT", "NONE", "MIXED", "HIGH", "MIDDLE", "LOW", "UNKNOWN"
    ]
    strength: Strength
    words: str = Field(default="", max_length=400)

    model_config = ConfigDict(json_schema_extra={"required": ["symbol", "leans_on", "copied", "strength", "words"]})


class StatementReply(Model):
    cases: tuple[CaseReply, ...] = Field(max_length=MAX_ENTRIES)


class Reading(Model):
    id: ItemId
    symbol: Name
    polarity: Literal["POSITIVE", "NEGATIVE", "NEUTRAL"]
    confidence: Percent


class SentimentReply(Model):
    readings: tuple[Reading, ...] = Field(max_length=MAX_ENTRIES)


class VoteReply(Model):
    symbol: Name
    vote: Literal["FOR", "AGAINST", "ABSTAIN"]
    confidence: Percent


class OpinionReply(Model):
    votes: tuple[VoteReply, ...] = Field(max_length=MAX_ENTRIES)


class RiskVote(Model):
    """The leg's room, copied; a vote; and how much smaller the leg should be, if it adds risk."""

    model_config = ConfigDict(json_schema_extra={"required": ["symbol", "room", "vote", "confidence", "advice"]})

    symbol: Name
    room: Literal["FREE", "FULL", "OVER"] | None = None
    vote: Literal["FOR", "AGAINST", "ABSTAIN"]
    confidence: Percent
    advice: Literal["KEEP", "TRIM", "HALVE"] = "KEEP"


class RiskReply(Model):
    votes: tuple[RiskVote, ...] = Field(max_length=MAX_ENTRIES)


class OptimizerVote(Model):
    """The leg's cost, copied; a vote; and whether a small leg should wait."""

    model_config = ConfigDict(json_schema_extra={"required": ["symbol", "cost", "vote", "confidence", "advice"]})

    symbol: Name
    cost: Literal["CHEAP", "FAIR", "DEAR"] | None = None
    vote: Literal["FOR", "AGAINST", "ABSTAIN"]
    confidence: Percent
    advice: Literal["TRADE", "POSTPONE"] = "TRADE"


class OptimizerReply(Model):
    votes: tuple[OptimizerVote, ...] = Field(max_length=MAX_ENTRIES)


class ExecutionVote(VoteReply):
    """A vote, and how to work the leg; without a choice the tools' own stays."""

    # Servers that hold a reply to its schema want every field asked for; the rules leave this one out.
    model_config = ConfigDict(json_schema_extra={"required": ["symbol", "vote", "confidence", "algorithm"]})

    algorithm: Algorithm | None = None


class ExecutionReply(Model):
    votes: tuple[ExecutionVote, ...] = Field(max_length=MAX_ENTRIES)


class TopicReply(Model):
    """Whose subject an operator's question is."""

    specialist: str
