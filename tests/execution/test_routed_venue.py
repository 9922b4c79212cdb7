"""Several venues as one: a session works over them, loses one, is cut off, and every share is booked once."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.control_events import BookReconciled
from parley.domain.events import ChildClosed, ChildSubmitted, EvidenceRecorded, NewEvent, OrderFilled
from parley.domain.orders import OrderState
from parley.domain.portfolio import Portfolio
from parley.domain.trading import Scope, TradingState, TradingStates
from parley.execution.errors import OrderIdReused, VenueUnreachable
from parley.execution.routing.errors import RoutingRefused
from parley.execution.routing.learning import fold
from parley.execution.routing.routed_venue import RoutedVenue
from parley.execution.routing.spreading import Destination
from parley.execution.routing.state import RoutingTerms, Rule, new_state
from parley.execution.venues.fees import FeeModel
from parley.execution.venues.venue import Canceled, CancelRefused, Filled, Rejected
from parley.execution.watching import Reading
from parley.gate.approval import ApprovedOrder

from .scripted import ScriptedVenue, as_events

NAMES = ("lit", "dark", "slow")
EQUAL = RoutingTerms(rule=Rule.EQUAL)


class Restricted:
    """A watch under which one venue is halted."""

    def __init__(self, venue: str) -> None:
        self.answer = TradingStates(restricted=((Scope(kind="venue", name=venue), TradingState.HALTED),))

    def states(self, now: Any) -> TradingStates:
        return self.answer

    def observe(self, reading: Reading) -> None:
        return None


def of(log: list[NewEvent], kind: type) -> list[Any]:
    return [event.payload for event in log if isinstance(event.payload, kind)]


def papers(floor: Any, plan: Any, **changes: Any) -> list[Any]:
    """Three paper venues; the first keeps the desk's account, the others what they add to it."""
    start = plan.terms.portfolio
    return [
        floor.venue(name=name, portfolio=start if name == NAMES[0] else Portfolio(cash=Decimal(0)), **changes)
        for name in NAMES
    ]


def scripted(plan: Any, names: Sequence[str] = NAMES) -> dict[str, ScriptedVenue]:
    made = {name: ScriptedVenue({}, plan.terms.portfolio.cash if name == names[0] else Decimal(0)) for name in names}
    for name, venue in made.items():
        venue.name = name
    return made


def routed(
    floor: Any, plan: Any, venues: Sequence[Any], log: list[NewEvent], terms: RoutingTerms = EQUAL, **changes: Any
) -> RoutedVenue:
    destinations = [Destination(venue, changes.pop("shown_frac", 1.0)) for venue in venues]
    state = new_state(terms, [venue.name for venue in venues])
    emit = changes.pop("emit", log.append)
    return RoutedVenue(plan, destinations, state, floor.limits, emit, run_id="run", **changes)


def approved(floor: Any, quantity: int = 900) -> tuple[Any, ApprovedOrder]:
    """A plan of one leg, and its child with the gate's approval."""
    plan = floor.approved(floor.leg("AAA", "BUY", quantity), state=floor.state(cash="900000000"))
    return plan, floor.order(quantity)


