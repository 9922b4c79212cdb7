"""Corporate actions as recorded: the AAPL split of 2014, dividends, and files that cannot be meant."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from parley.domain.portfolio import Portfolio, Position
from parley.execution.venues.actions import act_on_portfolio
from parley.market.corporate_actions import due, read_actions
from parley.market.errors import DataFileError

D = Decimal


def test_the_recorded_actions_are_read_in_order(shared_data: Path) -> None:
    actions = read_actions(shared_data / "fundamentals" / "corporate_actions.parquet")

    assert len(actions) == 1423
    assert [item.ex_date for item in actions] == sorted(item.ex_date for item in actions)
    apple = due(actions, {"AAPL"}, date(2014, 1, 1), date(2014, 12, 31))
    assert [(item.ex_date, item.text) for item in apple] == [
        (date(2014, 2, 6), "dividend 3.05"),
        (date(2014, 5, 8), "dividend 3.29"),
        (date(2014, 6, 9), "split 7:1"),
        (date(2014, 8, 7), "dividend 0.47"),
        (date(2014, 11, 6), "dividend 0.47"),
    ]
    assert due(actions, {"AAPL"}, date(2014, 6, 9), date(2014, 6, 9)) == []


def test_a_hundred_apple_shares_through_2014_end_as_the_adjusted_prices_say(shared_data: Path) -> None:
    import pandas as pd

    frame = pd.read_parquet(shared_data / "daily" / "etf_equity_daily_1998_2018.parquet")
    apple = frame[(frame.symbol == "AAPL")].set_index("date")
    closes = apple.close
    actions = read_actions(shared_data / "fundamentals" / "corporate_actions.parquet")
    first, last = date(2014, 6, 5), date(2014, 6, 11)
    held = Position(symbol="AAPL", quantity=100, average_price=D("600"))
    book = Portfolio(cash=D(0), positions=(held,))
    for action in due(actions, {"AAPL"}, first, last):
        book = act_on_portfolio(book, action)

    raw = (
        float(book.equity({"AAPL": D(repr(float(closes.loc[str(last)])))})) / (100 * float(closes.loc[str(first)])) - 1
    )
    adjusted = float(apple.adj_close.loc[str(last)] / apple.adj_close.loc[str(first)]) - 1
    # Between these days lies the split and no dividend: the recorded adjusted closes are rounded to 0.0001.
    assert book.quantity("AAPL") == 700
    assert raw == pytest.approx(adjusted, abs=1e-5)
    assert raw == pytest.approx(0.0149, abs=5e-4)


def test_the_dividends_of_2014_are_the_difference_of_raw_and_split_adjusted_closes(shared_data: Path) -> None:
    actions = read_actions(shared_data / "fundamentals" / "corporate_actions.parquet")
    book = Portfolio(cash=D(0), positions=(Position(symbol="AAPL", quantity=100, average_price=D(540)),))
    for action in due(actions, {"AAPL"}, date(2014, 1, 1), date(2014, 12, 31)):
        book = act_on_portfolio(book, action)

    # 100 x (3.05 + 3.29) before the split, 700 x (0.47 + 0.47) after it.
    assert (book.cash, book.quantity("AAPL")) == (D("1292.00"), 700)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("AAA,merger,2014-06-09,1,,,", "action_kind"),
        ("AAA,split,,,1,7,", "ex_date"),
        ("AAA,split,2014-06-09,,0,7,", "action_ratio"),
        ("AAA,split,2014-06-09,,1.5,7,", "action_ratio"),
        ("AAA,split,2014-06-09,,,,", "action_ratio"),
        ("AAA,dividend,2014-06-09,-1,,,", "action_cash"),
        ("AAA,dividend,2014-06-09,,,,", "action_cash"),
        ("AAA,rename,2014-06-09,,,,", "action_name"),
    ],
)
def test_a_row_that_means_nothing_is_refused(tmp_path: Path, row: str, reason: str) -> None:
    file = tmp_path / "actions.csv"
    file.write_text(f"symbol,kind,ex_date,cash,split_from,split_to,new_symbol\n{row}\n")

    with pytest.raises(DataFileError) as caught:
        read_actions(file)

    assert (caught.value.reason, caught.value.row) == (reason, 1)


def test_each_kind_is_read_from_plain_text(tmp_path: Path) -> None:
    file: Any = tmp_path / "actions.csv"
    rows = ["BBB,rename,2014-06-10,,,,CCC", "AAA,split,2014-06-09,,10,1,", "AAA,delisting,2014-06-09,0,,,"]
    file.write_text("\n".join(["symbol,kind,ex_date,cash,split_from,split_to,new_symbol", *rows]) + "\n")

    assert [item.text for item in read_actions(file)] == ["delisted at 0.0", "split 1:10", "renamed CCC"]
