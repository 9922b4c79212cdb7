"""A watch over a growing log: through restarts nothing is raised twice and nothing is left out."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.desk.alert_book import AlertBook
from parley.domain.control_events import NotificationAcknowledged
from parley.domain.events import Payload
from parley.service.alerting.following import RunFollower
from parley.watch.rules import usual_rules

from .conftest import BEGAN, Clock, finished, freed, halted, marked, writing

EQUITIES = (1000.0, 960.0, 949.0, 940.0, 951.0, 956.0, 900.0, 1000.0)


def told(alerts: AlertBook) -> list[tuple[object, ...]]:
    """What a person would see of it, without the hour at which the watch happened to look."""
    return [
        (item.code, item.subject, item.severity, item.state, item.figure, item.happened_at, item.count, item.text)
        for item in alerts.recent(1000)
    ]


def follower(book: Path, *, from_start: bool = True, clock: Clock | None = None) -> tuple[RunFollower, AlertBook]:
    alerts = AlertBook(book, (clock or Clock()).now, timedelta(0))
    return RunFollower(book, alerts, usual_rules(), from_start=from_start), alerts


def test_a_book_without_a_run_is_quiet(tmp_path: Path) -> None:
    watch, alerts = follower(tmp_path)

    assert watch.look() == 0
    assert alerts.count() == 0


def test_what_the_log_says_is_in_the_book_with_the_markets_time(tmp_path: Path) -> None:
    with writing(tmp_path) as log:
        log.marks([1000.0, 940.0])
    watch, alerts = follower(tmp_path)

    assert watch.look() == 2
    drawdown = next(item for item in alerts.open() if item.code == "drawdown")
    assert (drawdown.figure, drawdown.happened_at) == (pytest.approx(0.06), BEGAN + timedelta(days=1))
    assert drawdown.run_id == "run-0123456789abcdef"
    assert watch.look() == 0


def test_a_restarted_watch_raises_nothing_twice_and_goes_on(tmp_path: Path) -> None:
    with writing(tmp_path) as log:
        log.marks([1000.0, 940.0])
        follower(tmp_path)[0].look()
        before = told(follower(tmp_path)[1])

        watch, alerts = follower(tmp_path)
        assert watch.look() == 2
        assert told(alerts) == before
        log.marks([970.0], 2)
        watch.look()

    assert {item.state for item in alerts.recent(10)} == {"cleared"}


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from(["mark", "halt", "free", "ack", "look", "restart"]), max_size=20))
def test_alerts_are_the_same_one_by_one_all_at_once_and_through_restarts(
    tmp_path_factory: pytest.TempPathFactory, acts: list[str]
) -> None:
    at_times, at_once = tmp_path_factory.mktemp("a"), tmp_path_factory.mktemp("b")
    watch, alerts = follower(at_times)
    payloads: dict[str, tuple[Payload, ...]] = {
        "halt": halted(),
        "free": (freed(),),
        "ack": (NotificationAcknowledged(notification_id="ntf-1", user="oz", reason="x"),),
    }
    with writing(at_times) as one, writing(at_once) as other:
        for day, act in enumerate(acts):
            if act == "look":
                watch.look()
            elif act == "restart":
                watch, alerts = follower(at_times)
            else:
                news = payloads.get(act) or (marked(day, EQUITIES[day % len(EQUITIES)]),)
                for log in (one, other):
                    log.add(*news, day=day)
        watch.look()
    whole, found = follower(at_once)
    whole.look()

    assert told(alerts) == told(found)


def test_of_a_run_that_was_never_watched_only_what_stands_is_raised(tmp_path: Path) -> None:
    with writing(tmp_path) as log:
        log.marks([1000.0, 940.0, 1000.0, 940.0])
        watch, alerts = follower(tmp_path, from_start=False)
        watch.look()
        assert [item.happened_at for item in alerts.recent(9) if item.code == "drawdown"] == [BEGAN + timedelta(days=3)]

        log.marks([1000.0, 940.0], 4)
        watch.look()
    assert [item.code for item in alerts.recent(9)].count("drawdown") == 2


def test_a_run_watched_while_empty_is_watched_from_its_beginning(tmp_path: Path) -> None:
    with writing(tmp_path) as log:
        watch, alerts = follower(tmp_path, from_start=False)
        watch.look()
        log.marks([1000.0, 940.0, 1000.0])
        watch.look()

    assert [item.code for item in alerts.recent(9) if item.state == "cleared"].count("drawdown") == 1


def test_an_answer_to_a_run_that_is_over_finds_its_alert_after_a_restart(tmp_path: Path) -> None:
    with writing(tmp_path) as log:
        log.marks([1000.0, 940.0])
        log.add(*halted())
        follower(tmp_path)[0].look()
        log.add(finished(), stream="run")
        follower(tmp_path)[0].look()
        watch, alerts = follower(tmp_path)
        assert watch.look() == 0

        log.add(NotificationAcknowledged(notification_id="ntf-1", user="oz", reason="seen"), stream="outside")
        assert watch.look() == 1
    assert {item.state for item in alerts.recent(9)} == {"cleared"}


def test_the_end_of_a_run_ends_its_alerts_but_a_critical_one_waits_for_a_person_who_ends_it(tmp_path: Path) -> None:
    watch, alerts = follower(tmp_path)
    with writing(tmp_path) as log:
        log.marks([1000.0, 940.0])
        log.add(*halted(), day=2)
        watch.look()
        assert {item.code for item in alerts.open()} == {"drawdown", "daily_loss", "halted"}
        log.add(finished(), stream="run")
    watch.look()

    assert [(item.code, item.state) for item in alerts.open()] == [("halted", "open")]
    assert alerts.acknowledge(alerts.blocking()[0].alert_id, "oz", "seen").state == "cleared"


def test_the_end_of_a_run_ends_a_critical_alert_that_was_answered(tmp_path: Path) -> None:
    watch, alerts = follower(tmp_path)
    with writing(tmp_path) as log:
        log.add(*halted())
        watch.look()
        assert alerts.acknowledge(alerts.blocking()[0].alert_id, "oz", "seen").state == "acknowledged"
        log.add(finished(), stream="run")
    watch.look()

    assert alerts.open() == ()


def test_a_halt_that_comes_again_in_the_next_run_is_that_runs_and_does_not_end_when_it_is_answered(
    tmp_path: Path,
) -> None:
    watch, alerts = follower(tmp_path)
    for run in ("run-0123456789abcdef", "run-fedcba9876543210"):
        with writing(tmp_path, run) as log:
            log.add(*halted())
            watch.look()
            (found,) = alerts.blocking()
            assert (found.run_id, found.is_moment) == (run, False)
            if run.startswith("run-0"):
                log.add(finished(), stream="run")
        watch.look()

    assert alerts.acknowledge(found.alert_id, "oz", "seen").state == "acknowledged"


def test_another_run_ends_what_was_said_of_the_one_before_but_not_what_must_be_answered(tmp_path: Path) -> None:
    watch, alerts = follower(tmp_path)
    with writing(tmp_path) as log:
        log.marks([1000.0, 940.0])
        log.add(*halted(), day=2)
    watch.look()
    with writing(tmp_path, "run-fedcba9876543210") as log:
        log.marks([1000.0])
    watch.look()

    assert [item.code for item in alerts.open()] == ["halted"]


def test_a_log_that_was_changed_is_a_critical_alert_and_nothing_after_it_is_believed(tmp_path: Path) -> None:
    with writing(tmp_path) as log:
        log.marks([1000.0, 999.0, 998.0])
    path = next(tmp_path.glob("runs/*/log.db"))
    database = sqlite3.connect(path)
    database.execute("DROP TRIGGER events_no_update")
    database.execute("UPDATE events SET payload = replace(payload, '\"999.0\"', '\"100.0\"') WHERE seq = 2")
    database.commit()
    database.close()
    watch, alerts = follower(tmp_path)
    watch.look()
    watch.look()

    assert [(item.code, item.severity, item.count) for item in alerts.recent(9)] == [("chain_broken", "critical", 1)]
    assert alerts.blocking()[0].text == "the log is not what was written: event 2 does not hash to what it says"


def test_an_answer_in_the_log_is_an_answer_to_its_alert(tmp_path: Path) -> None:
    with writing(tmp_path) as log:
        log.add(*halted())
        watch, alerts = follower(tmp_path)
        watch.look()
        assert [item.notification_id for item in alerts.blocking()] == ["ntf-1"]

        log.add(NotificationAcknowledged(notification_id="ntf-1", user="oz", reason="seen"), stream="outside")
        watch.look()

    assert alerts.blocking() == ()
    assert [(item.state, item.acknowledged_by) for item in alerts.open()] == [("acknowledged", "oz")]
