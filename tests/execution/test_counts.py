"""Counts of the second and of the day, and which cash has settled."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.orders import ChildOrder, Fill, Side
from parley.execution.counts import NEVER, SECOND, Counts
from parley.execution.settlement import Settlement
from parley.memory.sent_orders import SentOrder

DAY = date(2024, 3, 5)


def child(floor: Any, name: str = "c1", minutes: float = 0, **changes: Any) -> ChildOrder:
    values = {
        "client_order_id": name, "order_id": f"leg-{name}", "decision_id": "d0", "symbol": "AAA", "side": Side.BUY,
        "quantity": 10, "limit_price": Decimal(100), "sequence": 0, "created_at": floor.at(minutes),
    }  # fmt: skip
    return ChildOrder(**{**values, **changes})


def fill(floor: Any, name: str, symbol: str, side: str, quantity: int, minutes: float = 0, price: str = "100") -> Fill:
    return Fill(
        execution_id=f"e-{name}", client_order_id=name, order_id=f"leg-{name}", symbol=symbol, side=Side(side),
        quantity=quantity, price=Decimal(price), mid_price=Decimal(price), touch_price=Decimal(price),
        venue="paper", ts_event=floor.at(minutes),
    )  # fmt: skip


def test_a_second_holds_what_was_sent_since_and_forgets_the_rest(floor: Any) -> None:
    counts = Counts(day=DAY)
    for place in range(4):
        counts.sent(child(floor, f"c{place}"), floor.opens + SECOND * place / 2)
        counts.canceled(floor.opens + SECOND * place / 2)

    at = floor.opens + SECOND * 3 / 2

    assert (counts.submits_last_s(at), counts.cancels_last_s(at)) == (2, 2)
    assert (counts.submits_last_s(at + SECOND), counts.orders, counts.cancels) == (0, 4, 4)


@given(st.lists(st.integers(0, 1500), max_size=30), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_what_waits_for_its_slot_never_passes_the_rate(gaps_ms: list[int], rate: int) -> None:
    from .conftest import Floor

    floor, counts, now, sent = Floor(), Counts(day=DAY), Floor.opens, []
    for place, gap_ms in enumerate(gaps_ms):
        now += timedelta(milliseconds=gap_ms)
        at = counts.slot(now, rate)
        assert at >= now
        assert counts.submits_last_s(at) < rate
        counts.sent(child(floor, f"c{place}"), at)
        sent.append(at)
    for at in sent:
        assert sum(at - SECOND < other <= at for other in sent) <= rate
    assert sent == sorted(sent)


def test_a_twin_is_another_order_of_the_same_content_and_never_the_order_itself(floor: Any) -> None:
    counts, first = Counts(day=DAY), child(floor)
    at = floor.opens + SECOND / 2
    assert counts.twin_age_s(first, at) == NEVER

    counts.sent(first, floor.opens)

    assert counts.twin_age_s(child(floor, "c2"), at) == 0.5
    assert counts.twin_age_s(first, at) == NEVER
    assert counts.twin_age_s(child(floor, "c2", quantity=11), at) == NEVER
    assert counts.twin_age_s(child(floor, "c2", limit_price=Decimal(101)), at) == NEVER


def test_the_day_begins_with_what_was_sent_filled_and_asked_back_on_it(floor: Any) -> None:
    yesterday = child(floor, "old", -24 * 60)
    before = [
        SentOrder(child(floor, "a", -30), (fill(floor, "a", "AAA", "BUY", 10, -30),), cancels=2),
        SentOrder(child(floor, "b", -20), (fill(floor, "b", "AAA", "BUY", 10, -20),)),
        SentOrder(yesterday, (fill(floor, "old", "AAA", "BUY", 10, -24 * 60),), cancels=5),
    ]
    counts = Counts(before, DAY)

    assert (counts.orders, counts.cancels, counts.fills) == (2, 2, 2)
    assert counts.repeated_legs(child(floor, "c")) == 2
    assert counts.repeated_legs(child(floor, "c", order_id="leg-a")) == 1
    assert counts.repeated_legs(child(floor, "c", side=Side.SELL)) == 0
    assert counts.twin_age_s(child(floor, "c"), floor.opens) == 20 * 60


def test_a_day_trade_is_a_change_of_direction_in_one_name_on_one_day(floor: Any) -> None:
    sides = [("AAA", "BUY", -3), ("AAA", "SELL", -2), ("BBB", "BUY", -3), ("CCC", "SELL", -24 * 60), ("CCC", "BUY", -1)]
    before = [
        SentOrder(child(floor, f"c{place}"), (fill(floor, f"c{place}", symbol, side, 1, minute),))
        for place, (symbol, side, minute) in enumerate(sides)
    ]

    counts = Counts(before, DAY)
    assert counts.day_trades == 1

    counts.filled(fill(floor, "x", "BBB", "SELL", 1))
    assert counts.day_trades == 2


def test_a_sale_of_older_shares_pays_for_a_buy_of_the_same_day(floor: Any) -> None:
    settlement = Settlement({"AAA": 100}, day=DAY)

    settlement.fill(fill(floor, "a", "AAA", "SELL", 100))

    assert settlement.unsettled == 0


def test_shares_bought_today_and_sold_again_pay_for_nothing_until_tomorrow(floor: Any) -> None:
    # 12 CFR 220.8(c): a cash account may not buy with the proceeds of what it has not paid for.
    settlement = Settlement({"AAA": 40}, day=DAY)

    settlement.fill(fill(floor, "a", "AAA", "BUY", 60))
    sale = fill(floor, "b", "AAA", "SELL", 70, price="101")
    settlement.fill(sale)
    assert settlement.unsettled == 30 * 101

    settlement.bust(sale)
    assert settlement.unsettled == 0


def test_what_was_held_at_the_open_is_told_from_the_fills_of_the_day(floor: Any) -> None:
    earlier = [fill(floor, "a", "AAA", "BUY", 60, -20), fill(floor, "b", "AAA", "SELL", 70, -10)]
    yesterday = fill(floor, "c", "AAA", "SELL", 500, -24 * 60)

    settlement = Settlement({"AAA": 30}, [yesterday, *earlier], DAY)

    assert settlement.unsettled == 30 * 100
