"""The costs command over a run: its sums against the log's own, its page, and what it refuses."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from parley.desk.book import Book, open_log
from parley.memory.history import fills
from parley.service.reports import Report

from .test_pages import problems


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book with one run of a few weeks, made once for this file."""
    from parley.service.console import Console
    from parley.service.preparing import RunRequest
    from parley.service.running import perform_run

    book = tmp_path_factory.mktemp("traded") / "book"
    request = RunRequest("us20", "2008-09-15", "2008-09-26", "rules", 7, False, "none", book, None)
    perform_run(request, Console(as_json=True))
    return book


def test_the_costs_of_a_run_add_up_to_the_cent_and_to_the_log(parley: Any, traded: Path) -> None:
    done = parley("costs", "--book", traded, "--json")

    found = done.document
    assert done.code == 0
    total = {part: Decimal(value) for part, value in found["cost_attribution"]["total"]["cash"].items()}
    with open_log(Book(traded).latest(), readonly=True) as (log, views):
        booked = list(fills(log))
        orders = views.orders()
    assert found["cost_attribution"]["total"]["orders"] == len(orders) == len(found["cost_attribution"]["orders"])
    assert sum(amount for part, amount in total.items() if part != "total") == total["total"]
    assert total["fees"] == sum(fill.fee for fill in booked)
    assert total["spread"] + total["impact"] == sum(
        fill.side.sign * (fill.price - fill.mid_price) * fill.quantity for fill in booked
    )
    # What the paper portfolio made more than the real one, from the orders themselves.
    paid = sum(fill.side.sign * fill.notional + fill.fee for fill in booked)
    on_paper = sum((1 if item.side == "BUY" else -1) * item.reference_price * item.filled for item in orders)
    assert total["total"] - total["opportunity"] == pytest.approx(paid - on_paper, abs=Decimal("0.000001"))


def test_on_the_paper_venue_the_simulators_own_coefficient_comes_back_and_the_text_says_so(
    parley: Any, traded: Path
) -> None:
    found = parley("costs", "--book", traded, "--json").document["impact_calibration"]
    text = parley("costs", "--book", traded).out

    assert found["synthetic_orders"] == found["orders"]
    assert found["past_touch_quarter"]["coefficient"] == pytest.approx(1.0, abs=0.03)
    assert "says nothing of a real market" in " ".join(text.split())


def test_every_number_on_the_page_is_borne_out_by_its_twin_and_it_is_the_same_twice(parley: Any, traded: Path) -> None:
    found, again = (parley("costs", "--book", traded, "--json").document for _ in range(2))

    page, twin = Path(found["html"]).read_text(), json.loads(Path(found["json"]).read_text())

    assert found == again
    assert problems(Report(found["id"], "costs", page, twin)) == []
    assert page.count("data-ref=") > 200


def test_a_book_without_runs_and_a_run_without_orders_are_refused(parley: Any) -> None:
    assert parley("costs", "--json").document["error"]["code"] == "run_unknown"

    parley("run", "--start", "1993-02-05", "--end", "1993-02-05", "--reports", "none")
    done = parley("costs", "--json")

    assert done.code == 2
    assert "closed no order" in done.document["error"]["message"]
