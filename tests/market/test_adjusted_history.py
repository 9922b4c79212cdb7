"""Prices as they were traded, read in the shares of the moment: they compare over splits, and know no later one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parley.market.as_traded import load_as_traded
from parley.market.corporate_actions import CorporateAction, read_actions
from parley.market.errors import DataFileError, PanelError
from parley.market.files import load_file
from parley.market.grids import quoted_tick


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AAA halves at its split on the fourth day; BBB stops there and goes on as CCC."""
    days = ["2015-01-05", "2015-01-06", "2015-01-07", "2015-01-08", "2015-01-09"]
    closes = {"AAA": [10, 11, 12, 6.5, 6], "BBB": [20, 21, 22], "CCC": [None, None, None, 23, 24]}
    rows = [
        f"{name},{day},{close},{close},{close},{close},1000"
        for name, values in closes.items()
        for day, close in zip(days, values, strict=False)
        if close is not None
    ]
    path = tmp_path_factory.mktemp("traded") / "three.csv"
    path.write_text("\n".join(["symbol,date,open,high,low,close,volume", *rows]) + "\n")
    return path


def history(path: Path, actions: Sequence[CorporateAction]) -> Any:
    return replace(load_file(path), actions=tuple(actions)).history()


SPLIT = CorporateAction("AAA", "split", date(2015, 1, 8), new_shares=2)
RENAME = CorporateAction("BBB", "rename", date(2015, 1, 8), new_symbol="CCC")


def test_a_split_restates_what_was_before_it_from_the_close_before_on(traded: Path) -> None:
    past = history(traded, [SPLIT])

    eve = past.as_of(past.close_time(date(2015, 1, 7)))
    before = past.as_of(past.close_time(date(2015, 1, 7)) - timedelta(seconds=1))
    after = past.as_of(past.close_time(date(2015, 1, 8)))

    assert eve.close[:, 0].tolist() == [5.0, 5.5, 6.0]
    assert before.close[:, 0].tolist() == [10.0, 11.0]
    assert after.close[:, 0].tolist() == [5.0, 5.5, 6.0, 6.5]
    assert after.volume is not None and after.volume[:, 0].tolist() == [2000, 2000, 2000, 1000]
    assert eve.last_close("AAA") == 6.0
    assert not after.close.flags.writeable


def test_a_dividend_takes_its_part_of_the_close_before(traded: Path) -> None:
    past = history(traded, [CorporateAction("AAA", "dividend", date(2015, 1, 7), cash=read_cash("1.1"))])

    view = past.as_of(past.close_time(date(2015, 1, 7)))

    assert view.close[:, 0].tolist() == pytest.approx([9.0, 9.9, 12.0])


def read_cash(text: str) -> Any:
    from decimal import Decimal

    return Decimal(text)


def test_a_new_name_goes_on_from_the_prices_of_the_old_one(traded: Path) -> None:
    past = history(traded, [RENAME])

    eve = past.as_of(past.close_time(date(2015, 1, 7)))
    after = past.as_of(past.close_time(date(2015, 1, 9)))

    assert eve.last_close("CCC") == 22.0
    assert after.close[:, 2].tolist() == [20.0, 21.0, 22.0, 23.0, 24.0]


def test_a_later_action_changes_nothing_before_it(traded: Path) -> None:
    later = CorporateAction("AAA", "split", date(2015, 1, 9), new_shares=5)
    one, other = history(traded, [SPLIT]), history(traded, [SPLIT, later])

    for day in (5, 6, 7):
        moment = one.close_time(date(2015, 1, day))
        assert one.as_of(moment).close.tobytes() == other.as_of(moment).close.tobytes()
        assert one.as_of(moment).fingerprint == other.as_of(moment).fingerprint
    moment = one.close_time(date(2015, 1, 8))
    assert one.as_of(moment).fingerprint != other.as_of(moment).fingerprint


def test_adjusted_prices_with_actions_of_raw_ones_are_refused(traded: Path) -> None:
    from decimal import Decimal

    with pytest.raises(PanelError, match=r"dividend of 12\.5 on 2015-01-08, and its close before is 12"):
        history(traded, [CorporateAction("AAA", "dividend", date(2015, 1, 8), cash=Decimal("12.5"))])


