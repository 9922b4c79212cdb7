"""Events: known kinds, what is refused at their edge, and the chain."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from parley.domain.decisions import Evidence
from parley.domain.errors import UnknownEvent
from parley.domain.events import (
    PAYLOADS,
    Actor,
    ChildClosed,
    NewEvent,
    OrderFilled,
    Payload,
    RunFinished,
    chain_hash,
    decode_payload,
)
from parley.domain.instruments import Instrument, Universe
from parley.domain.orders import Fill, OrderState, Side
from pydantic import ValidationError

T = datetime(2024, 1, 2, 21, tzinfo=UTC)
FILL = {
    "execution_id": "exec-1",
    "client_order_id": "child-1",
    "order_id": "ord-1",
    "symbol": "AAPL",
    "side": Side.BUY,
    "quantity": 100,
    "price": Decimal("10.10"),
    "mid_price": Decimal("10.09"),
    "touch_price": Decimal("10.10"),
    "venue": "paper",
    "ts_event": T,
}


def _finished(equity: Any = Decimal("1.50")) -> RunFinished:
    return RunFinished(
        run_id="run-1",
        sessions=1,
        decisions=1,
        orders=0,
        fills=0,
        vetoes=0,
        abstentions=0,
        llm_calls=0,
        equity=equity,
    )


def test_every_payload_is_listed_under_its_own_name() -> None:
    assert {kind.__name__ for kind in Payload.__subclasses__()} >= set(PAYLOADS)
    assert all(name == kind.__name__ for name, kind in PAYLOADS.items())


def test_a_payload_survives_json_without_losing_a_digit() -> None:
    payload = OrderFilled(fill=Fill(**FILL))

    data = payload.model_dump(mode="json")

    assert data["fill"]["price"] == "10.10"
    assert decode_payload("OrderFilled", 1, data) == payload


@pytest.mark.parametrize(("kind", "version"), [("OrderForgotten", 1), ("OrderFilled", 2)])
def test_an_event_of_another_program_is_refused_with_advice(kind: str, version: int) -> None:
    with pytest.raises(UnknownEvent, match=f"{kind} version {version}") as caught:
        decode_payload(kind, version, {})

    assert "version that wrote it" in caught.value.remedy


def test_an_unknown_field_of_a_payload_is_refused() -> None:
    with pytest.raises(ValidationError, match="rumor"):
        decode_payload("RunFinished", 1, {**_finished().model_dump(mode="json"), "rumor": 1})


@pytest.mark.parametrize("bad", [Decimal("NaN"), Decimal("Infinity"), float("nan"), "NaN"])
def test_money_that_is_no_number_is_refused(bad: object) -> None:
    with pytest.raises(ValidationError):
        _finished(bad)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_tools_output_with_nan_deep_inside_is_refused(bad: float) -> None:
    with pytest.raises(ValidationError):
        Evidence(
            id="e", tool="t", tool_version=1, inputs_hash="", as_of=T, unit="frac", output={"values": [0.1, [bad]]}
        )


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("quantity", 0),
        ("quantity", -5),
        ("price", Decimal(0)),
        ("fee", Decimal("NaN")),
        ("symbol", "aapl"),
        ("ts_event", datetime(2024, 1, 2)),
    ],
)
def test_an_impossible_fill_is_refused(field: str, bad: object) -> None:
    with pytest.raises(ValidationError, match=field):
        Fill.model_validate({**FILL, field: bad})


def test_a_child_closes_only_into_a_terminal_state() -> None:
    with pytest.raises(ValidationError):
        ChildClosed.model_validate(
            {
                "client_order_id": "child-1",
                "order_id": "ord-1",
                "state": OrderState.ACCEPTED,
                "unfilled": 0,
                "reason": "",
            }
        )


def test_a_new_event_keeps_its_payloads_own_type() -> None:
    new = NewEvent(stream="run", event_time=T, actor=Actor(kind="desk", name="x"), payload=_finished(), run_id="run-1")

    assert type(new.payload) is RunFinished


def test_a_symbol_is_in_a_universe_once() -> None:
    with pytest.raises(ValidationError, match="appears twice"):
        Universe(name="two", instruments=(Instrument(symbol="AAPL"), Instrument(symbol="AAPL")))


def test_the_chain_depends_on_the_hash_before_and_on_every_field() -> None:
    body: dict[str, Any] = {"seq": 1, "payload": {"x": 1}}
    one = chain_hash("0" * 64, body)

    assert one == chain_hash("0" * 64, {"payload": {"x": 1}, "seq": 1})
    assert one != chain_hash("1" * 64, body)
    assert one != chain_hash("0" * 64, {**body, "seq": 2})
    assert one != chain_hash("0" * 64, {**body, "payload": {"x": 1.0}})


def test_a_moment_is_written_with_its_zone() -> None:
    new_york = timezone(timedelta(hours=-5))
    evidence = Evidence(
        id="e", tool="t", tool_version=1, inputs_hash="", as_of=T.astimezone(new_york), unit="", output=None
    )

    assert evidence.model_dump(mode="json")["as_of"] == "2024-01-02T16:00:00-05:00"
    assert Evidence.model_validate_json(evidence.model_dump_json()) == evidence
