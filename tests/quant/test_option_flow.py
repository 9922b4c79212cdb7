"""Option flow: ratios, unusual volume, skew and the implied move, by hand and on a recorded chain."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.black_scholes import price
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.implied_vol import implied_volatilities
from parley.quant.option_flow import delta_skew, implied_forward, implied_move, put_call_ratio, unusual_volume
from parley.quant.vol_surface import VolSurface, fit_smile


def test_ninety_puts_on_a_hundred_and_twenty_calls_are_a_ratio_of_three_quarters() -> None:
    assert put_call_ratio([60, 30], [100, 20, 0]) == pytest.approx(0.75)
    with pytest.raises(SampleError, match="calls"):
        put_call_ratio([60, 30], [0.0])
    with pytest.raises(SampleError, match="negative"):
        put_call_ratio([-1.0], [5.0])
    with pytest.raises(SampleError, match="NaN"):
        put_call_ratio([np.nan], [5.0])


def test_a_quiet_contract_that_wakes_up_stands_out() -> None:
    past = np.array([[100.0, 0.0], [110.0, 0.0], [90.0, 1.0], [105.0, 0.0], [95.0, 0.0]])

    found = unusual_volume([100.0, 500.0], past, [1000.0, 50.0])

    assert found.ratio == pytest.approx([1.0, 500.0])
    assert found.z_score == pytest.approx([0.0, math.log(501.0) / 0.1])
    assert found.turnover_frac == pytest.approx([0.1, 10.0])


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_more_volume_today_is_never_less_unusual(seed: int) -> None:
    rng = np.random.default_rng(seed)
    past, today = rng.poisson(30.0, (8, 4)).astype(float), rng.poisson(30.0, 4).astype(float)
    interest = rng.poisson(100.0, 4).astype(float)

    calm, busy = unusual_volume(today, past, interest), unusual_volume(today + 7.0, past, interest)

    assert (busy.z_score > calm.z_score).all()
    assert (busy.ratio > calm.ratio).all()


def test_unusual_volume_needs_a_history_that_fits() -> None:
    with pytest.raises(SampleError, match="rows"):
        unusual_volume([1.0], np.ones((4, 1)), [1.0])
    with pytest.raises(ShapeError):
        unusual_volume([1.0], np.ones((5, 2)), [1.0])
    with pytest.raises(SampleError, match="negative"):
        unusual_volume([1.0], -np.ones((5, 1)), [1.0])


def test_a_flat_smile_has_no_skew_and_a_tilted_one_has_its_tilt() -> None:
    strikes = np.linspace(60.0, 160.0, 201)
    assert delta_skew(strikes, np.full(201, 0.25), 100.0, 0.25) == pytest.approx(0.0, abs=1e-12)

    # With vol = 0.25 - 0.1 (N - 0.5) tilted in delta itself the answer is the tilt times the distance.
    from scipy.special import ndtr

    vols = np.full(201, 0.25)
    for _ in range(60):
        sd = vols * 0.5
        vols = 0.25 + 0.1 * (ndtr(np.log(100.0 / strikes) / sd + 0.5 * sd) - 0.5)
    assert delta_skew(strikes, vols, 100.0, 0.25) == pytest.approx(0.05, abs=1e-6)
    assert delta_skew(strikes, vols, 100.0, 0.25, delta=0.1) == pytest.approx(0.08, abs=1e-6)


def test_skew_refuses_quotes_that_do_not_reach_or_do_not_make_sense() -> None:
    strikes, vols = np.array([95.0, 100.0, 105.0]), np.full(3, 0.8)
    with pytest.raises(SampleError, match="call deltas run"):
        delta_skew(strikes, vols, 100.0, 1.0)
    with pytest.raises(SampleError, match="do not fall"):
        delta_skew(strikes, [0.1, 3.0, 0.1], 100.0, 1.0)
    with pytest.raises(ParameterError, match="delta"):
        delta_skew(strikes, vols, 100.0, 1.0, delta=0.5)
    with pytest.raises(ParameterError, match="ascending"):
        delta_skew(strikes[::-1], vols, 100.0, 1.0)


def test_the_straddle_is_four_fifths_of_a_standard_deviation() -> None:
    # Brenner and Subrahmanyam (1988): straddle / S = sqrt(2 / pi) * vol * sqrt(T) for a small one.
    strikes = np.array([95.0, 100.0, 105.0])
    calls, puts = (price(kind, 100.0, strikes, 0.04, 0.0, 0.25) for kind in ("call", "put"))

    assert implied_move(strikes, calls, puts, 100.0) == pytest.approx(math.sqrt(2.0 / math.pi) * 0.05, rel=1e-3)
    assert implied_move([99.0, 101.0], [3.0, 2.0], [2.0, 3.2], 100.0) == pytest.approx(0.051)
    with pytest.raises(SampleError, match="both sides"):
        implied_move(strikes, calls, puts, 90.0)
    with pytest.raises(ShapeError):
        implied_move(strikes, calls[:2], puts, 100.0)
    with pytest.raises(SampleError, match="negative"):
        implied_move(strikes, -calls, puts, 100.0)


@settings(deadline=None, max_examples=50)
@given(st.floats(80.0, 120.0), st.floats(-0.02, 0.08), st.floats(0.0, 0.05), st.floats(0.05, 1.0))
def test_parity_reads_the_forward_that_priced_the_options(
    spot: float, rate: float, dividend_yield: float, vol: float
) -> None:
    strikes = np.array([90.0, 100.0, 110.0])
    calls, puts = (price(kind, spot, strikes, 0.5, rate, vol, dividend_yield) for kind in ("call", "put"))

    found = implied_forward(strikes, calls, puts, math.exp(-0.5 * rate))

    assert found == pytest.approx(spot * math.exp(0.5 * (rate - dividend_yield)))
    with pytest.raises(ParameterError, match="discount"):
        implied_forward(strikes, calls, puts, 0.0)


def _apple_chain(recorded_data: Path) -> Any:
    """The recorded chain as a data frame; untyped, since pandas' own types do not follow a selection by mask."""
    import pandas as pd

    return pd.read_parquet(recorded_data / "options" / "aapl_option_chain.parquet")


