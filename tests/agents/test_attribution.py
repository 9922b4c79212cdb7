"""Signed attribution: an example by hand, and that the parts add up to the signal to the last digit."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from parley.agents.attribution import signed_parts
from parley.domain.views import AbstainReason, Abstention, Source, SourceView


def test_a_source_that_pulls_the_other_way_has_the_other_sign_as_by_hand():
    silent = Abstention(who="sentiment", reason=AbstainReason.NO_DATA)
    views = [
        SourceView(source=Source.TECHNICAL, scores={"AAA": 0.8, "BBB": 0.1}),
        SourceView(source=Source.MACRO, scores={"AAA": -0.2}),
        SourceView(source=Source.SENTIMENT, abstention=silent),
    ]

    assert signed_parts("AAA", views) == (0.3, {Source.TECHNICAL: 0.4, Source.MACRO: -0.1})
    assert signed_parts("CCC", views) == (None, {})


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(Source), st.floats(-1.0, 1.0)), min_size=1, max_size=7))
def test_the_parts_add_up_to_the_score_to_the_last_digit(said: list[tuple[Source, float]]):
    score, parts = signed_parts("AAA", [SourceView(source=source, scores={"AAA": value}) for source, value in said])

    assert score is not None and -1.0 <= score <= 1.0
    assert sum(Decimal(repr(part)) for part in parts.values()) == Decimal(repr(score))
    assert abs(score - sum(value for _, value in said) / len(said)) <= 1e-5


def test_six_views_at_the_top_do_not_round_past_it():
    score, parts = signed_parts("AAA", [SourceView(source=Source.TECHNICAL, scores={"AAA": 1.0})] * 6)

    # A sixth rounded up six times would come to 1.000002.
    assert score == parts[Source.TECHNICAL] == 0.999996
