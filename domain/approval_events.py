"""Facts about plans that wait for a person: that one was asked, what the answer was, and to which plan it belongs."""

from typing import Annotated, Literal

from pydantic import Field

from .model import Model, Payload, Symbol, UtcTime

ReasonCode = Literal["every_plan", "turnover", "leg", "first_plan", "new_symbol", "new_regime", "model_trouble"]
ApprovalAnswer = Literal["approved", "rejected", "timed_out"]
ShareOfEquity = Annotated[float, Field(ge=0.0)]


class ApprovalReason(Model):
    """Why a person is asked: `figure` is past `limit` where there is one."""

    code: ReasonCode
    text: str
    figure: float | None = None
    limit: float | None = None
    symbols: tuple[Symbol, ...] = ()


class ApprovalAsked(Payload):
    """A plan the gate approved is not worked before a person says so; without a word until `until` it is not worked."""

    decision_id: str
    plan_id: str
    plan_hash: str
    """Of the plan's whole content, as in the gate's verdict: an answer to another content is none to this."""
    limits_hash: str
    """Of the limits it was decided under."""
    reasons: tuple[ApprovalReason, ...] = Field(min_length=1)
    turnover_frac: ShareOfEquity
    """Of the legs that add risk, in equities."""
    largest_leg_frac: ShareOfEquity
    new_symbols: tuple[Symbol, ...] = ()
    """Never held in this run before."""
    until: UtcTime


class ApprovalAnswered(Payload):
    """What was answered; a time-out is a no that nobody said, and has no user."""

    decision_id: str
    plan_hash: str
    answer: ApprovalAnswer
    user: str = ""
    reason: str = ""
