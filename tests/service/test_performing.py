"""The performance command: its contract, its page, and what it refuses."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from parley.service.page_proof import problems
from parley.service.reports import Report

WEIGHTS = "symbol,weight\nAAPL,0.3\nXOM,0.2\n"
ASKED = ("--data", "us20", "--start", "1995-01-03", "--end", "1998-03-31")
TOOLS = {"performance_figures", "against_benchmark", "luck", "by_period", "own_attribution", "selection_luck"}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights.csv"
    path.write_text(WEIGHTS)
    return path


@pytest.fixture
def fama_french() -> Path:
    folder = Path(os.environ.get("PARLEY_SHARED_DATA", Path(__file__).resolve().parents[2].parent / "shared" / "data"))
    path = folder / "factors" / "fama_french_daily_1926_2024.parquet"
    if not path.is_file():
        reason = f"no recorded factors at {path}: set PARLEY_SHARED_DATA"
        pytest.skip(reason)
    return path


def test_weights_are_judged_with_every_tool_and_every_number_on_the_page_is_in_the_twin(
    parley: Any, weights: Path, fama_french: Path
) -> None:
    done = parley("performance", "--weights", weights, *ASKED, "--factors", fama_french, "--trials", 12, "--json")

    found = done.document
    assert done.code == 0
    assert set(found) >= TOOLS | {"factor_attribution"}
    assert found["luck"]["n_trials"] == 12
    assert "hindsight" in found["luck"]["verdict"]
    assert len(found["selection_luck"]["names"]) >= 10
    assert 0.0 <= found["selection_luck"]["probability"] <= 1.0
    parts = found["factor_attribution"]["models"]["Fama-French 5 and momentum"]
    total = sum(parts["parts_per_year"].values()) + parts["alpha_part_per_year"]
    assert total == pytest.approx(parts["total_per_year"], abs=1e-9)
    page, twin = Path(found["html"]).read_text(), json.loads(Path(found["json"]).read_text())
    assert problems(Report(found["id"], "performance", page, twin)) == []
    assert page.count("data-ref=") > 200


def test_a_run_of_a_quarter_is_judged_among_its_baselines_and_called_luck(parley: Any) -> None:
    ran = parley("run", "--data", "us20", "--start", "1993-01-04", "--end", "1993-03-19", "--json").document

    one = parley("performance", "--json").document
    text = parley("performance").out

    assert "shorter than three years" in one["luck"]["verdict"]
    assert one["luck"]["verdict"] in text
    assert one["selection_luck"]["refused"].startswith("53 days")
    figures = one["performance_figures"]
    assert f"{figures['sharpe']:.2f}" in text and f"{figures['sharpe_low']:.2f} to" in text
    shared = ("total_return", "annual_return", "sharpe", "sharpe_low", "sharpe_high", "sortino", "max_drawdown")
    for name in (*shared, "turnover", "costs_bps"):
        assert figures[name] == pytest.approx(ran["metrics"][name]), name
    page, twin = Path(one["html"]).read_text(), json.loads(Path(one["json"]).read_text())
    assert problems(Report(one["id"], "performance", page, twin)) == []
    # The run's own page says the same of the desk, and the same of a baseline as the run's document.
    rows = json.loads(Path(ran["report"]).with_suffix(".json").read_text())["derived"].values()
    shown = {row["inputs"][1]: row["output"] for row in rows if row["tool"] == "report.summary"}
    for line, metrics in (("Desk", ran["metrics"]), ("1/N", ran["baselines"]["equal_weight"])):
        for name in shared:
            assert shown[line][name] == pytest.approx(metrics[name]), (line, name)
    # The text run wrote the same files again.
    again = Path(text.rpartition("Page: ")[2].strip())
    assert again.read_text() == page and json.loads(again.with_suffix(".json").read_text()) == twin


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--data", "us20"), "--data needs --weights"),
        (("--start", "2020-01-02"), "--start needs --weights"),
        (("run-x", "--weights", "w.csv"), "a run and --weights"),
        (("--out", "page.txt"), "not an HTML file"),
        (("--factors", "none.csv"), "no such file"),
        (("--trials", "0"), "--trials"),
        ((), "no run in"),
    ],
)
def test_what_cannot_be_judged_is_refused_and_nothing_is_written(
    parley: Any, arguments: tuple[str, ...], says: str
) -> None:
    done = parley("performance", *arguments, "--json")

    assert done.code == 2
    assert says in done.document["error"]["message"]
    assert done.document["error"]["remedy"]
    assert not Path("book").exists()


def test_a_span_too_short_for_blocks_is_refused(parley: Any, weights: Path) -> None:
    span = ("--data", "us20", "--start", "2020-01-02", "--end", "2020-01-31")

    done = parley("performance", "--weights", weights, *span, "--json")

    assert done.document["error"]["code"] == "not_enough_data"
    assert "43" in done.document["error"]["message"]
