"""The decision graph for LangGraph's development server and studio, with every default: see `langgraph.json`.

It decides on the built-in data with the deterministic model, as `parley decide` does: from an all-cash book, at the
close of one day. Its log is in memory and nothing is traded.
"""

from ..agents.llm.rules import RulesModel
from ..desk.desk import Desk, RunPlan, build_desk
from ..desk.settings import Settings
from ..domain.decisions import Snapshot
from ..domain.portfolio import Portfolio
from ..gate.limits import load_limits
from ..graph.build import Graph
from ..graph.studio import build_studio
from ..market.datasets import load_data
from ..memory.log import EventLog
from ..storage.sql import open_in_memory
from .deciding import decision_document, session_at
from .preparing import DEFAULT_DATA, DEFAULT_SEED


def studio_graph() -> Graph:
    """Takes `as_of` and gives `document`, that of `parley decide --json`."""
    desk = _desk()
    cash = desk.settings.cash

    def snapshot_at(as_of: str) -> Snapshot:
        return desk.snapshot(session_at(desk.history, as_of), Portfolio(cash=cash), cash, cash)

    return build_studio(desk.ports, snapshot_at, decision_document)


def _desk() -> Desk:
    """A desk with every default. The server imports this in one thread and runs it in another, never in two at once."""
    settings, limits, data = Settings(), load_limits(), load_data(DEFAULT_DATA)
    model = RulesModel(settings.llm.text_hit_rate)
    last = data.history().last_session
    plan = RunPlan(data.card.name, (last,), model.name, DEFAULT_SEED)
    log = EventLog(open_in_memory(one_thread=False))
    return build_desk(settings, limits, data, plan, log, model, None)


graph = studio_graph()
