"""Rivals by hand: what each holds, when it enters, and that nobody beats who knows tomorrow."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.evals.look_ahead import garbled_after
from parley.evals.scoreboard.rivals import RULES, momentum_weights, oracle, rivals
from parley.market.cards import DataSet
from parley.market.datasets import load_data
from parley.market.files import load_file


def test_the_oracle_changes_only_when_tomorrow_pays_for_it() -> None:
    # Enters A at the second close for its 10 %; then B's 5 % less A's 4 % does not pay two legs of 1 %; then B does.
    closes = np.array([[1.0, 1.0], [1.0, 1.0], [1.1, 1.0], [1.144, 1.05], [1.0, 1.26], [0.9, 1.0]])

    found = oracle(closes, 100.0, 0.01)

    assert found.equity.tolist() == pytest.approx(
        [100.0, 99.0, 108.9, 113.256 * 0.98, 113.256 * 0.98 * 1.2 * 0.99, 113.256 * 0.98 * 1.2 * 0.99]
    )


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), cost_bps=st.floats(0.0, 50.0))
def test_the_oracle_never_loses_more_than_nothing_and_beats_every_fixed_name(seed: int, cost_bps: float) -> None:
    closes = np.exp(np.cumsum(np.random.default_rng(seed).normal(0.0, 0.01, (60, 4)), axis=0))

    best = oracle(closes, 1.0, cost_bps / 1e4).equity[-1]

    assert best >= 1.0 - 2 * cost_bps / 1e4 - 1e-12
    held = (1.0 - cost_bps / 1e4) * closes[-1] / closes[1]
    # Day by day it looks one close ahead: a change may cost it two legs more than who never moves.
    assert best >= held.max() * (1.0 - 2 * cost_bps / 1e4) - 1e-12


def test_momentum_takes_the_best_third_of_the_year_before_the_last_month() -> None:
    known = np.ones((253, 6))
    known[-22] = [1.5, 1.1, 0.9, 1.4, 1.0, 1.2]
    known[-1] = [0.5, 9.0, 9.0, 0.5, 9.0, 9.0]

    assert momentum_weights(known).tolist() == [0.5, 0.0, 0.0, 0.5, 0.0, 0.0]


def test_a_name_without_a_close_a_year_ago_has_no_momentum() -> None:
    known = np.ones((253, 3))
    known[-22] = [1.1, 1.2, 5.0]
    known[0, 2] = np.nan

    assert momentum_weights(known).tolist() == [0.0, 1.0, 0.0]


@pytest.fixture(scope="module")
def us20() -> DataSet:
    return load_data("us20")


def test_every_rival_of_stocks_is_there_and_60_40_only_with_a_bond(us20: DataSet) -> None:
    sessions = us20.history().sessions_between(date(2020, 1, 2), date(2020, 6, 30))

    found = rivals(us20, sessions, 1e6, 3e-4)

    assert list(found) == [name for name in RULES if name != "sixty_forty"]
    assert found["cash"].equity.tolist() == [1e6] * len(sessions)
    oracle_gain = found.pop("oracle").equity[-1]
    assert all(item.equity[-1] < oracle_gain for item in found.values())
    assert all(item.equity[1] < 1e6 for name, item in found.items() if name != "cash"), "each paid to get in"


def test_bought_once_is_never_touched(us20: DataSet) -> None:
    sessions = us20.history().sessions_between(date(2020, 1, 2), date(2020, 3, 31))
    rows = us20.history().rows_of(sessions)
    closes = us20.panel.close[rows]

    found = rivals(us20, sessions, 100.0, 0.01)["buy_and_hold"]

    assert found.equity[-1] == pytest.approx(99.0 * (closes[-1] / closes[1]).mean())
    assert (found.traded, found.costs) == (100.0, 1.0)


def test_what_a_rival_holds_rests_on_closes_before_it_trades(us20: DataSet) -> None:
    sessions = us20.history().sessions_between(date(2019, 11, 1), date(2020, 2, 28))
    cut = date(2020, 2, 3)
    garbled = garbled_after(us20, cut, np.random.default_rng(0))
    until = sessions.index(cut) + 1

    whole, other = rivals(us20, sessions, 1e6, 0.0), rivals(garbled, sessions, 1e6, 0.0)

    for name in ("momentum_12_1", "buy_and_hold", "index", "equal_weight"):
        assert (whole[name].equity[:until] == other[name].equity[:until]).all()
    assert not (whole["oracle"].equity[: until + 1] == other["oracle"].equity[: until + 1]).all(), "it does know"


def test_sixty_forty_splits_each_side_evenly(tmp_path: Path) -> None:
    table = tmp_path / "mixed.csv"
    days = ("2020-01-02", "2020-01-03", "2020-01-06")
    closes = {"AAA": (10, 10, 12), "BBB": (10, 10, 10), "TTT": (10, 10, 11)}
    rows = [f"{symbol},{day},{close}" for symbol in closes for day, close in zip(days, closes[symbol], strict=True)]
    table.write_text("\n".join(["symbol,date,close", *rows]) + "\n")
    (tmp_path / "mixed.symbols.csv").write_text("symbol,sector,asset_class\nAAA,X,stock\nBBB,X,stock\nTTT,Y,bond\n")
    data = load_file(table)

    found = rivals(data, data.history().sessions_between(), 100.0, 0.0)["sixty_forty"]

    # 30 in each stock and 40 in the bond: 30 * 1.2 + 30 + 40 * 1.1.
    assert found.equity[-1] == pytest.approx(110.0)
