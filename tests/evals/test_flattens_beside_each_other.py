"""Flattens that are asked while another one works, or with no time left for them: none is lost, each has its end."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from parley.desk.book import Book
from parley.desk.operator import OperatorIntent
from parley.desk.settings import Settings
from parley.domain.control_events import NotificationRaised
from parley.domain.events import DecisionMade, Event, OrderFilled, StopArmed, StopFired
from parley.domain.orders import Side
from parley.domain.trading import ACCOUNT
from parley.evals.book_at_rest import BookAtRest, standing_of
from parley.evals.drill_ground import Ground, Trouble, play
from parley.execution.breaker_rules import USUAL_RULES, Rule
from parley.execution.flatten_requests import FLATTEN_WAITS, end_code, is_end
from parley.gate.limits import load_limits
from parley.market.datasets import load_data

from .test_protecting import crash
from .test_restarts import Killed, dying_behind
from .test_standing_stops import live
from .test_stops_at_halts import check, of, stops_at

__all__ = ["crash"]
FALLS, QUIET = slice(-6, -3), slice(-8, -4)
"""Two days before the fall and its first, and the four days before it: bought on the second of each."""
DAY = 2


@dataclass
class AllDay:
    """A session's time in which people act at moments of their own, each when it has come."""

    acts: Sequence[tuple[Any, Callable[[], object]]]
    done: int = field(default=0)

    def until(self, moment: Any, is_called: Callable[[], bool] = lambda: False) -> None:
        while self.done < len(self.acts) and moment >= self.acts[self.done][0] and not is_called():
            self.done += 1
            self.acts[self.done - 1][1]()


@dataclass(frozen=True)
class Asked:
    """A flatten, so many hours into the day in hand, or into the one before or after."""

    hours: float
    symbols: tuple[str, ...] = ()
    keep: dict[str, int] = field(default_factory=dict[str, int])
    day: int = DAY

    def intent(self) -> OperatorIntent:
        detail: dict[str, Any] = {"symbols": list(self.symbols), "keep": self.keep}
        return OperatorIntent(command="flatten", user="ann", reason=f"news at {self.hours}", detail=detail)


@pytest.fixture
def ground_of(tmp_path: Path, crash: Path) -> Callable[..., Ground]:
    data = load_data(str(crash))

    def made(days: slice, settings: Settings, name: str = "book") -> Ground:
        sessions = tuple(data.history().sessions_between()[days])
        return Ground(Book(tmp_path / name), data, str(crash), settings, load_limits(), sessions)

    return made


def asks(ground: Ground, *asked: Asked, resumes: bool = False) -> int:
    """Play the days, and ask; how often it was asked before they were over, or the process died."""
    opens = [ground.data.history().opening_time(day) for day in ground.sessions]

    def put(item: Asked) -> Callable[[], object]:
        return lambda: ground.post.inbox.put(item.intent().model_dump(mode="json"))

    acts = [(opens[item.day] + timedelta(hours=item.hours), put(item)) for item in asked]
    pace = AllDay(acts)
    with suppress(Killed):
        play(ground, Trouble(venue_of=None, pace=pace), resumes=resumes)
    return pace.done


def notes(events: tuple[Event, ...]) -> list[tuple[str, str]]:
    """What was told of flattens, with the day of the month."""
    told = [event for event in events if event.type == NotificationRaised.__name__]
    found = [(event, payload) for event in told if isinstance(payload := event.decoded(), NotificationRaised)]
    return [
        (payload.code, f"{event.event_time.day}: {payload.text}")
        for event, payload in found
        if is_end(payload.code) or payload.code == FLATTEN_WAITS
    ]


def held(ground: Ground) -> dict[str, int]:
    """By the fills in the log."""
    found: dict[str, int] = {}
    for item in of(ground.events(), OrderFilled):
        found[item.fill.symbol] = found.get(item.fill.symbol, 0) + item.fill.side.sign * item.fill.quantity
    return {name: shares for name, shares in found.items() if shares}


