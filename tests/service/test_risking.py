"""The risk command over real data: its contract, its page, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from parley.service.reports import Report

from .test_pages import problems

WEIGHTS = "symbol,weight\nAAPL,0.3\nXOM,0.2\n"
AS_OF = ("--data", "us20", "--as-of", "2020-03-16")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights.csv"
    path.write_text(WEIGHTS)
    return path


def test_risk_of_weights_prints_every_part_and_writes_a_page(parley: Any, weights: Path) -> None:
    done = parley("risk", *AS_OF, "--weights", weights, "--json")

    found = done.document
    assert done.code == 0
    assert found["as_of"] == "2020-03-16T20:00:00+00:00"
    assert {"tail_by_method", "var_components", "stress_table", "shocks", "exit_costs", "hedges"} <= set(found)
    assert Path(found["html"]).read_text().count("data-ref=") > 60
    assert Path(found["json"]).exists()


def test_risk_is_the_same_in_words_and_twice(parley: Any, weights: Path) -> None:
    one = parley("risk", *AS_OF, "--weights", weights, "--json").document
    two = parley("risk", *AS_OF, "--weights", weights, "--json").document
    text = parley("risk", *AS_OF, "--weights", weights).out

    assert one == two
    assert f"{one['tail_by_method']['normal']['var']:.2%}" in text
    assert "Black Monday" in text


def test_risk_of_a_run_measures_what_it_held_at_its_last_close(parley: Any) -> None:
    parley("run", "--start", "2020-01-02", "--end", "2020-01-08", "--reports", "none")

    found = parley("risk", "--json").document

    assert found["as_of"].startswith("2020-01-08")
    assert len(found["weights"]) == 20
    assert 0.3 < sum(found["weights"].values()) < 0.7


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("symbol,weight\nNOPE,0.1\n", "row 1: 'NOPE' is not in the data set"),
        ("symbol,weight\nAAPL,0.1\nAAPL,0.2\n", "row 2: AAPL appears twice"),
        ("symbol,weight\nAAPL,much\n", "row 1: weight 'much' is not a number"),
        ("symbol,weight\nAAPL,nan\n", "row 1: weight 'nan' is not a number"),
        ("symbol,weight\nAAPL,0\n", "sum to 0"),
        ("name,share\nAAPL,0.1\n", "found name, share"),
        ("", "no rows"),
    ],
)
def test_bad_weights_are_refused_with_file_row_and_remedy(parley: Any, tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "weights.csv"
    path.write_text(text)

    done = parley("risk", *AS_OF, "--weights", path, "--json")

    assert done.code == 2
    assert done.document["error"]["code"] == "weights_invalid"
    assert says in done.document["error"]["message"]
    assert done.document["error"]["remedy"]
    assert not Path("book").exists()


def test_a_level_that_is_no_confidence_and_a_book_without_runs_are_refused(parley: Any, weights: Path) -> None:
    assert parley("risk", *AS_OF, "--weights", weights, "--level", "99", "--json").code == 2
    assert parley("risk", "--json").document["error"]["code"] == "run_unknown"


def test_every_number_on_the_risk_page_is_borne_out_by_its_twin(parley: Any, weights: Path) -> None:
    found = parley("risk", *AS_OF, "--weights", weights, "--json").document

    page, twin = Path(found["html"]).read_text(), json.loads(Path(found["json"]).read_text())

    assert problems(Report(found["id"], "risk", page, twin)) == []
