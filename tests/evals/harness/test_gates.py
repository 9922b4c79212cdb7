"""Gates: what holds, what fails, what is missing or too few; and the suites' files that they and the table read."""

from pathlib import Path

import pytest
from parley.evals.errors import GatesInvalid, SuiteInvalid, SuiteUnknown
from parley.evals.harness.gates import Gate, judge, read_gates
from parley.evals.harness.options import SuiteOptions
from parley.evals.harness.suite import Suite, read_suite
from parley.evals.harness.task import Figure, Summary
from parley.evals.suites.table import builder_of, chosen, suites
from parley.service.evaluating import ABOVE

FIGURES = Summary(
    (
        Figure("rate", 0.95, "frac", 0.9, 0.98, 200),
        Figure("none", None, "frac", n=500),
        Figure("odd", float("nan"), "frac", n=500),
    )
)


def gate(figure: str, operator: str, threshold: float, **more: object) -> Gate:
    asked = {"suite": "s", "figure": figure, "operator": operator, "threshold": threshold, "min_n": 100, "why": "so"}
    return Gate.model_validate({**asked, **more})


@pytest.mark.parametrize(
    ("asked", "passes", "reason"),
    [
        (gate("rate", ">=", 0.95), True, ""),
        (gate("rate", ">", 0.95), False, "it is 0.95, not > 0.95"),
        (gate("rate", "<=", 0.95), True, ""),
        (gate("rate", "<", 0.95), False, "not < 0.95"),
        (gate("rate", "==", 0.95), True, ""),
        (gate("rate", ">=", 0.92, bound="low"), False, "it is 0.9"),
        (gate("rate", "<=", 0.98, bound="high"), True, ""),
        (gate("rate", ">=", 0.9, min_n=201), False, "200 observations, 201 are needed"),
        (gate("none", ">=", 0.0), False, "it has no value"),
        (gate("odd", ">=", 0.0), False, "it is nan"),
        (gate("odd", "<=", 0.0), False, "it is nan"),
        (gate("absent", ">=", 0.0), False, "there is no figure 'absent'"),
    ],
)
def test_a_gate_holds_or_says_why_not(asked: Gate, passes: bool, reason: str) -> None:
    (judged,) = judge([asked], "s", FIGURES)

    assert judged.passed is passes
    assert reason in judged.reason
    assert judged.is_short == ("are needed" in reason)


def test_only_the_gates_of_the_suite_are_judged() -> None:
    assert judge([gate("rate", ">=", 0.0, suite="other")], "s", FIGURES) == []


def test_the_house_has_gates_for_suites_there_are() -> None:
    gates = read_gates()

    assert {item.suite for item in gates} <= set(suites())
    assert {"faults", "injection", "veto", "leakage", "faithfulness"} <= {item.suite for item in gates}


@pytest.mark.parametrize("text", ["gate = 3", "[[gate]]\nsuite = 'x'", "not toml ["])
def test_a_file_of_gates_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gates.toml"
    path.write_text(text)

    with pytest.raises(GatesInvalid, match=r"gates\.toml"):
        read_gates(path)
    with pytest.raises(GatesInvalid, match="nowhere"):
        read_gates(tmp_path / "nowhere.toml")


def test_every_suite_has_a_task_and_words() -> None:
    assert {"faults", "injection", "faithfulness", "prompts", "determinism", "robustness", "veto", "latency"} <= set(
        suites()
    )
    for suite in suites().values():
        assert callable(builder_of(suite, ABOVE))
        assert suite.text
        assert suite.tags


def test_suites_are_chosen_by_name_and_by_tag_each_once() -> None:
    fast = {suite.name for suite in suites().values() if "fast" in suite.tags}

    assert [suite.name for suite in chosen(("veto", "faults", "veto"))] == ["veto", "faults"]
    assert {suite.name for suite in chosen(("tag:fast", "veto"))} == fast
    with pytest.raises(SuiteUnknown, match="no suite 'nothing'") as caught:
        chosen(("veto", "nothing"))
    assert "tag:fast" in caught.value.remedy
    assert "veto" in caught.value.remedy
    with pytest.raises(SuiteUnknown, match="no suite has the tag 'nothing'"):
        chosen(("tag:nothing",))


def test_a_suite_file_that_is_none_or_names_no_task_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.toml"
    path.write_text("name = 'other'\ntext = 'x'\ntask = 'a:b'\n")
    with pytest.raises(SuiteInvalid, match=r"Call the file|holds the suite 'other'"):
        read_suite(path)
    path.write_text("name = 'odd'\ncolour = 1\n")
    with pytest.raises(SuiteInvalid, match=r"odd\.toml"):
        read_suite(path)
    for task in ("nowhere:build", "veto:nothing", "nothing"):
        with pytest.raises(SuiteInvalid, match="task"):
            builder_of(Suite(name="odd", text="x", task=task), ABOVE)


def test_a_number_that_neither_the_option_nor_the_file_gives_is_refused() -> None:
    assert SuiteOptions(parameters={"seeds": 3}).count("seeds") == 3
    assert SuiteOptions(seeds=5, parameters={"seeds": 3}).count("seeds") == 5
    for bad in ({}, {"seeds": "many"}, {"seeds": True}):
        with pytest.raises(SuiteInvalid, match="'seeds'"):
            SuiteOptions(parameters=bad).count("seeds")
