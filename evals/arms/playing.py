"""Plays one arm over one stretch of recorded days on a log in memory, and keeps what arms are compared by."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date

import numpy as np

from ...desk.desk import RunPlan, build_desk, run_started
from ...desk.settings import Settings
from ...domain.decisions import Decision
from ...domain.events import DecisionMade
from ...domain.sessions import session_text
from ...gate.limits import Limits
from ...market.cards import DataSet
from ...memory.agent_scores import CastVote, NodeCost
from ...memory.log import EventLog
from ...memory.orders_view import OrderRecord
from ...memory.performance_view import SessionRecord
from ...memory.views import ReadModels
from ...quant.arrays import FloatArray
from ...storage.sql import open_in_memory
from ..days import RecordedDays
from ..summary import trading_costs
from .agent_figures import AgentFigures, agent_figures
from .masking import Mask, masked
from .models import model_named
from .reach import REACHES
from .shuffling import with_shuffled_texts
from .table import NO_LLM, Arm
from .widest import widest_limits


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What all arms of an experiment have in common."""

    data: DataSet
    settings: Settings
    limits: Limits
    model: str
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """One arm's run. Names, days and shares are the real ones, under a mask too."""

    sessions: tuple[date, ...]
    equity: FloatArray
    """(n_sessions,) at each close, net of costs."""
    traded: float
    """In currency, buys plus sells."""
    costs: float
    legs: tuple[Mapping[str, int], ...]
    """By session, the signed quantities that were approved at its close."""
    signals: tuple[Mapping[str, tuple[str, int]], ...]
    """By session and instrument, side and confidence."""
    decisions: int
    vetoed: int
    abstentions: int
    reached: int
    """How many decisions the arm could have changed."""
    nodes: tuple[NodeCost, ...]
    agents: AgentFigures

    @property
    def calls(self) -> int:
        return sum(node.calls for node in self.nodes)

    @property
    def prompt_tokens(self) -> int:
        return sum(node.prompt_tokens for node in self.nodes)

    @property
    def completion_tokens(self) -> int:
        return sum(node.completion_tokens for node in self.nodes)


def with_settings(settings: Settings, changes: Mapping[str, str]) -> Settings:
    """The settings with some laid over them, by dotted name; what is laid over is checked like any other."""
    # Only what was set: a default that is spelled out would be another question to a model.
    data = settings.model_dump(exclude_unset=True)
    for name, value in changes.items():
        *folders, last = name.split(".")
        place = data
        for folder in folders:
            place = place.setdefault(folder, {})
        place[last] = value
    return Settings.model_validate(data)


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """All that is looked at of one arm's run, in the names and days it was played under."""

    data: DataSet
    mask: Mask | None
    decisions: tuple[Decision, ...]
    votes: tuple[CastVote, ...]
    closes: tuple[SessionRecord, ...]
    orders: tuple[OrderRecord, ...]
    nodes: tuple[NodeCost, ...]
    costs: float


def played(arm: Arm, ground: Ground, sessions: Sequence[date]) -> Played:
    """The whole arm from an all-cash book: everything beside what it changes is the same to the byte."""
    found = record(arm, ground, sessions)
    days = [decision.snapshot.session for decision in found.decisions]
    return Played(
        sessions=tuple(sessions),
        equity=np.array([float(item.equity) for item in found.closes]),
        traded=float(sum(item.traded for item in found.closes)),
        costs=found.costs,
        legs=tuple(_legs(decision, found.mask) for decision in found.decisions),
        signals=tuple(_signals(decision, found.mask) for decision in found.decisions),
        decisions=len(found.decisions),
        vetoed=sum(decision.kind == "vetoed" for decision in found.decisions),
        abstentions=sum(len(decision.abstentions) for decision in found.decisions),
        reached=sum(map(REACHES[arm.reach], found.decisions)),
        nodes=found.nodes,
        agents=agent_figures(
            found.decisions, found.orders, found.data, _returns_by_row(found.data, days, found.closes)
        ),
    )


def record(arm: Arm, ground: Ground, sessions: Sequence[date]) -> Record:
    """Plays the arm, and reads its log before it is gone."""
    settings = with_settings(ground.settings, arm.settings)
    limits = widest_limits(ground.limits) if arm.has_widest_limits else ground.limits
    data, days, mask = ground.data, tuple(sessions), None
    if arm.inputs == "shuffled texts":
        data = with_shuffled_texts(data)
    elif arm.inputs == "masked":
        data, mask = masked(data, ground.seed)
        days, limits = tuple(mask.sessions[day] for day in days), mask.limits(limits)
    model = model_named(NO_LLM if arm.is_no_llm else ground.model, settings.llm, ground.seed)
    plan = RunPlan(data.card.name, days, model.name, ground.seed)
    with closing(open_in_memory()) as database:
        views = ReadModels(database)
        log = EventLog(database, views)
        desk = build_desk(settings, limits, data, plan, log, model, None)
        asyncio.run(RecordedDays(desk, days, ground.seed, run_started(settings, limits, data, plan)).run())
        return Record(
            data=data,
            mask=mask,
            decisions=tuple(_decisions(log)),
            votes=views.votes(),
            closes=views.performance(),
            orders=views.orders(),
            nodes=views.node_costs(),
            costs=trading_costs(log),
        )


def _decisions(log: EventLog) -> Iterator[Decision]:
    for event in log.read(types=(DecisionMade,)):
        payload = event.decoded()
        assert isinstance(payload, DecisionMade), "read by its type"
        yield payload.decision


def _legs(decision: Decision, mask: Mask | None) -> Mapping[str, int]:
    """Nothing where nothing was approved."""
    legs = decision.plan.legs if decision.plan is not None and decision.kind == "trade" else ()
    signed = {leg.symbol: leg.side.sign * leg.quantity for leg in legs}
    return signed if mask is None else mask.unmasked(signed)


def _signals(decision: Decision, mask: Mask | None) -> Mapping[str, tuple[str, int]]:
    real = {} if mask is None else {name: symbol for symbol, name in mask.symbols.items()}
    return {real.get(item.symbol, item.symbol): (item.side.value, item.confidence) for item in decision.signals}


def _returns_by_row(data: DataSet, days: Sequence[date], closes: Sequence[SessionRecord]) -> Mapping[int, float]:
    """The book's return up to the close of each row of the data set; without the first, before which it was cash."""
    rows = data.history().rows_of(days).tolist()
    equity = [float(item.equity) for item in closes]
    return {row: after / before - 1.0 for row, before, after in zip(rows[1:], equity, equity[1:], strict=False)}


def days_text(sessions: Sequence[date]) -> list[str]:
    """Days as the record writes them."""
    return [session_text(day) for day in sessions]
