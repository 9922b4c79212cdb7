"""The alert book: raised once while it stands, escalated only upward, and still true after a kill."""

import multiprocessing as mp
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.desk.alert_book import AlertBook
from parley.desk.alert_records import Delivery
from parley.desk.errors import AlertUnknown
from parley.watch.rules import SEVERITIES, Severity

BEGAN = datetime(2020, 3, 9, 20, tzinfo=UTC)


class Clock:
    """A clock that a test winds."""

    def __init__(self) -> None:
        self.time = BEGAN

    def now(self) -> datetime:
        return self.time

    def pass_minutes(self, minutes: float) -> None:
        self.time += timedelta(minutes=minutes)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(tmp_path: Path, clock: Clock) -> AlertBook:
    return AlertBook(tmp_path / "book", clock.now)


def test_an_empty_book_has_nothing_and_makes_no_file(tmp_path: Path, book: AlertBook) -> None:
    assert book.open() == book.recent(10) == book.blocking() == ()
    assert book.count() == 0
    assert not (tmp_path / "book").exists()


def test_the_same_thing_raised_again_is_one_alert_that_is_counted(book: AlertBook, clock: Clock) -> None:
    first = book.raise_alert("drawdown", "warning", "account", "5.1 %", 0.051, 0.05)
    clock.pass_minutes(60)
    again = book.raise_alert("drawdown", "warning", "account", "5.3 %", 0.053, 0.05)

    assert again.alert_id == first.alert_id
    assert (again.count, again.figure, again.text) == (2, 0.053, "5.3 %")
    assert (again.raised_at, again.last_at) == (BEGAN, BEGAN + timedelta(hours=1))
    assert book.open() == (again,)


def test_another_subject_is_another_alert(book: AlertBook) -> None:
    book.raise_alert("restricted", "warning", "instrument AAPL", "x")
    book.raise_alert("restricted", "warning", "instrument MSFT", "x")

    assert {alert.subject for alert in book.open()} == {"instrument AAPL", "instrument MSFT"}


def test_what_has_ended_is_not_open_and_what_comes_later_is_new(book: AlertBook, clock: Clock) -> None:
    first = book.raise_alert("drawdown", "warning", "account", "x")
    ended = book.clear("drawdown", "account")
    clock.pass_minutes(61)
    later = book.raise_alert("drawdown", "warning", "account", "x")

    assert ended is not None and ended.state == "cleared" and ended.cleared_at == BEGAN
    assert later.alert_id != first.alert_id
    assert [alert.alert_id for alert in book.recent(10)] == [later.alert_id, first.alert_id]
    assert book.clear("drawdown", "nothing of the kind") is None


def test_a_warning_that_comes_back_soon_is_the_same_and_a_critical_one_never(book: AlertBook, clock: Clock) -> None:
    ids = dict[str, list[str]]()
    severities: tuple[Severity, ...] = ("warning", "critical")
    for severity in severities:
        for _ in range(2):
            found = book.raise_alert(severity, severity, "account", "x")
            ids.setdefault(severity, []).append(found.alert_id)
            book.clear(severity, "account")
            clock.pass_minutes(5)

    assert len(set(ids["warning"])) == 1
    assert len(set(ids["critical"])) == 2


def test_an_alert_that_gets_worse_waits_for_an_answer_again(book: AlertBook, clock: Clock) -> None:
    alert = book.raise_alert("drawdown", "warning", "account", "x")
    book.acknowledge(alert.alert_id, "oz", "seen")
    clock.pass_minutes(30)
    worse = book.raise_alert("drawdown", "critical", "account", "y")
    milder = book.raise_alert("drawdown", "info", "account", "z")

    assert (worse.severity, worse.state, worse.raised_at) == ("critical", "open", clock.now())
    assert (milder.severity, milder.state) == ("critical", "open")


def test_only_critical_alerts_that_nobody_answered_block(book: AlertBook) -> None:
    book.raise_alert("drawdown", "warning", "account", "x")
    halted = book.raise_alert("halted", "critical", "account", "x")
    over = book.raise_alert("chain_broken", "critical", "log", "x")
    book.clear("chain_broken", "log")

    assert [alert.alert_id for alert in book.blocking()] == [halted.alert_id]
    seen = book.acknowledge(halted.alert_id, "oz", "looking into it")
    assert book.blocking() == ()
    assert (seen.state, seen.acknowledged_by, seen.reason) == ("acknowledged", "oz", "looking into it")
    assert book.find(over.alert_id).state == "cleared"
    assert [alert.state for alert in book.open()] == ["open", "acknowledged"]


def test_an_acknowledged_alert_stays_so_when_it_is_raised_again(book: AlertBook) -> None:
    alert = book.raise_alert("halted", "critical", "account", "x")
    book.acknowledge(alert.alert_id, "oz", "seen")

    assert book.raise_alert("halted", "critical", "account", "x").state == "acknowledged"
    assert book.acknowledge(alert.alert_id, "other", "later").acknowledged_by == "oz"


