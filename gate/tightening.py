"""Bounds that a person made tighter while the desk works: a table of names and numbers that can only take away."""

import math
from collections.abc import Mapping

from pydantic import JsonValue

from ..domain.instruments import AssetClass
from .limits import ALLOW_LISTS, DYNAMICS, FIXED, FLAGS, FLOORS, REQUIREMENTS, SETS, TABLES, Limits

Tightened = Mapping[str, float]
"""By the name of a limit, the bound asked for; a table's number holds for each of its rows."""

TIGHTENABLE = tuple(
    name
    for name in sorted(Limits.model_fields)
    if name not in FLAGS | REQUIREMENTS | SETS | ALLOW_LISTS | DYNAMICS | FIXED
)
"""Limits that are a number, or a table of them: these a person can tighten by naming another number."""


def read_tightened(asked: JsonValue) -> dict[str, float]:
    """What of a request names a limit and a number that it can be; everything else is left out."""
    rows = asked.items() if isinstance(asked, dict) else ()
    return {name: float(value) for name, value in rows if isinstance(value, int | float) and _is_bound(name, value)}


def merged(before: Tightened, asked: Tightened) -> dict[str, float]:
    """Both requests together: of two numbers for one limit the stricter."""
    found = dict(before)
    for name, value in asked.items():
        found[name] = _stricter(name, found.get(name, value), value)
    return {name: found[name] for name in sorted(found)}


def tightest(limits: Limits, asked: Tightened) -> Limits:
    """The stricter of the limits and what was asked for, bound by bound; a looser number changes nothing."""
    changes = {name: _bound(limits, name, value) for name, value in asked.items()}
    return limits.tighten(**changes) if changes else limits


def _bound(limits: Limits, name: str, value: float) -> object:
    now = getattr(limits, name)
    if name in TABLES:
        return {item.value: min(now.of(item), value) for item in AssetClass}
    if not _is_count(name):
        return _stricter(name, now, value)
    whole = math.ceil(value) if name in FLOORS else math.floor(value)
    return int(_stricter(name, now, whole))


def _stricter(name: str, one: float, other: float) -> float:
    return max(one, other) if name in FLOORS else min(one, other)


def _is_bound(name: str, value: float) -> bool:
    if name not in TIGHTENABLE or isinstance(value, bool):
        return False
    if not 0 <= value < math.inf:
        return False
    most = [getattr(rule, "le", None) for rule in Limits.model_fields[name].metadata] if name in FLOORS else []
    return all(bound is None or value <= bound for bound in most)


def _is_count(name: str) -> bool:
    return Limits.model_fields[name].annotation is int
