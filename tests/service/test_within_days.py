"""`run`, `decide`, `replay`, `verify` and `explain` within recorded days, from the command line."""

import json
import os
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from parley.desk.book import Book, open_log
from parley.evals.summary import summarize_run
from parley.market.datasets import load_data
from parley.service.console import Console
from parley.service.page_proof import problems, walk
from parley.service.preparing import RunRequest
from parley.service.reporting import lone_run_report, report_of
from parley.service.running import perform_run

NAMED = os.environ.get("PARLEY_SHARED_DATA")
SHARED = Path(NAMED) if NAMED else Path(__file__).resolve().parents[2].parent / "shared" / "data"
START, END = "2013-10-04T13:30", "2013-10-07T10:30"
"""The first decision of the recording with a whole window is that of 14:00: five refusals less to walk."""


@pytest.fixture(scope="module")
def minutes() -> Path:
    path = SHARED / "intraday" / "us_minute_trade_quote_2013.parquet"
    if not path.exists():
        reason = f"no recorded data at {path}; set PARLEY_SHARED_DATA to the folder that holds intraday/"
        pytest.skip(reason)
    return path


@pytest.fixture(scope="module")
def book(minutes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book with one finished run, which no test changes."""
    path = tmp_path_factory.mktemp("within") / "book"
    request = RunRequest(str(minutes), START, END, reports="none", book=path)
    with redirect_stdout(StringIO()):
        perform_run(request, Console(as_json=True))
    return path


@pytest.fixture
def played(parley: Any, book: Path) -> Any:
    """What `run` prints: of a finished run the same again, without walking it."""
    return parley("run", "--resume", "--book", book, "--reports", "none", "--json").document


def test_a_run_within_the_day_says_its_times_its_fidelity_and_that_it_proves_nothing(
    played: Any, minutes: Path
) -> None:
    assert (played["start"], played["end"]) == ("2013-10-04T13:30:00-04:00", "2013-10-07T10:30:00-04:00")
    assert played["data"] == f"{minutes}@30m"
    assert (played["sessions"], played["decisions"], played["days"]) == (8, 8, 2)
    assert set(played["fidelity"]) == {"T1 recorded"}
    assert played["orders"] >= 4
    metrics = played["metrics"]
    assert (metrics["annual_return"], metrics["sharpe"], metrics["sharpe_low"]) == (None, None, None)
    said = " ".join(played["notes"])
    assert "Nothing can be concluded about profit" in said
    assert "a window of 252 bars is 0.65 sessions" in said
    assert "T1 (quotes and trades) on recorded paths" in said


def test_its_log_verifies_and_replays(parley: Any, book: Path) -> None:
    assert parley("verify", "--book", book, "--json").document["ok"]
    replayed = parley("replay", "--book", book, "--json").document
    assert (replayed["identical"], replayed["decisions"], replayed["model_calls"]) == (True, 8, 0)


def test_every_page_of_it_bears_out_its_numbers_and_tells_the_time(book: Path, minutes: Path) -> None:
    folder = Book(book).latest()
    data = load_data(f"{minutes}@30m")
    with open_log(folder, readonly=True) as (log, views):
        pages = [lone_run_report(log, views, summarize_run(log, views, data.history()), data)]
        orders = [order.order_id for order in views.orders()]
        traded = next(item.decision_id for item in views.decisions() if item.kind == "trade")
        pages += [page for name in (orders[0], traded) if (page := report_of(log, views, name, data)) is not None]

    assert [page.kind for page in pages] == ["run", "trade", "decision"]
    for page in pages:
        assert problems(page) == []
        assert walk(page.html).faults == []
    run, trade, _ = (page.html for page in pages)
    assert "2013-10-04 13:30 UTC-04:00" in run
    assert "Nothing can be concluded about profit from so few days." in run
    assert "Synthetic quotes" not in trade and "T1 recorded</code>" in trade


def test_one_decision_is_made_at_a_time_of_the_exchange_and_explained(parley: Any, minutes: Path) -> None:
    made = parley("decide", "--data", minutes, "--as-of", "2013-10-08T11:30", "--json").document

    assert made["as_of"] == "2013-10-08T15:30:00+00:00"
    assert made["legs"]
    explained = parley("explain", made["decision_id"], "--json").document
    assert explained["kind"] == "decision"
    twin = json.loads(Path(explained["json"]).read_text())
    assert "bar_basis" in json.dumps(twin)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (("run", "--every", "45s"), "interval_refused"),
        (("run", "--every", "soon"), "interval_refused"),
        (("run", "--start", "2013-10-07T25:00"), "settings_invalid"),
        (("run", "--start", "2013-10-07T16:30", "--end", "2013-10-07T18:00"), "no_sessions"),
        (("decide", "--as-of", "2013-10-09T11:30"), "no_sessions"),
        (("decide", "--as-of", "2013-10-04T09:00"), "no_sessions"),
        (("market",), "interval_refused"),
    ],
)
def test_what_the_recording_cannot_answer_is_refused_by_type(
    parley: Any, minutes: Path, asked: tuple[str, ...], code: str
) -> None:
    name = f"{minutes}@30m" if asked[0] == "market" else str(minutes)

    refused = parley(asked[0], "--data", name, *asked[1:], "--json")

    assert refused.document["error"]["code"] == code
    assert refused.document["error"]["remedy"]


def test_the_closes_of_the_same_file_are_one_decision_a_day(parley: Any, minutes: Path) -> None:
    document = parley("run", "--data", minutes, "--every", "day", "--reports", "none", "--json").document

    assert (document["sessions"], document["start"], document["data"]) == (3, "2013-10-04", str(minutes))
