"""What a run held when it ended: weights by hand from its fills, and the two commands that start from them."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from parley.desk.book import Book, open_log
from parley.desk.errors import WeightsInvalid
from parley.market.datasets import load_data
from parley.memory.history import fills
from parley.service.console import Console
from parley.service.preparing import RunRequest
from parley.service.run_books import book_at_end
from parley.service.running import perform_run

LAST = "1993-02-05"


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book with one run of a week, made once for this file."""
    book = tmp_path_factory.mktemp("traded") / "book"
    perform_run(RunRequest("us20", "1993-02-01", LAST, "rules", 7, False, "none", book, None), Console(as_json=True))
    return book


def test_the_weights_are_the_shares_of_the_fills_at_the_last_close_over_equity(traded: Path) -> None:
    ended = book_at_end(traded, None, otherwise="a file")

    data = load_data("us20")
    with open_log(Book(traded).latest(), readonly=True) as (log, views):
        shares = Counter[str]()
        for fill in fills(log):
            shares[fill.symbol] += fill.side.sign * fill.quantity
        equity = float(views.performance()[-1].equity)
    row = data.panel.sessions.tolist().index(ended.session)
    closes = dict(zip(data.panel.symbols, data.panel.close[row].tolist(), strict=True))
    assert ended.session.isoformat() == LAST
    assert ended.weights == pytest.approx({name: count * closes[name] / equity for name, count in shares.items()})


def test_a_run_that_held_nothing_is_refused_with_what_to_give_instead(parley: Any) -> None:
    parley("run", "--data", "us20", "--start", LAST, "--end", LAST, "--reports", "none")

    with pytest.raises(WeightsInvalid, match="ended with nothing held") as caught:
        book_at_end(Path("book"), None, otherwise="--weights FILE")

    assert "--weights FILE" in caught.value.remedy


def test_risk_of_a_run_measures_what_it_held_at_its_last_close(parley: Any, traded: Path) -> None:
    found = parley("risk", "--book", traded, "--json").document

    assert found["as_of"].startswith(LAST)
    assert len(found["weights"]) == 20
    assert 0.3 < sum(found["weights"].values()) < 0.7


def test_the_book_a_run_ended_with_is_where_its_plan_starts(parley: Any, traded: Path) -> None:
    found = parley("portfolio", "--book", traded, "--from-run", "--json").document

    plan = found["rebalancing"]
    assert found["as_of"].startswith(LAST)
    assert plan["source"] == Book(traded).latest().run_id
    assert plan["method"] == "reference book"
    assert 0.1 < sum(plan["held"].values()) < 1.0
    assert sum(plan["target"].values()) == pytest.approx(1.0)
