"""The inbox of a desk whose data grow: which request waits for which moment, and who is handed it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from parley.desk.job_book import JobBook, open_job_book
from parley.desk.operator import Command, OperatorIntent, book_post
from parley.domain.control_events import OperatorAsked
from parley.evals.book_at_rest import BookAtRest
from parley.service.trading.hearing import Hearing

from .test_asked_while_growing import asks
from .test_growing import Source, begin, end_waiting, no_settling, source

__all__ = ["no_settling", "source"]  # fixtures
NOON = datetime(2016, 1, 13, 17, tzinfo=UTC)


@pytest.fixture
def jobs(tmp_path: Path) -> Any:
    with open_job_book(tmp_path, "run-1") as found:
        yield found


def put(folder: Path, command: Command) -> str:
    intent = OperatorIntent(command=command, user="ann", reason="news")
    return book_post(folder).inbox.put(intent.model_dump(mode="json"))


def due(hearing: Hearing) -> list[str]:
    return [note.note_id for note in hearing.waiting()[0]]


@pytest.mark.parametrize("command", ["flatten", "cancel", "reduce", "tighten", "resume"])
def test_a_request_waits_for_its_moment_in_every_process(tmp_path: Path, jobs: JobBook, command: Command) -> None:
    inbox = book_post(tmp_path).inbox.folder
    hearing, name = Hearing(inbox, jobs), put(tmp_path, command)
    assert hearing.has_unheard()
    assert hearing.hear(NOON)[0].startswith(f"{command} by ann: it counts from 2016-01-13 17:00 UTC")
    assert (hearing.hear(NOON + timedelta(hours=1)), hearing.has_unheard(), due(hearing)) == ([], False, [])

    later, looked = Hearing(inbox, jobs), list[datetime]()
    later.come_to(NOON - timedelta(minutes=1), looked.append, lambda: False)
    assert (looked, due(later)) == ([], [])
    later.come_to(NOON + timedelta(hours=1), looked.append, lambda: True)
    assert (looked, due(later)) == ([], []), "somebody was called before"
    later.come_to(NOON, looked.append, lambda: False)
    assert (looked, due(later)) == ([NOON], [name])


@pytest.mark.parametrize("command", ["halt", "acknowledge", "approve", "reject"])
def test_a_halt_and_an_answer_wait_for_nothing(tmp_path: Path, jobs: JobBook, command: Command) -> None:
    hearing, name = Hearing(book_post(tmp_path).inbox.folder, jobs), put(tmp_path, command)
    assert hearing.hear(NOON) == []
    assert due(hearing) == [name]


def test_with_nothing_to_be_worked_everything_is_due(tmp_path: Path, jobs: JobBook) -> None:
    hearing, name = Hearing(book_post(tmp_path).inbox.folder, jobs), put(tmp_path, "flatten")
    hearing.is_holding = False
    assert hearing.hear(NOON) == []
    assert due(hearing) == [name]


def test_what_comes_while_no_process_is_there_is_left_for_the_next(tmp_path: Path, source: Source) -> None:
    period = begin(tmp_path, source)
    end_waiting(period)
    asks(period, "flatten", "N0")()
    intent = OperatorIntent(command="reduce", user="ann", reason="news")
    with BookAtRest(period.terms.folder, book_post(period.book)) as rest:
        assert rest.leaves(intent)
        assert not rest.leaves(intent.model_copy(update={"command": "halt"}))
        rest.take_flag()
    assert len(book_post(period.book).inbox.waiting()[0]) == 1
    assert not period.payloads(OperatorAsked)
