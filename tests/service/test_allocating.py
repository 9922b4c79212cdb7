"""The portfolio command over real data: its contract, its page, its weights file, and what it refuses."""

import json
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
from parley.service.reports import Report
from parley.service.weights import read_weights
from parley.tools.construction import FRONTIER_POINTS, METHODS

from .test_pages import problems, walk

AS_OF = ("--data", "us20", "--as-of", "2020-03-16")


def report_of(found: dict[str, Any]) -> Report:
    twin = json.loads(Path(found["json"]).read_text())
    return Report(twin["id"], "portfolio", Path(found["html"]).read_text(), twin)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The document of one run of the command, made once: it is what most tests here look at."""
    folder = tmp_path_factory.mktemp("portfolio")
    settings = folder / "settings.toml"
    settings.write_text("")
    request = PortfolioRequest(
        "us20", "2020-03-16", "black-litterman", folder / "new/bl.csv", None, folder / "book", settings
    )
    with redirect_stdout(StringIO()) as said:
        perform_portfolio(request, Console(as_json=True))
    return json.loads(said.getvalue())


def test_every_method_has_its_book_and_its_trial(found: dict[str, Any]) -> None:
    assert found["as_of"] == "2020-03-16T20:00:00+00:00"
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
    last = int(np.searchsorted(data.panel.sessions, np.datetime64("2020-03-16")))
    rows = slice(last - 756, last + 1)
    even = np.full(20, 0.05)
    path = rebalanced(data.panel.close[rows], data.panel.sessions[rows], 1.0, 3e-4, lambda place: even).equity
    returns = path[1:] / path[:-1] - 1.0
    row = trial["methods"]["equal weight"]
    assert (trial["first_day"], trial["last_day"]) == ("2017-03-14", "2020-03-16")
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
    asked = ("--method", "Maximum-Sharpe", "--weights", "w.csv", "--out", "pages/books.html")
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


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((*AS_OF, "--method", "magic", "--weights", "w.csv"), "settings_invalid", "'magic' is not a construction"),
        ((*AS_OF, "--method", "robust"), "settings_invalid", "--method needs --weights FILE"),
        ((*AS_OF, "--weights", "w.csv"), "settings_invalid", "--weights needs --method NAME"),
        (("--data", "us20", "--as-of", "1990-06-01"), "not_enough_data", "253 are needed"),
        (("--data", "sp500"), "not_enough_data", "1 tradable name"),
        (("--data", "us5"), "quant_solver", "stock/Information Technology at most 0.3"),
        (("--data", "us20", "--as-of", "soon"), "settings_invalid", "neither a day nor a time"),
    ],
)
def test_bad_use_is_refused_with_a_remedy(parley: Any, arguments: tuple[str, ...], code: str, says: str) -> None:
    done = parley("portfolio", *arguments, "--json")

    assert done.code == 2
    assert done.document["error"]["code"] == code
    assert says in done.document["error"]["message"]
    assert done.document["error"]["remedy"]
    assert not Path("book").exists()
    assert not Path("w.csv").exists()


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
