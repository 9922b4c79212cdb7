"""The slower risk tools on real closes: far tail, copulas, correlation, simulation, ratios, reverse, backtest."""

from typing import Any

import numpy as np
import pytest
from parley.quant.extremes import fit_pareto_tail, hill
from parley.quant.stress import reverse_stress
from parley.quant.var import historical_var
from parley.quant.volatility import average_correlation, dcc_path, ewma_path, fit_dcc
from parley.tools.backtest import JUDGED_DAYS, book_backtest
from parley.tools.correlation import WARMUP_DAYS, correlation_path
from parley.tools.dependence import copula_choice
from parley.tools.exits import exit_costs, liquidity_profile
from parley.tools.extremes import extreme_tail
from parley.tools.hedge_ratios import TRIAL_DAYS, hedge_ratios
from parley.tools.ledger import Ledger
from parley.tools.long_history import long_history
from parley.tools.simulation import simulated_book
from parley.tools.stress import break_book

BOOK = {"AAPL": 0.3, "XOM": 0.25, "KO": 0.2, "JPM": 0.2}


@pytest.fixture(scope="module")
def scene(us20: Any) -> Any:
    return us20.scene()


@pytest.fixture
def ledger(scene: Any) -> Ledger:
    return Ledger(scene.view.as_of, scene.view.fingerprint)


def test_the_far_tail_states_each_fit_and_keeps_the_lowest_that_the_higher_ones_bear_out(
    scene: Any, ledger: Ledger
) -> None:
    found: Any = extreme_tail(ledger, scene, BOOK)[1]

    history = long_history(scene, BOOK).book
    scan, chosen = found["scan"], found["chosen"]
    fit = fit_pareto_tail(history, 0.90)
    row = next(row for row in scan if row["level"] == 0.9)
    assert (row["shape"], row["threshold"]) == pytest.approx((fit.shape, fit.threshold))
    higher = [row for row in scan if row["level"] > chosen["level"]]
    lower = [row for row in scan if row["level"] < chosen["level"]]
    assert all(_agrees(chosen, row) for row in higher)
    assert not any(all(_agrees(row, above) for above in scan if above["level"] > row["level"]) for row in lower)
    assert found["hill"][0]["alpha"] == pytest.approx(hill(history, 15).alpha)
    threshold, mean = found["mean_excess"][5].values()
    assert mean == pytest.approx(float((-history[-history > threshold] - threshold).mean()), rel=1e-6)


def _agrees(low: dict[str, float], high: dict[str, float]) -> bool:
    return (high["shape"] - low["shape"]) ** 2 <= max(high["shape_error"] ** 2 - low["shape_error"] ** 2, 0.0)


def test_the_t_copula_sees_more_joint_crashes_than_the_gaussian_and_one_name_has_none(
    scene: Any, ledger: Ledger
) -> None:
    found: Any = copula_choice(ledger, scene, BOOK)[1]

    crash = found["joint_crash"]
    assert crash["independent"] == pytest.approx(6 * 0.05**2 * 0.95**2 + 4 * 0.05**3 * 0.95 + 0.05**4)
    assert crash["independent"] < crash["gaussian"] < crash["t"]
    assert found["aic"]["t"] == pytest.approx(2 * 7 - 2 * found["log_likelihood"]["t"])
    assert copula_choice(ledger, scene, {"KO": 1.0})[1] == {"refused": "one name has no joint tail"}


def test_a_hedged_pair_crashes_together_less_than_the_same_pair_held_long(scene: Any, ledger: Ledger) -> None:
    long, hedged = (
        copula_choice(ledger, scene, {"KO": 0.5, "PEP": weight})[1]["mean_tail_dependence"] for weight in (0.5, -0.5)
    )

    assert float(str(hedged)) < float(str(long))


def test_correlation_is_high_in_the_crash_of_2020_and_was_not_before(us20: Any) -> None:
    ranks = {}
    for day in ("2019-12-02", "2020-03-16"):
        scene = us20.scene(us20.panel.sessions.tolist().index(np.datetime64(day).item()))
        found: Any = correlation_path(Ledger(scene.view.as_of, scene.view.fingerprint), scene, BOOK)[1]
        ranks[day] = found["rank"]
        assert found["path"]["day"][-1] == day
        assert found["low"] <= found["mean"] <= found["high"]
        assert found["is_high"] is (found["rank"] >= 0.95)

    assert ranks["2020-03-16"] > 0.95 > ranks["2019-12-02"]


def test_each_surprise_is_scaled_by_the_volatility_of_the_evening_before(scene: Any, ledger: Ledger) -> None:
    found: Any = correlation_path(ledger, scene, BOOK)[1]

    returns = long_history(scene, BOOK).returns
    surprises = (returns[1:] / ewma_path(returns)[:-1])[WARMUP_DAYS - 1 :]
    average = average_correlation(dcc_path(fit_dcc(surprises), surprises))
    assert (found["now"], found["rank"]) == pytest.approx((average[-1], (average[:-1] < average[-1]).mean()))


