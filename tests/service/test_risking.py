"""The risk command over real data: its contract, its page, and what it refuses."""

import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from parley.service.console import Console
from parley.service.page_proof import problems
from parley.service.reports import Report
from parley.service.risking import RiskRequest, perform_risk

WEIGHTS = "symbol,weight\nAAPL,0.3\nXOM,0.2\n"
AS_OF = ("--data", "us20", "--as-of", "2020-03-16")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights.csv"
    path.write_text(WEIGHTS)
    return path


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The document of one run of the command, made once: it is what most tests here look at."""
    folder = tmp_path_factory.mktemp("risk")
    (folder / "weights.csv").write_text(WEIGHTS)
    (folder / "settings.toml").write_text("")
    request = RiskRequest(
        "us20", folder / "weights.csv", AS_OF[-1], None, 0.99, None, folder / "book", folder / "settings.toml"
    )
    with redirect_stdout(StringIO()) as said:
        perform_risk(request, Console(as_json=True))
    return json.loads(said.getvalue())


def test_risk_of_weights_has_every_part_and_a_page(found: dict[str, Any]) -> None:
    assert found["as_of"] == "2020-03-16T20:00:00+00:00"
    assert {
        *("tail_by_method", "var_components", "simulated_book", "extreme_tail", "joint_tail", "copula_choice"),
        *("correlation_path", "risk_drivers", "recent_break", "stress_table", "shocks", "reverse_stress"),
        *("exit_costs", "liquidity_profile", "hedges", "hedge_ratios", "book_backtest"),
    } <= set(found)
    page = Path(found["html"]).read_text()
    assert page.count("data-ref=") > 200
    assert page.count('class="chart"') == 7
    assert Path(found["json"]).exists()


def test_every_number_on_the_risk_page_is_borne_out_by_its_twin(found: dict[str, Any]) -> None:
    page, twin = Path(found["html"]).read_text(), json.loads(Path(found["json"]).read_text())

    assert problems(Report(found["id"], "risk", page, twin)) == []


def test_risk_is_the_same_in_words_and_twice(parley: Any, weights: Path, found: dict[str, Any]) -> None:
    done = parley("risk", *AS_OF, "--weights", weights)

    assert done.code == 0
    assert f"{found['tail_by_method']['normal']['var']:.2%}" in done.out
    assert "Black Monday" in done.out
    page = Path(done.out.rpartition("Page: ")[2].strip())
    assert page.read_bytes() == Path(found["html"]).read_bytes()
    assert page.with_suffix(".json").read_bytes() == Path(found["json"]).read_bytes()


def test_a_section_is_printed_alone_in_the_order_of_the_report_while_the_page_keeps_all(
    parley: Any, tmp_path: Path
) -> None:
    path = tmp_path / "one.csv"
    path.write_text("symbol,weight\nKO,0.9\n")

    done = parley("risk", *AS_OF, "--weights", path, "--section", "backtest", "--section", "reverse")

    reverse, backtest = (done.out.index(text) for text in ("what would have to happen", "this book's VaR"))
    assert reverse < backtest
    assert "dated scenarios" not in done.out and "copula" not in done.out
    assert "Crises that happened" in Path(done.out.rpartition("Page: ")[2].strip()).read_text()


def test_a_section_that_does_not_exist_is_refused_with_those_that_do(parley: Any, weights: Path) -> None:
    done = parley("risk", *AS_OF, "--weights", weights, "--section", "tails", "--json")

    assert done.code == 2
    assert done.document["error"]["code"] == "settings_invalid"
    assert "tail, parts" in done.document["error"]["remedy"]


def test_a_book_of_one_name_has_a_page_that_says_what_one_name_cannot_have(parley: Any, tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("symbol,weight\nKO,0.9\n")

    found = parley("risk", *AS_OF, "--weights", path, "--json").document

    page, twin = Path(found["html"]).read_text(), json.loads(Path(found["json"]).read_text())
    assert found["copula_choice"] == {"refused": "one name has no joint tail"}
    assert "refused" in found["correlation_path"]
    assert problems(Report(found["id"], "risk", page, twin)) == []


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
