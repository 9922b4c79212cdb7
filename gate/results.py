"""How a measurement becomes a line of the gate's table: compared exactly, then rounded for people."""

import math
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

from ..domain.decisions import CheckResult

Number = Decimal | int | float
LegMeasure = tuple[str, Number | None, Number | None]
"""Symbol, what was measured (None: it could not be), and its bound (None: the leg is exempt)."""


def result(
    check: str, value: Number | None, limit: Number | None, unit: str, what: str, symbol: str | None = None
) -> CheckResult:
    """One line: passed when the value is known, finite and at most the limit; `what` says what it is.

    Without a limit the line is a record only. The comparison comes before the conversion to float, so that
    a last-digit breach is still a breach.
    """
    shown, bound = _finite(value), _finite(limit)
    passed = is_within(value, limit)
    measured = "is not known" if shown is None else f"{shown:.6g} {unit}"
    if limit is None:
        against = "no bound applies"
    elif shown is None or bound is None:
        against = f"an input is missing, stale, not finite or absurd; the bound is {bound}"
    else:
        against = f"{'at most' if passed else 'over'} {bound:.6g}"
    text = f"{symbol}: {what} {measured}, {against}" if symbol else f"{what} {measured}, {against}"
    return CheckResult(check=check, symbol=symbol, value=shown, limit=bound, unit=unit, passed=passed, text=text)


def per_leg(check: str, unit: str, what: str, measures: Iterable[LegMeasure]) -> list[CheckResult]:
    """A failing line for each leg over its bound; when none is, one passing line for the leg closest to it."""
    rows = list(measures)
    failed = [row for row in rows if not is_within(row[1], row[2])]
    if failed:
        return [result(check, value, limit, unit, what, symbol) for symbol, value, limit in failed]
    if not rows:
        return []
    symbol, value, limit = max(rows, key=_closeness)
    return [result(check, value, limit, unit, what, symbol)]


def is_within(value: Number | None, limit: Number | None) -> bool:
    """NaN-safe `value <= limit`: a value that is missing or not finite is within no bound; no bound holds nothing."""
    if limit is None:
        return True
    if value is None or _is_odd(value) or _is_odd(limit):
        return False
    return value <= limit


@lru_cache(maxsize=256)
def exact(bound: float) -> Decimal:
    """A limit as the decimal a person wrote, not as the binary fraction beside it; the same few come again."""
    return Decimal(repr(bound))


def as_float(value: Number) -> float:
    """The nearest float; infinite when there is none (an int of 400 digits has none)."""
    return float(Decimal(value)) if isinstance(value, int) else float(value)


def _is_odd(value: Number) -> bool:
    """A decimal that is not finite would raise when compared; a float NaN compares as False by itself."""
    return isinstance(value, Decimal) and not value.is_finite()


def _finite(value: Number | None) -> float | None:
    number = None if value is None else as_float(value)
    return number if number is not None and math.isfinite(number) else None


def _closeness(row: LegMeasure) -> float:
    _, value, limit = row
    if value is None or limit is None:
        return -1.0
    bound = as_float(limit)
    return as_float(value) / bound if bound else 0.0
