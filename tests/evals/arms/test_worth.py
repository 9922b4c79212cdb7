"""What paths are worth: figures against the desk's own, paired differences, and shares that add up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.evals.arms.worth import difference, path_worths, shares
from parley.quant.performance import annual_return, max_drawdown, sharpe

SETTINGS = settings(max_examples=15, deadline=None)


@SETTINGS
@given(st.integers(0, 10_000))
def test_worths_are_those_of_the_desks_own_figures(seed: int) -> None:
    returns = np.random.default_rng(seed).normal(0.0005, 0.01, (300, 3))

    found = path_worths(returns)

    for column in range(3):
        equity = np.concatenate([[1.0], np.cumprod(1.0 + returns[:, column])])
        own = (annual_return(equity), sharpe(returns[:, column]), max_drawdown(equity))
        assert found[column] == pytest.approx(own, rel=1e-9)


def test_a_book_that_stands_still_is_worth_nothing() -> None:
    assert path_worths(np.zeros((50, 1))).tolist() == [[0.0, 0.0, 0.0]]


def test_the_same_days_differ_by_nothing_and_are_no_test() -> None:
    returns = np.random.default_rng(1).normal(0, 0.01, 100)

    found = difference(returns, returns.copy(), 7)

    assert found.is_none
    assert (found.annual, found.p_value, found.days_needed) == (0.0, 1.0, None)


def test_a_difference_that_is_there_is_seen_and_one_of_noise_is_not() -> None:
    rng = np.random.default_rng(2)
    base = rng.normal(0.0003, 0.01, 750)

    clear = difference(base + 0.0004 + rng.normal(0, 0.001, 750), base, 7)
    noise = difference(base + rng.normal(0, 0.001, 750), base, 7)

    assert clear.annual_interval is not None
    assert clear.annual_interval.low > 0
    assert clear.p_value < 0.01
    assert clear.annual == pytest.approx(0.0004 * 252, rel=0.3)
    assert noise.p_value > 0.05
    assert clear.days_needed is not None
    assert noise.days_needed is not None
    assert clear.days_needed < 750 < noise.days_needed


def test_pairing_leaves_the_common_days_out_of_the_interval() -> None:
    """With a correlation near one the interval of the difference is far narrower than that of either arm."""
    rng = np.random.default_rng(3)
    base = rng.normal(0.0003, 0.01, 500)

    paired = difference(base + rng.normal(0, 0.0005, 500), base, 7).annual_interval
    alone = difference(base, np.zeros(500), 7).annual_interval

    assert paired is not None
    assert alone is not None
    assert (paired.high - paired.low) * 5 < alone.high - alone.low


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000))
def test_shares_add_up_to_everybody_less_nobody_in_every_worth(seed: int) -> None:
    returns = np.random.default_rng(seed).normal(0.0003, 0.01, (90, 16))
    returns[:, 0] = 0.0

    found = shares(returns, 7)

    assert found.values.sum(axis=0) == pytest.approx(found.whole, abs=1e-9)
    assert (found.low <= found.high).all()


def test_an_agent_that_changes_no_day_has_no_share_and_an_interval_of_no_width() -> None:
    rng = np.random.default_rng(4)
    teams = rng.normal(0.0003, 0.01, (90, 8))
    found = shares(np.concatenate([teams, teams], axis=1), 7)

    assert found.values[3] == pytest.approx([0.0] * 3, abs=1e-12)
    assert found.low[3] == pytest.approx([0.0] * 3, abs=1e-12)
    assert found.high[3] == pytest.approx([0.0] * 3, abs=1e-12)
    assert np.abs(found.values[:3, 0]).min() > 0
