"""Look-ahead: whatever the future is replaced by, nothing at or before the cut may move; planted peeks are found."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parley.domain.events import Event
from parley.domain.market import TextItem
from parley.evals.look_ahead import garbled_after, look_ahead_difference
from parley.market.cards import DataSet
from parley.market.datasets import load_data
from parley.market.history import History, MarketView
from parley.market.texts import TextLog

from .rehearsal_kit import rehearse

News = Callable[[DataSet, int], tuple[TextItem, ...]]


def last_days(data: DataSet, count: int) -> tuple[date, ...]:
    return data.history().sessions_between()[-count:]


def play_last_six(data: DataSet) -> tuple[Event, ...]:
    return rehearse(data, last_days(data, 6))


@pytest.mark.parametrize("cut", [-6, -4, -2])
def test_no_fact_at_or_before_the_cut_depends_on_the_future(market: DataSet, news: News, cut: int) -> None:
    data = replace(market, texts=news(market, 10))

    assert look_ahead_difference(play_last_six, data, last_days(data, 10)[cut]) is None


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 4), seed=st.integers(0, 2**32 - 1))
def test_no_future_of_any_kind_reaches_a_decision(market: DataSet, cut: int, seed: int) -> None:
    assert look_ahead_difference(play_last_six, market, last_days(market, 6)[cut], seed=seed) is None


@pytest.mark.slow
def test_no_decision_on_thirty_years_of_stocks_depends_on_the_days_after_it() -> None:
    us20 = load_data("us20")
    history = us20.history()
    days = history.sessions_between(date(2020, 2, 26), date(2020, 3, 3))

    assert look_ahead_difference(lambda data: rehearse(data, days), us20, date(2020, 3, 2)) is None


class PeekingHistory(History):
    """Hands out one bar more than was known."""

    def as_of(self, moment: datetime) -> MarketView:
        return replace(super().as_of(moment + timedelta(days=1)), as_of=moment)


class PeekingData(DataSet):
    def history(self) -> History:
        return PeekingHistory(self.panel, self.universe, self.card, self.texts)


def test_a_history_that_hands_out_one_bar_too_many_is_caught(market: DataSet) -> None:
    peeking = PeekingData(market.card, market.panel, market.universe)
    wednesday = next(day for day in last_days(market, 6)[1:] if day.weekday() == 2)

    leak = look_ahead_difference(play_last_six, peeking, wednesday)

    assert leak is not None
    assert leak.kind == "PortfolioMarked"


def test_a_feature_scaled_by_the_whole_sample_is_caught(market: DataSet) -> None:
    def play(data: DataSet) -> tuple[Event, ...]:
        close = data.panel.close
        return play_last_six(replace(data, panel=replace(data.panel, close=40.0 * close / close.mean(axis=0))))

    leak = look_ahead_difference(play, market, last_days(market, 6)[3])

    assert leak is not None
    assert leak.place <= 3  # the first close of the run, marked or decided on


def test_a_text_read_before_it_arrived_is_caught(market: DataSet, news: News, monkeypatch: pytest.MonkeyPatch) -> None:
    data = replace(market, texts=news(market, 10))
    honest = TextLog.as_of

    def tomorrow(self: TextLog, moment: datetime, *rest: Any) -> tuple[TextItem, ...]:
        return honest(self, moment + timedelta(days=1), *rest)

    monkeypatch.setattr(TextLog, "as_of", tomorrow)
    tuesday = next(day for day in last_days(market, 6)[1:] if day.weekday() == 1)

    assert look_ahead_difference(play_last_six, data, tuesday) is not None


def test_garbling_leaves_every_known_value_and_changes_every_later_one(market: DataSet, news: News) -> None:
    data = replace(market, texts=news(market, 4))
    cut = last_days(data, 3)[0]

    garbled = garbled_after(data, cut, np.random.default_rng(1))

    for name in ("close", "open", "high", "low", "volume"):
        before, after = getattr(data.panel, name), getattr(garbled.panel, name)
        assert (before[:-2] == after[:-2]).all()
        assert (before[-2:] != after[-2:]).all()
    assert garbled.panel.low is not None
    assert (garbled.panel.low <= garbled.panel.close).all()
    assert [item.headline == "garbled" for item in garbled.texts] == [False, False, True, True]
