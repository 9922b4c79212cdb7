"""How numbers and texts are written: units, rounding, missing values, hostile strings."""

import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup
from parley.service.pages.errors import ReportError
from parley.service.pages.numbers import UNITS, shown, unit_named
from parley.service.pages.render import clean, code, label, measured, moment, number, words
from parley.service.pages.twin import Fact

FINITE = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)


@pytest.mark.parametrize(
    ("raw", "unit", "text"),
    [
        (0.0123, "frac", "1.23%"),
        (-0.5, "frac", "−50.00%"),
        (12.34, "bps", "12.3 bp"),
        (0.00123, "frac_bps", "12.3 bp"),
        (62, "percent", "62%"),
        ("1234567.891", "usd", "1,234,567.89 USD"),
        ("131.02", "price", "131.02"),
        (0.2634, "price", "0.2634"),
        (312, "count", "312"),
        (-0.0000001, "frac", "0.00%"),
        (0, "ratio", "0.00"),
        (1.5, "multiple", "1.50×"),
    ],
)
def test_a_number_is_written_in_its_unit(raw: float | str, unit: str, text: str) -> None:
    assert shown(raw, unit) == text


@settings(max_examples=100, deadline=None)
@given(FINITE, st.sampled_from(sorted(UNITS)), st.none() | st.integers(0, 8))
def test_what_is_shown_is_the_raw_number_within_its_last_digit(raw: float, unit: str, digits: int | None) -> None:
    text = shown(raw, unit, digits, sign=True)

    bare = text.removesuffix(UNITS[unit].suffix).replace(",", "").replace("−", "-")
    places = len(bare.partition(".")[2])
    back = Decimal(bare) / UNITS[unit].scale
    assert abs(back - Decimal(repr(raw))) <= Decimal(5).scaleb(-places - 1) / UNITS[unit].scale


@pytest.mark.parametrize("bad", [math.nan, math.inf, "NaN", "-Infinity", "abc", "", None, True, [1], {"a": 1}])
def test_anything_but_a_finite_number_is_refused_as_a_number(bad: object) -> None:
    with pytest.raises(ReportError, match="expected a finite number"):
        shown(bad, "num")  # pyright: ignore[reportArgumentType] - the point of the test


def test_the_largest_float_is_still_rounded_without_an_error() -> None:
    assert shown(1.7976931348623157e308, "num").startswith("179,769")


def test_plus_signs_appear_only_where_asked_for() -> None:
    assert shown(0.01, "frac", sign=True) == "+1.00%"
    assert shown(0.0, "frac", sign=True) == "0.00%"


def test_a_number_carries_its_raw_value_and_its_place() -> None:
    fact = Fact({"a/b": [{"x": "0.5"}]}, "evt-1")["a/b"][0]["x"]

    assert number(fact, "frac") == '<data class="n frac" value="0.5" data-ref="evt-1#/a~1b/0/x">50.00%</data>'


def test_a_missing_number_is_a_dash_and_never_a_zero() -> None:
    assert number(Fact(None, "evt-1"), "frac") == '<span class="none">–</span>'
    assert number(None) == '<span class="none">–</span>'


def test_the_reference_of_a_hostile_id_cannot_leave_its_attribute() -> None:
    markup = number(Fact(1, 'x"><script>alert(1)</script>'))

    assert "<script" not in markup
    assert "&lt;script&gt;" in markup


def test_units_named_by_the_ledger_are_understood_and_unknown_ones_are_said() -> None:
    assert unit_named("fraction") == "frac"
    assert unit_named("parsecs") is None
    assert ">3</data> parsecs" in measured(Fact(3.0, "e"), Fact("parsecs", "e"))


def test_digits_in_a_pages_own_words_are_refused() -> None:
    with pytest.raises(ReportError, match="no source"):
        words("about 7 days")


def test_recorded_words_with_digits_carry_their_source() -> None:
    assert words(Fact("up 3%", "e", "/reason")) == '<data class="s" value="up 3%" data-ref="e#/reason">up 3%</data>'
    assert words(Fact("quiet", "e", "/reason")) == "quiet"


@pytest.mark.parametrize("text", ["<script>alert('x')</script>", '"><img src=x onerror=y>', "</data></style>"])
def test_markup_in_recorded_text_is_escaped(text: str) -> None:
    for shape in (words(Fact(text, "e")), words(Fact(f"{text} 1", "e")), code(text), label(text), moment(text)):
        assert isinstance(shape, Markup)
        inner = shape.replace("<data", "").replace("</data>", "").replace("<code", "").replace("</code>", "")
        assert "<" not in inner.replace("<time", "").replace("</time>", "")


def test_control_bidirectional_and_zero_width_characters_are_dropped() -> None:
    assert clean("pay\u202e\u2066 me\u200b\x00\x1b[31m\n\tnow\ufeff", 100) == "pay me[31m now"


def test_a_ten_thousand_character_headline_is_clipped() -> None:
    text = words(Fact("A" * 10_000, "e"))

    assert len(text) == 280
    assert text.endswith("…")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=400))
def test_cleaned_text_is_printable_short_and_on_one_line(text: str) -> None:
    found = clean(text, 50)

    assert len(found) <= 50
    assert all(c.isprintable() for c in found)


def test_facts_refuse_what_they_do_not_hold() -> None:
    fact = Fact({"a": "x"}, "evt-9")

    with pytest.raises(ReportError, match="evt-9#: has no entry 'b'"):
        fact["b"]
    with pytest.raises(ReportError, match="expected a number"):
        fact["a"].number()
    with pytest.raises(ReportError, match="expected a list"):
        fact.rows()
    with pytest.raises(ReportError, match="expected text"):
        fact.string()
    assert fact.maybe("b") is None
