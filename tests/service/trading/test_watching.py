"""The watch over a desk whose clock jumps: what happens last is told as well, and goes up its ladder."""

import json
from datetime import timedelta
from typing import Any

from parley.desk.alert_book import AlertBook
from parley.service.trading.drill import DrillFault

from .conftest import Period


def told(period: Period) -> list[dict[str, Any]]:
    """What the book's own channel took."""
    return [json.loads(line) for line in (period.book / "alerts.jsonl").read_text().splitlines()]


def test_a_halt_in_the_last_session_is_told_and_goes_up_its_ladder(period: Period) -> None:
    last = period.sessions[-1]
    killed = period.watched().with_faults(DrillFault("kill_in_session", last, 100), operator=None)

    killed.trade()

    opens = killed.terms.prepared.data.history().opening_time(last)
    alerts = AlertBook(killed.book, lambda: opens)
    (halted,) = [alert for alert in alerts.recent(9) if alert.code == "halted"]
    assert timedelta(minutes=100) <= halted.raised_at - opens <= timedelta(minutes=120)
    levels = {item.notice: (item.at - halted.raised_at) / timedelta(minutes=1) for item in halted.deliveries}
    assert set(levels) == {"critical 0", "critical 1", "critical 2"}, "the end of a run answers nothing"
    assert [alert.alert_id for alert in alerts.blocking()] == [halted.alert_id]
    assert levels["critical 0"] == 0.0
    assert levels["critical 1"] >= 5.0
    assert levels["critical 2"] >= 15.0
    assert halted.level == 2
    assert sum("HALTED" in line["title"] for line in told(killed)) >= 2


def test_what_happens_after_the_last_close_is_told_before_the_process_ends(period: Period) -> None:
    last = period.sessions[-1]
    stale = period.watched().with_faults(DrillFault("stale_feed", last, 9 * 60), operator=None)

    stale.trade()

    closes = stale.terms.prepared.data.history().close_time(last)
    alerts = AlertBook(stale.book, lambda: closes)
    (missed,) = [alert for alert in alerts.recent(9) if alert.code == "jobs_missed"]
    assert missed.happened_at >= closes
    assert [(item.notice, item.state) for item in missed.deliveries] == [("warning 0", "sent")]
    assert any("missed" in line["title"] for line in told(stale))


def test_a_halt_that_a_person_lifts_within_minutes_is_told_as_well(period: Period) -> None:
    # Killed 92 minutes into the session, there again at 94, answered at 106: the check at 105 minutes finds it halted.
    watched = period.watched()
    killed = watched.with_faults(DrillFault("kill_in_session", watched.sessions[2], 92), operator=12)

    killed.trade()

    titles = [line["title"] for line in told(killed)]
    assert sum(title.startswith("Parley critical: account is HALTED") for title in titles) == 1
    assert sum(title.startswith("Parley over: account is HALTED") for title in titles) == 1
