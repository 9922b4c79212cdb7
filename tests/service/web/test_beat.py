"""The beat that pages, parts and streams share: which event a run is at, and what has moved since another one."""

import shutil
from typing import Any

import pytest
from parley.desk.book import Book, open_log
from parley.domain.control_events import NotificationRaised
from parley.domain.events import Actor, NewEvent
from parley.service.api.desk import ServedDesk
from parley.service.api.settings import ServeSettings
from parley.service.web.beat import PLACES_KEPT, Beats
from parley.service.web.topics import ALL

TOLD = {"log", "controls", "alerts"}


@pytest.fixture
def served(desk: Any) -> ServedDesk:
    return ServedDesk(ServeSettings(desk.book))


def record(served: ServedDesk, count: int = 1, code: str = "told") -> None:
    folder = Book(served.settings.book).latest()
    with open_log(folder) as (log, _), log.batch():
        last = next(log.read(log.head()[0] - 1))
        actor = Actor(kind="desk", name="controls")
        for number in range(count):
            payload = NotificationRaised(notification_id=f"n{number}", severity="info", code=code, text="x")
            log.append(
                [NewEvent(stream="t", event_time=last.event_time, actor=actor, payload=payload, run_id=folder.run_id)]
            )
    served.feed.forget()


def test_a_beat_says_what_moved_since_an_event_and_what_did_not(served: ServedDesk) -> None:
    beats = Beats(served, beat_s=0.0)

    first = beats.now(None)
    record(served)
    second = beats.now(None)

    assert (second.head.seq, second.chain, second.since) == (first.head.seq + 1, first.chain, first.head.seq)
    assert second.moved_after(first.head.seq) == TOLD and second.moved_after(second.head.seq) == set()
    assert second.moved_after(first.head.seq - 1) == ALL, "of what was before the first look nothing is known"
    assert second.last_of({"marks"}) == first.head.seq and second.last_of({"marks", "alerts"}) == second.head.seq
    assert beats.missed(second, first.place) == TOLD and beats.missed(second, second.place) == set()
    assert beats.missed(second, "3-000000000000") == ALL


def test_a_run_has_one_beat_by_whatever_name_it_is_asked_for(served: ServedDesk, desk: Any) -> None:
    beats = Beats(served, beat_s=0.0)

    assert beats.now(None) == beats.now(desk.run) == beats.now(desk.run[:8])


def test_a_beat_holds_while_the_log_grows_and_ends_with_what_is_done_here(served: ServedDesk) -> None:
    beats = Beats(served, beat_s=1_000.0)

    first = beats.now(None)
    record(served)
    held = beats.now(None)
    served.changed()
    seen = beats.now(None)

    assert held is first and seen.head.seq == first.head.seq + 1


def test_another_log_in_the_place_of_one_is_another_chain(served: ServedDesk) -> None:
    beats, log = Beats(served, beat_s=0.0), Book(served.settings.book).latest().log_path
    shutil.copy(log, log.with_suffix(".kept"))
    record(served, 2)
    before = beats.now(None)
    log.with_suffix(".kept").replace(log)
    record(served, 3, "other")

    after = beats.now(None)

    assert after.head.seq == before.head.seq + 1 and after.chain != before.chain
    assert beats.missed(after, before.place) == ALL and after.last_of({"marks"}) == after.head.seq


def test_only_so_many_places_are_remembered(served: ServedDesk) -> None:
    beats = Beats(served, beat_s=0.0)
    first = last = beats.now(None)
    for _ in range(PLACES_KEPT):
        record(served)
        last = beats.now(None)

    assert beats.missed(last, first.place) == ALL
    assert beats.missed(last, last.place) == set()