def test_a_million_normal_days_are_within_four_errors_of_the_exact_answer_and_a_put_helps(
    scene: Any, ledger: Ledger
) -> None:
    found: Any = simulated_book(ledger, scene, BOOK, 0.99)[1]

    rows, exact = found["rows"], found["exact_normal"]
    for key in ("var", "es"):
        assert abs(rows["normal"][key] - exact[key]) < 4.0 * rows["normal"][f"{key}_error"]
        assert rows["student t, with an index put"][key] < rows["student t"][key]
    assert rows["normal"]["var_error"] < 0.01 * exact["var"]


def test_each_hedge_ratio_knows_the_evening_before_only(scene: Any, ledger: Ledger) -> None:
    found: Any = hedge_ratios(ledger, scene, BOOK)[1]

    long = long_history(scene, BOOK)
    slope = np.polyfit(long.market[-252:], long.book[-252:], 1)[0]
    assert found["rows"]["one year, fixed weights"]["ratio"] == pytest.approx(slope)
    left = [
        long.book[day] - np.polyfit(long.market[day - 252 : day], long.book[day - 252 : day], 1)[0] * long.market[day]
        for day in range(len(long.book) - TRIAL_DAYS, len(long.book))
    ]
    assert found["rows"]["one year, fixed weights"]["residual_vol"] == pytest.approx(np.std(left, ddof=1) * 252**0.5)
    assert found["best"] == min(list(found["rows"])[1:], key=lambda name: found["rows"][name]["residual_vol"])


def test_a_short_history_is_told_and_not_filled(world: Any, build: Any) -> None:
    scene = world.scene()
    ledger = build.ledger(scene)

    for tool in (hedge_ratios, book_backtest):
        assert "days of common history" in str(tool(ledger, scene, {"AAA": 1.0})[1]["refused"])
    assert "refused" in correlation_path(ledger, scene, {"AAA": 1.0})[1]


def test_the_moves_of_a_reverse_stress_lose_what_they_say(scene: Any, ledger: Ledger) -> None:
    found: Any = break_book(ledger, scene, BOOK)[1]

    tenth = found["rows"][1]
    direct = reverse_stress(scene.vector(BOOK), 21.0 * scene.covariance, 0.10)
    assert tenth["distance"] == pytest.approx(direct.distance)
    assert sum(BOOK[name] * move for name, move in tenth["moves"].items()) == pytest.approx(-0.10)
    assert tenth["market"] * found["beta"] == pytest.approx(-0.10)
    market, name = found["expected"]
    assert market["book"] == pytest.approx(-0.20 * found["beta"], rel=1e-6)
    assert (name["given"], name["hardest_hit"]) == ("AAPL moves", "AAPL")


def test_selling_takes_the_days_that_the_exits_say_and_a_wide_spread_only_adds(scene: Any, ledger: Ledger) -> None:
    found: Any = liquidity_profile(ledger, scene, BOOK)[1]

    exits: Any = exit_costs(ledger, scene, BOOK)[1]
    last = found["sold"][-1]
    assert last["day"] == pytest.approx(exits["stressed"]["last_day"])
    assert (last["now"], last["stressed"]) == (1.0, pytest.approx(1.0))
    assert all(row["now"] >= row["stressed"] for row in found["sold"])
    assert found["price_var_99"] < found["liquidity_var_99"] < found["wide_liquidity_var_99"]
    assert found["liquidity_var_99"] == exits["liquidity_var_99"]
    # Half of a spread of four basis points, and of one four times as wide, on 0.95 of equity.
    assert (found["spread_cost"], found["wide_spread_cost"]) == pytest.approx((0.95 * 2e-4, 0.95 * 8e-4))


def test_the_backtest_counts_each_day_that_lost_more_than_the_evening_before_foresaw(
    scene: Any, ledger: Ledger
) -> None:
    found: Any = book_backtest(ledger, scene, BOOK)[1]

    history = long_history(scene, BOOK, 252 + JUDGED_DAYS).book
    hits = [-history[day] > historical_var(history[day - 252 : day], 0.99) for day in range(252, len(history))]
    plain = found["rows"]["historical"]
    assert (plain["exceptions"], plain["last_year"]) == (sum(hits), sum(hits[-250:]))
    assert plain["multiplier"] >= 3.0 and (plain["multiplier"] == 3.0) == (plain["zone"] == "green")
    assert found["rows"]["historical, losses only"]["exceptions"] <= plain["exceptions"]
    assert found["path"]["return"][-1] == pytest.approx(history[-1])
