"""Who hears of an alert, when, and how often: on a wound clock, with channels that fail."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.desk.alert_book import AlertBook
from parley.service.alerting.courier import Courier
from parley.watch.escalation import usual_ladder
from parley.watch.rules import usual_rules

from .conftest import Clock, Pigeon

QUIET = timedelta(hours=1)


class Post:
    """A courier over five channels in memory."""

    def __init__(self, book: Path, clock: Clock) -> None:
        self.clock = clock
        self.alerts = AlertBook(book, clock.now, QUIET)
        self.log, self.webhook, self.email = Pigeon("log", "log"), Pigeon("webhook"), Pigeon("email")
        self.sms, self.everyone = Pigeon("sms"), Pigeon("everyone")
        self.channels = (self.log, self.webhook, self.email, self.sms, self.everyone)
        ladder = usual_ladder(timedelta(minutes=5), timedelta(minutes=15))
        self.courier = Courier(self.alerts, self.channels, ladder, usual_rules(), clock.now, QUIET)

    def after(self, minutes: float) -> dict[str, int]:
        """How many messages each channel has taken in all, once these minutes have gone by."""
        self.clock.pass_minutes(minutes)
        self.courier.deliver()
        return {channel.kind: len(channel.taken) for channel in self.channels if channel.taken}


@pytest.fixture
def post(tmp_path: Path, clock: Clock) -> Post:
    return Post(tmp_path, clock)


def test_a_warning_goes_to_the_webhook_once_however_long_it_stands_and_is_raised(post: Post) -> None:
    for _ in range(10):
        post.alerts.raise_alert("drawdown", "warning", "account", "5.1 %")
        assert post.after(30) == {"log": 1, "webhook": 1}


def test_a_critical_alert_goes_up_the_ladder_until_somebody_answers(post: Post) -> None:
    alert = post.alerts.raise_alert("halted", "critical", "account", "halted")

    assert post.after(0) == {"log": 1, "webhook": 1, "email": 1}
    assert post.after(4.9) == {"log": 1, "webhook": 1, "email": 1}
    assert post.after(0.1) == {"log": 2, "webhook": 1, "email": 1, "sms": 1}
    assert post.alerts.find(alert.alert_id).level == 1
    assert post.after(10) == {"log": 3, "webhook": 2, "email": 2, "sms": 2, "everyone": 1}
    assert post.after(1000) == {"log": 3, "webhook": 2, "email": 2, "sms": 2, "everyone": 1}
    assert "unanswered" in post.sms.taken[0].title


def test_an_answer_ends_the_climb(post: Post) -> None:
    alert = post.alerts.raise_alert("halted", "critical", "account", "halted")
    post.after(0)
    post.alerts.acknowledge(alert.alert_id, "oz", "on it")

    assert post.after(60) == {"log": 1, "webhook": 1, "email": 1}


def test_nobody_is_woken_for_what_was_answered_before_they_could_be_told(post: Post) -> None:
    alert = post.alerts.raise_alert("halted", "critical", "account", "halted")
    post.clock.pass_minutes(6)
    post.alerts.acknowledge(alert.alert_id, "oz", "on it")

    assert post.after(60) == {"log": 1, "webhook": 1, "email": 1}


def test_a_warning_that_becomes_critical_is_told_again(post: Post) -> None:
    post.alerts.raise_alert("drawdown", "warning", "account", "5.1 %")
    post.after(30)
    post.alerts.raise_alert("drawdown", "critical", "account", "11 %")

    assert post.after(0) == {"log": 2, "webhook": 2, "email": 1}


def test_the_end_is_told_once_to_those_who_heard_of_the_beginning(post: Post) -> None:
    post.alerts.raise_alert("halted", "critical", "account", "halted")
    post.after(0)
    post.alerts.clear("halted", "account")

    assert post.after(0) == {"log": 2, "webhook": 2, "email": 2}
    assert post.after(500) == {"log": 2, "webhook": 2, "email": 2}
    assert post.email.taken[-1].title.startswith("Parley over")
    assert post.email.taken[-1].severity == "info"


def test_a_warning_that_comes_and_goes_within_an_hour_is_told_once_and_its_end_once(post: Post) -> None:
    for _ in range(5):
        post.alerts.raise_alert("drawdown", "warning", "account", "5.1 %")
        assert post.after(10)["webhook"] == 1
        post.alerts.clear("drawdown", "account")
        assert post.after(10)["webhook"] == 1

    assert post.after(51)["webhook"] == 2
    assert post.after(500)["webhook"] == 2
    assert post.alerts.count() == 1


def test_what_ended_before_anybody_heard_of_it_is_never_told(post: Post) -> None:
    post.alerts.raise_alert("halted", "critical", "account", "halted")
    post.alerts.clear("halted", "account")

    assert post.after(500) == {}
    assert post.alerts.to_tell() == ()


def test_a_channel_that_fails_is_tried_again_and_the_others_hear_that_it_is_down(post: Post) -> None:
    post.email.is_down = True
    alert = post.alerts.raise_alert("halted", "critical", "account", "halted")
    post.after(0)
    found = post.alerts.find(alert.alert_id)
    failed = next(item for item in found.deliveries if item.channel == "email 1")
    assert (failed.state, failed.tries, failed.said) == ("failed", 1, "down")

    post.after(0.1)
    down = next(item for item in post.alerts.open() if item.code == "channel_down")
    assert down.subject == "email 1" and "email 1" in post.webhook.taken[-1].body
    assert {item.channel for item in post.alerts.find(down.alert_id).deliveries} == {"log", "webhook 1"}
    assert post.alerts.find(alert.alert_id).deliveries[-1].tries == 1  # not before its time

    post.email.is_down = False
    post.after(0.2)
    assert [message.title.startswith("Parley critical") for message in post.email.taken] == [True]
    assert [item.code for item in post.alerts.open()] == ["halted"]


def test_a_dead_webhook_is_told_by_mail(post: Post) -> None:
    post.webhook.is_down = True
    post.alerts.raise_alert("drawdown", "warning", "account", "5.1 %")
    post.after(0)

    assert post.after(0.1)["email"] == 1
    assert "webhook 1" in post.email.taken[0].body


def test_an_answer_by_the_machines_clock_ends_what_recorded_days_date_by_theirs(post: Post, tmp_path: Path) -> None:
    note = post.alerts.raise_alert("notification", "warning", "confidence", "x", is_moment=True)
    post.after(0)
    later = Clock(post.clock.now() + timedelta(days=1000))
    AlertBook(tmp_path, later.now, QUIET).acknowledge(note.alert_id, "oz", "seen")
    post.after(0)

    assert post.alerts.to_tell() == ()
    assert post.alerts.raise_alert("notification", "warning", "confidence", "x").alert_id != note.alert_id


def test_a_storm_is_one_message(post: Post) -> None:
    for number in range(30):
        post.alerts.raise_alert("restricted", "warning", f"instrument N{number}", f"N{number} is REDUCING")

    assert post.after(0) == {"log": 1, "webhook": 1}
    assert post.webhook.taken[0].title == "Parley: 30 alerts, the most urgent is warning"
    assert "And 10 more" in post.webhook.taken[0].body
    assert post.after(1) == {"log": 1, "webhook": 1}


def test_a_message_says_what_where_and_how_to_answer(post: Post) -> None:
    alert = post.alerts.raise_alert("drawdown", "warning", "account", "loss <b>x</b>\nBcc: y", run_id="run-1")
    post.after(0)

    message = post.webhook.taken[0]
    assert message.title == "Parley warning: loss b x /b Bcc: y"
    assert message.body.splitlines() == [
        "Warning: loss b x /b Bcc: y",
        "At 2024-01-02 15:00:00 UTC, seen 1 times, run run-1.",
        usual_rules()["drawdown"].remedy,
        f"To answer: parley alerts ack {alert.alert_id} --reason TEXT",
    ]


def test_a_courier_that_was_away_tells_the_level_an_alert_has_come_to_and_no_lower_one(post: Post) -> None:
    post.alerts.raise_alert("halted", "critical", "account", "halted")

    assert post.after(20) == {"log": 1, "webhook": 1, "email": 1, "sms": 1, "everyone": 1}
    assert "unanswered" in post.email.taken[0].title
    assert post.email.taken[0].body.count("To answer") == 1
    assert post.after(20) == {"log": 1, "webhook": 1, "email": 1, "sms": 1, "everyone": 1}


def test_a_restarted_courier_tells_nothing_twice(post: Post, tmp_path: Path) -> None:
    post.alerts.raise_alert("halted", "critical", "account", "halted")
    post.after(7)

    assert Post(tmp_path, post.clock).after(1) == {}


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0.1, 30)), max_size=8))
def test_no_channel_ever_takes_the_same_level_twice(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[tuple[bool, bool, float]]
) -> None:
    post = Post(tmp_path_factory.mktemp("book"), Clock())
    post.alerts.raise_alert("halted", "critical", "account", "halted")
    for mail_is_down, hook_is_down, minutes in rounds:
        post.email.is_down, post.webhook.is_down = mail_is_down, hook_is_down
        post.after(minutes)

    for channel in post.channels:
        titles = [message.title for message in channel.taken if "halted" in message.title]
        assert len([title for title in titles if "unanswered" not in title]) <= 1
        assert len([title for title in titles if "unanswered" in title]) <= 2
