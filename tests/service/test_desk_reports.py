"""The daily, monthly and best-execution reports: every number resolves, and sums agree with the log."""

import json
from pathlib import Path
from typing import Any

import pytest
from parley.desk.book import Book, open_log
from parley.domain.events import OrderFilled, PortfolioMarked
from parley.service.page_proof import problems, walk
from parley.service.reports import Report

START, END = "2016-01-08", "2016-01-14"


@pytest.fixture
def book(parley: Any, six_names: Path, tmp_path: Path) -> Path:
    path = tmp_path / "book"
    days = ("--start", START, "--end", END, "--reports", "none")
    assert parley("run", "--data", six_names, *days, "--book", path).code == 0
    return path


def made(parley: Any, book: Path, *arguments: str) -> Report:
    """The report that a command wrote, read back from its files."""
    done = parley("report", *arguments, "--book", book, "--json")
    assert done.code == 0, done.out
    html = Path(done.document["html"])
    return Report(html.stem, done.document["kind"], html.read_text(), json.loads(html.with_suffix(".json").read_text()))


def derived(report: Report, tool: str) -> Any:
    entries: Any = report.data["derived"]
    return next(entry["output"] for entry in entries.values() if entry["tool"] == f"report.{tool}")


def marks_of(book: Path) -> list[Any]:
    with open_log(Book(book).latest(), readonly=True) as (log, _):
        return [event.payload for event in log.read(types=(PortfolioMarked,))]


def test_every_number_of_every_day_of_the_month_and_of_execution_resolves(parley: Any, book: Path) -> None:
    days = [mark["session"] for mark in marks_of(book)]
    reports = [made(parley, book, "daily", "--date", day) for day in days]
    reports += [made(parley, book, "monthly"), made(parley, book, "execution")]

    assert {report.id: problems(report) for report in reports} == {report.id: [] for report in reports}
    assert all(len(walk(report.html).values) > 20 for report in reports)


def test_a_days_profit_is_the_difference_of_two_closes_and_days_add_up_to_the_month(parley: Any, book: Path) -> None:
    marks = marks_of(book)
    days = [derived(made(parley, book, "daily", "--date", mark["session"]), "period") for mark in marks]
    month = derived(made(parley, book, "monthly", "--month", "2016-01"), "period")

    assert days[2]["made"] == pytest.approx(float(marks[2]["equity"]) - float(marks[1]["equity"]), abs=1e-6)
    assert sum(day["made"] for day in days) == pytest.approx(month["made"], abs=1e-6)
    assert sum(day["traded"] for day in days) == pytest.approx(month["traded"], abs=1e-6)
    assert month["start"] == 1_000_000 and month["sessions"] == len(marks)


def test_execution_groups_hold_every_order_and_the_value_of_every_fill(parley: Any, book: Path) -> None:
    with open_log(Book(book).latest(), readonly=True) as (log, views):
        fills: list[Any] = [event.payload for event in log.read(types=(OrderFilled,))]
        references = {order.order_id: float(order.reference_price) for order in views.orders()}
        closed = sum(order.state in ("filled", "partial", "unfilled") for order in views.orders())
    whole = sum(row["fill"]["quantity"] * references[row["fill"]["order_id"]] for row in fills)

    report = made(parley, book, "execution")
    entries: Any = report.data["derived"]
    groups = [e for e in entries.values() if e["tool"] == "report.execution"]
    everything = next(entry["output"] for entry in groups if entry["inputs"]["group"] == "all")

    assert everything["orders"] == closed > 0
    assert everything["value"] == pytest.approx(whole, rel=1e-9)
    assert everything["gap_bps"] == pytest.approx(everything["realized_bps"] - everything["expected_bps"])


@pytest.mark.parametrize("name", ["2016-01-09", "2031-01-04", "yesterday"])
def test_a_day_without_a_session_is_refused_with_what_there_is(parley: Any, book: Path, name: str) -> None:
    done = parley("report", "daily", "--date", name, "--book", book, "--json")

    assert done.code == 2
    assert name in done.document["error"]["message"] if "error" in done.document else name in done.out
    assert START in done.out
