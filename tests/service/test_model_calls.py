"""Decisions by a language model over HTTP, from the command line: kept, counted, priced, bounded, and repeated."""

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from parley.agents.llm.rules import FALLBACK_MODEL, RULES, rules_reply
from parley.prompts.loader import load_prompt

AS_OF = ("--as-of", "2016-01-11")
NODES = {"analyst", "risk_manager", "portfolio_optimizer", "execution_agent"}
PRICES = 'day = 2026-11-01\ncurrency = "USD"\n[models.tiny]\nprompt = 10\ncompletion = 100\n'


@pytest.fixture(scope="module")
def fake() -> ModuleType:
    """The endpoint that the agents' tests are held against."""
    place = Path(__file__).resolve().parents[1] / "agents" / "fake_endpoint.py"
    spec = importlib.util.spec_from_file_location("fake_endpoint", place)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def endpoint(fake: Any, monkeypatch: pytest.MonkeyPatch, parley: Any) -> Iterator[Any]:
    """An endpoint whose model is as wise as the rules; the desk is set up to ask it."""
    names = {load_prompt(name).system: name for name in RULES}

    def script(body: dict[str, Any]) -> Any:
        system, user = (message["content"] for message in body["messages"])
        return fake.Act(rules_reply(names[system], user.split("```")[1].removeprefix("json\n")))

    with fake.serving(script) as server:
        monkeypatch.setenv("PARLEY_LLM_BASE_URL", server.url)
        monkeypatch.setenv("PARLEY_LLM_MODEL", "tiny")
        monkeypatch.setenv("PARLEY_LLM__RETRIES", "0")
        yield server


def decide(parley: Any, data: Path, *options: str, day: tuple[str, str] = AS_OF) -> Any:
    done = parley("decide", *day, "--data", data, "--costs", "--json", *options)
    assert done.code == 0, done.out
    return done.document


def test_the_costs_of_a_decision_are_told_per_node(parley: Any, endpoint: Any, six_names: Path):
    told = decide(parley, six_names)

    costs = told["costs"]
    assert {row["node"] for row in costs["nodes"]} == NODES
    assert {(row["calls"], row["failed"], row["prompt_tokens"]) for row in costs["nodes"]} == {(1, 0, 321)}
    assert (costs["total"]["calls"], costs["total"]["prompt_tokens"], costs["total"]["depth"]) == (4, 4 * 321, 2)
    assert costs["allowed"] == {"calls": 6, "prompt_tokens": 8_000}
    assert costs["total"]["seconds"] > 0
    assert (costs["total"]["cost"], costs["currency"]) == (None, None)
    assert len(endpoint.bodies) == 4


def test_the_costs_as_a_table_name_the_price_and_its_day(
    parley: Any, endpoint: Any, six_names: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "prices.toml").write_text(PRICES)
    monkeypatch.setenv("PARLEY_LLM__PRICES_FILE", "prices.toml")

    said = parley("decide", *AS_OF, "--data", six_names, "--costs").out

    # 4 x (321 x 10 + 12 x 100) / 1e6 = 0.01764
    assert "0.0176" in said
    assert "prices in USD as of 2026-11-01" in said
    assert "allowed: 6 calls and 8,000 prompt tokens" in said


def test_the_rules_cost_nothing_and_say_so(parley: Any, six_names: Path):
    said = parley("decide", *AS_OF, "--data", six_names, "--model", "rules", "--costs").out

    assert "nothing is billed" in said


def test_what_was_asked_and_said_can_be_listed_and_written_for_review(
    parley: Any, endpoint: Any, six_names: Path, tmp_path: Path
):
    decide(parley, six_names)

    listed = parley("model-calls", "--out", "calls.jsonl", "--json").document
    table = parley("model-calls").out

    calls = listed["calls"]
    assert {call["node"] for call in calls} == NODES
    assert all(call["is_logged"] and call["error"] is None and call["occurrence"] == 0 for call in calls)
    assert all(call["asked"][0]["content"] == load_prompt(call["prompt"]).system for call in calls)
    assert [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text().splitlines()] == calls
    assert "4 model calls, 0 failed" in table
    assert f"risk/opinion v{load_prompt('risk/opinion').version}" in table


def test_a_run_by_the_rules_lists_their_calls_without_seconds(parley: Any, six_names: Path):
    decide(parley, six_names, "--model", "rules")

    listed = parley("model-calls", "--json").document["calls"]

    assert {(call["model"], call["seconds"], call["asked"]) for call in listed} == {("rules", None, None)}


def test_a_recorded_decision_is_replayed_and_had_again_without_an_endpoint(
    parley: Any, endpoint: Any, six_names: Path, monkeypatch: pytest.MonkeyPatch
):
    first = decide(parley, six_names)
    head = parley("verify", "--json").document["head_hash"]
    endpoint.server_close()

    replayed = parley("replay", "--json").document
    monkeypatch.delenv("PARLEY_LLM_BASE_URL")
    monkeypatch.setenv("PARLEY_LLM__MODE", "replay-or-fail")
    again = decide(parley, six_names)

    assert (replayed["identical"], replayed["model_calls"]) == (True, 0)
    assert again["decision_id"] == first["decision_id"]
    assert parley("verify", "--json").document["head_hash"] == head
    assert len(endpoint.bodies) == 4


