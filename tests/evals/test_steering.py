"""A run that people reach while it goes: what they ask is done, recorded, and found again by a replay."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from parley.agents.llm.rules import RulesModel
from parley.desk.book import Book, RunFolder, open_log
from parley.desk.control_log import CONTROL_FACTS
from parley.desk.desk import RunPlan, build_desk, run_started
from parley.desk.operator import BookPost, OperatorIntent, book_post
from parley.desk.settings import CostSettings, Settings
from parley.domain.control_events import NotificationRaised, OperatorAsked, TradingStateChanged
from parley.domain.events import (
    ChildSubmitted,
    DecisionMade,
    Event,
    OrderClosed,
    OrderFilled,
    PortfolioMarked,
    RunFinished,
)
from parley.domain.market import Quote
from parley.domain.model import Payload
from parley.domain.orders import Side
from parley.domain.portfolio import Portfolio
from parley.domain.trading import ACCOUNT, Scope, TradingState
from parley.evals.book_at_rest import BookAtRest, standing_of
from parley.evals.days import RecordedDays
from parley.evals.drill_venues import changed_tape, moved
from parley.evals.replay import replay_run
from parley.evals.steering import Stop
from parley.evals.tape import Tape, session_tape
from parley.evals.venues import VenueOf, paper_venue
from parley.execution.breaker_rules import BreakerRules, Rule
from parley.execution.hours import SessionHours
from parley.gate.limits import load_limits
from parley.market.datasets import load_data
from parley.memory.verify import verify_log
from parley.storage.flag import FlagNote

DAYS = 6
Act = Callable[[int], None]
Said = TypeVar("Said", bound=Payload)


def said(event: Event, kind: type[Said]) -> Said:
    payload = event.decoded()
    assert isinstance(payload, kind)
    return payload


def nothing(place: int) -> None:
    return None


class Crash(Exception):
    """The process dies here."""


def runs_away(quote: Quote, first: datetime) -> Quote:
    """One share on offer, and then a market out of reach: orders lie open over quiet moments."""
    return moved(replace(quote, ask_size=1), "1" if quote.ts_event == first else "1.03")


def disturbed(usual: VenueOf, at_moments: dict[int, Callable[[], None]]) -> VenueOf:
    """The usual venue, whose feed lets things happen in between: only in the first session that trades."""
    left = dict(at_moments)

    def made(hours: SessionHours, tape: Tape, portfolio: Portfolio) -> Any:
        venue: Any = usual(hours, tape, portfolio)
        inner, seen = venue.on_quote, set[datetime]()

        def on_quote(quote: Quote) -> Any:
            seen.add(quote.ts_event)
            if len(seen) in left:
                left.pop(len(seen))()
            return inner(quote)

        venue.on_quote = on_quote
        return venue

    return made


@dataclass(frozen=True)
class Steered:
    """One run in a book of its own, with somebody outside who acts as its days begin."""

    book: Book
    data: str

    @property
    def post(self) -> BookPost:
        return book_post(self.book.path)

    @property
    def folder(self) -> RunFolder:
        return self.book.latest()

    def run(
        self,
        act: Act = nothing,
        settings: Settings | None = None,
        begin: bool = False,
        at_moments: dict[int, Callable[[], None]] | None = None,
    ) -> Stop | None:
        """`at_moments` are things that happen as the first trading session's moments begin, counted from 1."""
        settings, limits, data, model = settings or Settings(), load_limits(), load_data(self.data), RulesModel()
        plan = RunPlan(self.data, data.history().sessions_between()[-DAYS:], model.name, 7)
        folder = self.book.create(plan.run_id(settings, limits)) if begin else self.book.latest()
        with open_log(folder) as (log, _):
            desk = build_desk(settings, limits, data, plan, log, model, None)
            started = run_started(settings, limits, data, plan)
            venue_of = disturbed(paper_venue(desk), at_moments or {})
            tape_of = changed_tape(runs_away) if at_moments else session_tape
            days = RecordedDays(
                desk, plan.sessions, plan.seed, started, post=self.post, venue_of=venue_of, tape_of=tape_of
            )
            return asyncio.run(days.run(lambda done, total: act(done)))

    def ask(self, command: str, scope: Scope = ACCOUNT, **detail: Any) -> None:
        intent = OperatorIntent.model_validate(
            {"command": command, "user": "ann", "reason": "a test", "scope": scope, "detail": detail}
        )
        self.post.inbox.put(intent.model_dump(mode="json"))

    def events(self) -> list[Event]:
        with open_log(self.folder, readonly=True) as (log, _):
            return list(log.read())

    def of(self, kind: type[Any]) -> list[Any]:
        return [event.decoded() for event in self.events() if event.type == kind.__name__]

    def holdings(self) -> dict[str, int]:
        held: Counter[str] = Counter()
        for item in self.of(OrderFilled):
            held[item.fill.symbol] += item.fill.side.sign * item.fill.quantity
        return {symbol: count for symbol, count in held.items() if count}

    def check(self) -> None:
        """Its log verifies, and a replay that nobody reaches makes the same bytes."""
        assert verify_log(self.folder.log_path).ok
        replayed = replay_run(self.folder)
        assert replayed.first_difference is None
        assert replayed.identical


