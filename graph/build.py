"""Wires the nodes into one LangGraph state machine; compiled once and used for every decision of a run."""

import os
from typing import Any

# Read once when the saver is imported: a checkpoint may only be rebuilt into the types that it lists.
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from .commit import EndNodes
from .nodes import AgentNodes
from .ports import Ports
from .state import DeskState
from .views import SourceNodes

MAX_DRAFTS = 2
"""One plan, and at most one that was scaled after a veto."""

Graph = CompiledStateGraph[Any, Any, Any, Any]


def build_graph(ports: Ports, checkpointer: BaseCheckpointSaver[Any] | None) -> Graph:
    """The decision graph over these ports; with a checkpointer every finished node survives a crash."""
    ends, sources, agents = EndNodes(ports), SourceNodes(ports), AgentNodes(ports)
    views = {
        "technical": sources.technical,
        "sentiment": sources.sentiment,
        "microstructure": sources.microstructure,
        "macro": sources.macro,
        **{view.name: sources.further(view) for view in ports.views},
    }

    async def after_observe(state: DeskState) -> list[str]:
        """A refusal ends the pass; an intent goes straight to the gate with no model on its way."""
        if state.get("refusal"):
            return ["commit"]
        return ["gate"] if state.get("intent") is not None else list(views)

    graph = StateGraph(DeskState)
    graph.add_node("observe", ends.observe)
    for name, node in views.items():
        graph.add_node(name, node)
    graph.add_node("analyst", agents.analyst)
    graph.add_node("risk", agents.risk)
    graph.add_node("optimizer", agents.optimizer)
    graph.add_node("execution", agents.execution)
    graph.add_node("consensus", agents.consensus)
    graph.add_node("gate", agents.gate)
    graph.add_node("commit", ends.commit)
    graph.add_edge(START, "observe")
    graph.add_conditional_edges("observe", after_observe, [*views, "gate", "commit"])
    graph.add_edge(list(views), "analyst")
    graph.add_edge("analyst", "risk")
    graph.add_edge("risk", "optimizer")
    graph.add_conditional_edges("optimizer", after_optimizer, ["execution", "commit"])
    graph.add_conditional_edges("execution", after_execution, ["consensus", "gate"])
    graph.add_conditional_edges("consensus", after_consensus, ["gate", "commit"])
    graph.add_conditional_edges("gate", after_gate, ["optimizer", "commit"])
    graph.add_edge("commit", END)
    return graph.compile(checkpointer=checkpointer)


# The edges are asynchronous like the nodes: a plain function would cost a hop to a thread and back.


async def after_optimizer(state: DeskState) -> str:
    """On most days nothing needs trading: then there is nothing to advise on, to vote on or to review."""
    return "execution" if state["drafts"][-1].legs else "commit"


async def after_execution(state: DeskState) -> str:
    """A plan that was scaled after a veto has had its votes: it can only have become smaller since."""
    return "gate" if state.get("verdicts") else "consensus"


async def after_consensus(state: DeskState) -> str:
    """A plan whose every leg lost its support is no plan."""
    return "gate" if state["plan"].legs else "commit"


async def after_gate(state: DeskState) -> str:
    """A first veto of an agents' plan goes back once to be scaled; everything else is committed."""
    verdicts = state.get("verdicts", [])
    if state.get("intent") is not None or not verdicts or verdicts[-1].approved:
        return "commit"
    return "optimizer" if len(state["drafts"]) < MAX_DRAFTS else "commit"
