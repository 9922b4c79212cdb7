"""The decision graph between a day and a document: what LangGraph's studio is given, in JSON on both sides."""

from collections.abc import Callable
from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph

from ..domain.decisions import Decision, Snapshot
from .build import Graph, build_graph
from .ports import Ports
from .run import decision_id_of
from .state import DeskState
from .wiring import wiring_of


class Asked(TypedDict):
    """What a run of the graph is given."""

    as_of: str
    """A day, YYYY-MM-DD, or a moment: the last close before it is decided on."""


class Told(TypedDict):
    """What it gives: the decision's document."""

    document: dict[str, Any]


class StudioState(DeskState, Asked, Told):
    """The decision's own state, between the day that was asked for and what is told of it."""


def build_studio(
    ports: Ports, snapshot_at: Callable[[str], Snapshot], tell: Callable[[Decision], dict[str, Any]]
) -> Graph:
    """Three steps: the day becomes a snapshot, the desk's graph decides on it, and the decision becomes a document."""

    async def snapshot(state: StudioState) -> dict[str, Any]:
        taken = snapshot_at(state["as_of"])
        return {"snapshot": taken, "intent": None, "decision_id": decision_id_of(ports.run_id, taken, None)}

    async def document(state: StudioState) -> dict[str, Any]:
        return {"document": tell(state["decision"])}

    graph = StateGraph(StudioState, input_schema=Asked, output_schema=Told)
    graph.add_node("snapshot", snapshot)
    graph.add_node("decide", build_graph(wiring_of(ports), None))
    graph.add_node("document", document)
    graph.add_edge(START, "snapshot")
    graph.add_edge("snapshot", "decide")
    graph.add_edge("decide", "document")
    graph.add_edge("document", END)
    return graph.compile(name="parley")
