"""Regimes and breaks of a series: the desk's own filter, sums that add up, known dates, refusals, no look ahead."""

from typing import Any

import numpy as np
import pytest
from parley.domain.canonical import canonical_bytes
from parley.tools.bars import market_bars, symbol_bars
from parley.tools.estimators import Estimators
from parley.tools.regime_history import CONFIRM_DAYS, change_points, regime_history, regime_walk


def said(told: tuple[str, dict[str, object]]) -> Any:
    """The output of a tool as its readers take it: plain JSON."""
    return told[1]


def _at(us20: Any, day: str) -> Any:
    return us20.scene(int(np.flatnonzero(us20.panel.sessions == np.datetime64(day))[0]))


def test_without_learning_it_stands_where_the_desks_own_filter_stands(us20: Any, build: Any) -> None:
    scene = _at(us20, "2020-06-30")
    reading = Estimators().regime(scene.view)

    output = said(regime_history(build.ledger(scene), scene, market_bars(scene.view)))

    assert reading is not None
    assert list(output["now_frozen"].values()) == pytest.approx(reading.probabilities.tolist(), abs=1e-9)
    assert output["fitted_days"] == reading.fitted_days == 2520
    assert output["states"] == len(reading.model.vol)
    assert min(output["bic"], key=output["bic"].get) == str(output["states"])


def test_figures_add_up_and_the_stressed_days_are_followed_by_rougher_ones(us20: Any, build: Any) -> None:
    scene = _at(us20, "2020-06-30")
    bars = market_bars(scene.view)

    output = said(regime_history(build.ledger(scene), scene, bars))

    walk = regime_walk(scene, bars)
    assert sum(output["now"].values()) == pytest.approx(1.0)
    assert sum(row["days"] for row in output["by_label"]) == len(walk.labels) == output["learning"]["days"]
    assert output["spells"][0]["last"] == "2020-06-30"
    for row in output["by_label"]:
        days = [walk.first_bar + k for k, label in enumerate(walk.labels[:-1]) if label == row["label"]]
        moves = bars.close[np.array(days) + 1] / bars.close[days] - 1.0
        assert row["next_day_annual_vol"] == pytest.approx(moves.std(ddof=1) * 252**0.5)
    after = [row["next_day_annual_vol"] for row in output["by_label"]]
    assert after == sorted(after) and after[1] > 1.5 * after[0]
    vols = list(output["annual_vol"].values())
    assert vols == sorted(vols)
    assert canonical_bytes(output)


def test_on_ten_years_of_the_index_learning_beats_waiting_for_january(us20: Any, build: Any) -> None:
    scene = us20.scene()

    output = said(regime_history(build.ledger(scene), scene, market_bars(scene.view)))

    learning = output["learning"]
    assert learning["days"] > 2500
    assert learning["gain_per_day"] == pytest.approx(learning["online_per_day"] - learning["frozen_per_day"], abs=1e-8)
    assert learning["gain_per_day"] > 0.01 and learning["t_stat"] > 2.0


def test_the_breaks_of_2020_are_dated_and_known_no_sooner_than_confirmed(us20: Any, build: Any) -> None:
    scene = _at(us20, "2020-06-30")
    bars = market_bars(scene.view)

    output = said(change_points(build.ledger(scene), scene, bars))

    crash = next(row for row in output["changes"] if row["began"].startswith("2020-02"))
    assert crash["began"] == "2020-02-21" and crash["known"] == "2020-03-06"
    assert crash["vol_after"] > 3 * crash["vol_before"]
    rows = {bars.day(row): row for row in range(len(bars.close))}
    assert all(rows[row["known"]] - rows[row["began"]] >= CONFIRM_DAYS - 1 for row in output["changes"])
    assert {"session": "2020-02-28", "side": -1} in output["cusum"]["alarms"]
    assert output["cusum"]["false_alarms_expected"] == pytest.approx(1.26)


def test_what_was_said_at_a_close_does_not_change_with_later_prices(build: Any) -> None:
    close = build.closes(1200)
    other = np.concatenate([close[:1100], close[1100:] * np.linspace(1, 3, 100)[:, None]])
    outputs = []
    for levels in (close, other):
        scene = build.world(levels).scene(1099)
        ledger, bars = build.ledger(scene), symbol_bars(scene.view, "AAA")
        outputs.append((regime_history(ledger, scene, bars), change_points(ledger, scene, bars)))

    assert outputs[0] == outputs[1]


def test_a_short_or_motionless_history_is_refused_in_words(build: Any) -> None:
    close = build.closes(300)
    close[:, 0] = 50.0
    scene = build.world(close).scene()
    ledger = build.ledger(scene)

    short = said(regime_history(ledger, scene, symbol_bars(scene.view, "BBB")))
    few = said(change_points(ledger, scene, symbol_bars(scene.view, "BBB")))
    still = said(change_points(ledger, scene, symbol_bars(scene.view, "AAA")))

    assert "regimes need 504" in short["refused"]
    assert "299 days" in few["refused"] and "refused" in still
