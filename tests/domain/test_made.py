"""What is made of known parts is what validation would have made of them."""

import pickle
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from parley.domain.events import Actor, ChildAccepted, NewEvent
from parley.domain.made import made
from parley.domain.model import Model
from parley.domain.orders import ChildOrder, ExecutionAdvice, Fill, OrderType, Side
from pydantic import ValidationError

AT = datetime(2024, 3, 4, 15, tzinfo=UTC)
CHILD: dict[str, Any] = {
    "client_order_id": "c1", "order_id": "o1", "decision_id": "d1", "symbol": "AAA", "side": Side.BUY, "quantity": 5,
    "limit_price": Decimal("10.01"), "sequence": 0, "created_at": AT, "order_type": OrderType.LIMIT,
}  # fmt: skip
FILL: dict[str, Any] = {
    "ts_event": AT, "execution_id": "e1", "client_order_id": "c1", "order_id": "o1", "symbol": "AAA",
    "side": Side.SELL, "quantity": 5, "price": Decimal("10.01"), "mid_price": Decimal(10),
    "touch_price": Decimal("10.01"), "venue": "paper",
}  # fmt: skip
FACT: dict[str, Any] = {
    "stream": "order/o1", "event_time": AT, "actor": Actor(kind="desk", name="execution"),
    "payload": ChildAccepted(client_order_id="c1", order_id="o1"), "run_id": "run",
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "parts"), [(ChildOrder, CHILD), (Fill, FILL), (NewEvent, FACT), (ExecutionAdvice, {})]
)
def test_it_equals_prints_copies_pickles_and_hashes_as_a_validated_one(
    kind: type[Model], parts: dict[str, Any]
) -> None:
    model, checked = made(kind, **parts), kind(**parts)

    assert model == checked
    assert hash(model) == hash(checked)
    assert repr(model) == repr(checked)
    assert model.model_dump_json() == checked.model_dump_json()
    assert model.model_copy() == checked.model_copy()
    assert pickle.loads(pickle.dumps(model)) == checked
    assert list(vars(model)) == list(kind.model_fields)


def test_it_is_frozen_like_any_other() -> None:
    with pytest.raises(ValidationError):
        made(ChildOrder, **CHILD).quantity = 6  # pyright: ignore[reportAttributeAccessIssue]


def test_one_that_is_made_leaves_no_trace_on_the_next() -> None:
    made(Fill, **FILL, fee=Decimal(3), tier="T2")

    assert made(Fill, **FILL) == Fill(**FILL)
