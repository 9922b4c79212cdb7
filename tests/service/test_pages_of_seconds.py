"""Times on pages to the second where no minute tells them apart, and in what units a recorded book is traded."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from parley.desk.book import Book, open_log
from parley.market.datasets import load_data
from parley.service.cli import main
from parley.service.page_proof import problems
from parley.service.pages.render import moment
from parley.service.pages.sheet import timeline
from parley.service.pages.twin import Twin
from parley.service.reports import order_report

NIGHT = "2024-08-08T23:58:30+00:00"


@pytest.mark.parametrize(
    ("iso", "upto", "text"),
    [
        (NIGHT, "minute", "2024-08-08 23:58:30 UTC"),
        ("2024-08-08T23:58:00.250000+00:00", "minute", "2024-08-08 23:58 UTC"),
        (NIGHT, "session", "2024-08-08 23:58:30 UTC"),
        ("2013-10-04T10:00:00-04:00", "session", "2013-10-04 10:00 UTC-04:00"),
        ("2013-10-04T10:00:15-04:00", "zoned", "10:00:15 UTC-04:00"),
        ("2013-10-04", "session", "2013-10-04"),
        (NIGHT, "clock", "23:58:30"),
    ],
)
def test_a_moment_on_no_whole_minute_is_told_to_the_second(iso: str, upto: str, text: str) -> None:
    assert moment(iso, upto) == f'<time datetime="{iso}">{text}</time>'


@pytest.mark.parametrize(("closed", "after", "unit"), [("23:58:45", 15, "s"), ("23:59:30", 60, "s"), ("", 30, "min")])
def test_a_timeline_within_two_minutes_counts_seconds(closed: str, after: int, unit: str) -> None:
    twin = Twin("trade", "x")
    end = f"2024-08-08T{closed}+00:00" if closed else "2024-08-09T00:28:30+00:00"
    moments = [(name, twin.derive("at", name, at)) for name, at in (("decided", NIGHT), ("closed", end))]

    first, last = timeline(twin, moments)

    gap: Any = last["after"]
    assert (first["after"], gap.raw, last["unit"]) == (None, after, unit)


def test_a_trade_of_a_part_of_what_was_recorded_says_of_which(six_names: Path, tmp_path: Path) -> None:
    book, whole = tmp_path / "book", load_data(str(six_names)).card
    with pytest.raises(SystemExit):
        main(["run", "--data", str(six_names), "--start", "2016-01-11", "--reports", "none", "--book", str(book)])
    with open_log(Book(book).latest(), readonly=True) as (log, views):
        order = next(item for item in views.orders() if item.filled)
        name = order.symbol
        parts = replace(whole, notes=(f"{name}X in units of 1", f"{name} in units of 0.001", "X in units of 0.5"))
        pages = [order_report(log, order.order_id, card=card) for card in (parts, whole)]

    assert [problems(page) for page in pages] == [[], []]
    assert f">{name} in units of 0.001</data>: a quantity counts those" in pages[0].html
    assert "in units of" not in pages[1].html