@pytest.mark.parametrize("rule", list(Rule))
def test_a_session_works_over_three_venues_as_over_one(floor: Any, rule: Rule) -> None:
    plan = floor.approved(floor.leg("AAA", "BUY", 3900, slices=13))
    log: list[NewEvent] = []
    venue = routed(floor, plan, papers(floor, plan), log, RoutingTerms(rule=rule))

    result = floor.work(plan, floor.quotes(), log, venue=venue)

    assert result.portfolio.quantity("AAA") == 3900 and result.stopped == ""
    assert {fill.venue for fill in result.fills} == set(NAMES)
    assert [item.differences for item in of(log, BookReconciled)] == [()]
    assert len(of(log, EvidenceRecorded)) == len(of(log, ChildSubmitted)) == 13
    told = [type(event.payload) for event in log]
    assert told.index(EvidenceRecorded) < told.index(OrderFilled)


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(list(Rule)), st.integers(100, 3900), st.integers(1, 13), st.integers(50, 5000), st.integers(0, 9)
)
def test_what_the_router_knows_is_the_fold_of_the_log(
    rule: Rule, quantity: int, slices: int, size: int, seed: int
) -> None:
    from .conftest import Floor

    floor = Floor()
    plan = floor.approved(floor.leg("AAA", "BUY", quantity, slices=slices))
    log: list[NewEvent] = []
    terms = RoutingTerms(rule=rule, seed=seed)
    venue = routed(floor, plan, papers(floor, plan), log, terms, shown_frac=0.3)

    result = floor.work(plan, floor.quotes(size=size), log, venue=venue)

    folded = fold(new_state(terms, NAMES), as_events(log)).state
    assert folded == venue.state
    assert sum(record.filled for record in folded.venues) == sum(fill.quantity for fill in result.fills)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 60), st.sampled_from([Rule.CENSORED, Rule.THOMPSON]))
def test_a_session_cut_off_anywhere_goes_on_and_ends_as_if_it_had_not_been(cut: int, rule: Rule) -> None:
    from .conftest import Floor

    floor = Floor()
    terms, quotes = RoutingTerms(rule=rule, seed=3), floor.quotes(size=150)
    plan = floor.approved(floor.leg("AAA", "BUY", 2600, slices=13))
    whole: list[NewEvent] = []
    floor.work(plan, quotes, whole, venue=routed(floor, plan, papers(floor, plan), whole, terms))
    kept: list[NewEvent] = []

    class Crash(Exception):
        pass

    def emit(event: NewEvent) -> None:
        if len(kept) >= cut:
            raise Crash
        kept.append(event)

    venues = papers(floor, plan)
    try:
        floor.work(plan, quotes, [], venue=routed(floor, plan, venues, kept, terms, emit=emit), emit=emit)
    except Crash:
        events = as_events(kept)
        left = [quote for quote in quotes if not kept or quote.ts_event >= kept[-1].event_time]
        log = list(kept)
        second = routed(floor, plan, venues, log, terms, resume=events)
        result = floor.work(plan, left, log, venue=second, resume=events)
        fills = of(log, OrderFilled)
        assert len({item.fill.execution_id for item in fills}) == len(fills)
        assert result.stopped == ""
        assert all(item.is_explained for item in of(log, BookReconciled))
        held = sum((venue.positions() or {}).get("AAA", 0) for venue in venues)
        assert result.portfolio.quantity("AAA") == held <= 2600
        assert held == sum(item.fill.quantity for item in of(whole, OrderFilled))


def test_a_slice_nobody_answered_for_is_never_sent_to_another_venue(floor: Any) -> None:
    plan, order = approved(floor)
    venues, log = scripted(plan), list[NewEvent]()
    venue = routed(floor, plan, list(venues.values()), log)
    venue.on_quote(floor.quote())
    venues["dark"].line = "down"

    with pytest.raises(VenueUnreachable, match="dark"):
        venue.submit(order)

    assert [list(item.orders) for item in venues.values()] == [["c1@lit"], [], ["c1@slow"]]
    # The others have it, and it may still be at the third: nothing says yet that the child was accepted.
    assert venue.on_quote(floor.quote(minutes=1)) == ()
    venues["dark"].is_silent = True
    with pytest.raises(VenueUnreachable):
        venue.order("c1")
    venues["dark"].is_silent = False
    seen = venue.order("c1")
    assert seen is not None and (seen.state, seen.executed) == (OrderState.ACCEPTED, 0)
    # Asked again and proved absent, its shares are free: the child ends with the other two.
    venues["lit"].fill("c1@lit", 300, floor.at(2))
    venues["slow"].fill("c1@slow", 300, floor.at(2))
    told = venue.on_quote(floor.quote(minutes=2))
    assert [type(report) for report in told] == [Filled, Filled, Canceled]
    assert isinstance(told[2], Canceled) and "dark: it never arrived" in told[2].reason
    assert venues["dark"].orders == {}


