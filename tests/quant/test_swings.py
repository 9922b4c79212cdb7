"""Swing points: zigzags drawn by hand, causality, and the properties that every swing sequence keeps."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.market.datasets import load_data
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.swings import Swing, swing_points


def _range(seed: int, n: int = 250) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, n)))
    return close * (1.0 + rng.uniform(0.0, 0.02, n)), close * (1.0 - rng.uniform(0.0, 0.02, n))


def test_a_zigzag_by_hand_is_known_only_after_the_turn() -> None:
    # Up to 110, back to 104 (5.5 % under it), up to 120, down to 100: turns of 5 %.
    price = [100.0, 106.0, 110.0, 107.0, 104.0, 112.0, 120.0, 118.0, 100.0]

    swings = swing_points(price, price, 0.05)

    assert swings == (
        Swing(index=0, known_at=1, price=100.0, is_high=False),
        Swing(index=2, known_at=4, price=110.0, is_high=True),
        Swing(index=4, known_at=5, price=104.0, is_high=False),
        Swing(index=6, known_at=8, price=120.0, is_high=True),
    )


def test_of_equal_highs_the_first_counts() -> None:
    price = [100.0, 110.0, 110.0, 100.0]

    assert [swing.index for swing in swing_points(price, price, 0.05) if swing.is_high] == [1]


def test_a_wide_turn_finds_fewer_swings_than_a_narrow_one_on_recorded_bars() -> None:
    panel = load_data("us5").panel
    assert panel.high is not None and panel.low is not None
    high, low = panel.high[:, 0], panel.low[:, 0]

    counts = [len(swing_points(high, low, turn)) for turn in (0.03, 0.1, 0.3)]

    assert counts[0] > 2 * counts[1] > 4 * counts[2] > 0


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.2))
def test_swings_alternate_and_are_the_extremes_between_their_neighbors(seed: int, turn: float) -> None:
    high, low = _range(seed)

    swings = swing_points(high, low, turn)

    for one, other in itertools.pairwise(swings):
        assert one.is_high != other.is_high
        assert one.index < other.index and one.known_at < other.known_at
        top, bottom = (one, other) if one.is_high else (other, one)
        assert bottom.price <= top.price * (1.0 - turn) or top.price >= bottom.price * (1.0 + turn)
    for before, swing, after in zip(swings, swings[1:], swings[2:], strict=False):
        assert swing.index < swing.known_at <= after.known_at
        between = slice(before.index + 1, swing.known_at)
        assert swing.price == (high[between].max() if swing.is_high else low[between].min())


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 249), st.booleans())
def test_what_is_known_at_a_bar_never_changes_later(seed: int, n: int, by_bar: bool) -> None:
    high, low = _range(seed)
    turn = np.linspace(0.03, 0.1, 250) if by_bar else np.full(250, 0.05)

    known = swing_points(high[:n], low[:n], turn[:n])

    assert known == tuple(swing for swing in swing_points(high, low, turn) if swing.known_at < n)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(-8, 8))
def test_the_unit_of_price_changes_only_the_prices(seed: int, power: int) -> None:
    high, low = _range(seed)
    unit = 2.0**power

    scaled = swing_points(unit * high, unit * low)

    assert scaled == tuple(
        Swing(swing.index, swing.known_at, unit * swing.price, swing.is_high) for swing in swing_points(high, low)
    )


def test_a_flat_price_and_a_single_bar_have_no_swings() -> None:
    assert swing_points(np.full(50, 3.0), np.full(50, 3.0)) == ()
    assert swing_points([3.0], [2.0]) == ()


def test_bad_bars_and_turns_are_refused() -> None:
    for turn in (0.0, 1.0, -0.1, np.nan):
        with pytest.raises(ParameterError, match="reversal_frac"):
            swing_points([1.0, 2.0], [1.0, 2.0], turn)
    with pytest.raises(ShapeError, match="reversal_frac"):
        swing_points([1.0, 2.0], [1.0, 2.0], [0.1])
    with pytest.raises(SampleError, match="bar 1"):
        swing_points([1.0, 2.0], [1.0, 3.0])
    with pytest.raises(SampleError, match="0 < low"):
        swing_points([1.0], [-1.0])
    with pytest.raises(SampleError, match="NaN"):
        swing_points([np.nan], [1.0])
    with pytest.raises(ShapeError):
        swing_points([1.0, 1.0], [1.0])
