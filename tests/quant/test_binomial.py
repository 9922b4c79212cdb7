"""American options on a tree: Hull's numbers, the European limit, and what early exercise may never do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.binomial import american_value
from parley.quant.black_scholes import OptionKind, greeks, price
from parley.quant.errors import ParameterError

KINDS: list[OptionKind] = ["call", "put"]


@pytest.mark.parametrize(("n_steps", "expected"), [(5, 4.49), (30, 4.263), (50, 4.272), (100, 4.278), (500, 4.283)])
def test_hulls_american_put_converges_as_in_the_book(n_steps: int, expected: float) -> None:
    # Hull (2018), example 21.1: S = K = 50, r = 10 %, vol 40 %, five months.
    found = american_value("put", 50.0, 50.0, 5 / 12, 0.1, 0.4, n_steps=n_steps, tree="cox-ross-rubinstein")

    assert found.price == pytest.approx(expected, abs=5e-3 if n_steps == 5 else 6e-4)


def test_hulls_five_step_tree_has_a_delta_of_minus_041_and_a_gamma_of_003() -> None:
    found = american_value("put", 50.0, 50.0, 5 / 12, 0.1, 0.4, n_steps=5, tree="cox-ross-rubinstein")

    assert found.delta == pytest.approx(-0.41, abs=5e-3)
    assert found.gamma == pytest.approx(0.03, abs=5e-3)


def test_leisen_reimer_is_closer_with_151_steps_than_cox_ross_rubinstein_with_500() -> None:
    # The reference is our own tree of 2501 steps, which Hull's figures approach: 4.2842.
    reference = american_value("put", 50.0, 50.0, 5 / 12, 0.1, 0.4, n_steps=2501).price

    fast = american_value("put", 50.0, 50.0, 5 / 12, 0.1, 0.4, n_steps=151).price
    slow = american_value("put", 50.0, 50.0, 5 / 12, 0.1, 0.4, n_steps=500, tree="cox-ross-rubinstein").price

    assert abs(fast - reference) < abs(slow - reference)


@settings(deadline=None, max_examples=30)
@given(st.floats(70.0, 140.0), st.floats(0.05, 2.0), st.floats(0.0, 0.1), st.floats(0.1, 0.7))
def test_without_dividends_an_american_call_is_european(strike: float, years: float, rate: float, vol: float) -> None:
    found = american_value("call", 100.0, strike, years, rate, vol, n_steps=201)

    assert found.price == pytest.approx(float(price("call", 100.0, strike, years, rate, vol)), abs=2e-3)
    assert found.delta == pytest.approx(float(greeks("call", 100.0, strike, years, rate, vol).delta), abs=1e-2)


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(KINDS),
    st.floats(70.0, 140.0),
    st.floats(0.05, 2.0),
    st.floats(0.0, 0.1),
    st.floats(0.1, 0.7),
    st.floats(0.0, 0.1),
)
def test_the_right_to_exercise_early_is_worth_at_least_nothing(
    kind: OptionKind, strike: float, years: float, rate: float, vol: float, dividend_yield: float
) -> None:
    found = american_value(kind, 100.0, strike, years, rate, vol, dividend_yield, n_steps=101)

    exercise = max((100.0 - strike) * (1.0 if kind == "call" else -1.0), 0.0)
    assert found.price >= exercise - 1e-9
    assert found.price >= float(price(kind, 100.0, strike, years, rate, vol, dividend_yield)) - 5e-3


def test_a_put_deep_in_the_money_is_worth_its_exercise() -> None:
    found = american_value("put", 20.0, 50.0, 1.0, 0.1, 0.2)

    assert found.price == pytest.approx(30.0)
    assert found.delta == pytest.approx(-1.0)
    assert found.gamma == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"kind": "swap"}, "kind"),
        ({"spot": 0.0}, "spot"),
        ({"years": -0.1}, "years"),
        ({"vol": np.nan}, "vol"),
        ({"rate": np.nan}, "rate"),
        ({"n_steps": 2}, "n_steps"),
        ({"n_steps": 500}, "odd"),
        ({"tree": "trinomial"}, "tree"),
        ({"vol": 0.001, "rate": 0.5, "n_steps": 5, "tree": "cox-ross-rubinstein"}, "n_steps"),
        ({"spot": 1.0, "strike": 1e9}, "too far apart"),
    ],
)
def test_impossible_trees_are_refused(changes: dict, name: str) -> None:
    contract = {"kind": "put", "spot": 50.0, "strike": 50.0, "years": 0.4, "rate": 0.1, "vol": 0.4, "n_steps": 51}

    with pytest.raises(ParameterError, match=name):
        american_value(**(contract | changes))
