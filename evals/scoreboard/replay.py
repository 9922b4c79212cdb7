"""Plays the desk over recorded days for the scoreboard, and says from which day on it can decide at all."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from datetime import date

from ...desk.desk import RunPlan, build_desk, run_started
from ...desk.settings import Settings
from ...gate.limits import Limits
from ...market.cards import DataSet
from ...memory.log import EventLog
from ...storage.sql import open_in_memory
from ...tools.scene import WINDOW_DAYS
from ..arms.models import model_named
from ..days import RecordedDays
from ..errors import NothingToDecide
from .day_path import DayPath, path_of_log


def decidable(data: DataSet, start: date | None = None, end: date | None = None) -> tuple[date, ...]:
    """The sessions from `start` to `end` that have a whole window of closes behind them: the days that are judged.

    Raises NothingToDecide where fewer than two are left, and NoSessions where there are none at all.
    """
    history = data.history()
    sessions = history.sessions_between(start, end)
    rows = history.rows_of(sessions)
    judged = tuple(session for session, row in zip(sessions, rows.tolist(), strict=True) if row > WINDOW_DAYS)
    if len(judged) < 2:
        raise NothingToDecide(
            f"{data.card.name}: {len(judged)} of {len(sessions)} sessions have {WINDOW_DAYS + 1} closes behind them, "
            "and a desk needs two of those to decide on one and trade in the next",
            remedy="Choose a later span or a longer data set, or put earlier prices in front of it (docs/data.md).",
        )
    return judged


def played(
    name: str, data: DataSet, sessions: Sequence[date], model_name: str, seed: int, settings: Settings, limits: Limits
) -> DayPath:
    """A run over these sessions on a log in memory, of which the path is kept."""
    model = model_named(model_name, settings.llm, seed)
    plan = RunPlan(name, tuple(sessions), model.name, seed)
    with closing(open_in_memory()) as database:
        log = EventLog(database)
        desk = build_desk(settings, limits, data, plan, log, model, None)
        started = run_started(settings, limits, data, plan)
        asyncio.run(RecordedDays(desk, plan.sessions, seed, started).run())
        return path_of_log(log, settings.cash, data.universe)
