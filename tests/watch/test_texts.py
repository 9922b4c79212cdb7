"""The words of alerts: nothing from outside can become a header, a tag, a mention, a link, or another line."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.watch.rules import usual_rules
from parley.watch.texts import MAX_TEXT_CHARS, cleaned, level_text, shown

HARMFUL = set('<>&@#`*_~|[]{}\\"\r\n\t\0^$') - {"_"}


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Halted\r\nBcc: all@example.com", "Halted Bcc: all example.com"),
        ("<script>alert(1)</script>", "script alert(1) /script"),
        ("<!channel> *now* `rm`", "channel now rm"),
        ("see https://evil.example/x?y", "see https evil.example/x y"),
        ("\u202egnirts", "gnirts"),
        ("a\u0000b", "a b"),
        ("Größe 5 %", "Größe 5 %"),
    ],
)
def test_what_would_mean_something_to_a_channel_is_taken_out(text: str, clean: str) -> None:
    assert cleaned(text) == clean


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from(string.printable)), max_size=1000))
def test_a_cleaned_text_is_short_one_line_and_harmless_and_stays_so(text: str) -> None:
    found = cleaned(text)

    assert len(found) <= MAX_TEXT_CHARS
    assert not HARMFUL & set(found)
    assert "://" not in found
    assert found.isprintable()
    assert cleaned(found) == found


def test_figures_are_shown_with_their_unit() -> None:
    assert [shown(0.0503, "frac"), shown(131.4, "ms"), shown(61_000, "ms"), shown(301, "s"), shown(3, "count")] == [
        *("5.03 %", "131 ms", "61.0 s", "301 s"),
        "3",
    ]
    assert shown(0.1623, "psi") == "0.162"


def test_a_level_says_figure_limit_and_subject() -> None:
    text = level_text(usual_rules()["input_drift"], "scores", 0.162)

    assert text == "population stability index against the first year of the run (scores): 0.162, the limit is 0.15"
