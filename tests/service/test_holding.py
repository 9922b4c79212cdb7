"""Fixed weights held along a history: worked by hand to the cent, cash included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.service.holding import hold
from parley.tools.errors import NotEnoughData


def test_half_a_name_and_half_cash_by_hand() -> None:
    days = np.array(["2020-01-30", "2020-01-31", "2020-02-03"], dtype="datetime64[D]")
    closes = np.array([[100.0], [110.0], [110.0]])

    found = hold(closes, days, np.array([0.5]), cost_frac=0.01)

    # Bought for 0.5 at a cost of 0.005: 0.5 in the name, 0.495 in cash. After +10 %: 0.55 + 0.495 = 1.045.
    # In February half of that, 0.5225, is wanted: 0.0275 are sold at a cost of 0.000275.
    assert found.equity == pytest.approx([1.0, 1.045, 1.045 - 0.000275])
    assert found.costs_bps == pytest.approx(100.0)


def test_nothing_is_traded_within_a_month_and_the_path_is_the_names_own() -> None:
    days = np.arange(np.datetime64("2020-03-02"), np.datetime64("2020-03-22"))
    closes = np.linspace(50.0, 60.0, 20)[:, None]

    found = hold(closes, days, np.array([1.0]), cost_frac=0.0)

    assert found.equity == pytest.approx(closes[:, 0] / 50.0)
    assert found.turnover == pytest.approx(252 / 20)  # one purchase of the whole book


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), cost=st.floats(0.0, 0.01))
def test_costs_only_ever_take_away(seed: int, cost: float) -> None:
    rng = np.random.default_rng(seed)
    days = np.datetime64("2020-01-02") + np.arange(200)
    closes = np.exp(np.cumsum(rng.normal(0.0, 0.01, (200, 3)), axis=0))
    weights = rng.uniform(-0.2, 0.5, 3)

    free, paid = (hold(closes, days, weights, fraction) for fraction in (0.0, cost))

    assert (paid.equity <= free.equity + 1e-12).all()


def test_a_book_that_loses_everything_is_refused_by_its_day() -> None:
    days = np.array(["2020-01-30", "2020-01-31"], dtype="datetime64[D]")

    with pytest.raises(NotEnoughData, match="2020-01-31"):
        hold(np.array([[100.0], [40.0]]), days, np.array([2.0]), 0.0)
