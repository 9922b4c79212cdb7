"""The limits a child is held to, copied out of the limits file once: plain values, exact decimals, quick to read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..domain.instruments import AssetClass
from .results import exact


@dataclass(frozen=True, slots=True)
class ChildBounds:
    """Named as in the limits; money and fractions as the decimal a person wrote, the rest as it is."""

    allow_short: bool
    max_gross: Decimal
    max_net: Decimal
    max_participation_frac: float
    max_order_notional: Decimal
    max_order_quantity: int
    min_order_notional: Decimal
    price_collar_frac: Decimal
    max_price_move_frac: Decimal
    max_spread_frac: Decimal
    max_depth_multiple: float
    max_quote_age_s: float
    max_children: int
    min_cash: Decimal
    max_unexecuted_notional: Decimal
    max_clock_skew_s: float
    max_state_age_s: float
    max_queue_age_s: float
    max_submits_per_s: int
    max_cancels_per_s: int
    max_orders_per_day: int
    max_messages_per_fill: float
    max_repeated_legs: int
    duplicate_window_s: float
    pattern_day_rule: bool
    max_day_trades: int
    min_day_trade_equity: Decimal
    restricted_symbols: frozenset[str]
    required_figures: frozenset[str]
    allowed_symbols: frozenset[str] | None
    max_instrument_weight: Mapping[AssetClass, Decimal]
    max_sector_weight: Mapping[AssetClass, Decimal]


def child_bounds(limits: object) -> ChildBounds:
    """The bounds of these limits (the model of `limits.py`, which keeps the result)."""
    plain = {name: getattr(limits, name) for name in ChildBounds.__annotations__}
    return ChildBounds(**{name: _AS.get(name, _unchanged)(value) for name, value in plain.items()})


def _unchanged(value: Any) -> Any:
    return value


def _by_class(table: Any) -> Mapping[AssetClass, Decimal]:
    return {item: exact(table.of(item)) for item in AssetClass}


def _names(names: Any) -> frozenset[str] | None:
    return None if names == "all" else frozenset(names)


_AS: Mapping[str, Callable[[Any], Any]] = {
    **{name: exact for name, kind in ChildBounds.__annotations__.items() if kind is Decimal},
    "restricted_symbols": frozenset,
    "required_figures": frozenset,
    "allowed_symbols": _names,
    "max_instrument_weight": _by_class,
    "max_sector_weight": _by_class,
}
