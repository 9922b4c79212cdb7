"""The analyst's tools: rows that hold only numbers, and universes too small to compare."""

from typing import Any

import numpy as np
import pytest
from parley.domain.canonical import canonical_bytes
from parley.domain.views import Regime
from parley.quant.scores import SCORE_NAMES
from parley.tools.errors import NotEnoughData
from parley.tools.estimators import Estimators
from parley.tools.market import regime, scores, technical_indicators, technical_score


def test_every_tradable_name_has_a_row_of_every_score(world: Any, build: Any):
    scene = world.scene()

    _, scored = scores(build.ledger(scene), scene, Estimators())

    assert tuple(scored.rows) == scene.symbols
    assert all(set(SCORE_NAMES) <= set(row) for row in scored.rows.values())
    assert canonical_bytes(scored.output)


def test_a_record_that_proves_nothing_expects_nothing_and_is_a_coin_toss(world: Any, build: Any):
    scene = world.scene()

    _, scored = scores(build.ledger(scene), scene, Estimators())

    assert {row["expected_return"] for row in scored.rows.values()} == {0.0}
    assert {row["confidence"] for row in scored.rows.values()} == {0.5}


def test_fewer_than_five_names_cannot_be_compared(build: Any):
    scene = build.world(build.closes(320, 4)).scene()

    with pytest.raises(NotEnoughData, match="4 tradable names"):
        scores(build.ledger(scene), scene, Estimators())


def test_an_index_that_never_moves_leaves_no_scores(build: Any):
    scene = build.world(benchmark=np.full(320, 100.0)).scene()

    with pytest.raises(NotEnoughData, match="no scores"):
        scores(build.ledger(scene), scene, Estimators())


def test_the_technical_score_is_trend_and_reversal_in_equal_parts_within_one():
    assert technical_score({"trend_raw": 0.6, "rev5": -1.5}) == pytest.approx((0.6 - 0.5) / 2)
    assert technical_score({"trend_raw": 1.0, "rev5": 3.0}) == 1.0


def test_indicators_of_closes_alone_leave_out_what_needs_more(world: Any, build: Any):
    scene = world.scene()

    _, rows = technical_indicators(build.ledger(scene), scene)

    assert 0 <= rows["AAA"]["rsi_14"] <= 100
    assert "atr_14" not in rows["AAA"] and "obv" not in rows["AAA"]
    assert canonical_bytes(rows)


def test_a_gap_in_the_highs_leaves_the_indicators_of_closes_alone(build: Any):
    close = build.closes()
    high = close * 1.01
    whole = build.world(close, high=high, low=close * 0.99, volume=np.full(close.shape, 10.0)).scene()
    high = high.copy()
    high[-10, 0] = np.nan
    broken = build.world(close, high=high, low=close * 0.99, volume=np.full(close.shape, 10.0)).scene()

    assert "atr_14" in technical_indicators(build.ledger(whole), whole)[1]["AAA"]
    assert "atr_14" not in technical_indicators(build.ledger(broken), broken)[1]["BBB"]


def test_the_indicators_of_a_scene_are_worked_out_once_and_have_one_entry(world: Any, build: Any):
    scene = world.scene()
    ledger = build.ledger(scene)

    first, second = (technical_indicators(ledger, scene) for _ in range(2))

    assert first[0] == second[0] and first[1] is second[1]
    assert len(ledger.entries) == 1


def test_a_short_history_has_an_unknown_regime_and_says_so_in_the_ledger(world: Any, build: Any):
    scene = world.scene()
    ledger = build.ledger(scene)

    evidence_id, label = regime(ledger, scene, Estimators())

    assert label is Regime.UNKNOWN
    assert (ledger.entries[0].id, ledger.entries[0].output) == (evidence_id, {"label": "unknown"})


def test_the_spring_of_2020_was_no_calm_market(us20: Any, build: Any):
    row = int(np.searchsorted(us20.panel.sessions, np.datetime64("2020-03-16")))
    scene = us20.scene(row)

    _, label = regime(build.ledger(scene), scene, Estimators())

    assert label in (Regime.STRESSED, Regime.CRISIS)


@pytest.mark.parametrize("name", ["us20", "us5", "sp500"])
def test_the_tools_of_every_data_set_write_numbers_that_json_can_name(name: str, request: Any, build: Any):
    world = request.getfixturevalue(name)
    scene = world.scene()
    ledger = build.ledger(scene)

    technical_indicators(ledger, scene)
    regime(ledger, scene, Estimators())
    if len(scene.symbols) >= 5:
        scores(ledger, scene, Estimators())

    assert all(canonical_bytes(entry) for entry in ledger.entries)
