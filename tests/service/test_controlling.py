"""The operator's commands at the command line: on a book at rest, on one whose log is in use, and what they refuse."""

import fcntl
import json
import os
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from parley.desk.book import Book, open_log
from parley.desk.errors import SettingsInvalid
from parley.desk.operator import book_post
from parley.domain.control_events import TradingStateChanged
from parley.domain.events import Actor, NewEvent
from parley.domain.levels import BREAKER_UNITS, past_text
from parley.domain.trading import ACCOUNT, Scope, TradingState
from parley.service import controlling
from parley.service.controlling import parse_scope
from parley.storage.flag import FlagNote

RUN = ("--start", "2016-01-12", "--end", "2016-01-14", "--reports", "none")


@pytest.fixture
def asked(parley: Any) -> Any:
    """One command with --json, and the exit code it must have."""

    def ask(*arguments: object, code: int = 0) -> Any:
        done = parley(*arguments, "--json")
        assert done.code == code, done
        return done

    return ask


@pytest.fixture
def rested(asked: Any, six_names: Path) -> Any:
    """The command line beside a book whose run has ended."""
    asked("run", "--data", six_names, *RUN)
    return asked


def test_a_scope_is_a_kind_and_a_name() -> None:
    assert parse_scope(None) == parse_scope("account") == ACCOUNT
    assert parse_scope("instrument:AAPL") == Scope(kind="instrument", name="AAPL")
    for wrong in ("AAPL", "instrument", "instrument:", "account:x", "desk:x", ""):
        if wrong:
            with pytest.raises(SettingsInvalid, match="is no scope"):
                parse_scope(wrong)


def test_status_of_a_quiet_book_is_active(rested: Any) -> None:
    document = rested("status").document

    assert (document["state"], document["may_open"], document["flag"]) == ("ACTIVE", True, None)
    assert document["restrictions"] == document["unacknowledged"] == []


def test_halt_raises_the_flag_records_it_and_resume_takes_both_back(rested: Any) -> None:
    halted = rested("halt", "--reason", "smoke", "--user", "ann").document
    assert halted["how"] == "log"
    status = rested("status", code=1).document
    assert (status["state"], status["may_open"]) == ("HALTED", False)
    assert status["flag"]["by"] == "ann"
    assert status["restrictions"][0]["cause"] == "kill_flag"

    resumed = rested("resume", "--reason", "looked into it").document

    assert (resumed["how"], resumed["refusal"]) == ("log", "")
    assert rested("status").document["state"] == "ACTIVE"
    assert rested("verify").document["ok"]
    assert rested("replay").document["identical"]


@pytest.mark.parametrize("order", ["breaker first", "flag first"])
def test_a_resume_lowers_the_flag_and_is_held_by_the_breaker_that_stands_beside_it(rested: Any, order: str) -> None:
    flag = ("halt", "--reason", "smoke", "--user", "ann")
    if order == "flag first":
        rested(*flag)
    _trip("correlation", 0.85, 0.8, TradingState.HALTED if order == "flag first" else TradingState.ACTIVE)
    if order == "breaker first":
        rested(*flag)

    shown = rested("status", code=1).document["restrictions"]
    assert [(item["state"], item["name"]) for item in shown] == [("HALTED", "kill_flag"), ("REDUCING", "correlation")]
    assert shown[1]["reason"] == "correlation is 0.85, the level is 0.8"
    refused = rested("resume", "--reason", "looked into it", code=1).document
    left = rested("status").document

    assert refused["refusal"] == "account: correlation tripped at 0.85 and is not known now; it may be armed at 0.7"
    assert (left["state"], left["flag"]) == ("REDUCING", None)
    assert [(item["state"], item["name"]) for item in left["restrictions"]] == [("REDUCING", "correlation")]
    rested("resume", "--reason", "the index was wrong", "--anyway")
    assert rested("status").document["state"] == "ACTIVE"
    assert rested("verify").document["ok"]


