"""Chart patterns: every shape drawn by hand, its mirror image, causality, and recorded bars."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.market.datasets import load_data
from parley.quant.chart_patterns import ChartPattern, PatternKind, chart_patterns, pattern_sides
from parley.quant.errors import ParameterError, SampleError

LEG = 12
# Turning points of each shape, LEG bars apart: the last leg breaks it.
DRAWN: dict[PatternKind, tuple[list[float], int]] = {
    PatternKind.HEAD_AND_SHOULDERS: ([80, 110, 100, 125, 100.5, 110.5, 85], -1),
    PatternKind.INVERSE_HEAD_AND_SHOULDERS: ([130, 100, 110, 88, 110.5, 100.5, 125], 1),
    PatternKind.DOUBLE_TOP: ([80, 110, 98, 110.5, 85], -1),
    PatternKind.DOUBLE_BOTTOM: ([130, 98, 110, 98.5, 125], 1),
    PatternKind.ASCENDING_TRIANGLE: ([85, 120, 98, 120.5, 108, 135], 1),
    PatternKind.DESCENDING_TRIANGLE: ([140, 100, 122, 100.5, 112, 85], -1),
    PatternKind.SYMMETRIC_TRIANGLE: ([85, 125, 95, 118, 104, 130], 1),
    PatternKind.CHANNEL_BREAK: ([90, 110, 100, 121, 111, 90], -1),
}


def _drawn(points: list[float]) -> np.ndarray:
    legs = [np.linspace(one, other, LEG, endpoint=False) for one, other in itertools.pairwise(points)]
    return np.append(np.concatenate(legs), points[-1])


def _found(close: np.ndarray) -> tuple[ChartPattern, ...]:
    return chart_patterns(close, close, close)


def _bars(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, n)))
    return close * (1.0 + rng.uniform(0.0, 0.01, n)), close * (1.0 - rng.uniform(0.0, 0.01, n)), close


@pytest.mark.parametrize("kind", DRAWN)
def test_every_drawn_shape_is_found_on_the_bar_that_breaks_it(kind: PatternKind) -> None:
    points, side = DRAWN[kind]
    close = _drawn(points)

    # The first four turns of a triangle are a wider triangle of the same kind, broken earlier: the last one counts.
    pattern = [each for each in _found(close) if each.kind == kind][-1]

    assert pattern.side == side
    assert pattern.known_at > (len(points) - 2) * LEG
    assert side * (close[pattern.known_at] - pattern.level) > 0.0
    assert pattern.height > 0.0


def test_a_double_top_by_hand() -> None:
    # Edwards and Magee: complete below the valley at 98; the height is from there to the mean of the tops.
    pattern = next(each for each in _found(_drawn(DRAWN[PatternKind.DOUBLE_TOP][0])) if each.kind == "double_top")

    assert (pattern.start, pattern.level) == (LEG, 98.0)
    assert pattern.height == pytest.approx(110.25 - 98.0)
    # The last leg falls 25.5 over 12 bars from bar 36 on: the first close below 98 is its sixth.
    assert pattern.known_at == 36 + 6


def test_the_neckline_of_a_head_and_shoulders_is_extrapolated_to_the_break() -> None:
    pattern = next(
        each
        for each in _found(_drawn(DRAWN[PatternKind.HEAD_AND_SHOULDERS][0]))
        if each.kind == PatternKind.HEAD_AND_SHOULDERS
    )

    slope = (100.5 - 100.0) / (2 * LEG)
    assert pattern.level == pytest.approx(100.0 + slope * (pattern.known_at - 2 * LEG))
    assert pattern.height == pytest.approx(125.0 - 100.25)


def test_a_shape_that_is_never_broken_is_never_reported() -> None:
    points = DRAWN[PatternKind.HEAD_AND_SHOULDERS][0]

    kinds = {each.kind for each in _found(_drawn([*points[:-1], 104.0]))}

    assert PatternKind.HEAD_AND_SHOULDERS not in kinds


@pytest.mark.parametrize("shoulder", [100.0, 124.9, 126.0])
def test_uneven_shoulders_are_no_head_and_shoulders(shoulder: float) -> None:
    found = _found(_drawn([80, 112, 100, 125, 100.5, shoulder + 6.0, 85]))

    assert PatternKind.HEAD_AND_SHOULDERS not in {each.kind for each in found}


def test_two_tops_too_close_in_time_are_no_double_top() -> None:
    close = _drawn(DRAWN[PatternKind.DOUBLE_TOP][0])

    found = chart_patterns(close, close, close, double_gap_bars=2 * LEG + 1)

    assert PatternKind.DOUBLE_TOP not in {each.kind for each in found}


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(50, 399))
def test_what_is_known_at_a_bar_never_changes_later(seed: int, n: int) -> None:
    bars = _bars(seed)

    known = chart_patterns(*(each[:n] for each in bars), tolerance_frac=0.04)

    assert known == tuple(each for each in chart_patterns(*bars, tolerance_frac=0.04) if each.known_at < n)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_every_pattern_is_broken_by_its_close_after_it_started(seed: int) -> None:
    high, low, close = _bars(seed)

    for pattern in chart_patterns(high, low, close, tolerance_frac=0.04):
        assert pattern.start < pattern.known_at < len(close)
        assert pattern.side * (close[pattern.known_at] - pattern.level) > 0.0
        assert pattern.height > 0.0


def test_recorded_bars_hold_shapes_of_both_sides() -> None:
    panel = load_data("us5").panel
    assert panel.high is not None and panel.low is not None
    found = [
        pattern
        for at in (0, 3, 4)
        for pattern in chart_patterns(panel.high[:, at], panel.low[:, at], panel.close[:, at])
    ]

    assert len({pattern.kind for pattern in found}) >= 6
    assert {pattern.side for pattern in found} == {1, -1}


def test_sides_are_the_majority_of_a_bars_patterns() -> None:
    def pattern(side: int, known_at: int) -> ChartPattern:
        return ChartPattern(PatternKind.CHANNEL_BREAK, side, 0, known_at, 1.0, 1.0)

    sides = pattern_sides(
        [pattern(1, 1), pattern(1, 1), pattern(-1, 1), pattern(-1, 2), pattern(1, 3), pattern(-1, 3)], 5
    )

    assert sides.tolist() == [0.0, 1.0, -1.0, 0.0, 0.0]
    with pytest.raises(ParameterError, match="n_bars"):
        pattern_sides([pattern(1, 5)], 5)


def test_bad_bars_and_rules_are_refused() -> None:
    high, low, close = _bars(1)

    with pytest.raises(SampleError, match="outside"):
        chart_patterns(high, low, high * 1.01)
    with pytest.raises(SampleError, match="NaN"):
        chart_patterns(high, low, np.where(close == close[3], np.nan, close))
    for tolerance in (0.0, 1.0):
        with pytest.raises(ParameterError, match="tolerance_frac"):
            chart_patterns(high, low, close, tolerance_frac=tolerance)
    with pytest.raises(ParameterError, match="double_gap_bars"):
        chart_patterns(high, low, close, double_gap_bars=0)
    with pytest.raises(ParameterError, match="reversal_frac"):
        chart_patterns(high, low, close, reversal_frac=1.5)
