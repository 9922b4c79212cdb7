"""`langgraph.json` names a compiled graph that decides, as LangGraph's development server loads it."""

import asyncio
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import parley as package
import pytest
from langgraph.graph.state import CompiledStateGraph

CONFIG = Path(package.__file__).parent / "langgraph.json"


@pytest.fixture(scope="module")
def graph() -> Any:
    named = json.loads(CONFIG.read_text(encoding="utf-8"))["graphs"]["parley"]
    module, name = named.split(":")
    return getattr(import_module(module), name)


def test_it_is_a_compiled_graph_that_shows_every_step_of_a_decision(graph: Any) -> None:
    assert isinstance(graph, CompiledStateGraph)
    inside = set(graph.get_graph(xray=True).nodes)
    assert {"decide:analyst", "decide:risk", "decide:optimizer", "decide:execution", "decide:gate"} <= inside


def test_a_day_goes_in_and_the_decisions_document_comes_out_the_same_each_time(graph: Any) -> None:
    first, again = (asyncio.run(graph.ainvoke({"as_of": "2012-06-04"})) for _ in range(2))

    assert list(first) == ["document"] and first == again
    assert first["document"]["as_of"] == "2012-06-04T20:00:00+00:00"
    assert first["document"]["verdict"]["approved"] is True
    assert first["document"]["legs"]