def _trip(breaker: str, figure: float, level: float, before: TradingState) -> None:
    """What the run's own controls would have recorded at its last moment."""
    with open_log(Book(Path("book")).latest()) as (log, _):
        last = next(log.read(log.head()[0] - 1))
        change = TradingStateChanged(
            scope=ACCOUNT,
            before=before,
            after=TradingState.REDUCING if before is TradingState.ACTIVE else before,
            cause="breaker",
            name=breaker,
            reason=past_text(breaker, figure, BREAKER_UNITS[breaker], level),
            figure=figure,
            limit=level,
        )
        actor = Actor(kind="desk", name="controls")
        log.append(
            [NewEvent(stream="controls", event_time=last.event_time, actor=actor, payload=change, run_id=last.run_id)]
        )


def test_a_second_resume_is_refused_and_exits_with_1(rested: Any) -> None:
    document = rested("resume", "--reason", "why not", code=1).document

    assert "not restricted" in document["refusal"]


def test_a_part_of_the_desk_is_halted_by_itself(rested: Any) -> None:
    rested("halt", "--scope", "instrument:N1", "--reason", "news")
    rested("reduce", "--scope", "venue:paper", "--reason", "slow")

    status = rested("status").document

    assert status["flag"] is None
    assert [(item["scope"], item["state"]) for item in status["restrictions"]] == [
        ("instrument N1", "HALTED"),
        ("venue paper", "REDUCING"),
    ]
    assert status["state"] == "ACTIVE"


def test_a_request_to_a_desk_that_runs_is_left_in_its_inbox(rested: Any) -> None:
    with open_log(Book(Path("book")).latest()):
        book_post(Path("book")).heartbeat.beat()
        document = rested("flatten", "--symbols", "N1, N2", "--reason", "war", "--user", "ann").document
        assert rested("status").document["waiting_requests"] == [document["note_id"]]
        assert rested("halt", "--reason", "smoke").document["how"] == "flag"

    note = book_post(Path("book")).inbox.waiting()[0][0]
    assert document["how"] == "inbox"
    assert note.content["detail"] == {"symbols": ["N1", "N2"]}
    assert note.content["user"] == "ann"


