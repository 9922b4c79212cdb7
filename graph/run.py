"""Runs one decision through the graph: start, resume after a crash, and hand back what was decided."""

from collections.abc import Coroutine
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from ..domain.canonical import short_id
from ..domain.decisions import Decision, Intent, Snapshot
from .commit import record_decision
from .errors import UndecidedRun
from .ports import Ports
from .state import DeskState
from .walk import walk
from .wiring import wiring_of

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from .build import Graph
    from .checkpoints import LocalSaver

OUTPUT = ["decision"]
"""The one channel read at the end; reading all of them after every step would cost a fifth of a decision."""

AT_ONCE = ("gate", "commit")
"""The way of an intent behind `observe`, which lets every intent pass."""


class DecisionGraph:
    """The graph of a run. Checkpoints are kept only for models whose answers are worth keeping:

    a deterministic model's decision is cheaper to make again than to save, a language model's is not. Where nothing is
    kept and nobody is waited for, the wiring is walked as it is; a language model is asked by LangGraph, side by side.
    """

    def __init__(self, ports: Ports, checkpoint_path: str | None) -> None:
        self._ports = ports
        self._path = checkpoint_path or ""
        self._saver: LocalSaver | None = None
        self._graph: Graph | None = None
        self._wiring = wiring_of(ports)
        if checkpoint_path is None and ports.asking.model.is_deterministic:
            return
        # LangGraph takes longer to load than all else here, and who has no use for it needs none of it.
        from .build import build_graph
        from .checkpoints import open_checkpoints

        self._saver = open_checkpoints(checkpoint_path) if checkpoint_path else None
        self._graph = build_graph(self._wiring, self._saver)

    async def decide(self, snapshot: Snapshot, intent: Intent | None = None) -> Decision:
        """The decision at the snapshot's moment; continues a pass that a crash cut off at its last node."""
        begin: DeskState = {
            "decision_id": decision_id_of(self._ports.run_id, snapshot, intent),
            "snapshot": snapshot,
            "intent": intent,
        }
        if self._graph is None:
            return _decided(cast("dict[str, Any]", await walk(self._wiring, begin)))
        if self._saver is None:
            return _decided(await self._graph.ainvoke(begin, output_keys=OUTPUT))
        return await self._decide_durably(self._graph, self._saver, cast("dict[str, Any]", begin))

    def decide_at_once(self, snapshot: Snapshot, intent: Intent) -> Decision:
        """The same decision on an intent, for the fast loop: its way is the gate and the log, and nothing waits there.

        No model, no checkpoint and no event loop is on it, so that an exit is approved while every one of them hangs.
        """
        state: DeskState = {
            "decision_id": decision_id_of(self._ports.run_id, snapshot, intent),
            "snapshot": snapshot,
            "intent": intent,
        }
        for name in AT_ONCE:
            state |= _without_waiting(self._wiring.steps[name](state))
        return _decided(cast("dict[str, Any]", state))

    async def _decide_durably(self, graph: "Graph", saver: "LocalSaver", begin: dict[str, Any]) -> Decision:
        """With a checkpoint after every node; once the decision is in the log they have done their work."""
        thread = str(begin["decision_id"])
        config: RunnableConfig = {"configurable": {"thread_id": thread}}
        from .checkpoints import readable

        with readable(self._path):
            goes_on = _has_begun(saver, config, begin)
        if not goes_on:
            saver.delete_thread(thread)
        state = await graph.ainvoke(None if goes_on else begin, config, durability="sync")
        decision = _decided(state)
        # A pass that had ended just before the crash runs no node now; the log may stand before its commit.
        record_decision(self._ports, decision, cast(DeskState, state))
        saver.delete_thread(thread)
        return decision


def decision_id_of(run_id: str, snapshot: Snapshot, intent: Intent | None) -> str:
    """The same run, moment and intent always give the same decision id."""
    return scheduled_id(run_id, snapshot.as_of) if intent is None else _id(run_id, snapshot.as_of, intent.intent_id)


def scheduled_id(run_id: str, as_of: datetime) -> str:
    """The id of the decision that a run makes at a moment of its own accord."""
    return _id(run_id, as_of, "scheduled")


def _id(run_id: str, as_of: datetime, why: str) -> str:
    return short_id("dec", run_id, as_of.isoformat(), why)


def _has_begun(saver: "LocalSaver", config: "RunnableConfig", begin: dict[str, Any]) -> bool:
    """Whether there is a pass to go on with: one that saw the same book at the same prices."""
    found = saver.get_tuple(config)
    if found is None:
        return False
    values = found.checkpoint["channel_values"]
    return all(values.get(name) == value for name, value in begin.items())


def _without_waiting(step: Coroutine[Any, Any, DeskState]) -> DeskState:
    """What a step gives that has nothing to wait for."""
    try:
        step.send(None)
    except StopIteration as done:
        return done.value
    step.close()
    raise UndecidedRun("a step of an intent's way had to wait", remedy="Decide on it through the graph.")


def _decided(state: dict[str, Any]) -> Decision:
    decision = state.get("decision")
    if not isinstance(decision, Decision):
        raise UndecidedRun(
            f"the pass ended without a decision; its state holds {sorted(state)}",
            remedy="Delete the run's checkpoints.db and resume.",
        )
    return decision
