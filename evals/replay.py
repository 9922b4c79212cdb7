"""Decides a whole run again from its log, with recorded replies in place of the model, and compares every event."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..agents.errors import ReplayMiss
from ..agents.llm.recorded import ReplayModel
from ..desk.book import RunFolder
from ..desk.desk import RunPlan, build_desk
from ..desk.growth import named_data, sessions_so_far
from ..desk.remembering import recorded_calls
from ..desk.settings import Settings, settings_of_run
from ..domain.events import DecisionMade, Event, NewEvent, RunFinished, RunStarted
from ..gate.limits import parse_limits
from ..market.cards import DataSet
from ..memory.difference import first_difference
from ..memory.errors import DivergedLog
from ..memory.history import run_started
from ..memory.log import EventLog
from ..storage.sql import Database, open_sqlite
from .days import Progress, RecordedDays


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """How far a replay agreed. `is_finished` is False for a run that was cut off: its log is all that was compared.

    `model_calls` counts questions that only a live model could have answered. There is none behind a replay, so
    the first such question ends it.
    """

    identical: bool
    decisions: int
    events: int
    first_difference: str | None
    model_calls: int
    is_finished: bool


def replay_run(folder: RunFolder, on_progress: Progress = lambda done, total: None) -> ReplayResult:
    """Walk the run again over its own log, which is opened for reading only."""
    database = open_sqlite(folder.log_path, readonly=True)
    try:
        log = RecordedLog(database)
        started = run_started(log)
        data = folder.book.load(started.data)
        changed = _changed_data(data, started, settings_of_run(started.settings))
        if changed:
            return ReplayResult(False, 0, 0, changed, 0, _is_finished(log))
        return _replayed(log, started, data, on_progress)
    finally:
        database.close()


class RecordedLog(EventLog):
    """A log that is only compared with: what is appended must be there already."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._recorded = self.head()[0]

    def append(self, new_events: Sequence[NewEvent], expected: Mapping[str, int] | None = None) -> Iterator[Event]:
        place = self.head()[0]
        left = self._recorded - place
        events = tuple(super().append(new_events[:left], expected))
        # The base compares hashes. A payload that was edited under its old hash must not pass for recorded.
        for made, stored in zip(events, self.read(place), strict=True):
            if made != stored:
                found = first_difference(stored.model_dump(mode="json"), made.model_dump(mode="json"))
                where = f"{found.path}: {found.left} is recorded, {found.right} came now" if found else "its bytes"
                raise DivergedLog(f"event {stored.seq} ({stored.type}) differs from the recorded one at {where}")
        if left < len(new_events):
            raise _RecordingEnded
        return iter(events)


class _RecordingEnded(Exception):
    """The re-walk has come to the end of what was recorded: the run was cut off here."""


def _replayed(log: RecordedLog, started: RunStarted, data: DataSet, on_progress: Progress) -> ReplayResult:
    stored, is_finished = log.head()[0], _is_finished(log)
    settings = settings_of_run(started.settings)
    bounds = started.settings.get("limits")
    limits = parse_limits(bounds if isinstance(bounds, dict) else {}, f"run {started.run_id}")
    sessions = (
        sessions_so_far(data.history(), started.first_session)
        if settings.growing
        else data.history().sessions_between(started.first_session, started.last_session)
    )
    plan = RunPlan(started.data, sessions, started.model, started.seed)
    model = ReplayModel(recorded_calls(log), started.model)
    desk = build_desk(settings, limits, data, plan, log, model, None)
    days = RecordedDays(desk, sessions, started.seed, started, from_start=True)
    difference, asked = _rewalk(days, log, on_progress)
    walked = log.head()[0]
    if difference is None and walked != stored:
        difference = f"the log holds {stored} events, the replay made {walked}"
    decisions = sum(1 for _ in log.read(types=(DecisionMade,), until=walked))
    return ReplayResult(difference is None, decisions, walked, difference, asked, is_finished)


def _rewalk(days: RecordedDays, log: EventLog, on_progress: Progress) -> tuple[str | None, int]:
    """The first difference, and how many questions nobody has recorded an answer to."""
    try:
        asyncio.run(days.run(on_progress))
    except _RecordingEnded:
        return None, 0
    except DivergedLog as error:
        return error.message, 0
    except ReplayMiss as error:
        # Past the end of the log nothing was recorded: the run was cut off while it was deciding.
        return (error.message, 1) if log.is_rewalking else (None, 0)
    return None, 0


def _is_finished(log: EventLog) -> bool:
    return log.last(RunFinished) is not None


def _changed_data(data: DataSet, started: RunStarted, settings: Settings) -> str | None:
    found = named_data(settings, data, started.first_session)
    if found == started.data_fingerprint:
        return None
    return f"data set {started.data} is {found[:16]} now and was {started.data_fingerprint[:16]} in the run"