def test_a_child_that_arrived_nowhere_is_sent_again_to_the_same_venues_under_the_same_ids(floor: Any) -> None:
    plan, order = approved(floor)
    venues, log = scripted(plan), list[NewEvent]()
    venue = routed(floor, plan, list(venues.values()), log)
    venue.on_quote(floor.quote())
    for item in venues.values():
        item.line = "down"
    with pytest.raises(VenueUnreachable):
        venue.submit(order)

    assert venue.order("c1") is None
    told = venue.submit(order)

    assert [list(item.orders) for item in venues.values()] == [["c1@lit"], ["c1@dark"], ["c1@slow"]]
    assert told == ()
    assert len(of(log, EvidenceRecorded)) == 1


def test_new_children_go_around_a_venue_that_does_not_answer_until_it_has_answered_a_question(floor: Any) -> None:
    plan, _ = approved(floor)
    venues, log = scripted(plan), list[NewEvent]()
    venue = routed(floor, plan, list(venues.values()), log)
    venue.on_quote(floor.quote())
    venues["dark"].is_silent = True
    with pytest.raises(VenueUnreachable):
        venue.executions()

    # That a quote reached it says nothing of orders.
    venue.on_quote(floor.quote(minutes=0))
    venue.submit(floor.order(300, client_order_id="c1"))
    venues["dark"].is_silent = False
    venue.executions()
    venue.submit(floor.order(300, client_order_id="c2"))

    splits = [item.entries[0].output["split"] for item in of(log, EvidenceRecorded)]
    assert splits == [{"lit": 200, "slow": 100}, {"lit": 100, "dark": 100, "slow": 100}]


def test_a_session_that_loses_a_venue_buys_what_it_was_to_buy_at_the_others(floor: Any) -> None:
    plan = floor.approved(floor.leg("AAA", "BUY", 1200, slices=4))
    venues, log = papers(floor, plan), list[NewEvent]()

    class Cut:
        """One venue behind a line that breaks for its first order."""

        name = "dark"

        breaks = True

        def __getattr__(self, name: str) -> Any:
            return getattr(venues[1], name)

        def submit(self, order: ApprovedOrder) -> Any:
            if self.breaks:
                self.breaks = False
                raise VenueUnreachable("the line is down")
            return venues[1].submit(order)

    venue = routed(floor, plan, [venues[0], Cut(), venues[2]], log)

    result = floor.work(plan, floor.quotes(), log, venue=venue)

    assert result.portfolio.quantity("AAA") == 1200 and result.stopped == ""
    # What never arrived was proved absent and bought with the next slice; nothing was bought twice.
    assert sum(fill.quantity for fill in result.fills) == 1200
    assert of(log, ChildClosed)[0].reason.startswith("dark: it never arrived")
    assert (venues[0].positions() or {})["AAA"] + (venues[1].positions() or {})["AAA"] < 1200


def test_one_execution_id_at_two_venues_is_two_executions_and_told_twice_it_is_one(floor: Any) -> None:
    plan, order = approved(floor)
    venues, log = scripted(plan), list[NewEvent]()
    venue = routed(floor, plan, list(venues.values()), log)
    venue.on_quote(floor.quote())
    venue.submit(order)
    both = [venues[name].fill(f"c1@{name}", 300, floor.at(1)) for name in ("lit", "dark")]
    assert both[0].fill.execution_id == both[1].fill.execution_id

    told = [report for report in venue.on_quote(floor.quote(minutes=1)) if isinstance(report, Filled)]
    asked = venue.executions()

    assert len({report.fill.execution_id for report in told}) == 2
    assert {report.client_order_id for report in told} == {"c1"}
    assert set(asked) == set(told)
    seen = venue.order("c1")
    assert seen is not None and (seen.executed, seen.quantity, seen.state) == (600, 900, OrderState.PARTIALLY_FILLED)


