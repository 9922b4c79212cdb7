"""The evidence ledger: addresses by content, one entry per call, and figures that JSON can name."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.canonical import canonical_bytes
from parley.domain.decisions import Evidence
from parley.tools.ledger import Ledger, figure, figures

AS_OF = datetime(2024, 3, 4, 21, tzinfo=UTC)
INPUTS = {"days": 252}
OUTPUT = {"AAA": 0.5}


def recorded(*, fingerprint: str = "f" * 64, as_of: datetime = AS_OF, tool: str = "risk", version: int = 1) -> Evidence:
    return Ledger(as_of, fingerprint).record(tool, version, "fraction", INPUTS, OUTPUT)


def test_the_same_call_on_the_same_data_has_the_same_id():
    assert recorded() == recorded()


def test_an_id_tells_tool_version_data_moment_and_inputs_apart():
    other_inputs = Ledger(AS_OF, "f" * 64).record("risk", 1, "fraction", {"days": 21}, OUTPUT)
    entries = [
        recorded(),
        recorded(tool="caps"),
        recorded(version=2),
        recorded(fingerprint="e" * 64),
        recorded(as_of=AS_OF.replace(hour=20)),
        other_inputs,
    ]

    assert len({entry.id for entry in entries}) == len(entries)


def test_the_same_call_is_entered_once():
    ledger = Ledger(AS_OF, "f" * 64)

    first = ledger.record("risk", 1, "fraction", INPUTS, OUTPUT)
    again = ledger.record("risk", 1, "fraction", dict(INPUTS), dict(OUTPUT))

    assert again is first
    assert ledger.entries == (first,)


def test_entries_keep_the_order_of_the_calls():
    ledger = Ledger(AS_OF, "f" * 64)

    ids = [ledger.record(tool, 1, "x", {}, OUTPUT).id for tool in ("zeta", "alpha", "mid")]

    assert [entry.id for entry in ledger.entries] == ids


def test_an_entry_is_a_valid_record_although_it_is_not_validated():
    entry = recorded()

    assert Evidence.model_validate(entry.model_dump(mode="json")) == entry


def test_a_figure_that_is_not_a_number_is_left_out():
    assert figures(["AAA", "BBB"], [1.5, math.nan]) == {"AAA": 1.5}


def test_figures_of_more_values_than_names_are_refused():
    with pytest.raises(ValueError, match="zip"):
        figures(["AAA"], [1.0, 2.0])


@settings(max_examples=100, deadline=None)
@given(st.floats(-1e300, 1e300))
def test_a_figure_keeps_ten_digits_and_is_its_own_figure(value: float):
    kept = figure(value)

    assert kept == pytest.approx(value, rel=1e-9, abs=1e-320)
    assert figure(kept) == kept
    assert canonical_bytes(kept)