@pytest.mark.parametrize("settings", [live(), Settings(), Settings(stop_loss_frac=0.2, as_live=True)])
def test_a_flatten_asked_while_another_works_is_worked_with_it_and_both_end(
    ground_of: Callable[..., Ground], settings: Settings
) -> None:
    # On the day that buys: without stops, no other one has quotes to be heard on.
    ground = ground_of(QUIET, settings)

    asks(ground, Asked(2.0, ("N0",), day=1), Asked(2.6, ("N1",), {"N1": 100}, day=1))

    events = check(ground) if settings.stop_orders == "resting" else ground.events()
    day = ground.sessions[1].day
    ended = [(code, text.split(" after")[0]) for code, text in notes(events)]
    assert ended == [
        (end_code(1), f"{day}: flatten of N1 by ann: flat"),
        (end_code(0), f"{day}: flatten of N0 by ann: flat"),
    ]
    sold = [item.fill for item in of(events, OrderFilled) if item.fill.side is Side.SELL]
    assert sum(fill.symbol == "N0" and fill.ts_event.hour >= 19 for fill in sold), "the first one went on"
    opens = ground.data.history().opening_time(ground.sessions[1])
    second = [fill.ts_event - opens for fill in sold if fill.symbol == "N1"]
    assert timedelta(hours=2.6) < min(second) < timedelta(hours=3.6), "the second one did not wait for it"
    assert {"N0", "N1"} <= {fill.symbol for fill in sold if fill.ts_event.date() == ground.sessions[1]}


def test_a_flatten_of_everything_is_not_kept_waiting_by_one_of_a_name(ground_of: Callable[..., Ground]) -> None:
    ground = ground_of(QUIET, live())

    asks(ground, Asked(1.1, ("N0",)), Asked(2.1))

    events = check(ground)
    assert held(ground) == {}
    assert [text.split(" after")[0] for _, text in notes(events)] == [
        f"{ground.sessions[DAY].day}: flatten of {what} by ann: flat" for what in ("everything", "N0")
    ]
    assert standing_of(ground.folder).flattens.asked == ()


def test_what_is_covered_already_does_not_disturb_what_works(ground_of: Callable[..., Ground]) -> None:
    alone, beside = ground_of(QUIET, live(), "alone"), ground_of(QUIET, live(), "beside")

    asks(alone, Asked(1.1))
    asks(beside, Asked(1.1), Asked(2.1, ("N3",)))

    fills = [[item.fill for item in of(ground.events(), OrderFilled)] for ground in (alone, beside)]
    assert fills[0] == fills[1]
    assert [code for code, _ in notes(check(beside))] == [end_code(1), end_code(0)]


def test_asked_over_night_all_of_them_are_worked_in_the_morning(ground_of: Callable[..., Ground]) -> None:
    ground = ground_of(QUIET, Settings())

    def over_night(place: int) -> None:
        if place == DAY:
            for item in (Asked(0, ("N0",)), Asked(0, ("N1",), {"N1": 5})):
                ground.post.inbox.put(item.intent().model_dump(mode="json"))

    play(ground, Trouble(act=over_night))

    assert "N0" not in held(ground)
    assert held(ground)["N1"] == 5
    assert [code for code, _ in notes(ground.events())] == [end_code(1), end_code(0)]


def test_a_breaker_s_flatten_comes_while_a_person_s_works(ground_of: Callable[..., Ground]) -> None:
    # At its open the day costs 0.63 %, an hour later 0.66 %.
    rules = USUAL_RULES.model_copy(update={"daily_loss": Rule(trip=0.0065, rearm=0.0, action="flatten")})
    ground = ground_of(FALLS, live().model_copy(update={"breakers": rules}))

    asks(ground, Asked(0.1, ("N0",), {"N0": 1}))

    events = ground.events()
    assert [code for code, _ in notes(events)] == [end_code(1), end_code(0)]
    assert "flatten of everything by daily_loss: flat" in notes(events)[0][1]
    assert held(ground) == {}


def test_a_refused_flatten_takes_no_other_one_with_it(ground_of: Callable[..., Ground]) -> None:
    ground = ground_of(QUIET, Settings())
    play(ground, Trouble())
    with BookAtRest(ground.folder, ground.post) as resting:
        assert resting.obey(Asked(0, ("N0",)).intent()) == ""
    ground.raise_flag()

    with BookAtRest(ground.folder, ground.post) as resting:
        assert "kill flag" in resting.obey(Asked(0, ("N1",)).intent())

    assert [item.symbols for item in standing_of(ground.folder).flattens.asked] == [("N0",)]


