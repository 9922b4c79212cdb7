"""Decides a whole run again from its log, with recorded replies in place of the model, and compares every event."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from shutil import copyfile
from tempfile import TemporaryDirectory

from ..agents.llm.recorded import ReplayModel
from ..desk.book import RunFolder, open_log
from ..desk.desk import RunPlan, build_desk
from ..desk.settings import settings_of_run
from ..domain.decisions import ModelCall
from ..domain.events import DecisionMade, ModelReplied
from ..gate.limits import parse_limits
from ..market.cards import DataSet
from ..market.datasets import load_data
from ..memory.errors import DivergedLog
from ..memory.history import run_started
from ..memory.log import EventLog
from ..storage.sql import open_sqlite
from .days import RecordedDays
from .errors import DataChanged


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """How far a replay agreed. `model_calls` counts calls to a live model: there is none to call."""

    identical: bool
    decisions: int
    events: int
    first_difference: str | None
    model_calls: int = 0


def replay_run(folder: RunFolder, on_progress: Callable[[int, int], None] = lambda done, total: None) -> ReplayResult:
    """Re-walk the run on a copy of its log; the original is only read."""
    with open_log(folder, readonly=True) as (log, _):
        started = run_started(log)
        stored = log.head()[0]
        calls = recorded_calls(log)
    data = load_data(started.data)
    _require_same(data, started.data_fingerprint, started.data)
    settings = settings_of_run(started.settings)
    limits = parse_limits(_limits(started.settings), f"run {folder.run_id}")
    sessions = data.history().sessions_between(started.first_session, started.last_session)
    plan = RunPlan(started.data, sessions, started.model, started.seed)
    with TemporaryDirectory() as scratch:
        copy = f"{scratch}/log.db"
        copyfile(folder.log_path, copy)
        database = open_sqlite(copy)
        try:
            again = EventLog(database)
            desk = build_desk(settings, limits, data, plan, again, ReplayModel(calls, started.model), None)
            days = RecordedDays(desk, sessions, started.seed, started, from_start=True)
            difference = _rewalked(days, on_progress)
            walked = again.head()[0]
            decisions = sum(1 for _ in again.read(types=(DecisionMade,), until=walked))
        finally:
            database.close()
    if difference is None and walked != stored:
        difference = f"the log holds {stored} events, the replay made {walked}"
    return ReplayResult(difference is None, decisions, walked, difference)


def recorded_calls(log: EventLog) -> list[ModelCall]:
    """Every recorded model call, in order."""
    replies = (event.decoded() for event in log.read(types=(ModelReplied,)))
    return [call for reply in replies if isinstance(reply, ModelReplied) for call in reply.calls]


def _rewalked(days: RecordedDays, on_progress: Callable[[int, int], None]) -> str | None:
    try:
        asyncio.run(days.run(on_progress))
    except DivergedLog as error:
        return error.message
    return None


def _limits(settings: dict[str, object]) -> dict[str, object]:
    limits = settings.get("limits")
    return limits if isinstance(limits, dict) else {}


def _require_same(data: DataSet, fingerprint: str, name: str) -> None:
    if data.panel.fingerprint() != fingerprint:
        raise DataChanged(
            f"data set {name} is not the one of the run: its fingerprint differs",
            remedy="Install the package version, or restore the file, that the run was made with.",
        )
