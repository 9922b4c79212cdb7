"""The rare rows of an order's life, one at a time, at a venue that does what the test says."""

from datetime import timedelta
from typing import Any

import pytest
from parley.domain import events
from parley.domain.events import NewEvent
from parley.domain.orders import ChildOrder, OrderState, Side
from parley.domain.trading import TradingState
from parley.execution.errors import OrderIdReused
from parley.execution.order_manager import OrderManager
from parley.execution.reconcile import Reconciler, ReconcileTerms
from parley.execution.recorder import Recorder
from parley.execution.session_book import SessionBook
from parley.execution.venues.venue import Accepted, Busted, Canceled, Expired, Filled, Rejected

from .scripted import ScriptedVenue


class Desk:
    """One leg of 100 AAA at a scripted venue."""

    def __init__(self, floor: Any) -> None:
        self.floor, self.log = floor, list[NewEvent]()
        self.plan = floor.approved(floor.leg("AAA", "BUY", 100))
        cash = self.plan.terms.portfolio.cash
        self.venue, self.book = ScriptedVenue({}, cash), SessionBook(self.plan.terms)
        recorder = Recorder(self.log.append, "run", "d1", "scripted")
        reviewer = floor.reviewer(self.plan, self.venue, self.book, recorder)
        self.orders = OrderManager(self.venue, self.book, reviewer, recorder)  # pyright: ignore
        self.reconciler = Reconciler(self.orders, self.book, self.venue, ReconcileTerms())  # pyright: ignore
        self.at = floor.opens

    def send(self, quantity: int = 50, sequence: int = 0) -> Any:
        child = ChildOrder(
            client_order_id=f"c{sequence}", order_id="leg-AAA", decision_id="d1", symbol="AAA", side=Side.BUY,
            quantity=quantity, limit_price=self.floor.quote().ask, sequence=sequence, created_at=self.at,
        )  # fmt: skip
        return self.orders.send(child, self.floor.quote(), TradingState.ACTIVE, self.at)

    def reconcile(self) -> Any:
        return self.reconciler.run(self.at, spares_recent=False)

    def told(self) -> list[str]:
        return [type(event.payload).__name__ for event in self.log]


@pytest.fixture
def desk(floor: Any) -> Desk:
    return Desk(floor)


def test_a_fill_before_its_acknowledgement_counts_and_the_acknowledgement_is_no_news(desk: Desk) -> None:
    working = desk.send()
    desk.venue.fill("c0", 20, desk.at)
    accepted, filled = desk.venue.deliver()

    desk.orders.answers.apply([filled, accepted])

    assert (working.state, working.executed) == (OrderState.PARTIALLY_FILLED, 20)
    assert desk.told() == ["ChildSubmitted", "OrderFilled"]


def test_a_fill_after_the_cancel_is_money_and_the_order_stays_canceled(desk: Desk) -> None:
    working = desk.send()
    desk.orders.cancel(working, "test", desk.at)
    desk.orders.answers.apply(desk.venue.deliver())
    fill = desk.venue.fill("c0", 20, desk.at)
    assert (working.state, desk.book.committed("leg-AAA")) == (OrderState.CANCELED, 0)

    desk.orders.answers.apply([fill])

    assert (working.state, working.executed) == (OrderState.CANCELED, 20)
    assert (desk.book.held["AAA"], desk.book.committed("leg-AAA")) == (20, 20)
    assert not desk.orders.known.differences


def short_cancel(desk: Desk) -> tuple[Any, Filled]:
    """A child of 50 that the venue cancels with 20 executed, before it tells of the execution."""
    working = desk.send()
    fill = desk.venue.fill("c0", 20, desk.at)
    desk.venue.pending.clear()
    desk.orders.cancel(working, "test", desk.at)
    desk.orders.answers.apply(desk.venue.deliver())
    return working, fill


def test_an_end_that_counts_more_than_was_told_leaves_the_child_unknown_at_its_worst(desk: Desk) -> None:
    working, _ = short_cancel(desk)

    assert (working.state, desk.book.committed("leg-AAA")) == (OrderState.UNKNOWN, 50)
    assert desk.told() == ["ChildSubmitted", "CancelRequested", "ChildUnresolved"]
    assert not desk.orders.known.differences


def test_the_execution_that_was_missing_ends_the_child(desk: Desk) -> None:
    working, fill = short_cancel(desk)

    desk.orders.answers.apply([fill])

    assert (working.state, working.executed, desk.book.committed("leg-AAA")) == (OrderState.CANCELED, 20, 20)
    assert desk.told()[-2:] == ["OrderFilled", "ChildClosed"]
    assert desk.log[-1].payload.unfilled == 30  # pyright: ignore


