"""What a chat model may say: small, flat, closed schemas; an integer percent is its only number."""

from typing import Annotated, Literal

from pydantic import Field

from ..domain.model import Model, Percent

MAX_ENTRIES = 2000

Name = Annotated[str, Field(max_length=24)]
"""A symbol as a model wrote it: it counts only if it is one the desk asked about."""

ItemId = Annotated[str, Field(max_length=80)]


class ViewReply(Model):
    symbol: Name
    side: Literal["BUY", "SELL", "HOLD"]
    confidence: Percent
    driver: Literal["technical", "sentiment", "none"]


class AnalystReply(Model):
    views: tuple[ViewReply, ...] = Field(max_length=MAX_ENTRIES)


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
