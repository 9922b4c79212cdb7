"""A run decided every 15 seconds on a recorded book: the day's figures, times to the second, and what fills rest on."""

import contextlib
import io
import os
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from parley.memory.performance_view import SessionRecord
from parley.service.access.store import AccessStore
from parley.service.answers.reader import DeskReader
from parley.service.cli import main
from parley.service.web.desk_view import worth_of

NAMED = os.environ.get("PARLEY_SHARED_DATA")
SHARED = Path(NAMED) if NAMED else Path(__file__).resolve().parents[3].parent / "shared" / "data"
LEGEND = "T0 is bars, T1 is quotes and trades, T2 is depth."


@pytest.fixture(scope="module")
def seconds(still: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Six decisions of which one traded, served like the other desk."""
    recording = SHARED / "orderbook" / "btcusdt_perp_20240808_l2_top10_100ms.parquet"
    if not recording.exists():
        pytest.skip(f"no recorded book at {recording}; set PARLEY_SHARED_DATA to the folder that holds orderbook/")
    book = tmp_path_factory.mktemp("seconds") / "book"
    asked = ["--data", str(recording), "--every", "15s", "--start", "2024-08-08T23:58:30", "--book", str(book)]
    with contextlib.redirect_stdout(io.StringIO()), pytest.raises(SystemExit) as ended:
        main(["run", *asked, "--json"])
    assert ended.value.code == 0
    store = AccessStore(book)
    store.add_user("vic", "viewer", "correct horse battery staple")
    store.close()
    return type(still)(book, (book / "latest").read_text(encoding="utf-8").strip())


def span(at: date, equity: int, traded: int) -> SessionRecord:
    amount = Decimal(equity)
    return SessionRecord(at, 1, amount, amount, 0.0, amount, 0.0, 0.0, Decimal(traded), Decimal(traded) / 100, None)


def test_the_last_day_is_all_its_spans_against_the_close_of_the_day_before() -> None:
    first = datetime(2013, 10, 7, 14, tzinfo=UTC)
    hours = [first + timedelta(hours=k) for k in (0, 1, 24, 25, 26)]
    spans = [span(at, worth, 10) for at, worth in zip(hours, (100, 200, 210, 190, 180), strict=True)]

    worth, day_one = worth_of(spans, Decimal(80)), worth_of(spans[:2], Decimal(80))

    assert worth.gain == pytest.approx(180 / 200 - 1) and (worth.traded, worth.fees) == (30, Decimal("0.3"))
    assert day_one.gain == pytest.approx(200 / 80 - 1) and day_one.traded == 20, "against the cash it began with"


def test_of_days_the_last_day_is_the_last_close_against_the_one_before() -> None:
    worth = worth_of([span(date(2020, 1, day), 100 + day, day) for day in (2, 3, 6)], Decimal(100))

    assert worth.gain == pytest.approx(106 / 103 - 1) and worth.traded == 6


def test_the_first_page_tells_fills_apart_by_the_second_and_says_what_they_rest_on(seconds: Any, read: Any) -> None:
    page = read(seconds.client().get("/").text)
    with DeskReader(seconds.book).reading() as reading:
        traded = sum((item.traded for item in reading.sessions), Decimal(0))
        last = reading.sessions[-1].session

    assert traded > 0 and str(traded) in {found["value"] for found in page.all("data")}
    text = " ".join(page.text.split())
    assert f"{last:%H:%M:%S} UTC" in text, "the last close"
    assert "2024-08-08 23:58:32 UTC" in text and "2024-08-08 23:58:34 UTC" in text, "two fills of one minute"
    assert "T2 recorded" in text and LEGEND in text


def test_the_order_page_and_the_execution_page_name_the_tier_of_recorded_fills(seconds: Any, read: Any) -> None:
    with DeskReader(seconds.book).reading() as reading:
        order = next(item for item in reading.orders if item.filled)
        history = reading.views.order(order.order_id)
    vic = seconds.client()

    shown = {path: vic.get(path).text for path in (f"/orders/{order.order_id}", "/parts/execution_venues")}

    for html in shown.values():
        text = " ".join(read(html).text.split())
        assert "T2 recorded" in text and LEGEND in text
    assert history is not None and len(history.fills) > 1
    rows = shown[f"/orders/{order.order_id}"].partition('id="children"')[2]
    assert read(rows).text.count("T2 recorded") == len(history.fills), "each fill says it"
    assert "23:58:42</text>" in shown[f"/orders/{order.order_id}"], "where its chart of fills ends"
