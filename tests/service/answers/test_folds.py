"""What a reader folds onward says what the read models say, after every piece that is added to the log."""

import shutil
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from parley.desk.book import Book, open_log
from parley.desk.control_log import CONTROL_FACTS
from parley.domain.control_events import NotificationAcknowledged, NotificationRaised, OperatorAsked
from parley.domain.events import Actor, DecisionMade, NewEvent, Payload, PortfolioMarked
from parley.domain.trading import ACCOUNT
from parley.execution.standing import Standing
from parley.service.answers.folds import DECISIONS_PER_READ
from parley.service.answers.reader import DeskReader, Reading


@pytest.fixture
def book(crash_book: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "book"
    shutil.copytree(crash_book, copy)
    return copy


def add(book: Path, payloads: Callable[[Reading], Sequence[Payload]]) -> None:
    """More events at the log's end."""
    with DeskReader(book).reading() as reading:
        made = payloads(reading)
    folder = Book(book).latest()
    with open_log(folder) as (log, _), log.batch():
        last = next(log.read(log.head()[0] - 1))
        for payload in made:
            event = NewEvent(
                stream="t",
                event_time=last.event_time,
                actor=Actor(kind="desk", name="test"),
                payload=payload,
                run_id=folder.run_id,
            )
            log.append([event])


def marks(reading: Reading) -> Sequence[Payload]:
    """Two more closes, and one of them again."""
    event = reading.last_mark
    assert event is not None
    last = event.decoded()
    assert isinstance(last, PortfolioMarked)
    one = last.model_copy(update={"session": last.session + timedelta(days=1), "equity": last.equity / 2})
    two = one.model_copy(update={"session": one.session + timedelta(days=1)})
    return one, two, two.model_copy(update={"equity": last.equity * 3})


def many_decisions(reading: Reading) -> Sequence[Payload]:
    """More than are read at once."""
    event = reading.last(DecisionMade)
    assert event is not None
    made = event.decoded()
    assert isinstance(made, DecisionMade)
    return [
        made.model_copy(update={"decision": made.decision.model_copy(update={"decision_id": f"dec-{number:04d}"})})
        for number in range(2 * DECISIONS_PER_READ + 1)
    ]


def notices(reading: Reading) -> Sequence[Payload]:
    def raised(name: str) -> NotificationRaised:
        return NotificationRaised(notification_id=name, severity="critical", code=name, text="x")

    asked = OperatorAsked(
        command="tighten", scope=ACCOUNT, user="oz", reason="r", detail={"limits": {"max_gross": 0.5}}
    )
    return raised("one"), raised("two"), NotificationAcknowledged(notification_id="one", user="oz", reason="r"), asked


def shown(standing: Standing) -> dict[str, object]:
    plain = {name: value for name, value in vars(standing).items() if name not in ("approvals", "awaiting")}
    return plain | {"awaiting": dict(standing.awaiting), "answered": standing.approvals.answered}


def test_folds_that_go_on_are_the_read_models_of_the_longer_log(book: Path) -> None:
    reader = DeskReader(book)
    for more in (None, marks, many_decisions, notices, marks):
        if more is not None:
            add(book, more)
        with reader.reading() as reading:
            whole = Standing(reading.settings.breakers)
            whole.resume(event.decoded() for event in reading.read(*CONTROL_FACTS))

            assert tuple(reading.sessions) == reading.views.performance() != ()
            assert tuple(reading.decisions) == reading.views.decisions() != ()
            assert shown(reading.standing) == shown(whole)


def test_a_standing_that_was_told_stays_as_it_was(book: Path) -> None:
    reader = DeskReader(book)
    with reader.reading() as reading:
        before = reading.standing
        said = shown(before)
        held, asked = dict(before.unacknowledged), dict(before.tightened)
    add(book, notices)
    with reader.reading() as reading:
        after = reading.standing

    assert shown(before) == said and (before.unacknowledged, before.tightened) == (held, asked)
    assert after.unacknowledged.keys() - held.keys() == {"two"} and after.tightened["max_gross"] == 0.5


def test_what_rests_on_some_kinds_is_worked_out_again_when_one_of_them_came(book: Path) -> None:
    reader, made = DeskReader(book), list[str]()
    for more in (None, notices, marks):
        if more is not None:
            add(book, more)
        with reader.reading() as reading:
            reading.once("closes", lambda: made.append("close"), of=(PortfolioMarked,))
            reading.once("notices", lambda: made.append("notice"), of=(NotificationRaised,))

    assert made == ["close", "notice", "notice", "close"]
