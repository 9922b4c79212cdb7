"""Bounds a person tightens: never looser than the limits, whatever was asked, in whatever order."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.instruments import AssetClass
from parley.gate.limits import FLOORS, TABLES, Limits, load_limits
from parley.gate.tightening import TIGHTENABLE, merged, read_tightened, tightest

LIMITS = load_limits()
ASKED = st.dictionaries(st.sampled_from(TIGHTENABLE), st.floats(0.0, 1.0) | st.integers(0, 1).map(float), max_size=5)


def test_the_stricter_of_file_and_person_holds() -> None:
    tight = tightest(LIMITS, {"max_gross": 0.5, "max_var_99_frac": 0.99, "min_cash": 1e6, "max_orders_per_day": 3.7})

    assert tight.max_gross == min(0.5, LIMITS.max_gross)
    assert tight.max_var_99_frac == LIMITS.max_var_99_frac
    assert tight.min_cash == 1e6
    assert tight.max_orders_per_day == 3


def test_a_number_for_a_table_bounds_each_row() -> None:
    tight = tightest(LIMITS, {"max_instrument_weight": 0.05})

    assert all(tight.max_instrument_weight.of(item) <= 0.05 for item in AssetClass)


@settings(max_examples=50, deadline=None)
@given(ASKED)
def test_what_was_asked_never_loosens_a_bound(asked: dict[str, float]) -> None:
    tight = tightest(LIMITS, read_tightened(dict(asked)))

    assert LIMITS.tighten(**_changed(tight)) == tight  # `tighten` refuses whatever is looser


@settings(max_examples=50, deadline=None)
@given(ASKED, ASKED)
def test_requests_commute_and_a_further_one_only_takes_away(one: dict[str, float], other: dict[str, float]) -> None:
    one, other = read_tightened(dict(one)), read_tightened(dict(other))
    both = merged(one, other)

    assert both == merged(other, one) == merged(both, other)
    assert tightest(LIMITS, both) == tightest(tightest(LIMITS, one), other)


@pytest.mark.parametrize(
    "asked",
    [
        {"max_gross": -1.0},
        {"max_gross": float("nan")},
        {"max_gross": float("inf")},
        {"max_gross": True},
        {"max_gross": "0.5"},
        {"allow_short": 0},
        {"veto": 0.0},
        {"cash_buffer_frac": 1.5},
        ["max_gross"],
        "max_gross",
        None,
    ],
)
def test_what_is_no_bound_of_a_limit_is_left_out(asked: Any) -> None:
    assert read_tightened(asked) == {}


def test_every_limit_that_can_be_tightened_has_one_number_or_one_a_row() -> None:
    for name in TIGHTENABLE:
        value = getattr(LIMITS, name)
        assert name in TABLES or isinstance(value, int | float), name
    assert set(TIGHTENABLE) >= {"max_gross", "min_cash", *TABLES} and set(TIGHTENABLE) >= FLOORS


def _changed(tight: Limits) -> dict[str, Any]:
    before, after = LIMITS.model_dump(), tight.model_dump()
    return {name: after[name] for name in before if before[name] != after[name]}