def test_without_a_recording_replay_or_fail_fails_and_replay_asks(
    parley: Any, endpoint: Any, six_names: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PARLEY_LLM__MODE", "replay-or-fail")
    failed = parley("decide", *AS_OF, "--data", six_names, "--json")
    monkeypatch.setenv("PARLEY_LLM__MODE", "replay")
    decide(parley, six_names)
    decide(parley, six_names)

    assert (failed.code, failed.document["error"]["code"]) == (2, "replay_miss")
    assert len(endpoint.bodies) == 4


def test_live_keeps_nothing_beside_the_log(
    parley: Any, endpoint: Any, six_names: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("PARLEY_LLM__MODE", "live")

    decide(parley, six_names)

    assert list(tmp_path.glob("book/runs/*/model_calls.db")) == []
    assert parley("replay", "--json").document["identical"]


def test_a_decision_that_has_spent_its_calls_asks_no_more_and_says_why(
    parley: Any, endpoint: Any, six_names: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PARLEY_LLM__DECISION__CALLS", "1")

    told = decide(parley, six_names)

    assert len(endpoint.bodies) == 1
    assert told["costs"]["total"]["failed"] == 3
    silent = {item["who"] for item in told["abstentions"] if "budget of this decision is 1 calls" in item["text"]}
    assert silent == NODES - {"analyst"}
    assert parley("replay", "--json").document["identical"]


def test_the_budget_of_a_day_is_one_for_all_runs_of_a_book(
    parley: Any, endpoint: Any, six_names: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PARLEY_LLM__DAY__CALLS", "6")

    decide(parley, six_names)
    told = decide(parley, six_names, day=("--as-of", "2016-01-08"))

    assert len(endpoint.bodies) == 6
    assert told["costs"]["total"]["failed"] == 2


def test_a_run_counts_its_own_calls_once(parley: Any, endpoint: Any, six_names: Path, monkeypatch: pytest.MonkeyPatch):
    days = ("--data", six_names, "--start", "2016-01-11", "--end", "2016-01-12", "--reports", "none", "--json")
    made = parley("run", *days).document["llm_calls"]
    monkeypatch.setenv("PARLEY_LLM__DAY__CALLS", str(made))

    parley("run", *days, "--book", "other")

    calls = parley("model-calls", "--book", "other", "--json").document["calls"]
    assert [call["error"] for call in calls] == [None] * made
    assert len(endpoint.bodies) == 2 * made > 8


@pytest.mark.parametrize(
    ("prices", "code"), [(PRICES.replace("tiny", "other"), "price_unknown"), (None, "settings_invalid")]
)
def test_a_bound_in_money_needs_a_price(
    parley: Any, endpoint: Any, six_names: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prices: Any, code: str
):
    monkeypatch.setenv("PARLEY_LLM__DAY__COST", "5")
    if prices is not None:
        (tmp_path / "prices.toml").write_text(prices)
        monkeypatch.setenv("PARLEY_LLM__PRICES_FILE", "prices.toml")

    refused = parley("decide", *AS_OF, "--data", six_names, "--json")

    assert (refused.code, refused.document["error"]["code"]) == (2, code)
    assert endpoint.bodies == []


def test_where_the_endpoint_is_gone_the_rules_decide_if_so_set_and_their_answers_bear_their_name(
    parley: Any, endpoint: Any, six_names: Path, monkeypatch: pytest.MonkeyPatch
):
    by_rules = decide(parley, six_names, "--model", "rules")
    endpoint.server_close()
    monkeypatch.setenv("PARLEY_LLM__FALLBACK", "rules")

    told = decide(parley, six_names)

    assert {row["model"] for row in told["costs"]["nodes"]} == {"tiny", FALLBACK_MODEL}
    assert [(leg["symbol"], leg["quantity"]) for leg in told["legs"]] == [
        (leg["symbol"], leg["quantity"]) for leg in by_rules["legs"]
    ]
    assert parley("replay", "--json").document["identical"]


def test_a_node_may_have_a_model_of_its_own(
    parley: Any, endpoint: Any, six_names: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PARLEY_LLM__NODES__ANALYST", "large")

    told = decide(parley, six_names)

    assert {row["node"]: row["model"] for row in told["costs"]["nodes"]} == {
        node: "large" if node == "analyst" else "tiny" for node in NODES
    }
    assert [body["model"] for body in endpoint.bodies].count("large") == 1
    assert parley("replay", "--json").document["identical"]


def test_the_doctor_asks_a_configured_endpoint_what_it_can_do(parley: Any, fake: Any, monkeypatch: pytest.MonkeyPatch):
    with fake.serving([fake.Act('{"color": "red"}')]) as server:
        monkeypatch.setenv("PARLEY_LLM_BASE_URL", server.url)
        well = parley("doctor", "--json").document
    ill = parley("doctor", "--json")

    found = {item["what"]: (item["state"], item["text"]) for item in well["findings"] if "model" in item["what"]}
    assert found["model"][0] == "ok" and 'set llm.output = "json"' in found["model"][1]
    assert found["model: schema"] == ("optional", "taken, but not enforced")
    assert found["model: stream"][0] == "ok"
    assert (ill.code, ill.document["ok"]) == (1, False)
