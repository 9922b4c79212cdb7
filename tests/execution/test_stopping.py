"""What a restriction does to a session that is running: orders come back, and nobody asks for ever."""

from typing import Any

from parley.domain.control_events import BookReconciled
from parley.domain.events import CancelRequested, ChildClosed, ChildSubmitted, NewEvent, OrderClosed
from parley.domain.orders import OrderState
from parley.domain.trading import UNRESTRICTED, Scope, TradingState, TradingStates
from parley.execution.watching import Reading

from .scripted import ScriptedVenue


class Later:
    """Restricts one scope from a moment on."""

    def __init__(self, since: Any, kind: Any, name: str, state: TradingState) -> None:
        self.since, self.answer = since, TradingStates(restricted=((Scope(kind=kind, name=name), state),))
        self.readings: list[Reading] = []

    def states(self, now: Any) -> TradingStates:
        return self.answer if now >= self.since else UNRESTRICTED

    def observe(self, reading: Reading) -> None:
        self.readings.append(reading)


def of(log: list[NewEvent], kind: type) -> list[Any]:
    return [event.payload for event in log if isinstance(event.payload, kind)]


def test_a_halted_account_gets_every_order_back_and_leaves_the_quotes_for_a_flatten(floor: Any) -> None:
    log: list[NewEvent] = []
    plan = floor.approved(floor.leg("AAA", "BUY", 200, 2), floor.leg("BBB", "BUY", 200, 2))
    watch = Later(floor.at(60), "account", "", TradingState.HALTED)

    venue = floor.venue(portfolio=plan.terms.portfolio)
    result = floor.work(plan, floor.quotes(("AAA", "BBB"), size=20), log, watch=watch, venue=venue)

    # Each leg got 20 at 0, 30 and 60 minutes; the rest of its first slice of 100 was taken back.
    assert [item.state for item in of(log, ChildClosed)] == [OrderState.CANCELED] * 2
    assert [item.status for item in of(log, OrderClosed)] == ["partial"] * 2
    assert venue.open_orders() == ()
    assert "halted" in result.stopped
    assert next(result.unread).ts_event == floor.at(90)
    assert len(of(log, ChildSubmitted)) == 2
    assert of(log, BookReconciled)[-1].is_explained


def test_a_halted_instrument_loses_its_orders_and_the_others_go_on(floor: Any) -> None:
    log: list[NewEvent] = []
    plan = floor.approved(floor.leg("AAA", "BUY", 200, 2), floor.leg("BBB", "BUY", 200, 2))
    watch = Later(floor.at(60), "instrument", "AAA", TradingState.HALTED)

    result = floor.work(plan, floor.quotes(("AAA", "BBB"), size=20), log, watch=watch)

    assert result.stopped == ""
    assert (result.portfolio.quantity("AAA"), result.portfolio.quantity("BBB")) == (60, 200)


def test_reducing_takes_back_what_adds_risk_and_lets_the_rest_work(floor: Any) -> None:
    log: list[NewEvent] = []
    state = floor.state(held={"BBB": 200})
    plan = floor.approved(floor.leg("AAA", "BUY", 200), floor.leg("BBB", "SELL", 200), state=state)
    watch = Later(floor.at(60), "account", "", TradingState.REDUCING)

    result = floor.work(plan, floor.quotes(("AAA", "BBB"), size=20), log, watch=watch)

    assert [item.client_order_id for item in of(log, CancelRequested)] == [
        of(log, ChildSubmitted)[1].child.client_order_id
    ]
    assert (result.portfolio.quantity("AAA"), result.portfolio.quantity("BBB")) == (60, 0)


def test_an_order_that_outlives_its_cancels_is_told_and_not_asked_for_again(floor: Any) -> None:
    log: list[NewEvent] = []
    plan = floor.approved(floor.leg("AAA", "BUY", 200))
    venue = ScriptedVenue()
    cancel = venue.cancel

    def stubborn(client_order_id: str, at: Any) -> Any:
        venue.refuses = True
        cancel(client_order_id, at)
        return venue.deliver()

    venue.cancel = stubborn
    told: list[BookReconciled] = []

    result = floor.work(
        plan, floor.quotes(), log, venue=venue, on_unexplained=told.append,
        watch=Later(floor.at(30), "account", "", TradingState.HALTED),
    )  # fmt: skip

    assert len(of(log, CancelRequested)) == 3
    assert "not resolved" in told[-1].differences[-1].text
    assert result.stopped


def test_a_halted_instruments_order_is_asked_for_three_times_and_then_stops_the_desk(floor: Any) -> None:
    log: list[NewEvent] = []
    venue = ScriptedVenue()
    cancel = venue.cancel

    def stubborn(client_order_id: str, at: Any) -> Any:
        venue.refuses = True
        cancel(client_order_id, at)
        return venue.deliver()

    venue.cancel = stubborn
    watch = Later(floor.at(30), "instrument", "AAA", TradingState.HALTED)

    result = floor.work(floor.approved(floor.leg("AAA", "BUY", 200)), floor.quotes(), log, venue=venue, watch=watch)

    asked = [event.event_time for event in log if isinstance(event.payload, CancelRequested)]
    assert asked[:3] == [floor.at(30), floor.at(60), floor.at(90)]
    assert "outlived 3 cancels" in result.stopped
    assert len(watch.readings) == 5


def test_a_venue_that_cannot_be_asked_is_sent_nothing_and_ends_unexplained(floor: Any) -> None:
    log: list[NewEvent] = []
    venue = ScriptedVenue()
    venue.is_silent = True
    told: list[BookReconciled] = []

    floor.work(
        floor.approved(floor.leg("AAA", "BUY", 10)), floor.quotes(), log, venue=venue, on_unexplained=told.append
    )

    assert venue.sent == []
    assert [item.theirs for item in told[0].differences] == ["no answer"]


def test_readings_show_what_a_session_has_at_each_moment(floor: Any) -> None:
    state = floor.state(cash="100000", held={"BBB": 10})
    plan = floor.approved(floor.leg("AAA", "BUY", 200, 2), state=state)
    watch = Later(floor.closes, "instrument", "ZZZ", TradingState.HALTED)

    result = floor.work(plan, floor.quotes(), [], watch=watch)

    last = watch.readings[-1]
    assert len(watch.readings) == 14
    assert last.equity == result.portfolio.cash + 200 * 100 + 10 * 100
    assert dict(last.values) == {"AAA": 20_000, "BBB": 1_000}
    assert (last.sent, last.rejected, last.denied, last.unresolved) == (2, 0, 0, 0)
    assert last.slippage_bps is not None
    assert abs(last.slippage_bps - result.quality[0].shortfall_bps) < 1e-9
    assert last.oldest_quote_age_s == 0
