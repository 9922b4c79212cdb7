"""The requests that change something, as types: what is not one of them can't be asked for at all."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, TypeAdapter, ValidationError

from ...domain.model import Model, Symbol
from ..answers.askable import Role
from .errors import IntentInvalid

Words = Annotated[str, Field(min_length=1, max_length=300)]
"""Why, in the person's own words: they go into the log."""
RecordId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
LimitName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]


class Halt(Model):
    """Stop trading: all of it, or one name."""

    action: Literal["halt"] = "halt"
    symbol: Symbol | None = None
    reason: Words


class Resume(Model):
    """Give free what was restricted."""

    action: Literal["resume"] = "resume"
    symbol: Symbol | None = None
    reason: Words


class Reduce(Model):
    """From now on only what takes risk off."""

    action: Literal["reduce"] = "reduce"
    symbol: Symbol | None = None
    reason: Words


class Flatten(Model):
    """Sell what is held: all, these names, or one sector."""

    action: Literal["flatten"] = "flatten"
    symbols: tuple[Symbol, ...] = Field(default=(), max_length=500)
    sector: str | None = Field(default=None, max_length=60)
    reason: Words


class Cancel(Model):
    """Take back one order, or all that are worked."""

    action: Literal["cancel"] = "cancel"
    order: RecordId | None = None
    reason: Words


class ReducePosition(Model):
    """Sell a position down to a share of the book's equity."""

    action: Literal["reduce_position"] = "reduce_position"
    symbol: Symbol
    weight_frac: float = Field(ge=0.0, le=1.0)
    reason: Words


class Tighten(Model):
    """Make one limit tighter for as long as the run lasts; there is no request that makes one looser."""

    action: Literal["tighten"] = "tighten"
    limit: LimitName
    bound: float = Field(ge=0.0, allow_inf_nan=False)
    reason: Words


class Acknowledge(Model):
    """Say that critical notifications were seen; all that wait when none is named."""

    action: Literal["acknowledge"] = "acknowledge"
    notification: RecordId | None = None
    reason: Words


class Approve(Model):
    """Say yes to the plan that waits for a person: it is worked at the next open, after the gate has seen it again."""

    action: Literal["approve"] = "approve"
    decision: RecordId | None = None
    reason: Words


class Reject(Model):
    """Say no to the plan that waits for a person: none of its orders is sent."""

    action: Literal["reject"] = "reject"
    decision: RecordId | None = None
    reason: Words


Intent = Halt | Resume | Reduce | Flatten | Cancel | ReducePosition | Tighten | Acknowledge | Approve | Reject
_PARSER: TypeAdapter[Intent] = TypeAdapter(Annotated[Intent, Field(discriminator="action")])

RANKS: Mapping[Role, int] = {"viewer": 0, "operator": 1, "risk_officer": 2, "admin": 3}
NEEDS: Mapping[str, Role] = {
    "halt": "operator",
    "reduce": "operator",
    "flatten": "operator",
    "cancel": "operator",
    "reduce_position": "operator",
    "acknowledge": "operator",
    "approve": "operator",
    "reject": "operator",
    "resume": "risk_officer",
    "tighten": "risk_officer",
}
"""The least role for each: to take risk off is easier than to give a desk free. A run's settings may ask for more to
approve a plan; to reject one, never."""


def parse_intent(content: Mapping[str, Any]) -> Intent:
    """One of the typed requests; raises IntentInvalid, which says where it is not one."""
    try:
        return _PARSER.validate_python(dict(content))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:80] or "intent"
        raise IntentInvalid(
            f"{where}: {first['msg'][:200]}", remedy=f"Name an action of {', '.join(NEEDS)} and what it takes."
        ) from error


def intent_document(intent: Intent) -> dict[str, JsonValue]:
    return intent.model_dump(mode="json")


def needed_role(intent: Intent, approver: Role) -> Role:
    """The least role for this request in a run whose plans are approved by `approver`."""
    return approver if isinstance(intent, Approve) else NEEDS[intent.action]


def is_permitted(role: Role, intent: Intent, approver: Role = "operator") -> bool:
    return RANKS[role] >= RANKS[needed_role(intent, approver)]
