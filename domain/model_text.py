"""The canonical JSON of a model in one pass over its fields, where nothing but their own types says how they look.

Pydantic would make a dictionary of the whole first, and the encoder sort and walk it a second time. Each class is
looked at once: its fields in the order of their names are one template, and each value is written by its own type.
What is not as plain as that (a float that is not finite, a time in another zone, a class with a say in how it is
written) has no text here.

A class of nothing but texts, whole numbers, decimals, moments and classes like it is written by orjson, in a quarter of
the time: of these its bytes are the same. Of floats they are not (`1e16` and `1e+16`), so that none goes there.
"""

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from json.encoder import encode_basestring
from operator import itemgetter
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

import orjson
from pydantic import AwareDatetime, BaseModel, PlainSerializer, WrapSerializer

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


class _Models(dict[type, bool]):
    """Which types are models: asking pydantic costs a microsecond, each time."""

    def __missing__(self, kind: type) -> bool:
        self[kind] = found = issubclass(kind, BaseModel)
        return found


is_model = _Models().__getitem__


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
    write = _general_writer(kind)
    return _flat_writer(write) if _FLAT[kind] else write


def _flat_writer(general: Writer) -> Writer:
    """By orjson; what it can't write (a number of more than 64 bits, a lone surrogate) or is not as declared, the
    general writer does."""

    def write(model: BaseModel) -> str:
        try:
            return orjson.dumps(_fields_of(model), _flat, _OPTIONS).decode()
        except TypeError:
            return general(model)

    return write


def _is_flat(kind: Any) -> bool:
    """Whether a value of this annotation is made of nothing whose text could differ."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _FLAT[args[0]]
    if origin in (Union, UnionType):
        return all(map(_FLAT.__getitem__, args))
    if origin is Literal:
        return all(isinstance(item, str) for item in args)
    if not isinstance(kind, type):
        return False
    if issubclass(kind, BaseModel):
        return _is_plain(kind) and all(_FLAT[field.annotation] for field in kind.model_fields.values())
    return issubclass(kind, StrEnum)


def _flat(value: object) -> object:
    """What orjson is told to write for what it does not know, or is not to write its own way."""
    kind = type(value)
    if kind is Decimal:
        return str(value)
    if is_model(kind):
        return _fields_of(cast(BaseModel, value))
    if isinstance(value, datetime) and value.tzinfo is UTC:
        return utc_text(value)
    raise TypeError


def _fields_of(model: BaseModel) -> dict[str, Any]:
    """A model's own fields, if their values are as plain as their class promises: one that was built without validation
    can hold anything."""
    fields = vars(model)
    if not all(map(_FLAT.__getitem__, map(type, fields.values()))):
        raise TypeError
    return fields


class _Flat(dict[Any, bool]):
    """Which kinds of values are as plain as that; each is looked at when the first one comes."""

    def __missing__(self, kind: Any) -> bool:
        self[kind] = found = _is_flat(kind)
        return found


_FLAT = _Flat(dict.fromkeys((str, int, bool, NoneType, Decimal, datetime, AwareDatetime), True))
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


def _general_writer(kind: type[BaseModel]) -> Writer:
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
    return f'"{utc_text(value)}"' if value.tzinfo is UTC else _refuse(value)


@lru_cache(maxsize=1024)
def utc_text(value: datetime) -> str:
    """A moment of UTC: 2024-01-02T21:00:00Z, microseconds when there are any."""
    return orjson.dumps(value, None, orjson.OPT_UTC_Z)[1:-1].decode()


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