def test_a_log_that_somebody_else_writes_to_for_a_moment_is_waited_for_and_is_no_running_desk(rested: Any) -> None:
    held = os.open(f"{Book(Path('book')).latest().log_path}.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    timer = Timer(0.3, os.close, (held,))
    timer.start()
    document = rested("reduce", "--reason", "war").document
    timer.join()

    assert (document["how"], document["note_id"]) == ("log", "")
    assert rested("status").document["state"] == "REDUCING"


def test_a_log_that_is_held_by_no_desk_is_a_typed_error_and_leaves_no_message(
    rested: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controlling, "AT_REST_S", 0.1)
    with open_log(Book(Path("book")).latest()):
        error = rested("reduce", "--reason", "war", code=2).document["error"]

    assert error["code"] == "store_locked" and "No desk runs" in error["remedy"]
    assert book_post(Path("book")).inbox.waiting() == ((), ())


def test_halt_works_where_there_is_no_run_and_no_sound_log(rested: Any) -> None:
    assert rested("halt", "--reason", "smoke", "--book", "elsewhere").document["how"] == "flag"

    Book(Path("book")).latest().log_path.write_bytes(b"garbage" * 1000)
    document = rested("halt", "--reason", "smoke").document

    assert document["how"] == "flag"
    assert "could not be written" in document["text"]
    assert book_post(Path("book")).flag.is_raised
    status = rested("status", code=1).document
    assert status["state"] == "HALTED"
    assert status["problem"]


def test_a_run_does_not_start_under_a_raised_flag(asked: Any, six_names: Path) -> None:
    asked("halt", "--reason", "smoke")

    document = asked("run", "--data", six_names, *RUN, code=1).document

    assert document["stopped"] == "halted"
    error = asked("decide", "--data", six_names, "--as-of", "2016-01-13", code=2).document["error"]
    assert error["code"] == "desk_halted"


@pytest.mark.parametrize(
    "arguments",
    [
        ("cancel", "--reason", "x"),
        ("cancel", "par-1", "--all", "--reason", "x"),
        ("reduce", "--reason", "  "),
        ("halt", "--reason", "x", "--scope", "AAPL"),
        ("ack", "ntf-unknown", "--reason", "x"),
        ("drill", "earthquake"),
    ],
)
def test_what_cannot_be_done_as_asked_exits_with_2(rested: Any, arguments: tuple[str, ...]) -> None:
    assert rested(*arguments, code=2).document["error"]["remedy"]


def test_the_watchdog_looks_once_and_halts_a_cold_desk(rested: Any) -> None:
    assert rested("watchdog", "--once").document["halted"] is False
    post = book_post(Path("book"))
    post.heartbeat.beat()
    os.utime(post.heartbeat.path, (1.0, 1.0))

    document = rested("watchdog", "--once", code=1).document

    assert document["recorded"] is True
    status = rested("status", code=1).document
    assert status["restrictions"][0]["cause"] == "dead_man"
    assert len(status["unacknowledged"]) == 1
    rested("resume", "--reason", "the machine was asleep")
    assert rested("status", code=1).document["may_open"] is False, "somebody has to say that it was seen"
    rested("ack", "all", "--reason", "seen")
    assert rested("status").document["may_open"] is True


def test_the_drills_are_listed_with_what_happens_in_them(asked: Any) -> None:
    names = [item["name"] for item in asked("drill").document["drills"]]

    assert names == [item["name"] for item in asked("drill", "list").document["drills"]]
    assert {"daily_loss", "kill", "flatten", "dead_man"} <= set(names)


def test_a_drill_leaves_the_book_as_it_was(rested: Any) -> None:
    before = Book(Path("book")).latest().log_path.read_bytes()

    document = rested("drill", "scopes").document

    assert document["passed"] is True
    assert document["drills"][0]["timeline"]
    assert Book(Path("book")).latest().log_path.read_bytes() == before
    assert not json.loads(json.dumps(document))["drills"][0]["problems"]


def test_a_decision_beside_a_halted_desk_leaves_people_s_commands_where_they_were(
    rested: Any, parley: Any, six_names: Path
) -> None:
    desk = rested("halt", "--scope", "instrument:N1", "--reason", "news").document["run"]

    decided = rested("decide", "--as-of", "2016-01-13", "--data", six_names).document["run"]

    assert decided != desk
    assert rested("status").document["run"] == desk
    resumed = rested("resume", "--scope", "instrument:N1", "--reason", "old news").document
    assert (resumed["run"], resumed["refusal"]) == (desk, "")
    assert rested("verify").document["ok"], "what was made last is still what is read by default"
    assert Book(Path("book")).latest().run_id == decided


def test_a_decision_takes_no_request_that_waits_for_the_desk(rested: Any, six_names: Path) -> None:
    post = book_post(Path("book"))
    note = {"version": 1, "command": "halt", "user": "ann", "reason": "news", "scope": {"kind": "account", "name": ""}}
    post.inbox.put({**note, "detail": {}})
    post.heartbeat.beat()

    rested("decide", "--as-of", "2016-01-13", "--data", six_names)

    assert len(post.inbox.waiting()[0]) == 1
    assert post.heartbeat.age_s() is not None, "the desk that beats it is another process"


def test_nothing_is_decided_while_the_kill_flag_is_up(rested: Any, six_names: Path) -> None:
    rested("halt", "--reason", "smoke", "--user", "ann")
    runs = len(Book(Path("book")).runs())

    error = rested("decide", "--as-of", "2016-01-13", "--data", six_names, code=2).document["error"]

    assert "ann: smoke" in error["message"]
    assert len(Book(Path("book")).runs()) == runs


def test_a_resume_goes_to_the_one_unfinished_run_that_stands_restricted(asked: Any, six_names: Path) -> None:
    post = book_post(Path("book"))
    post.flag.hoist(FlagNote("ann", "smoke", "now"))
    first = asked("run", "--data", six_names, *RUN, code=1).document["run"]
    post.flag.lower()
    other = asked("run", "--data", six_names, *RUN, "--seed", "8").document["run"]
    assert asked("status").document["run"] == other

    resumed = asked("resume", "--reason", "the smoke is gone").document

    assert (resumed["run"], resumed["refusal"]) == (first, "")
    assert asked("run", "--data", six_names, *RUN, "--resume").document["run"] == first
    assert asked("status").document["run"] == first, "the desk goes on with that one"
