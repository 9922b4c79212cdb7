"""The words for what fills rest on and for the venues they were simulated on."""

import pytest
from parley.evals.fidelity import fidelity_text, venue_kind, venue_text

MATCHES, PLAYS = "an exchange that matches by price and time", "an exchange that plays what was recorded"


@pytest.mark.parametrize(
    ("counts", "is_recorded", "kind", "text"),
    [
        ({}, False, "a paper venue", "a paper venue"),
        ({}, True, PLAYS, PLAYS),
        ({"paper": 3}, True, "a paper venue", "a paper venue"),
        ({"exchange": 3}, False, MATCHES, MATCHES),
        ({"exchange": 3}, True, PLAYS, PLAYS),
        ({"lit": 3}, False, "an exchange behind a router", "the exchange lit behind a router"),
        (
            {"dark": 1200, "lit": 3},
            False,
            "exchanges behind a router",
            "2 exchanges behind a router (dark 1,200, lit 3)",
        ),
    ],
)
def test_a_venue_is_told_by_its_kind_and_of_several_by_name(
    counts: dict[str, int], is_recorded: bool, kind: str, text: str
) -> None:
    assert venue_kind(counts, is_recorded=is_recorded) == kind
    assert venue_text(counts, is_recorded=is_recorded) == text


def test_fills_are_told_by_tier_with_what_it_means() -> None:
    said = fidelity_text({"T0 synthetic": 1636, "T2 recorded": 1})

    assert said == "1,636 at T0 (bars) on synthetic paths, 1 at T2 (depth) on recorded paths"
