"""The figures of a few days: of the path between decisions, with no ratio and no year."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from parley.evals.within_days import day_closes, is_too_short, short_metrics
from parley.market.intervals import BarInterval
from parley.quant.sharpe_bootstrap import NoInterval

HALF_HOURS = BarInterval(60, 1800, 23_400)
SESSIONS = [datetime(2013, 10, day, 14 + place, tzinfo=UTC) for day in (4, 7, 8) for place in range(6)]


def test_a_path_by_hand() -> None:
    equity = np.array([100.0, 101.0, 99.0, 99.99])

    found = short_metrics(equity, HALF_HOURS, traded=50.0, costs=0.01)

    returns = equity[1:] / equity[:-1] - 1.0
    assert found.total_return == pytest.approx(-0.0001)
    # Thirteen half hours a session, 252 sessions a year.
    assert found.annual_volatility == pytest.approx(returns.std(ddof=1) * (13 * 252) ** 0.5)
    assert found.max_drawdown == pytest.approx(1 - 99 / 101)
    assert found.turnover == pytest.approx(50 / equity.mean())
    assert found.costs_bps == pytest.approx(2.0)
    assert (found.annual_return, found.sharpe, found.sortino) == (None, None, None)
    assert found.no_interval is NoInterval.TOO_SHORT


def test_one_decision_has_a_path_too() -> None:
    found = short_metrics(np.array([100.0]), HALF_HOURS, traded=0.0, costs=0.0)

    assert (found.total_return, found.annual_volatility, found.max_drawdown, found.costs_bps) == (0.0, 0.0, 0.0, 0.0)


def test_of_each_day_the_last_value_stands_and_the_first_of_all() -> None:
    assert day_closes(SESSIONS, np.arange(18.0)).tolist() == [0.0, 5.0, 11.0, 17.0]


def test_days_are_counted_and_not_decisions() -> None:
    start = datetime(2013, 1, 1, 12, tzinfo=UTC)
    spans = [start + timedelta(minutes=place) for place in range(600)]

    assert is_too_short(spans)
    assert not is_too_short([date(2013, 1, 1) + timedelta(days=place) for place in range(60)])
