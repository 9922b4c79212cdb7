"""What is kept of costs and rivals from question to question is, however the log grew, what the whole log gives."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.desk.book import Book, open_log
from parley.domain.events import Event, FillBusted, NewEvent, OrderClosed, OrderFilled, Payload
from parley.service.answers.reader import DeskReader
from parley.service.answers.table import ask
from parley.service.answers.traded import traded_costs
from parley.tools.costs import cost_attribution
from parley.tools.executed import executed_orders
from parley.tools.ledger import Ledger


@pytest.fixture(scope="module")
def events(crash_book: Path) -> list[Event]:
    with open_log(Book(crash_book).latest(), readonly=True) as (log, _):
        return list(log.read())


def _new(event: Event, payload: Payload | None = None) -> NewEvent:
    return NewEvent(
        stream=event.stream,
        event_time=event.event_time,
        actor=event.actor,
        payload=payload or event.decoded(),
        run_id=event.run_id,
        decision_id=event.decision_id,
        order_id=event.order_id,
    )


def _append(book: Book, run: str, events: Sequence[NewEvent]) -> None:
    with open_log(book.find(run)) as (log, _):
        log.append(events)


def _whole(reader: DeskReader) -> dict[str, Any] | None:
    """The costs as `parley costs` works them out, of the whole log."""
    with reader.reading() as reading:
        orders, _ = executed_orders(reading.log, reading.history, reading.settings.costs.assumed_daily_volume)
        if not orders:
            return None
        view = reading.view
        _, found = cost_attribution(Ledger(view.as_of, view.fingerprint), {"run": reading.run_id}, orders)
    whole: Any = found
    charged = {key: whole["forecast"]["charged"].get(key) for key in ("mean_predicted_bps", "mean_realized_bps")}
    total = {key: whole["total"][key] for key in ("orders", "value", "cash", "bps")}
    return {"total": total, "filled_frac": whole["filled_frac"], "charged": charged}


def _kept(reader: DeskReader) -> dict[str, Any] | None:
    with reader.reading() as reading:
        found: Any = traded_costs(reading)
    if found is not None:
        found = {**found, "charged": {key: found["charged"].get(key) for key in found["charged"] if key != "orders"}}
    return found


@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_after_any_growth_both_answers_are_those_of_a_reader_that_begins_anew(
    events: list[Event], data: st.DataObject
) -> None:
    marks = [place for place, event in enumerate(events, 1) if event.type == "PortfolioMarked"]
    places = st.one_of(st.integers(marks[0], len(events)), st.sampled_from(marks))
    stops = sorted(set(data.draw(st.lists(places, min_size=1, max_size=4))))
    with TemporaryDirectory() as folder:
        book, run, done = Book(Path(folder) / "book"), events[0].run_id, 0
        with open_log(book.create(run)):
            pass
        reader = DeskReader(book.path, run)
        for stop in stops:
            _append(book, run, [_new(event) for event in events[done:stop]])
            done = stop

            assert _kept(reader) == _whole(reader)
            anew = DeskReader(book.path, run)
            for name, asked in (("costs", {}), ("compare", {"period": "all"})):
                assert ask(reader, name, asked).document() == ask(anew, name, asked).document()


def test_a_fill_taken_back_and_one_that_comes_after_the_order_was_over_count(
    events: list[Event], tmp_path: Path
) -> None:
    book, run = Book(tmp_path / "book"), events[0].run_id
    with open_log(book.create(run)):
        pass
    _append(book, run, [_new(event) for event in events])
    reader = DeskReader(book.path, run)
    before = _kept(reader)
    filled = next(event for event in events if event.type == OrderFilled.__name__)
    last = next(event for event in reversed(events) if event.type == OrderFilled.__name__)
    fill: Any = getattr(filled.decoded(), "fill", None)
    late: Any = getattr(last.decoded(), "fill", None)

    _append(book, run, [_new(filled, FillBusted(execution_id=fill.execution_id, fill=fill, reason="erroneous"))])
    taken = _kept(reader)
    assert taken == _whole(reader) and taken != before

    again = late.model_copy(update={"execution_id": f"{late.execution_id}-late"})
    _append(book, run, [_new(last, OrderFilled(fill=again))])
    come = _kept(reader)
    assert come == _whole(reader) and come is not None and come != taken
    assert len([event for event in events if event.type == OrderClosed.__name__]) == come["total"]["orders"]
