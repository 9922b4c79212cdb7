"""Recorded books, trades, ticks and bars: what is read, what is left out and found, what is refused, and when."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.market.errors import DataFileError, NaiveMoment, NoSessions, UnknownSymbol
from parley.market.order_books import read_books
from parley.market.recordings import Recording, read_recording
from parley.market.ticks import read_trades

START = datetime(2024, 8, 8, 12, tzinfo=UTC)
NOWHERE = Path("made.csv")
MINUTE = "intraday/us_minute_trade_quote_2013.parquet"
TICK = "intraday/us_tick_ibm_20131007.parquet"


def book_frame(n: int = 8, symbol: str = "AAA") -> pd.DataFrame:
    """Two levels, an eighth apart, a book every tenth of a second."""
    bid = 100.0 + 0.125 * np.arange(n)  # exact in binary, as prices a test compares should be
    return pd.DataFrame(
        {
            "ts": [START + timedelta(milliseconds=100 * k) for k in range(n)],
            "symbol": symbol,
            "bid1_px": bid, "bid1_sz": 5.0, "bid2_px": bid - 0.125, "bid2_sz": 7.0,
            "ask1_px": bid + 0.125, "ask1_sz": 4.0, "ask2_px": bid + 0.25, "ask2_sz": 6.0,
        }
    )  # fmt: skip


def trade_frame(n: int = 8, symbol: str = "AAA") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ts": [START + timedelta(milliseconds=100 * k + 50) for k in range(n)],
            "symbol": symbol,
            "price": 100.0 + 0.1 * np.arange(n),
            "size": 1.0 + np.arange(n),
            "aggressor": ["buy", "sell"] * (n // 2),
        }
    )


def changed(frame: pd.DataFrame, row: int, **values: object) -> pd.DataFrame:
    frame = frame.copy()
    for name, value in values.items():
        frame[name] = frame[name].astype(object)
        frame.loc[row, name] = value
    return frame


def codes(recording: Recording) -> set[str]:
    return {finding.code for finding in recording.findings}


def test_a_recorded_book_is_read_as_it_was_written(shared_data: Path) -> None:
    path = shared_data / "orderbook"
    frame = pd.read_parquet(path / "btcusdt_perp_20240808_l2_top10_100ms.parquet")

    read = read_recording(path, "BTCUSDT")

    assert read.books is not None and read.trades is not None
    assert (len(read.books.ts), len(read.trades.ts), read.books.n_levels) == (3226, 21313, 10)
    for side, prices in (("bid", read.books.bid), ("ask", read.books.ask)):
        for level in (1, 10):
            assert np.array_equal(prices[:, level - 1], frame[f"{side}{level}_px"])
    assert read.findings == ()
    assert read.as_of.isoformat() == "2024-08-08T23:59:59.833493+00:00"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"bid1_px": 101.0, "bid2_px": 100.9}, "crossed"),
        ({"bid1_px": 100.5, "bid2_px": 100.25}, "locked"),
        ({"ask1_px": 0.0, "ask1_sz": 0.0, "ask2_px": 0.0, "ask2_sz": 0.0}, "one_sided"),
        ({"ask1_px": None, "ask1_sz": None, "ask2_px": None, "ask2_sz": None}, "one_sided"),
        ({"bid1_sz": 0.0}, "no_size"),
    ],
)
def test_a_book_nobody_could_trade_on_is_left_out_and_found(values: dict[str, object], code: str) -> None:
    books = read_books(NOWHERE, changed(book_frame(), 3, **values), None)["AAA"]

    assert [finding.code for finding in books.findings] == [code]
    assert books.findings[0].row == 4 and books.findings[0].text.startswith("1 ")
    assert len(books.ts) == 7 and (books.bid[:, 0] < books.ask[:, 0]).all()


def test_of_two_books_of_one_time_the_later_row_stands() -> None:
    frame = changed(book_frame(), 4, ts=START + timedelta(milliseconds=300))
    frame["ts"] = pd.to_datetime(frame["ts"], utc=True)

    books = read_books(NOWHERE, frame, None)["AAA"]

    assert [finding.code for finding in books.findings] == ["same_time"]
    assert books.bid[3, 0] == frame["bid1_px"][4] and len(books.ts) == 7


def test_a_silence_of_the_feed_is_found_and_a_slow_market_is_not() -> None:
    frame = book_frame(300)
    slow = frame.assign(ts=[START + timedelta(seconds=30 * k) for k in range(300)])
    frame.loc[200:, "ts"] += pd.Timedelta(seconds=5)

    books = read_books(NOWHERE, frame, None)["AAA"]

    assert [(finding.code, finding.row) for finding in books.findings] == [("gap", 201)]
    assert "the longest 5.1 s" in books.findings[0].text
    assert read_books(NOWHERE, slow, None)["AAA"].findings == ()


@pytest.mark.parametrize(
    ("change", "reason", "row"),
    [
        ({"bid1_sz": -1.0}, "bad_number", 4),
        ({"ask2_px": -5.0}, "bad_number", 4),
        ({"ask1_px": "cheap"}, "bad_number", 4),
        ({"bid1_px": float("inf")}, "bad_number", 4),
        ({"bid2_px": 100.375}, "level_order", 4),
        ({"ask2_px": 100.5}, "level_order", 4),
        ({"ts": START - timedelta(seconds=1)}, "out_of_order", 4),
    ],
)
def test_books_that_no_feed_can_mean_are_refused_with_their_row(
    change: dict[str, object], reason: str, row: int
) -> None:
    frame = changed(book_frame(), 3, **change)
    frame["ts"] = pd.to_datetime(frame["ts"], utc=True)

    with pytest.raises(DataFileError) as caught:
        read_books(NOWHERE, frame, None)

    assert (caught.value.reason, caught.value.row) == (reason, row)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"price": -1.0}, "bad_number"),
        ({"size": None}, "bad_number"),
        ({"aggressor": "maker"}, "aggressor"),
        ({"ts": START - timedelta(seconds=1)}, "out_of_order"),
    ],
)
def test_trades_that_cannot_be_meant_are_refused(change: dict[str, object], reason: str) -> None:
    frame = changed(trade_frame(), 3, **change)
    frame["ts"] = pd.to_datetime(frame["ts"], utc=True)

    with pytest.raises(DataFileError) as caught:
        read_trades(NOWHERE, frame, None)

    assert (caught.value.reason, caught.value.row) == (reason, 4)


def test_trades_of_no_size_are_left_out_and_repeated_ones_kept_and_both_are_found() -> None:
    frame = trade_frame()
    frame = pd.concat([frame[:4], frame[3:]], ignore_index=True)
    frame.loc[7, "size"] = 0.0

    trades = read_trades(NOWHERE, frame, None)["AAA"]

    assert [(finding.code, finding.row) for finding in trades.findings] == [("no_trade", 8), ("repeated", 5)]
    assert len(trades.ts) == 8 and trades.side is not None
    assert trades.side.tolist() == [1.0, -1.0, 1.0, -1.0, -1.0, 1.0, -1.0, -1.0]


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (book_frame().drop(columns="ask1_sz"), "missing_column"),
        (book_frame().assign(ts="2024-08-08 12:00:00"), "wrong_zone"),
        (book_frame().assign(ts="noon+00:00"), "wrong_type"),
        (book_frame()[:0], "no_rows"),
    ],
)
def test_files_of_another_form_are_refused(frame: pd.DataFrame, reason: str, tmp_path: Path) -> None:
    frame.to_csv(tmp_path / "books.csv", index=False)

    with pytest.raises(DataFileError) as caught:
        read_recording(tmp_path / "books.csv")

    assert caught.value.reason == reason


def test_books_and_trades_of_a_folder_are_joined_and_a_symbol_must_be_chosen_among_several(tmp_path: Path) -> None:
    pd.concat([book_frame(), book_frame(symbol="BBB")]).to_csv(tmp_path / "books.csv", index=False)
    trade_frame().to_csv(tmp_path / "trades.csv", index=False)

    read, alone = read_recording(tmp_path, "AAA"), read_recording(tmp_path, "BBB")

    assert read.files == ("books.csv", "trades.csv")
    assert read.books is not None and read.trades is not None and alone.trades is None
    for symbol in (None, "CCC"):
        with pytest.raises(UnknownSymbol) as caught:
            read_recording(tmp_path, symbol)
        assert caught.value.remedy == "Name one of AAA, BBB."
    trade_frame().to_csv(tmp_path / "trades2.csv", index=False)
    with pytest.raises(DataFileError, match=r"already read from trades\.csv"):
        read_recording(tmp_path, "AAA")


def test_one_symbol_in_two_files_of_bars_daily_rows_and_empty_folders_are_refused(
    shared_data: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataFileError, match="holds no Parquet or CSV file"):
        read_recording(tmp_path)
    with pytest.raises(DataFileError, match="more than one file"):
        read_recording(shared_data / "intraday", "IBM")
    with pytest.raises(DataFileError, match="daily bars"):
        read_recording(shared_data / "daily" / "dow_daily_2024_12_2025_03.parquet", "AAPL")


@settings(deadline=None, max_examples=30)
@given(cut_ms=st.integers(0, 900), garbage=st.floats(1.0, 5.0))
def test_nothing_after_the_moment_is_known_whatever_it_says(cut_ms: int, garbage: float) -> None:
    moment = START + timedelta(milliseconds=cut_ms)
    books, trades = book_frame(), trade_frame()
    bad_books, bad_trades = books.copy(), trades.copy()
    bad_books.loc[books["ts"] > moment, "bid1_px"] = -garbage
    bad_trades.loc[trades["ts"] > moment, "size"] = -garbage

    for read, clean, bad in ((read_books, books, bad_books), (read_trades, trades, bad_trades)):
        found, expected = read(NOWHERE, bad, moment), read(NOWHERE, clean, moment)
        assert set(found) == set(expected)
        for name in found:
            assert np.array_equal(found[name].ts, expected[name].ts)
            assert found[name].ts.max() <= np.datetime64(moment.replace(tzinfo=None), "ns")


def test_a_moment_without_a_zone_or_before_anything_is_refused(tmp_path: Path) -> None:
    book_frame().to_csv(tmp_path / "books.csv", index=False)

    with pytest.raises(NaiveMoment):
        read_recording(tmp_path / "books.csv", as_of=START.replace(tzinfo=None))
    with pytest.raises(NoSessions, match="nothing was recorded by"):
        read_recording(tmp_path / "books.csv", as_of=START - timedelta(seconds=1))


def test_a_minute_bar_is_known_at_its_end_and_only_its_own_session_counts(shared_data: Path) -> None:
    moment = datetime(2013, 10, 7, 14, 0, 30, tzinfo=UTC)

    read = read_recording(shared_data / MINUTE, "IBM", moment)

    assert read.bars is not None and read.books is not None and read.trades is None
    assert (read.unit_s, read.utc_offset_s, len(read.bars.ts)) == (60, -4 * 3600, 30)
    assert read.bars.ts[0] == np.datetime64("2013-10-07T13:31:00")
    assert max(read.bars.ts[-1], read.books.ts[-1]) == np.datetime64("2013-10-07T14:00:00")
    assert "off_session" in codes(read)


def test_before_the_open_the_session_before_is_the_last_one(shared_data: Path) -> None:
    read = read_recording(shared_data / MINUTE, "SPY", datetime(2013, 10, 8, 13, 0, tzinfo=UTC))

    assert read.session is not None and read.bars is not None
    assert read.session[0] == np.datetime64("2013-10-07T13:30:00")
    assert read.bars.ts[-1] == np.datetime64("2013-10-07T20:00:00")


def test_ticks_give_trades_without_a_side_and_quotes_fit_to_trade_on(shared_data: Path) -> None:
    read = read_recording(shared_data / TICK)

    assert read.trades is not None and read.books is not None
    assert read.trades.side is None and read.books.n_levels == 1
    assert (read.books.bid < read.books.ask).all() and (np.diff(read.books.ts.astype(int)) > 0).all()
    assert {"crossed", "locked", "off_session"} <= codes(read)


def test_the_fingerprint_follows_every_number_that_was_known(tmp_path: Path) -> None:
    def fingerprint(change: Callable[[pd.DataFrame], pd.DataFrame]) -> str:
        change(book_frame()).to_csv(tmp_path / "books.csv", index=False)
        return read_recording(tmp_path / "books.csv", as_of=START + timedelta(milliseconds=350)).fingerprint

    same = fingerprint(lambda frame: frame)

    assert fingerprint(lambda frame: changed(frame, 5, ask2_sz=1.0)) == same
    assert fingerprint(lambda frame: changed(frame, 3, ask2_sz=1.0)) != same
