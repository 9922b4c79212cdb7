"""A pass that is cut off: what was finished is kept, the model is not asked again, and nothing is logged twice."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from parley.domain.canonical import canonical_bytes
from parley.domain.decisions import Decision
from parley.graph import commit
from parley.graph.checkpoints import open_checkpoints
from parley.graph.commit import EndNodes
from parley.graph.nodes import AgentNodes
from parley.graph.ports import Ports
from parley.graph.run import DecisionGraph
from parley.graph.views import SourceNodes
from parley.memory.log import EventLog
from parley.storage.sql import open_in_memory

NODES: dict[str, type] = {
    "observe": EndNodes,
    "technical": SourceNodes,
    "sentiment": SourceNodes,
    "microstructure": SourceNodes,
    "macro": SourceNodes,
    "analyst": AgentNodes,
    "risk": AgentNodes,
    "optimizer": AgentNodes,
    "execution": AgentNodes,
    "consensus": AgentNodes,
    "gate": AgentNodes,
    "commit": EndNodes,
}
BEFORE_THE_ANALYST = ("observe", "technical", "sentiment", "microstructure", "macro", "analyst")


class Crash(Exception):
    """The process was to end here."""


def fail_in(monkeypatch: pytest.MonkeyPatch, node: str, end: Any) -> None:
    """Let `end` happen when the node is entered; every earlier node has finished by then."""

    async def ends(self: Any, state: Any) -> Any:
        # Sources run side by side: the others get to finish first, as they would on the way to a crash.
        await asyncio.sleep(0.05)
        return end()

    monkeypatch.setattr(NODES[node], node, ends)


def crash() -> None:
    raise Crash


def decided(bench: Any, checkpoints: Path, **changes: Any) -> Decision:
    snapshot = bench.snapshot(**changes)
    return asyncio.run(bench.graph(checkpoints).decide(snapshot))


def threads(checkpoints: Path) -> set[str]:
    saver = open_checkpoints(str(checkpoints))
    found = {str(item.config.get("configurable", {}).get("thread_id")) for item in saver.list(None)}
    saver.conn.close()
    return found


@pytest.fixture(scope="module")
def uninterrupted(quiet_market: Any, tmp_path_factory: pytest.TempPathFactory) -> Decision:
    folder = tmp_path_factory.mktemp("whole")
    moody = quiet_market.with_(model=quiet_market.Moody(folder / "diary"))
    decision = decided(moody, folder / "whole.db")
    assert set(moody.model.asked().values()) == {1} and len(moody.model.asked()) == 5
    return decision


@pytest.mark.parametrize("node", NODES)
def test_a_pass_that_fails_in_a_node_goes_on_from_there_to_the_same_bytes(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uninterrupted: Decision, node: str
):
    moody, checkpoints = bench.with_(model=bench.Moody(tmp_path / "diary")), tmp_path / "cut.db"
    with monkeypatch.context() as patch:
        fail_in(patch, node, crash)
        with pytest.raises(Crash):
            decided(moody, checkpoints)
    assert moody.decisions_logged() == 0

    decision = decided(moody, checkpoints)

    assert canonical_bytes(decision) == canonical_bytes(uninterrupted)
    assert set(moody.model.asked().values()) == {1}
    assert moody.decisions_logged() == 1
    assert threads(checkpoints) == set()


@pytest.mark.parametrize("node", ["sentiment", "analyst", "consensus", "gate", "commit"])
def test_a_process_that_dies_in_a_node_leaves_the_next_one_to_finish_the_same_bytes(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uninterrupted: Decision, node: str
):
    moody, checkpoints = bench.with_(model=bench.Moody(tmp_path / "diary")), tmp_path / "cut.db"
    child = os.fork()
    if child == 0:
        # No pytest teardown in the child, whatever happens in it.
        try:
            fail_in(monkeypatch, node, lambda: os._exit(9))
            decided(moody, checkpoints)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 9
    asked_before = moody.model.asked()

    decision = decided(moody, checkpoints)

    assert canonical_bytes(decision) == canonical_bytes(uninterrupted)
    assert set(moody.model.asked().values()) == {1}
    assert ("analyst/views" in asked_before) == (node not in BEFORE_THE_ANALYST)


def test_a_crash_between_the_log_and_the_checkpoint_does_not_log_a_decision_twice(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uninterrupted: Decision
):
    moody, checkpoints = bench.with_(model=bench.Moody(tmp_path / "diary")), tmp_path / "cut.db"
    record = commit.record_decision

    def record_and_crash(ports: Ports, decision: Decision, state: Any) -> None:
        record(ports, decision, state)
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(commit, "record_decision", record_and_crash)
        with pytest.raises(Crash):
            decided(moody, checkpoints)
    assert moody.decisions_logged() == 1

    decision = decided(moody, checkpoints)

    assert canonical_bytes(decision) == canonical_bytes(uninterrupted)
    assert moody.decisions_logged() == 1
    assert set(moody.model.asked().values()) == {1}


def test_a_pass_that_had_ended_is_logged_again_when_the_log_stands_before_it(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uninterrupted: Decision
):
    moody, checkpoints = bench.with_(model=bench.Moody(tmp_path / "diary")), tmp_path / "cut.db"
    graph = moody.graph(checkpoints)
    with monkeypatch.context() as patch:
        # The first call clears a stale thread before the pass; the one that fails is the one after it.
        patch.setattr("parley.graph.checkpoints.LocalSaver.delete_thread", _fail_on_call(2))
        with pytest.raises(Crash):
            asyncio.run(graph.decide(moody.snapshot()))
    assert threads(checkpoints) == {uninterrupted.decision_id}

    fresh = moody.with_(log=EventLog(open_in_memory()))
    decision = decided(fresh, checkpoints)

    assert canonical_bytes(decision) == canonical_bytes(uninterrupted)
    assert [event.hash for event in fresh.events()] == [event.hash for event in moody.events()]
    assert set(moody.model.asked().values()) == {1}
    assert threads(checkpoints) == set()


def _fail_on_call(number: int) -> Any:
    calls: list[str] = []

    def delete_thread(self: Any, thread_id: str) -> None:
        calls.append(thread_id)
        if len(calls) == number:
            raise Crash

    return delete_thread


def test_a_pass_over_another_book_is_started_anew(bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    moody, checkpoints = bench.with_(model=bench.Moody(tmp_path / "diary")), tmp_path / "cut.db"
    with monkeypatch.context() as patch:
        fail_in(patch, "gate", crash)
        with pytest.raises(Crash):
            decided(moody, checkpoints)

    decision = decided(moody, checkpoints, held={"N00": 500})

    assert decision.snapshot.portfolio.quantity("N00") == 500
    assert moody.model.asked()["analyst/views"] == 2


def test_with_checkpoints_a_decision_is_the_same_bytes_as_without(bench: Any, tmp_path: Path):
    plain, durable = bench.with_(), bench.with_()

    without = plain.decide()
    with_them = decided(durable, tmp_path / "some.db")

    assert canonical_bytes(with_them) == canonical_bytes(without)
    assert [event.hash for event in plain.events()] == [event.hash for event in durable.events()]


def test_an_intent_is_decided_through_checkpoints_too(bench: Any, tmp_path: Path):
    graph: DecisionGraph = bench.graph(tmp_path / "some.db")

    decision = asyncio.run(graph.decide(bench.snapshot(held={"N00": 300}), bench.intent("N00")))

    assert decision.kind == "trade" and decision.intent is not None
    assert threads(tmp_path / "some.db") == set()
