"""Runs one decision through the graph: start, resume after a crash, and hand back what was decided."""

from typing import Any

from ..domain.canonical import short_id
from ..domain.decisions import Decision, Intent, Snapshot
from .build import Graph, build_graph
from .checkpoints import forget, open_checkpoints
from .errors import UndecidedRun
from .ports import Ports


OUTPUT = ["decision"]
"""The one channel read at the end; reading all of them after every step would cost a fifth of a decision."""


class DecisionGraph:
    """The compiled graph of a run. Checkpoints are kept only for models whose answers are worth keeping:

    a deterministic model's decision is cheaper to make again than to save, a language model's is not.
    """

    def __init__(self, ports: Ports, checkpoint_path: str | None) -> None:
        self._run_id = ports.run_id
        self._saver = open_checkpoints(checkpoint_path) if checkpoint_path else None
        self._graph: Graph = build_graph(ports, self._saver)

    async def decide(self, snapshot: Snapshot, intent: Intent | None = None) -> Decision:
        """The decision at the snapshot's moment; continues a pass that a crash cut off at its last node."""
        decision_id = decision_id_of(self._run_id, snapshot, intent)
        begin: dict[str, Any] | None = {"decision_id": decision_id, "snapshot": snapshot, "intent": intent}
        if self._saver is None:
            return _decided(await self._graph.ainvoke(begin, output_keys=OUTPUT))
        config: Any = {"configurable": {"thread_id": decision_id}}
        if self._saver.get_tuple(config) is not None:
            begin = None
        state = await self._graph.ainvoke(begin, config, durability="sync", output_keys=OUTPUT)
        forget(self._saver, decision_id)
        return _decided(state)


def decision_id_of(run_id: str, snapshot: Snapshot, intent: Intent | None) -> str:
    """The same run, moment and intent always give the same decision id."""
    return short_id("dec", run_id, snapshot.as_of.isoformat(), intent.intent_id if intent else "scheduled")


def _decided(state: dict[str, Any]) -> Decision:
    decision = state.get("decision")
    if not isinstance(decision, Decision):
        raise UndecidedRun(
            f"the pass ended without a decision; its state holds {sorted(state)}",
            remedy="Delete the run's checkpoints.db and resume.",
        )
    return decision
