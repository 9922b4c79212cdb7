"""Stops for the night where one exchange of the router is out at the close, in a whole run on recorded bars."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from parley.agents.llm.rules import RulesModel
from parley.desk.book import Book, RunFolder, open_log
from parley.desk.desk import RunPlan, build_desk, run_started
from parley.desk.settings import Settings, VenueSettings
from parley.domain.control_events import NotificationRaised
from parley.domain.events import ChildDenied, ChildSubmitted, DecisionMade, PortfolioMarked
from parley.evals.days import RecordedDays
from parley.evals.drill_ground import Ground, Trouble, play
from parley.evals.protecting import FOR_NIGHT
from parley.execution.routing.state import Rule
from parley.execution.standing import UNPROTECTED
from parley.gate.limits import load_limits
from parley.market.datasets import load_data
from parley.memory.sent_orders import rests

from .test_restarts import Killed, dying_behind
from .test_resting_stops import check_log, nights
from .test_stops_at_halts import check, of, stops_at

FIRST, LAST = date(2008, 9, 2), date(2008, 9, 8)
OUT_AT_CLOSE = date(2008, 9, 5)
"""On this day the exchange `regional` does not answer with the last quotes."""

ROUTED = VenueSettings(kind="routed", policy=Rule.UCB)
RESTING = Settings(stop_loss_frac=0.03, stop_orders="resting", venue=ROUTED)


def run(path: Path) -> RunFolder:
    """The week, from wherever the log at this path stands."""
    settings, data, limits = RESTING, load_data("us5"), load_limits()
    plan = RunPlan("us5", data.history().sessions_between(FIRST, LAST), "rules", 7)
    path.mkdir(exist_ok=True)
    folder = RunFolder("run", path)
    with open_log(folder) as (log, _):
        desk = build_desk(settings, limits, data, plan, log, RulesModel(), None)
        started = run_started(settings, limits, data, plan)
        asyncio.run(RecordedDays(desk, plan.sessions, plan.seed, started).run())
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return run(tmp_path_factory.mktemp("week") / "whole")


def events(folder: RunFolder) -> list[Any]:
    with open_log(folder, readonly=True) as (log, _):
        return list(log.read())


def in_the_night(whole: Iterable[Any]) -> list[Any]:
    """From the decision for the night of that day up to its close."""
    found = [item for item in whole if item.event_time.date() == OUT_AT_CLOSE]
    first = next(place for place, item in enumerate(found) if FOR_NIGHT in str(item.payload))
    return found[first : next(place for place, item in enumerate(found) if item.type == PortfolioMarked.__name__)]


def test_every_position_has_its_stop_in_the_night_although_it_was_refused_with_the_last_quotes(
    whole: RunFolder,
) -> None:
    found = events(whole)

    facts = [event.decoded() for event in found]
    that_day = [event.decoded() for event in found if event.event_time.date() == OUT_AT_CLOSE]
    denied = [item for item in that_day if isinstance(item, ChildDenied) and rests(item.child)]
    assert "venue_ready" in [row.check for item in denied for row in item.verdict.reasons], "an exchange was out"
    refused = {item.child.symbol for item in denied}
    sent = [item.decoded() for item in in_the_night(events(whole)) if item.type == ChildSubmitted.__name__]
    assert {item.child.symbol for item in sent} > refused, "the one refused, and one of which a fill was not told"
    assert all(night.held == night.protected for night in nights(facts))
    assert not [item for item in facts if isinstance(item, NotificationRaised) and item.code == UNPROTECTED]


def test_its_log_is_whole_and_replays(whole: RunFolder) -> None:
    check_log(whole)


@pytest.mark.parametrize("kind", [DecisionMade, ChildSubmitted])
def test_a_run_that_dies_in_that_night_ends_with_the_same_log(
    whole: RunFolder, kind: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = next(item.seq for item in in_the_night(events(whole)) if item.type == kind.__name__)

    with dying_behind(monkeypatch, place), pytest.raises(Killed):
        run(tmp_path / "cut")
    cut = run(tmp_path / "cut")

    assert events(cut)[-1].hash == events(whole)[-1].hash


def test_killed_in_that_night_a_live_run_keeps_what_was_placed_and_tells_of_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = load_data("us5")
    sessions = data.history().sessions_between(FIRST, LAST)
    live = RESTING.model_copy(update={"as_live": True})
    ground = Ground(Book(tmp_path / "whole"), data, "us5", live, load_limits(), sessions)
    play(ground, Trouble(venue_of=None))
    assert not [item for item in check(ground) if UNPROTECTED in str(item.payload)]
    first = next(item for item in in_the_night(ground.events()) if item.type == ChildSubmitted.__name__)

    cut = replace(ground, book=Book(tmp_path / "cut"))
    with dying_behind(monkeypatch, first.seq + 1), pytest.raises(Killed):
        play(cut, Trouble(venue_of=None))
    play(cut, Trouble(venue_of=None), resumes=True)

    found = check(cut)
    told = {item.text.split(" ")[1] for item in of(found, NotificationRaised) if item.code == UNPROTECTED}
    assert set(stops_at(found)) == {first.decoded().child.symbol}
    assert told, "the last quotes are gone with the process: nothing can be placed by them"
    assert not told & set(stops_at(found))
