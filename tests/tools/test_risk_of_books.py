"""The risk command's tools: every method, dated and round stress, exits and hedges, on real closes."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from parley.quant.var import expected_shortfall, historical_var, normal_var
from parley.tools.dependence import joint_tail
from parley.tools.errors import NotEnoughData
from parley.tools.exits import exit_costs
from parley.tools.hedges import hedge_book
from parley.tools.ledger import Ledger
from parley.tools.long_history import LONG_DAYS, long_history
from parley.tools.stress import shock_book, stress_book
from parley.tools.structure import recent_break, risk_drivers
from parley.tools.tails import components, tail_by_method


@pytest.fixture(scope="module")
def us20_scene(us20: Any) -> Any:
    return us20.scene()


@pytest.fixture
def ledger(us20_scene: Any) -> Ledger:
    return Ledger(us20_scene.view.as_of, us20_scene.view.fingerprint)


WEIGHTS = {"AAPL": 0.3, "XOM": 0.2, "KO": -0.1}


def test_the_book_history_is_todays_weights_over_past_returns(us20_scene: Any) -> None:
    closes = us20_scene.view.close[-(LONG_DAYS + 1) :]
    returns = closes[1:] / closes[:-1] - 1.0
    places = [us20_scene.view.symbols.index(symbol) for symbol in WEIGHTS]

    long = long_history(us20_scene, WEIGHTS)
    assert long.book == pytest.approx(returns[:, places] @ [0.3, 0.2, -0.1])
    assert long.market[-252:] == pytest.approx(us20_scene.market_returns)
    assert (long.days[-1], len(long.days)) == (str(us20_scene.view.session), LONG_DAYS)


def test_an_empty_book_has_no_tail(us20_scene: Any, ledger: Ledger) -> None:
    with pytest.raises(NotEnoughData, match="holds nothing"):
        tail_by_method(ledger, us20_scene, {}, 0.99)


def test_every_method_states_a_tail_or_why_it_cannot(us20_scene: Any, ledger: Ledger) -> None:
    _, found = tail_by_method(ledger, us20_scene, WEIGHTS, 0.99)

    history = long_history(us20_scene, WEIGHTS).book
    assert len(found) == 10
    assert found["historical, 1 year"]["var"] == pytest.approx(historical_var(history[-252:], 0.99))
    for tail in found.values():
        assert "refused" in tail or 0 < float(tail["var"]) <= float(tail["es"])


def test_a_bigger_book_has_a_proportional_tail(us20_scene: Any, ledger: Ledger) -> None:
    _, one = tail_by_method(ledger, us20_scene, WEIGHTS, 0.99)
    _, double = tail_by_method(ledger, us20_scene, {name: 2 * weight for name, weight in WEIGHTS.items()}, 0.99)

    for name in ("historical, long", "normal", "student t", "garch t, today", "filtered historical"):
        assert float(double[name]["var"]) == pytest.approx(2 * float(one[name]["var"]), rel=2e-3)


def test_the_parts_of_the_var_sum_to_it(us20_scene: Any, ledger: Ledger) -> None:
    _, parts = components(ledger, us20_scene, WEIGHTS, 0.99)

    history = us20_scene.returns @ us20_scene.vector(WEIGHTS)
    assert sum(parts.values()) == pytest.approx(normal_var(history.mean(), history.std(ddof=1), 0.99), rel=1e-6)
    assert set(parts) == set(WEIGHTS)


def test_shares_of_the_shortfall_sum_to_it_and_selling_a_name_is_worked_out_again(
    us20_scene: Any, ledger: Ledger
) -> None:
    evidence_id, _ = components(ledger, us20_scene, WEIGHTS, 0.99)

    output: Any = next(item.output for item in ledger.entries if item.id == evidence_id)
    history = us20_scene.returns @ us20_scene.vector(WEIGHTS)
    rest = us20_scene.returns @ us20_scene.vector({"XOM": 0.2, "KO": -0.1})
    assert sum(output["es_by_name"].values()) == pytest.approx(expected_shortfall(history, 0.99))
    assert output["when_sold"]["AAPL"] == pytest.approx(
        normal_var(rest.mean(), rest.std(ddof=1), 0.99) - output["normal_var"]
    )
    weighted = sum(output["marginal"][name] * weight for name, weight in WEIGHTS.items())
    assert weighted == pytest.approx(output["normal_var"])


def test_dated_scenarios_come_worst_first_through_the_beta(us20_scene: Any, ledger: Ledger) -> None:
    _, rows = stress_book(ledger, us20_scene, {"AAPL": 0.5})

    returns = [float(str(row["return"])) for row in rows]
    assert returns == sorted(returns)
    ratio = {round(float(str(row["return"])) / float(str(row["market"])), 6) for row in rows}
    assert len(ratio) == 1
    assert {"1987-10-19", "2008-09-15"} <= {row["first_day"] for row in rows}


def test_round_shocks_scale_as_they_should(us20_scene: Any, ledger: Ledger) -> None:
    _, found = shock_book(ledger, us20_scene, {"AAPL": 0.25, "MSFT": 0.25})

    assert found["market -20 %"] == pytest.approx(2 * found["market -10 %"])
    assert found["VaR 99 %, volatility doubled"] == pytest.approx(2 * found["VaR 99 % now"], rel=1e-6)
    assert found["VaR 99 %, correlation 0.9"] > found["VaR 99 % now"]


def test_exits_say_when_the_volume_is_assumed_and_cost_more_in_a_bad_market(us20_scene: Any, ledger: Ledger) -> None:
    _, found = exit_costs(ledger, us20_scene, {"AAPL": 0.5})

    now, stressed = found["now"], found["stressed"]
    assert found["volume_is_assumed"] is True
    assert isinstance(now, dict) and isinstance(stressed, dict)
    # 500,000 USD at a tenth of an assumed 200 million a day.
    assert now["last_day"] == pytest.approx(0.025)
    assert stressed["last_day"] == pytest.approx(0.075)
    assert stressed["cost"] > now["cost"] > 0


def test_the_index_hedge_sells_the_beta_and_options_name_their_price(us20_scene: Any, ledger: Ledger) -> None:
    evidence_id, rows = hedge_book(ledger, us20_scene, {"AAPL": 1.0})

    entry = next(item for item in ledger.entries if item.id == evidence_id)
    output: Any = entry.output
    slope = np.polyfit(us20_scene.market_returns, us20_scene.returns @ us20_scene.vector({"AAPL": 1.0}), 1)[0]
    assert output["hedge_ratio"] == pytest.approx(slope)
    assert [row["hedge"] for row in rows] == [
        "sell the index",
        "three-month index put",
        "three-month index collar",
        "three-month collar without cost",
    ]
    costs = [float(str(row["cost"])) for row in rows]
    assert costs[1] > costs[2] and costs[3] == 0.0
    assert rows[3]["floor"] == pytest.approx(-0.05) and rows[1]["ceiling"] is None


def test_the_drivers_shares_add_up(us20_scene: Any, ledger: Ledger) -> None:
    _, found = risk_drivers(ledger, us20_scene, WEIGHTS)

    assert float(str(found["market_share"])) + float(str(found["own_share"])) == pytest.approx(1.0)
    shares: Any = found["component_shares"]
    assert len(shares) == 3 and sum(shares) <= 1.0 + 1e-9


def test_falling_together_costs_more_than_a_normal_tail_and_one_name_cannot(us20_scene: Any, ledger: Ledger) -> None:
    even = dict.fromkeys(us20_scene.symbols, 1 / 20)

    _, joint = joint_tail(ledger, us20_scene, even, 0.99)
    _, alone = joint_tail(ledger, us20_scene, {"KO": 1.0}, 0.99)

    assert 0 < float(str(joint["var"])) < float(str(joint["es"]))
    assert 0 < float(str(joint["tail_dependence"])) < 1
    assert alone == {"refused": "one name has no joint tail"}


def test_a_break_is_seen_in_march_of_2020_and_not_in_the_calm_before(us20: Any) -> None:
    days = us20.panel.sessions.tolist()
    chances = {}
    for name, day in (("calm", date(2019, 12, 2)), ("crash", date(2020, 3, 9))):
        scene = us20.scene(days.index(day))
        chances[name] = recent_break(Ledger(scene.view.as_of, scene.view.fingerprint), scene)[1]["probability"]

    assert chances["crash"] > 0.9
    assert chances["calm"] < 0.5
