"""A run as live whose process is killed in a session: it is HALTED, asks what became of its orders, and waits."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from parley.agents.llm.rules import RulesModel
from parley.desk.book import Book, RunFolder, open_log
from parley.desk.desk import RunPlan, build_desk, run_started
from parley.desk.operator import OperatorIntent, book_post
from parley.desk.settings import PolicySettings, Settings
from parley.domain.control_events import BookReconciled, TradingStateChanged
from parley.domain.events import ChildClosed, ChildSubmitted, NewEvent, OrderFilled, Payload, PortfolioMarked
from parley.domain.trading import ACCOUNT, TradingState
from parley.evals import day_work
from parley.evals.book_at_rest import BookAtRest, standing_of
from parley.evals.days import RecordedDays
from parley.evals.replay import replay_run
from parley.evals.steering import Stop
from parley.execution.breaker_rules import BreakerRules, Rule
from parley.gate.limits import load_limits
from parley.market.datasets import load_data
from parley.memory.log import EventLog
from parley.memory.verify import verify_log

DAYS = 3
# No band, so that every session trades.
LIVE = Settings(policy=PolicySettings(band=0.0), as_live=True)


class Killed(BaseException):
    """The process is gone: nothing on its way may catch this."""


@contextmanager
def dying_behind(patch: pytest.MonkeyPatch, seq: int) -> Iterator[None]:
    """Whoever appends behind this event is Killed before it is written."""
    append = EventLog.append

    def dying(log: EventLog, events: Any, *rest: Any) -> Any:
        if log.head()[0] >= seq:
            raise Killed
        return append(log, events, *rest)

    with patch.context() as context:
        context.setattr(EventLog, "append", dying)
        yield


@dataclass
class Rehearsal:
    """One live run in a book of its own, that can be killed at an event of its log."""

    book: Book
    data: str

    @property
    def folder(self) -> RunFolder:
        return self.book.latest()

    def run(
        self, kill_at: int | None = None, *, after: bool = True, settings: Settings = LIVE, count: int = DAYS
    ) -> Stop | None:
        """Begin it or go on with it; killed after (or just before) the event of this number is stored."""
        limits, data, model = load_limits(), load_data(self.data), RulesModel()
        plan = RunPlan(self.data, data.history().sessions_between()[-count:], model.name, 7)
        folder = self.book.run_folder(plan.run_id(settings, limits))
        if not folder.exists:
            folder = self.book.create(folder.run_id)
        with open_log(folder) as (log, _):
            _kill(log, kill_at, after)
            desk = build_desk(settings, limits, data, plan, log, model, None)
            started = run_started(settings, limits, data, plan)
            played = RecordedDays(desk, plan.sessions, plan.seed, started, post=book_post(self.book.path))
            return asyncio.run(played.run())

    def die(self, at: int, *, after: bool = True) -> None:
        with pytest.raises(Killed):
            self.run(at, after=after)

    def payloads(self, *kinds: type[Payload]) -> list[Any]:
        with open_log(self.folder, readonly=True) as (log, _):
            return [event.decoded() for event in log.read(types=kinds)]

    def places(self, kind: type[Payload]) -> list[int]:
        with open_log(self.folder, readonly=True) as (log, _):
            return [event.seq for event in log.read(types=(kind,))]

    def free(self) -> None:
        post = book_post(self.book.path)
        for ident in tuple(standing_of(self.folder).unacknowledged):
            self.ask("acknowledge", {"notification_id": ident})
        with BookAtRest(self.folder, post) as resting:
            assert resting.obey(OperatorIntent(command="resume", user="ann", reason="looked")) == ""

    def ask(self, command: Any, detail: dict[str, Any]) -> None:
        with BookAtRest(self.folder, book_post(self.book.path)) as resting:
            assert resting.obey(OperatorIntent(command=command, user="ann", reason="seen", detail=detail)) == ""


def _kill(log: EventLog, at: int | None, after: bool) -> None:
    append = log.append

    def dying(events: list[NewEvent], *rest: Any) -> Any:
        is_last = at is not None and log.head()[0] < at <= log.head()[0] + len(events)
        if is_last and not after:
            raise Killed
        stored = append(events, *rest)
        if is_last:
            raise Killed
        return stored

    log.append = dying  # pyright: ignore


@pytest.fixture
def rehearsal(tmp_path: Path, market_path: Path) -> Rehearsal:
    return Rehearsal(Book(tmp_path / "book"), str(market_path))


def whole(tmp_path: Path, data: str) -> Rehearsal:
    """The same run without a crash."""
    found = Rehearsal(Book(tmp_path / "whole"), data)
    assert found.run() is None
    return found


@pytest.mark.parametrize("kind", [ChildSubmitted, OrderFilled])
@pytest.mark.parametrize("after", [True, False])
def test_a_live_run_killed_in_mid_session_restarts_halted(
    rehearsal: Rehearsal, tmp_path: Path, kind: type[Payload], after: bool
) -> None:
    places = whole(tmp_path, rehearsal.data).places(kind)
    place = places[len(places) // 2]
    rehearsal.die(place, after=after)

    stop = rehearsal.run()

    assert stop is not None
    assert (stop.kind, "mid-session" in stop.reason) == ("halted", True)
    held = standing_of(rehearsal.folder).in_force[ACCOUNT]
    assert (held.after, held.cause) == (TradingState.HALTED, "restart")
    assert verify_log(rehearsal.folder.log_path).ok
    restarted = rehearsal.places(TradingStateChanged)[0]
    assert all(sent < restarted for sent in rehearsal.places(ChildSubmitted)), "nothing is sent after it"
    assert all(found.is_explained for found in rehearsal.payloads(BookReconciled))
    open_children = {item.child.client_order_id: item.child.quantity for item in rehearsal.payloads(ChildSubmitted)}
    for item in rehearsal.payloads(OrderFilled):
        open_children[item.fill.client_order_id] -= item.fill.quantity
    closed = {item.client_order_id for item in rehearsal.payloads(ChildClosed)}
    assert {name for name, left in open_children.items() if left} <= closed, "every order has its outcome"


def test_it_trades_again_when_a_person_has_freed_it_and_replays_to_the_same_bytes(
    rehearsal: Rehearsal, tmp_path: Path
) -> None:
    place = whole(tmp_path, rehearsal.data).places(ChildSubmitted)[1]
    rehearsal.die(place)
    rehearsal.run()
    before = len(rehearsal.places(ChildSubmitted))
    assert rehearsal.run() is not None, "and nobody but a person frees it"

    rehearsal.free()

    assert rehearsal.run() is None
    assert len(rehearsal.places(ChildSubmitted)) > before
    assert len(rehearsal.places(PortfolioMarked)) == DAYS
    assert verify_log(rehearsal.folder.log_path).ok
    replayed = replay_run(rehearsal.folder)
    assert (replayed.identical, replayed.first_difference) == (True, None)


def test_it_may_die_again_at_any_event_of_its_restart(rehearsal: Rehearsal, tmp_path: Path) -> None:
    place = whole(tmp_path, rehearsal.data).places(ChildSubmitted)[1]
    rehearsal.die(place)
    rehearsal.run()
    end = verify_log(rehearsal.folder.log_path).events
    fills = [item.fill for item in rehearsal.payloads(OrderFilled)]

    for seq in range(place + 1, end + 1, 2):
        again = Rehearsal(Book(tmp_path / f"again-{seq}"), rehearsal.data)
        again.die(place)
        again.die(seq)

        assert again.run() is not None
        assert standing_of(again.folder).in_force[ACCOUNT].cause == "restart"
        assert [item.fill for item in again.payloads(OrderFilled)] == fills, f"killed at {seq}"
        assert verify_log(again.folder.log_path).ok
        assert replay_run(again.folder).identical


def test_one_killed_between_its_sessions_simply_goes_on(rehearsal: Rehearsal, tmp_path: Path) -> None:
    other = whole(tmp_path, rehearsal.data)
    rehearsal.die(other.places(PortfolioMarked)[1])

    assert rehearsal.run() is None
    assert verify_log(rehearsal.folder.log_path).head_hash == verify_log(other.folder.log_path).head_hash


def test_a_recorded_run_killed_in_mid_session_goes_on_to_the_same_bytes(rehearsal: Rehearsal, tmp_path: Path) -> None:
    recorded = LIVE.model_copy(update={"as_live": False})
    other = Rehearsal(Book(tmp_path / "whole"), rehearsal.data)
    assert other.run(settings=recorded) is None
    with pytest.raises(Killed):
        rehearsal.run(other.places(ChildSubmitted)[1], settings=recorded)

    assert rehearsal.run(settings=recorded) is None
    assert verify_log(rehearsal.folder.log_path).head_hash == verify_log(other.folder.log_path).head_hash


@pytest.mark.parametrize("as_live", [False, True])
def test_what_a_breaker_reduced_is_armed_again_by_a_person_alone_when_it_is_run_as_live(
    rehearsal: Rehearsal, as_live: bool
) -> None:
    rules = BreakerRules(daily_loss=Rule(trip=0.0, rearm=0.0, action="reduce"))

    rehearsal.run(settings=LIVE.model_copy(update={"breakers": rules, "as_live": as_live}))

    changes = [item.after for item in rehearsal.payloads(TradingStateChanged)]
    assert changes[0] is TradingState.REDUCING
    assert (TradingState.ACTIVE in changes) is not as_live


@pytest.mark.parametrize("as_live", [False, True])
def test_a_live_run_looks_at_the_quotes_of_all_that_it_holds(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch, as_live: bool
) -> None:
    seen: list[tuple[set[str], set[str]]] = []
    work = day_work.work_session

    def spied(approved: Any, quotes: Any, *rest: Any, **named: Any) -> Any:
        wanted, quotes = {leg.symbol for leg in approved.plan.legs}, list(quotes)
        seen.append(({quote.symbol for quote in quotes} - wanted, set(rest[2].holdings()) - wanted))
        return work(approved, quotes, *rest, **named)

    monkeypatch.setattr(day_work, "work_session", spied)
    rehearsal.run(settings=LIVE.model_copy(update={"as_live": as_live}), count=6)

    assert any(held for _, held in seen), "some session holds what it does not trade"
    assert [beside for beside, _ in seen] == [held if as_live else set[str]() for _, held in seen]
