"""`parley actions` and `parley exchange`: what they print, and what they refuse."""

import os
from pathlib import Path
from typing import Any

import pytest

ROWS = """symbol,kind,ex_date,cash,split_from,split_to
AAPL,dividend,2014-05-08,3.29,,
AAPL,split,2014-06-09,,1,7
AAPL,dividend,2014-08-07,0.47,,
"""
NAMED = os.environ.get("PARLEY_SHARED_DATA")
FOLDER = Path(NAMED) if NAMED else Path(__file__).resolve().parents[2].parent / "shared" / "data"
DAYS = ("--since", "2014-05-08", "--until", "2014-06-30")


@pytest.fixture
def shared_data() -> Path:
    """The recorded market; without it the test skips, or fails where all has to run."""
    if not (FOLDER / "fundamentals").is_dir():
        reason = f"no recorded data at {FOLDER}; set PARLEY_SHARED_DATA to the folder that holds fundamentals/"
        pytest.skip(reason)
    return FOLDER


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "actions.csv"
    path.write_text(ROWS)
    return path


def test_the_split_of_2014_reaches_position_cost_and_standing_order(file: Path, parley: Any) -> None:
    said = parley("actions", file, "aapl", *DAYS, "--cost", "630", "--limit", "620", "--json")

    assert said.code == 0
    steps = said.document["steps"]
    assert [(step["what"], step["held"], step["average_price"], step["order"]) for step in steps] == [
        ("at first", "100 AAPL", "630.0000", "BUY 100 at 620"),
        ("split 7:1", "700 AAPL", "90.0000", "BUY 700 at 88.57"),
    ]


def test_people_are_told_which_prices_are_meant(file: Path, parley: Any) -> None:
    said = parley("actions", file, "AAPL", *DAYS)

    assert "700 AAPL" in said.out
    assert "adjusted prices hold these actions already" in said.out


@pytest.mark.parametrize("cost", ["0", "-1", "NaN", "much"])
def test_a_cost_that_is_none_is_refused(file: Path, parley: Any, cost: str) -> None:
    said = parley("actions", file, "AAPL", *DAYS, f"--cost={cost}", "--json")

    assert (said.code, said.document["error"]["code"]) == (2, "settings_invalid")
    assert "--cost" in said.document["error"]["message"]


def test_the_exchange_and_the_paper_venue_agree_on_bars(six_names: Path, parley: Any) -> None:
    days = [line.split(",")[1] for line in six_names.read_text().splitlines() if line.startswith("N0")]

    said = parley("exchange", "--data", six_names, "--start", days[-4], "--end", days[-1], "--json")

    assert said.code == 0
    paper, plain, retail, slow, equal, _ = said.document["venues"]
    # Orders that cross drawn quotes, with the same impact at both: no room for the two to differ.
    same = ("orders", "fills", "traded", "fees", "spread_cost_bps", "total_return")
    assert [paper[key] for key in same] == [plain[key] for key in same]
    assert paper["fills"] > 0
    assert paper["fidelity"] == slow["fidelity"] == {"T0 synthetic": paper["fills"]}
    assert float(retail["fees"]) > float(plain["fees"])
    assert slow["filled_frac"] == 1.0
    assert sum(equal["venues"].values()) == equal["fills"] and len(equal["venues"]) > 1


def test_on_recorded_minutes_spans_are_told_from_days_and_every_fill_from_a_drawn_one(
    parley: Any, shared_data: Path
) -> None:
    minutes = shared_data / "intraday" / "us_minute_trade_quote_2013.parquet"

    said = parley("exchange", "--data", minutes, "--start", "2013-10-04T13:30", "--end", "2013-10-04T14:30")

    assert said.code == 0
    assert "3 spans in 1 sessions" in said.out
    assert "T1 (quotes and trades) on recorded paths" in said.out
    assert "T0" not in said.out.partition("paper venue: fills")[2].splitlines()[0]


def test_a_standing_order_and_a_position_go_through_the_split_at_the_exchange(parley: Any, shared_data: Path) -> None:
    said = parley(
        "actions", shared_data / "fundamentals" / "corporate_actions.parquet", "AAPL",
        "--since", "2014-06-03", "--until", "2014-06-30", "--cost", "600", "--limit", "620",
        "--prices", shared_data / "daily" / "etf_equity_daily_1998_2018.parquet", "--json",
    )  # fmt: skip

    assert said.code == 0
    days = {row["session"]: row for row in said.document["sessions"]}
    eve, after = days["2014-06-06"], days["2014-06-09"]
    assert (eve["night"], eve["held"], eve["order"]) == ("split 7:1", "700 AAPL", "BUY 100 at 620")
    assert after["order"].startswith("BUY 700 at 88.57")
    assert (eve["equity"], after["equity"]) == ("64557.00", "65590.00")
    assert said.document["fidelity"] == "T0 synthetic"


def test_a_run_says_which_venue_it_traded_at(six_names: Path, parley: Any) -> None:
    days = [line.split(",")[1] for line in six_names.read_text().splitlines() if line.startswith("N0")]
    span = ("--data", six_names, "--start", days[-3], "--end", days[-1], "--reports", "none")

    said = parley("run", *span, "--venue", "routed:ucb", "--json")
    replayed = parley("replay", "--json")
    refused = parley("run", *span, "--venue", "dark", "--json")

    assert said.code == replayed.code == 0
    assert set(said.document["venues"]) <= {"lit", "inverted", "reserve", "regional"}
    assert replayed.document["identical"] is True
    assert (refused.code, refused.document["error"]["code"]) == (2, "settings_invalid")
