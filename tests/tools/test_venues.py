"""Each venue's record over a log: sums by hand, splits read back, and busted fills gone."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
from parley.domain.events import (
    ChildSubmitted,
    EvidenceRecorded,
    FillBusted,
    OrderFilled,
    Payload,
)
from parley.domain.orders import ChildOrder, Fill, Side
from parley.memory.log import EventLog
from parley.tools.ledger import Ledger
from parley.tools.venues import routed_split, routing_choice, venue_performance

AT = datetime(2024, 3, 5, 15, tzinfo=UTC)
RUN = {"run": "run-1", "head": "00"}


class Listed:
    """The part of a log that the report asks for."""

    def __init__(self, *payloads: Payload) -> None:
        self.payloads = payloads

    def read(self, types: Sequence[type[Payload]] = ()) -> Iterator[Any]:
        for payload in self.payloads:
            if isinstance(payload, tuple(types)):
                yield Decoded(payload)


class Decoded:
    def __init__(self, payload: Payload) -> None:
        self.payload = payload

    def decoded(self) -> Payload:
        return self.payload


def child(name: str = "c1", quantity: int = 300, side: Side = Side.BUY) -> ChildOrder:
    return ChildOrder(
        client_order_id=name, order_id="o1", decision_id="d1", symbol="AAA", side=side, quantity=quantity,
        limit_price=Decimal(101), sequence=0, created_at=AT,
    )  # fmt: skip


def fill(number: int, venue: str, quantity: int, price: str, after_s: float = 0, **changes: Any) -> Fill:
    values: dict[str, Any] = {
        "execution_id": f"e{number}@{venue}", "client_order_id": "c1", "order_id": "o1", "symbol": "AAA",
        "side": Side.BUY, "quantity": quantity, "price": Decimal(price), "fee": Decimal("0.50"),
        "mid_price": Decimal(100), "touch_price": Decimal("100.10"), "venue": venue,
        "ts_event": AT + timedelta(seconds=after_s), "tier": "T1",
    }  # fmt: skip
    return Fill(**{**values, **changes})


def reported(*payloads: Payload) -> dict[str, Any]:
    _, output = venue_performance(Ledger(AT, "data"), RUN, cast(EventLog, Listed(*payloads)))
    return cast(dict[str, Any], output["venues"])


def spread(**split: int) -> EvidenceRecorded:
    entry = routing_choice(Ledger(AT, "state"), child(), Decimal("100.10"), "EQUAL", {"lit": 0}, split)
    return EvidenceRecorded(decision_id="d1", entries=(entry,))


def test_a_venues_row_is_the_sum_of_what_was_sent_there_and_filled() -> None:
    found = reported(
        ChildSubmitted(child=child(), verdict_hash=""),
        spread(lit=200, dark=100),
        OrderFilled(fill=fill(1, "lit", 100, "100.10", 1)),
        OrderFilled(fill=fill(2, "lit", 50, "100.25", 4, synthetic=True, tier="T0")),
        OrderFilled(fill=fill(2, "lit", 50, "100.25", 4, synthetic=True, tier="T0")),
    )

    lit = found["lit"]
    assert (lit["fills"], lit["sent"], lit["filled"], lit["fill_frac"]) == (2, 200, 150, 0.75)
    value = 100 * 100.10 + 50 * 100.25
    assert float(lit["value"]) == pytest.approx(value)
    assert lit["effective_spread_bps"] == pytest.approx(2 * (100 * 0.10 + 50 * 0.25) / value * 1e4)
    assert lit["past_touch_bps"] == pytest.approx(50 * 0.15 / value * 1e4)
    assert lit["fee_bps"] == pytest.approx(1.0 / value * 1e4)
    assert (lit["median_wait_s"], lit["longest_wait_s"]) == (2.5, 4.0)
    assert (lit["made_from"], lit["synthetic"]) == ({"bars": 1, "quotes": 1}, 1)
    assert found["dark"] == {
        "fills": 0, "sent": 100, "filled": 0, "value": "0", "fees": "0", "made_from": {}, "synthetic": 0
    }  # fmt: skip


def test_a_busted_fill_is_gone_and_a_sellers_costs_are_positive_too() -> None:
    sold = fill(1, "paper", 100, "99.90", side=Side.SELL, touch_price=Decimal("99.95"))
    gone = fill(2, "paper", 100, "99.90", side=Side.SELL)

    found = reported(
        ChildSubmitted(child=child(quantity=200, side=Side.SELL), verdict_hash=""),
        OrderFilled(fill=sold),
        OrderFilled(fill=gone),
        FillBusted(execution_id=gone.execution_id, fill=gone, reason="erroneous"),
    )

    assert found["paper"]["filled"] == 100 and found["paper"]["sent"] == 200
    assert found["paper"]["effective_spread_bps"] == pytest.approx(2 * 0.10 / 99.90 * 1e4)
    assert found["paper"]["past_touch_bps"] == pytest.approx(0.05 / 99.90 * 1e4)


def test_a_choice_is_read_back_as_it_was_made_and_other_evidence_is_none() -> None:
    entry = spread(lit=200, dark=100).entries[0]

    assert routed_split(entry) == ("c1", Decimal("100.10"), {"lit": 200, "dark": 100})
    assert routed_split(entry.model_copy(update={"tool": "regime"})) is None
