"""What the address of a list may ask for: which kind, which name, and where to go on."""

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar, cast

from ..api.errors import BadCall

Choice = TypeVar("Choice", bound=str)
MAX_PLACE = 10**12
_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-=^/]{0,23}")


def choice_of(query: Mapping[str, str], name: str, choices: Iterable[Choice], usual: Choice) -> Choice:
    """One of a closed set of words. Raises BadCall for another."""
    known, given = tuple(choices), query.get(name, "") or usual
    if given not in known:
        raise BadCall(f"{name}={given[:40]!r} is nothing this list knows", remedy=f"Use one of: {', '.join(known)}.")
    return cast("Choice", given)


def symbol_of(query: Mapping[str, str]) -> str | None:
    """The name that a list is held to; none for all. Raises BadCall for what can't be one."""
    given = query.get("symbol", "").strip()
    if given and not _SYMBOL.fullmatch(given):
        raise BadCall(f"{given[:40]!r} is no name of an instrument", remedy="Choose one of the list, or none.")
    return given.upper() or None


def place_of(query: Mapping[str, str]) -> int | None:
    """The event that a list goes on before; none for its top. Raises BadCall."""
    given = query.get("before", "")
    if not given:
        return None
    if not given.isascii() or not given.isdecimal() or int(given) > MAX_PLACE:
        raise BadCall(f"before={given[:40]!r} is no place in a log", remedy="Begin at the newest again.")
    return int(given)
