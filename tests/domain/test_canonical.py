"""The canonical form: one byte form per value, and none for what JSON has no name for."""

import hashlib
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.canonical import canonical_bytes, content_hash, numbered_ids, short_id
from parley.domain.errors import CanonicalError
from parley.domain.portfolio import Portfolio, Position

_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
_JSON = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))


def test_keys_are_sorted_spaces_gone_and_letters_kept() -> None:
    assert canonical_bytes({"b": [1, 2.5, None], "a": "naïve ☂"}) == '{"a":"naïve ☂","b":[1,2.5,null]}'.encode()


def test_the_hash_is_sha256_of_the_canonical_bytes() -> None:
    # FIPS 180-4: SHA-256 of the two bytes "{}", as `printf '{}' | sha256sum` prints it.
    assert content_hash({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert content_hash({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()


def test_a_model_hashes_as_its_json_does() -> None:
    portfolio = Portfolio(
        cash=Decimal("10.50"), positions=(Position(symbol="A", quantity=1, average_price=Decimal(3)),)
    )

    assert content_hash(portfolio) == content_hash(json.loads(portfolio.model_dump_json()))


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(), _JSON, max_size=6))
def test_the_order_in_which_keys_were_set_makes_no_difference(data: dict[str, Any]) -> None:
    turned = dict(reversed(list(data.items())))

    assert canonical_bytes(turned) == canonical_bytes(data)


@settings(max_examples=50, deadline=None)
@given(_JSON)
def test_canonical_bytes_read_back_to_the_value_and_to_the_same_bytes(value: Any) -> None:
    again = json.loads(canonical_bytes(value))

    assert again == value
    assert canonical_bytes(again) == canonical_bytes(value)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), {"x": [-float("inf")]}, {"x": {1, 2}}, {"x": Decimal("1")}, "\ud800", b"bytes"],
)
def test_what_json_has_no_name_for_is_refused_with_advice(value: object) -> None:
    with pytest.raises(CanonicalError, match="no canonical JSON form") as caught:
        canonical_bytes(value)

    assert caught.value.remedy


def test_a_short_id_depends_on_every_part_and_on_nothing_else() -> None:
    one = short_id("ord", "dec-1", 2)

    assert one == short_id("ord", "dec-1", "2")
    assert one != short_id("ord", "dec-1", 3)
    assert one != short_id("ord", "dec-12")
    assert one.startswith("ord-") and len(one) == len("ord-") + 16


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=3), st.integers(0))
@settings(max_examples=50, deadline=None)
def test_a_numbered_id_is_the_short_id_of_its_parts_and_the_number(parts: list[str], number: int) -> None:
    numbered = numbered_ids("evt", *parts)

    assert numbered(number) == short_id("evt", *parts, number)
    assert numbered(number) == short_id("evt", *parts, number), "the second of a kind is not built on the first"


def test_a_part_without_bytes_has_no_ids() -> None:
    with pytest.raises(CanonicalError, match="no UTF-8 form"):
        numbered_ids("evt", "run-\ud800")
