"""Plays recorded days on a log in memory: for suites that compare whole runs and keep none of them."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from datetime import date

from ..agents.llm.port import ChatModel
from ..agents.llm.rules import RulesModel
from ..desk.desk import RunPlan, build_desk, run_started
from ..desk.settings import Settings
from ..domain.events import Event
from ..gate.limits import Limits, load_limits
from ..market.cards import DataSet
from ..memory.log import EventLog
from ..storage.sql import open_in_memory
from .days import RecordedDays


def rehearse(
    data: DataSet,
    sessions: Sequence[date],
    *,
    model: ChatModel | None = None,
    seed: int = 7,
    settings: Settings | None = None,
    limits: Limits | None = None,
) -> tuple[Event, ...]:
    """Every event of a run over these sessions, by the `rules` model unless another is given."""
    settings, limits = settings or Settings(), limits or load_limits()
    model = model or RulesModel(settings.llm.text_hit_rate)
    plan = RunPlan(data.card.name, tuple(sessions), model.name, seed)
    with closing(open_in_memory()) as database:
        log = EventLog(database)
        desk = build_desk(settings, limits, data, plan, log, model, None)
        started = run_started(settings, limits, data, plan)
        asyncio.run(RecordedDays(desk, plan.sessions, seed, started).run())
        return tuple(log.read())
