"""docs/extending.md is true: its example, one file with its prompt, is a view of the desk without another line."""

import asyncio
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import parley
import pytest
from parley.agents.llm.rules import RulesModel
from parley.agents.views import View, with_views
from parley.desk.errors import SettingsInvalid
from parley.desk.further_views import further_views
from parley.domain.views import AbstainReason, Source
from parley.graph.run import DecisionGraph
from parley.prompts.loader import load_prompt

DOCUMENT = Path(parley.__file__).parent / "docs" / "extending.md"


@pytest.fixture
def bands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> View:
    """The view of the document, found as the settings would find it."""
    (code,) = re.findall(r"```python\n(# bands\.py\n.*?)```", DOCUMENT.read_text(), re.DOTALL)
    (tmp_path / "bands.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "bands", raising=False)
    (view,) = further_views(["bands:VIEW"])
    return view


def decided(bench: Any, *views: View) -> Any:
    model = bench.Scripted(lambda request: bench.reply_to(request, 80))
    asked = bench.with_(model=model)
    graph = DecisionGraph(replace(asked.ports, views=views), None)
    return model, asyncio.run(graph.decide(asked.snapshot()))


def test_the_view_of_the_document_is_measured_shown_and_counted(bench: Any, bands: View):
    model, decision = decided(bench, bands)
    _, without = decided(bench)

    (seen,) = [view for view in decision.views if view.name == "bands"]
    assert seen.source is Source.TECHNICAL and len(seen.scores) == 20 and seen.evidence
    (request,) = [request for request in model.asked if request.prompt.name == "analyst/views"]
    assert "bands: where the last close stands" in request.prompt.system
    rows = json.loads(request.facts)["rows"]
    assert {row["bands"].partition(" ")[0] for row in rows} <= {"GOOD", "MIXED", "BAD"}
    assert decision.llm_calls == without.llm_calls
    assert all(sum(signal.attribution.values()) == pytest.approx(1.0) for signal in decision.signals)
    assert [signal.attribution for signal in decision.signals] != [signal.attribution for signal in without.signals]


def test_the_rules_decide_with_a_further_view_as_they_do_without(bench: Any, bands: View):
    graph = DecisionGraph(replace(bench.ports, views=(bands,)), None)
    with_it = asyncio.run(graph.decide(bench.snapshot()))

    assert RulesModel.name == with_it.snapshot.model
    assert [s.side for s in with_it.signals] == [s.side for s in bench.with_().decide().signals]


def test_a_view_with_nothing_to_say_abstains(bench: Any, bands: View):
    _, decision = decided(bench, replace(bands, measure=lambda ledger, scene: None))

    assert ("bands", AbstainReason.NO_DATA) in {(item.who, item.reason) for item in decision.abstentions}


def test_the_hash_of_the_prompt_says_which_views_it_speaks_of(bands: View):
    plain = load_prompt("analyst/views")

    assert with_views(plain, ()) is plain
    assert with_views(plain, [bands]).hash != plain.hash
    assert with_views(plain, [bands]) == with_views(plain, [bands])
    assert with_views(plain, [bands]).system.startswith(plain.system)


@pytest.mark.parametrize(
    "place", ["bands", "bands:NOTHING", "nowhere_at_all:VIEW", "json:loads", ":VIEW", "bands:VIEW bands:VIEW"]
)
def test_a_place_without_a_view_is_refused(bands: View, place: str):
    with pytest.raises(SettingsInvalid, match=r"agents\.views") as refused:
        further_views(place.split())

    assert refused.value.remedy
