"""Rule-based chart patterns over swing points: the baseline that a trained pattern network must beat."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, checked_fraction, checked_vector
from .errors import ParameterError, SampleError
from .swings import Swing, checked_range, swing_points

if TYPE_CHECKING:
    from collections.abc import Sequence


class PatternKind(StrEnum):
    """The shapes that `chart_patterns` knows."""

    HEAD_AND_SHOULDERS = "head_and_shoulders"
    INVERSE_HEAD_AND_SHOULDERS = "inverse_head_and_shoulders"
    DOUBLE_TOP = "double_top"
    DOUBLE_BOTTOM = "double_bottom"
    ASCENDING_TRIANGLE = "ascending_triangle"
    DESCENDING_TRIANGLE = "descending_triangle"
    SYMMETRIC_TRIANGLE = "symmetric_triangle"
    CHANNEL_BREAK = "channel_break"


@dataclass(frozen=True, slots=True)
class ChartPattern:
    """A completed pattern: its first swing is bar ``start``, its line was broken by the close of bar ``known_at``.

    ``side`` is 1 for a break upward, -1 for one downward; ``level`` is the broken line at that bar and ``height``
    the pattern's size there, both in price (``level + side * height`` is the classical target).
    """

    kind: PatternKind
    side: int
    start: int
    known_at: int
    level: float
    height: float


def chart_patterns(
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    close: npt.ArrayLike,
    *,
    reversal_frac: float | npt.ArrayLike = 0.05,
    tolerance_frac: float = 0.015,
    double_gap_bars: int = 22,
) -> tuple[ChartPattern, ...]:
    """Every completed pattern, in the order of the bars that completed them.

    Swings are those of `swing_points`. With "near" for two prices that each lie within ``tolerance_frac`` of their
    mean, and the newest swing last:

    - head and shoulders: high, low, high, low, high; the middle high above both near others, the lows near;
      complete when a close falls below the line through the lows. Inverse: the mirror image.
    - double top: high, low, high; the highs near and ``double_gap_bars`` or more apart; complete when a close falls
      below the low. Double bottom: the mirror image.
    - triangles: two highs and two lows; ascending: highs near, lows rising; descending: lows near, highs falling;
      symmetric: highs falling, lows rising (all by more than near); complete when a close leaves the two lines,
      before these meet.
    - channel break: two highs and two lows whose lines keep their distance, to a quarter of it; complete when a
      close leaves them.

    A shape waits for its break until the next swing is known, and completes once. Causal: what is known at bar
    t follows from bars up to t.

    Parameters
    ----------
    high, low, close : (n_bars,) prices above 0, low <= close <= high, oldest first
    reversal_frac : as `swing_points`; tolerance_frac : in (0, 1); double_gap_bars : at least 1

    Raises
    ------
    ParameterError, SampleError, ShapeError : as `swing_points`; a close outside its bar is a SampleError

    Source: Lo, Mamaysky and Wang (2000), J. Finance 55(4), definitions 1 to 5 (their extrema come from a kernel
    regression, ours from confirmed swings; the break that completes, and channels, follow Edwards and Magee (1948)).
    """
    highs, lows = checked_range(high, low)
    closes = checked_vector(close, name="close", length=len(highs))
    if ((closes < lows) | (closes > highs)).any():
        raise SampleError("close: found one outside its bar's low and high", remedy="Adjust all prices alike.")
    rules = _Rules(checked_fraction(tolerance_frac, name="tolerance_frac"), double_gap_bars)
    if double_gap_bars < 1:
        raise ParameterError(f"double_gap_bars: found {double_gap_bars}, expected at least 1")
    swings = swing_points(highs, lows, reversal_frac)
    found: list[ChartPattern] = []
    for at, swing in enumerate(swings):
        until = swings[at + 1].known_at if at + 1 < len(swings) else len(closes)
        for shape in rules.shapes(swings[max(at - 4, 0) : at + 1]):
            completed = shape.completed(closes, swing.known_at, until)
            if completed is not None:
                found.append(completed)
    return tuple(sorted(found, key=lambda pattern: (pattern.known_at, pattern.kind)))


def pattern_sides(patterns: Sequence[ChartPattern], n_bars: int) -> FloatArray:
    """(n_bars,) of 1, 0 or -1: the majority side of the patterns that each bar completed, to score as a signal.

    Parameters
    ----------
    patterns : as `chart_patterns` found them; n_bars : length of the history they were found in

    Raises
    ------
    ParameterError : a pattern known only after the last bar

    Source: none; a count.
    """
    votes = np.zeros(n_bars)
    for pattern in patterns:
        if pattern.known_at >= n_bars:
            raise ParameterError(f"n_bars: found {n_bars}, expected more than {pattern.known_at}, a pattern's bar")
        votes[pattern.known_at] += pattern.side
    return np.sign(votes)


@dataclass(frozen=True, slots=True)
class _Line:
    index: int
    price: float
    slope: float

    @classmethod
    def through(cls, first: Swing, second: Swing) -> _Line:
        return cls(first.index, first.price, (second.price - first.price) / (second.index - first.index))

    def at(self, bar: int) -> float:
        return self.price + self.slope * (bar - self.index)


@dataclass(frozen=True, slots=True)
class _Shape:
    """A shape that waits for a close above ``upper`` or below ``lower``; without a height, that of the two lines."""

    kind: PatternKind
    start: int
    upper: _Line | None = None
    lower: _Line | None = None
    height: float | None = None

    def completed(self, closes: FloatArray, since: int, until: int) -> ChartPattern | None:
        for bar in range(since, until):
            height = self._height(bar)
            if height <= 0.0:
                return None
            close = float(closes[bar])
            for side, line in ((1, self.upper), (-1, self.lower)):
                if line is not None and side * (close - line.at(bar)) > 0.0:
                    return ChartPattern(self.kind, side, self.start, bar, line.at(bar), height)
        return None

    def _height(self, bar: int) -> float:
        if self.height is not None or self.upper is None or self.lower is None:
            return self.height or 0.0
        return self.upper.at(bar) - self.lower.at(bar)


@dataclass(frozen=True, slots=True)
class _Rules:
    tolerance_frac: float
    double_gap_bars: int

    def shapes(self, swings: Sequence[Swing]) -> list[_Shape]:
        """The shapes that the newest swing, last in ``swings``, has just finished."""
        candidates = (self._shoulders(swings), self._double(swings), self._two_lines(swings))
        return [shape for shape in candidates if shape is not None]

    def _near(self, one: Swing, other: Swing) -> bool:
        return abs(one.price - other.price) <= self.tolerance_frac * (one.price + other.price)

    def _shoulders(self, swings: Sequence[Swing]) -> _Shape | None:
        if len(swings) < 5:
            return None
        left, neck, head, other_neck, right = swings[-5:]
        side = 1.0 if head.is_high else -1.0
        beyond = min(side * (head.price - left.price), side * (head.price - right.price))
        if beyond <= 0.0 or not self._near(left, right) or not self._near(neck, other_neck):
            return None
        neckline = _Line.through(neck, other_neck)
        height = side * (head.price - neckline.at(head.index))
        if head.is_high:
            return _Shape(PatternKind.HEAD_AND_SHOULDERS, left.index, lower=neckline, height=height)
        return _Shape(PatternKind.INVERSE_HEAD_AND_SHOULDERS, left.index, upper=neckline, height=height)

    def _double(self, swings: Sequence[Swing]) -> _Shape | None:
        if len(swings) < 3:
            return None
        first, between, second = swings[-3:]
        if second.index - first.index < self.double_gap_bars or not self._near(first, second):
            return None
        level = _Line(between.index, between.price, 0.0)
        height = abs((first.price + second.price) / 2.0 - between.price)
        if first.is_high:
            return _Shape(PatternKind.DOUBLE_TOP, first.index, lower=level, height=height)
        return _Shape(PatternKind.DOUBLE_BOTTOM, first.index, upper=level, height=height)

    def _two_lines(self, swings: Sequence[Swing]) -> _Shape | None:
        if len(swings) < 4:
            return None
        tops = [swing for swing in swings[-4:] if swing.is_high]
        bottoms = [swing for swing in swings[-4:] if not swing.is_high]
        upper, lower = _Line.through(tops[0], tops[1]), _Line.through(bottoms[0], bottoms[1])
        kind = _TRIANGLES.get((self._trend(tops), self._trend(bottoms)))
        if kind is None and _is_parallel(upper, lower, swings[-4].index, swings[-1].index):
            kind = PatternKind.CHANNEL_BREAK
        return None if kind is None else _Shape(kind, swings[-4].index, upper=upper, lower=lower)

    def _trend(self, pair: Sequence[Swing]) -> int:
        """0 when the two are near, else the sign of the move from the first to the second."""
        return 0 if self._near(pair[0], pair[1]) else int(np.sign(pair[1].price - pair[0].price))


def _is_parallel(upper: _Line, lower: _Line, start: int, end: int) -> bool:
    before, after = upper.at(start) - lower.at(start), upper.at(end) - lower.at(end)
    return min(before, after) > 0.0 and abs(after - before) <= _PARALLEL_FRAC * max(before, after)


_PARALLEL_FRAC = 0.25
_TRIANGLES = {
    (0, 1): PatternKind.ASCENDING_TRIANGLE,
    (-1, 0): PatternKind.DESCENDING_TRIANGLE,
    (-1, 1): PatternKind.SYMMETRIC_TRIANGLE,
}
