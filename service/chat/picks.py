"""Turns a meaning and what the question names into arguments of a question of the table, or into a typed request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import JsonValue
from pydantic.fields import FieldInfo

from ..answers.askable import Askable
from ..answers.reader import Reading
from ..intents.intent import Intent, parse_intent
from .grammar import Understood

MAX_REASON_CHARS = 250


@dataclass(frozen=True, slots=True)
class Missing:
    """What a question leaves open, as it is asked back."""

    asks: str


def arguments_of(askable: Askable, understood: Understood, reading: Reading | None) -> dict[str, JsonValue] | Missing:
    """Arguments for the fields that the question says something about; the others keep their defaults."""
    found: dict[str, JsonValue] = {}
    for name, field in askable.parameters.model_fields.items():
        value = _slot(askable.name, name, field, understood, reading)
        if value is not None:
            found[name] = value
        elif field.is_required():
            return Missing(_ASKED_BACK.get(name, "Which one is meant?"))
    return found


def intent_of(action: str, understood: Understood) -> Intent | Missing:
    """The request in the question's own terms; its words are the reason that goes into the log."""
    named, reason = understood.named, understood.text[:MAX_REASON_CHARS]
    symbol = named.symbols[0] if named.symbols else None
    content: dict[str, Any] = {"action": action, "reason": reason}
    if action in ("halt", "resume", "reduce"):
        content["symbol"] = symbol
    elif action == "flatten":
        content |= {"symbols": named.symbols, "sector": (named.sector or None) if not symbol else None}
    elif action == "cancel":
        if not named.ids and "all" not in understood.concepts:
            return Missing("Which order should be canceled? Name its id, or say: cancel all orders.")
        content["order"] = named.ids[0] if named.ids else None
    elif action == "reduce_position":
        if len(named.symbols) != 1 or len(named.percents) != 1:
            return Missing("To which share of the book? Say for example: reduce the name to five percent of the book.")
        content |= {"symbol": symbol, "weight_frac": named.percents[0]}
    elif action == "tighten":
        bounds = (*named.percents, *named.numbers)
        if not named.limit or len(bounds) != 1:
            return Missing(
                "Which limit, and to which bound? Name both, such as the gross exposure or the value at risk."
            )
        content |= {"limit": named.limit, "bound": bounds[0]}
    elif action in ("approve", "reject"):
        content["decision"] = next((item for item in named.ids if item.startswith("dec-")), None)
    elif action == "acknowledge":
        content["notification"] = named.ids[0] if named.ids else None
    return parse_intent(content)


_ASKED_BACK: Mapping[str, str] = {
    "symbol": "Which name is meant? Give its symbol.",
    "order": "Which order is meant? Give its id, or say: the last order.",
    "value": "Which limit, and at which bound?",
    "limit": "Which limit, and at which bound?",
    "id": "Which order or decision is meant?",
}


def _slot(question: str, name: str, field: FieldInfo, understood: Understood, reading: Reading | None) -> JsonValue:
    if name == "limit" and get_args(field.annotation):
        return understood.named.limit if understood.named.limit in get_args(field.annotation) else None
    own = _OWN.get((question, name))
    return own(understood, reading) if own else _COMMON.get(name, _nothing)(understood, reading)


Slot = Callable[[Understood, Reading | None], JsonValue]


def _nothing(understood: Understood, reading: Reading | None) -> JsonValue:
    return None


def _symbol(understood: Understood, reading: Reading | None) -> JsonValue:
    return understood.named.symbols[0] if understood.named.symbols else None


def _order(understood: Understood, reading: Reading | None) -> JsonValue:
    ids = [item for item in understood.named.ids if not item.startswith("dec-")]
    if ids:
        return ids[0]
    return "last" if "last" in understood.concepts else None


def _decision(understood: Understood, reading: Reading | None) -> JsonValue:
    named = understood.named
    ids = [item for item in named.ids if item.startswith("dec-")]
    if ids:
        return ids[0]
    day = named.day
    if not day and named.time and reading is not None and reading.last_session is not None:
        day = str(reading.last_session)[:10]
    return f"{day}T{named.time}" if day and named.time else day or None


def _period(understood: Understood, reading: Reading | None) -> JsonValue:
    return next((name for name in ("today", "week", "month", "year") if name in understood.concepts), None)


def _day(understood: Understood, reading: Reading | None) -> JsonValue:
    return understood.named.day or None


def _percent(understood: Understood, reading: Reading | None) -> JsonValue:
    return understood.named.percents[0] if understood.named.percents else None


def _number(understood: Understood, reading: Reading | None) -> JsonValue:
    return understood.named.numbers[0] if understood.named.numbers else None


def _share(understood: Understood, reading: Reading | None) -> JsonValue:
    """A correlation is said as `0.9`, as `90 %`, or as ninety of a hundred without the sign."""
    share = _percent(understood, reading)
    return share if share is not None else _number(understood, reading)


def _count(understood: Understood, reading: Reading | None) -> JsonValue:
    whole = [int(value) for value in understood.named.numbers if value == int(value) and value >= 1]
    return whole[0] if whole else None


def _move(understood: Understood, reading: Reading | None) -> JsonValue:
    size = _percent(understood, reading)
    if not isinstance(size, float):
        return None
    is_rise = "rise" in understood.concepts and "fall" not in understood.concepts
    return abs(size) if is_rise else -abs(size)


def _above(understood: Understood, reading: Reading | None) -> JsonValue:
    """Limits asked for without a share are all of them."""
    share = _percent(understood, reading)
    return share if share is not None else None if "used" in understood.concepts else 0.0


def _hours(understood: Understood, reading: Reading | None) -> JsonValue:
    if "hour" in understood.concepts:
        return _number(understood, reading) or 1.0
    return 24.0 if "today" in understood.concepts else None


def _constraint(understood: Understood, reading: Reading | None) -> JsonValue:
    return understood.named.constraint or None


def _record(understood: Understood, reading: Reading | None) -> JsonValue:
    return understood.named.ids[0] if understood.named.ids else _decision(understood, reading)


def _times(understood: Understood, reading: Reading | None) -> JsonValue:
    return None if "double" in understood.concepts else _number(understood, reading)


_COMMON: Mapping[str, Slot] = {
    "symbol": _symbol,
    "order": _order,
    "decision": _decision,
    "period": _period,
    "since": _day,
    "until": _day,
    "min_notional": _number,
    "above": _above,
    "market": _move,
    "correlation": _share,
    "times": _times,
    "constraint": _constraint,
    "hours": _hours,
    "id": _record,
    "value": _share,
}
_OWN: Mapping[tuple[str, str], Slot] = {
    ("signals", "limit"): _count,
    ("tail_risk", "level"): _percent,
    ("schedule", "order"): lambda understood, reading: (
        None if "running" in understood.concepts and not understood.named.ids else _order(understood, reading)
    ),
}