def test_a_cancel_reaches_the_open_slices_only_and_the_child_ends_once(floor: Any) -> None:
    plan, order = approved(floor)
    venues, log = scripted(plan), list[NewEvent]()
    venue = routed(floor, plan, list(venues.values()), log)
    venue.on_quote(floor.quote())
    venue.submit(order)
    venues["lit"].fill("c1@lit", 300, floor.at(1))
    venue.on_quote(floor.quote(minutes=1))

    venue.cancel("c1", floor.at(2))
    told = venue.on_quote(floor.quote(minutes=2))

    assert [type(report) for report in told] == [Canceled]
    assert [item.orders[f"c1@{name}"].state for name, item in venues.items()] == [
        OrderState.FILLED,
        OrderState.CANCELED,
        OrderState.CANCELED,
    ]
    again = venue.cancel("c1", floor.at(3))
    assert [type(report) for report in again] == [CancelRefused]
    assert [type(report) for report in venue.cancel("c9", floor.at(3))] == [CancelRefused]


def test_a_halted_venue_is_not_asked_and_with_no_venue_left_the_child_is_refused(floor: Any) -> None:
    plan, order = approved(floor)
    venues, log = scripted(plan), list[NewEvent]()
    venue = routed(floor, plan, list(venues.values()), log, watch=Restricted("dark"))
    venue.on_quote(floor.quote())
    venue.submit(order)
    assert [len(item.orders) for item in venues.values()] == [1, 0, 1]

    alone = scripted(plan, ["dark"])
    venue = routed(floor, plan, list(alone.values()), log, watch=Restricted("dark"))
    venue.on_quote(floor.quote())
    told = venue.submit(order)

    assert [type(report) for report in told] == [Rejected]
    assert isinstance(told[0], Rejected) and "no venue answers" in told[0].reason
    seen = venue.order("c1")
    assert seen is not None and seen.state is OrderState.REJECTED


def test_a_child_of_which_the_gate_refuses_every_slice_says_why_and_is_sent_nowhere(floor: Any) -> None:
    plan, _ = approved(floor, 900)
    venues, log = scripted(plan), list[NewEvent]()
    venue = routed(floor, plan, list(venues.values()), log)
    venue.on_quote(floor.quote())

    # Twice the leg: each slice is reviewed beside those before it, and the last two are too much.
    told = venue.submit(floor.order(1800))

    assert [len(item.orders) for item in venues.values()] == [1, 0, 0]
    assert told == ()
    venues["lit"].fill("c1@lit", 600, floor.at(1))
    ended = venue.on_quote(floor.quote(minutes=1))[-1]
    assert isinstance(ended, Canceled) and "children of this parent" in ended.reason


def test_an_order_that_is_no_slice_of_ours_stops_the_session(floor: Any) -> None:
    plan = floor.approved(floor.leg("AAA", "BUY", 900, slices=3))
    venues, log = scripted(plan), list[NewEvent]()
    venues["dark"].submit(floor.order(10, client_order_id="theirs"))
    venues["dark"].deliver()
    venue = routed(floor, plan, list(venues.values()), log)

    result = floor.work(plan, floor.quotes(), log, venue=venue)

    assert "theirs" in result.stopped
    assert of(log, ChildSubmitted) == []


