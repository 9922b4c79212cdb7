"""Schedules that follow volume or urgency: exact sums, whole lots, and nothing from the future."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.almgren_chriss import LinearImpact, optimal_trajectory
from parley.quant.errors import ParameterError, SampleError
from parley.quant.schedules import (
    close_slices,
    pov_quantity,
    pov_slices,
    shortfall_slices,
    twap_slices,
    volume_curve,
    vwap_slices,
)


def test_a_thousand_shares_follow_a_u_shaped_day() -> None:
    assert vwap_slices(1000, [3, 1, 1, 2, 3]).tolist() == [300, 100, 100, 200, 300]
    assert vwap_slices(1050, [3, 1, 1, 2, 3], lot=100).tolist() == [300, 100, 100, 200, 350]
    assert vwap_slices(1050, [3, 1, 0], lot=100).tolist() == [700, 350, 0]


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 10**9), st.lists(st.floats(0.0, 1e6), min_size=1, max_size=80), st.integers(1, 500))
def test_a_volume_schedule_sums_exactly_and_stays_within_a_lot_of_the_curve(
    quantity: int, curve: list[float], lot: int
) -> None:
    if sum(curve) <= 1e-3:
        return
    slices = vwap_slices(quantity, curve, lot)

    assert int(slices.sum()) == quantity
    assert slices.min() >= 0
    assert (slices[np.array(curve) == 0.0] == 0).all()
    lots = quantity // lot * lot
    behind = lots * np.cumsum(curve) / np.sum(curve) - np.cumsum(slices)
    assert behind[np.cumsum(slices) < quantity].max(initial=0.0) < lot * (1.0 + 1e-6)


def test_the_volume_curve_gives_every_day_the_same_vote() -> None:
    assert volume_curve([[1.0, 1.0, 2.0], [100.0, 0.0, 100.0]]) == pytest.approx([0.375, 0.125, 0.5])
    with pytest.raises(SampleError, match="lowest day"):
        volume_curve([[1.0, 2.0], [0.0, 0.0]])
    with pytest.raises(SampleError, match="rows"):
        volume_curve(np.empty((0, 3)))


def test_a_tenth_of_the_volume_is_owed_only_once_it_has_traded() -> None:
    assert pov_slices(1000, [500, 500, 0, 2000], 0.1).tolist() == [0, 50, 50, 0]
    assert pov_slices(120, [500, 500, 5000, 1], 0.1, lot=20).tolist() == [0, 40, 60, 20]
    assert pov_quantity(10_000, 900, 300, 0.1) == 100
    assert pov_quantity(10_000, 900, 70, 0.1, lot=100) == 70
    assert pov_quantity(10_000, 1100, 300, 0.1) == 0


@settings(deadline=None, max_examples=50)
@given(
    st.integers(0, 10**6),
    st.lists(st.integers(0, 10**5), min_size=2, max_size=40),
    st.floats(0.01, 1.0),
    st.integers(1, 100),
    st.integers(0, 10**6),
)
def test_participation_is_never_exceeded_and_later_volume_moves_nothing_earlier(
    quantity: int, volumes: list[int], share: float, lot: int, shock: int
) -> None:
    slices = pov_slices(quantity, volumes, share, lot)

    known = np.concatenate([[0], np.cumsum(volumes)[:-1]])
    assert (np.cumsum(slices) <= share * known + 1e-6).all()
    assert slices.sum() <= quantity
    for place in range(len(volumes)):
        changed = [*volumes[:place], shock, *volumes[place + 1 :]]
        assert (pov_slices(quantity, changed, share, lot)[: place + 1] == slices[: place + 1]).all()


def test_the_shortfall_schedule_is_almgren_and_chriss_in_whole_shares() -> None:
    impact = LinearImpact(2.5e-7, 2.5e-6, 0.0625)
    best = optimal_trajectory(1e6, 5, 1.0, daily_vol=0.95, risk_aversion=1e-6, impact=impact)

    slices = shortfall_slices(1_000_000, 5, best.kappa_per_day)

    assert np.abs(slices - best.trades).max() < 1.0 + 1e-6
    assert int(slices.sum()) == 1_000_000


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.integers(1, 60), st.floats(0.0, 50.0))
def test_urgency_only_moves_shares_forward(quantity: int, n_slices: int, kappa: float) -> None:
    urgent, even = shortfall_slices(quantity, n_slices, kappa), twap_slices(quantity, n_slices)

    assert int(urgent.sum()) == quantity
    assert (np.cumsum(urgent) - np.cumsum(even)).min() >= -1


def test_the_close_takes_its_share_and_what_lots_leave_over() -> None:
    assert close_slices(1000, [1, 1], 0.5).tolist() == [250, 250, 500]
    assert close_slices(1050, [1, 2, 3], 0.3, lot=100).tolist() == [100, 200, 400, 350]
    assert close_slices(1000, [1, 1], 1.0).tolist() == [0, 0, 1000]
    assert close_slices(1000, [1, 1], 0.0).tolist() == [500, 500, 0]


def test_schedules_refuse_impossible_arguments() -> None:
    with pytest.raises(ParameterError, match="quantity"):
        vwap_slices(-1, [1.0])
    for curve in ([0.0, 0.0], [-1.0, 2.0], [np.nan], []):
        with pytest.raises(SampleError):
            vwap_slices(10, curve)
    for share in (0.0, 1.1, float("nan")):
        with pytest.raises(ParameterError, match="participation_frac"):
            pov_quantity(100, 0, 10, share)
    with pytest.raises(ParameterError, match="realized_volume"):
        pov_slices(10, [1.5, 2.0], 0.1)
    with pytest.raises(ParameterError, match="kappa"):
        shortfall_slices(10, 3, -0.1)
    with pytest.raises(ParameterError, match="auction_frac"):
        close_slices(10, [1.0], 1.5)
