"""Makes a wire value of parts that are known to fit, without looking at each of them again.

Validation is for the edges: what comes from a file, a network, a model or a person. Where the desk's own code has made
every field of the right type, it would cost more than the rest of a fact's way into the log.
"""

from functools import cache
from typing import Any, TypeVar

from .model import Model

M = TypeVar("M", bound=Model)

_set = object.__setattr__


def made(kind: type[M], /, **fields: Any) -> M:
    """The model that `kind(**fields)` makes of fields that need no conversion; a check it has is not made."""
    blank, names = _blank(kind)
    model = object.__new__(kind)
    _set(model, "__dict__", {**blank, **fields})
    _set(model, "__pydantic_fields_set__", names)
    _set(model, "__pydantic_extra__", None)
    _set(model, "__pydantic_private__", None)
    return model


@cache
def _blank(kind: type[Model]) -> tuple[dict[str, Any], set[str]]:
    """Every field in its place with its default, and all their names; both are shared, and nobody changes them."""
    fields = kind.model_fields.items()
    blank = {name: field.get_default(call_default_factory=True, validated_data={}) for name, field in fields}
    return blank, set(blank)
