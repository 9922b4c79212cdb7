"""The children of a log: open until they fill or end, whatever the order they are told of in."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from parley.domain.events import CancelRequested, ChildClosed, ChildSubmitted, FillBusted, OrderFilled, Payload
from parley.domain.orders import ChildOrder, Fill, OrderState, Side
from parley.memory.sent_orders import SentOrders, standing_fills

AT = datetime(2024, 3, 5, 14, 30, tzinfo=UTC)


def child(name: str = "c1", days: int = 0) -> ChildOrder:
    return ChildOrder(
        client_order_id=name, order_id="p1", decision_id="d1", symbol="AAA", side=Side.BUY, quantity=10,
        limit_price=Decimal(100), sequence=0, created_at=AT + timedelta(days=days),
    )  # fmt: skip


def fill(quantity: int, execution: str = "e1", name: str = "c1") -> Fill:
    return Fill(
        execution_id=execution, client_order_id=name, order_id="p1", symbol="AAA", side=Side.BUY, quantity=quantity,
        price=Decimal(100), mid_price=Decimal(100), touch_price=Decimal(100), venue="v", ts_event=AT,
    )  # fmt: skip


def closed(name: str = "c1") -> ChildClosed:
    return ChildClosed(client_order_id=name, order_id="p1", state=OrderState.CANCELED, unfilled=0, reason="test")


def told(*payloads: Payload) -> SentOrders:
    orders = SentOrders()
    for payload in payloads:
        orders.fold(payload)
    return orders


def only(orders: SentOrders) -> Any:
    (sent,) = orders.all
    return sent


def test_a_child_is_open_for_what_it_has_not_filled() -> None:
    sent = only(told(ChildSubmitted(child=child(), verdict_hash="v"), OrderFilled(fill=fill(4))))

    assert (sent.executed, sent.open_quantity) == (4, 6)


def test_a_filled_and_a_closed_child_are_not_open_and_a_late_fill_opens_nothing() -> None:
    submitted = ChildSubmitted(child=child(), verdict_hash="v")

    assert told(submitted, OrderFilled(fill=fill(10))).open == ()
    assert told(submitted, closed()).open == ()
    assert told(submitted, closed(), OrderFilled(fill=fill(3))).open == ()


def test_an_execution_counts_once_and_one_taken_back_is_not_worked_again() -> None:
    submitted = ChildSubmitted(child=child(), verdict_hash="v")
    sent = only(
        told(
            submitted,
            OrderFilled(fill=fill(4)),
            OrderFilled(fill=fill(4)),
            FillBusted(execution_id="e1", fill=fill(4), reason="test"),
        )
    )

    assert (sent.executed, sent.open_quantity, sent.standing) == (4, 6, ())
    assert standing_fills([sent]) == []


def test_cancels_are_counted_and_facts_of_unknown_orders_left_aside() -> None:
    orders = told(
        ChildSubmitted(child=child(), verdict_hash="v"),
        CancelRequested(client_order_id="c1", order_id="p1", reason="test"),
        CancelRequested(client_order_id="other", order_id="p1", reason="test"),
        OrderFilled(fill=fill(4, name="other")),
        closed("other"),
        FillBusted(execution_id="e1", fill=fill(4, name="other"), reason="test"),
    )

    assert only(orders).cancels == 1


def test_what_is_over_and_old_is_forgotten_and_what_is_open_never() -> None:
    orders = told(
        ChildSubmitted(child=child("old-open", -9), verdict_hash="v"),
        ChildSubmitted(child=child("old-closed", -9), verdict_hash="v"),
        closed("old-closed"),
        ChildSubmitted(child=child("new-closed"), verdict_hash="v"),
        closed("new-closed"),
    )

    orders.forget_before(AT - timedelta(days=1))

    assert [sent.child.client_order_id for sent in orders.all] == ["old-open", "new-closed"]
    assert [sent.concerns(AT.date()) for sent in orders.all] == [True, True]
    assert not told(ChildSubmitted(child=child("x", -9), verdict_hash="v"), closed("x")).all[0].concerns(AT.date())
