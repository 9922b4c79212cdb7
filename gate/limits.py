"""The bounds the gate holds orders to: read once, frozen, hashed, and only ever tightened."""

import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

from pydantic import Field, ValidationError, field_validator

from ..domain.canonical import content_hash
from ..domain.instruments import AssetClass
from ..domain.model import Model, Symbol
from ..domain.views import Regime
from .bounds import ChildBounds, child_bounds
from .errors import LimitLoosened, LimitsInvalid

DEFAULT_LIMITS_PATH = Path(__file__).with_name("default_limits.toml")

Bound = Annotated[float, Field(ge=0)]
BoundFrac = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]

# Every field is exactly one of these, so that `tighten` knows which way is tighter (a test holds this).
FLOORS = frozenset(
    {
        "min_cash",
        "cash_buffer_frac",
        "min_var_days",
        "min_history_days",
        "min_order_notional",
        "min_day_trade_equity",
        "duplicate_window_s",
    }
)
FLAGS = frozenset({"allow_short"})
REQUIREMENTS = frozenset({"pattern_day_rule", "require_protective_stop"})
SETS = frozenset({"restricted_symbols", "required_figures"})
ALLOW_LISTS = frozenset({"allowed_symbols", "approved_versions"})
TABLES = frozenset({"max_instrument_weight", "max_sector_weight"})
DYNAMICS = frozenset({"dynamic"})
FIXED = frozenset({"version"})

Figure = Literal[
    "beta",
    "cancel_rate",
    "clock_skew",
    "duplicate",
    "halted",
    "log_writable",
    "message_ratio",
    "net",
    "orders_per_day",
    "price_band",
    "queue_age",
    "repeats",
    "session_hours",
    "settled_cash",
    "state_age",
    "submit_rate",
    "unexecuted_value",
    "venue_ready",
    "volume",
]
"""A figure that not every source has, by the check that reads it: given, it is always held to its bound."""


class WeightByClass(Model):
    """A fraction of equity for each asset class; none may be left out, so no class is without a bound."""

    stock: BoundFrac
    fund: BoundFrac
    bond: BoundFrac
    commodity: BoundFrac
    crypto: BoundFrac

    def of(self, asset_class: AssetClass) -> float:
        return float(getattr(self, asset_class.value))


class Dynamics(Model):
    """How far regime, drawdown and volatility may tighten the bounds: factors of them, each lower is tighter."""

    smallest_factor: BoundFrac
    calm: BoundFrac
    stressed: BoundFrac
    crisis: BoundFrac
    unknown: BoundFrac
    drawdown_start_frac: BoundFrac
    drawdown_full_frac: BoundFrac
    volatility_start_ratio: Bound

    def of(self, regime: Regime) -> float:
        return float(getattr(self, regime.value))


