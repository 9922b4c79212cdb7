"""Where two pieces of JSON first differ, for a message that a person can act on."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Difference:
    """One place, as a dotted path with list positions, and the two values there."""

    path: str
    left: str
    right: str


def first_difference(left: JsonValue, right: JsonValue) -> Difference | None:
    """The first differing place with keys in order; None when both are equal."""
    return next(_differences(left, right, ""), None)


def _differences(left: JsonValue, right: JsonValue, path: str) -> Iterator[Difference]:
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(left.keys() | right.keys()):
            place = f"{path}.{key}" if path else key
            if key not in left or key not in right:
                yield Difference(place, _shown(left, key), _shown(right, key))
            else:
                yield from _differences(left[key], right[key], place)
    elif isinstance(left, list) and isinstance(right, list):
        for index, (one, other) in enumerate(zip(left, right, strict=False)):
            yield from _differences(one, other, f"{path}[{index}]")
        if len(left) != len(right):
            yield Difference(f"{path}[{min(len(left), len(right))}]", f"{len(left)} items", f"{len(right)} items")
    elif type(left) is not type(right) or left != right:
        yield Difference(path, repr(left)[:_SHOWN_CHARACTERS], repr(right)[:_SHOWN_CHARACTERS])


def _shown(data: dict[str, JsonValue], key: str) -> str:
    return repr(data[key])[:_SHOWN_CHARACTERS] if key in data else "nothing"
