"""The agents command: its contract, that it agrees with the log itself, and its part of the run's page."""

import json
from pathlib import Path
from typing import Any

import pytest
from parley.desk.book import Book, open_log
from parley.memory.agent_scores import VoteRecord
from parley.service.page_proof import problems
from parley.service.reports import Report

AGENTS = ["market_analyst", "risk_manager", "portfolio_optimizer", "execution_agent"]


@pytest.fixture
def ran(parley: Any) -> Any:
    """A run through the spring of 2020: crisis, rebalances, and votes old enough to be judged."""
    done = parley("run", "--data", "us20", "--start", "2020-02-24", "--end", "2020-04-30", "--book", "book", "--json")
    assert done.code == 0
    return done.document


def test_votes_are_counted_judged_and_priced_and_shown_on_the_pages(parley: Any, ran: dict[str, Any]) -> None:
    found = parley("agents", "--book", "book", "--json").document
    text = parley("agents", "--book", "book").out

    rows = {row["agent"]: row for row in found["agents"]}
    assert list(rows) == AGENTS
    assert 0 < found["judged_decisions"] <= found["voted_decisions"]
    assert rows["risk_manager"]["votes"] + rows["risk_manager"]["abstentions"] >= rows["risk_manager"]["judged_votes"]
    assert rows["risk_manager"]["weights"] == [{"since": rows["risk_manager"]["weights"][0]["since"], "weight": 0.3}]
    assert rows["risk_manager"]["calls"] == found["voted_decisions"]
    assert "Brier" in text and "risk manager" in text

    with open_log(Book(Path("book")).latest(), readonly=True) as (log, views):
        recorded = sorted(VoteRecord(log).votes(), key=lambda cast: (cast.seq, cast.vote.symbol, cast.vote.agent.value))
        assert list(views.votes()) == recorded
        changed = [event for event in log.read() if event.type == "RegimeChanged"]
    assert changed

    shown = parley("explain", changed[-1].decision_id, "--book", "book", "--json").document
    pages: list[tuple[Any, str, str]] = [
        ("decision", shown["html"], "regime changed from"),
        ("run", ran["report"], "votes came out"),
    ]
    for kind, html, words in pages:
        page = Report(kind, kind, Path(html).read_text(), json.loads(Path(html).with_suffix(".json").read_text()))
        assert problems(page) == []
        assert words in page.html
