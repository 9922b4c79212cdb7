"""The watch as it runs: one for each book, from a halt in the log to mail, SMS, an answer, and an open desk."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from parley.desk.alert_book import AlertBook
from parley.desk.alert_settings import AlertSettings
from parley.desk.book import Book
from parley.desk.clock import wall_now
from parley.desk.errors import SettingsInvalid
from parley.desk.settings import Settings
from parley.evals.book_at_rest import standing_of
from parley.service.alerting.acknowledging import acknowledge_alert
from parley.service.alerting.host import HostWatch
from parley.service.alerting.seat import LOCK, Seat
from parley.service.alerting.watcher import BookWatcher, alert_watcher, sole_watch
from parley.watch.errors import RuleUnknown
from parley.watch.rules import usual_rules
from pydantic import SecretStr

from .conftest import Clock, Mailbox, Pigeon, Sink, halted, started, writing

SHORT_S = 20.0


def test_a_halt_reaches_mail_and_webhook_then_a_phone_and_an_answer_opens_the_desk(
    tmp_path: Path, clock: Clock, mailbox: Mailbox, sink: Sink
) -> None:
    pytest.importorskip("apprise", reason="apprise is not installed")
    phone = f"{sink.url}/sms"
    alerts = AlertSettings(webhook=(SecretStr(sink.url),), email=(SecretStr(mailbox.url),), sms=(SecretStr(phone),))
    with writing(tmp_path) as log:
        log.add(started(), *halted("<b>loss</b>\r\nBcc: x@example.com"))
    watcher = BookWatcher(tmp_path, Settings(alerts=alerts), clock.now, from_start=True)
    watcher.look()
    watcher.tell()

    (blocking,) = watcher.alerts.blocking()
    mail = mailbox.mails[0]
    assert str(mail["Subject"]).startswith("Parley critical: account is HALTED: breaker drawdown")
    assert mail["Bcc"] is None and "<b>" not in mail.as_string()
    assert [item["type"] for item in sink.documents] == ["failure"]

    clock.pass_minutes(5)
    watcher.tell()
    assert len(sink.documents) == 2
    assert "unanswered" in sink.documents[1]["title"]

    done = acknowledge_alert(tmp_path, blocking.alert_id, "oz", "looking into it", clock.now)
    assert done.how == "log"
    assert watcher.alerts.blocking() == ()
    assert standing_of(Book(tmp_path).operated()).unacknowledged == {}
    clock.pass_minutes(60)
    watcher.look()
    watcher.tell()
    assert len(mailbox.mails) == 1 and len(sink.documents) == 2
    assert [(item.state, item.acknowledged_by) for item in watcher.alerts.open()] == [("acknowledged", "oz")]


def test_an_answer_without_a_reason_is_refused_and_one_to_no_notification_is_only_the_books(
    tmp_path: Path, clock: Clock
) -> None:
    alert = AlertBook(tmp_path, clock.now).raise_alert("disk_low", "critical", "book", "x")

    with pytest.raises(SettingsInvalid, match="reason"):
        acknowledge_alert(tmp_path, alert.alert_id, "oz", "  ")
    assert acknowledge_alert(tmp_path, alert.alert_id, "oz", "freed some").how == "none"


def test_one_watch_for_each_book(tmp_path: Path) -> None:
    with sole_watch(tmp_path / "book") as first, sole_watch(tmp_path / "book") as second:
        assert (first, second) == (True, False)
    with sole_watch(tmp_path / "book") as again:
        assert again


def test_the_thread_watches_for_as_long_as_its_context_is_open(tmp_path: Path) -> None:
    with writing(tmp_path) as log, alert_watcher(tmp_path, Settings(), from_start=True):
        log.add(*halted())
        alerts = AlertBook(tmp_path, wall_now)
        assert comes_true(lambda: bool(alerts.blocking()))
        assert [item.code for item in alerts.blocking()] == ["halted"]

    assert not [item for item in threading.enumerate() if item.name == "parley-alerts"]
    with sole_watch(tmp_path) as is_free:
        assert is_free


def comes_true(is_so: Callable[[], bool]) -> bool:
    """Within the time that anything here may take."""
    waiting, left = threading.Event(), SHORT_S
    while not is_so() and left > 0:
        waiting.wait(0.05)
        left -= 0.05
    return is_so()


def test_who_has_channels_takes_the_watch_from_who_has_none_and_gives_it_back(tmp_path: Path, sink: Sink) -> None:
    pytest.importorskip("apprise", reason="apprise is not installed")
    channels = AlertSettings(webhook=(SecretStr(sink.url),))
    bare = Seat(tmp_path, AlertSettings())
    with writing(tmp_path) as log, alert_watcher(tmp_path, Settings(), from_start=True):
        assert comes_true(lambda: bare.holder() is not None)
        with alert_watcher(tmp_path, Settings(alerts=channels), from_start=True):
            log.add(started(), *halted())
            assert comes_true(lambda: bool(sink.documents))
        assert comes_true(lambda: (found := bare.holder()) is not None and found.rank == 0)


def test_between_two_with_channels_the_first_stays_and_the_other_says_so(tmp_path: Path) -> None:
    pytest.importorskip("apprise", reason="apprise is not installed")
    first, other = (AlertSettings(webhook=(SecretStr(f"json://127.0.0.1/{name}"),)) for name in "ab")
    alerts, seat = AlertBook(tmp_path, wall_now), Seat(tmp_path, first)
    assert seat.take()
    with alert_watcher(tmp_path, Settings(alerts=other)):
        assert comes_true(lambda: bool(alerts.open()))
        assert [item.code for item in alerts.open()] == ["channels_unused"] and not seat.is_wanted
    assert alerts.open() == ()
    with sole_watch(tmp_path, first) as is_ours:
        assert not is_ours
    seat.leave()


def test_a_claim_ends_with_the_process_that_laid_it_and_nothing_is_read_out_of_the_note(tmp_path: Path) -> None:
    bare, rich = Seat(tmp_path, AlertSettings()), Seat(tmp_path, AlertSettings(sms=(SecretStr("json://geheim"),)))
    assert bare.take() and not rich.take() and bare.is_wanted
    rich.leave()
    assert not bare.is_wanted
    assert not rich.take() and bare.is_wanted
    bare.rise()
    assert not bare.take(), "the claim stands"
    assert rich.take() and not rich.is_wanted
    assert "geheim" not in (tmp_path / LOCK).read_text() and (tmp_path / LOCK).stat().st_mode & 0o077 == 0


def test_a_watch_that_is_off_leaves_no_trace(tmp_path: Path) -> None:
    with alert_watcher(tmp_path / "book", Settings(alerts=AlertSettings(watch="off"))):
        pass

    assert not (tmp_path / "book").exists()


def test_settings_that_make_no_sense_are_said_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(RuleUnknown), alert_watcher(tmp_path, Settings(alerts=AlertSettings(off=("draw_down",)))):
        raise AssertionError("it must not begin")


def test_a_log_that_cannot_be_read_is_an_alert_that_ends_when_it_can(tmp_path: Path, clock: Clock) -> None:
    folder = Book(tmp_path).create("run-0123456789abcdef")
    folder.log_path.write_bytes(b"no database at all, but long enough to be looked at as one" * 20)
    watcher = BookWatcher(tmp_path, Settings(), clock.now, channels=(Pigeon("log"),))
    watcher.look()
    watcher.look()
    assert [(item.code, item.count) for item in watcher.alerts.open()] == [("watch_failed", 1)]

    folder.log_path.unlink()
    watcher.look()
    assert watcher.alerts.open() == ()


def test_a_full_disk_is_told_once_and_its_end_too(tmp_path: Path, clock: Clock) -> None:
    alerts = AlertBook(tmp_path, clock.now)
    always = usual_rules().changed({"disk_low": 1e-9})
    for _ in range(3):
        HostWatch(tmp_path, alerts, always, Settings()).look()
    assert [(item.code, item.severity, item.count) for item in alerts.open()] == [("disk_low", "critical", 1)]

    HostWatch(tmp_path, alerts, usual_rules().changed({"disk_low": 2.0}), Settings()).look()
    assert alerts.open() == ()
