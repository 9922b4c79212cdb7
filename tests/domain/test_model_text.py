"""A model in one pass: the same bytes as by way of its dictionary, or no text at all."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from parley.domain.canonical import canonical_text
from parley.domain.errors import CanonicalError
from parley.domain.events import ChildAccepted, ChildSubmitted, OrderFilled
from parley.domain.made import whole
from parley.domain.model import Model, UtcTime
from parley.domain.model_text import model_text
from parley.domain.orders import ChildOrder, Fill, OrderType, Side, TimeInForce
from pydantic import Field, PlainSerializer


class Color(StrEnum):
    RED = "RED"
    ODD = 'o"d'


class Inner(Model):
    b: Decimal
    a: Color


class Outer(Model):
    z: int
    text: str
    flag: bool
    ratio: float
    at: UtcTime
    inner: Inner
    many: tuple[Inner, ...]
    by_name: dict[str, int]
    plain: list[str]
    maybe: Decimal | None


class Hides(Model):
    kept: int = Field(default=0, exclude_if=lambda value: value == 0)


class Named(Model):
    value: Annotated[int, PlainSerializer(lambda value: f"#{value}")]


class Child(Inner):
    extra: int = 1


class Holds(Model):
    inner: Inner


def long_way(model: Model) -> str:
    return json.dumps(
        model.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


MOMENTS = st.datetimes(timezones=st.just(UTC))
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)
INNERS = st.builds(Inner, b=DECIMALS, a=st.sampled_from(Color))
OUTERS = st.builds(
    Outer,
    z=st.integers(),
    text=st.text(),
    flag=st.booleans(),
    ratio=st.floats(allow_nan=False, allow_infinity=False),
    at=MOMENTS,
    inner=INNERS,
    many=st.lists(INNERS, max_size=3).map(tuple),
    by_name=st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
    plain=st.lists(st.text(max_size=5), max_size=3),
    maybe=st.none() | DECIMALS,
)


@settings(max_examples=50, deadline=None)
@given(OUTERS)
def test_a_plain_model_has_the_text_that_its_dictionary_has(model: Outer) -> None:
    assert model_text(model) == long_way(model)


AT = datetime(2024, 3, 4, 15, tzinfo=UTC)
INNER = Inner(b=Decimal("1.0"), a=Color.RED)
WHOLE: dict[str, Any] = {
    "z": 1, "text": "", "flag": True, "ratio": 0.5, "at": AT, "inner": INNER, "many": (), "by_name": {}, "plain": [],
    "maybe": None,
}  # fmt: skip


@pytest.mark.parametrize(
    "model",
    [
        Hides(),
        Named(value=3),
        Holds.model_construct(inner=Child(b=Decimal(1), a=Color.RED)),
        Outer.model_construct(**{**WHOLE, "ratio": float("nan")}),
        Outer(**{**WHOLE, "at": AT.astimezone(timezone(timedelta(hours=2)))}),
        Outer.model_construct(**{**WHOLE, "by_name": {1: 2}}),
        Outer.model_construct(**{**WHOLE, "plain": {"a", "b"}}),
        Outer.model_construct(z=1),
    ],
    ids=[
        "excluded",
        "own serializer",
        "child class",
        "not a number",
        "another zone",
        "number as key",
        "set",
        "missing",
    ],
)
def test_what_is_not_plain_is_left_to_pydantic(model: Model) -> None:
    assert model_text(model) is None


def test_a_moment_is_told_with_its_microseconds_only_where_there_are_any() -> None:
    model = Outer(**{**WHOLE, "at": AT.replace(microsecond=120)})

    assert '"at":"2024-03-04T15:00:00.000120Z"' in (model_text(model) or "")
    assert '"at":"2024-03-04T15:00:00Z"' in (model_text(Outer(**WHOLE)) or "")


MOMENT = datetime(2024, 1, 2, 14, 30, 0, 5, tzinfo=UTC)
ODD_VALUES = (
    st.text()
    | st.integers()
    | st.integers(2**63, 2**65)
    | st.floats()
    | st.decimals(allow_nan=True)
    | st.none()
    | st.datetimes(
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5, minutes=7)), timezone(timedelta(seconds=3630))])
    )
    | st.sampled_from([Color.ODD, Side.BUY, MOMENT, ("a", 1e16), [1e-7], {"b": 1}, Inner(b=Decimal(1), a=Color.RED)])
)
"""What a field of a fact may hold that nobody has validated: what its type promises, and what it does not. Only a truth
value for a whole number is left out: pydantic writes the number, and the house has always written `true`."""


def fact(kind: type[Model], drawn: dict[str, Any]) -> Model:
    child = {
        "client_order_id": "ord-1", "order_id": "leg-1", "decision_id": "dec-1", "symbol": "AAA", "side": Side.SELL,
        "quantity": 5, "limit_price": Decimal("10.10"), "sequence": 0, "created_at": MOMENT,
        "order_type": OrderType.LIMIT, "time_in_force": TimeInForce.DAY, "stop_price": None, "expires_at": None,
    }  # fmt: skip
    fill = {
        "execution_id": "exe-1", "client_order_id": "ord-1", "order_id": "leg-1", "symbol": "AAA", "side": Side.BUY,
        "quantity": 5, "price": Decimal("1E+2"), "fee": Decimal("-0.00"), "mid_price": Decimal(100),
        "touch_price": Decimal("100.01"), "venue": "paper", "ts_event": MOMENT, "synthetic": True, "tier": "T0",
    }  # fmt: skip
    if kind is ChildSubmitted:
        known = {name: value for name, value in drawn.items() if name in child}
        return whole(kind, {"child": whole(ChildOrder, child | known), "verdict_hash": drawn.get("verdict_hash", "h")})
    if kind is OrderFilled:
        return whole(kind, {"fill": whole(Fill, fill | {name: drawn[name] for name in drawn if name in fill})})
    return whole(kind, {"client_order_id": drawn.get("client_order_id", "c"), "order_id": drawn.get("order_id", "o")})


NAMES = sorted({*ChildOrder.model_fields, *Fill.model_fields, "verdict_hash"})


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([ChildSubmitted, ChildAccepted, OrderFilled]),
    st.dictionaries(st.sampled_from(NAMES), ODD_VALUES, max_size=3),
)
@example(OrderFilled, {"quantity": 1e16})
@example(ChildSubmitted, {"sequence": 2**64})
@example(OrderFilled, {"ts_event": datetime(2024, 1, 2, tzinfo=timezone(timedelta(seconds=3630)))})
def test_the_facts_of_an_order_have_the_bytes_of_the_long_way_whatever_they_hold(
    kind: type[Model], drawn: dict[str, Any]
) -> None:
    model = fact(kind, drawn)
    try:
        text = json.dumps(
            model.model_dump(mode="json", warnings=False),
            sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False,
        )  # fmt: skip
        text.encode()
    except (ValueError, TypeError):
        with pytest.raises(CanonicalError):
            canonical_text(model)
        return

    assert canonical_text(model) == text


@pytest.mark.parametrize("character", [chr(code) for code in (*range(0x20), 0x22, 0x5C, 0x7F, 0x85, 0x2028, 0x1F600)])
def test_every_odd_character_of_an_id_is_written_as_ever(character: str) -> None:
    name = f"a{character}b"

    text = canonical_text(ChildAccepted(client_order_id=name, order_id="o"))

    assert text == json.dumps({"client_order_id": name, "order_id": "o"}, separators=(",", ":"), ensure_ascii=False)
