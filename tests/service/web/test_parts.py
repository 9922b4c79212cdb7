"""Parts of pages: made once for all who ask, and anew where what they show has moved."""

import asyncio
from typing import Any

import pytest
from parley.desk.alert_book import AlertBook
from parley.desk.clock import wall_now
from parley.service.access.roles import Caller
from parley.service.api.desk import ServedDesk
from parley.service.api.settings import ServeSettings
from parley.service.web.alerts_page import ALERTS_PARTS
from parley.service.web.beat import Beats
from parley.service.web.parts import Parts

VIC = Caller("vic", "viewer", frozenset({"read"}), "session", "x")


def test_a_part_is_made_anew_as_soon_as_a_file_that_it_shows_was_seen_to_move(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ServedDesk, "fresh_state", lambda served, run, needs_run=True: "within one second")
    served = ServedDesk(ServeSettings(desk.book))
    beats = Beats(served)
    parts = Parts(served, ALERTS_PARTS, beats)

    def shown() -> str:
        return asyncio.run(parts.body(parts.by_name["alerts_open"], None, VIC, {}))[0]

    before = shown()
    AlertBook(desk.book, wall_now).raise_alert("drill", "critical", "account", "6.1% below the peak")
    kept = shown()
    beats.files_moved({"jobs"})
    other = shown()
    beats.files_moved({"alerts"})

    assert before == kept == other
    assert "6.1% below the peak" in shown()
