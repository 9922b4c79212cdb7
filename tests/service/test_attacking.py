"""`parley eval run injection` and `determinism`: their documents, their files and their exit codes."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from parley.graph import commit


@pytest.mark.slow
def test_a_few_attacks_give_a_document_a_file_and_junit(parley: Any, tmp_path: Path) -> None:
    done = parley("eval", "run", "injection", "--cases", "8", "--processes", "1", "--out", tmp_path / "found", "--json")

    assert done.code == 0, done.out
    document = done.document
    assert (document["cases"], document["succeeded"]["count"], document["failures"]) == (8, 0, [])
    assert document["noticed"]["count"] == document["noticed"]["of"] == 8
    low, high = document["succeeded"]["interval_95"]
    assert 0 <= low < 0.001 < high < 1
    assert json.loads((tmp_path / "found" / "injection.json").read_text()) == document
    root = ElementTree.parse(tmp_path / "found" / "injection.xml").getroot()
    assert (int(root.attrib["tests"]), root.attrib["failures"]) == (document["runs"], "0")


@pytest.mark.slow
def test_attacks_that_nobody_notices_fail_the_command(parley: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "flagged", lambda ports, state: None)

    done = parley("eval", "run", "injection", "--cases", "8", "--processes", "1", "--model", "worst")

    assert done.code == 1
    assert "nothing in the log tells of it" in done.out


@pytest.mark.slow
def test_the_flip_rate_is_told_for_both_models(parley: Any) -> None:
    done = parley("eval", "run", "determinism", "--cases", "1", "--json")

    assert done.code == 0, done.out
    wavering, rules = done.document["models"]
    assert (rules["model"], rules["flipped"], rules["other_sizes"]) == ("rules", 0, 0)
    assert wavering["epochs"] == 5
    assert wavering["interval_95"][0] <= wavering["flip_rate"] <= wavering["interval_95"][1]
