"""Baselines worked by hand: both enter at the second close and pay for what they trade."""

import numpy as np
import pytest
from parley.evals.baselines import baselines, equal_weight, held
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


def test_data_without_an_index_have_only_the_equal_weight_baseline(market: DataSet) -> None:
    history = market.history()

    assert set(baselines(history, history.sessions_between()[-5:], 1e6, 0.0)) == {"equal_weight"}


def test_a_name_that_misses_a_session_is_left_out_of_one_nth() -> None:
    us5 = load_data("us5")  # FB lists on 2012-05-18, GOOG on 2004-08-19
    history = us5.history()
    sessions = history.sessions_between()[:3]
    three = [us5.panel.column(symbol) for symbol in ("AAPL", "IBM", "MSFT")]
    closes = us5.panel.close[:3][:, three]

    found = baselines(history, sessions, 300.0, 0.0)["equal_weight"]

    assert found.equity[2] == pytest.approx(100.0 * (closes[2] / closes[1]).sum())
