"""The portfolio command over real data: its contract, its page, its weights file, and what it refuses."""

import json
import os
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parley.evals.baselines import rebalanced
from parley.gate.limits import DEFAULT_LIMITS_PATH
from parley.market.datasets import load_data
from parley.service.allocating import PortfolioRequest, perform_portfolio
from parley.service.console import Console
from parley.service.page_proof import problems, walk
from parley.service.reports import Report, ReportKind
from parley.service.weights import read_weights
from parley.tools.construction import FRONTIER_POINTS, METHODS

AS_OF = ("--data", "us20", "--as-of", "1998-12-31")
VIEWS = ("AAPL=0.25@0.6", "XOM=-0.05@0.3")


@pytest.fixture
def shared_data() -> Path:
    """The folder of recorded data; without it the tests that need it are skipped, or fail when all are asked for."""
    named = os.environ.get("PARLEY_SHARED_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2].parent / "shared" / "data"
    if not folder.is_dir():
        reason = f"no recorded data at {folder}; set PARLEY_SHARED_DATA to the folder that holds factors/"
        pytest.skip(reason)
    return folder


def page_report(found: dict[str, Any], kind: ReportKind) -> Report:
    """The page and twin that a command wrote, as the walk reads them."""
    twin = json.loads(Path(found["json"]).read_text())
    return Report(twin["id"], kind, Path(found["html"]).read_text(), twin)


def report_of(found: dict[str, Any]) -> Report:
    return page_report(found, "portfolio")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The document of one run of the command, made once: it is what most tests here look at."""
    folder = tmp_path_factory.mktemp("portfolio")
    settings = folder / "settings.toml"
    settings.write_text("")
    request = PortfolioRequest(
        "us20", AS_OF[-1], "black-litterman", folder / "new/bl.csv", None, folder / "book", settings, views=VIEWS
    )
    with redirect_stdout(StringIO()) as said:
        perform_portfolio(request, Console(as_json=True))
    return json.loads(said.getvalue())


def test_every_method_has_its_book_and_its_trial(found: dict[str, Any]) -> None:
    assert found["as_of"] == "1998-12-31T21:00:00+00:00"
    assert list(found["methods"]) == list(METHODS) == list(found["out_of_sample"]["methods"])
    assert len(found["frontier"]) == FRONTIER_POINTS
    assert "year it was built on" in found["in_sample"]
    for book in found["methods"].values():
        assert set(book["weights"]) == set(load_data("us20").universe.symbols)


def test_every_number_of_the_page_is_in_its_twin(found: dict[str, Any]) -> None:
    report = report_of(found)
    page = walk(report.html)

    assert problems(report) == []
    assert len(page.values) > 400
    assert not page.tags & {"script", "img", "link"}
    assert not page.attributes & {"style", "src"}


def test_the_trial_of_equal_weight_is_what_anyone_can_recompute_from_the_closes(found: dict[str, Any]) -> None:
    trial = found["out_of_sample"]
    data = load_data("us20")
    last = int(np.searchsorted(data.panel.sessions, np.datetime64(AS_OF[-1])))
    rows = slice(last - 756, last + 1)
    even = np.full(20, 0.05)
    path = rebalanced(data.panel.close[rows], data.panel.sessions[rows], 1.0, 3e-4, lambda place: even).equity
    returns = path[1:] / path[:-1] - 1.0
    row = trial["methods"]["equal weight"]
    assert (trial["first_day"], trial["last_day"]) == ("1996-01-04", "1998-12-31")
    assert row["sharpe"] == pytest.approx(returns.mean() / returns.std(ddof=1) * 252**0.5)
    assert row["max_drawdown"] == pytest.approx((1.0 - path / np.maximum.accumulate(path)).max())
    assert row["sharpe_low"] < row["sharpe"] < row["sharpe_high"]


def test_the_weights_of_a_method_are_what_the_risk_command_reads(found: dict[str, Any]) -> None:
    path = Path(found["weights"])

    read = read_weights(path, load_data("us20").universe.symbols)

    assert path.read_text().startswith("symbol,weight\nAAPL,0.0")
    assert read == {
        symbol: weight for symbol, weight in found["methods"]["black-litterman"]["weights"].items() if weight > 0.0
    }


def test_words_and_page_say_the_same_as_the_document_on_a_second_run(parley: Any, found: dict[str, Any]) -> None:
    views = [part for view in VIEWS for part in ("--view", view)]
    asked = (*views, "--method", "Maximum-Sharpe", "--weights", "w.csv", "--out", "pages/books.html")
    text = parley("portfolio", *AS_OF, *asked).out

    assert Path("pages/books.html").read_bytes() == Path(found["html"]).read_bytes()
    assert f"{found['out_of_sample']['methods']['robust']['sharpe']:.2f}" in text
    assert f"{found['methods']['equal risk']['volatility_annual']:.1%}" in text
    assert "calibration gate is closed" in text
    assert "hierarchical: over the limit in stock/Health Care" in text
    assert f"AAPL,{found['methods']['maximum sharpe']['weights']['AAPL']!r}" in Path("w.csv").read_text()


def test_a_short_history_has_books_but_no_trial_and_says_so(parley: Any, six_names: Path) -> None:
    limits = Path("limits.toml")
    limits.write_text(DEFAULT_LIMITS_PATH.read_text().replace("stock = 0.30", "stock = 1.0"))
    Path("parley.toml").write_text('limits_file = "limits.toml"\n')

    done = parley("portfolio", "--data", six_names, "--json")

    assert done.code == 0
    assert done.document["out_of_sample"] == {"refused": "10 sessions are left after the first year, a trial needs 253"}
    assert problems(report_of(done.document)) == []
    assert "No trial out of sample" in parley("portfolio", "--data", six_names).out


def test_sizes_covariances_and_exposures_stand_in_the_document_the_words_and_the_page(
    parley: Any, found: dict[str, Any]
) -> None:
    page = walk(Path(found["html"]).read_text())
    said = {value.ref for value in page.values}

    for tool in ("covariance_estimates", "position_sizes", "factor_exposures"):
        assert any(f"ev-{tool}" in ref for ref in said), tool
    assert found["covariances"]["sample"]["periods"] == 36
    assert found["sizes"]["rules"]["desk"]["gross"] < found["sizes"]["rules"]["kelly_sample"]["gross"]
    assert found["factor_exposures"]["factors"] == ["market", "momentum", "volatility", "beta"]
    assert found["rebalancing"] is None


def test_stated_views_stand_in_the_document_and_on_the_page_and_move_the_book(found: dict[str, Any]) -> None:
    views = found["views"]
    said = {value.ref for value in walk(Path(found["html"]).read_text()).values}

    assert [row["symbol"] for row in views["views"]] == ["AAPL", "XOM"]
    assert views["books"]["maximum sharpe"]["tilt"]["XOM"] < 0.0
    assert any("ev-stated_views" in ref for ref in said)


def test_a_held_book_gets_a_plan_toward_a_method_within_the_asked_limits(parley: Any, shared_data: Path) -> None:
    Path("held.csv").write_text("symbol,weight\nAAPL,0.3\nXOM,0.3\nKO,0.2\n")
    asked = ("--data", "us20", "--as-of", "1996-12-31", "--max-sector", "0.25", "--beta-between", "0.7", "1.2")
    factors = shared_data / "factors/fama_french_daily_1926_2024.parquet"
    moves = ("--from", "held.csv", "--since", "1996-11-29", "--method", "minimum variance", "--factors", factors)

    done = parley("portfolio", *asked, *moves)

    assert done.code == 0
    page = Path(done.out.rpartition("Page: ")[2].strip())
    twin = json.loads(page.with_suffix(".json").read_text())
    by_tool = {entry["tool"]: entry["output"] for entry in twin["evidence"].values()}
    book, plan = by_tool["build_books"]["books"]["minimum variance"], by_tool["rebalancing_plan"]
    assert max(book["sectors"].values()) <= 0.25 + 1e-6
    assert 0.7 - 1e-5 <= book["beta"] <= 1.2 + 1e-5
    assert plan["target"] == pytest.approx(book["weights"])
    data = load_data("us20")
    rows = np.searchsorted(data.panel.sessions, np.array(["1996-11-29", "1996-12-31"], dtype="datetime64[D]"))
    columns = [data.panel.symbols.index(symbol) for symbol in ("AAPL", "XOM", "KO")]
    grown = np.array([0.3, 0.3, 0.2]) * data.panel.close[rows[1], columns] / data.panel.close[rows[0], columns]
    by_hand = grown / (0.2 + grown.sum())
    assert [plan["held"][symbol] for symbol in ("AAPL", "XOM", "KO")] == pytest.approx(by_hand.tolist())
    assert by_tool["factor_exposures"]["factors"] == ["Mkt-RF", "SMB", "HML", "RMW", "CMA", "Mom"]
    assert problems(Report(twin["id"], "portfolio", page.read_text(), twin)) == []
    assert "from held.csv to minimum variance" in done.out
    assert "plan over three months" in done.out


def test_a_method_that_refuses_writes_no_weights(parley: Any, six_names: Path) -> None:
    rows = six_names.read_text().splitlines()
    four = [row for row in rows if not row.startswith(("N4", "N5"))]
    Path("four.csv").write_text("\n".join(four) + "\n")
    Path("limits.toml").write_text(DEFAULT_LIMITS_PATH.read_text().replace("stock = 0.30", "stock = 1.0"))
    Path("parley.toml").write_text('limits_file = "limits.toml"\n')

    asked = ("--data", "four.csv", "--method", "black-litterman", "--weights", "w.csv", "--json")
    done = parley("portfolio", *asked)

    assert done.code == 2
    assert "4 tradable names" in done.document["error"]["message"]
    assert not Path("w.csv").exists()
