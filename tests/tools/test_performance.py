"""A record's figures are the quant core's own, with days, reasons and conventions; nothing is silently missing."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.bootstrap import percentile_interval
from parley.quant.performance import sharpe
from parley.quant.sharpe_bootstrap import sharpe_draws
from parley.tools.errors import NotEnoughData
from parley.tools.ledger import Ledger
from parley.tools.performance import against_benchmark, by_period, performance_figures
from parley.tools.track_record import INTERVAL_SEED, TrackRecord


def made(returns: np.ndarray, first: str = "2019-01-02", **changes: Any) -> TrackRecord:
    """A record of these daily returns from 100 on, on weekdays."""
    days = np.busday_offset(first, np.arange(len(returns) + 1), roll="forward")
    fields = {
        "name": "made",
        "sessions": days,
        "equity": 100.0 * np.cumprod(np.append(1.0, 1.0 + returns)),
        "benchmark": None,
        "benchmark_name": "",
        "turnover": 1.0,
        "costs_bps": 3.0,
    }
    return TrackRecord(**(fields | changes))


def noise(n_days: int = 300, seed: int = 1, mean: float = 0.0005) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 0.01, n_days)


@pytest.fixture
def ledger(build: Any, world: Any) -> Ledger:
    return build.ledger(world.scene())


def test_the_sharpe_ratio_is_the_one_of_the_quant_core_and_stands_with_its_interval(ledger: Ledger) -> None:
    returns = noise()

    found = performance_figures(ledger, made(returns))[1]

    interval = percentile_interval(sharpe_draws(returns, np.random.default_rng(INTERVAL_SEED)))
    assert found["sharpe"] == pytest.approx(sharpe(returns))
    assert (found["sharpe_low"], found["sharpe_high"]) == pytest.approx((interval.low, interval.high))


def test_a_fall_that_heals_and_one_that_does_not_are_told_with_their_days(ledger: Ledger) -> None:
    returns = np.full(60, 0.001)
    returns[[9, 10]] = -0.10, 0.12  # down on the 10th day, above the peak on the 11th
    returns[-2:] = -0.20, -0.05

    found: Any = performance_figures(ledger, made(returns))[1]

    deep, healed = found["drawdowns"]
    days = made(returns).days
    assert deep["depth"] == pytest.approx(1 - 0.8 * 0.95)
    assert (deep["peak_day"], deep["trough_day"]) == (days[58], days[60])
    assert (deep["end_day"], deep["recovery_days"]) == (None, None)
    assert healed["depth"] == pytest.approx(0.10)
    assert (healed["peak_day"], healed["trough_day"], healed["end_day"]) == (days[9], days[10], days[11])
    assert found["max_drawdown"] == deep["depth"]
    assert found["worst_day"] == {"day": days[59], "return": pytest.approx(-0.2)}


def test_a_record_that_only_rises_has_no_calmar_and_says_why(ledger: Ledger) -> None:
    found: Any = performance_figures(ledger, made(np.linspace(0.001, 0.002, 60)))[1]

    assert found["calmar"] is None
    assert "never fell" in found["undefined"]["calmar"]
    assert found["sortino"] is None


def test_a_record_of_cash_has_no_ratio_instead_of_an_infinite_one(ledger: Ledger) -> None:
    found: Any = performance_figures(ledger, made(np.zeros(60)))[1]

    assert (found["sharpe"], found["sharpe_low"], found["hit_rate"]) == (None, None, None)
    assert {"sharpe_interval", "hit_rate", "moments", "tail_ratio", "calmar"} <= set(found["undefined"])


def test_two_months_of_closes_are_refused_with_what_to_do() -> None:
    with pytest.raises(NotEnoughData, match="43") as caught:
        made(noise(41))
    assert caught.value.remedy


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_months_and_years_compound_to_the_whole(seed: int) -> None:
    record = made(noise(400, seed))
    found: Any = by_period(Ledger(datetime(2020, 1, 1, tzinfo=UTC), "made"), record)[1]

    total = record.equity[-1] / record.equity[0]
    months = [value for row in found["months"].values() for value in row.values()]
    assert np.prod([1 + value for value in months]) == pytest.approx(total)
    assert np.prod([1 + row["return"] for row in found["years"]]) == pytest.approx(total)
    assert sum(row["days"] for row in found["years"]) == 400


def test_a_crisis_is_measured_from_the_close_before_it_and_only_when_seen_whole(us20: Any, ledger: Ledger) -> None:
    view = us20.scene().view
    rows = (view.sessions >= np.datetime64("2018-02-02")) & (view.sessions <= np.datetime64("2020-03-20"))
    index = view.benchmark[rows]
    record = made(index[1:] / index[:-1] - 1.0, sessions=view.sessions[rows], benchmark=index, benchmark_name="SPX")

    found: Any = by_period(ledger, record)[1]

    # The S&P 500 fell 4.10 % on 2018-02-05 (its worst day of that year until December 2018); the pandemic's low
    # of 2020-03-23 and the peak of January 2018 lie outside of the record.
    assert [row["title"] for row in found["crises"]] == ["Unwinding of short volatility, worst day"]
    assert found["crises"][0]["return"] == pytest.approx(-0.0410, abs=5e-5)
    assert found["crises"][0]["benchmark"] == found["crises"][0]["return"]


def test_half_the_market_plus_noise_has_a_beta_of_one_half_and_captures_half(ledger: Ledger) -> None:
    market = noise(1000, 2, 0.0004)
    own = 0.5 * market + noise(1000, 3, 0.0) * 0.02
    levels = np.cumprod(np.append(1.0, 1.0 + market))

    found: Any = against_benchmark(ledger, made(own, benchmark=levels, benchmark_name="half"))[1]

    assert found["beta"] == pytest.approx(0.5, abs=3 * found["beta_std_error"])
    assert found["up_capture"] == pytest.approx(0.5, abs=0.02)
    assert found["down_capture"] == pytest.approx(0.5, abs=0.02)
    assert found["sharpe_difference_low"] < 0.0 < found["sharpe_difference_high"]
    assert len(found["rolling"]["beta"]) == len(found["rolling"]["days"]) == 240


@pytest.mark.parametrize("benchmark", [None, np.ones(301)])
def test_no_benchmark_and_one_that_never_moves_are_said_not_guessed(ledger: Ledger, benchmark: Any) -> None:
    found: Any = against_benchmark(ledger, made(noise(), benchmark=benchmark))[1]

    assert set(found) == {"refused"} and found["refused"]


def test_a_ledger_entry_is_addressed_by_the_series_itself(ledger: Ledger) -> None:
    first, second = noise(), noise()
    second[7] += 1e-9

    assert performance_figures(ledger, made(first))[0] == performance_figures(ledger, made(first))[0]
    assert performance_figures(ledger, made(first))[0] != performance_figures(ledger, made(second))[0]
