"""Every recorded market file runs by its path: daily ones decide, intraday ones refuse for want of history."""

import os
from pathlib import Path
from typing import Any

import pytest
from parley.desk.book import Book, open_log
from parley.domain.events import DecisionMade, EvidenceRecorded

NAMED = os.environ.get("PARLEY_SHARED_DATA")
FOLDER = Path(NAMED) if NAMED else Path(__file__).resolve().parents[2].parent / "shared" / "data"
DAILY, INTRADAY = (sorted(FOLDER.glob(f"{name}/*.parquet")) for name in ("daily", "intraday"))
# A period for each file that is known; any other runs over its first days.
PERIODS = {
    "dow_daily_2024_12_2025_03.parquet": ("2025-01-02", "2025-01-08"),
    "etf_equity_daily_1998_2018.parquet": ("2008-10-01", "2008-10-03"),
    "us88_daily_ohlcv_2012_2016h1.parquet": ("2014-06-02", "2014-06-04"),
}


@pytest.fixture(scope="module", autouse=True)
def _shared_data() -> None:
    if DAILY and INTRADAY:
        return
    reason = f"no recorded data at {FOLDER}; set PARLEY_SHARED_DATA to the folder that holds daily/ and intraday/"
    pytest.skip(reason)


def decisions() -> list[Any]:
    with open_log(Book(Path("book")).latest(), readonly=True) as (log, _):
        return [event.decoded() for event in log.read(types=(DecisionMade,))]


@pytest.mark.slow
@pytest.mark.parametrize("path", DAILY or [None], ids=lambda path: path.stem if path else "absent")
def test_a_daily_file_runs_replays_and_verifies(parley: Any, path: Path) -> None:
    start, end = PERIODS.get(path.name, (None, None))
    period = ("--start", start, "--end", end) if start else ()

    done = parley("run", "--data", path, *period, "--reports", "none", "--json")

    assert done.code == 0, done.out
    assert done.document["decisions"] == done.document["sessions"] > 0
    made = decisions()
    kinds = {item.decision.kind for item in made}
    if kinds == {"refused"}:
        assert all("253 are needed" in item.decision.summary for item in made)
    else:
        assert "trade" in kinds
        assert done.document["fills"] >= done.document["orders"] > 0
    assert parley("verify").code == 0
    assert parley("replay").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("path", INTRADAY or [None], ids=lambda path: path.stem if path else "absent")
def test_an_intraday_file_is_decided_on_within_the_day_once_its_windows_are_full(parley: Any, path: Path) -> None:
    done = parley("run", "--data", path, "--reports", "none", "--json")

    assert done.code == 0, done.out
    made = decisions()
    assert len(made) == done.document["sessions"] > done.document["days"] > 0
    refused = [item.decision for item in made if item.decision.kind == "refused"]
    assert all("are needed" in decision.summary for decision in refused)
    assert made[-1].decision.kind in {"trade", "no_trade"}
    assert done.document["fills"] >= done.document["orders"] > 0
    assert done.document["metrics"]["sharpe"] is None, "nothing can be concluded from so few days"


@pytest.mark.slow
def test_the_tweets_beside_the_prices_reach_the_sentiment_node(parley: Any) -> None:
    path = FOLDER / "daily" / "us88_daily_ohlcv_2012_2016h1.parquet"

    done = parley("run", "--data", path, "--start", "2014-06-03", "--end", "2014-06-03", "--reports", "none", "--json")

    assert done.code == 0
    with open_log(Book(Path("book")).latest(), readonly=True) as (log, _):
        recorded: list[Any] = [event.decoded() for event in log.read(types=(EvidenceRecorded,))]
    assert "text_sentiment" in [entry.tool for item in recorded for entry in item.entries]
    assert len(decisions()[0].decision.snapshot.text_ids) > 5
