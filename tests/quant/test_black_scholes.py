"""European options: the textbook's numbers, parity, the Greeks against differences, and full precision in the wings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.black_scholes import Greeks, OptionKind, greeks, otm_value, price
from parley.quant.errors import ParameterError, ShapeError

KINDS: list[OptionKind] = ["call", "put"]


def test_hulls_six_month_options_cost_476_and_81_cents() -> None:
    # Hull (2018), 10th ed., example 15.6: S = 42, K = 40, r = 10 %, vol 20 %, half a year.
    assert float(price("call", 42.0, 40.0, 0.5, 0.1, 0.2)) == pytest.approx(4.76, abs=5e-3)
    assert float(price("put", 42.0, 40.0, 0.5, 0.1, 0.2)) == pytest.approx(0.81, abs=5e-3)


def test_hulls_index_option_with_a_dividend_yield_costs_5183() -> None:
    # Hull (2018), example 17.1: S = 930, K = 900, r = 8 %, q = 3 %, vol 20 %, two months.
    assert float(price("call", 930.0, 900.0, 2 / 12, 0.08, 0.2, 0.03)) == pytest.approx(51.83, abs=5e-3)


def test_hulls_put_on_crude_oil_futures_costs_112() -> None:
    # Hull (2018), example 18.6: F = K = 20, r = 9 %, vol 25 %, four months.
    assert float(price("put", 20.0, 20.0, 4 / 12, 0.09, 0.25, 0.09)) == pytest.approx(1.12, abs=5e-3)


def test_hulls_greeks_of_a_twenty_week_call() -> None:
    # Hull (2018), ch. 19: S = 49, K = 50, r = 5 %, vol 20 %, 0.3846 years.
    found = greeks("call", 49.0, 50.0, 0.3846, 0.05, 0.2)

    assert found.delta == pytest.approx(0.522, abs=5e-4)
    assert found.gamma == pytest.approx(0.066, abs=5e-4)
    assert found.vega == pytest.approx(12.1, abs=0.05)
    assert found.theta == pytest.approx(-4.31, abs=5e-3)
    assert found.rho == pytest.approx(8.91, abs=5e-3)


@settings(deadline=None, max_examples=50)
@given(
    st.floats(50.0, 200.0),
    st.floats(0.01, 5.0),
    st.floats(-0.05, 0.15),
    st.floats(0.02, 1.5),
    st.floats(0.0, 0.08),
)
def test_call_less_put_is_the_discounted_forward_less_strike(
    strike: float, years: float, rate: float, vol: float, dividend_yield: float
) -> None:
    call, put = price(["call", "put"], 100.0, strike, years, rate, vol, dividend_yield)

    parity = 100.0 * np.exp(-dividend_yield * years) - strike * np.exp(-rate * years)
    assert call - put == pytest.approx(parity, abs=1e-12 * 300)
    assert max(parity, 0.0) - 1e-12 <= call <= 100.0 * np.exp(-dividend_yield * years) + 1e-12
    assert max(-parity, 0.0) - 1e-12 <= put


@settings(deadline=None, max_examples=50)
@given(
    st.sampled_from(KINDS),
    st.floats(70.0, 140.0),
    st.floats(0.1, 3.0),
    st.floats(0.0, 0.1),
    st.floats(0.1, 0.8),
    st.floats(0.0, 0.06),
)
def test_every_greek_is_the_slope_it_claims_to_be(
    kind: OptionKind, strike: float, years: float, rate: float, vol: float, dividend_yield: float
) -> None:
    point = np.array([100.0, years, rate, vol, dividend_yield])

    def at(inputs: np.ndarray) -> Greeks:
        s, t, r, v, q = inputs
        return greeks(kind, s, strike, t, r, v, q)

    def cash(inputs: np.ndarray) -> float:
        s, t, r, v, q = inputs
        return float(price(kind, s, strike, t, r, v, q))

    def slope(of: Callable[[np.ndarray], npt.ArrayLike], place: int, width: float) -> float:
        step = np.zeros(5)
        step[place] = width
        return float(np.subtract(of(point + step), of(point - step))) / (2.0 * width)

    found = at(point)
    assert found.delta == pytest.approx(slope(cash, 0, 1e-3), rel=1e-5, abs=1e-6)
    assert found.gamma == pytest.approx(slope(lambda p: at(p).delta, 0, 1e-3), rel=1e-5, abs=1e-7)
    assert found.vega == pytest.approx(slope(cash, 3, 1e-5), rel=1e-5, abs=1e-5)
    assert found.theta == pytest.approx(-slope(cash, 1, 1e-5), rel=1e-5, abs=1e-5)
    assert found.rho == pytest.approx(slope(cash, 2, 1e-6), rel=1e-5, abs=1e-5)
    assert found.epsilon == pytest.approx(slope(cash, 4, 1e-6), rel=1e-5, abs=1e-5)
    assert found.vanna == pytest.approx(slope(lambda p: at(p).delta, 3, 1e-5), rel=1e-5, abs=1e-6)
    assert found.vanna == pytest.approx(slope(lambda p: at(p).vega, 0, 1e-3), rel=1e-5, abs=1e-5)
    assert found.volga == pytest.approx(slope(lambda p: at(p).vega, 3, 1e-5), rel=1e-5, abs=1e-4)
    assert found.charm == pytest.approx(-slope(lambda p: at(p).delta, 1, 1e-5), rel=1e-5, abs=1e-6)


def test_greeks_of_a_future_take_the_rate_as_its_yield() -> None:
    found = greeks("call", 20.0, 21.0, 0.5, 0.09, 0.25, 0.09)

    # With the forward held, the rate only discounts: dV / dr = -T V.
    value = float(price("call", 20.0, 21.0, 0.5, 0.09, 0.25, 0.09))
    assert found.rho + found.epsilon == pytest.approx(-0.5 * value)


@settings(deadline=None, max_examples=50)
@given(st.floats(-4.0, 1.0), st.floats(-20.0, -0.001))
def test_the_wings_keep_their_digits(log10_sd: float, h: float) -> None:
    # db/ds = exp(-(x^2 / s^2 + s^2 / 4) / 2) / sqrt(2 pi) is positive, so its integral from 0 cancels nothing.
    s = 10.0**log10_sd
    x = max(h * s, -20.0)
    nodes, weights = np.polynomial.legendre.leggauss(120)
    # Substituting u = s / (1 + y / k) with k = 1 + x^2 / s^2 turns the fast fall towards 0 into exp(-y).
    k = 1.0 + (x / s) ** 2
    total = 0.0
    for low, high in ((0.0, 5.0), (5.0, 45.0), (45.0, 400.0), (400.0, 4000.0)):
        y = 0.5 * (high - low) * nodes + 0.5 * (high + low)
        u = s / (1.0 + y / k)
        slope = np.exp(-0.5 * ((x / u) ** 2 - (x / s) ** 2 + u * u / 4.0))
        total += 0.5 * (high - low) * float(weights @ (slope * u * u / (s * k)))
    expected = total * np.exp(-0.5 * (x / s) ** 2) / np.sqrt(2.0 * np.pi)

    found = float(otm_value(np.array(x), np.array(s)))

    missing = s / (1.0 + 4000.0 / k) if (x / s) ** 2 < 1.0 else 0.0
    assert found == pytest.approx(expected, rel=2e-12 * k + missing / s)


def test_arrays_of_kinds_and_strikes_broadcast_and_scalars_stay_scalars() -> None:
    table = price(np.array([["call"], ["put"]]), 100.0, [90.0, 100.0, 110.0], 1.0, 0.02, 0.2)

    assert table.shape == (2, 3)
    assert table[1, 2] == price("put", 100.0, 110.0, 1.0, 0.02, 0.2)
    assert np.shape(price("call", 100.0, 90.0, 1.0, 0.02, 0.2)) == ()
    assert all(
        np.shape(getattr(greeks("call", 100.0, [90.0, 95.0], 1.0, 0.0, 0.2), f.name)) == (2,) for f in fields(Greeks)
    )


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("call", -1.0, 40.0, 0.5, 0.1, 0.2), "spot"),
        (("call", 42.0, 0.0, 0.5, 0.1, 0.2), "strike"),
        (("call", 42.0, 40.0, 0.0, 0.1, 0.2), "years"),
        (("call", 42.0, 40.0, 0.5, float("nan"), 0.2), "rate"),
        (("call", 42.0, 40.0, 0.5, 0.1, 0.0), "vol"),
        (("straddle", 42.0, 40.0, 0.5, 0.1, 0.2), "kind"),
    ],
)
def test_impossible_options_are_refused_by_name(arguments: tuple, name: str) -> None:
    for formula in (price, greeks):
        with pytest.raises(ParameterError, match=name):
            formula(*arguments)


def test_arguments_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ShapeError, match="broadcast"):
        price("call", [1.0, 2.0], [1.0, 2.0, 3.0], 1.0, 0.0, 0.2)
