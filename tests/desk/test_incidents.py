"""The incident bundle and the dead-man switch: what a person finds after a halt nobody saw coming."""

import json
import os
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from parley.desk.control_log import ControlLog
from parley.desk.deadman import BEAT_S, Heartbeat, look
from parley.desk.incidents import LAST_EVENTS, MANIFEST, bundle_hash_of, record_incident
from parley.domain.control_events import NotificationRaised
from parley.domain.events import Event, RunStarted
from parley.domain.instruments import Instrument, Universe
from parley.domain.trading import ACCOUNT, TradingState
from parley.execution.breaker_rules import USUAL_RULES
from parley.execution.controls import Controls
from parley.memory.log import EventLog
from parley.storage.errors import StoreUnwritable
from parley.storage.flag import FlagNote, KillFlag
from parley.storage.sql import open_in_memory

NOW = datetime(2022, 3, 1, 15, tzinfo=UTC)


class Quiet:
    def take(self, controls: Controls, now: datetime) -> None:
        """Nobody is outside."""


@pytest.fixture
def log() -> EventLog:
    return EventLog(open_in_memory())


@pytest.fixture
def started() -> RunStarted:
    return RunStarted(
        run_id="run-1",
        data="made",
        data_fingerprint="f" * 8,
        universe=Universe(name="made", instruments=(Instrument(symbol="AAA"),)),
        first_session=date(2022, 3, 1),
        last_session=date(2022, 3, 2),
        seed=7,
        model="rules",
        cash=Decimal(1000),
        settings={"environment": "development", "limits": {"max_gross": 1.0}},
        settings_hash="s" * 8,
        limits_hash="l" * 8,
        parley_version="0",
    )


def halted(log: EventLog) -> Controls:
    book = ControlLog(log, "run-1", 0)
    controls = Controls("run-1", book.record, Quiet(), USUAL_RULES)
    controls.tighten(ACCOUNT, TradingState.HALTED, "kill_flag", "kill_flag", "ann: smoke", NOW)
    return controls


def test_a_bundle_holds_state_events_versions_limits_and_settings_under_one_hash(
    tmp_path: Path, log: EventLog, started: RunStarted
) -> None:
    controls = halted(log)

    found = record_incident(tmp_path / "incidents", "kill_flag", log, started, controls.standing)

    bundle = tmp_path / "incidents" / found.incident_id
    names = {"state.json", "events.jsonl", "settings.json", "limits.json", "versions.json", "prompts.json", MANIFEST}
    assert {path.name for path in bundle.iterdir()} == names
    state = json.loads((bundle / "state.json").read_text())
    assert state["restrictions"][0]["reason"] == "ann: smoke"
    assert state["head_hash"] == log.head()[1]
    assert json.loads((bundle / "limits.json").read_text())["limits"] == {"max_gross": 1.0}
    assert "limits" not in json.loads((bundle / "settings.json").read_text())
    events = [Event.model_validate_json(line) for line in (bundle / "events.jsonl").read_text().splitlines()]
    assert events == list(log.read())
    assert bundle_hash_of(bundle) == found.bundle_hash
    assert json.loads((bundle / MANIFEST).read_text())["bundle_hash"] == found.bundle_hash


def test_a_changed_file_changes_the_hash_and_the_same_moment_gives_the_same_bundle(
    tmp_path: Path, log: EventLog, started: RunStarted
) -> None:
    controls = halted(log)
    one = record_incident(tmp_path, "kill_flag", log, started, controls.standing)

    again = record_incident(tmp_path, "kill_flag", log, started, controls.standing)
    assert again == one
    assert len(list(tmp_path.iterdir())) == 1, "nothing half-written stays"

    (tmp_path / one.incident_id / "state.json").write_text("{}")
    assert bundle_hash_of(tmp_path / one.incident_id) != one.bundle_hash


def test_a_bundle_holds_the_last_events_only(tmp_path: Path, log: EventLog, started: RunStarted) -> None:
    controls = halted(log)
    for number in range(LAST_EVENTS):
        controls.notify("info", "tick", f"number {number}", NOW + timedelta(seconds=number))

    found = record_incident(tmp_path, "kill_flag", log, started, controls.standing)

    lines = (tmp_path / found.incident_id / "events.jsonl").read_text().splitlines()
    assert len(lines) == LAST_EVENTS
    assert json.loads(lines[-1])["type"] == NotificationRaised.__name__


def test_a_folder_that_takes_no_bundle_is_a_typed_error(tmp_path: Path, log: EventLog, started: RunStarted) -> None:
    (tmp_path / "incidents").write_text("a file where a folder is expected")

    with pytest.raises(StoreUnwritable, match="can't be written"):
        record_incident(tmp_path / "incidents", "kill_flag", log, started, halted(log).standing)


@pytest.fixture
def heartbeat(tmp_path: Path) -> Heartbeat:
    return Heartbeat(tmp_path / "heartbeat")


def test_nobody_misses_a_desk_that_does_not_run(tmp_path: Path, heartbeat: Heartbeat) -> None:
    flag = KillFlag(tmp_path / "HALT")

    assert not look(heartbeat, flag, 0.0, "watchdog").is_raised

    heartbeat.beat()
    heartbeat.end()
    heartbeat.end()
    assert heartbeat.age_s() is None
    assert not look(heartbeat, flag, 0.0, "watchdog").is_raised


def test_a_cold_heartbeat_raises_the_flag_once_and_says_how_cold(tmp_path: Path, heartbeat: Heartbeat) -> None:
    flag = KillFlag(tmp_path / "HALT")
    heartbeat.beat()
    assert not look(heartbeat, flag, 30.0, "watchdog").is_raised

    then = os.stat(heartbeat.path).st_mtime - 60
    os.utime(heartbeat.path, (then, then))
    finding = look(heartbeat, flag, 30.0, "watchdog")

    assert finding.raised_now
    note = flag.read()
    assert note is not None
    assert note.by == "watchdog"
    assert note.reason.startswith("no heartbeat for 6")
    assert not look(heartbeat, flag, 30.0, "watchdog").raised_now


def test_a_flag_that_a_person_raised_is_left_as_it_is(tmp_path: Path, heartbeat: Heartbeat) -> None:
    flag = KillFlag(tmp_path / "HALT")
    flag.hoist(FlagNote("ann", "smoke", "now"))
    heartbeat.beat()

    finding = look(heartbeat, flag, -1.0, "watchdog")

    assert finding.is_raised
    assert not finding.raised_now
    assert flag.read() == FlagNote("ann", "smoke", "now")


def test_a_beat_costs_no_write_before_a_second_has_passed(heartbeat: Heartbeat) -> None:
    heartbeat.beat()
    heartbeat.path.unlink()

    heartbeat.beat()

    assert not heartbeat.path.exists()
    assert BEAT_S == 1.0