@pytest.mark.parametrize("symbol", ["AAPL", "IBM"])
def test_raw_prices_and_actions_have_the_returns_of_adjusted_prices(shared_data: Path, symbol: str) -> None:
    file = shared_data / "daily" / "etf_equity_daily_1998_2018.parquet"
    raw = load_as_traded(file, shared_data / "fundamentals" / "corporate_actions.parquet")
    known, adjusted = raw.history(), load_file(file).history()
    moment = known.close_time(date(2015, 12, 31))
    column = raw.panel.column(symbol)

    one, other = (item.as_of(moment).close[-1700:, column] for item in (known, adjusted))

    # adj_factor has seven digits.
    assert np.abs(one[1:] / one[:-1] - other[1:] / other[:-1]).max() < 5e-7
    assert len([item for item in raw.actions if item.symbol == symbol]) > 10


def test_actions_within_the_day_are_refused(shared_data: Path) -> None:
    minutes = shared_data / "intraday" / "us_minute_trade_quote_2013.parquet"

    with pytest.raises(DataFileError, match="rows within the day"):
        load_as_traded(minutes, shared_data / "fundamentals" / "corporate_actions.parquet")


def test_the_actions_beside_a_file_are_used_without_being_asked_for(traded: Path, tmp_path: Path) -> None:
    (tmp_path / "three.csv").write_text(traded.read_text())
    (tmp_path / "three.actions.csv").write_text("symbol,kind,ex_date,split_from,split_to\nAAA,split,2015-01-08,1,2\n")

    data = load_file(tmp_path / "three.csv")

    assert data.actions == read_actions(tmp_path / "three.actions.csv")
    assert data.card.notes == (
        "prices as they were traded; 1 corporate actions of three.actions.csv are booked at night",
    )


def test_a_split_that_no_action_explains_is_told(tmp_path: Path) -> None:
    days = ["2015-01-05", "2015-01-06", "2015-01-07", "2015-01-08", "2015-01-09"]
    closes = {"AAA": [12, 12, 12, 6, 6], "DDD": [20, 20, 20, 20, 20], "EEE": [30, 30, 30, 30, 30]}
    rows = [f"{name},{day},{close}" for name, row in closes.items() for day, close in zip(days, row, strict=True)]
    (tmp_path / "three.csv").write_text("\n".join(["symbol,date,close", *rows]) + "\n")
    head = "symbol,kind,ex_date,cash,split_from,split_to\n"
    (tmp_path / "none.csv").write_text(f"{head}DDD,dividend,2015-01-06,1,,\n")
    (tmp_path / "all.csv").write_text(f"{head}AAA,split,2015-01-08,,1,2\n")

    told = load_as_traded(tmp_path / "three.csv", tmp_path / "none.csv").card.notes
    explained = load_as_traded(tmp_path / "three.csv", tmp_path / "all.csv").card.notes

    assert told[1:] == ("moves that look like splits and that no action explains: AAA 2015-01-08",)
    assert explained[1:] == ()


def test_ticks_are_those_that_the_prices_show() -> None:
    cents = np.round(np.linspace(50, 60, 300), 2)
    rarely_finer = np.append(cents, [50.1234, np.nan])
    hundredths = np.round(np.linspace(0.5, 0.6, 300), 4)
    computed = np.linspace(50, 60, 300) / 7

    found = [quoted_tick(values) for values in (cents, rarely_finer, hundredths, computed, np.full(3, 20.0))]

    assert found == [Decimal("0.01"), Decimal("0.01"), Decimal("0.0001"), None, Decimal("0.01")]
    assert quoted_tick(np.full(2, np.nan)) is None


def test_recorded_prices_as_they_were_traded_are_in_cents_and_adjusted_ones_on_no_grid(shared_data: Path) -> None:
    file = shared_data / "daily" / "etf_equity_daily_1998_2018.parquet"
    raw = load_as_traded(file, shared_data / "fundamentals" / "corporate_actions.parquet")

    assert {item.tick for item in raw.universe.instruments} == {Decimal("0.01")}
    assert {item.tick for item in load_file(file).universe.instruments} == {Decimal("0.000001")}


def test_prices_without_a_grid_keep_the_fine_one_and_the_card_says_so(tmp_path: Path) -> None:
    days = ["2015-01-05", "2015-01-06", "2015-01-07", "2015-01-08", "2015-01-09"]
    rows = [f"{name},{day},{100 / (7 + place)}" for name in ("AAA", "BBB") for place, day in enumerate(days)]
    (tmp_path / "two.csv").write_text("\n".join(["symbol,date,close", *rows]) + "\n")
    split = f"AAA,split,{days[-1]},,1,2"
    (tmp_path / "two.actions.csv").write_text(f"symbol,kind,ex_date,cash,split_from,split_to\n{split}\n")

    data = load_file(tmp_path / "two.csv")

    assert {item.tick for item in data.universe.instruments} == {Decimal("0.000001")}
    assert "prices of AAA, BBB show no tick of an exchange; orders are on 0.000001" in data.card.notes
