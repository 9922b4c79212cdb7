"""Par bonds: textbook prices, a flat curve, and the parts of a return."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.par_bonds import bond_price, par_bond_returns

TENORS = np.array([7.0, 10.0])


def day(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[D]")


def test_a_twenty_year_ten_percent_bond_has_the_textbook_price() -> None:
    # Fabozzi, Bond Markets, ch. 2: 20 years, 10 % coupon, required yield 11 %: 919.77 per 1,000.
    assert float(bond_price(0.10, 0.11, 20.0)) == pytest.approx(0.91977, abs=5e-6)


@settings(deadline=None, max_examples=50)
@given(st.floats(0.0, 0.2), st.integers(1, 60))
def test_a_bond_at_its_own_yield_costs_par_on_a_coupon_day(rate: float, halves: int) -> None:
    assert float(bond_price(rate, rate, halves / 2)) == pytest.approx(1.0, abs=1e-9)


def test_between_coupons_it_is_the_sum_of_its_payments() -> None:
    # 1.25 years: 2.5 in a quarter, in three quarters, and with 100 in five quarters, at 6 % half-yearly.
    by_hand = sum(paid / 1.03 ** (2 * at) for paid, at in ((0.025, 0.25), (0.025, 0.75), (1.025, 1.25)))

    assert float(bond_price(0.05, 0.06, 1.25)) == pytest.approx(by_hand, abs=1e-12)


def test_on_a_flat_and_still_curve_a_day_earns_the_yield() -> None:
    days, flat = day("2001-01-02", "2001-01-03", "2001-01-08"), np.full((3, 2), 0.06)

    found = par_bond_returns(days, flat, TENORS, 10.0)

    assert found.tolist() == pytest.approx([1.03 ** (2 / 365.25) - 1.0, 1.03 ** (10 / 365.25) - 1.0], abs=1e-12)


def test_a_rise_of_yields_costs_the_duration() -> None:
    days, curve = day("2001-01-02", "2001-01-03"), np.array([[0.06, 0.06], [0.061, 0.061]])

    # Modified duration of a ten-year 6 % par bond: (1 - 1.03^-20) / 0.06 = 7.4387.
    assert float(par_bond_returns(days, curve, TENORS, 10.0)[0]) == pytest.approx(-7.4387 * 0.001 + 0.00016, abs=4e-5)


def test_a_steep_curve_pays_for_growing_shorter() -> None:
    days, steep = day("2001-01-02", "2001-01-03"), np.array([[0.05, 0.06], [0.05, 0.06]])

    rolled = float(par_bond_returns(days, steep, TENORS, 10.0)[0])

    # A day shorter is 1/3 % / 365.25 of yield, times the duration, above the day's coupon.
    assert rolled - (1.03 ** (2 / 365.25) - 1.0) == pytest.approx(7.44 * 0.01 / 3 / 365.25, rel=0.01)


def test_curves_that_cannot_be_priced_are_refused() -> None:
    days, flat = day("2001-01-02", "2001-01-03"), np.full((2, 2), 0.06)
    with pytest.raises(ShapeError, match="days"):
        par_bond_returns(days[:1], flat, TENORS, 10.0)
    with pytest.raises(SampleError, match="increase"):
        par_bond_returns(days[::-1], flat, TENORS, 10.0)
    with pytest.raises(SampleError, match="NaN"):
        par_bond_returns(days, np.array([[0.06, 0.06], [np.nan, 0.06]]), TENORS, 10.0)
    with pytest.raises(ParameterError, match="maturity"):
        par_bond_returns(days, flat, TENORS, 11.0)
    with pytest.raises(ParameterError, match="maturity"):
        par_bond_returns(days, flat, TENORS, 7.0)
    with pytest.raises(SampleError, match="maturities above 0"):
        bond_price(0.05, 0.05, 0.0)
