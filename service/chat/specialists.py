"""Who on the chat's team answers what, with which tools, and which of a model's arguments a question bears out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from pydantic import JsonValue
from pydantic.fields import FieldInfo

from ...agents.llm.port import ToolSpec
from ..answers.table import ASKABLES
from ..intents.intent import NEEDS
from .grammar import Target, Understood

REQUEST, REFUSE, UNCLEAR = "request_", "refuse", "unclear"
REFUSAL = Target("refuse", "other")


@dataclass(frozen=True, slots=True)
class Specialist:
    """A member of the team: the questions of the table and the requests it can pick."""

    asks: tuple[str, ...]
    does: tuple[str, ...] = ()


SPECIALISTS: Mapping[str, Specialist] = {
    "market": Specialist(
        ("regime", "signals", "source_record", "missing_data", "look_ahead_proof"),
    ),
    "risk": Specialist(
        (
            *("tail_risk", "risk_contributions", "shock", "correlations_to", "volatility_times", "scenarios"),
            *("limits_used", "other_limits", "dropped_constraint", "doubled_position", "alerts", "risk_opinion"),
            "approvals",
        ),
        ("tighten", "acknowledge", "approve", "reject"),
    ),
    "portfolio": Specialist(
        ("positions", "equity_curve", "compare", "sizing", "doubled_position", "risk_contributions"),
        ("reduce_position", "flatten"),
    ),
    "execution": Specialist(
        ("trades", "order", "remaining", "schedule", "costs", "connection", "undo", "sizing"),
        ("cancel", "halt", "resume", "reduce"),
    ),
    "history": Specialist(
        (
            *("decision", "why", "veto_reason", "versions", "without_llm", "report", "agents", "risk_opinion"),
            *("missing_data", "permissions", "help"),
        ),
    ),
}
_DOES = {
    "halt": "stop trading: all of it, or one symbol",
    "resume": "give trading free again",
    "reduce": "allow only what takes risk off",
    "flatten": "sell everything, some symbols or one sector",
    "cancel": "take an order back",
    "reduce_position": "sell a position down to a share of the book",
    "tighten": "make a limit tighter",
    "acknowledge": "say that a notification was seen",
    "approve": "say yes to the plan that waits for a person",
    "reject": "say no to the plan that waits for a person",
}


def specialist_of(understood: Understood) -> str:
    """Whose subject the grammar takes it to be, even where it is not sure; empty where it has no idea."""
    for target, _ in understood.ranked:
        for name, item in SPECIALISTS.items():
            if target.name in (*item.asks, *item.does):
                return name
    return "risk" if understood.ranked else ""


def tools_of(name: str) -> tuple[ToolSpec, ...]:
    """A specialist's tools, in an order that never changes, with the two that every one has."""
    item = SPECIALISTS[name]
    asked = [ToolSpec(ask, ASKABLES[ask].says, _arguments(ask)) for ask in item.asks]
    done = [ToolSpec(f"{REQUEST}{action}", _DOES[action], _closed({})) for action in item.does]
    refuse = ToolSpec(REFUSE, "a control switched off, a limit loosened, a purchase, a secret", _closed({}))
    return (*asked, *done, refuse, ToolSpec(UNCLEAR, "none of the other tools fits", _closed({})))


def target_of(tool: str) -> Target | None:
    """What a tool's name stands for; None for a name that is none, and for `unclear`."""
    if tool == REFUSE:
        return REFUSAL
    action = tool.removeprefix(REQUEST)
    if tool.startswith(REQUEST) and action in NEEDS:
        return Target("do", action)
    return Target("ask", tool) if tool in ASKABLES else None


def arguments_said(target: Target, given: JsonValue, understood: Understood) -> dict[str, JsonValue]:
    """Of a model's arguments those that the question itself holds: words of it, figures of it, or closed choices."""
    if target.sort != "ask" or not isinstance(given, dict):
        return {}
    fields = ASKABLES[target.name].parameters.model_fields
    return {
        name: value for name, value in given.items() if name in fields and _is_said(value, fields[name], understood)
    }


def _is_said(value: JsonValue, field: FieldInfo, understood: Understood) -> bool:
    if isinstance(value, str):
        return value in get_args(field.annotation) or (bool(value) and value.casefold() in understood.text.casefold())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    named = understood.named
    return abs(value) in {abs(figure) for figure in (*named.numbers, *named.percents)}


def _arguments(ask: str) -> dict[str, object]:
    """What may be said, without lengths and patterns, which small servers' grammars can't bear."""
    return _closed({name: _type(field) for name, field in ASKABLES[ask].parameters.model_fields.items()})


def _type(field: FieldInfo) -> dict[str, object]:
    choices = get_args(field.annotation)
    if choices and all(isinstance(item, str) for item in choices):
        return {"enum": list(choices)}
    return {"type": "number"} if field.annotation in (int, float) else {"type": "string"}


def _closed(properties: dict[str, object]) -> dict[str, object]:
    return {"type": "object", "properties": properties, "additionalProperties": False}
