"""Market files by path: what loads, and every way a file can be wrong."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from parley.domain.instruments import AssetClass
from parley.market.cards import DataSet
from parley.market.errors import DataFileError, UnknownSymbol
from parley.market.files import load_file

WriteCsv = Callable[[str], Path]
LoadRecorded = Callable[[str], DataSet]

DAILY = """symbol,date,open,high,low,close,volume
AAA,2020-01-02,10.0,10.5,9.9,10.2,1000
AAA,2020-01-03,10.2,10.4,10.1,10.3,1100
BBB,2020-01-03,50.0,51.0,49.5,50.5,200
"""
MINUTES = """symbol,ts,close,bid,ask,bid_size,ask_size
AAA,2020-01-02T09:30:00-05:00,10.00,9.99,10.01,300,200
AAA,2020-01-02T09:31:00-05:00,10.10,10.09,10.11,300,200
"""


def test_a_daily_csv_becomes_a_panel_with_symbols_in_order_and_ragged_bars_missing(write_csv: WriteCsv) -> None:
    loaded = load_file(write_csv(DAILY))

    assert loaded.panel.symbols == ("AAA", "BBB")
    assert loaded.panel.close[:, 0].tolist() == [10.2, 10.3]
    assert np.isnan(loaded.panel.close[0, 1]) and loaded.panel.close[1, 1] == 50.5
    assert (loaded.card.frequency, loaded.card.close_only, loaded.card.adjusted) == ("daily", False, False)


def test_the_order_of_symbols_in_the_file_does_not_change_the_panel(write_csv: WriteCsv) -> None:
    lines = DAILY.splitlines()

    first = load_file(write_csv(DAILY)).panel.fingerprint()
    second = load_file(write_csv("\n".join([lines[0], lines[3], lines[1], lines[2]]))).panel.fingerprint()

    assert first == second


def test_one_symbol_is_enough(write_csv: WriteCsv) -> None:
    loaded = load_file(write_csv("Ticker,Day,Close\nAAA,2020-01-02,10.0\n"))

    assert loaded.panel.close.tolist() == [[10.0]]
    assert loaded.card.close_only and loaded.panel.open is None and loaded.panel.volume is None


def test_symbols_that_look_like_missing_values_stay_symbols(write_csv: WriteCsv) -> None:
    loaded = load_file(write_csv("symbol,date,close\nNA,2020-01-02,10.0\nTRUE,2020-01-02,11.0\n"))

    assert loaded.panel.symbols == ("NA", "TRUE")


def test_prices_are_scaled_by_the_adjusted_close_and_volume_inversely(write_csv: WriteCsv) -> None:
    text = "symbol,date,Open,High,Low,Close,Adj Close,Volume\nAAA,2020-01-02,10,12,8,10,5,100\n"

    panel = load_file(write_csv(text)).panel

    assert panel.open is not None and panel.high is not None and panel.low is not None and panel.volume is not None
    assert (panel.open[0, 0], panel.high[0, 0], panel.low[0, 0], panel.close[0, 0]) == (5, 6, 4, 5)
    assert panel.volume[0, 0] == 200


def test_an_adjustment_factor_goes_before_a_rounded_adjusted_close(write_csv: WriteCsv) -> None:
    text = "symbol,date,close,adj_close,adj_factor\nAAA,2020-01-02,16.0,0.1231,0.007691\n"

    loaded = load_file(write_csv(text))

    assert loaded.panel.close[0, 0] == pytest.approx(16.0 * 0.007691, rel=1e-15)
    assert loaded.card.adjusted


def test_csv_and_parquet_of_the_same_data_have_one_fingerprint(shared_data: Path, tmp_path: Path) -> None:
    # The source stores prices in single precision, where a naive CSV and a naive Parquet read differ.
    source = shared_data / "daily" / "us88_daily_ohlcv_2012_2016h1.parquet"
    rows = pd.read_parquet(source).query("symbol in ['AAPL', 'AGFS', 'XOM']")
    rows.to_csv(tmp_path / "rows.csv", index=False)
    rows.to_parquet(tmp_path / "rows.parquet")

    from_csv = load_file(tmp_path / "rows.csv").panel
    from_parquet = load_file(tmp_path / "rows.parquet").panel

    assert from_csv.fingerprint() == from_parquet.fingerprint()
    assert from_csv.close.shape == (962, 3)


def test_sectors_come_from_a_table_beside_the_file(write_csv: WriteCsv) -> None:
    path = write_csv(DAILY)
    path.with_name("rows.symbols.csv").write_text("symbol,sector,asset_class\nAAA,Energy,\nBBB,Bonds,bond\n")

    first, second = load_file(path).universe.instruments

    assert (first.sector, first.asset_class) == ("Energy", AssetClass.STOCK)
    assert (second.sector, second.asset_class) == ("Bonds", AssetClass.BOND)


def test_sectors_come_from_a_named_table_or_from_the_file_itself(write_csv: WriteCsv, tmp_path: Path) -> None:
    table = tmp_path / "elsewhere.csv"
    table.write_text("symbol,sector\nAAA,Energy\n")
    path = write_csv("symbol,date,close,sector\nAAA,2020-01-02,10.0,Utilities\n")

    assert load_file(path, symbols_path=table).universe.instruments[0].sector == "Energy"
    assert load_file(path).universe.instruments[0].sector == "Utilities"


def test_an_empty_sector_is_no_sector(write_csv: WriteCsv, tmp_path: Path) -> None:
    text = "symbol,date,close,sector\nAAA,2020-01-02,10.0,\nBBB,2020-01-02,10.0,Energy\n"
    pd.DataFrame(
        {"symbol": ["AAA", "BBB"], "date": ["2020-01-02"] * 2, "close": [10.0] * 2, "sector": [None, "Energy"]}
    ).to_parquet(tmp_path / "rows.parquet")

    for path in (write_csv(text), tmp_path / "rows.parquet"):
        assert [item.sector for item in load_file(path).universe.instruments] == ["unclassified", "Energy"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("symbol,industry\nAAA,Energy\n", "columns symbol and sector"),
        ("symbol,sector,asset_class\nAAA,Energy,share\n", "row 1: asset_class 'share'"),
    ],
)
def test_a_bad_symbol_table_is_refused(write_csv: WriteCsv, tmp_path: Path, table: str, message: str) -> None:
    described = tmp_path / "table.csv"
    described.write_text(table)

    with pytest.raises(DataFileError, match=message):
        load_file(write_csv(DAILY), symbols_path=described)


def test_a_symbol_of_the_file_may_serve_as_benchmark(write_csv: WriteCsv) -> None:
    loaded = load_file(write_csv(DAILY), benchmark="AAA")

    assert loaded.panel.benchmark is not None and loaded.panel.benchmark.tolist() == [10.2, 10.3]
    assert loaded.universe.benchmark == "AAA"
    with pytest.raises(UnknownSymbol, match="'SPY'"):
        load_file(write_csv(DAILY), benchmark="SPY")


def test_another_exchange_brings_its_own_sessions(write_csv: WriteCsv) -> None:
    # 2020-01-20 was a holiday in New York and a session in London, which closes at 16:30 local time.
    path = write_csv("symbol,date,close\nAAA,2020-01-20,10.0\n")

    assert str(load_file(path, calendar="XLON").panel.close_times[0]) == "2020-01-20T16:30:00"
    with pytest.raises(DataFileError, match="not a session of XNYS"):
        load_file(path)


BAD_DAILY = {
    "missing_column": ("symbol,date,price_of_day\nAAA,2020-01-02,1\n", None),
    "no_rows": ("symbol,date,close\n", None),
    "nan_price": ("symbol,date,close\nAAA,2020-01-02,1\nAAA,2020-01-03,NaN\n", 2),
    "non_positive": ("symbol,date,close\nAAA,2020-01-02,1\nAAA,2020-01-03,0\n", 2),
    "duplicate": ("symbol,date,close\nAAA,2020-01-02,1\nBBB,2020-01-02,1\nAAA,2020-01-02,1\n", 3),
    "unsorted": ("symbol,date,close\nAAA,2020-01-03,1\nBBB,2020-01-02,1\nAAA,2020-01-02,1\n", 3),
    "wrong_zone": ("symbol,date,close\nAAA,2020-01-02,1\nAAA,2020-01-03T00:00:00+00:00,1\n", 2),
    "not_a_session": ("symbol,date,close\nAAA,2020-01-03,1\nAAA,2020-01-04,1\n", 2),
    "wrong_type": ("symbol,date,close\nAAA,2020-01-02,1\nAAA,2020-01-03,ten\n", 2),
    "bad_symbol": ("symbol,date,close\nAAA,2020-01-02,1\naaa,2020-01-02,1\n", 2),
    "repeated_column": ("symbol,date,close,Close\nAAA,2020-01-02,1,1\n", None),
}


@pytest.mark.parametrize("reason", BAD_DAILY)
def test_a_bad_daily_file_is_refused_with_file_row_and_remedy(reason: str, write_csv: WriteCsv) -> None:
    text, row = BAD_DAILY[reason]

    with pytest.raises(DataFileError) as caught:
        load_file(write_csv(text))

    assert caught.value.reason == reason
    assert caught.value.row == row
    assert "rows.csv" in caught.value.message
    assert row is None or f"row {row}" in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "reason", "row"),
    [
        ("symbol,date,close\nAAA,2020-01-02,-1\n", "non_positive", 1),
        ("symbol,date,close\nAAA,2020-01-02,inf\n", "nan_price", 1),
        ("symbol,date,close\nAAA,2020-01-02,\n", "nan_price", 1),
        ("symbol,date,close,open\nAAA,2020-01-02,1,NaN\n", "nan_price", 1),
        ("symbol,date,close,adj_close\nAAA,2020-01-02,1,0\n", "non_positive", 1),
        ("symbol,date,close,volume\nAAA,2020-01-02,1,-5\n", "non_positive", 1),
        ("symbol,date,close,volume\nAAA,2020-01-02,1,NaN\n", "nan_price", 1),
        ("symbol,date,close\n,2020-01-02,1\n", "bad_symbol", 1),
        ("symbol,date,close\nAAA,2020-01-02T10:30:00,1\n", "wrong_type", 1),
        ("symbol,date,close\nAAA,02.01.2020,1\n", "wrong_type", 1),
        ("symbol,date,close\nAAA,1020-01-02,1\n", "wrong_type", 1),
        ("", "no_rows", None),
    ],
)
def test_other_doubtful_values_are_refused_as_well(
    text: str, reason: str, row: int | None, write_csv: WriteCsv
) -> None:
    with pytest.raises(DataFileError) as caught:
        load_file(write_csv(text))

    assert (caught.value.reason, caught.value.row) == (reason, row)


def test_the_first_offending_row_is_named_and_the_rest_is_counted(write_csv: WriteCsv) -> None:
    text = "symbol,date,close\nAAA,2020-01-02,1\nAAA,2020-01-03,-1\nAAA,2020-01-06,0\n"

    with pytest.raises(DataFileError, match=r"row 2: AAA 2020-01-03: close is zero or negative\. 1 more"):
        load_file(write_csv(text))


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"not parquet")

    with pytest.raises(DataFileError, match=r"rows\.parquet: cannot be read"):
        load_file(path)
    with pytest.raises(DataFileError, match="does not exist"):
        load_file(tmp_path / "absent.csv")


def test_a_daily_parquet_with_a_time_zone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    day = pd.Timestamp("2020-01-02", tz="UTC")
    pd.DataFrame({"symbol": ["AAA"], "date": [day], "close": [1.0]}).to_parquet(path)

    with pytest.raises(DataFileError, match="carries a time zone"):
        load_file(path)


def test_intraday_rows_become_daily_bars_and_quotes(write_csv: WriteCsv) -> None:
    loaded = load_file(write_csv(MINUTES))
    quotes = list(loaded.recorded_quotes("AAA", date(2020, 1, 2)))

    assert loaded.panel.close.tolist() == [[10.1]]
    assert [str(quote.ts_event.time()) for quote in quotes] == ["14:31:00", "14:32:00"]
    assert (quotes[0].bid, quotes[0].ask, quotes[0].synthetic) == (Decimal("9.99"), Decimal("10.01"), False)
    assert loaded.universe.instruments[0].tick == Decimal("0.01")


@pytest.mark.parametrize(
    "stamp", ["2020-01-02T09:31:00", "2020-01-02T14:31:00+00:00", "2020-01-02T14:31:00Z", "2020-01-02T09:31:00-04:00"]
)
def test_intraday_times_outside_the_exchange_zone_are_refused(stamp: str, write_csv: WriteCsv) -> None:
    text = f"symbol,ts,close\nAAA,2020-01-02T09:30:00-05:00,1\nAAA,{stamp},1\n"

    with pytest.raises(DataFileError) as caught:
        load_file(write_csv(text))

    assert (caught.value.reason, caught.value.row) == ("wrong_zone", 2)


def test_a_naive_intraday_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    stamp = pd.Timestamp("2020-01-02 09:30")
    pd.DataFrame({"symbol": ["AAA"], "ts": [stamp], "close": [1.0]}).to_parquet(path)

    with pytest.raises(DataFileError, match="has no time zone"):
        load_file(path)


def test_a_minute_with_neither_trade_nor_quote_is_refused(write_csv: WriteCsv) -> None:
    text = MINUTES + "AAA,2020-01-02T09:32:00-05:00,,,,,\n"

    with pytest.raises(DataFileError, match="row 3"):
        load_file(write_csv(text))


def test_rows_outside_trading_hours_alone_make_no_data_set(write_csv: WriteCsv) -> None:
    with pytest.raises(DataFileError, match="no trade falls into a regular session"):
        load_file(write_csv("symbol,ts,close\nAAA,2020-01-02T08:00:00-05:00,1\n"))


@pytest.mark.parametrize(
    ("name", "symbols", "sessions"),
    [
        ("dow_daily_2024_12_2025_03", 11, 59),
        ("etf_equity_daily_1998_2018", 11, 5283),
        ("us88_daily_ohlcv_2012_2016h1", 64, 962),
    ],
)
def test_every_recorded_daily_file_loads_as_it_is(
    name: str, symbols: int, sessions: int, recorded: LoadRecorded
) -> None:
    loaded = recorded(f"daily/{name}.parquet")

    assert loaded.panel.close.shape == (sessions, symbols)
    assert loaded.universe.symbols == loaded.panel.symbols
    assert loaded.recorded is None
    assert list(loaded.recorded_quotes("AAPL", date(2014, 1, 2))) == []


def test_the_sector_table_of_the_64_stocks_is_found_beside_them(recorded: LoadRecorded) -> None:
    loaded = recorded("daily/us88_daily_ohlcv_2012_2016h1.parquet")
    sectors = {item.symbol: item.sector for item in loaded.universe.instruments}

    # us88_symbols.csv
    assert sectors["XOM"] == "Basic Materials"
    assert sectors["CSCO"] == "Technology"
    assert "unclassified" not in sectors.values()
