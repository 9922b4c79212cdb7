"""A flatten of some names, and the stops of the others at the venue: they see the rest of the day, and fill in it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from parley.desk.book import Book
from parley.desk.operator import OperatorIntent
from parley.domain.control_events import NotificationRaised
from parley.domain.events import CancelRequested, ChildSubmitted, Event, OrderFilled
from parley.evals.drill_ground import Ground, Trouble, play
from parley.execution.flatten_requests import FLATTEN_ENDED
from parley.gate.limits import load_limits
from parley.market.datasets import load_data
from parley.memory.sent_orders import rests

from .test_protecting import crash
from .test_restarts import Killed, dying_behind
from .test_standing_stops import live
from .test_stops_at_halts import Acting, check, of, stops_at

__all__ = ["crash"]
SOLD, DAY = "N0", 2
"""The name that is sold, and the place of the day on which the stops of all names are reached, one after the other."""
AN_HOUR_IN = 1.1


@pytest.fixture
def ground(tmp_path: Path, crash: Path) -> Ground:
    """Two days before the fall and its first: bought on the second one, and on the third every stop is reached."""
    data = load_data(str(crash))
    days = data.history().sessions_between()[-6:-3]
    return Ground(Book(tmp_path / "book"), data, str(crash), live(), load_limits(), tuple(days))


def filled(events: tuple[Event, ...]) -> dict[str, Any]:
    """What stops at the venue sold, and when, by name."""
    stops = {item.child.client_order_id for item in of(events, ChildSubmitted) if rests(item.child)}
    fills = [item.fill for item in of(events, OrderFilled) if item.fill.client_order_id in stops]
    return {fill.symbol: (fill.ts_event, fill.quantity, fill.price) for fill in fills}


def without_sold(found: dict[str, Any]) -> dict[str, Any]:
    return {name: done for name, done in found.items() if name != SOLD}


def sells_some(ground: Ground, least: bool = False) -> Any:
    """The days with a flatten of one name an hour into the last of them, or of one share of it."""
    at = ground.data.history().opening_time(ground.sessions[DAY]) + timedelta(hours=AN_HOUR_IN)

    def ask() -> None:
        held = stops_at(ground.events())[SOLD].child.quantity
        detail: dict[str, Any] = {"symbols": [SOLD], "keep": {SOLD: held - 1} if least else {}}
        asked = OperatorIntent(command="flatten", user="ann", reason="news at noon", detail=detail)
        ground.post.inbox.put(asked.model_dump(mode="json"))

    return play(ground, Trouble(venue_of=None, pace=Acting(at, ask)))


@pytest.fixture
def undisturbed(ground: Ground, tmp_path: Path) -> dict[str, Any]:
    """What the stops sell where nobody sells anything else."""
    other = replace(ground, book=Book(tmp_path / "other"))
    play(other, Trouble(venue_of=None))
    return filled(other.events())


def test_a_stop_that_stands_beside_a_flatten_fills_when_it_is_reached_that_day(
    ground: Ground, undisturbed: dict[str, Any]
) -> None:
    sells_some(ground)

    sold = filled(check(ground))
    assert without_sold(sold) == without_sold(undisturbed)


def test_once_a_flatten_has_ended_every_stop_sees_what_is_left_of_the_day(
    ground: Ground, undisturbed: dict[str, Any]
) -> None:
    sells_some(ground, least=True)

    events = check(ground)
    (ended,) = [event.event_time for event in events if FLATTEN_ENDED in str(event.payload)]
    sold = filled(events)
    assert without_sold(sold) == without_sold(undisturbed)
    assert [name for name, (at, *_) in sold.items() if at > ended and name != SOLD], "one was reached after its end"
    assert sold[SOLD][1] == undisturbed[SOLD][1] - 1, "the stop of what was kept of it is reached too"


def test_what_the_day_does_not_reach_stands_over_night(ground: Ground) -> None:
    quiet = replace(ground, sessions=ground.data.history().sessions_between()[-8:-5])

    sells_some(quiet)

    events = check(quiet)
    assert set(stops_at(events)) == {item.symbol for item in quiet.data.universe.instruments} - {SOLD}
    flattened = next(event.seq for event in events if "flatten" in str(event.payload) and event.type == "OperatorAsked")
    stood = {item.child.client_order_id for item in stops_at(events).values()}
    back = {item.client_order_id for item in of(events, CancelRequested, after=flattened)}
    assert not stood & back


def dies_at(patch: pytest.MonkeyPatch, ground: Ground, at: int, least: bool) -> None:
    """The same days in a process that is killed as it appends behind event `at`, and the rest of them in another."""
    with dying_behind(patch, at), pytest.raises(Killed):
        sells_some(ground, least)
    play(ground, Trouble(venue_of=None), resumes=True)


# As the request is taken in, while it is carried out, and behind that: before a stop is reached, and after it.
@pytest.mark.parametrize(
    ("behind", "count", "least"),
    [("OperatorAsked", 2, True), (FLATTEN_ENDED, -15, False), (FLATTEN_ENDED, 4, True), (FLATTEN_ENDED, 8, True)],
)
def test_killed_around_a_partial_flatten_the_stops_see_the_rest_of_the_day(
    ground: Ground,
    undisturbed: dict[str, Any],
    behind: str,
    count: int,
    least: bool,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    whole = replace(ground, book=Book(tmp_path / "whole"))
    sells_some(whole, least)
    found = next(event.seq for event in whole.events() if behind in f"{event.type} {event.payload}")

    dies_at(monkeypatch, ground, found + count, least)

    assert without_sold(filled(check(ground))) == without_sold(undisturbed)


def test_recorded_days_that_are_cut_off_behind_a_partial_flatten_end_with_the_same_log(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recorded = replace(ground, settings=live().model_copy(update={"as_live": False}))
    whole = replace(recorded, book=Book(tmp_path / "whole"))
    sells_some(whole, least=True)
    ended = next(event.seq for event in whole.events() if FLATTEN_ENDED in str(event.payload))

    dies_at(monkeypatch, recorded, ended + 6, True)

    assert check(recorded)[-1].hash == whole.events()[-1].hash


@pytest.mark.parametrize(("minutes", "attempts"), [(100, 2), (70, 1)])
def test_a_flatten_late_in_the_day_sells_where_orders_are_on_their_way_for_a_while(
    ground: Ground, minutes: int, attempts: int
) -> None:
    quiet = replace(ground, sessions=ground.data.history().sessions_between()[-8:-5])
    closes = quiet.data.history().opening_time(quiet.sessions[DAY]) + timedelta(hours=6.5)
    asked = OperatorIntent(command="flatten", user="ann", reason="before the close", detail={"symbols": [SOLD]})

    def ask() -> None:
        quiet.post.inbox.put(asked.model_dump(mode="json"))

    play(quiet, Trouble(venue_of=None, pace=Acting(closes - timedelta(minutes=minutes), ask)))

    (ended,) = [item.text for item in of(check(quiet), NotificationRaised) if item.code == FLATTEN_ENDED]
    assert ended == f"flat after {attempts} attempts"
