"""The mask: other names, dates and prices, the same returns; undone again, the same legs."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from parley.domain.market import TextItem
from parley.evals.arms.errors import ArmImpossible
from parley.evals.arms.masking import SHIFT_WEEKS, masked
from parley.gate.limits import load_limits
from parley.market.cards import DataSet
from parley.market.datasets import load_data
from parley.market.sessions import session_calendar

News = Callable[[DataSet, int], tuple[TextItem, ...]]


def test_returns_and_money_traded_are_the_same_to_the_last_bit(market: DataSet) -> None:
    hidden, _ = masked(market, 3)

    before, after = market.panel.close, hidden.panel.close
    assert np.array_equal(before[1:] / before[:-1], after[1:] / after[:-1])
    assert (before != after).all()
    assert market.panel.volume is not None
    assert hidden.panel.volume is not None
    assert np.array_equal(market.panel.volume * before, hidden.panel.volume * after)


def test_no_name_and_no_day_is_left(market: DataSet, news: News) -> None:
    data = replace(market, texts=news(market, 20))

    hidden, _ = masked(data, 3)

    shown = " ".join([*hidden.panel.symbols, *hidden.universe.symbols, *(item.headline for item in hidden.texts)])
    assert not re.search(r"\bN\d\b", shown)
    assert not set(hidden.panel.sessions.tolist()) & set(data.panel.sessions.tolist())


def test_days_are_consecutive_sessions_of_the_exchange_whole_weeks_before() -> None:
    data = load_data("us20")

    hidden, mask = masked(data, 3)

    days = hidden.panel.sessions
    calendar = session_calendar("XNYS", days[0].item(), days[-1].item())
    rows = calendar.rows_of(days)
    assert (np.diff(rows) == 1).all()
    assert (hidden.panel.close_times == calendar.closes[rows]).all()
    first = data.panel.sessions[0].item()
    assert timedelta(0) <= mask.sessions[first] - (first - timedelta(weeks=SHIFT_WEEKS)) <= timedelta(days=4)


def test_a_text_is_first_known_at_the_same_close_as_before(market: DataSet, news: News) -> None:
    late = [
        item.model_copy(update={"id": f"late-{item.id}", "available_at": item.available_at + timedelta(hours=30)})
        for item in news(market, 60)
    ]
    data = replace(market, texts=tuple(late))

    hidden, _ = masked(data, 3)

    def rows(known: DataSet) -> list[int]:
        moments = [np.datetime64(item.available_at.astimezone(UTC).replace(tzinfo=None)) for item in known.texts]
        return np.searchsorted(known.panel.close_times, np.array(moments, dtype="datetime64[s]")).tolist()

    assert rows(hidden) == [row for row in rows(data) if row < len(data.panel.close_times)]


def test_a_text_from_after_the_last_close_falls_away(market: DataSet) -> None:
    last = datetime(2030, 1, 1, tzinfo=UTC)
    item = TextItem(id="x", symbol="N0", source="wire", ts_event=last, available_at=last, headline="N0 wins")

    assert masked(replace(market, texts=(item,)), 3)[0].texts == ()


def test_legs_are_given_back_in_real_names_and_shares(market: DataSet) -> None:
    _, mask = masked(market, 3)
    real = {"N1": 8_000, "N4": -16_000}

    told = {mask.symbols[name]: round(quantity / mask.factors[name]) for name, quantity in real.items()}

    assert mask.unmasked(told) == real


def test_limits_by_name_follow_the_names(market: DataSet) -> None:
    _, mask = masked(market, 3)
    limits = load_limits().tighten(restricted_symbols=["N2"])

    assert mask.limits(limits).restricted_symbols == (mask.symbols["N2"],)
    assert mask.limits(load_limits()) == load_limits()


def test_another_seed_is_another_mask(market: DataSet) -> None:
    assert masked(market, 3)[1].factors == masked(market, 3)[1].factors
    assert masked(market, 3)[1].factors != masked(market, 4)[1].factors


def test_recordings_within_the_day_are_refused_with_a_way_out(market: DataSet) -> None:
    action = pytest.importorskip("parley.market.corporate_actions")
    torn = replace(market, actions=(object.__new__(action.CorporateAction),))

    with pytest.raises(ArmImpossible, match="real prices"):
        masked(torn, 3)