def test_what_only_happened_ends_with_its_answer(book: AlertBook) -> None:
    note = book.raise_alert("notification", "critical", "restart", "x", is_moment=True)

    assert book.acknowledge(note.alert_id, "oz", "seen").state == "cleared"
    assert book.open() == ()


def test_a_notification_of_the_log_leads_to_its_alert(book: AlertBook) -> None:
    alert = book.raise_alert("halted", "critical", "account", "x")
    book.link("halted", "account", "ntf-1")

    found = book.of_notification("ntf-1")
    assert found is not None and found.alert_id == alert.alert_id
    assert book.of_notification("ntf-2") is None


def test_messages_stand_beside_their_alert_and_a_second_try_takes_the_place_of_the_first(book: AlertBook) -> None:
    alert = book.raise_alert("halted", "critical", "account", "x")
    failed = Delivery("critical 0", "email", "email 1", "failed", 1, BEGAN, BEGAN + timedelta(seconds=15), "no")
    sent = Delivery("critical 0", "email", "email 1", "sent", 2, BEGAN + timedelta(seconds=20), None, "")
    book.note_sent(alert.alert_id, failed)
    book.note_sent(alert.alert_id, sent)
    book.note_level(alert.alert_id, 2)

    found = book.find(alert.alert_id)
    assert found.deliveries == (sent,)
    assert found.level == 2


def test_an_end_that_was_not_told_is_still_to_be_told(book: AlertBook) -> None:
    alert = book.raise_alert("drawdown", "warning", "account", "x")
    book.clear("drawdown", "account")

    assert [item.alert_id for item in book.to_tell()] == [alert.alert_id]
    book.note_end_told(alert.alert_id)
    assert book.to_tell() == ()


def test_a_batch_that_fails_leaves_nothing(book: AlertBook) -> None:
    with pytest.raises(ValueError, match="inside"), book.batch():
        book.raise_alert("drawdown", "warning", "account", "x")
        book.set_place("run-1", 7, "h")
        raise ValueError("inside")

    assert book.count() == 0
    assert book.place("run-1") is None


def test_an_alert_that_is_not_there_is_said_to_be(book: AlertBook) -> None:
    with pytest.raises(AlertUnknown, match="alt-1"):
        book.acknowledge("alt-1", "oz", "x")


def _raise_for_ever(book: Path) -> None:
    alerts = AlertBook(book, lambda: BEGAN)
    for number in range(10_000):
        with alerts.batch():
            alerts.raise_alert("drawdown", "warning", "account", "x")
            alerts.set_place("run-1", number + 1, "h")


def test_a_killed_writer_leaves_alert_and_place_together(tmp_path: Path) -> None:
    book = AlertBook(tmp_path, lambda: BEGAN)
    writer = mp.get_context("fork").Process(target=_raise_for_ever, args=(tmp_path,))
    writer.start()
    while (place := book.place("run-1")) is None or place[0] < 20:
        assert writer.is_alive()
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()

    place, alert = book.place("run-1"), book.open()[0]
    assert place is not None and alert.count == place[0]
    assert book.raise_alert("drawdown", "warning", "account", "x").count == place[0] + 1


def _raise_some(book: Path, subject: str) -> None:
    alerts = AlertBook(book, lambda: BEGAN)
    for _ in range(8):
        alerts.raise_alert("drawdown", "warning", "account", "x")
        alerts.raise_alert("restricted", "warning", subject, "x")


def test_writers_in_several_processes_take_turns_and_none_is_lost(tmp_path: Path) -> None:
    writers = [mp.get_context("fork").Process(target=_raise_some, args=(tmp_path, f"N{n}")) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    counts = {alert.subject: alert.count for alert in AlertBook(tmp_path, lambda: BEGAN).open()}
    assert counts == {"account": 24, "N0": 8, "N1": 8, "N2": 8}
    assert [writer.exitcode for writer in writers] == [0, 0, 0]


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["raise", "clear", "acknowledge", "wait"]),
        st.sampled_from(["drawdown", "halted"]),
        st.sampled_from(SEVERITIES),
    ),
    max_size=12,
)


@settings(max_examples=12, deadline=None)
@given(ACTS)
def test_at_most_one_alert_of_a_kind_stands_and_no_answer_is_lost(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, str, Severity]]
) -> None:
    clock = Clock()
    book = AlertBook(tmp_path_factory.mktemp("book"), clock.now)
    for act, code, severity in acts:
        clock.pass_minutes(7)
        if act == "raise":
            book.raise_alert(code, severity, "account", "x")
        elif act == "clear":
            book.clear(code, "account")
        elif act == "acknowledge":
            for alert in book.open():
                book.acknowledge(alert.alert_id, "oz", "x")
        else:
            clock.pass_minutes(90)

        standing = book.open()
        assert len({(alert.code, alert.subject) for alert in standing}) == len(standing)
        assert {alert.state for alert in standing} <= {"open", "acknowledged"}
        assert all(alert.state == "open" for alert in book.blocking())
