"""The widest limits there can be, for the arm without a veto: nothing outside of an evaluation imports this."""

from collections.abc import Mapping
from typing import Any

from ...domain.instruments import AssetClass
from ...domain.views import Regime
from ...gate.limits import ALLOW_LISTS, DYNAMICS, FIXED, FLAGS, FLOORS, REQUIREMENTS, SETS, TABLES, Limits, parse_limits

KEPT = FIXED | FLAGS | {"min_cash", "cash_buffer_frac", "min_var_days", "pattern_day_rule"}
"""What an account can do at all is no veto: it still has its own money only, and no shares but those it holds."""
BEYOND = 1e15
"""Larger than any book."""


def widest_limits(limits: Limits) -> Limits:
    """These limits with every bound on risk taken away: each limit that is shipped is a tightening of them."""
    given = limits.model_dump()
    return parse_limits({name: _widest(name, value) for name, value in given.items()}, "the widest limits")


def _widest(name: str, value: Any) -> Any:
    if name in KEPT:
        return value
    if name in TABLES:
        return {item.value: 1.0 for item in AssetClass}
    if name in DYNAMICS:
        return _still(value)
    if name in SETS:
        return ()
    if name in ALLOW_LISTS:
        return "all"
    if name in FLOORS:
        return 0
    if name in REQUIREMENTS:
        return False
    return _highest(name)


def _still(dynamics: Mapping[str, float]) -> dict[str, float]:
    """Factors of one, whatever the market: nothing tightens."""
    ones = {"smallest_factor", *(item.value for item in Regime)}
    return {name: 1.0 if name in ones else (BEYOND if name.endswith("_ratio") else 1.0) for name in dynamics}


def _highest(name: str) -> float | int:
    """The upper end of what the field takes: one where it is a fraction of a whole."""
    field = Limits.model_fields[name]
    if any(getattr(item, "le", None) == 1 for item in field.metadata):
        return 1.0
    return int(BEYOND) if field.annotation is int else BEYOND
