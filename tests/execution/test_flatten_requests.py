"""The line of requests to sell: none is lost, each has its own end, and together they sell no less than each alone."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.execution.flatten_requests import FLATTEN_WAITS, FlattenAsked, FlattenLine, end_code, is_end

NAMES = ("AAA", "BBB", "CCC")
SOME = FlattenAsked(("AAA",), "ann", "news")
OTHERS = FlattenAsked(("BBB", "AAA"), "bob", "war")
ALL = FlattenAsked((), "daily_loss", "2 % are lost")
requests = st.builds(
    FlattenAsked,
    st.lists(st.sampled_from(NAMES), unique=True, max_size=3).map(tuple),
    st.sampled_from(["ann", "bob"]),
    st.just("news"),
    st.dictionaries(st.sampled_from(NAMES), st.integers(1, 9), max_size=3),
)


def line(*asked: FlattenAsked) -> FlattenLine:
    found = FlattenLine()
    for item in asked:
        found = found.with_request(item)
    return found


def test_one_request_alone_is_what_is_sold() -> None:
    assert FlattenLine().joined is None
    assert line(SOME).joined is SOME


def test_requests_of_names_are_joined_to_one_of_all_these_names() -> None:
    joined = line(SOME, OTHERS).joined

    assert joined is not None
    assert (joined.symbols, joined.by, joined.reason) == (("AAA", "BBB"), "ann, bob", "news; war")


def test_a_request_for_everything_swallows_the_names_of_others() -> None:
    for asked in (line(SOME, ALL), line(ALL, SOME)):
        assert asked.joined is not None
        assert asked.joined.sells_as(ALL)


def test_what_one_request_keeps_another_may_sell() -> None:
    keeping = replace(SOME, keep={"AAA": 100})

    def kept(*asked: FlattenAsked) -> object:
        found = line(*asked).joined
        return found and found.keep

    assert kept(keeping, replace(SOME, keep={"AAA": 40})) == {"AAA": 40}
    assert kept(keeping, SOME) == {}
    assert kept(keeping, ALL) == {}
    assert kept(keeping, FlattenAsked(("BBB",), "bob", "war")) == {"AAA": 100}


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_end_ends_the_request_at_its_place_and_no_other(place: int) -> None:
    three = (SOME, OTHERS, ALL)

    assert line(*three).after(end_code(place)).asked == three[:place] + three[place + 1 :]


def test_the_code_of_the_first_one_s_end_is_the_bare_one_and_others_end_nothing() -> None:
    assert [end_code(place) for place in range(3)] == ["flatten_ended", "flatten_ended 2", "flatten_ended 3"]
    assert not any(is_end(code) for code in ("flatten", "flatten_refused", FLATTEN_WAITS, "back: flatten_ended"))
    assert line(SOME).after(end_code(1)) == line(SOME)
    assert FlattenLine().after(end_code(0)) == FlattenLine()


def test_what_waits_is_not_due_again_before_the_next_session_and_then_once_more_only() -> None:
    waiting = line(SOME).after(FLATTEN_WAITS)

    assert (waiting.due, waiting.joined) == ((), None)
    later = waiting.with_request(ALL)
    assert later.due == (ALL,)
    assert later.after(end_code(1)).in_next_session().due == (replace(SOME, has_waited=True),)
    assert later.after(end_code(0)).due == (ALL,), "one that waits can be ended too"


@settings(max_examples=50, deadline=None)
@given(st.lists(requests, min_size=1, max_size=4), st.sampled_from(NAMES), st.integers(1, 20))
def test_joined_they_leave_of_each_name_what_the_strictest_of_them_leaves(
    asked: list[FlattenAsked], symbol: str, held: int
) -> None:
    def left_by(item: FlattenAsked) -> int:
        return min(held, item.keep.get(symbol, 0)) if item.covers(symbol) else held

    joined = line(*asked).joined

    assert joined is not None
    assert left_by(joined) == min(left_by(item) for item in asked)
