"""A line is shown only when its own facts bear it out; results are kept once, and no figure is a program's own."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.agents.grounding import WITHHELD
from parley.service.answers.answer import Kind, Rows
from parley.service.answers.draft import Draft, Piece, num, quote, when
from parley.service.answers.kept import Kept
from parley.service.answers.proof import faults, moment_text
from parley.service.pages.errors import ReportError


def a_draft() -> Draft:
    return Draft("test", {})


def test_a_line_of_facts_is_shown_and_its_sources_are_cited() -> None:
    draft = a_draft()
    found = draft.derive(
        "figures", {"loss": 0.0123, "cash": "-1234.5", "at": "2020-03-09T20:00:00Z", "id": "o-77 of 2"}
    )
    draft.say(
        "{}, {}, {}, {}", num(found["loss"], "frac"), num(found["cash"], "usd"), when(found["at"]), quote(found["id"])
    )

    answer = draft.answer(Kind.NUMBER)

    assert answer.lines == ("1.23%, -1,234.50 USD, 2020-03-09 20:00 UTC, o-77 of 2",)
    assert len(answer.citations) == 4
    assert faults(answer) == []


@pytest.mark.parametrize("wrong", ["1.24%", "-1.23%", "123%", "0.0123 and 7"])
def test_a_figure_that_its_fact_does_not_bear_out_withholds_the_line(wrong: str) -> None:
    draft = a_draft()
    found = draft.derive("figures", {"loss": 0.0123})
    draft.say("A loss of {}", Piece(wrong, found["loss"].ref))

    answer = draft.answer(Kind.NUMBER)

    assert answer.lines == (WITHHELD,)
    assert faults(answer) == ["a line was withheld"]


def test_a_figure_is_not_borne_out_by_the_fact_of_another_line() -> None:
    draft = a_draft()
    found = draft.derive("figures", {"one": 1.5, "two": 2.5})
    draft.say("{}", num(found["one"]))
    draft.say("{}", Piece("1.500", found["two"].ref))

    assert draft.answer(Kind.NUMBER).lines == ("1.500", WITHHELD)


def test_a_source_that_leads_nowhere_withholds_the_line() -> None:
    draft = a_draft()
    draft.say("{}", Piece("7", "nowhere#/output"))

    assert draft.answer(Kind.NUMBER).lines == (WITHHELD,)


def test_digits_in_a_program_s_own_words_and_a_thirteenth_line_are_errors() -> None:
    draft = a_draft()

    with pytest.raises(ReportError, match="no source"):
        draft.say("about 7 of them")
    with pytest.raises(ReportError, match="no source"):
        draft.say("{}", "about 7 of them")
    for _ in range(12):
        draft.say("a line")
    with pytest.raises(ReportError, match="more than"):
        draft.say("one more")


def test_a_changed_cell_an_unsourced_one_and_a_foreign_chart_are_noticed() -> None:
    draft = a_draft()
    found = draft.derive("rows", [{"name": "AAPL", "weight": 0.25}])
    draft.say("A table")
    draft.table({"symbol": ("text", "name"), "weight": ("frac", "weight")}, found.rows())
    answer = draft.answer(Kind.TABLE)
    assert answer.rows is not None
    assert faults(answer) == []

    changed = replace(answer.rows, rows=(("AAPL", 0.26),))
    loose = Rows(("n",), ("num",), ((7,),), (("",),))

    assert faults(replace(answer, rows=changed))
    assert faults(replace(answer, rows=loose))
    assert faults(replace(answer, chart={"title": "made up"}))


@given(
    st.floats(-1e9, 1e9), st.sampled_from(["frac", "bps", "usd", "cash", "price", "count", "num", "ratio", "multiple"])
)
@settings(max_examples=60, deadline=None)
def test_whatever_figure_is_said_in_whatever_unit_it_proves(value: float, unit: str) -> None:
    draft = a_draft()
    found = draft.derive("value", {"value": value})
    draft.say("It is {}.", num(found["value"], unit, sign=True))

    assert faults(draft.answer(Kind.NUMBER)) == []


def test_a_moment_of_another_zone_is_told_in_utc() -> None:
    assert moment_text("2013-10-08T10:30:00-04:00") == "2013-10-08 14:30 UTC"
    assert moment_text("2024-08-08T23:58:30Z") == "2024-08-08 23:58:30 UTC"
    assert moment_text("2013-10-08") == "2013-10-08"
    assert moment_text("not a moment at all") == "not a moment at all"


def test_what_many_ask_at_once_is_worked_out_once_and_what_failed_is_tried_again() -> None:
    kept, worked, start = Kept(most=3), list[int](), Barrier(8)

    def compute() -> int:
        worked.append(1)
        sum(range(3_000_000))  # long enough for the others to be waiting
        return len(worked)

    def asked(_: int) -> int:
        start.wait()
        return kept.once(("key",), compute)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(asked, range(8))) == {1}
    assert len(worked) == 1

    with pytest.raises(ZeroDivisionError):
        kept.once(("bad",), lambda: 1 // 0)
    assert kept.once(("bad",), lambda: 5) == 5


def test_the_oldest_results_make_room() -> None:
    kept = Kept(most=2)
    for name in ("a", "b", "c"):
        kept.once((name,), lambda: 1)

    assert kept.once(("a",), lambda: 2) == 2
    assert kept.once(("c",), lambda: 2) == 1