def test_an_execution_that_never_comes_is_asked_for_at_once(desk: Desk) -> None:
    working, _ = short_cancel(desk)

    # The order was heard of a moment ago and is left alone; the executions of the day are not.
    found = desk.reconciler.run(desk.at)  # pyright: ignore

    assert (working.state, desk.book.held["AAA"]) == (OrderState.CANCELED, 20)
    assert found.is_explained  # pyright: ignore
    assert desk.told()[-2:] == ["OrderFilled", "ChildClosed"]


def test_an_end_that_counts_less_than_was_told_cannot_be(desk: Desk) -> None:
    working = desk.send()
    desk.venue.fill("c0", 20, desk.at)
    desk.orders.answers.apply(desk.venue.deliver())

    desk.orders.answers.apply([Expired("c0", desk.at, "over", 10)])

    assert working.state is OrderState.EXPIRED
    assert [(item.ours, item.theirs) for item in desk.orders.known.differences] == [("20 executed", "10 executed")]


def test_a_refused_cancel_leaves_the_order_working(desk: Desk) -> None:
    working = desk.send()
    desk.venue.refuses = True

    desk.orders.cancel(working, "test", desk.at)
    desk.orders.answers.apply(desk.venue.deliver())

    assert working.state is OrderState.ACCEPTED
    assert desk.told() == ["ChildSubmitted", "CancelRequested", "CancelRefused"]
    assert desk.book.committed("leg-AAA") == 50


def test_a_bust_gives_money_and_shares_back_and_the_order_stays_filled(desk: Desk) -> None:
    cash = desk.book.cash
    working = desk.send()
    fill = desk.venue.fill("c0", 50, desk.at).fill
    desk.venue.bust(fill, desk.at)

    desk.orders.answers.apply(desk.venue.deliver() * 2)

    assert working.state is OrderState.FILLED
    assert (desk.book.cash, desk.book.held["AAA"], desk.book.committed("leg-AAA")) == (cash, 0, 0)
    assert desk.orders.known.fills == ()
    assert list(desk.orders.known.standing()) == []
    assert desk.told().count("FillBusted") == 1


def test_a_bust_that_overtakes_its_fill_leaves_nothing(desk: Desk) -> None:
    cash = desk.book.cash
    desk.send()
    fill = desk.venue.fill("c0", 50, desk.at)

    desk.orders.answers.apply([Busted(fill.fill, desk.at, "erroneous"), fill])

    assert (desk.book.cash, desk.orders.known.fills) == (cash, ())
    assert desk.told() == ["ChildSubmitted", "OrderFilled", "FillBusted"]


def test_reports_told_twice_are_told_once_in_the_log(desk: Desk) -> None:
    desk.send()
    desk.venue.fill("c0", 20, desk.at)
    desk.venue.expire("c0", desk.at)
    reports = desk.venue.deliver()

    desk.orders.answers.apply(reports + reports)

    assert desk.told() == ["ChildSubmitted", "ChildAccepted", "OrderFilled", "ChildClosed"]
    assert desk.book.held["AAA"] == 20


def test_an_execution_of_an_order_never_sent_is_kept_apart(desk: Desk) -> None:
    desk.send()
    mine = desk.venue.fill("c0", 20, desk.at).fill
    foreign = mine.model_copy(update={"execution_id": "x", "client_order_id": "theirs"})
    other_symbol = mine.model_copy(update={"execution_id": "y", "symbol": "BBB"})

    desk.orders.answers.apply(
        [Filled(foreign), Filled(foreign), Filled(other_symbol), Busted(other_symbol, desk.at, "")]
    )

    assert (desk.orders.known.fills, desk.book.held["AAA"], desk.book.held["BBB"]) == ((), 0, 0)
    assert [item.kind for item in desk.orders.known.differences] == ["unknown_fill"] * 3
    assert desk.orders.known.quarantined == {"x", "y"}


def test_one_execution_id_with_two_contents_is_a_difference(desk: Desk) -> None:
    desk.send()
    fill = desk.venue.fill("c0", 20, desk.at).fill

    desk.orders.answers.apply([Filled(fill), Filled(fill.model_copy(update={"quantity": 21}))])

    assert desk.book.held["AAA"] == 20
    assert [item.subject for item in desk.orders.known.differences] == [fill.execution_id]


