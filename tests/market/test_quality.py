"""What the checks find in planted faults, in the packaged data, and in the recorded files."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.market.cards import DataCard, DataSet
from parley.market.file_checks import REMEDIES
from parley.market.findings import Finding, QualityReport
from parley.market.panel import Panel
from parley.market.quality import check_file, check_panel
from parley.market.sessions import session_calendar

WriteCsv = Callable[[str], Path]
CALENDAR = session_calendar("XNYS", date(2020, 1, 2), date(2020, 12, 31))
CARD = DataCard("x", "x", "x", "x", date(2020, 1, 2), date(2020, 12, 31), "daily", True, True, "x")
N = 60


def panel(close: np.ndarray, **rest: Any) -> Panel:
    symbols = tuple(f"S{column}" for column in range(close.shape[1]))
    return Panel(symbols, CALENDAR.days[: len(close)], CALENDAR.closes[: len(close)], close, **rest)


def calm(n_symbols: int = 1) -> np.ndarray:
    """Closes that move a little every day and never repeat."""
    days = np.arange(N)[:, np.newaxis]
    return 100 + 0.1 * days + 0.5 * np.sin(days + np.arange(n_symbols))


def findings(close: np.ndarray, **rest: Any) -> list[tuple[str, int | None]]:
    return [(item.code, item.row) for item in check_panel(panel(close, **rest), CARD).findings]


def of(report: QualityReport, code: str, symbol: str) -> list[Finding]:
    return [item for item in report.findings if (item.code, item.symbol) == (code, symbol)]


def test_calm_data_have_no_findings() -> None:
    assert findings(calm(3)) == []


def test_a_price_that_jumps_and_comes_back_is_one_spike() -> None:
    close = calm()
    close[20] *= 10

    assert findings(close) == [("spike", 21)]


@pytest.mark.parametrize("ratio", [1.5, 2, 3, 4, 5, 7, 10, 20])
@pytest.mark.parametrize("reverse", [False, True])
def test_an_unadjusted_split_is_recognized(ratio: float, reverse: bool) -> None:
    close = calm()
    close[20:] *= ratio if reverse else 1 / ratio

    assert findings(close) == [("split_like", 21)]


def test_a_move_of_a_split_size_that_came_in_the_course_of_the_day_is_a_jump() -> None:
    close = calm()
    close[20:] /= 2.02
    opened = close.copy()
    opened[20] *= 2.02

    assert findings(close, open=opened) == [("jump", 21)]


def test_a_fall_of_the_whole_market_is_no_split() -> None:
    close = calm(5)
    close[20:] /= 1.5

    assert findings(close) == []


def test_five_identical_closes_are_a_stale_run_and_four_are_not() -> None:
    close = calm()
    close[10:15] = close[10]
    close[30:34] = close[30]

    assert findings(close) == [("stale_run", 11)]


def test_missing_sessions_inside_a_life_are_a_gap_and_at_its_ends_ragged() -> None:
    close = calm(2)
    close[:5, 1] = np.nan
    close[20:23, 1] = np.nan
    close[50:, 1] = np.nan

    report = check_panel(panel(close), CARD)

    assert [(item.code, item.row) for item in report.findings] == [("gap", 24), ("ragged", 6), ("ragged", 50)]
    assert "3 sessions without a bar" in of(report, "gap", "S1")[0].text


def test_a_session_missing_for_all_symbols_is_a_gap_of_each() -> None:
    keep = np.r_[0:20, 21:N]
    full = panel(calm(2))
    holed = Panel(full.symbols, full.sessions[keep], full.close_times[keep], full.close[keep])

    report = check_panel(holed, CARD)

    assert [(item.code, item.symbol, item.row) for item in report.findings] == [("gap", "S0", 21), ("gap", "S1", 21)]


def test_a_row_on_a_holiday_is_not_a_session() -> None:
    days = np.array(["2020-12-24", "2020-12-25", "2020-12-28"], dtype="datetime64[D]")
    odd = Panel(("A",), days, days.astype("datetime64[s]"), np.array([[1.0], [1.01], [1.02]]))

    assert [(item.code, item.row) for item in check_panel(odd, CARD).findings] == [("not_a_session", 2)]


def test_impossible_ranges_prices_and_volumes_are_found() -> None:
    close = calm()
    high, low = close + 1, close - 1
    high[3] = low[3] - 1
    close[7] = high[7] + 1
    low[9] = 0.0
    volume = np.full_like(close, 100.0)
    volume[11] = 0.0

    found = findings(close, high=high, low=low, volume=volume)

    assert found == [
        ("high_low", 4),
        ("high_low", 4),
        ("high_low", 8),
        ("non_positive", 10),
        ("zero_volume", 12),
    ]


def test_a_symbol_without_any_bar_does_not_disturb_the_others() -> None:
    close = calm(2)
    close[:, 1] = np.nan

    assert findings(close) == []


@settings(max_examples=50, deadline=None)
@given(row=st.integers(1, N - 2), factor=st.floats(2.5, 100.0), seed=st.integers(0, 1000))
def test_a_planted_spike_is_always_found_where_it_is(row: int, factor: float, seed: int) -> None:
    close = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, N)))[:, np.newaxis]
    close[row] *= factor

    assert ("spike", row + 1) in findings(close)


def test_the_report_is_the_same_on_every_run(us20: DataSet) -> None:
    first, second = check_panel(us20.panel, us20.card), check_panel(us20.panel, us20.card)
    keys = [(item.code, item.symbol or "", item.row or 0) for item in first.findings]

    assert first == second
    assert keys == sorted(keys)
    assert first.rows == 8313 * 20


def test_the_packaged_stocks_have_no_gaps_and_one_famous_jump(us20: DataSet) -> None:
    # Apple fell 52 % on 2000-09-29 after a profit warning.
    report = check_panel(us20.panel, us20.card)

    assert "gap" not in report.codes
    assert [item.session for item in of(report, "jump", "AAPL")] == [date(2000, 9, 29)]


def test_the_known_faults_of_the_recorded_funds_are_found(shared_data: Path) -> None:
    # shared/data/README.md, known traps 1b and 2.
    report = check_file(shared_data / "daily" / "etf_equity_daily_1998_2018.parquet")
    uso, goog = of(report, "jump", "USO"), of(report, "split_like", "GOOG")
    other_company, renamed = of(report, "gap", "FB")[-1], of(report, "gap", "QQQ")[-1]

    assert "+77.8%" in next(item.text for item in uso if item.session == date(1998, 8, 19))
    assert date(2006, 4, 10) in [item.session for item in uso]
    assert [item.session for item in goog] == [date(2014, 4, 3)]
    assert "ratio 2" in goog[0].text and "-49.8%" in goog[0].text
    assert other_company.text == "2302 sessions without a bar between 2003-03-28 and 2012-05-18."
    assert renamed.text == "1588 sessions without a bar between 2004-11-30 and 2011-03-23."
    # Row numbers are those of the file: GOOG of 2014-04-03 is its 25,332nd.
    assert goog[0].row == 25_332


def test_the_ragged_names_of_the_64_stocks_are_found(shared_data: Path) -> None:
    report = check_file(shared_data / "daily" / "us88_daily_ohlcv_2012_2016h1.parquet")
    starts = {item.symbol: item.session for item in report.findings if item.code == "ragged"}

    assert starts == {"ABBV": date(2013, 1, 2), "AGFS": date(2014, 11, 20), "BABA": date(2014, 9, 19)}
    assert sum(item.code == "zero_volume" for item in report.findings) == 97
    assert {item.symbol for item in report.findings if item.code == "gap"} == {"PTR", "REX", "SNP"}
    assert report.rows == 60_414 and len(report.symbols) == 64


def test_the_recorded_intraday_files_have_nothing_to_refuse(shared_data: Path) -> None:
    for path in sorted((shared_data / "intraday").glob("*.parquet")):
        assert not set(check_file(path).codes) & {*REMEDIES, "unreadable", "missing_column", "no_rows"}


def test_a_report_lists_every_bad_row_where_the_loader_stops_at_the_first(write_csv: WriteCsv) -> None:
    path = write_csv(
        "symbol,date,close\n"
        "AAA,2020-01-02,10\n"
        "AAA,2020-01-03,NaN\n"
        "AAA,2020-01-04,10\n"
        "AAA,2020-01-07,10.1\n"
        "AAA,2020-01-07,10.1\n"
        "AAA,2020-01-06,0\n"
        "AAA,2020-01-08,ten\n"
    )

    report = check_file(path)

    assert [(item.code, item.row) for item in report.findings] == [
        ("duplicate", 5),
        ("gap", 4),
        ("nan_price", 2),
        ("non_positive", 6),
        ("not_a_session", 3),
        ("unsorted", 6),
        ("wrong_type", 7),
    ]
    assert (report.name, report.rows, report.symbols) == ("rows", 7, ("AAA",))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("symbol,date\nAAA,2020-01-02\n", "missing_column"),
        ("symbol,ts,close\nAAA,2020-01-02T09:30:00,1\n", "wrong_zone"),
        ("symbol,ts,close\nAAA,2020-01-02T08:30:00-05:00,1\n", "no_rows"),
        ("symbol,date,close\nAAA,2020-01-02,-1\n", "non_positive"),
    ],
)
def test_a_file_that_cannot_be_loaded_at_all_still_gets_a_report(text: str, code: str, write_csv: WriteCsv) -> None:
    report = check_file(write_csv(text))

    assert report.codes == (code,)
