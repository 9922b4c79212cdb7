"""The plain walk and LangGraph are two ways through one wiring: the same state, the same events, on every path."""

import asyncio
import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parley.domain.decisions import Decision, IntentKind
from parley.graph.build import build_graph
from parley.graph.run import decision_id_of
from parley.graph.walk import walk
from parley.graph.wiring import wiring_of
from parley.market.datasets import load_data

SESSIONS = st.dates(date(1991, 3, 1), date(1994, 12, 30))
LIMITS = st.sampled_from([{}, {"max_order_notional": 10_000}, {"max_order_quantity": 0}, {"max_gross": 0.2}])


def both_ways(bench: Any, snapshot: Any, intent: Any = None, **switches: Any) -> Decision:
    """Asserts that both end in the same state, and write the same events; gives what was decided."""
    ends, heads = list[dict[str, Any]](), list[list[str]]()
    for is_plain in (True, False):
        fresh = bench.with_()
        ports = replace(fresh.ports, **switches)
        begin: Any = {
            "decision_id": decision_id_of(ports.run_id, snapshot, intent),
            "snapshot": snapshot,
            "intent": intent,
        }
        wiring = wiring_of(ports)
        way = walk(wiring, begin) if is_plain else build_graph(wiring, None).ainvoke(begin)
        ends.append(dict(asyncio.run(way)))
        heads.append([event.hash for event in fresh.events()])
    assert ends[0] == ends[1] and sorted(ends[0]) == sorted(ends[1])
    assert heads[0] == heads[1] and heads[0]
    return ends[0]["decision"]


@pytest.fixture(scope="module")
def recorded() -> Any:
    """Of the shipped twenty names: loaded once, since no decision changes it."""
    return load_data("us20")


@given(day=SESSIONS, limits=LIMITS, held=st.dictionaries(st.integers(0, 19), st.integers(1, 3000), max_size=4))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_recorded_days_are_decided_alike(
    bench: Any, recorded: Any, day: date, limits: dict[str, Any], held: dict[int, int]
):
    desk = bench.with_(history=recorded.history(), universe=recorded.universe, panel=recorded.panel).tightened(**limits)
    session, symbols = desk.history.sessions_between(day)[0], recorded.panel.symbols

    both_ways(desk, desk.snapshot(session, {symbols[place]: quantity for place, quantity in held.items()}))


@pytest.mark.parametrize(
    ("limits", "kind", "reviews"),
    [
        ({}, "trade", 1),
        ({"max_order_notional": 10_000}, "trade", 2),
        ({"max_order_quantity": 0}, "vetoed", 1),
        ({"max_gross": 0}, "no_trade", 0),
    ],
)
def test_a_veto_and_its_second_draft_come_out_alike(willing: Any, limits: dict[str, Any], kind: str, reviews: int):
    decision = both_ways(willing.tightened(**limits), willing.snapshot())

    assert (decision.kind, len(decision.verdicts)) == (kind, reviews)


def test_a_plan_vetoed_twice_comes_out_alike(market: Any, willing: Any):
    def stop_trading(close: np.ndarray) -> None:
        close[-8:, 0] = np.nan

    bench = market(spoil=stop_trading).with_(model=willing.model)

    assert both_ways(bench, bench.snapshot(held={"N00": 100})).kind == "vetoed"


def test_a_debate_comes_out_alike(steady: Any):
    argued = steady.quarrel()

    assert both_ways(argued, argued.snapshot(), has_debate=True).debate is not None


@pytest.mark.parametrize("kind", IntentKind)
def test_an_intent_comes_out_alike(bench: Any, kind: IntentKind):
    intent = bench.intent("N00", kind=kind, keep_frac=0.5)

    assert both_ways(bench, bench.snapshot(held={"N00": 300}), intent).kind == "trade"


def test_a_refusal_comes_out_alike(bench: Any):
    assert both_ways(bench, bench.snapshot(equity=Decimal(0))).kind == "refused"


def test_a_model_that_fails_everywhere_comes_out_alike(bench: Any):
    silent = bench.with_(model=bench.Scripted(lambda request: "no answer"))

    decision = both_ways(silent, silent.snapshot())

    assert len(decision.abstentions) > 3


def test_a_deterministic_desk_decides_without_loading_the_framework():
    code = "import sys, parley.graph.run, parley.desk.desk; print('langgraph' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "False"
