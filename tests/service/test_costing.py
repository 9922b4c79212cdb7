"""The costs command over a run: its sums against the log's own, its page, and what it refuses."""

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from parley.desk.book import Book, open_log
from parley.domain.events import ChildSubmitted, OrderClosed
from parley.memory.history import fills
from parley.memory.sent_orders import rests
from parley.service.page_proof import problems
from parley.service.pages.costs import PARTS, cents_of
from parley.service.reports import Report

NAMED = os.environ.get("PARLEY_SHARED_DATA")
SHARED = Path(NAMED) if NAMED else Path(__file__).resolve().parents[2].parent / "shared" / "data"
WITHIN_DAY = {"interval_vwap", "interval_twap", "reversion_1m", "reversion_5m", "reversion_30m"}


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


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book with two weeks of a run whose stops rest at the venue, made once for this file."""
    from parley.service.console import Console
    from parley.service.preparing import RunRequest
    from parley.service.running import perform_run

    folder = tmp_path_factory.mktemp("guarded")
    config = folder / "stops.toml"
    config.write_text('stop_loss_frac = 0.03\nstop_orders = "resting"\n')
    request = RunRequest(
        "us5", "2008-09-02", "2008-09-12", reports="none", book=folder / "book", config=config, venue="exchange"
    )
    perform_run(request, Console(as_json=True))
    return folder / "book"


@pytest.fixture(scope="module")
def within_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book with three decisions on recorded minutes, made once for this file."""
    from parley.service.console import Console
    from parley.service.preparing import RunRequest
    from parley.service.running import perform_run

    minutes = SHARED / "intraday" / "us_minute_trade_quote_2013.parquet"
    if not minutes.exists():
        reason = f"no recorded data at {minutes}; set PARLEY_SHARED_DATA to the folder that holds intraday/"
        pytest.skip(reason)
    book = tmp_path_factory.mktemp("within") / "book"
    request = RunRequest(str(minutes), "2013-10-04T13:30", "2013-10-04T14:30", reports="none", book=book)
    perform_run(request, Console(as_json=True))
    return book


def test_the_dearest_orders_are_told_to_the_nearest_cent(parley: Any, traded: Path) -> None:
    orders = parley("costs", "--book", traded, "--json").document["cost_attribution"]["orders"]

    said = parley("costs", "--book", traded).out

    told = said.partition("dearest orders")[2]
    dearest = sorted(orders, key=lambda row: -float(row["total"]))[:8]
    lines = {row["order"]: next(line for line in told.splitlines() if row["order"] in line) for row in dearest}
    assert all(f" {float(row['total']):,.2f} " in lines[row["order"]] for row in dearest)


def test_a_stop_that_traded_is_held_to_its_stop_price_and_one_taken_back_to_nothing(parley: Any, guarded: Path) -> None:
    done = parley("costs", "--book", guarded, "--json").document

    with open_log(Book(guarded).latest(), readonly=True) as (log, _):
        found = [event.decoded() for event in log.read(types=(ChildSubmitted, OrderClosed))]
    sent = [item for item in found if isinstance(item, ChildSubmitted)]
    closed = {item.order_id: item for item in found if isinstance(item, OrderClosed)}
    stops = {item.child.order_id for item in sent if rests(item.child) and item.child.order_id in closed}
    traded = {name for name in stops if closed[name].filled}
    assert traded and stops - traded
    assert done["protective_orders"] == {"traded": len(traded), "taken_back": len(stops - traded)}
    rows = {row["order"]: row for row in done["cost_attribution"]["orders"]}
    assert stops & set(rows) == traded
    for name in traded:
        row, fees_bps = rows[name], rows[name]["fees_bps"]
        assert (row["delay_bps"], row["opportunity_bps"], row["filled"]) == (0.0, 0.0, 1.0)
        assert row["total_bps"] - fees_bps == pytest.approx(closed[name].shortfall_bps, abs=1e-6)
    page, twin = Path(done["html"]).read_text(), json.loads(Path(done["json"]).read_text())
    assert "against its stop price" in page
    assert problems(Report(done["id"], "costs", page, twin)) == []


def test_the_causes_as_they_are_printed_add_up_to_the_cent(parley: Any, guarded: Path, traded: Path) -> None:
    for book in (guarded, traded):
        lines = parley("costs", "--book", book).out.partition("costs positive")[2].splitlines()
        shown = {line.split()[0]: line.split()[1] for line in lines if len(line.split()) == 3}
        cash = {part: Decimal(shown[part].replace(",", "")) for part in (*PARTS, "total")}

        assert sum(cash[part] for part in PARTS) == cash["total"]