def test_the_recorded_chain_of_apple_gives_sane_volatilities_skew_and_move(recorded_data: Path) -> None:
    chain = _apple_chain(recorded_data)
    day = chain[chain["file_date"] == "2014-06-04"].drop_duplicates(["expiry", "strike", "right"])
    july = day[day["expiry"] == "2014-07-19"].sort_values("strike")
    spot, years = float(day["underlying_close"].iloc[0]), 45 / 365

    liquid = july[(july["right"] == "C") & (july["volume"] > 500)]
    vols = implied_volatilities("call", liquid["close"], spot, liquid["strike"], years, 0.0)
    assert len(liquid) == 23 and vols.is_solved.all()
    assert vols.vol.min() > 0.24 and vols.vol.max() < 0.35

    both = july[july["volume"] > 100].pivot(index="strike", columns="right", values="close").dropna()
    both = both[np.abs(both.index / spot - 1.0) < 0.05]
    quotes = (both.index.to_numpy(), both["C"].to_numpy(), both["P"].to_numpy())
    forward = implied_forward(*quotes, 1.0)
    assert forward == pytest.approx(645.0, abs=1.0)
    assert implied_move(*quotes, forward) == pytest.approx(0.062, abs=0.002)

    is_call = july["right"] == "C"
    wing = july[(july["volume"] > 100) & (is_call == (july["strike"] >= forward))]
    solved = implied_volatilities(
        np.where(wing["right"] == "C", "call", "put"), wing["close"], forward, wing["strike"], years, 0.0
    )
    k = np.log(wing["strike"].to_numpy() / forward)
    smile = fit_smile(k, solved.vol, years)
    assert np.abs(smile.vol(k) - solved.vol).max() < 0.01
    assert VolSurface((smile,)).check(k).is_free
    assert abs(delta_skew(wing["strike"], smile.vol(k), forward, years)) < 0.03

    puts, calls = day[day["right"] == "P"], day[day["right"] == "C"]
    assert 0.2 < put_call_ratio(puts["volume"], calls["volume"]) < 1.0


def test_across_the_split_of_apple_prices_fall_sevenfold_and_volatility_does_not(recorded_data: Path) -> None:
    chain = _apple_chain(recorded_data)
    levels = []
    for date, days in (("2014-06-05", 72), ("2014-06-09", 68)):
        rows = chain[(chain["file_date"] == date) & (chain["expiry"] == "2014-08-16") & (chain["volume"] > 20)]
        pairs = (
            rows.drop_duplicates(["strike", "right"]).pivot(index="strike", columns="right", values="close").dropna()
        )
        forward = implied_forward(pairs.index.to_numpy(), pairs["C"].to_numpy(), pairs["P"].to_numpy(), 1.0)
        nearest = pairs.index[np.abs(pairs.index / forward - 1.0).argmin()]
        found = implied_volatilities("call", pairs.loc[nearest, "C"], forward, nearest, days / 365, 0.0)
        levels.append((forward, float(found.vol)))

    (before, vol_before), (after, vol_after) = levels
    assert before / after == pytest.approx(7.0, rel=0.03)
    assert vol_after == pytest.approx(vol_before, abs=0.04)
