"""How sources are judged: by what followed, and never before it was known."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.instruments import Instrument, Universe
from parley.domain.market import TextItem
from parley.market.cards import FINE_TICK, DataCard
from parley.market.history import History
from parley.market.panel import Panel
from parley.market.sessions import session_calendar
from parley.quant.arrays import FloatArray
from parley.tools.text_record import HORIZON_DAYS, TextRecord

CALENDAR = session_calendar("XNYS", date(2018, 1, 2), date(2019, 1, 1))
SYMBOLS = ("AAA", "BBB", "CCC")
N_DAYS = 40


class Encoder:
    """Reads `up` and `down`, and counts how often it is asked."""

    name, fingerprint = "by word", "f"
    card: dict[str, object] = {}
    read = 0

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        self.read += len(texts)
        return np.array([[float("down" in text), 0.0, float("up" in text)] for text in texts])


def item(
    ident: str, day: int, headline: str, source: str = "wire", symbol: str = "AAA", hours: float = -1.0
) -> TextItem:
    arrived = moment(day) + timedelta(hours=hours)
    return TextItem(id=ident, symbol=symbol, source=source, ts_event=arrived, available_at=arrived, headline=headline)


def moment(day: int) -> datetime:
    return CALENDAR.close_time(CALENDAR.days[day].item())


def history(items: Sequence[TextItem], close: FloatArray | None = None) -> History:
    """AAA rises by a percent a day, the others stand still."""
    if close is None:
        close = np.full((N_DAYS, 3), 100.0)
        close[:, 0] = 100.0 * 1.01 ** np.arange(N_DAYS)
    panel = Panel(symbols=SYMBOLS, sessions=CALENDAR.days[:N_DAYS], close_times=CALENDAR.closes[:N_DAYS], close=close)
    first, last = (CALENDAR.days[row].item() for row in (0, N_DAYS - 1))
    card = DataCard("made", "made", "seeded", "none", first, last, "daily", True, True, "none")
    instruments = tuple(Instrument(symbol=symbol, sector="s", tick=FINE_TICK) for symbol in SYMBOLS)
    return History(panel, Universe(name="made", instruments=instruments), card, items)


def test_a_call_counts_once_its_horizon_has_passed_and_not_a_close_before() -> None:
    made = history([item("1", 10, "up")])
    record = TextRecord(Encoder())

    calls = [record.sources(made.as_of(moment(day)))["wire"].calls for day in (10, 9 + HORIZON_DAYS, 10 + HORIZON_DAYS)]

    assert calls == [0, 0, 1]


def test_a_call_came_true_when_its_instrument_beat_the_others() -> None:
    texts = [item("1", 10, "up", "right"), item("2", 10, "down", "wrong"), item("3", 10, "down", "right", "BBB")]
    found = TextRecord(Encoder()).sources(history(texts).as_of(moment(30)))

    assert (found["right"].calls, found["right"].hits) == (2, 2)
    assert (found["wrong"].calls, found["wrong"].hits) == (1, 0)
    assert found["right"].weight > 1.0 > found["wrong"].weight


def test_many_texts_of_a_source_up_to_one_close_are_one_call_and_neutral_ones_none() -> None:
    texts = [item(str(n), 10, "up", hours=-1 - n) for n in range(5)] + [item("9", 12, "flat")]

    assert TextRecord(Encoder()).sources(history(texts).as_of(moment(30)))["wire"].calls == 1


def test_a_text_after_the_close_is_held_against_the_next_close() -> None:
    made = history([item("1", 10, "up", hours=1 / 3600)])
    at_the_close = history([item("1", 10, "up", hours=0.0)])

    assert TextRecord(Encoder()).sources(at_the_close.as_of(moment(10 + HORIZON_DAYS)))["wire"].calls == 1
    assert TextRecord(Encoder()).sources(made.as_of(moment(10 + HORIZON_DAYS)))["wire"].calls == 0
    assert TextRecord(Encoder()).sources(made.as_of(moment(11 + HORIZON_DAYS)))["wire"].calls == 1


def test_texts_are_read_once_whatever_is_asked_when() -> None:
    encoder = Encoder()
    record, made = TextRecord(encoder), history([item(str(n), n, "up") for n in range(20)])

    forward = [record.sources(made.as_of(moment(day))) for day in (15, 25, 35)]

    assert encoder.read == 20
    assert record.sources(made.as_of(moment(25))) == forward[1]


@settings(max_examples=20, deadline=None)
@given(st.integers(5, 34), st.integers(0, 10_000))
def test_nothing_after_a_moment_changes_what_was_known_at_it(day: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = ("up", "down", "flat")
    past = [item(f"p{n}", int(rng.integers(0, day + 1)), words[n % 3], f"s{n % 4}", SYMBOLS[n % 3]) for n in range(12)]
    later = [item(f"l{n}", int(rng.integers(day + 1, N_DAYS)), words[n % 3], f"s{n % 4}") for n in range(6)]
    close = 100.0 + rng.normal(0, 1, (N_DAYS, 3)).cumsum(axis=0)
    other = close.copy()
    other[day + 1 :] *= rng.uniform(0.5, 2.0, (N_DAYS - day - 1, 3))

    known = TextRecord(Encoder()).sources(history(past, close).as_of(moment(day)))

    assert TextRecord(Encoder()).sources(history([*past, *later], other).as_of(moment(day))) == known


def test_a_name_without_prices_makes_no_call() -> None:
    close = np.full((N_DAYS, 3), 100.0)
    close[:, 0] = np.nan
    close[:, 1] = np.linspace(100, 120, N_DAYS)
    texts = [item("1", 10, "up"), item("2", 10, "up", symbol="BBB")]

    found = TextRecord(Encoder()).sources(history(texts, close).as_of(moment(30)))["wire"]

    assert (found.calls, found.hits) == (1, 1)
    assert found.rate == pytest.approx((20 + 0.5 ** (15 / 126)) / (40 + 0.5 ** (15 / 126)))
