"""Fills a reply's schema from the facts of a question, so that a scripted model obeys whatever form it is asked for."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...agents.llm.port import ChatRequest

Row = Mapping[str, Any]
Schema = Mapping[str, Any]
NAMES = frozenset({"symbol", "id"})
"""Fields that say what an entry is about."""


def _same(name: str) -> str:
    return name


@dataclass(frozen=True, slots=True)
class Filling:
    """What stands in a reply: the first of `stances` that a field allows, one confidence, and words where they fit."""

    stances: tuple[str, ...]
    confidence: object
    words: str = ""
    symbol: Callable[[str], str] = _same


def rows_of(facts: Mapping[str, Any]) -> list[Row]:
    """The rows that a question shows: its first list of objects."""
    for value in facts.values():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return value
    return []


def filled(request: ChatRequest, filling: Filling, rows: Sequence[Row]) -> dict[str, Any]:
    """A reply of the asked form with an entry for each row; an empty one where free text was asked for."""
    if request.reply_type is None:
        return {"answer": filling.words}
    schema = request.reply_type.model_json_schema()
    shown = json.loads(request.facts) if request.facts else {}
    return _object(schema, schema.get("$defs", {}), filling, shown if isinstance(shown, dict) else {}, rows)


def _object(schema: Schema, defs: Schema, filling: Filling, row: Row, rows: Sequence[Row]) -> dict[str, Any]:
    parts = schema.get("properties", {})
    return {name: _value(name, part, defs, filling, row, rows) for name, part in parts.items()}


def _value(name: str, schema: Schema, defs: Schema, filling: Filling, row: Row, rows: Sequence[Row]) -> Any:
    schema = _resolved(schema, defs)
    if name == "confidence":
        return filling.confidence
    if name in NAMES and name in row:
        return filling.symbol(str(row[name])) if name == "symbol" or filling.words else row[name]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return _choice(schema["enum"], filling, row.get(name))
    match schema.get("type"):
        case "array":
            items = _resolved(schema.get("items", {}), defs)
            if items.get("type") == "object":
                return [_object(items, defs, filling, item, ()) for item in rows]
            return []
        case "object":
            return _object(schema, defs, filling, row, rows)
        case "integer" | "number":
            return filling.confidence
        case "boolean":
            return True
        case _:
            return filling.words


def _choice(allowed: Sequence[Any], filling: Filling, shown: Any) -> Any:
    """What the facts say, as a copy has to (a phrase begins with its fact); else a stance that fits; else the first."""
    fact = shown.partition(" ")[0] if isinstance(shown, str) else shown
    if fact in allowed:
        return fact
    return next((stance for stance in filling.stances if stance in allowed), allowed[0])


def _resolved(schema: Schema, defs: Schema) -> Schema:
    """A reference followed, and of alternatives the first that is not null."""
    if "$ref" in schema:
        return _resolved(defs[schema["$ref"].rpartition("/")[2]], defs)
    if "anyOf" in schema:
        return _resolved(next(item for item in schema["anyOf"] if item.get("type") != "null"), defs)
    return schema
