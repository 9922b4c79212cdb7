"""Baselines worked by hand: both enter at the second close and pay for what they trade."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.evals.baselines import (
    Compared,
    baselines,
    compared,
    equal_weight,
    held,
    inverse_volatility,
    minimum_variance,
)
from parley.evals.look_ahead import garbled_after
from parley.market.cards import DataSet
from parley.market.datasets import load_data


def days(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[D]")


def test_the_held_index_enters_at_the_second_close_and_pays_once() -> None:
    found = held(np.array([100.0, 200.0, 220.0]), 1000.0, 0.01)

    # 1000 buys at 200 for a fee of 10; the other 990 rise by a tenth.
    assert found.equity.tolist() == pytest.approx([1000.0, 990.0, 1089.0])
    assert (found.traded, found.costs) == (1000.0, 10.0)


def test_equal_weight_lets_winners_run_inside_a_month() -> None:
    closes = np.array([[1.0, 1.0], [10.0, 20.0], [20.0, 20.0], [40.0, 20.0]])

    found = equal_weight(closes, days("2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07"), 1000.0, 0.0)

    # 500 in each: the first doubles twice, the second stands still.
    assert found.equity.tolist() == pytest.approx([1000.0, 1000.0, 1500.0, 2500.0])
    assert found.traded == 1000.0


def test_equal_weight_goes_back_to_one_nth_at_a_months_first_close_and_pays_for_the_move() -> None:
    closes = np.array([[1.0, 1.0], [10.0, 20.0], [20.0, 20.0], [40.0, 20.0]])

    found = equal_weight(closes, days("2020-01-30", "2020-01-31", "2020-02-03", "2020-02-04"), 1000.0, 0.01)

    # In: 990, 495 each. February: 990 and 495 make 1485; each to 742.50 moves 495 and costs 4.95.
    # Then 1480.05 in halves, the first doubles: 740.025 * 2 + 740.025.
    assert found.equity.tolist() == pytest.approx([1000.0, 990.0, 1480.05, 2220.075])
    assert found.traded == pytest.approx(1495.0)
    assert found.costs == pytest.approx(14.95)


def test_two_sessions_pay_the_entry_and_one_pays_nothing() -> None:
    two = days("2020-01-02", "2020-01-03")

    assert held(np.array([1.0, 2.0]), 100.0, 0.01).equity.tolist() == [100.0, 99.0]
    assert equal_weight(np.array([[1.0], [2.0]]), two, 100.0, 0.01).equity.tolist() == [100.0, 99.0]
    assert held(np.array([1.0]), 100.0, 0.01).costs == 0.0
    assert equal_weight(np.array([[1.0]]), two[:1], 100.0, 0.01).traded == 0.0


def test_data_without_an_index_have_the_other_baselines(market: DataSet) -> None:
    history = market.history()

    assert set(baselines(history, history.sessions_between()[-5:], 1e6, 0.0)) == {
        "equal_weight",
        "risk_parity",
        "minimum_variance",
    }


def test_a_name_that_misses_a_session_is_left_out_of_one_nth() -> None:
    us5 = load_data("us5")  # FB lists on 2012-05-18, GOOG on 2004-08-19
    history = us5.history()
    sessions = history.sessions_between()[:3]
    three = [us5.panel.column(symbol) for symbol in ("AAPL", "IBM", "MSFT")]
    closes = us5.panel.close[:3][:, three]

    found = baselines(history, sessions, 300.0, 0.0)["equal_weight"]

    assert found.equity[2] == pytest.approx(100.0 * (closes[2] / closes[1]).sum())


def test_risk_parity_weights_are_inverse_to_volatility() -> None:
    calm, wild = [0.01, -0.01] * 10, [0.03, -0.03] * 10

    assert inverse_volatility(np.array([calm, wild]).T).tolist() == pytest.approx([0.75, 0.25])


def test_minimum_variance_of_independent_names_is_inverse_to_variance_up_to_the_cap() -> None:
    rng = np.random.default_rng(3)
    returns = rng.normal(size=(252, 12)) * np.linspace(0.01, 0.03, 12)

    weights = minimum_variance(returns)

    assert weights.sum() == pytest.approx(1.0)
    assert weights.max() <= 2 / 12 + 1e-9
    assert weights[0] > 2 * weights[-1]


def test_monthly_weights_rest_on_closes_before_the_trade() -> None:
    us20 = load_data("us20")
    history = us20.history()
    sessions = history.sessions_between(date(2019, 11, 1), date(2020, 2, 28))
    garbled = garbled_after(us20, date(2020, 2, 3), np.random.default_rng(0))

    whole = baselines(history, sessions, 1e6, 0.0)
    cut = baselines(garbled.history(), sessions, 1e6, 0.0)
    until = sessions.index(date(2020, 2, 3)) + 1

    for name in ("risk_parity", "minimum_variance"):
        assert (whole[name].equity[:until] == cut[name].equity[:until]).all()
        assert not (whole[name].equity[until:] == cut[name].equity[until:]).all()


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_gone_on_from_any_shorter_spans_they_are_what_the_whole_span_gives(data: st.DataObject) -> None:
    """us5 has names that list within the span, so that the names compared change on the way."""
    history = load_data(data.draw(st.sampled_from(["us5", "us20"]))).history()
    sessions = history.sessions_between()
    start = data.draw(st.integers(0, len(sessions) - 130))
    lengths = sorted(set(data.draw(st.lists(st.integers(1, 130), min_size=2, max_size=5))))
    before: Compared | None = None

    for length in lengths:
        span = sessions[start : start + length]
        before = compared(history, span, 1e6, 0.001, before)
        whole = baselines(history, span, 1e6, 0.001)
        assert list(before.found) == list(whole)
        for name, found in before.found.items():
            assert found.equity.tolist() == whole[name].equity.tolist()
            assert (found.traded, found.costs) == (whole[name].traded, whole[name].costs)


def test_prices_that_were_corrected_are_not_gone_on_from() -> None:
    us20 = load_data("us20")
    sessions = us20.history().sessions_between(date(2019, 11, 1), date(2020, 2, 28))
    garbled = garbled_after(us20, date(2019, 12, 3), np.random.default_rng(0)).history()

    found = compared(garbled, sessions, 1e6, 0.0, compared(us20.history(), sessions[:60], 1e6, 0.0)).found

    for name, whole in baselines(garbled, sessions, 1e6, 0.0).items():
        assert found[name].equity.tolist() == whole.equity.tolist()


def test_a_name_that_stops_trading_is_left_out_of_all_days_and_not_from_then_on() -> None:
    us20 = load_data("us20")
    sessions = us20.history().sessions_between(date(2019, 11, 1), date(2020, 2, 28))
    gone = us20.panel.sessions > np.datetime64("2020-01-15", "D")
    close = us20.panel.close.copy()
    close[gone, 0] = np.nan
    history = replace(us20, panel=replace(us20.panel, close=close)).history()
    until = sessions.index(date(2020, 1, 15)) + 1

    found = compared(history, sessions, 1e6, 0.0, compared(history, sessions[:until], 1e6, 0.0)).found

    for name, whole in baselines(history, sessions, 1e6, 0.0).items():
        assert found[name].equity.tolist() == whole.equity.tolist()
