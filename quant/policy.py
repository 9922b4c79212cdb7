"""The default policy without a language model: reference book, volatility target, VIX rule and throttle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from .arrays import (
    DAYS_PER_YEAR,
    FloatArray,
    checked_above,
    checked_at_least,
    checked_returns,
    checked_vector,
)
from .covariance import VOL_HALF_LIFE_DAYS, ewma_weights
from .errors import ParameterError, SampleError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Sequence

VixRegime = Literal["calm", "stressed", "crisis"]

MONTH_DAYS = 21
_SMALLEST_BOOK = 0.1
_SMALLEST_VOL = 1e-6


@dataclass(frozen=True, slots=True)
class PolicyParams:
    """The numbers of the default policy; the defaults are those of a cash account."""

    vol_target: float = 0.06
    """Annual volatility aimed at, a fraction."""
    half_life_fast_days: float = 10.0
    half_life_slow_days: float = VOL_HALF_LIFE_DAYS
    """The larger of the two volatility forecasts counts: fast to cut, slow to add."""
    max_gross: float = 1.0
    """Most that the absolute weights may sum to; above 1 needs a margin account."""
    dd_limit: float = 0.08
    """Drawdown at which the book is down to ``dd_floor``: two points inside a 10 % mandate, as fills lag."""
    dd_start: float = 0.5
    """Share of ``dd_limit`` below which the throttle does nothing."""
    dd_floor: float = 0.1
    vix_cap: float = 20.0
    """Index points; the book shrinks by vix_cap / VIX above it."""
    band: float = 0.20
    """Trade only when the targets moved by more than this share of the gross target."""
    cap: float = 0.15
    """Most of one name as a share of its class, when the class is large enough."""

    def __post_init__(self) -> None:
        positive = ("vol_target", "half_life_fast_days", "half_life_slow_days", "max_gross", "vix_cap")
        for name in positive:
            checked_above(getattr(self, name), 0.0, name=name)
        for name in ("dd_limit", "cap"):
            _check_range(getattr(self, name), name, low=0.0, high=1.0, low_included=False)
        _check_range(self.dd_start, "dd_start", low=0.0, high=0.99)
        _check_range(self.dd_floor, "dd_floor", low=0.0, high=1.0)
        checked_at_least(self.band, 0.0, name="band")

    def name_cap(self, n_names: int) -> float:
        """The cap on one of ``n_names`` names of a class: never so low that the class cannot be filled."""
        return min(max(self.cap, 2.0 / n_names), 1.0)


@dataclass(frozen=True, slots=True)
class NeutralParams(PolicyParams):
    """The variant that holds as much short as long: it needs limits that allow short sales, and shares to borrow."""

    side_frac: float = 1 / 3
    """Share of the names on either side."""

    def __post_init__(self) -> None:
        # Not `super()`: with slots the class is made anew, and the cell of this one is the old.
        PolicyParams.__post_init__(self)
        _check_range(self.side_frac, "side_frac", low=0.0, high=0.5, low_included=False)


@dataclass(frozen=True, slots=True)
class Exposure:
    """How much of the reference book to hold, and each reason in a number."""

    vol_forecast: float
    """Annual volatility of the unscaled book, the larger of the fast and slow forecasts."""
    k_vol: float
    k_vix: float
    drawdown: float
    """Fall of equity from its peak since inception, a fraction of that peak."""
    k_dd: float
    multiplier: float
    """k_vol * k_vix * k_dd"""


def reference_book(
    returns: FloatArray, classes: Sequence[str], half_life_days: float = VOL_HALF_LIFE_DAYS
) -> FloatArray:
    """Equal weights inside each asset class, inverse volatility between the classes; sums to 1.

    Parameters
    ----------
    returns : (n_days, n_names) simple daily returns, as fractions; about 252 rows
    classes : the asset class of each name; one class only gives 1/N

    Raises
    ------
    ShapeError : not one class per name
    SampleError : too few rows, a NaN or an infinity, or a class whose book never moved
    """
    matrix = checked_returns(returns, 2)
    if len(classes) != matrix.shape[1]:
        raise ShapeError(f"classes: found {len(classes)}, expected {matrix.shape[1]}, one per name")
    labels = list(dict.fromkeys(classes))
    member = np.array([[label == each for each in classes] for label in labels], dtype=np.float64)
    books = member / member.sum(axis=1, keepdims=True)
    if len(labels) == 1:
        return books[0]
    variance = ewma_weights(len(matrix), half_life_days) @ np.square(matrix @ books.T)
    if variance.min() <= 0.0:
        still = labels[int(variance.argmin())]
        raise SampleError(
            f"classes: the book of {still!r} never moved, so it has no inverse volatility",
            remedy="Hold cash-like instruments as cash.",
        )
    book = (1.0 / np.sqrt(variance)) @ books
    return book / book.sum()


def neutral_book(returns: FloatArray, side_frac: float = 1 / 3) -> FloatArray:
    """Long the names that rose most over the year but its last month, short as much of those that rose least.

    Equal weights on either side; absolute ones sum to 1, and all of them to 0.

    Parameters
    ----------
    returns : (n_days, n_names) simple daily returns, as fractions; about 252 rows
    side_frac : share of the names on either side, in (0, 0.5]; at least one name is

    Raises
    ------
    SampleError : a NaN or an infinity, fewer than 2 names, or no day before the last month
    ParameterError : a share outside its range

    Source: Jegadeesh and Titman (1993), J. Finance 48, with the month left out as in Asness (1994).
    """
    matrix = checked_returns(returns, 2)
    _check_range(side_frac, "side_frac", low=0.0, high=0.5, low_included=False)
    n_days, n_names = matrix.shape
    if n_names < 2 or n_days <= MONTH_DAYS:
        raise SampleError(
            f"returns: found {n_days} days of {n_names} names, expected more than {MONTH_DAYS} of at least 2",
            remedy="A neutral book has two sides: give more names, or hold the usual book.",
        )
    rise = np.log1p(matrix[:-MONTH_DAYS]).sum(axis=0)
    order, count = np.argsort(rise, kind="stable"), max(int(side_frac * n_names), 1)
    book = np.zeros(n_names)
    book[order[:count]], book[order[-count:]] = -0.5 / count, 0.5 / count
    return book


def exposure(
    weights: FloatArray,
    returns: FloatArray,
    vix: float | None,
    equity: float,
    peak: float,
    params: PolicyParams | None = None,
) -> Exposure:
    """The multiplier on the book: volatility target, times VIX rule, times drawdown throttle.

    Parameters
    ----------
    weights : (n_names,) the unscaled book
    returns : (n_days, n_names) simple daily returns, as fractions; about 252 rows
    vix : index points at the same close, above 0; None (there is no such index) scales nothing
    equity : net equity now
    peak : highest net equity since inception, today's included or not

    Raises
    ------
    ShapeError : weights and returns of different widths
    SampleError : a NaN or an infinity anywhere, or no rows
    ParameterError : a VIX or an equity that is not above 0
    """
    chosen = params or PolicyParams()
    matrix = checked_returns(returns, 2)
    book = checked_vector(weights, name="weights", length=matrix.shape[1])
    state = checked_vector([equity, peak] + ([] if vix is None else [vix]), name="equity, peak, vix")
    if state.min() <= 0.0:
        raise ParameterError(
            f"equity {equity}, peak {peak}, vix {vix}: expected all above 0",
            remedy="A desk whose equity is gone must halt, not size.",
        )
    vol = annual_vol_forecast(book, matrix, chosen)
    gross = float(np.abs(book).sum())
    k_vol = min(chosen.max_gross / max(gross, _SMALLEST_VOL), chosen.vol_target / max(vol, _SMALLEST_VOL))
    k_vix = 1.0 if vix is None else min(1.0, chosen.vix_cap / vix)
    drawdown = 1.0 - equity / max(equity, peak)
    slope = (chosen.dd_limit - drawdown) / (chosen.dd_limit * (1.0 - chosen.dd_start))
    k_dd = min(max(slope, chosen.dd_floor), 1.0)
    return Exposure(vol, k_vol, k_vix, drawdown, k_dd, k_vol * k_vix * k_dd)


def annual_vol_forecast(weights: FloatArray, returns: FloatArray, params: PolicyParams) -> float:
    """Annual volatility of the book: the larger of the fast and the slow zero-mean EWMA forecasts."""
    history = np.square(returns @ weights)
    fast, slow = (
        float(ewma_weights(len(history), days) @ history)
        for days in (params.half_life_fast_days, params.half_life_slow_days)
    )
    return math.sqrt(max(fast, slow) * DAYS_PER_YEAR)


def rebalance_needed(target: FloatArray, held: FloatArray, band: float) -> bool:
    """True when the sum of |target - held| exceeds ``band`` times the gross target (at least 0.1).

    Parameters
    ----------
    target, held : (n_names,) signed fractions of equity, held ones drifted to now
    band : fraction of the gross target, at least 0

    Raises
    ------
    ShapeError, SampleError, ParameterError : weights that do not match, a NaN, or a negative band
    """
    wanted = checked_vector(target, name="target")
    now = checked_vector(held, name="held", length=len(wanted))
    checked_at_least(band, 0.0, name="band")
    gross = max(float(np.abs(wanted).sum()), _SMALLEST_BOOK)
    return float(np.abs(wanted - now).sum()) > band * gross


def vix_regime(vix: float) -> VixRegime:
    """The label for reports: calm below 20 index points, crisis above 30, stressed between."""
    checked_above(vix, 0.0, name="vix")
    if vix < 20.0:
        return "calm"
    return "crisis" if vix > 30.0 else "stressed"


def _check_range(value: float, name: str, *, low: float, high: float, low_included: bool = True) -> None:
    inside = (low <= value if low_included else low < value) and value <= high
    if not inside:
        raise ParameterError(f"{name}: found {value}, expected a fraction from {low} to {high}")
