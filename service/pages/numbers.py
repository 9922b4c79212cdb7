"""How a raw number is written for a person: one table of units, one rounding rule, one way back."""

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

from pydantic import JsonValue

from .errors import ReportError


@dataclass(frozen=True, slots=True)
class Unit:
    """A raw number times `scale`, with `digits` decimals (None: as many as its size asks for), then `suffix`."""

    scale: int = 1
    suffix: str = ""
    digits: int | None = None


UNITS = {
    "frac": Unit(100, "%", 2),
    "frac_bps": Unit(10_000, " bp", 1),
    "bps": Unit(1, " bp", 1),
    "percent": Unit(1, "%", 0),
    "usd": Unit(1, " USD", 2),
    "cash": Unit(1, "", 0),
    "price": Unit(1, ""),
    "count": Unit(1, "", 0),
    "num": Unit(1, ""),
    "ratio": Unit(1, "", 2),
    "multiple": Unit(1, "×", 2),
}

_WIDE = Context(prec=400)
"""Wide enough for the largest float with eight decimals, so that rounding itself can never fail."""

_ALIASES = {
    "fraction": "frac",
    "frac": "frac",
    "fraction of equity": "frac",
    "probability": "frac",
    "bps": "bps",
    "bp": "bps",
    "percent": "percent",
    "%": "percent",
    "usd": "usd",
    "money": "usd",
    "flag": "count",
    "count": "count",
    "shares": "count",
    "price": "price",
    "number": "num",
    "ratio": "ratio",
    "z": "ratio",
    "score": "ratio",
    "": "num",
}


def shown(raw: JsonValue, unit: str, digits: int | None = None, sign: bool = False) -> str:
    """The text of a number, e.g. 0.0123 as `1.23%`; NaN, infinity and text that is no number are refused."""
    form = UNITS[unit]
    value = _decimal(raw) * form.scale
    places = digits if digits is not None else form.digits
    if places is None:
        places = _places(abs(float(value)))
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN, context=_WIDE)
    text = f"{abs(rounded):,.{places}f}"
    if rounded == 0:
        return f"{text}{form.suffix}"
    lead = "\N{MINUS SIGN}" if rounded < 0 else "+" if sign else ""
    return f"{lead}{text}{form.suffix}"


def unit_named(name: str) -> str | None:
    """The unit behind a ledger's unit text; None when this table does not know it."""
    return _ALIASES.get(name.strip().lower())


def _decimal(raw: JsonValue) -> Decimal:
    if isinstance(raw, (int, float, str)) and not isinstance(raw, bool):
        try:
            value = Decimal(raw) if isinstance(raw, (int, str)) else Decimal(repr(raw))
        except ArithmeticError:
            value = Decimal("NaN")
        if value.is_finite():
            return value
    raise ReportError(
        f"found {raw!r:.80}, expected a finite number",
        remedy="Run `parley verify`: a page never shows a number the log does not hold.",
    )


def _places(size: float) -> int:
    """Decimals that keep about four significant digits, between 0 and 8."""
    if size >= 1000:
        return 0
    if size >= 10 or size == 0:
        return 2
    return min(8, max(2, 3 - math.floor(math.log10(size))))
