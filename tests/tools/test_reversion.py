"""Reverting spreads: a planted pair is found and traded at a gain, noise is not, and later days change nothing."""

from typing import Any, cast

import numpy as np
import pytest
from parley.tools.errors import NotEnoughData
from parley.tools.ledger import Ledger
from parley.tools.reversion import MOST_HALF_LIFE_DAYS, reverting_spreads
from parley.tools.reversion_record import HOLD_DAYS, reversion_record


def asked(scene: Any, top: int = 5) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]:
    ledger = Ledger(scene.view.as_of, scene.view.fingerprint)
    rows = reverting_spreads(ledger, scene, top)[1]
    record = reversion_record(ledger, scene, top)[1]
    return rows, record, dict(cast(dict[str, Any], ledger.entries[0].output))


def walk(n_days: int, n_names: int, seed: int = 3) -> np.ndarray:
    """Names without anything in common, so that nothing reverts but by luck."""
    return 50.0 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0.0, 0.02, (n_days, n_names)), axis=0))


def with_pair(n_days: int) -> np.ndarray:
    """Six names of which AAA is BBB times a quickly reverting, wide spread."""
    closes = walk(n_days, 6)
    # A speed of 40 a year: of each day's distance exp(-40 / 252) is left on the next.
    rng, spread = np.random.default_rng(4), [0.0]
    for shock in rng.normal(0.0, 0.01164, n_days - 1):
        spread.append(0.8532 * spread[-1] + float(shock))
    closes[:, 0] = closes[:, 1] * np.exp(spread)
    return closes


@pytest.fixture(scope="module")
def planted(build: Any) -> tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]:
    return asked(build.world(with_pair(1010)).scene())


def test_the_planted_pair_is_the_best_pair_with_its_half_life_inside_the_interval(planted: Any) -> None:
    row = next(row for row in planted[0] if row["kind"] == "pair")

    assert row["label"] == "AAA against BBB"
    # ln 2 / 40 of a year.
    assert row["half_life_low"] <= np.log(2.0) / 40.0 * 252 <= row["half_life_high"]
    assert row["unit_root_t"] < row["critical_t"]
    assert row["weights"]["AAA"] + -row["weights"]["BBB"] == pytest.approx(1.0)
    assert row["entry_score"] == pytest.approx(-row["exit_score"])
    assert row["promised_annual"] > row["promised_one_sigma"] > 0.0


def test_a_real_reversion_survives_its_costs(planted: Any) -> None:
    row = planted[1]["kinds"]["pair"]

    assert row["survives"] is True
    assert 0.0 < row["net_low"] < row["net_annual"] < row["net_high"]
    assert row["net_annual"] < row["gross_annual"]
    assert planted[1]["survivors"][0] == "pair"
    assert "above zero for: pair" in planted[1]["verdict"]


def test_noise_does_not_survive_and_the_verdict_says_so(build: Any) -> None:
    _, record, output = asked(build.world(walk(1010, 8)).scene())

    assert record["survivors"] == []
    assert record["verdict"].startswith("Nothing here survives its costs")
    assert output["passed"]["pair"] <= 4 * output["by_chance"]["pair"] + 4
    for row in record["kinds"].values():
        assert len(row["equity"]) == 12 * HOLD_DAYS == len(record["sessions"])


def test_selection_flatters_what_is_chosen(us20: Any) -> None:
    row = asked(us20.scene())[1]["kinds"]["pair"]

    assert row["promised_annual"] > row["in_sample_annual"] > row["gross_annual"] > row["net_annual"]
    assert row["survives"] is False


def test_every_spread_shown_passed_its_tests(us20: Any) -> None:
    rows, _, output = asked(us20.scene(), top=50)

    assert len(rows) == sum(output["passed"].values())
    assert [row["promised_annual"] for row in rows] == sorted((row["promised_annual"] for row in rows), reverse=True)
    for row in rows:
        assert row["unit_root_t"] < row["critical_t"]
        assert row["half_life_days"] <= MOST_HALF_LIFE_DAYS
        assert row["says"] == (
            "buy" if row["s_score"] <= row["entry_score"] else "sell" if row["s_score"] >= row["exit_score"] else "wait"
        )


def test_later_days_change_nothing(build: Any) -> None:
    closes = with_pair(900)
    changed = closes.copy()
    changed[850:] *= np.linspace(1.0, 3.0, 50)[:, None]

    one, other = (asked(build.world(levels).scene(row=849)) for levels in (closes, changed))

    assert one == other


def test_costs_only_take_away(build: Any) -> None:
    from dataclasses import replace

    cheap = build.world(with_pair(700)).scene()
    dear = replace(cheap, costs=replace(cheap.costs, half_spread_bps=40.0), memo={})

    low, high = asked(cheap), asked(dear)

    assert high[1]["kinds"]["pair"]["net_annual"] < low[1]["kinds"]["pair"]["net_annual"]
    wider = {row["label"]: row["exit_score"] for row in high[0]}
    assert all(wider[row["label"]] > row["exit_score"] for row in low[0] if row["label"] in wider)


def test_a_short_history_has_spreads_and_no_record(build: Any) -> None:
    rows, record, _ = asked(build.world(with_pair(400)).scene())

    assert "AAA against BBB" in [row["label"] for row in rows]
    assert record == {"refused": "2 quarters are left after the first year, a record needs 4"}


def test_one_name_has_no_spread(build: Any) -> None:
    with pytest.raises(NotEnoughData, match="1 names have all"):
        asked(build.world(walk(320, 1)).scene())
