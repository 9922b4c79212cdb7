"""Levels in words: what the log records keeps its bytes, and a person reads every figure in its unit."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.levels import BREAKER_UNITS, back_text, in_words, measured_text, past_text
from parley.execution.breaker_rules import BreakerRules
from parley.execution.breakers import BREAKERS, Breaker


def test_figures_are_shown_with_their_unit() -> None:
    shown = {
        (0.0503, "frac"): "5.03 %",
        (1.051, "of limit"): "105.10 %",
        (61.25, "bps"): "61.2 bp",
        (131.4, "ms"): "131 ms",
        (61_000, "ms"): "61.0 s",
        (301, "s"): "301 s",
        (3, "count"): "3",
        (0.1623, "psi"): "0.162",
        (math.nan, "frac"): "no finite figure",
    }

    assert {key: measured_text(*key) for key in shown} == shown


def test_every_breaker_has_a_unit_and_a_rule() -> None:
    assert set(BREAKER_UNITS) == {breaker.name for breaker in BREAKERS} == set(BreakerRules.model_fields)


def test_the_log_records_a_level_as_it_always_did() -> None:
    assert (
        past_text("loss since the peak", 0.05213, "frac", 0.05)
        == "loss since the peak is 0.05213 frac, the level is 0.05"
    )
    assert back_text("loss since the peak", 0.03999, "frac") == "loss since the peak is back at 0.03999 frac"


@pytest.mark.parametrize(
    ("recorded", "said"),
    [
        (
            "account is REDUCING: loss since the last close is 0.052 frac, the level is 0.05",
            "account is REDUCING: loss since the last close is 5.20 %, the level is 5.00 %",
        ),
        (
            "share of its limit one name has reached is 1.05 of limit, the level is 1",
            "share of its limit one name has reached is 105.00 %, the level is 100.00 %",
        ),
        ("loss since the peak is back at -1e-05 frac", "loss since the peak is back at 0.00 %"),
        (
            "age of the oldest quote is inf s, the level is 300",
            "age of the oldest quote is no finite figure, the level is 300 s",
        ),
        ("ann: the feed is 3 s late, is 4 frac and is back at 9 fractions", None),
        ("account is HALTED: ann: smoke", None),
    ],
)
def test_a_text_of_the_log_is_said_in_units_and_other_words_stay_as_they_are(recorded: str, said: str | None) -> None:
    assert in_words(recorded) == (said or recorded)


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(BREAKERS), st.floats(allow_nan=True, allow_infinity=True), st.floats(0, 1e6, allow_subnormal=False)
)
def test_whatever_a_breaker_records_is_said_without_the_names_of_raw_units(
    breaker: Breaker, figure: float, level: float
) -> None:
    what, unit = breaker.what, breaker.unit

    for recorded in (past_text(what, figure, unit, level), back_text(what, figure, unit)):
        said = in_words(recorded)
        assert said.startswith(f"{what} is ") and measured_text(float(f"{figure:.4g}"), unit) in said
        assert not any(said.endswith(name) or f" {name}," in said for name in ("frac", "of limit", "corr", "count"))
