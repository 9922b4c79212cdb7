"""A disk without room and a log that another program holds, both real: nothing unsafe is done, and it goes on."""

import sqlite3
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from parley.desk.alert_book import AlertBook
from parley.desk.book import Book, open_log
from parley.domain.events import DecisionMade, PortfolioMarked
from parley.domain.trading import TradingState
from parley.evals.book_at_rest import standing_of
from parley.service.trading.chores import HALTED
from parley.service.trading.chores import UNWRITABLE as CANT_WRITE
from parley.service.trading.drill import PAST_OPEN_MINUTES, DrillFault
from parley.service.trading.outages import OutageKind, Outages
from parley.service.trading.summary import summarize
from parley.storage import sql
from parley.storage.errors import StoreError, StoreLocked, StoreUnwritable

from .conftest import DAYS, Period

NOON = datetime(2016, 1, 11, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock is waited for as a desk does it, and given up sooner."""
    monkeypatch.setattr(sql, "BUSY_TIMEOUT_S", 0.02)


@pytest.mark.parametrize(("kind", "error"), [("full_disk", StoreUnwritable), ("locked_log", StoreLocked)])
def test_an_outage_is_real_while_it_lasts_and_leaves_nothing_behind(
    tmp_path: Path, kind: OutageKind, error: type[StoreError]
) -> None:
    folder = Book(tmp_path).create("run-1")
    with open_log(folder) as (log, _), Outages(folder.log_path) as outages:
        log.try_write()
        outages.begin(kind)
        with pytest.raises(error):
            log.try_write()
        outages.end()
        log.try_write()
        outages.begin(kind)
    (tmp_path / "room").write_text("there is room again")
    sqlite3.connect(folder.log_path, timeout=0.0, isolation_level=None).execute("BEGIN IMMEDIATE")


def test_a_lock_that_cannot_be_taken_on_a_full_disk_is_a_fault_that_passes(tmp_path: Path) -> None:
    with Outages(tmp_path / "log.db") as outages:
        outages.begin("full_disk")
        with pytest.raises(StoreUnwritable, match="can't be written"):
            sql.open_sqlite(tmp_path / "log.db")
    sql.open_sqlite(tmp_path / "log.db").close()


@pytest.mark.parametrize(("kind", "size"), [("full_disk", 100), ("full_disk", 7 * 60), ("locked_log", 100)])
def test_a_desk_that_cannot_write_sends_nothing_and_goes_on_when_it_can(
    period: Period, kind: OutageKind, size: int
) -> None:
    fault = DrillFault(kind, period.sessions[1], size)
    hindered = period.with_faults(fault)

    hindered.trade()

    history = hindered.terms.prepared.data.history()
    begins = history.opening_time(fault.session) + timedelta(minutes=PAST_OPEN_MINUTES)
    ends = begins + timedelta(minutes=size)
    assert hindered.unable, "a process ended with an error that passes"
    assert all(begins <= error.market < ends for error in hindered.unable)
    assert [child for child in hindered.children_in(fault.session) if child.created_at < begins]
    assert not [child for child in hindered.children() if begins <= child.created_at < ends]
    assert len(hindered.payloads(PortfolioMarked)) == len(hindered.payloads(DecisionMade)) == DAYS
    for job in ("trade", "decide"):
        assert [row.due.date() for row in hindered.rows(job)] == list(hindered.sessions)
        assert {row.state for row in hindered.rows(job)} <= {"done", "late"}
    assert standing_of(hindered.terms.folder).account is TradingState.ACTIVE
    assert hindered.is_sound()


def test_minutes_in_which_nothing_could_be_written_are_lost_and_no_others(period: Period) -> None:
    hindered = period.with_faults(DrillFault("locked_log", period.sessions[1], 40))

    hindered.trade()

    uptime, restarts = summarize(hindered.terms).uptime, summarize(hindered.terms).restarts
    # Checks every 15 minutes; the log is held from 45 to 85 minutes into the session. Those at 45 and 60 minutes can't
    # write it, then an order can't be told and the process ends. Starts 2, 6 and 14 minutes later are in vain, that
    # after 30 minutes makes the check at 75 minutes late, and a person answers the halt of the restart in 10 minutes.
    assert uptime.lost == {CANT_WRITE: 30.0, HALTED: 30.0}
    assert uptime.able_minutes == uptime.session_minutes - 60.0
    assert [item["refused"] for item in restarts] == [len(hindered.unable)] == [4]


def test_a_desk_that_lives_on_beside_a_held_log_raises_an_alert_and_takes_it_back(period: Period) -> None:
    # From 45 to 60 minutes into the session: the check at 45 minutes comes after it, and no order is due before 60.
    hindered = period.with_faults(DrillFault("locked_log", period.sessions[1], 15))

    hindered.trade()

    assert hindered.lives == 1
    (alert,) = AlertBook(hindered.book, lambda: NOON).recent(9)
    opens = hindered.terms.prepared.data.history().opening_time(period.sessions[1])
    assert (alert.code, alert.severity, alert.state) == ("log_unwritable", "critical", "cleared")
    assert "locked" in alert.text
    assert alert.cleared_at is not None
    assert [(at - opens) / timedelta(minutes=1) for at in (alert.raised_at, alert.cleared_at)] == [45.0, 60.0]


def test_starts_in_vain_are_further_and_further_apart(period: Period) -> None:
    hindered = period.with_faults(DrillFault("full_disk", period.sessions[1], 100))

    hindered.trade()

    clocks = [error.market for error in hindered.unable]
    gaps = [(later - earlier).total_seconds() / 60 for earlier, later in pairwise(clocks)]
    assert gaps == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_what_came_back_is_no_alert_any_more(period: Period) -> None:
    hindered = period.with_faults(DrillFault("full_disk", period.sessions[1], 100))
    alerts = AlertBook(hindered.book, lambda: NOON)
    alerts.raise_alert("log_unwritable", "critical", "log", "no room")

    hindered.trade()

    assert not alerts.open()
    assert hindered.children()


@pytest.mark.parametrize("kind", ["full_disk", "locked_log"])
def test_a_decision_that_cannot_be_written_is_made_again_when_it_can(period: Period, kind: OutageKind) -> None:
    hindered = period.with_faults(DrillFault("kill_in_decision", period.sessions[2]))
    with Outages(hindered.terms.folder.log_path) as outages:
        hindered.on_unable = outages.end

        hindered.trade(lambda fault: outages.begin(kind))

    assert len(hindered.unable) == 1
    assert len({len(item.decision.abstentions) for item in hindered.payloads(DecisionMade)}) == 1, "no agent gave up"
    assert {row.state for row in hindered.rows("decide")} == {"done", "late"}
    assert hindered.is_sound()


def test_faults_that_wait_for_a_plan_do_not_all_strike_in_its_session(period: Period) -> None:
    # Nothing is planned for the first session: both wait.
    first = period.sessions[0]
    hindered = period.with_faults(DrillFault("full_disk", first, 30), DrillFault("kill_in_session", first, 100))

    hindered.trade()

    begun = [datetime.fromisoformat(item["at"]).date() for item in summarize(hindered.terms).restarts]
    assert begun == list(hindered.sessions[1:3])
    assert hindered.is_sound()