def test_an_answer_that_cannot_be_is_a_difference_and_no_exception(desk: Desk) -> None:
    working = desk.send()
    desk.venue.fill("c0", 20, desk.at)
    desk.orders.answers.apply(desk.venue.deliver())

    desk.orders.answers.apply([Rejected("c0", desk.at, "too late"), Accepted("never", desk.at)])

    assert working.state is OrderState.PARTIALLY_FILLED
    assert [item.kind for item in desk.orders.known.differences] == ["order_state", "unknown_order"]


def test_a_late_acknowledgement_changes_no_expired_order(desk: Desk) -> None:
    working = desk.send()

    desk.orders.answers.apply([Expired("c0", desk.at, "", 0), Accepted("c0", desk.at)])

    assert working.state is OrderState.EXPIRED
    assert not desk.orders.known.differences


def test_an_id_is_sent_once(desk: Desk) -> None:
    desk.send()

    with pytest.raises(OrderIdReused, match="sent before"):
        desk.send()


def test_a_send_without_an_answer_is_unknown_and_counts_at_its_worst(desk: Desk) -> None:
    desk.venue.line = "answer lost"

    working = desk.send()

    assert working.state is OrderState.UNKNOWN
    assert desk.told() == ["ChildSubmitted", "ChildUnresolved"]
    assert desk.book.committed("leg-AAA") == 50
    assert desk.book.reserved > 50 * 100


@pytest.mark.parametrize(
    ("filled", "ends", "state"),
    [
        (0, False, OrderState.ACCEPTED),
        (20, False, OrderState.PARTIALLY_FILLED),
        (50, False, OrderState.FILLED),
        (20, True, OrderState.EXPIRED),
    ],
)
def test_a_lost_acknowledgement_is_found_at_the_venue(desk: Desk, filled: int, ends: bool, state: OrderState) -> None:
    desk.venue.line = "answer lost"
    working = desk.send()
    if filled:
        desk.venue.fill("c0", filled, desk.at)
    if ends:
        desk.venue.expire("c0", desk.at)
    desk.venue.pending.clear()

    found = desk.reconcile()

    assert (working.state, working.executed, desk.book.held["AAA"]) == (state, filled, filled)
    assert found.differences
    assert found.is_explained
    assert desk.reconcile().differences == ()
    assert desk.venue.sent == ["c0"]


def test_an_order_that_never_arrived_is_sent_again_under_its_own_id_and_then_given_up(desk: Desk) -> None:
    desk.venue.line = "down"
    working = desk.send()

    for _ in range(2):
        assert desk.reconcile().is_explained
        assert working.is_absent
        desk.venue.line = "down"
        desk.orders.resend(working, desk.floor.quote(), TradingState.ACTIVE, desk.at)
        assert working.state is OrderState.UNKNOWN
    desk.reconcile()

    assert working.state is OrderState.REJECTED
    assert desk.told() == ["ChildSubmitted", "ChildUnresolved", "ChildClosed"]
    assert desk.log[-1].payload.reason == "never arrived in 3 sends"  # pyright: ignore
    assert desk.book.committed("leg-AAA") == 0


def test_a_resend_that_arrives_is_one_order(desk: Desk) -> None:
    desk.venue.line = "down"
    working = desk.send()
    desk.reconcile()

    desk.orders.resend(working, desk.floor.quote(), TradingState.ACTIVE, desk.at)
    desk.orders.answers.apply(desk.venue.deliver())

    assert working.state is OrderState.ACCEPTED
    assert (list(desk.venue.orders), desk.book.committed("leg-AAA")) == (["c0"], 50)


def test_a_resend_is_reviewed_again(desk: Desk) -> None:
    desk.venue.line = "down"
    working = desk.send()
    desk.reconcile()

    desk.orders.resend(working, desk.floor.quote(), TradingState.HALTED, desk.at)

    assert working.state is OrderState.REJECTED
    assert desk.venue.orders == {}


def test_an_order_heard_of_a_moment_ago_is_left_alone(desk: Desk) -> None:
    desk.venue.line = "answer lost"
    working = desk.send()

    assert desk.reconciler.run(desk.at + timedelta(seconds=4)).differences == ()  # pyright: ignore
    assert working.state is OrderState.UNKNOWN
    assert desk.reconciler.run(desk.at + timedelta(seconds=5)).differences  # pyright: ignore


