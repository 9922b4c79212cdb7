"""Limits that a person tightened: taken at the desk's next moment, held to by every later decision, and replayed."""

from pathlib import Path

import pytest
from parley.desk.book import Book, open_log
from parley.desk.operator import OperatorIntent, book_post
from parley.domain.events import DecisionMade, PortfolioMarked
from parley.domain.trading import ACCOUNT, TradingState
from parley.evals.book_at_rest import standing_of
from parley.service.checking import perform_replay, perform_verify
from parley.service.console import Console
from parley.service.preparing import RunRequest
from parley.service.running import perform_run

BOUND = 0.07


@pytest.fixture(scope="module")
def tightened_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven sessions whose desk finds the request in its inbox at its first moment."""
    book = tmp_path_factory.mktemp("tightened") / "book"
    asked = OperatorIntent(command="tighten", user="ann", reason="fed day", detail={"limits": {"max_gross": BOUND}})
    book_post(book).inbox.put(asked.model_dump(mode="json"))
    request = RunRequest("us20", "2020-03-04", "2020-03-12", "rules", 7, False, "none", book, None)
    perform_run(request, Console(as_json=True))
    return book


def test_every_decision_after_it_is_made_under_the_tighter_limit(tightened_book: Path) -> None:
    with open_log(Book(tightened_book).latest(), readonly=True) as (log, _):
        made = [event.decoded() for event in log.read(types=(DecisionMade,))]
        marks = [event.decoded() for event in log.read(types=(PortfolioMarked,))]

    assert made and all(isinstance(item, DecisionMade) for item in made)
    assert {str(item.decision.snapshot.tightened) for item in made if isinstance(item, DecisionMade)} == {
        str({"max_gross": BOUND})
    }
    grosses = [
        check.limit
        for item in made
        if isinstance(item, DecisionMade)
        for verdict in item.decision.verdicts
        for check in verdict.checks
        if check.check == "gross"
    ]
    assert grosses and all(limit is not None and limit <= BOUND for limit in grosses)
    assert all(mark.gross <= BOUND * 1.05 for mark in marks if isinstance(mark, PortfolioMarked))


def test_the_record_of_a_tightened_run_holds_and_replays(tightened_book: Path) -> None:
    console = Console(as_json=True)

    assert perform_verify(None, None, tightened_book, console)
    assert perform_replay(None, tightened_book, console)


def test_a_plan_approved_under_looser_limits_may_only_take_risk_off(tightened_book: Path) -> None:
    standing = standing_of(Book(tightened_book).latest())
    assert standing.tightened == {"max_gross": BOUND}
    assert standing.in_session.of() is TradingState.ACTIVE

    standing.planned_under = {}

    assert standing.in_session.of() is TradingState.REDUCING
    assert standing.in_force.get(ACCOUNT) is None