def test_amounts_that_round_apart_still_add_up() -> None:
    exact = dict.fromkeys(PARTS, "0.004") | {"total": "0.024"}

    cents = cents_of(exact)

    assert sorted(cents[part] for part in PARTS) == ["0.00"] * 4 + ["0.01"] * 2
    assert cents["total"] == "0.02"


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
    by_venue = found["cost_attribution"]["by_venue"].values()
    assert sum(Decimal(group["cash"]["total"]) for group in by_venue) == total["total"]
    assert total["total"] - total["opportunity"] == pytest.approx(paid - on_paper, abs=Decimal("0.000001"))


def test_on_daily_bars_what_happens_within_a_day_is_refused_by_type_and_the_next_close_is_there(
    parley: Any, traded: Path
) -> None:
    found = parley("costs", "--book", traded, "--by", "order", "--json").document
    text = " ".join(parley("costs", "--book", traded, "--by", "order").out.split())

    for row in found["rows"]:
        marks = row["benchmarks"]
        assert {name for name in marks if marks[name]["bps"] == {"refused": "daily_bars"}} == WITHIN_DAY
        assert row["participation_of_interval"] == {"refused": "daily_bars"}
        assert isinstance(marks["close"]["bps"], float)
        assert (row["fills_made_by"], row["market_from"]) == ("T0 synthetic", "daily bars")
    later = [row["benchmarks"]["reversion_next_close"]["bps"] for row in found["rows"]]
    assert any(isinstance(value, float) for value in later)
    assert found["post_trade"]["lacks"]["daily_bars"] in text


def test_a_run_within_the_day_is_held_to_what_was_recorded_and_says_what_made_each_number(
    parley: Any, within_day: Path
) -> None:
    found = parley("costs", "--book", within_day, "--by", "algorithm", "--json").document

    row = max(found["post_trade"]["orders"], key=lambda order: order["slices"])
    marks = row["benchmarks"]
    assert row["market_from"] == "quotes and bars" and row["fills_made_by"] == "T1 recorded"
    assert 0.0 < row["participation_of_interval"] < 0.1
    assert abs(marks["interval_vwap"]["price"] / row["average_price"] - 1) < 0.005
    assert marks["close"]["bps"] == {"refused": "after_run"}
    assert {name for group in found["rows"] for name in group["fidelity"]} == {"T1 recorded"}
    page, twin = Path(found["html"]).read_text(), json.loads(Path(found["json"]).read_text())
    assert problems(Report(found["id"], "costs", page, twin)) == []


def test_explain_of_an_order_leads_to_the_page_of_costs_once_it_was_made(parley: Any, traded: Path) -> None:
    costs = parley("costs", "--book", traded, "--json").document
    order = costs["post_trade"]["orders"][0]["order"]

    done = parley("explain", order, "--book", traded, "--json").document

    assert done["costs"] == f"{costs['html']}#{order}"
    assert f'href="costs.html#{order}"' in Path(done["html"]).read_text()
    Path(costs["html"]).unlink()
    alone = parley("explain", order, "--book", traded, "--json").document
    assert "costs" not in alone and "parley costs --by order" in Path(alone["html"]).read_text()


def test_on_the_paper_venue_the_simulators_own_coefficient_comes_back_and_the_text_says_so(
    parley: Any, traded: Path
) -> None:
    found = parley("costs", "--book", traded, "--json").document["impact_calibration"]
    text = parley("costs", "--book", traded).out

    assert found["synthetic_orders"] == found["orders"]
    assert found["past_touch_quarter"]["coefficient"] == pytest.approx(1.0, abs=0.03)
    assert "orders filled on synthetic paths by a paper venue: by the quarter's volatility" in " ".join(text.split())
    assert "says nothing of a real market" in " ".join(text.split())


def test_of_a_run_on_an_exchange_the_text_and_the_page_say_so(parley: Any, guarded: Path) -> None:
    said = parley("costs", "--book", guarded)
    page = Path(said.out.rpartition("Page: ")[2].strip()).read_text()

    venue = "synthetic paths by an exchange that matches by price and time"
    assert venue in " ".join(said.out.split()) and venue in page
    assert "paper venue" not in said.out + page


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