def test_a_venue_that_forgets_what_it_acknowledged_is_not_sent_to_again(desk: Desk) -> None:
    working = desk.send()
    desk.orders.answers.apply(desk.venue.deliver())
    desk.venue.orders.clear()

    found = desk.reconcile()

    assert [(item.kind, item.explained) for item in found.differences] == [("missing_order", False)]
    assert not working.is_absent


def test_what_the_venue_holds_without_a_reason_is_not_explained(floor: Any) -> None:
    desk = Desk(floor)
    desk.venue = ScriptedVenue({"BBB": 7}, desk.plan.terms.portfolio.cash - 5)
    desk.reconciler = Reconciler(desk.orders, desk.book, desk.venue, ReconcileTerms())  # pyright: ignore

    found = desk.reconcile()

    assert {(item.kind, item.subject, item.explained) for item in found.differences} == {
        ("position", "BBB", False),
        ("cash", "cash", False),
    }


def test_a_fill_and_a_bust_that_were_missed_are_taken_in(desk: Desk) -> None:
    desk.send()
    first, second = desk.venue.fill("c0", 20, desk.at), desk.venue.fill("c0", 30, desk.at)
    desk.orders.answers.apply(desk.venue.deliver()[:2])
    desk.venue.bust(first.fill, desk.at)
    desk.venue.pending.clear()

    found = desk.reconcile()

    assert found.is_explained
    assert [item.theirs for item in found.differences if item.kind == "missing_fill"] == ["executed", "taken back"]
    assert desk.orders.known.fills == (second.fill,)


def test_an_order_that_is_over_here_and_open_there_is_not_explained(desk: Desk) -> None:
    desk.send()
    desk.orders.answers.apply([Canceled("c0", desk.at, "a lie", 0)])

    (found,) = desk.reconcile().differences

    assert (found.kind, found.explained) == ("order_state", False)


def test_a_cancel_without_an_answer_is_unknown_until_the_venue_says(desk: Desk) -> None:
    working = desk.send()
    desk.orders.answers.apply(desk.venue.deliver())
    desk.venue.line = "answer lost"
    desk.orders.cancel(working, "test", desk.at)
    assert working.state is OrderState.UNKNOWN

    desk.reconcile()

    assert working.state is OrderState.CANCELED
    assert isinstance(desk.log[-1].payload, events.ChildClosed)


def agreed_on_a_fill(desk: Desk) -> Any:
    """Half of an order filled and booked, and both books compared once."""
    desk.send()
    first = desk.venue.fill("c0", 20, desk.at)
    desk.orders.answers.apply(desk.venue.deliver())
    assert desk.reconcile().differences == ()
    return first


@pytest.mark.parametrize("change", ["changed", "forgotten", "taken back", "one more", "a stranger's"])
def test_what_both_agreed_on_before_hides_nothing_that_differs_now(desk: Desk, change: str) -> None:
    first = agreed_on_a_fill(desk)
    if change == "changed":
        desk.venue.told[0] = Filled(first.fill.model_copy(update={"price": first.fill.price + 1}))
    elif change == "forgotten":
        desk.venue.told.clear()
    elif change == "taken back":
        desk.venue.bust(first.fill, desk.at)
    elif change == "one more":
        desk.venue.fill("c0", 30, desk.at)
    else:
        desk.venue.told.append(Filled(first.fill.model_copy(update={"execution_id": "x", "client_order_id": "other"})))
    desk.venue.pending.clear()
    kinds = {
        "changed": ("unknown_fill", first.fill.execution_id), "forgotten": ("unknown_fill", first.fill.execution_id),
        "taken back": ("missing_fill", first.fill.execution_id), "one more": ("missing_fill", None),
        "a stranger's": ("unknown_fill", "x"),
    }  # fmt: skip

    found = desk.reconcile()

    kind, subject = kinds[change]
    assert [item.kind for item in found.differences][:1] == [kind]
    assert subject in (None, found.differences[0].subject)
    again = desk.reconcile()
    assert again.is_explained is (kind == "missing_fill")
    # What has no innocent cause is told each time.
    assert (again.differences == found.differences) is (kind == "unknown_fill")


def test_an_execution_booked_here_alone_is_found_behind_those_agreed_on(desk: Desk) -> None:
    first = agreed_on_a_fill(desk)
    desk.orders.answers.apply([Filled(first.fill.model_copy(update={"execution_id": "y", "quantity": 5}))])

    (found, *_) = desk.reconcile().differences

    assert (found.kind, found.subject, found.theirs) == ("unknown_fill", "y", "unknown")
