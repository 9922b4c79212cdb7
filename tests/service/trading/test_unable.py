"""What is said of a desk that can write nothing: in its status, as an alert, and straight to people as a last way."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from parley.desk.alert_book import AlertBook
from parley.desk.alert_settings import AlertSettings
from parley.service.trading.desks import DeskTerms
from parley.service.trading.outages import Outages
from parley.service.trading.status_file import read_status
from parley.service.trading.unable import Refusal, tell_able, tell_unable
from pydantic import SecretStr

from .conftest import Period

NOON = datetime(2016, 1, 8, 17, tzinfo=UTC)


@pytest.fixture
def hook() -> Iterator[tuple[str, list[Any]]]:
    """A webhook of this test's own, and what it took."""
    taken: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"json://127.0.0.1:{server.server_address[1]}/hook", taken
    server.shutdown()
    server.server_close()


def terms(period: Period, alerts: AlertSettings) -> DeskTerms:
    found = period.terms
    found.folder.book.path.mkdir(parents=True, exist_ok=True)
    settings = found.prepared.settings.model_copy(update={"alerts": alerts})
    return replace(found, prepared=replace(found.prepared, settings=settings))


def refusal(count: int, minute: int = 0) -> Refusal:
    return Refusal("log.db: database or disk is full", NOON + timedelta(minutes=minute), count, 0.5 * count)


def test_the_status_says_that_and_why_nothing_is_sent_and_when_it_is_tried_again(period: Period) -> None:
    tell_unable(terms(period, AlertSettings()), refusal(3))

    status = read_status(period.book)
    assert status is not None
    assert status["unable"] == {"why": "log.db: database or disk is full", "tries": 3, "next_try_s": 1.5}
    assert status["doing"] == "can't write, so nothing is sent: tried 3 times, again in 1.5 s"


def test_it_is_one_alert_that_goes_up_its_ladder_and_is_over_when_the_desk_writes(
    period: Period, hook: tuple[str, list[Any]]
) -> None:
    pytest.importorskip("apprise", reason="apprise is not installed")
    url, taken = hook
    asked = terms(period, AlertSettings(webhook=(SecretStr(url),), everyone_after_minutes=15))

    for number, minute in enumerate((0, 1, 3, 20), 1):
        tell_unable(asked, refusal(number, minute))

    alerts = AlertBook(period.book, lambda: NOON)
    (alert,) = alerts.blocking()
    assert (alert.code, alert.count, alert.level) == ("log_unwritable", 4, 2)
    assert [item["title"].partition(":")[0] for item in taken] == ["Parley critical", "Parley critical, unanswered"]
    tell_able(alerts)
    assert not alerts.open()


def test_where_not_even_the_alert_can_be_written_people_are_told_once(
    period: Period, hook: tuple[str, list[Any]]
) -> None:
    pytest.importorskip("apprise", reason="apprise is not installed")
    url, taken = hook
    asked = terms(period, AlertSettings(webhook=(SecretStr(url),)))

    with Outages(asked.folder.log_path) as outages:
        outages.begin("full_disk")
        for number in (1, 2, 3):
            tell_unable(asked, refusal(number))

    assert len(taken) == 1
    assert "disk is full" in taken[0]["title"]
    assert AlertBook(period.book, lambda: NOON).count() == 0


@pytest.mark.parametrize("alerts", [AlertSettings(watch="off"), AlertSettings(off=("log_unwritable",))])
def test_where_nobody_wants_alerts_there_are_none(period: Period, alerts: AlertSettings) -> None:
    tell_unable(terms(period, alerts), refusal(1))

    assert AlertBook(period.book, lambda: NOON).count() == 0
