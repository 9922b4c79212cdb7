"""How slices are placed: at rest first, moved with the touch, across in time; and every algorithm through a session."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.events import ChildDenied, ChildSubmitted, NewEvent, OrderFilled
from parley.domain.orders import Algorithm, ChildOrder, ExecutionAdvice, Fill, Side, Tactic, Urgency
from parley.execution.algorithms.observed import ObservedVolume
from parley.execution.tactics import own_touch, within_depth
from parley.execution.venues.fees import FeeModel
from parley.execution.venues.market_events import Print

from .conftest import Floor
from .scripted import as_events
from .test_resuming import Killed, kill_at

FLOOR = Floor()


def advice(**changes: Any) -> ExecutionAdvice:
    return ExecutionAdvice(**{"tactic": Tactic.PEG, "urgency": Urgency.LOW, "slices": 1, **changes})


def children(log: Iterable[NewEvent]) -> list[ChildOrder]:
    return [event.payload.child for event in log if isinstance(event.payload, ChildSubmitted)]


def fills(log: Iterable[NewEvent]) -> list[Fill]:
    return [event.payload.fill for event in log if isinstance(event.payload, OrderFilled)]


def flat(floor: Any, every_minutes: int = 5, **changes: Any) -> list[Any]:
    return [floor.quote(minutes=minute, **changes) for minute in range(0, 391, every_minutes)]


def test_a_patient_child_rests_at_its_own_touch_and_crosses_when_its_patience_ends(floor: Any) -> None:
    log: list[NewEvent] = []
    plan = floor.approved(floor.leg("AAA", "BUY", 100, advice=advice()))

    result = floor.work(plan, flat(floor), log)

    first, second = children(log)
    assert (first.created_at, first.limit_price) == (floor.opens, Decimal("99.99"))
    # 0.9 of 390 minutes are 351; the next quote after it comes at 355.
    assert second.created_at == floor.at(355)
    assert second.limit_price is not None
    assert second.limit_price > Decimal("100.01")
    assert sum(fill.quantity for fill in result.fills) == 100


@pytest.mark.parametrize(("side", "limit"), [("BUY", "99.99"), ("SELL", "100.01")])
def test_a_market_that_comes_to_a_resting_child_fills_it_at_its_own_price(floor: Any, side: str, limit: str) -> None:
    log: list[NewEvent] = []
    state = floor.state(held={"AAA": 100})
    plan = floor.approved(floor.leg("AAA", side, 100, advice=advice()), state=state)
    bid, ask = ("99.90", "99.92") if side == "BUY" else ("100.08", "100.10")
    quotes = [floor.quote(), floor.quote(minutes=5), floor.quote(minutes=10, bid=bid, ask=ask)]

    floor.work(plan, quotes, log)

    assert [(fill.quantity, fill.price) for fill in fills(log)] == [(100, Decimal(limit))]


def test_a_touch_that_moves_away_is_followed_after_a_rest_and_one_that_moves_nearer_is_not(floor: Any) -> None:
    log: list[NewEvent] = []
    plan = floor.approved(floor.leg("AAA", "BUY", 100, advice=advice()))
    # A slice of 390 minutes is placed anew at most every 48.75.
    quotes = [
        floor.quote(),
        floor.quote(minutes=10, bid="100.02", ask="100.04"),
        floor.quote(minutes=50, bid="100.03", ask="100.05"),
        floor.quote(minutes=120, bid="100.00", ask="100.04"),
    ]

    floor.work(plan, quotes, log)

    placed = [(child.created_at, child.limit_price) for child in children(log)]
    assert placed == [(floor.opens, Decimal("99.99")), (floor.at(50), Decimal("100.03"))]


def test_haste_crosses_at_once(floor: Any) -> None:
    log: list[NewEvent] = []
    plan = floor.approved(floor.leg("AAA", "BUY", 100, advice=advice(urgency=Urgency.HIGH)))

    floor.work(plan, flat(floor), log)

    assert [fill.ts_event for fill in fills(log)] == [floor.opens]


def test_what_an_earlier_slice_still_owes_crosses_and_the_slice_of_now_rests(floor: Any) -> None:
    log: list[NewEvent] = []
    plan = floor.approved(floor.leg("AAA", "BUY", 100, advice=advice(slices=2)))
    # No quote between the first one and the second slice: the first slice had no chance to cross.
    quotes = [floor.quote(), floor.quote(minutes=200), floor.quote(minutes=250)]

    floor.work(plan, quotes, log)

    rows = [(child.quantity, child.limit_price and child.limit_price > 100) for child in children(log)]
    assert rows == [(50, False), (50, True), (50, False)]


def test_no_child_is_larger_than_the_limits_let_go_against_the_size_shown(floor: Any) -> None:
    shown = floor.quote(size=7)
    recorded = type(shown)(shown.symbol, shown.ts_event, shown.bid, shown.ask, 7, 9, False)

    assert within_depth(1000, Side.BUY, shown, 10.0, 1) == 1000
    assert within_depth(1000, Side.BUY, recorded, 10.0, 20) == 80
    assert within_depth(1000, Side.SELL, recorded, 10.0, 1) == 70
    assert within_depth(50, Side.SELL, recorded, 10.0, 20) == 50


def test_a_touch_off_the_tick_is_rounded_away_from_the_market(floor: Any) -> None:
    quote = floor.quote(bid="99.993", ask="100.007")

    assert own_touch(Side.BUY, quote, Decimal("0.01")) == Decimal("99.99")
    assert own_touch(Side.SELL, quote, Decimal("0.01")) == Decimal("100.01")


def walk(seed: list[int], size: int = 40) -> list[Any]:
    """A quote every ten minutes whose mid moves by these ticks."""
    mid, quotes = Decimal(100), list[Any]()
    for place, step in enumerate(seed):
        mid += Decimal(step) / 100
        quotes.append(
            FLOOR.quote(minutes=10 * place, bid=str(mid - Decimal("0.01")), ask=str(mid + Decimal("0.01")), size=size)
        )
    return quotes


def steps() -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(-4, 4), min_size=39, max_size=39)


def told(quotes: list[Any], sizes: int) -> ObservedVolume:
    volume = ObservedVolume(["AAA"])
    for quote in quotes:
        volume.on_trade("AAA", quote.ts_event, sizes)
    return volume


def test_prints_told_one_by_one_are_worked_with_like_those_told_before() -> None:
    logs: list[list[NewEvent]] = [[], []]
    quotes = walk([1, -1, 2] * 13, size=1000)
    advised = ExecutionAdvice(algorithm=Algorithm.POV, slices=10, max_participation_frac=0.1)
    plan = FLOOR.approved(FLOOR.leg("AAA", "BUY", 900, advice=advised))
    prints = [Print("AAA", quote.ts_event, quote.bid, 150) for quote in quotes]

    FLOOR.work(plan, quotes, logs[0], volume=told(quotes, 150))
    FLOOR.work(plan, quotes, logs[1], volume=ObservedVolume(["AAA"]), prints=prints)

    assert logs[0] == logs[1]
    silent: list[NewEvent] = []
    FLOOR.work(plan, quotes, silent, volume=ObservedVolume(["AAA"]))
    assert silent != logs[0], "without a print there is nothing to take a share of"


@settings(max_examples=40, deadline=None)
@given(
    steps(), st.sampled_from(list(Algorithm)), st.sampled_from(list(Tactic)), st.sampled_from(list(Urgency)),
    st.integers(1, 20), st.sampled_from(["BUY", "SELL"]), st.integers(0, 2000),
)  # fmt: skip
def test_every_algorithm_ends_within_its_parent_and_its_share_of_the_volume(
    moves: list[int], algorithm: Algorithm, tactic: Tactic, urgency: Urgency, slices: int, side: str, traded: int
) -> None:
    log: list[NewEvent] = []
    quotes = walk(moves, size=1000)
    advised = ExecutionAdvice(algorithm=algorithm, tactic=tactic, urgency=urgency, slices=slices, kappa_span=2.0)
    plan = FLOOR.approved(FLOOR.leg("AAA", side, 900, advice=advised), state=FLOOR.state(held={"AAA": 900}))
    volume = told(quotes, traded)

    result = FLOOR.work(plan, quotes, log, volume=volume)

    assert not [event for event in log if isinstance(event.payload, ChildDenied)]
    done = sum(fill.quantity for fill in result.fills)
    assert done <= 900
    assert len({child.client_order_id for child in children(log)}) == len(children(log))
    if algorithm is Algorithm.POV:
        for fill in result.fills:
            so_far = sum(item.quantity for item in result.fills if item.ts_event <= fill.ts_event)
            assert so_far <= 0.1 * (volume.traded("AAA", FLOOR.opens, fill.ts_event) or 0)
    if algorithm is not Algorithm.POV and tactic is Tactic.MARKETABLE and traded == 2000 and slices > 1:
        assert done == 900


@pytest.mark.parametrize("tactic", list(Tactic))
@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_every_algorithm_killed_at_any_event_ends_as_an_uninterrupted_one(
    floor: Any, algorithm: Algorithm, tactic: Tactic
) -> None:
    quotes = walk([1, -2, 3, -1, 0, 2, -3, 4, -4, 1] * 4, size=15)[:39]
    volume = told(quotes, 300)
    advised = ExecutionAdvice(algorithm=algorithm, tactic=tactic, urgency=Urgency.MEDIUM, slices=6, kappa_span=2.0)
    state = floor.state(held={"AAA": 500})
    plan = floor.approved(floor.leg("AAA", "SELL", 300, advice=advised), state=state)

    def venue() -> Any:
        return floor.venue(FeeModel(), portfolio=state.portfolio)

    whole: list[NewEvent] = []
    expected = floor.work(plan, quotes, whole, venue=venue(), volume=volume)
    assert expected.fills

    for count in range(1, len(whole), 3):
        log: list[NewEvent] = []
        kept = venue()
        with pytest.raises(Killed):
            emit = kill_at(log, count, keeps_last=count % 2 == 0)
            floor.work(plan, quotes, log, venue=kept, emit=emit, volume=volume)
        rest = [quote for quote in quotes if quote.ts_event >= log[-1].event_time]
        result = floor.work(plan, rest, log, venue=kept, resume=as_events(log), volume=volume)

        if tactic is Tactic.MARKETABLE:
            assert Counter(result.fills) == Counter(expected.fills), count
        # A cancel that never left is asked for again only with the next quote: a pegged child may fill meanwhile.
        if algorithm is not Algorithm.POV:
            assert sum(fill.quantity for fill in result.fills) == sum(fill.quantity for fill in expected.fills), count
        assert len({child.client_order_id for child in children(log)}) == len(children(log))
