"""Makes a wire value of parts that are known to fit, without looking at each of them again.

Validation is for the edges: what comes from a file, a network, a model or a person. Where the desk's own code has made
every field of the right type, it would cost more than the rest of a fact's way into the log.

`made` fills in the defaults; `whole` is given every field, in the order they are declared in, and costs half of it.
"""

from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel

from .model import Model

M = TypeVar("M", bound=Model)

_new = object.__new__
_set_fields, _set_names, _set_extra, _set_private = (
    BaseModel.__dict__[slot].__set__
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)
"""Past the class, which would refuse, and past the look-up of each name."""


def made(kind: type[M], /, **fields: Any) -> M:
    """The model that `kind(**fields)` makes of fields that need no conversion; a check it has is not made."""
    return whole(kind, {**_blank(kind), **fields})


def whole(kind: type[M], fields: dict[str, Any]) -> M:
    """The same of all fields in their order; the dictionary is the model's from now on."""
    model = _new(kind)
    _set_fields(model, fields)
    _set_names(model, _NAMES[kind])
    _set_extra(model, None)
    _set_private(model, None)
    return model


class _Names(dict[type[Model], set[str]]):
    """The names of each kind's fields, one set for all of its models: nobody changes it."""

    def __missing__(self, kind: type[Model]) -> set[str]:
        names = self[kind] = set(kind.model_fields)
        return names


_NAMES = _Names()


@cache
def _blank(kind: type[Model]) -> dict[str, Any]:
    """Every field in its place with its default; shared, and nobody changes it."""
    fields = kind.model_fields.items()
    return {name: field.get_default(call_default_factory=True, validated_data={}) for name, field in fields}
