"""Stops that rest at the venue of a run as live whose process is killed: no position is without one for long."""

from pathlib import Path
from typing import Any

import pytest
from parley.desk.book import Book, open_log
from parley.desk.settings import Settings, VenueSettings
from parley.domain.control_events import BookReconciled
from parley.domain.events import ChildSubmitted, Event, OrderFilled, Payload, PlanApproved
from parley.evals.replay import replay_run
from parley.memory.gate_record import GateRecord
from parley.memory.sent_orders import rests
from parley.memory.verify import verify_log
from parley.service.limit_rules import reachable_limits

from .protection_kit import Span, naked_spans
from .test_protecting import crash
from .test_restarts import Killed, Rehearsal

__all__ = ["crash"]
DAYS = 3


def live(venue: str = "exchange") -> Settings:
    chosen = VenueSettings.model_validate({"kind": venue})
    return Settings(stop_loss_frac=0.03, stop_orders="resting", venue=chosen, as_live=True)


def events_of(rehearsal: Rehearsal) -> list[Event]:
    with open_log(rehearsal.folder, readonly=True) as (log, _):
        return list(log.read())


def long_spans(rehearsal: Rehearsal) -> list[Span]:
    return [span for span in naked_spans(events_of(rehearsal)) if span.is_long]


def check_log(rehearsal: Rehearsal) -> None:
    report = verify_log(rehearsal.folder.log_path, auditors=(GateRecord(reachable_limits),))
    assert report.ok, report
    replayed = replay_run(rehearsal.folder)
    assert (replayed.identical, replayed.first_difference) == (True, None)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, crash: Path) -> Rehearsal:
    """The run without a crash, made once and only read."""
    found = Rehearsal(Book(tmp_path_factory.mktemp("whole") / "book"), str(crash))
    assert found.run(settings=live(), count=DAYS) is None
    return found


def place_of(events: list[Event], kind: type[Payload], share: float, protective: bool = False) -> int:
    """The place of an event of a kind, so far through those of its kind."""
    found = [event for event in events if event.type == kind.__name__]
    if protective:
        found = [event for event in found if rests(_child(event))]
    return found[int(share * (len(found) - 1))].seq


def _child(event: Event) -> Any:
    sent = event.decoded()
    assert isinstance(sent, ChildSubmitted), "asked for by type"
    return sent.child


def test_a_run_as_live_may_have_its_stops_at_the_venue_and_leaves_no_position_without(whole: Rehearsal) -> None:
    sent = whole.payloads(ChildSubmitted)

    assert any(rests(item.child) for item in sent)
    assert long_spans(whole) == []
    check_log(whole)


KILLS = [
    # While the plan buys, so that no stop is there yet; as the first and the last stops are placed; as one is due;
    # and as one fires.
    (OrderFilled, 0.3, False),
    (ChildSubmitted, 0.0, True),
    (ChildSubmitted, 1.0, True),
    (PlanApproved, 0.6, False),
    (OrderFilled, 1.0, False),
]


@pytest.mark.parametrize(("kind", "share", "protective"), KILLS)
def test_killed_in_mid_session_it_restarts_halted_with_every_position_protected(
    whole: Rehearsal, tmp_path: Path, kind: type[Payload], share: float, protective: bool
) -> None:
    rehearsal = Rehearsal(Book(tmp_path / "book"), whole.data)
    place = place_of(events_of(whole), kind, share, protective)
    with pytest.raises(Killed):
        rehearsal.run(place, settings=live(), count=DAYS)

    stop = rehearsal.run(settings=live(), count=DAYS)

    assert stop is not None
    assert "mid-session" in stop.reason
    assert long_spans(rehearsal) == []
    assert all(found.is_explained for found in rehearsal.payloads(BookReconciled))
    halted = next(event.seq for event in events_of(rehearsal) if event.type == "TradingStateChanged")
    later = [event for event in events_of(rehearsal) if event.seq > halted and event.type == "ChildSubmitted"]
    assert all(rests(_child(event)) for event in later), "a halt sends nothing but stops"
    check_log(rehearsal)


def test_freed_by_a_person_it_goes_on_to_its_end_as_protected_as_before(whole: Rehearsal, tmp_path: Path) -> None:
    rehearsal = Rehearsal(Book(tmp_path / "book"), whole.data)
    place = place_of(events_of(whole), ChildSubmitted, 0.9, protective=True)
    with pytest.raises(Killed):
        rehearsal.run(place, settings=live(), count=DAYS)
    rehearsal.run(settings=live(), count=DAYS)

    rehearsal.free()

    assert rehearsal.run(settings=live(), count=DAYS) is None
    assert long_spans(rehearsal) == []
    check_log(rehearsal)


def test_killed_again_in_its_restart_it_knows_every_stop_once(whole: Rehearsal, tmp_path: Path) -> None:
    rehearsal = Rehearsal(Book(tmp_path / "book"), whole.data)
    first = place_of(events_of(whole), OrderFilled, 0.3)
    with pytest.raises(Killed):
        rehearsal.run(first, settings=live(), count=DAYS)
    with pytest.raises(Killed):
        rehearsal.run(first + 14, settings=live(), count=DAYS)

    assert rehearsal.run(settings=live(), count=DAYS) is not None

    assert long_spans(rehearsal) == []
    check_log(rehearsal)
