"""Plays a desk of which single parts are others: how a probe, or a planted bug, stands in a part's place."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date

from ...agents.llm.port import ChatModel
from ...agents.llm.rules import RulesModel
from ...agents.views import View
from ...desk.desk import Desk, RunPlan, build_desk, run_started
from ...desk.settings import Settings
from ...domain.events import Event
from ...gate.limits import load_limits
from ...graph.ports import Ports
from ...graph.run import DecisionGraph
from ...market.cards import DataSet
from ...memory.log import EventLog
from ...memory.recall import LessonSource, Recall
from ...storage.sql import open_in_memory
from ..days import RecordedDays
from ..venues import VenueOf

SEED = 7


@dataclass(frozen=True)
class Rig:
    """The parts of a desk that are not the usual ones; a rig of nothing is the desk as it is."""

    settings: Settings | None = None
    model: ChatModel | None = None
    around: Callable[[ChatModel], ChatModel] | None = None
    """What a client puts around the model that a probe brings."""
    views_of: Callable[[DataSet], Iterable[View]] | None = None
    """Further views of the analyst, made from the data they are said to read."""
    data_of: Callable[[DataSet], DataSet] | None = None
    """Another door to the data."""
    ports_of: Callable[[Ports], Ports] | None = None
    """What the nodes are given, changed."""
    venue_of: Callable[[Desk], VenueOf] | None = None
    recall_of: Callable[[LessonSource], Recall] | None = None
    """The memory that is asked."""


AS_IT_IS = Rig()


def play(data: DataSet, sessions: tuple[date, ...], until: date, rig: Rig = AS_IT_IS) -> tuple[Event, ...]:
    """Every event of a run that was planned for these sessions, and taken no further than `until`."""
    settings, model = rig.settings or Settings(), rig.model or RulesModel()
    limits = load_limits(settings.limits_file)
    seen = data if rig.data_of is None else rig.data_of(data)
    plan = RunPlan(data.card.name, sessions, model.name, SEED)
    played = tuple(session for session in sessions if session <= until)
    with closing(open_in_memory()) as database:
        log = EventLog(database)
        desk = _with_ports(build_desk(settings, limits, seen, plan, log, model, None), data, rig)
        started = run_started(settings, limits, seen, plan)
        venue_of = None if rig.venue_of is None else rig.venue_of(desk)
        asyncio.run(RecordedDays(desk, played, SEED, started, venue_of=venue_of).run())
        return tuple(log.read())


def _with_ports(desk: Desk, data: DataSet, rig: Rig) -> Desk:
    ports = desk.ports
    if rig.views_of is not None:
        ports = replace(ports, views=(*ports.views, *rig.views_of(data)))
    if rig.ports_of is not None:
        ports = rig.ports_of(ports)
    return desk if ports is desk.ports else replace(desk, ports=ports, graph=DecisionGraph(ports, None))
