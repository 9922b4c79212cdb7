"""The results page: made from the book's evaluations, the same as its twin, and the one in the repository."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from parley.desk.settings import Settings
from parley.evals.errors import EvalUnknown
from parley.evals.trials import read_register
from parley.gate.limits import load_limits
from parley.market.datasets import load_data
from parley.market.sessions import session_calendar
from parley.service.console import Console
from parley.service.results import perform_register, perform_results
from parley.service.results_text import results_text

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page over 20 sessions of four made-up names."""
    folder = tmp_path_factory.mktemp("results")
    days = session_calendar("XNYS", date(2015, 1, 2), date(2016, 12, 30)).days[:273]
    closes = 40.0 * np.exp(np.cumsum(np.random.default_rng(1).normal(0.0004, 0.01, (273, 4)), axis=0))
    rows = [f"N{name},{day},{closes[row, name]:.4f}" for row, day in enumerate(days) for name in range(4)]
    (folder / "four.csv").write_text("\n".join(["symbol,date,close", *rows]) + "\n")
    perform_results(folder / "page.md", (str(folder / "four.csv"),), folder / "book", None, Console(as_json=True))
    return folder


def test_the_page_is_its_twin_in_words(made: Path) -> None:
    twin = json.loads((made / "page.json").read_text())

    assert (made / "page.md").read_text() == results_text(twin)
    (only,) = twin["sets"]
    assert only["name"] == "four"
    assert only["figures"]["sharpe"]["value"] is None
    assert "cannot be told from luck" in (made / "page.md").read_text()
    assert str(made) not in (made / "page.md").read_text(), "no path of a machine"


def test_an_overfit_choice_says_of_how_many_it_is_told(made: Path) -> None:
    twin = json.loads((made / "page.json").read_text())
    one = {"data": "us20", "first": "2020-01-02", "last": "2022-12-28", "days": 753, "kept": 4, "overfit": 0.25}
    alone = {**one, "data": "sp500", "kept": 1, "overfit": None}

    page = results_text({**twin, "trials": {"count": 280, "sharpe_deviation": 0.3}, "choices": [one, alone]})

    assert "| `us20` | 2020-01-02 | 2022-12-28 | 753 | 4 | 25.00% |" in page
    assert "| `sp500` |" not in page, "one configuration is no choice"
    assert "Of the 280 counted configurations the daily returns of 5 are kept" in page
    assert "the other 275 were not" in page
    assert twin["choices"] == [], "what is in no register is not counted"
    assert list((made / "book" / "trials").glob("trial-*.npz"))


def test_what_the_book_holds_is_not_run_again(made: Path) -> None:
    (record,) = (made / "book" / "evals").glob("days-*")
    before = {path.name: path.read_bytes() for path in (record / "outcomes.jsonl", record / "timings.jsonl")}
    page = (made / "page.md").read_text()

    perform_results(made / "page.md", (str(made / "four.csv"),), made / "book", None, Console(as_json=True))

    assert {name: (record / name).read_bytes() for name in before} == before
    assert (made / "page.md").read_text() == page


def test_a_configuration_is_registered_once(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    register = tmp_path / "trials.jsonl"
    register.write_text("")

    for added in (True, False):
        perform_register("days", "a test of the register", made / "book", None, Console(as_json=True), register)
        assert json.loads(capsys.readouterr().out)["added"] is added

    (trial,) = read_register(register).trials
    assert (trial.data, trial.model, trial.why) == ("four", "rules", "a test of the register")
    with pytest.raises(EvalUnknown):
        perform_register("nothing", "why", made / "book", None, Console(as_json=True), register)


def test_the_page_in_the_repository_is_its_twin_in_words_and_of_todays_desk() -> None:
    """Run `parley eval results` again when this fails: settings, limits or data are not those of the page."""
    twin = json.loads((DOCS / "results.json").read_text())

    assert (DOCS / "results.md").read_text() == results_text(twin)
    assert twin["settings_hash"] == Settings().hash()
    assert twin["limits_hash"] == load_limits().hash()
    known = {item["name"]: item["card"]["fingerprint"] for item in twin["sets"]}
    for name in known.keys() & {"us20", "factors5"}:
        assert known[name] == load_data(name).panel.fingerprint()


def test_every_ratio_on_the_page_has_an_interval_and_its_rivals() -> None:
    twin = json.loads((DOCS / "results.json").read_text())

    for item in twin["sets"]:
        figures, table = item["figures"], item["tables"]["On the same days"]
        if figures["sharpe"]["value"] is not None:
            assert None not in (figures["sharpe"]["low"], figures["sharpe"]["high"])
            assert {"trials", "deflated_sharpe", "days_needed"} <= figures.keys()
        names = {row[0] for row in table["rows"]}
        assert {"desk", "cash", "equal_weight", "oracle"} <= names
        assert ("sixty_forty" in names) == item["name"].endswith("+bond")
        assert any(note.startswith("Survivorship") for note in item["notes"])
        assert not any("ENGINE FAULT" in note for note in item["notes"])
