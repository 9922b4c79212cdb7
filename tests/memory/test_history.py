"""Folds of the log: how it began, its fills, its state at an event, and where to resume."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from parley.domain.events import PositionCashedOut
from parley.memory.errors import EmptyLog
from parley.memory.history import fills, last_session_boundary, portfolio_at, run_started
from parley.memory.log import EventLog
from parley.memory.views import ReadModels
from parley.storage.sql import open_in_memory

BEGIN = datetime(2024, 1, 2, tzinfo=UTC)


def test_run_started_is_what_the_book_began_with(story: Any) -> None:
    log = EventLog(open_in_memory())
    log.append([story.started(), *story.session(1)])

    assert run_started(log) == story.started().payload


def test_an_empty_log_says_what_to_do() -> None:
    with pytest.raises(EmptyLog, match="no RunStarted") as caught:
        run_started(EventLog(open_in_memory()))

    assert "parley run" in caught.value.remedy


def test_fills_come_in_order_up_to_an_event(story: Any) -> None:
    log = EventLog(open_in_memory())
    log.append([story.started(), *story.session(1), *story.session(2)])

    assert [fill.execution_id for fill in fills(log)] == ["exec-1", "exec-2"]
    assert [fill.execution_id for fill in fills(log, until=13)] == ["exec-1"]


def test_the_portfolio_at_an_event_knows_nothing_later(story: Any) -> None:
    log = EventLog(open_in_memory())
    log.append([story.started(), *story.session(1), *story.session(2)])

    assert portfolio_at(log, 5).holdings() == {}
    assert portfolio_at(log, 6).holdings() == {"AAPL": 100}
    assert portfolio_at(log, 17).cash == Decimal("100000") - 2 * (Decimal("1005.00") + Decimal("0.35"))


def test_a_run_resumes_from_its_last_marked_close(story: Any) -> None:
    log = EventLog(open_in_memory())
    assert last_session_boundary(log) == 0

    log.append([story.started(), *story.session(1), *story.session(2)[:-1]])

    assert last_session_boundary(log) == 9


def test_a_position_paid_out_is_in_the_fold_and_in_the_read_model(story: Any) -> None:
    database = open_in_memory()
    views = ReadModels(database)
    log = EventLog(database, views)
    log.append([story.started(), *story.session(1)])
    out = PositionCashedOut(
        symbol="AAPL", quantity=100, price=Decimal("11.00"), priced_at=BEGIN, reason="no price for 9 days"
    )
    log.append([story.fact(out)])

    assert portfolio_at(log, log.head()[0]).cash == Decimal("100000") - Decimal("1005.35") + 1100
    assert views.portfolio() == portfolio_at(log, log.head()[0])
    assert portfolio_at(log, 6).holdings() == {"AAPL": 100}
