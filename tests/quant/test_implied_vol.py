"""Implied volatility: machine precision over a wide random grid, and honest failures outside the bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.black_scholes import greeks, price
from parley.quant.errors import ParameterError, ShapeError
from parley.quant.implied_vol import VolStatus, implied_volatilities

EPS = float(np.finfo(np.float64).eps)


def _grid(n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(11)
    years, vol = 10.0 ** rng.uniform(-2.5, 1.0, n), 10.0 ** rng.uniform(-1.7, 0.5, n)
    rate, dividend_yield = rng.uniform(-0.02, 0.1, n), rng.uniform(0.0, 0.05, n)
    forward = 100.0 * np.exp((rate - dividend_yield) * years)
    strike = forward * np.exp(np.clip(rng.uniform(-9.0, 9.0, n) * vol * np.sqrt(years), -25.0, 25.0))
    return {
        "strike": strike,
        "years": years,
        "rate": rate,
        "vol": vol,
        "dividend_yield": dividend_yield,
        "forward": forward,
    }


def test_hulls_call_of_1875_has_a_volatility_of_235_percent() -> None:
    # Hull (2018), section 15.11: S = 21, K = 20, r = 10 %, three months.
    assert float(implied_volatilities("call", 1.875, 21.0, 20.0, 0.25, 0.1).vol) == pytest.approx(0.235, abs=5e-4)


def test_a_hundred_thousand_wing_quotes_round_trip_to_machine_precision() -> None:
    g = _grid(100_000)
    kind = np.where(g["strike"] > g["forward"], "call", "put")
    terms = (100.0, g["strike"], g["years"], g["rate"])
    quotes = price(kind, *terms, g["vol"], g["dividend_yield"])

    found = implied_volatilities(kind, quotes, *terms, g["dividend_yield"]).vol

    # The quote's own rounding moves the volatility by eps * price / (vega * vol): about 1 at most out of the
    # money, but without bound near the upper bound of the price, so the error is counted in that unit.
    vega = greeks(kind, *terms, g["vol"], g["dividend_yield"]).vega
    unit = EPS * np.maximum(quotes / (vega * g["vol"]), 1.0)
    error = np.abs(found / g["vol"] - 1.0)
    assert float((error / unit).max()) < 300.0
    assert float(np.quantile(error / unit, 0.99)) < 10.0


def test_quotes_in_the_money_are_right_to_the_digits_that_they_carry() -> None:
    g = _grid(20_000)
    kind = np.where(g["strike"] > g["forward"], "put", "call")
    terms = (100.0, g["strike"], g["years"], g["rate"])
    quotes = price(kind, *terms, g["vol"], g["dividend_yield"])

    found = implied_volatilities(kind, quotes, *terms, g["dividend_yield"])

    solved = found.is_solved
    assert 0.5 < solved.mean() < 1.0
    assert set(np.unique(found.status[~solved])) <= {VolStatus.BELOW_INTRINSIC, VolStatus.ABOVE_BOUND}
    again = price(kind, *terms, np.where(solved, found.vol, g["vol"]), g["dividend_yield"])
    assert np.abs(again / quotes - 1.0)[solved].max() < 1e-12


def test_it_agrees_with_a_bracketing_search_of_scipy() -> None:
    from scipy.optimize import brentq

    for strike in (60.0, 90.0, 100.0, 130.0, 180.0):
        quote = 1.05 * float(price("call", 100.0, strike, 0.7, 0.03, 0.3, 0.01))

        def miss(vol: float, strike: float = strike, quote: float = quote) -> float:
            return float(price("call", 100.0, strike, 0.7, 0.03, vol, 0.01)) - quote

        peer = brentq(miss, 0.01, 3.0, xtol=1e-14)
        found = implied_volatilities("call", quote, 100.0, strike, 0.7, 0.03, 0.01).vol
        assert float(found) == pytest.approx(peer, rel=1e-10)


@settings(deadline=None, max_examples=50)
@given(st.floats(20.0, 500.0), st.floats(0.01, 3.0), st.floats(0.05, 2.0), st.floats(1.001, 1.5))
def test_a_dearer_option_has_a_higher_volatility(strike: float, years: float, vol: float, factor: float) -> None:
    kind = "call" if strike > 100.0 else "put"
    quote = float(price(kind, 100.0, strike, years, 0.0, vol))
    if quote < 1e-250 or quote * factor >= min(100.0, strike) * 0.999:
        return

    cheap, dear = implied_volatilities(kind, [quote, factor * quote], 100.0, strike, years, 0.0).vol

    assert dear > cheap


def test_every_quote_without_a_volatility_says_why() -> None:
    # A call on 100 struck at 80 without rates: worth between 20 and 100.
    quotes = [25.0, 20.0, 19.0, 100.0, 120.0, np.nan, -1.0, np.inf]

    found = implied_volatilities("call", quotes, 100.0, 80.0, 1.0, 0.0)

    assert [VolStatus(int(status)).name for status in found.status] == [
        "SOLVED",
        "BELOW_INTRINSIC",
        "BELOW_INTRINSIC",
        "ABOVE_BOUND",
        "ABOVE_BOUND",
        "NOT_A_PRICE",
        "NOT_A_PRICE",
        "NOT_A_PRICE",
    ]
    assert np.isnan(found.vol).tolist() == (~found.is_solved).tolist()


def test_bad_contracts_are_refused_as_a_whole() -> None:
    with pytest.raises(ParameterError, match="years"):
        implied_volatilities("call", [25.0, 26.0], 100.0, 80.0, [1.0, 0.0], 0.0)
    with pytest.raises(ShapeError, match="option_price"):
        implied_volatilities("call", [25.0, 26.0], 100.0, [80.0, 81.0, 82.0], 1.0, 0.0)


def test_at_the_money_and_tiny_volatilities_are_solved_too() -> None:
    vols = np.array([1e-4, 0.01, 0.2, 1.0, 5.0])

    found = implied_volatilities("put", price("put", 100.0, 100.0, 0.01, 0.0, vols), 100.0, 100.0, 0.01, 0.0).vol

    assert found == pytest.approx(vols, rel=1e-13)