def goes_on(patch: pytest.MonkeyPatch, ground: Ground, at: int, *asked: Asked) -> None:
    """The same days in a process that is killed as it appends behind event `at`, and the rest of them in another."""
    with dying_behind(patch, at):
        done = asks(ground, *asked)
    # What is taken in stands in the log as a whole or not at all.
    assert at - 3 < len(ground.events()) < at + 10, "it died there"
    asks(ground, *asked[done:], resumes=True)


TWO = (Asked(1.1, ("N0",)), Asked(2.1, ("N1",)))
PLACES = [
    ("OperatorAsked", 0, 3),
    ("OperatorAsked", 1, -1),
    ("OperatorAsked", 1, 3),
    (end_code(0), 0, -30),
    ("_ended", 0, 0),
]
"""Behind the first one, before and behind the second, while both are worked, and between their ends."""


@pytest.mark.parametrize(("behind", "which", "count"), PLACES)
def test_killed_around_two_flattens_recorded_days_end_with_the_same_log(
    ground_of: Callable[..., Ground], behind: str, which: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = live().model_copy(update={"as_live": False})
    whole, cut = ground_of(QUIET, recorded, "whole"), ground_of(QUIET, recorded, "cut")
    asks(whole, *TWO)
    found = [event.seq for event in whole.events() if behind in f"{event.type} {event.payload}"]

    goes_on(monkeypatch, cut, found[which] + count, *TWO)

    assert check(cut)[-1].hash == whole.events()[-1].hash


@pytest.mark.parametrize(("behind", "which", "count"), PLACES[2:])
def test_killed_around_two_flattens_a_run_as_live_loses_neither(
    ground_of: Callable[..., Ground], behind: str, which: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut = ground_of(QUIET, live(), "whole"), ground_of(QUIET, live(), "cut")
    asks(whole, *TWO)
    found = [event.seq for event in whole.events() if behind in f"{event.type} {event.payload}"]

    goes_on(monkeypatch, cut, found[which] + count, *TWO)

    assert sum(is_end(code) for code, _ in notes(check(cut))) == len(TWO)
    assert standing_of(cut.folder).flattens.asked == ()


# With one moment left nothing that is sent would arrive in time; at the close there is none left.
@pytest.mark.parametrize(("hours", "day"), [(5.6, DAY), (5.6, 1), (6.5, 1)])
def test_asked_too_late_it_waits_for_the_next_session_and_says_so(
    ground_of: Callable[..., Ground], hours: float, day: int
) -> None:
    ground = ground_of(QUIET, live())

    asks(ground, Asked(hours, ("N0",), day=day))

    events = check(ground)
    first, second = (session.day for session in ground.sessions[day : day + 2])
    (waits, told), (ended, text) = notes(events)
    assert (waits, ended) == (FLATTEN_WAITS, end_code(0))
    assert told.startswith(f"{first}: ") and "N0 left after 0 attempts" in told
    assert text == f"{second}: flat after 4 attempts"
    assert [item.text for item in of(events, NotificationRaised) if item.severity == "critical"] == []


def test_it_waits_once_and_then_a_person_has_to_say_what_becomes_of_it(ground_of: Callable[..., Ground]) -> None:
    ground = ground_of(QUIET, live())

    def no_quotes(desk: Any, session: Any, symbols: Any, seed: int) -> Any:
        from parley.evals.tape import session_tape

        tape = session_tape(desk, session, symbols, seed)
        bought = session > ground.sessions[1]
        return replace(tape, quotes=tuple(item for item in tape.quotes if item.symbol != "N0" or not bought))

    opens = ground.data.history().opening_time(ground.sessions[DAY])
    pace = AllDay([(opens, lambda: ground.post.inbox.put(Asked(0, ("N0",)).intent().model_dump(mode="json")))])
    play(ground, Trouble(venue_of=None, pace=pace, tape_of=no_quotes))

    found = notes(ground.events())
    assert [code for code, _ in found] == [FLATTEN_WAITS, end_code(0)]
    assert "stuck after 0 attempts" in found[1][1]
    assert found[1][1].startswith(f"{ground.sessions[DAY + 1].day}: ")


def fired(ground: Ground) -> dict[str, tuple[int, Any]]:
    """Stops that were reached, with the day."""
    events = [event for event in ground.events() if event.type == StopFired.__name__]
    return {payload.symbol: (event.event_time.day, payload.quantity) for event in events for payload in [_fired(event)]}


def _fired(event: Event) -> StopFired:
    payload = event.decoded()
    assert isinstance(payload, StopFired), "asked for by type"
    return payload


@pytest.mark.parametrize("venue", ["paper", "exchange"])
@pytest.mark.parametrize("least", [True, False])
def test_stops_that_the_desk_watches_sell_the_same_day_beside_a_flatten_and_after_it(
    ground_of: Callable[..., Ground], venue: str, least: bool
) -> None:
    settings = live(venue).model_copy(update={"stop_orders": "desk"})
    usual, ground = ground_of(FALLS, settings, "usual"), ground_of(FALLS, settings)

    play(usual, Trouble(venue_of=None))
    asks(ground, Asked(1.1, ("N0",), {"N0": 700} if least else {}))

    reached = fired(usual)
    assert len({day for day, _ in reached.values()}) == 1, "all on the one day"
    expected = {name: found for name, found in reached.items() if name != "N0"}
    assert {name: found for name, found in fired(ground).items() if name != "N0"} == expected
    sold = [item.fill.symbol for item in of(ground.events(), OrderFilled) if item.fill.side is Side.SELL]
    assert set(expected) <= set(sold)
    assert ("N0" in fired(ground)) is least, "what is kept of a name has its stop, what is sold as a whole needs none"
    assert "N0" not in held(ground)


def test_an_exit_that_a_flatten_of_another_name_cuts_off_goes_on_although_the_price_is_back(
    ground_of: Callable[..., Ground],
) -> None:
    ground = ground_of(QUIET, live("paper").model_copy(update={"stop_orders": "desk"}))
    opens = ground.data.history().opening_time(ground.sessions[DAY])

    def dips_at_the_open(desk: Any, session: Any, symbols: Any, seed: int) -> Any:
        from parley.evals.tape import session_tape

        tape = session_tape(desk, session, symbols, seed)
        low = [
            replace(item, bid=item.bid * Decimal("0.8"), ask=item.ask * Decimal("0.8"))
            if (item.symbol, item.ts_event) == ("N1", opens)
            else item
            for item in tape.quotes
        ]
        return replace(tape, quotes=tuple(low))

    asked = Asked(0, ("N0",)).intent().model_dump(mode="json")
    pace = AllDay([(opens + timedelta(minutes=15), lambda: ground.post.inbox.put(asked))])
    play(ground, Trouble(venue_of=None, pace=pace, tape_of=dips_at_the_open))

    events = ground.events()
    (again,) = of(events, StopFired)
    fills = [item.fill for item in of(events, OrderFilled)]
    sold = {fill.symbol for fill in fills if fill.side is Side.SELL and fill.ts_event.date() == opens.date()}
    assert again.symbol == "N1" and again.price > again.stop_price, "the price is back above it"
    assert sold == {"N0", "N1"}
    assert sum(fill.quantity for fill in fills if (fill.symbol, fill.side) == ("N1", Side.SELL)) == again.quantity
    assert "was reached before its exit was cut off" in str([item.decision for item in of(events, DecisionMade)])


def test_where_no_stop_of_the_desk_is_reached_a_flatten_arms_none(ground_of: Callable[..., Ground]) -> None:
    ground = ground_of(QUIET, live("paper").model_copy(update={"stop_orders": "desk"}))

    asks(ground, Asked(1.1, ("N0",)))

    events = ground.events()
    asked = next(event.seq for event in events if event.type == "OperatorAsked")
    assert of(events, StopArmed, after=asked) == []
    assert set(stops_at(events)) == set()
    assert standing_of(ground.folder).of_scope(ACCOUNT).value == "ACTIVE"
