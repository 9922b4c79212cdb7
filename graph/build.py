"""Wires the nodes into one LangGraph state machine; compiled once and used for every decision of a run."""

import os
from typing import Any

# Read once when the saver is imported: a checkpoint may only be rebuilt into the types listed below.
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from .commit import EndNodes
from .nodes import AgentNodes
from .ports import Ports
from .state import DeskState
from .views import SourceNodes

SOURCES = ("technical", "sentiment", "microstructure", "macro")
MAX_REVIEWS = 2
"""One plan, and at most one that was scaled after a veto."""

Graph = CompiledStateGraph[Any, Any, Any, Any]


def build_graph(ports: Ports, checkpointer: BaseCheckpointSaver[Any] | None) -> Graph:
    """The decision graph over these ports; with a checkpointer every finished node survives a crash."""
    ends, sources, agents = EndNodes(ports), SourceNodes(ports), AgentNodes(ports)
    graph = StateGraph(DeskState)
    graph.add_node("observe", ends.observe)
    for name in SOURCES:
        graph.add_node(name, getattr(sources, name))
    for name in ("analyst", "risk", "optimizer", "execution", "consensus", "gate"):
        graph.add_node(name, getattr(agents, name))
    graph.add_node("commit", ends.commit)
    graph.add_edge(START, "observe")
    graph.add_conditional_edges("observe", after_observe, [*SOURCES, "gate", "commit"])
    graph.add_edge(list(SOURCES), "analyst")
    for before, after in (
        ("analyst", "risk"),
        ("risk", "optimizer"),
        ("optimizer", "execution"),
        ("execution", "consensus"),
        ("consensus", "gate"),
    ):
        graph.add_edge(before, after)
    graph.add_conditional_edges("gate", after_gate, ["optimizer", "commit"])
    graph.add_edge("commit", END)
    return graph.compile(checkpointer=checkpointer)


async def after_observe(state: DeskState) -> list[str]:
    """A refusal ends the pass; an intent goes straight to the gate with no model on its way.

    Asynchronous like the nodes, since a plain function would cost a hop to a thread and back.
    """
    if state.get("refusal") and state.get("intent") is None:
        return ["commit"]
    return ["gate"] if state.get("intent") is not None else list(SOURCES)


async def after_gate(state: DeskState) -> str:
    """A first veto of an agents' plan goes back once to be scaled; everything else is committed."""
    verdicts = state.get("verdicts", [])
    if state.get("intent") is not None or not verdicts or verdicts[-1].approved:
        return "commit"
    return "optimizer" if len(verdicts) < MAX_REVIEWS else "commit"
