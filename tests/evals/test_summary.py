"""Figures of a run, worked by hand, and what a run too short for them says."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parley.agents.llm.port import ChatReply, ChatRequest
from parley.agents.llm.rules import RulesModel
from parley.desk.book import open_log
from parley.desk.settings import CostSettings, Settings
from parley.domain.events import OrderFilled
from parley.evals.errors import RunIncomplete
from parley.evals.metrics import path_intervals, path_metrics
from parley.evals.summary import summarize_run, trading_costs
from parley.market.datasets import load_data
from parley.memory.history import fills
from parley.quant.bootstrap import Interval
from parley.quant.sharpe_bootstrap import NoInterval


def test_the_figures_of_a_small_path_are_those_worked_by_hand() -> None:
    found = path_metrics(np.array([100.0, 110.0, 99.0, 108.9]), 205.0, 0.41, Interval(-1.0, 9.0, 0.95))

    # Returns +10 %, -10 %, +10 %: mean 1/30, sample deviation sqrt(1/75); mean equity 104.475; 3/252 years.
    assert found.total_return == pytest.approx(0.089)
    assert found.max_drawdown == pytest.approx(0.1)
    assert found.sharpe == pytest.approx((1 / 30) / np.sqrt(1 / 75) * np.sqrt(252))
    assert found.annual_volatility == pytest.approx(np.sqrt(252 / 75))
    assert found.annual_return == pytest.approx(1.089 ** (252 / 3) - 1)
    assert found.turnover == pytest.approx(205.0 / 104.475 * 84)
    assert found.costs_bps == pytest.approx(20.0)
    assert (found.sharpe_low, found.sharpe_high, found.no_interval) == (-1.0, 9.0, None)


@pytest.mark.parametrize(("path", "change"), [([100.0], 0.0), ([100.0, 95.0], -0.05)])
def test_a_path_shorter_than_three_sessions_has_a_change_and_no_ratios(path: list[float], change: float) -> None:
    found = path_metrics(np.array(path), 0.0, 0.0, NoInterval.TOO_SHORT)

    assert found.total_return == pytest.approx(change)
    assert found.annual_return == pytest.approx(change)
    assert found.max_drawdown == pytest.approx(-change)
    assert (found.sharpe, found.sortino, found.costs_bps) == (None, None, 0.0)
    assert (found.sharpe_low, found.sharpe_high, found.no_interval) == (None, None, "too_short")


def test_a_flat_path_has_no_sharpe_rather_than_an_infinite_one() -> None:
    assert path_metrics(np.full(10, 5.0), 0.0, 0.0, NoInterval.IDLE).sharpe is None


def test_a_path_has_an_interval_from_two_months_on_unless_it_stood_still() -> None:
    rng = np.random.default_rng(8)

    def walk(n_sessions: int) -> np.ndarray:
        return 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, n_sessions)))

    # Ten sessions in which the desk moved on one day: this used to end the run with an error about resamples.
    nearly_idle = np.where(np.arange(10) < 8, 100.0, 101.0)
    short = path_intervals({"desk": nearly_idle, "index": walk(10)})
    assert short == {"desk": NoInterval.TOO_SHORT, "index": NoInterval.TOO_SHORT}
    assert path_intervals({"desk": np.array([100.0])}) == {"desk": NoInterval.TOO_SHORT}
    assert path_intervals({"desk": walk(42)}) == {"desk": NoInterval.TOO_SHORT}

    # A year in which it moved on one day: long enough, and yet a resample in three never moves.
    idle = np.where(np.arange(300) < 150, 100.0, 101.0)
    long = path_intervals({"desk": idle, "index": walk(300)})
    assert long["desk"] is NoInterval.IDLE
    assert isinstance(long["index"], Interval) and isinstance(path_intervals({"desk": walk(43)})["desk"], Interval)


def test_trading_costs_are_fees_and_the_distance_from_the_mid(player: Any, market_path: Path) -> None:
    folder = player.run(str(market_path))

    with open_log(folder, readonly=True) as (log, _):
        booked = list(fills(log))
        by_hand = sum(float(f.fee) + f.side.sign * float(f.price - f.mid_price) * f.quantity for f in booked)
        assert trading_costs(log) == pytest.approx(by_hand)
        assert trading_costs(log) > sum(float(f.fee) for f in booked) > 0


def test_a_summary_counts_what_the_log_holds(player: Any, market_path: Path) -> None:
    folder = player.run(str(market_path))

    with open_log(folder, readonly=True) as (log, views):
        found = summarize_run(log, views, load_data(str(market_path)).history())
        count = sum(1 for _ in log.read(types=(OrderFilled,)))

    assert (found.counts["sessions"], found.counts["decisions"], found.counts["orders"]) == (4, 4, 6)
    assert found.counts["fills"] == count > 0
    assert found.head_hash == log.head()[1]
    assert set(found.baselines) == set(found.paths) == {"equal_weight", "risk_parity", "minimum_variance"}


def test_baselines_pay_the_spread_and_fee_the_run_was_made_with(player: Any, market_path: Path) -> None:
    history = load_data(str(market_path)).history()
    ends: list[float] = []
    for fee_bps in (0.0, 500.0):
        folder = player.run(str(market_path), settings=Settings(costs=CostSettings(fee_bps=fee_bps)))
        with open_log(folder, readonly=True) as (log, views):
            found = summarize_run(log, views, history)
        ends.append(float(found.paths["equal_weight"][-1]))
        assert found.baselines["equal_weight"].costs_bps == pytest.approx(fee_bps + 2.0)

    assert ends[1] / ends[0] == pytest.approx((1 - 0.0502) / (1 - 0.0002), rel=1e-3)


def test_a_run_that_has_not_finished_has_no_summary(player: Any, market_path: Path) -> None:
    with pytest.raises(StoppedByTest):
        player.run(str(market_path), model=StoppingModel(1))

    with open_log(player.book.latest(), readonly=True) as (log, views), pytest.raises(RunIncomplete) as caught:
        summarize_run(log, views, load_data(str(market_path)).history())

    assert "--resume" in caught.value.remedy


class StoppedByTest(Exception):
    """Ends a run in its middle."""


class StoppingModel(RulesModel):
    """Answers by the rules a number of times, then ends the run."""

    def __init__(self, answers: int) -> None:
        self._left = answers

    async def complete(self, request: ChatRequest) -> ChatReply:
        self._left -= 1
        if self._left < 0:
            raise StoppedByTest
        return await super().complete(request)