class Limits(Model):
    """All bounds of the desk. Fractions of equity unless the name says otherwise."""

    version: Literal[1]
    allow_short: bool
    max_gross: Bound
    max_participation_frac: BoundFrac
    max_order_notional: Bound
    max_order_quantity: Count
    price_collar_frac: BoundFrac
    max_price_move_frac: BoundFrac
    max_spread_frac: BoundFrac
    max_price_age_days: Bound
    max_plan_age_days: Bound
    max_quote_age_s: Bound
    max_daily_loss_frac: BoundFrac
    max_var_99_frac: BoundFrac
    min_var_days: Annotated[int, Field(ge=100)]
    max_legs: Count
    max_children: Count
    min_cash: Bound
    cash_buffer_frac: BoundFrac
    restricted_symbols: tuple[Symbol, ...]
    min_order_notional: Bound
    min_history_days: Count
    max_unexecuted_notional: Bound
    max_net: Bound
    max_concentration_hhi: BoundFrac
    max_unclustered_correlation: BoundFrac
    max_cluster_weight: Bound
    max_beta: Bound
    max_es_975_frac: BoundFrac
    max_liquidation_days: Bound
    max_borrow_rate_frac: Bound
    max_depth_multiple: Bound
    max_clock_skew_s: Bound
    max_state_age_s: Bound
    max_queue_age_s: Bound
    max_submits_per_s: Count
    max_cancels_per_s: Count
    max_orders_per_day: Count
    max_messages_per_fill: Bound
    max_repeated_legs: Count
    duplicate_window_s: Bound
    pattern_day_rule: bool
    max_day_trades: Count
    min_day_trade_equity: Bound
    require_protective_stop: bool
    required_figures: tuple[Figure, ...]
    allowed_symbols: tuple[Symbol, ...] | Literal["all"]
    approved_versions: tuple[str, ...] | Literal["all"]
    max_instrument_weight: WeightByClass
    max_sector_weight: WeightByClass
    dynamic: Dynamics

    @field_validator("restricted_symbols", "required_figures", "allowed_symbols", "approved_versions")
    @classmethod
    def _in_one_order(cls, names: tuple[str, ...] | str) -> tuple[str, ...] | str:
        return names if isinstance(names, str) else tuple(sorted(set(names)))

    @cached_property
    def child_bounds(self) -> ChildBounds:
        """The same for the hot path, worked out once."""
        return child_bounds(self)

    def needs(self, figure: Figure) -> bool:
        """Whether an order is refused while this figure is not known."""
        return figure in self.required_figures

    @cached_property
    def _hash(self) -> str:
        return content_hash(self)

    def hash(self) -> str:
        """Content hash of all bounds, recorded with every verdict."""
        return self._hash

    def tighten(self, **changes: object) -> "Limits":
        """These limits with some of them tighter; a table may be given in part.

        Raises LimitLoosened when any change would let more through, LimitsInvalid when one is no limit.
        """
        unknown = sorted(set(changes) - set(type(self).model_fields))
        if unknown:
            raise LimitsInvalid(
                f"no such limit: {', '.join(unknown)}",
                remedy=f"Use one of: {', '.join(sorted(type(self).model_fields))}.",
            )
        data = self.model_dump()
        for name, value in changes.items():
            is_part = name in TABLES | DYNAMICS and isinstance(value, Mapping)
            data[name] = data[name] | cast("Mapping[str, object]", value) if is_part else value
        tighter = parse_limits(data, "tightened limits")
        loosened = [name for name in type(self).model_fields if not _is_tighter(name, self, tighter)]
        if loosened:
            name = loosened[0]
            raise LimitLoosened(
                f"{', '.join(loosened)}: a running desk may only tighten its limits; "
                f"{name} is {getattr(self, name)}, asked for {getattr(tighter, name)}",
                remedy="Edit the limits file and start the desk again.",
            )
        return tighter

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As pydantic's, but an update goes through `tighten`: no second door."""
        if update:
            return type(self).model_validate(self.tighten(**update).model_dump())
        return super().model_copy(deep=deep)


def load_limits(path: Path | None = None) -> Limits:
    """The limits of a TOML file, or the shipped ones; every bound must be there, none may be unknown."""
    source = path or DEFAULT_LIMITS_PATH
    try:
        data = tomllib.loads(source.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LimitsInvalid(
            f"{source}: cannot be read as a limits file: {error}",
            remedy="Copy the shipped default_limits.toml and edit its numbers.",
        ) from error
    return parse_limits(data, str(source))


def parse_limits(data: Mapping[str, Any], source: str) -> Limits:
    """Limits from plain data; `source` names where they came from in the error."""
    try:
        return Limits.model_validate(dict(data))
    except ValidationError as error:
        found = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or 'limits'}: {item['msg']} (found {item['input']!r})"
            for item in error.errors()
        )
        raise LimitsInvalid(
            f"{source}: {found}",
            remedy="Give every limit of default_limits.toml a finite number that is not negative.",
        ) from error


def _is_tighter(name: str, old: Limits, new: Limits) -> bool:
    before, after = getattr(old, name), getattr(new, name)
    if name in TABLES:
        return all(after.of(item) <= before.of(item) for item in AssetClass)
    if name in DYNAMICS:
        return all(getattr(after, item) <= getattr(before, item) for item in Dynamics.model_fields)
    if name in SETS:
        return set(after) >= set(before)
    if name in ALLOW_LISTS:
        return before == "all" or (after != "all" and set(after) <= set(before))
    if name in FLOORS | REQUIREMENTS:
        return after >= before
    if name in FIXED:
        return after == before
    return after <= before
