"""What a chat model may say: small, flat, closed schemas; an integer percent is its only number."""

from typing import Literal

from pydantic import Field

from ..domain.model import Model, Percent


class ViewReply(Model):
    symbol: str
    side: Literal["BUY", "SELL", "HOLD"]
    confidence: Percent
    driver: Literal["technical", "sentiment", "none"]


class AnalystReply(Model):
    views: tuple[ViewReply, ...] = Field(max_length=2000)


class Reading(Model):
    id: str
    symbol: str
    polarity: Literal["POSITIVE", "NEGATIVE", "NEUTRAL"]
    confidence: Percent


class SentimentReply(Model):
    readings: tuple[Reading, ...] = Field(max_length=2000)


class VoteReply(Model):
    symbol: str
    vote: Literal["FOR", "AGAINST", "ABSTAIN"]
    confidence: Percent


class OpinionReply(Model):
    votes: tuple[VoteReply, ...] = Field(max_length=2000)
