"""A model in one pass: the same bytes as by way of its dictionary, or no text at all."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.model import Model, UtcTime
from parley.domain.model_text import model_text
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
