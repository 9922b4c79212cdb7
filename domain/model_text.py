"""The canonical JSON of a model in one pass over its fields, where nothing but their own types says how they look.

Pydantic would make a dictionary of the whole first, and the encoder sort and walk it a second time. Each class is
looked at once: its fields in the order of their names are one template, and each value is written by its own type.
What is not as plain as that (a float that is not finite, a time in another zone, a class with a say in how it is
written) has no text here.
"""

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from json.encoder import encode_basestring
from operator import itemgetter
from typing import Any

from pydantic import BaseModel, PlainSerializer, WrapSerializer

Writer = Callable[[Any], str]


class _NotPlain(Exception):
    """The value is for pydantic to write."""


def model_text(model: BaseModel) -> str | None:
    """The same text as by way of `model_dump(mode="json")`, with sorted keys and no spaces; None where it is not plain.

    A text with lone surrogates comes through: whoever needs bytes of it finds out.
    """
    try:
        return _WRITERS[type(model)](model)
    except (_NotPlain, KeyError):
        return None


class _Writers(dict[type, Writer]):
    """How each type is written; models and enumerations are added when the first one comes."""

    def __missing__(self, kind: type) -> Writer:
        writer = _refuse
        if issubclass(kind, StrEnum):
            writer = encode_basestring
        elif issubclass(kind, BaseModel) and _is_plain(kind):
            writer = _model_writer(kind)
        self[kind] = writer
        return writer


def _is_plain(kind: type[BaseModel]) -> bool:
    """No field with a name, a condition or a serializer of its own, and none inherited from a class that has some.

    A field that is declared as the parent class would leave out what the child class adds.
    """
    decorators = kind.__pydantic_decorators__
    if decorators.field_serializers or decorators.model_serializers or decorators.computed_fields:
        return False
    if any(issubclass(base, BaseModel) and base.model_fields for base in kind.__mro__[1:]):
        return False
    fields = kind.model_fields.values()
    named = any(field.alias or field.serialization_alias or field.exclude or field.exclude_if for field in fields)
    written = any(isinstance(item, PlainSerializer | WrapSerializer) for field in fields for item in field.metadata)
    return bool(fields) and not named and not written


def _model_writer(kind: type[BaseModel]) -> Writer:
    names = sorted(kind.model_fields)
    template = "{" + ",".join(f"{encode_basestring(name)}:%s" for name in names) + "}"
    if len(names) == 1:
        name = names[0]
        return lambda model: template % _text(vars(model)[name])
    values_of = itemgetter(*names)

    def write(model: BaseModel) -> str:
        return template % tuple([writers[type(value)](value) for value in values_of(vars(model))])

    writers = _WRITERS
    return write


def _text(value: Any) -> str:
    return _WRITERS[type(value)](value)


def _refuse(value: Any) -> str:
    raise _NotPlain


def _float(value: float) -> str:
    return repr(value) if math.isfinite(value) else _refuse(value)


def _moment(value: datetime) -> str:
    return _utc(value) if value.tzinfo is UTC else _refuse(value)


@lru_cache(maxsize=1024)
def _utc(value: datetime) -> str:
    return f'"{value.isoformat()[:-6]}Z"'


def _sequence(values: Iterable[Any]) -> str:
    return f"[{','.join([_WRITERS[type(value)](value) for value in values])}]"


def _mapping(values: dict[Any, Any]) -> str:
    if not {str}.issuperset(map(type, values)):
        return _refuse(values)
    return "{" + ",".join([f"{encode_basestring(key)}:{_text(values[key])}" for key in sorted(values)]) + "}"


_WRITERS = _Writers(
    {
        str: encode_basestring,
        int: int.__repr__,
        bool: {True: "true", False: "false"}.__getitem__,
        type(None): lambda value: "null",
        float: _float,
        Decimal: lambda value: f'"{value!s}"',
        datetime: _moment,
        tuple: _sequence,
        list: _sequence,
        dict: _mapping,
    }
)
