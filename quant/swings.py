"""Swing highs and lows of a price, each known only once the price has turned back far enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, checked_vector
from .errors import ParameterError, SampleError


@dataclass(frozen=True, slots=True)
class Swing:
    """A turning point: the extreme of bar ``index``, confirmed by bar ``known_at`` (later, or a wide bar's own)."""

    index: int
    known_at: int
    price: float
    is_high: bool


def swing_points(
    high: npt.ArrayLike, low: npt.ArrayLike, reversal_frac: float | npt.ArrayLike = 0.05
) -> tuple[Swing, ...]:
    """Alternating swing highs and lows, in the order in which they became known; none is ever taken back.

    A high is known at the first bar whose low lies ``reversal_frac`` of it below the highest high since the last
    swing; a low by the mirror image. Of equal extremes the first counts. A bar confirms one swing at most: a bar
    that makes a new extreme never confirms that same extreme.

    Parameters
    ----------
    high, low : (n_bars,) prices above 0, oldest first
    reversal_frac : the turn that confirms, in (0, 1); one number, or (n_bars,) to follow the volatility (for
        example two ATRs over the close, which must itself be causal)

    Raises
    ------
    ParameterError : a reversal outside (0, 1)
    SampleError : a NaN, a price not above 0, or a high below its low
    ShapeError : inputs that differ in length

    Source: the "zigzag" of Merrill (1977), Filtered Waves; confirmation as directional changes in Guillaume et
    al. (1997), Finance and Stochastics 1.
    """
    highs, lows = checked_range(high, low)
    if np.ndim(reversal_frac) == 0:
        turns = np.full(len(highs), reversal_frac, dtype=np.float64)
    else:
        turns = checked_vector(reversal_frac, name="reversal_frac", length=len(highs))
    if not ((turns > 0.0) & (turns < 1.0)).all():
        raise ParameterError(f"reversal_frac: found {turns.min()} to {turns.max()}, expected fractions between 0 and 1")
    return tuple(_walk(highs.tolist(), lows.tolist(), turns.tolist()))


def checked_range(high: npt.ArrayLike, low: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Highs and lows as finite vectors of one length, 0 < low <= high, else a typed error."""
    highs = checked_vector(high, name="high", min_rows=1)
    lows = checked_vector(low, name="low", length=len(highs))
    bad = (lows <= 0.0) | (lows > highs)
    if bad.any():
        row = int(bad.argmax())
        raise SampleError(
            f"bar {row}: found high {highs[row]} and low {lows[row]}, expected 0 < low <= high",
            remedy="Drop the bar at the feed.",
        )
    return highs, lows


def _walk(highs: list[float], lows: list[float], turns: list[float]) -> list[Swing]:
    found: list[Swing] = []
    top = bottom = 0
    for bar in range(1, len(highs)):
        # Which side is sought: after a high a low, after a low a high, both before the first swing.
        seeks_high = not found or not found[-1].is_high
        seeks_low = not found or found[-1].is_high
        if seeks_high and highs[bar] > highs[top]:
            top = bar
        elif seeks_high and lows[bar] <= highs[top] * (1.0 - turns[bar]):
            found.append(Swing(top, bar, highs[top], is_high=True))
            bottom = _lowest(lows, top, bar)
            continue
        if seeks_low and lows[bar] < lows[bottom]:
            bottom = bar
        elif seeks_low and highs[bar] >= lows[bottom] * (1.0 + turns[bar]):
            found.append(Swing(bottom, bar, lows[bottom], is_high=False))
            top = _highest(highs, bottom, bar)
    return found


def _lowest(lows: list[float], after: int, until: int) -> int:
    return min(range(after + 1, until + 1), key=lows.__getitem__)


def _highest(highs: list[float], after: int, until: int) -> int:
    return max(range(after + 1, until + 1), key=highs.__getitem__)
