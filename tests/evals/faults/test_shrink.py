"""Shrinking ends with a list of which no fault can be left out, and a saved counter-example comes back as it was."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.evals.errors import CaseUnreadable, FaultUnknown
from parley.evals.faults.faults import KINDS, Fault
from parley.evals.faults.scenarios import Case
from parley.evals.faults.shrink import load_case, save_case, shrink
from parley.evals.faults.witness import Violation

KIND = sorted(KINDS)


@given(st.sets(st.integers(0, 30), min_size=1, max_size=12), st.data())
@settings(max_examples=50, deadline=None)
def test_shrinking_finds_exactly_the_faults_that_matter(places: set[int], data: st.DataObject) -> None:
    faults = tuple(Fault("ack_lost", place) for place in sorted(places))
    needed = set(data.draw(st.lists(st.sampled_from(faults), min_size=1, max_size=2, unique=True)))

    found = shrink(faults, lambda chosen: needed <= set(chosen))

    assert set(found) == needed


def test_shrinking_makes_a_long_fault_short_where_that_still_fails() -> None:
    faults = (Fault("disconnects", 3, 8), Fault("fill_late", 2, 5))

    found = shrink(faults, lambda chosen: {fault.kind for fault in chosen} == {"disconnects", "fill_late"})

    assert found == (Fault("disconnects", 3, 1), Fault("fill_late", 2, 1))


def test_a_failure_that_needs_no_fault_shrinks_to_none() -> None:
    assert shrink((Fault("ack_lost", 1),), lambda chosen: True) == ()


def test_a_saved_counter_example_comes_back_as_it_was(tmp_path: Path) -> None:
    case = Case("acks", 5, 2, (Fault("ack_lost", 3), Fault("fill_late", 1, 4, 2)))
    path = tmp_path / "deep" / "case.json"

    save_case(path, case, [Violation("I2", "sent twice")])

    assert load_case(path) == case
    assert json.loads(path.read_text())["violations"] == [{"invariant": "I2", "text": "sent twice"}]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"version": 2, "suite": "faults", "scenario": "acks", "world_seed": 1, "sessions": 2, "faults": []}',
        '{"version": 1, "suite": "faults", "scenario": "acks", "world_seed": -1, "sessions": 2, "faults": []}',
        '{"version": 1, "suite": "faults", "scenario": "acks", "world_seed": 1, "sessions": true, "faults": []}',
        '{"version": 1, "suite": "faults", "scenario": "acks", "world_seed": 1, "sessions": 2, "faults": 3}',
    ],
)
def test_a_file_that_is_no_counter_example_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text(text)

    with pytest.raises(CaseUnreadable, match="no counter-example"):
        load_case(path)


@pytest.mark.parametrize("row", [{"kind": "ack_lost"}, {"kind": "meteor", "at": 1, "size": 1, "which": 0}])
def test_a_fault_that_nobody_knows_is_refused(row: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    save_case(path, Case("acks", 1, 2, ()), [])
    path.write_text(json.dumps({**json.loads(path.read_text()), "faults": [row]}))

    with pytest.raises(FaultUnknown):
        load_case(path)