def test_positions_and_cash_are_those_of_all_venues_and_unknown_where_one_keeps_none(floor: Any) -> None:
    plan = floor.approved(floor.leg("AAA", "BUY", 900))
    log: list[NewEvent] = []
    venue = routed(floor, plan, papers(floor, plan), log)
    result = floor.work(plan, floor.quotes(), log, venue=venue)

    assert venue.positions() == {"AAA": 900}
    assert venue.cash() == result.portfolio.cash
    unknown = routed(floor, plan, [*papers(floor, plan)[:2], floor.venue(name="slow")], log)
    assert unknown.positions() is None and unknown.cash() is None


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 400), min_size=3, max_size=3).filter(any),
    st.integers(1, 500),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=3, max_size=3),
)
def test_no_split_costs_more_in_fees_than_the_worst_that_was_said(
    split: list[int], price: int, fees: list[tuple[int, int]]
) -> None:
    from .conftest import Floor

    floor = Floor()
    plan = floor.approved(floor.leg("AAA", "BUY", 900))
    models = [FeeModel(value_bps=Decimal(bps), minimum=Decimal(least)) for bps, least in fees]
    venues = [floor.venue(fees=model, name=name) for name, model in zip(NAMES, models, strict=True)]
    venue = routed(floor, plan, venues, [])

    paid = sum((model.fee(part, Decimal(price) * part) for model, part in zip(models, split, strict=True)), Decimal(0))

    assert paid <= venue.worst_fee(sum(split), Decimal(price))


def test_a_fill_that_comes_after_the_end_is_booked_and_teaches_nothing_more(floor: Any) -> None:
    plan, order = approved(floor, 300)
    venues, log = scripted(plan, ["lit"]), list[NewEvent]()
    venue = routed(floor, plan, list(venues.values()), log)
    log.append(NewEvent(**_told(floor, ChildSubmitted(child=order.child, verdict_hash=""))))
    venue.on_quote(floor.quote())
    venue.submit(order)
    venues["lit"].expire("c1@lit", floor.at(1))
    venue.on_quote(floor.quote(minutes=1))
    closed = ChildClosed(client_order_id="c1", order_id="leg-AAA", state=OrderState.EXPIRED, unfilled=300, reason="")
    late = venues["lit"].fill("c1@lit", 300, floor.at(2)).fill
    told = [report for report in venue.on_quote(floor.quote(minutes=2)) if isinstance(report, Filled)]
    log += [NewEvent(**_told(floor, payload)) for payload in (closed, OrderFilled(fill=told[0].fill))]

    record = venue.state.venues[0]

    assert told[0].fill.quantity == late.quantity == 300
    assert (record.slices, record.filled) == (1, 0)
    assert fold(new_state(EQUAL, ["lit"]), as_events(log)).state == venue.state


def _told(floor: Any, payload: Any) -> dict[str, Any]:
    who = {"kind": "desk", "name": "test"}
    return {"stream": "s", "event_time": floor.at(0), "actor": who, "payload": payload, "run_id": "run"}


def test_sizes_shown_at_one_venue_are_its_part_of_all(floor: Any) -> None:
    plan = floor.approved(floor.leg("AAA", "BUY", 900))
    log: list[NewEvent] = []
    venue = routed(floor, plan, papers(floor, plan), log, shown_frac=0.25)

    result = floor.work(plan, [floor.quote(size=400)], log, venue=venue)

    # A quarter of 400 at the first venue that was given it; the others show all of it.
    by_venue = {fill.venue: fill.quantity for fill in result.fills}
    assert by_venue == {"lit": 100, "dark": 300, "slow": 300}
    assert of(log, ChildClosed)[0].state is OrderState.EXPIRED


def test_bad_input_is_named(floor: Any) -> None:
    plan, order = approved(floor)
    venues, log = scripted(plan), list[NewEvent]()
    with pytest.raises(RoutingRefused, match="expected the same names"):
        RoutedVenue(plan, [], new_state(EQUAL, ["a"]), floor.limits, log.append, run_id="run")
    with pytest.raises(RoutingRefused, match="expected above 0"):
        Destination(venues["lit"], 0.0)
    venue = routed(floor, plan, list(venues.values()), log)
    told = venue.submit(order)
    assert isinstance(told[0], Rejected) and "has not a quote" in told[0].reason
    with pytest.raises(OrderIdReused, match="c1"):
        venue.submit(floor.order(901))
    assert venue.submit(order) == told
