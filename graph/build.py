"""Makes the wiring into one LangGraph state machine; compiled once and used for every decision of a run."""

import os
from collections import defaultdict
from typing import Any

# Read once when the saver is imported: a checkpoint may only be rebuilt into the types that it lists.
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from .state import DeskState
from .wiring import FIRST, Choice, Wiring

Graph = CompiledStateGraph[Any, Any, Any, Any]


def build_graph(wiring: Wiring, checkpointer: BaseCheckpointSaver[Any] | None) -> Graph:
    """The decision graph of this wiring; with a checkpointer every finished node survives a crash."""
    graph = StateGraph(DeskState)
    for name, step in wiring.steps.items():
        graph.add_node(name, step)
    graph.add_edge(START, FIRST)
    leading = defaultdict[str, list[str]](list)
    for name, way in wiring.ways.items():
        if isinstance(way, Choice):
            graph.add_conditional_edges(name, way.choose, list(way.among))
        else:
            leading[END if way is None else way].append(name)
    for target, names in leading.items():
        # Of several that lead to one step, LangGraph waits for all only where it is given them as a list.
        graph.add_edge(names if len(names) > 1 else names[0], target)
    return graph.compile(checkpointer=checkpointer)