@pytest.fixture
def steered(tmp_path: Path, market_path: Path) -> Steered:
    return Steered(Book(tmp_path / "book"), str(market_path))


def on_day(place: int, act: Callable[[], None]) -> Act:
    return lambda begun: act() if begun == place else None


@pytest.mark.slow
def test_a_run_nobody_reaches_is_the_run_without_a_door(steered: Steered) -> None:
    assert steered.run(begin=True) is None

    assert not [event for event in steered.events() if event.stream == "outside"]
    assert len(steered.of(RunFinished)) == 1
    steered.check()


def test_a_flag_that_was_raised_ends_the_run_halted_and_a_person_lets_it_go_on(steered: Steered) -> None:
    stop = steered.run(on_day(2, lambda: _raise(steered)), begin=True)

    assert stop == Stop("halted", "ann: smoke")
    assert not steered.of(RunFinished)
    changed = steered.of(TradingStateChanged)
    assert [(item.scope, item.after, item.cause) for item in changed] == [(ACCOUNT, TradingState.HALTED, "kill_flag")]
    steered.check()
    # The restart is HALTED too, even with the flag gone: only a person arms it.
    steered.post.flag.lower()
    before = len(steered.events())
    assert steered.run() == Stop("halted", "ann: smoke")
    assert len(steered.events()) == before
    with BookAtRest(steered.folder, steered.post) as resting:
        assert resting.obey(_intent("resume")) == ""
    assert steered.run() is None
    assert len(steered.of(PortfolioMarked)) == DAYS
    steered.check()


def test_a_halted_run_sends_nothing_after_the_halt(steered: Steered) -> None:
    steered.run(on_day(1, lambda: _raise(steered)), begin=True)

    events = steered.events()
    halted = next(event.seq for event in events if event.type == TradingStateChanged.__name__)
    assert not [event for event in events[halted:] if event.type in ("ChildSubmitted", "PlanApproved")]
    assert [event for event in events[halted:] if event.type == "OrderClosed"], "the plan in hand is closed"


def test_a_flatten_sells_all_in_steps_and_keeps_the_desk_reducing(steered: Steered) -> None:
    assert steered.run(on_day(3, lambda: steered.ask("flatten")), begin=True) is None

    assert steered.holdings() == {}
    sold = [item.fill for item in steered.of(OrderFilled) if item.fill.side is Side.SELL]
    assert len({fill.order_id for fill in sold if fill.symbol == sold[-1].symbol}) > 1, "in more than one attempt"
    ended = [item for item in steered.of(NotificationRaised) if item.code == "flatten_ended"]
    assert [(item.severity, item.text.split(" after")[0]) for item in ended] == [("info", "flat")]
    assert standing_of(steered.folder).account is TradingState.REDUCING
    after = steered.of(DecisionMade)[-1].decision
    assert after.snapshot.trading_states.of() is TradingState.REDUCING
    assert after.plan is None
    steered.check()


@pytest.mark.slow
def test_a_flatten_of_one_name_leaves_the_others_alone(steered: Steered) -> None:
    steered.run(on_day(3, lambda: steered.ask("flatten", symbols=["N1"])), begin=True)

    held = steered.holdings()
    assert "N1" not in held
    assert held
    assert standing_of(steered.folder).restrictions.of("N1") is TradingState.REDUCING
    assert standing_of(steered.folder).account is TradingState.ACTIVE
    steered.check()


@pytest.mark.slow
def test_a_cancelled_order_is_not_worked_on_while_its_sisters_are(steered: Steered) -> None:
    def cancel_first() -> None:
        legs = steered.of(DecisionMade)[-1].decision.plan.legs
        steered.ask("cancel", orders=[legs[0].order_id])

    steered.run(on_day(1, cancel_first), begin=True)

    legs = steered.of(DecisionMade)[0].decision.plan.legs
    closed = {event.order_id: said(event, OrderClosed) for event in steered.events() if event.type == "OrderClosed"}
    assert closed[legs[0].order_id].status == "unfilled"
    assert {closed[leg.order_id].status for leg in legs[1:]} == {"filled"}
    assert standing_of(steered.folder).account is TradingState.ACTIVE
    steered.check()


@pytest.mark.slow
def test_a_halted_instrument_is_vetoed_by_name_until_it_is_free(steered: Steered) -> None:
    scope = Scope(kind="instrument", name="N1")

    def act(place: int) -> None:
        if place in (1, 4):
            steered.ask("halt" if place == 1 else "resume", scope)

    steered.run(act, begin=True)

    decisions = [item.decision for item in steered.of(DecisionMade)]
    states = [item.snapshot.trading_states.of("N1") for item in decisions]
    assert states == [TradingState.ACTIVE] + [TradingState.HALTED] * 3 + [TradingState.ACTIVE] * 2
    bought = [
        event
        for event in steered.events()
        if event.type == "OrderFilled" and said(event, OrderFilled).fill.symbol == "N1"
    ]
    halted, freed = (event.seq for event in steered.events() if event.type == TradingStateChanged.__name__)
    assert not [event for event in bought if halted < event.seq < freed]
    steered.check()


