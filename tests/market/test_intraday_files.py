"""Recorded minutes, seconds and ticks: daily bars for decisions, quotes for the venue."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from parley.domain.market import Quote
from parley.market.cards import DataSet
from parley.market.errors import DataFileError
from parley.market.files import load_file

WriteCsv = Callable[[str], Path]
LoadRecorded = Callable[[str], DataSet]
DAY = date(2013, 10, 7)
CENT = Decimal("0.01")
MINUTE = "intraday/us_minute_trade_quote_2013.parquet"
SECOND = "intraday/us_second_trade_quote_20131007.parquet"
TICK = "intraday/us_tick_ibm_20131007.parquet"

TICKS = """symbol,ts,event,price,size,bid,bid_size,ask,ask_size
AAA,2020-01-02T09:29:59-05:00,quote,,,9.90,100,0,0
AAA,2020-01-02T09:30:01-05:00,quote,,,0,0,9.95,200
AAA,2020-01-02T09:30:02-05:00,trade,9.95,50,,,,
AAA,2020-01-02T09:30:03-05:00,quote,,,9.95,300,0,0
AAA,2020-01-02T09:30:04-05:00,quote,,,0,0,9.97,400
AAA,2020-01-02T16:00:01-05:00,trade,20.00,1000,,,,
"""


def rows_of(path: Path, symbol: str) -> pd.DataFrame:
    rows = pd.read_parquet(path, filters=[("symbol", "==", symbol)])
    return rows.set_index("ts")


def test_minutes_sum_up_to_the_bar_of_the_regular_session(shared_data: Path, recorded: LoadRecorded) -> None:
    day = rows_of(shared_data / MINUTE, "IBM").loc["2013-10-07 09:30":"2013-10-07 15:59"].dropna(subset="close")

    loaded = recorded(MINUTE)
    bar = loaded.panel.bar("IBM", DAY)

    assert bar is not None
    assert (bar.open, bar.high, bar.low) == (day["open"].iloc[0], day["high"].max(), day["low"].min())
    assert (bar.close, bar.volume) == (day["close"].iloc[-1], day["volume"].sum())
    assert bar.available_at == datetime(2013, 10, 7, 20, 0, tzinfo=UTC)
    assert loaded.card.frequency == "minute"


def test_seconds_and_ticks_agree_with_minutes_on_the_close(recorded: LoadRecorded) -> None:
    closes = {}
    for name in (MINUTE, SECOND, TICK):
        bar = recorded(name).panel.bar("IBM", DAY)
        assert bar is not None
        closes[recorded(name).card.frequency] = bar.close

    # The last bar of the minute file closes one cent above the last print before 16:00:00 of the others.
    assert closes["tick"] == closes["second"] == 182.0
    assert closes["minute"] == 182.01


def test_minute_quotes_are_known_at_the_end_of_their_minute(shared_data: Path, recorded: LoadRecorded) -> None:
    written = rows_of(shared_data / MINUTE, "SPY").loc[pd.Timestamp("2013-10-07 09:30", tz="America/New_York")]

    known_at = datetime(2013, 10, 7, 13, 31, tzinfo=UTC)
    quote = next(item for item in recorded(MINUTE).recorded_quotes("SPY", DAY) if item.ts_event == known_at)

    assert (float(quote.bid), float(quote.ask)) == (written["bid_close"], written["ask_close"])
    assert (quote.bid_size, quote.ask_size) == (written["bid_size"], written["ask_size"])


@pytest.mark.parametrize("name", [MINUTE, SECOND, TICK])
def test_recorded_quotes_are_ordered_uncrossed_on_the_cent_and_inside_the_session(
    name: str, recorded: LoadRecorded
) -> None:
    quotes = list(recorded(name).recorded_quotes("IBM", DAY))
    times = [quote.ts_event for quote in quotes]

    assert len(quotes) > 300
    assert times == sorted(times)
    assert time(13, 30) <= times[0].time() and times[-1].time() <= time(20, 0)
    assert all(0 < quote.bid < quote.ask and not quote.synthetic for quote in quotes)
    assert all(quote.bid % CENT == 0 and quote.ask % CENT == 0 for quote in quotes)
    assert min(min(quote.bid_size, quote.ask_size) for quote in quotes) > 0


def test_the_best_quote_joined_from_ticks_is_the_one_the_second_file_recorded(recorded: LoadRecorded) -> None:
    ticks = list(recorded(TICK).recorded_quotes("IBM", DAY))
    seconds = list(recorded(SECOND).recorded_quotes("IBM", DAY))
    times = np.array([quote.ts_event.timestamp() for quote in ticks])
    before = np.searchsorted(times, [quote.ts_event.timestamp() for quote in seconds]) - 1

    pairs = [(ticks[row], quote) for row, quote in zip(before.tolist(), seconds, strict=True) if row >= 0]
    same = [tick.bid == second.bid and tick.ask == second.ask for tick, second in pairs]

    assert len(same) > 11_000
    assert np.mean(same) > 0.99


def test_each_side_of_a_tick_quote_holds_until_that_side_changes(write_csv: WriteCsv) -> None:
    loaded = load_file(write_csv(TICKS))
    quotes = list(loaded.recorded_quotes("AAA", date(2020, 1, 2)))

    # At 09:30:03 the bid meets the ask of 9.95: a locked market is not shown.
    assert [_short(quote) for quote in quotes] == [
        ("14:30:01", 9.90, 9.95, 100, 200),
        ("14:30:04", 9.95, 9.97, 300, 400),
    ]
    assert loaded.panel.close.tolist() == [[9.95]]
    assert loaded.card.frequency == "tick"


def _short(quote: Quote) -> tuple[str, float, float, int, int]:
    return str(quote.ts_event.time()), float(quote.bid), float(quote.ask), quote.bid_size, quote.ask_size


def test_suspicious_prints_do_not_enter_the_bar(write_csv: WriteCsv) -> None:
    text = (
        "symbol,ts,event,price,size,suspicious\n"
        "AAA,2020-01-02T09:30:02-05:00,trade,9.95,50,0\n"
        "AAA,2020-01-02T09:30:03-05:00,trade,99.0,50,1\n"
    )

    bar = load_file(write_csv(text)).panel.bar("AAA", date(2020, 1, 2))

    assert bar is not None
    assert (bar.high, bar.volume) == (9.95, 50)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("AAA,2020-01-02T09:30:05-05:00,cancel,9.95,50,,,,", "wrong_type"),
        ("AAA,2020-01-02T09:30:05-05:00,trade,,50,,,,", "nan_price"),
        ("AAA,2020-01-02T09:30:05-05:00,trade,9.95,0,,,,", "non_positive"),
        ("AAA,2020-01-02T09:30:05-05:00,quote,,,-1,100,0,0", "non_positive"),
        ("AAA,2020-01-02T09:29:00-05:00,trade,9.95,50,,,,", "unsorted"),
    ],
)
def test_a_bad_tick_is_refused(line: str, reason: str, write_csv: WriteCsv) -> None:
    good = "\n".join(TICKS.splitlines()[:-1])

    with pytest.raises(DataFileError) as caught:
        load_file(write_csv(f"{good}\n{line}\n"))

    assert (caught.value.reason, caught.value.row) == (reason, 6)


def test_there_are_no_quotes_for_an_unknown_symbol_or_a_holiday(write_csv: WriteCsv) -> None:
    loaded = load_file(write_csv(TICKS))

    assert list(loaded.recorded_quotes("BBB", date(2020, 1, 2))) == []
    assert list(loaded.recorded_quotes("AAA", date(2020, 1, 1))) == []
    assert list(loaded.recorded_quotes("AAA", date(2020, 1, 3))) == []
