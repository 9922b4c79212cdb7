"""From a held book to a target: costs by hand, bands that leave alone what is near, and drift that adds up."""

from typing import Any

import numpy as np
import pytest
from parley.tools.errors import NotEnoughData
from parley.tools.estimators import Estimators
from parley.tools.ledger import Ledger
from parley.tools.rebalancing import RULES, Route, drifted, rebalancing_plan
from parley.tools.window import window_of


def planned(scene: Any, held: dict[str, float], target: dict[str, float]) -> tuple[Any, dict[str, Any]]:
    ledger = Ledger(scene.view.as_of, scene.view.fingerprint)
    window = window_of(ledger, scene, Estimators())
    return window, rebalancing_plan(ledger, scene, window, Route("a file", held, "a method", target))[1]


@pytest.fixture(scope="module")
def scene(build: Any) -> Any:
    return build.world().scene()


HELD = {"AAA": 0.5, "BBB": 0.17, "CCC": 0.16, "DDD": 0.17}
EVEN: dict[str, float] = dict.fromkeys(("AAA", "BBB", "CCC", "DDD", "EEE", "FFF"), 1.0 / 6.0)


def test_trading_all_costs_what_the_moves_cost_and_leaves_nothing_to_track(scene: Any) -> None:
    _, found = planned(scene, HELD, EVEN)
    row = found["ways"]["trade all"]
    moves = np.array([EVEN[name] - HELD.get(name, 0.0) for name in EVEN])

    assert row["turnover"] == pytest.approx(np.abs(moves).sum())
    assert row["tracking_annual"] == 0.0
    # At least spread and fee; impact of a million against two hundred a day comes on top.
    assert 3e-4 * row["turnover"] < row["cost"] < 3e-3 * row["turnover"]


def test_tracking_of_trading_nothing_is_the_volatility_of_the_difference(scene: Any) -> None:
    window, found = planned(scene, HELD, EVEN)
    away = np.array([HELD.get(name, 0.0) - EVEN[name] for name in window.symbols])

    assert found["ways"]["trade nothing"]["tracking_annual"] == pytest.approx((away @ window.cov @ away * 252) ** 0.5)


def test_a_band_leaves_alone_what_is_inside_it_and_stops_at_its_edge(scene: Any) -> None:
    weights = planned(scene, HELD, EVEN)[1]["weights"]

    # The policy's fifth of a sixth is a thirtieth.
    for way in ("band, to its edge", "band, to the target"):
        assert [weights[way][name] for name in ("BBB", "CCC", "DDD")] == pytest.approx([0.17, 0.16, 0.17])
    assert weights["band, to its edge"]["AAA"] == pytest.approx(1 / 6 + 1 / 30)
    assert weights["band, to its edge"]["EEE"] == pytest.approx(1 / 6 - 1 / 30)
    assert weights["band, to the target"]["AAA"] == pytest.approx(1 / 6)


def test_the_plan_pays_less_than_trading_all_and_tracks_better_than_nothing(scene: Any) -> None:
    ways = planned(scene, HELD, EVEN)[1]["ways"]
    plan = ways["plan over three months"]

    assert plan["cost"] < ways["trade all"]["cost"]
    assert plan["tracking_annual"] < ways["trade nothing"]["tracking_annual"] / 2


def test_a_book_that_is_the_target_trades_nothing_by_any_way(scene: Any) -> None:
    _, found = planned(scene, EVEN, EVEN)

    assert found["policy_says_trade"] is False
    for row in found["ways"].values():
        assert row["turnover"] == 0.0
        assert row["cost"] == 0.0


def test_over_a_year_wider_rules_cost_less_and_track_worse(build: Any) -> None:
    year = planned(build.world(build.closes(vol=0.03)).scene(), HELD, EVEN)[1]["year"]

    costs = [year[name]["cost_annual"] for name in RULES]
    assert year["trade all"]["tracking_annual"] == 0.0
    assert costs[0] > max(costs[1], costs[2]) > costs[3] == 0.0
    assert year["trade nothing"]["tracking_annual"] > year["band, to its edge"]["tracking_annual"] > 0.0


def test_drift_is_what_a_holder_would_find(scene: Any) -> None:
    window, _ = planned(scene, HELD, EVEN)
    prices = np.prod(1.0 + window.returns[-40:], axis=0)
    values = np.array([HELD.get(name, 0.0) for name in window.symbols]) * prices
    half = {name: weight / 2.0 for name, weight in HELD.items()}

    assert list(drifted(window, HELD, 40).values()) == pytest.approx((values / values.sum()).tolist())
    assert drifted(window, HELD, 0) == pytest.approx({name: HELD.get(name, 0.0) for name in window.symbols})
    # Half in cash: the cash does not move.
    assert list(drifted(window, half, 40).values()) == pytest.approx((values / 2 / (0.5 + values.sum() / 2)).tolist())


@pytest.mark.parametrize(
    ("held", "says"),
    [({"AAA": -0.1, "BBB": 0.4}, "AAA is held short"), ({"ZZZ": 0.4}, "ZZZ cannot be measured")],
)
def test_books_that_cannot_be_planned_for_are_refused(scene: Any, held: dict[str, float], says: str) -> None:
    with pytest.raises(NotEnoughData, match=says):
        planned(scene, held, EVEN)


def test_weights_older_than_the_window_are_refused(scene: Any) -> None:
    window, _ = planned(scene, HELD, EVEN)

    with pytest.raises(NotEnoughData, match="300 sessions old"):
        drifted(window, HELD, 300)
