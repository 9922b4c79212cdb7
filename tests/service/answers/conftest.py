"""Books to ask: a short real run over us20, and hand-made ones with vetoes and hostile words in them."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from parley.desk.book import Book, open_log
from parley.desk.settings import Settings
from parley.domain.events import Event, NewEvent, RunStarted
from parley.gate.limits import load_limits
from parley.service.answers.reader import DeskReader
from parley.service.console import Console
from parley.service.preparing import RunRequest
from parley.service.running import perform_run

FIRST, LAST = "2020-02-20", "2020-03-03"


@pytest.fixture(scope="session")
def crash_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine sessions in which the market fell: trades, a change of regime and an alert."""
    book = tmp_path_factory.mktemp("crash") / "book"
    perform_run(RunRequest("us20", FIRST, LAST, "rules", 7, False, "none", book, None), Console(as_json=True))
    return book


@pytest.fixture(scope="session")
def crash_log_hash(crash_book: Path) -> str:
    """Of the log's file before anybody asked."""
    return hashlib.sha256(Book(crash_book).latest().log_path.read_bytes()).hexdigest()


@pytest.fixture(scope="session")
def crash(crash_book: Path, crash_log_hash: str) -> DeskReader:
    return DeskReader(crash_book)


@pytest.fixture(scope="session")
def scripted_book(
    scripted_run: Callable[..., list[Event]], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., DeskReader]:
    """Writes the events of a hand-made run into a book, under settings that a real run would have."""

    def made(**changes: Any) -> DeskReader:
        book = Book(tmp_path_factory.mktemp("scripted") / "book")
        events = scripted_run(**changes)
        with open_log(book.create(events[0].run_id)) as (log, _):
            log.append([_again(event) for event in events])
        return DeskReader(book.path)

    return made


def _again(event: Event) -> NewEvent:
    payload = event.decoded()
    if isinstance(payload, RunStarted):
        bounds = load_limits().model_dump(mode="json")
        payload = payload.model_copy(update={"settings": {**Settings().public(), "limits": bounds}})
    return NewEvent(
        stream=event.stream,
        event_time=event.event_time,
        actor=event.actor,
        payload=payload,
        run_id=event.run_id,
        decision_id=event.decision_id,
        order_id=event.order_id,
    )
