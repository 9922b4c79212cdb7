"""The `eval` commands: the list of suites, a run's document, a counter-example written and run again."""

from pathlib import Path
from typing import Any

import pytest
from parley.execution.order_manager import OrderManager


def test_the_list_names_suites_scenarios_and_rows(parley: Any) -> None:
    listed = parley("eval", "list", "--json")

    assert listed.code == 0
    assert {"faults", "faithfulness", "prompts"} <= {item["name"] for item in listed.document["suites"]}
    assert len(listed.document["faults"]["rows"]) == 28
    assert all(bool(row["scenarios"]) != bool(row["instead"]) for row in listed.document["faults"]["rows"])
    assert "crash_points" in parley("eval", "list").out


def test_a_run_sums_up_by_scenario(parley: Any) -> None:
    done = parley("eval", "run", "faults", "--scenario", "acks", "--seeds", "2", "--processes", "1", "--json")

    assert done.code == 0, done.out
    assert (done.document["ok"], done.document["runs"], done.document["failures"]) == (True, 2, [])
    assert [item["name"] for item in done.document["scenarios"]] == ["acks"]


def test_a_broken_invariant_fails_the_command_and_leaves_a_file_to_run_again(
    parley: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(OrderManager, "lose", OrderManager.give_up)
        done = parley(
            "eval", "run", "faults", "--scenario", "acks", "--seed", "3", "--out", tmp_path / "found", "--json"
        )
        assert done.code == 1
        failure = done.document["failures"][0]
        assert (failure["seed"], failure["violations"][0]["invariant"]) == (3, "I6")
        again = parley("eval", "run", "faults", "--replay", failure["file"])
        assert again.code == 1
        assert "breaks I6" in again.out

    assert parley("eval", "run", "faults", "--replay", failure["file"]).code == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("run", "other"), "suite_unknown"),
        (("run", "faults", "--scenario", "meteor"), "fault_unknown"),
        (("run", "faults", "--replay", "nowhere.json"), "case_unreadable"),
        (("run", "faults", "--seeds", "0"), "bad_use"),
    ],
)
def test_a_bad_request_is_told_what_is_there(parley: Any, arguments: tuple[str, ...], code: str) -> None:
    done = parley("eval", *arguments, "--json")

    assert done.code == 2
    assert done.document["error"]["code"] == code
