"""Stretches of time in one state: they cover all days, change where something changed, and draw to full width."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.service.api.errors import BadCall
from parley.service.web.lists import choice_of, place_of, symbol_of
from parley.service.web.spells import Spell, spells_of, strip

LABELS = ("calm", "stressed", "crisis")
DAYS = [f"2020-03-{day:02}" for day in range(1, 31)]


def test_a_change_holds_from_its_own_day_on() -> None:
    changes = [("2020-03-02T20:00:00+00:00", "crisis"), ("2020-03-04T20:00:00+00:00", "calm")]

    found = spells_of(DAYS[:5], "calm", changes)

    assert found == [
        Spell("calm", "2020-03-01", "2020-03-01", 1),
        Spell("crisis", "2020-03-02", "2020-03-03", 2),
        Spell("calm", "2020-03-04", "2020-03-05", 2),
    ]


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 30), st.lists(st.tuples(st.integers(1, 30), st.sampled_from(LABELS)), max_size=12))
def test_spells_cover_every_day_once_and_neighbors_differ(count: int, changes: list[tuple[int, str]]) -> None:
    days = DAYS[:count]
    told = [(f"2020-03-{day:02}T20:00:00+00:00", label) for day, label in sorted(changes, key=lambda item: item[0])]

    found = spells_of(days, "calm", told)
    drawn = str(strip("Regimes", days, found, {"calm": "good"}))

    assert sum(spell.sessions for spell in found) == count
    assert found[0].first == days[0] and found[-1].last == days[-1]
    assert all(a.label != b.label and a.last < b.first for a, b in pairwise(found))
    assert found[-1].label == next((label for at, label in reversed(told) if at[:10] <= days[-1]), "calm")
    widths = [float(width) for width in re.findall(r'width="([0-9.]+)%" height="28"', drawn)]
    assert len(widths) == len(found) and sum(widths) == pytest.approx(100.0, abs=0.5)


def test_a_label_from_outside_is_escaped_in_the_strip() -> None:
    drawn = str(strip("<b>", DAYS[:1], [Spell("<script>", "2020-03-01", "2020-03-01", 1)], {}))

    assert "<script>" not in drawn and "<b>" not in drawn and "&lt;script&gt;" in drawn


def test_an_address_may_ask_for_what_a_list_knows() -> None:
    query = {"show": "trade", "symbol": " brk/b ", "before": "17"}

    assert choice_of(query, "show", ("all", "trade"), "all") == "trade"
    assert choice_of({}, "show", ("all", "trade"), "all") == "all"
    assert symbol_of(query) == "BRK/B" and symbol_of({}) is None
    assert place_of(query) == 17 and place_of({"before": ""}) is None


@pytest.mark.parametrize("query", [{"show": "<b>"}, {"symbol": "a b"}, {"symbol": "x" * 25}, {"before": "-1"}])
@pytest.mark.parametrize("before", ["1e3", "٣", "99999999999999999"])
def test_what_no_list_has_is_refused(query: dict[str, str], before: str) -> None:
    with pytest.raises(BadCall):
        place_of({"before": before})
    with pytest.raises(BadCall):
        choice_of(query, "show", ("all",), "all")
        symbol_of(query)
        place_of(query)
