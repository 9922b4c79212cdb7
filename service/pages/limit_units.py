"""How a bound of the limits file is written for a person: its name in words, and its unit, which its name ends with."""

from typing import NamedTuple

UNIT_ENDINGS = {
    "_per_s": ("count", "\N{NO-BREAK SPACE}a second"),
    "_s": ("num", "\N{NO-BREAK SPACE}s"),
    "_days": ("num", "\N{NO-BREAK SPACE}days"),
    "_notional": ("usd", ""),
    "_cash": ("usd", ""),
    "_equity": ("usd", ""),
    "_multiple": ("multiple", ""),
    "_beta": ("ratio", ""),
    "_correlation": ("ratio", ""),
    "_hhi": ("ratio", ""),
    "_per_fill": ("num", ""),
    **dict.fromkeys(("_quantity", "_legs", "_children", "_per_day", "_trades"), ("count", "")),
}
"""The first ending that fits; a bound whose name says nothing is a fraction of equity."""


class Written(NamedTuple):
    """How a number is written: a unit of the pages' table, and what is said after it."""

    unit: str
    says: str


def limit_unit(name: str, *bounds: float | None) -> Written:
    """How numbers of this limit are written; whole ones without decimals."""
    unit, says = next((unit for ending, unit in UNIT_ENDINGS.items() if name.endswith(ending)), ("frac", ""))
    is_whole = all(bound is None or float(bound).is_integer() for bound in bounds)
    return Written("count" if unit == "num" and is_whole else unit, says)


def limit_title(name: str) -> str:
    """The limit's name without the unit, which stands by its number."""
    return name.removesuffix("_frac").removesuffix("_days").removesuffix("_per_s").removesuffix("_s")
