"""Plays recorded days on a log in memory: for tests that compare whole runs and keep none of them."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from datetime import date

from parley.agents.llm.port import ChatModel
from parley.agents.llm.rules import RulesModel
from parley.desk.desk import RunPlan, build_desk, run_started
from parley.desk.settings import Settings
from parley.domain.events import Event
from parley.evals.days import RecordedDays
from parley.gate.limits import Limits, load_limits
from parley.market.cards import DataSet
from parley.memory.log import EventLog
from parley.storage.sql import open_in_memory


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
