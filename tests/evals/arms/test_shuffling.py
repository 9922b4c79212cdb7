"""Texts of another time: never of a later one, never younger than two weeks, in the hours of the real ones."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parley.domain.market import TextItem
from parley.evals.arms.shuffling import SHIFT, with_shuffled_texts
from parley.market.cards import DataSet

FIRST = datetime(2015, 6, 1, 12, tzinfo=UTC)


def texts(hours: list[tuple[str, int]]) -> tuple[TextItem, ...]:
    return tuple(
        TextItem(
            id=f"t{place}",
            symbol=symbol,
            source=f"s{place % 3}",
            ts_event=FIRST + timedelta(hours=hour),
            available_at=FIRST + timedelta(hours=hour),
            headline=f"headline {place}",
            body=f"body {place}",
        )
        for place, (symbol, hour) in enumerate(hours)
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["N0", "N1"]), st.integers(0, 2400)), max_size=60))
def test_what_a_text_says_was_out_two_weeks_before_about_the_same_name(
    market: DataSet, hours: list[tuple[str, int]]
) -> None:
    real = texts(hours)
    told = {item.headline: item for item in real}
    slots = {item.id: item for item in real}

    shuffled = with_shuffled_texts(replace(market, texts=real)).texts

    for item in shuffled:
        source, slot = told[item.headline], slots[item.id]
        assert source.available_at <= item.available_at - SHIFT
        assert (source.symbol, source.body) == (item.symbol, item.body)
        assert (slot.available_at, slot.symbol) == (item.available_at, item.symbol)
    assert len({item.headline for item in shuffled}) == len(shuffled)


def test_a_daily_text_is_that_of_two_weeks_before_and_the_first_two_weeks_fall_away(market: DataSet) -> None:
    real = texts([("N0", 24 * day) for day in range(40)])

    shuffled = with_shuffled_texts(replace(market, texts=real))

    assert [item.headline for item in shuffled.texts] == [f"headline {day}" for day in range(26)]
    assert [item.id for item in shuffled.texts] == [f"t{day}" for day in range(14, 40)]
    assert shuffled.card.notes[-1] == "texts shuffled: each 14 days old or older, 26 of 40 left"