@pytest.mark.slow
def test_a_message_that_is_none_is_told_and_a_message_twice_seen_is_done_once(steered: Steered) -> None:
    def act() -> None:
        steered.post.inbox.put({"command": "sell everything", "user": "eve", "reason": "", "scope": None})
        steered.ask("halt", Scope(kind="instrument", name="N1"))

    steered.run(on_day(1, act), begin=True)

    told = [item for item in steered.of(NotificationRaised) if item.code == "bad_message"]
    assert len(told) == 1
    assert "command" in told[0].text
    assert len(steered.of(OperatorAsked)) == 1
    # The taker died before it settled the message: it is found again, and its id tells that it was obeyed.
    taken = steered.post.inbox.folder / "taken"
    next(taken.iterdir()).rename(steered.post.inbox.folder / "new" / "00000002.json")
    with BookAtRest(steered.folder, steered.post) as resting:
        resting.take_flag()
    assert len(steered.of(OperatorAsked)) == 1
    assert list((steered.post.inbox.folder / "new").iterdir()) == []


def test_a_breaker_halts_the_days_but_does_not_end_them(steered: Steered) -> None:
    rules = BreakerRules(daily_loss=Rule(trip=0.0, rearm=0.0, action="halt"))

    assert steered.run(settings=Settings(breakers=rules), begin=True) is None

    changed = [item for item in steered.of(TradingStateChanged) if item.name == "daily_loss"]
    assert [item.after for item in changed] == [TradingState.HALTED]
    assert changed[0].figure > 0 == changed[0].limit
    critical = [item for item in steered.of(NotificationRaised) if item.severity == "critical"]
    assert [item.code for item in critical] == ["daily_loss"]
    events = steered.events()
    halted = next(event.seq for event in events if event.type == TradingStateChanged.__name__)
    assert not [event for event in events[halted:] if event.type == "ChildSubmitted"]
    late = [item.decision for item in steered.of(DecisionMade)][-1]
    assert late.kind in ("vetoed", "no_trade")
    steered.check()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["halt", "resume", "flatten", "acknowledge"])
def test_what_was_asked_of_a_book_at_rest_is_found_again_by_a_replay(steered: Steered, command: str) -> None:
    steered.run(begin=True)

    with BookAtRest(steered.folder, steered.post) as resting:
        refusal = resting.obey(_intent(command))

    assert (refusal == "") is (command in ("halt", "flatten"))
    steered.check()


def crash() -> None:
    raise Crash


def test_a_request_amid_a_session_is_found_again_at_its_moment_when_the_session_is_walked_again(
    steered: Steered, tmp_path: Path
) -> None:
    one_slice = Settings(costs=CostSettings(max_slices=1))
    other = Steered(Book(tmp_path / "other"), steered.data)
    other.run(begin=True, settings=one_slice, at_moments={3: lambda: other.ask("cancel")})
    with pytest.raises(Crash):
        steered.run(begin=True, settings=one_slice, at_moments={3: lambda: steered.ask("cancel"), 4: crash})
    cancels = [event for event in steered.events() if event.type == "CancelRequested"]
    asked = next(event for event in steered.events() if event.type == "OperatorAsked")
    assert {event.event_time for event in cancels} == {asked.event_time}
    quiet = [event for event in steered.events()[: asked.seq - 1] if event.type.startswith("Child")][-1]
    assert quiet.event_time < asked.event_time, "nothing happened in the moments before it"

    assert steered.run(settings=one_slice, at_moments={99: crash}) is None

    assert steered.events() == other.events()


def test_a_request_to_a_book_that_died_amid_a_session_stands_where_it_died(steered: Steered) -> None:
    scope = Scope(kind="instrument", name="N1")
    with pytest.raises(Crash):
        steered.run(begin=True, at_moments={4: crash})
    with BookAtRest(steered.folder, steered.post) as resting:
        resting.obey(_intent("halt").model_copy(update={"scope": scope}))
    before = steered.events()

    assert steered.run(at_moments={99: crash}) is None

    after = steered.events()
    assert after[: len(before)] == before
    sent = [
        said(event, ChildSubmitted).child.symbol for event in after[len(before) :] if event.type == "ChildSubmitted"
    ]
    assert sent
    assert "N1" not in sent
    assert verify_log(steered.folder.log_path).ok


def _raise(steered: Steered) -> None:
    steered.post.flag.hoist(FlagNote("ann", "smoke", "now"))


def _intent(command: Any) -> OperatorIntent:
    return OperatorIntent(command=command, user="ann", reason="a test")


@pytest.mark.slow
def test_every_control_fact_is_known_to_the_fold(steered: Steered) -> None:
    steered.run(on_day(3, lambda: steered.ask("flatten")), begin=True)

    kinds = {kind.__name__ for kind in CONTROL_FACTS}
    strange = [event.type for event in steered.events() if event.stream in ("outside", "controls")]
    assert set(strange) <= kinds
