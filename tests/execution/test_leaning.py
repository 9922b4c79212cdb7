"""A leaning child rests where the book leans its way and the spread is wide, and crosses as soon as it leans away."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.events import ChildSubmitted, NewEvent
from parley.domain.market import Quote
from parley.domain.orders import Algorithm, ChildOrder, ExecutionAdvice, Side, Tactic, Urgency
from parley.execution.board import FLOW_QUOTES, USUAL_QUOTES, Board
from parley.execution.tactics import LEANS_FROM, LEAST_SEEN, expected_move, may_rest
from parley.quant.streaming import StreamingTop

from .conftest import Floor

FLOOR = Floor()
TICK = Decimal("0.01")
NARROW, WIDE = ("99.99", "100.01"), ("99.97", "100.03")
HALF = 195
"""The minute in which the second of two slices begins, well after enough quotes were seen."""


def quote(minutes: float, prices: tuple[str, str] = NARROW, sizes: tuple[int, int] = (50_000, 50_000)) -> Quote:
    shown = FLOOR.quote(minutes=minutes, bid=prices[0], ask=prices[1])
    return replace(shown, bid_size=sizes[0], ask_size=sizes[1])


def leaning(side: str, *, ours: bool) -> tuple[int, int]:
    """Sizes of a book that is about to come to an order of this side, or to go away from it."""
    return (20_000, 80_000) if (side == "BUY") is ours else (80_000, 20_000)


def ordinary(until: int) -> list[Quote]:
    """A quote every five minutes, narrow, two ticks up and two down: what is usual of the name."""
    return [quote(minute, ("100.01", "100.03") if minute % 10 else NARROW) for minute in range(0, until, 5)]


def placed(side: str, quotes: Iterable[Quote], **changes: Any) -> list[ChildOrder]:
    """The children of the second of two slices."""
    advised = ExecutionAdvice(**{"tactic": Tactic.LEAN, "urgency": Urgency.LOW, "slices": 2, **changes})
    state = FLOOR.state(held={"AAA": 100})
    plan = FLOOR.approved(FLOOR.leg("AAA", side, 100, advice=advised), state=state)
    log: list[NewEvent] = []
    FLOOR.work(plan, [*ordinary(HALF), *quotes], log)
    sent = [event.payload.child for event in log if isinstance(event.payload, ChildSubmitted)]
    assert sent[0].created_at == FLOOR.opens
    assert _crosses(sent[0]), "before anything is known of the name, it is placed at once"
    return sent[1:]


def _crosses(child: ChildOrder) -> bool:
    assert child.limit_price is not None
    return child.side.sign * (child.limit_price - Decimal(100)) > 0


@pytest.mark.parametrize(("side", "limit"), [("BUY", "99.97"), ("SELL", "100.03")])
def test_it_rests_where_the_book_leans_its_way_and_the_spread_is_wide(side: str, limit: str) -> None:
    (child,) = placed(side, [quote(HALF, WIDE, leaning(side, ours=True)), quote(HALF + 20, WIDE)])

    assert (child.created_at, child.limit_price) == (FLOOR.at(HALF), Decimal(limit))


@pytest.mark.parametrize("side", ["BUY", "SELL"])
@pytest.mark.parametrize("case", ["narrow", "even", "away"])
def test_it_crosses_at_once_where_one_of_the_two_is_missing(side: str, case: str) -> None:
    sizes = {"narrow": leaning(side, ours=True), "even": (50_000, 50_000), "away": leaning(side, ours=False)}[case]

    (child,) = placed(side, [quote(HALF, NARROW if case == "narrow" else WIDE, sizes)])

    assert child.created_at == FLOOR.at(HALF)
    assert _crosses(child)


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_one_at_rest_goes_across_as_soon_as_the_book_leans_away_and_not_before(side: str) -> None:
    ours, away = leaning(side, ours=True), leaning(side, ours=False)
    quotes = [quote(HALF, WIDE, ours), quote(HALF + 1, WIDE), quote(HALF + 2, WIDE, ours), quote(HALF + 3, WIDE, away)]

    first, second = placed(side, quotes)

    assert not _crosses(first)
    assert _crosses(second)
    # Three minutes after the first: a pegged child would have rested for 24 before it was placed anew.
    assert second.created_at == FLOOR.at(HALF + 3)


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_it_waits_no_longer_than_its_patience(side: str) -> None:
    ours = leaning(side, ours=True)

    first, second = placed(side, [quote(minute, WIDE, ours) for minute in range(HALF, 391, 5)])

    assert (_crosses(first), _crosses(second)) == (False, True)
    # 0.9 of the 195 minutes are 175.5; the next quote comes at 375.
    assert second.created_at == FLOOR.at(375)


def test_a_new_slice_asks_again_whether_to_rest() -> None:
    advised = ExecutionAdvice(tactic=Tactic.LEAN, urgency=Urgency.LOW, slices=3)
    plan = FLOOR.approved(FLOOR.leg("AAA", "BUY", 90, advice=advised))
    log: list[NewEvent] = []
    # The child of the second slice rests and is filled there; the book of the third leans nowhere.
    second = [quote(130, WIDE, leaning("BUY", ours=True)), quote(140, ("99.93", "99.95"))]
    after = [replace(each, ts_event=each.ts_event + timedelta(minutes=150)) for each in ordinary(105)]

    FLOOR.work(plan, [*ordinary(130), *second, *after, quote(260)], log)

    sent = [event.payload.child for event in log if isinstance(event.payload, ChildSubmitted)]
    rows = [(child.quantity, child.created_at, _crosses(child)) for child in sent]
    assert rows == [(30, FLOOR.opens, True), (30, FLOOR.at(130), False), (30, FLOOR.at(260), True)]


def test_quotes_that_say_nothing_of_sizes_are_lived_with_and_teach_nothing() -> None:
    board = Board({}, {}, ["AAA"], ["AAA"])
    mute = [quote(1, sizes=(0, 0)), quote(2, sizes=(-5, 9)), quote(3, sizes=(10**400, 1)), quote(4, ("1", "1E+400"))]

    board.see(quote(0))
    for each in mute:
        board.see(each)

    assert board.tops["AAA"].n_quotes == 1
    (child,) = placed("BUY", [*mute[:2], quote(HALF, WIDE, leaning("BUY", ours=True))])[-1:]
    assert not _crosses(child)


def test_only_names_that_lean_are_followed() -> None:
    board = Board({}, {}, ["AAA", "BBB"], ["BBB"])

    for symbol in ("AAA", "BBB", "CCC"):
        board.see(FLOOR.quote(symbol))

    assert {symbol: top.n_quotes for symbol, top in board.tops.items()} == {"BBB": 1}


def test_a_flow_of_twice_the_depth_speaks_for_a_tick_and_sizes_for_their_part_of_the_spread() -> None:
    top = StreamingTop(USUAL_QUOTES, FLOW_QUOTES)
    for _ in range(FLOW_QUOTES + 1):
        # Each quote stands and its bid grows by 10 on 100: the depth falls behind what flows.
        top.update(10.0, 10.2, 100.0 + 10 * top.n_quotes, 100.0)
    shown = replace(quote(0, ("10", "10.2")))

    by_size, by_flow = 0.1 * top.imbalance, 0.01 * (10 * FLOW_QUOTES) / (2 * top.usual_depth)

    assert top.usual_flow == pytest.approx(10.0)
    assert expected_move(shown, TICK, top) == pytest.approx(by_size + by_flow)


ticks, sizes = st.integers(-3, 3), st.integers(1, 90)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(ticks, st.integers(1, 4), sizes, sizes), min_size=1, max_size=40), st.booleans())
def test_a_sell_in_the_mirror_does_what_the_buy_does(rows: list[tuple[int, int, int, int]], is_at_rest: bool) -> None:
    answers: list[bool] = []
    for side in Side:
        top, last = StreamingTop(USUAL_QUOTES, FLOW_QUOTES), quote(0)
        for mid, wide, near, far in rows:
            center, half = Decimal(100) + side.sign * mid * TICK, wide * TICK
            shown = (near, far) if side is Side.BUY else (far, near)
            last = Quote("AAA", FLOOR.opens, center - half, center + half, *shown, True)
            # A power of two as the tick, so that no mirror is bent by rounding.
            exact = [64.0 + side.sign * mid / 64 - wide / 64, 64.0 + side.sign * mid / 64 + wide / 64]
            top.update(exact[0], exact[1], *shown)
        answers.append(may_rest(side, last, TICK, top, is_at_rest=is_at_rest))

    assert answers[0] is answers[1]
    if len(rows) < LEAST_SEEN:
        assert answers[0] is is_at_rest


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 10_000), st.integers(0, 10_000), st.booleans())
def test_more_bids_never_let_a_buy_rest_that_had_to_cross(bids: int, more: int, is_at_rest: bool) -> None:
    found: list[bool] = []
    for size in (bids, bids + more):
        top = StreamingTop(USUAL_QUOTES, FLOW_QUOTES)
        for step in range(30):
            top.update(100.0 - (step % 2) / 64, 100.5, 5_000.0, 5_000.0)
        top.update(99.0, 101.5, float(size), 5_000.0)
        shown = Quote("AAA", FLOOR.opens, Decimal(99), Decimal("101.5"), size, 5_000, True)
        found.append(may_rest(Side.BUY, shown, TICK, top, is_at_rest=is_at_rest))

    assert found[0] or not found[1]


def test_a_leaning_session_told_twice_is_the_same_and_fills_within_its_parent() -> None:
    rows: list[list[NewEvent]] = [[], []]
    quotes = [quote(2 * step, WIDE if step % 7 == 0 else NARROW, (1 + step % 5 * 999, 2_000)) for step in range(190)]
    advised = ExecutionAdvice(algorithm=Algorithm.VWAP, tactic=Tactic.LEAN, slices=12)
    plan = FLOOR.approved(FLOOR.leg("AAA", "BUY", 600, advice=advised))

    done = [FLOOR.work(plan, quotes, log) for log in rows]

    assert rows[0] == rows[1]
    assert sum(fill.quantity for fill in done[0].fills) == 600
    assert LEANS_FROM > 0
