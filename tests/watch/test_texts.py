"""The words of alerts: nothing from outside can become a header, a tag, a mention, a link, or another line."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.watch.rules import usual_rules
from parley.watch.texts import MAX_TEXT_CHARS, cleaned, level_text, notification_text, state_text

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


def test_a_level_says_figure_limit_and_subject() -> None:
    text = level_text(usual_rules()["input_drift"], "scores", 0.162)

    assert text == "population stability index against the first year of the run (scores): 0.162, the limit is 0.15"


@pytest.mark.parametrize(
    ("breaker", "figure", "limit", "said"),
    [
        ("daily_loss", 0.052, 0.05, "at 5.20 %, its level is 5.00 %"),
        ("slippage", 61.25, 50.0, "at 61.2 bp, its level is 50.0 bp"),
        ("stale_data", 480.0, 300.0, "at 480 s, its level is 300 s"),
        ("concentration", 1.051, 1.0, "at 105.10 %, its level is 100.00 %"),
        ("correlation", 0.83, 0.8, "at 0.83, its level is 0.8"),
        ("unresolved", 2.0, 0.0, "at 2, its level is 0"),
    ],
)
def test_a_restriction_says_the_breakers_figure_and_its_level_in_its_unit(
    breaker: str, figure: float, limit: float, said: str
) -> None:
    assert state_text("account", "REDUCING", "breaker", breaker, figure, limit).endswith(f"breaker {breaker} {said}")


def test_a_persons_restriction_repeats_no_figure_that_is_not_its_own() -> None:
    assert state_text("account", "REDUCING", "operator", "flatten", 0.11, 0.1) == "account is REDUCING: operator"


def test_what_the_desk_noted_is_said_in_units_and_what_came_from_outside_is_not_repeated() -> None:
    noted = "mean confidence of the signals is 0.25 frac, the level is 0.3"

    assert notification_text("confidence", noted, "e1", is_outside=False) == (
        "confidence: mean confidence of the signals is 25.00 %, the level is 30.00 %"
    )
    assert notification_text("confidence", noted, "e1", is_outside=True) == "confidence: event e1 has it"
