"""Synthetic quotes: what they must respect, and the shape they must have."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from parley.domain.instruments import Instrument
from parley.domain.market import Bar, Quote
from parley.market.cards import DataSet
from parley.market.errors import PathInputError
from parley.market.intraday_paths import (
    HALF_HOUR_VOL_BP,
    HALF_HOUR_VOLUME_SHARE,
    path_rng,
    synthetic_quotes,
)

OPEN = datetime(2020, 1, 2, 14, 30, tzinfo=UTC)
CLOSE = datetime(2020, 1, 2, 21, 0, tzinfo=UTC)
FINE = Instrument(symbol="AAA", tick=Decimal("0.000001"))
CENT = Instrument(symbol="AAA", tick=Decimal("0.01"))


def bar(close: float, **rest: float) -> Bar:
    return Bar("AAA", CLOSE, CLOSE, close, **rest)


def draw(
    day: Bar, instrument: Instrument = FINE, previous: float = 100.0, seed: int = 0, **changes: Any
) -> list[Quote]:
    options: dict[str, Any] = {
        "n_quotes": 14,
        "daily_vol_frac": 0.02,
        "half_spread_frac": 0.0002,
        "assumed_volume_usd": 1e8,
        **changes,
    }
    rng = path_rng(seed, instrument.symbol, date(2020, 1, 2))
    return synthetic_quotes(instrument, previous, day, OPEN, CLOSE, rng=rng, **options)


def on_grid(price: float, instrument: Instrument) -> Decimal:
    return instrument.tick * round(price / float(instrument.tick))


prices = st.floats(5.0, 500.0)


@settings(max_examples=50, deadline=None)
@given(
    corners=st.tuples(prices, prices, prices, prices),
    instrument=st.sampled_from([FINE, CENT]),
    n_quotes=st.integers(4, 60),
    vol=st.floats(0.0, 0.5),
    seed=st.integers(0, 10_000),
)
def test_a_full_bar_is_touched_and_never_left(
    corners: tuple[float, ...], instrument: Instrument, n_quotes: int, vol: float, seed: int
) -> None:
    low, first, last, high = sorted(corners)
    day = bar(last, open=first, high=high, low=low, volume=1e6)

    quotes = draw(day, instrument, seed=seed, n_quotes=n_quotes, daily_vol_frac=vol)
    mids = [quote.mid for quote in quotes]

    assert mids[0] == on_grid(first, instrument)
    assert mids[-1] == on_grid(last, instrument)
    assert max(mids) == on_grid(high, instrument)
    assert min(mids) == on_grid(low, instrument)


@settings(max_examples=50, deadline=None)
@given(close=prices, previous=prices, half=st.floats(0.0, 0.1), vol=st.floats(0.0, 0.2), seed=st.integers(0, 10_000))
def test_a_close_only_day_ends_at_its_close_with_sound_quotes(
    close: float, previous: float, half: float, vol: float, seed: int
) -> None:
    quotes = draw(bar(close), CENT, previous, seed, half_spread_frac=half, daily_vol_frac=vol)
    times = [quote.ts_event for quote in quotes]

    assert quotes[-1].mid == on_grid(close, CENT)
    assert (times[0], times[-1]) == (OPEN, CLOSE) and times == sorted(times)
    assert len({after - before for before, after in pairwise(times)}) == 1
    for quote in quotes:
        assert quote.synthetic
        assert 0 < quote.bid < quote.ask
        assert quote.bid % CENT.tick == 0 and quote.ask % CENT.tick == 0
        assert min(quote.bid_size, quote.ask_size) >= 0


@settings(max_examples=50, deadline=None)
@given(corners=st.tuples(prices, prices, prices), known=st.sampled_from(["high", "low"]), seed=st.integers(0, 1000))
def test_one_known_bound_is_touched_and_never_passed(corners: tuple[float, ...], known: str, seed: int) -> None:
    low, close, high = sorted(corners)
    assume(high - low > 0.1)
    bound = high if known == "high" else low

    mids = [quote.mid for quote in draw(bar(close, **{known: bound}), previous=close, seed=seed)]

    assert (max(mids) if known == "high" else min(mids)) == on_grid(bound, FINE)


def test_a_range_that_does_not_hold_the_close_gives_way_to_it() -> None:
    mids = [quote.mid for quote in draw(bar(100.0, open=99.0, high=99.5, low=98.5))]

    assert mids[-1] == max(mids) == Decimal(100)
    assert min(mids) == Decimal("98.5")


def test_a_day_that_did_not_move_stays_where_it_was() -> None:
    mids = {quote.mid for quote in draw(bar(100.0, open=100.0, high=100.0, low=100.0))}

    assert mids == {Decimal(100)}


def test_the_same_seed_symbol_and_session_give_the_same_quotes() -> None:
    day = bar(101.0, open=100.0, high=103.0, low=99.0, volume=1e6)

    assert draw(day, seed=7) == draw(day, seed=7)
    assert draw(day, seed=7) != draw(day, seed=8)


def test_streams_of_other_symbols_and_sessions_are_different_and_fixed_forever() -> None:
    first = path_rng(1, "AAPL", date(2020, 1, 2)).integers(0, 2**32)

    assert first == path_rng(1, "AAPL", date(2020, 1, 2)).integers(0, 2**32)
    assert len({path_rng(1, symbol, date(2020, 1, day)).integers(0, 2**32) for symbol in "AB" for day in (2, 3)}) == 4
    # Recorded once: a change of the hash or of the generator would change every recorded run.
    assert first == 453_831_070


def test_the_volatility_of_half_hours_has_the_measured_u_shape() -> None:
    rng = np.random.default_rng(5)
    steps = []
    for _ in range(2000):
        quotes = synthetic_quotes(
            FINE, 100.0, bar(100.0 * np.exp(rng.normal(0, 0.016)), open=100.0), OPEN, CLOSE,
            n_quotes=14, daily_vol_frac=0.02, half_spread_frac=0.0, assumed_volume_usd=1e8, rng=rng,
        )  # fmt: skip
        steps.append(np.diff(np.log([float(quote.mid) for quote in quotes])))

    measured = np.std(steps, axis=0)
    expected = np.array(HALF_HOUR_VOL_BP)

    # 2,000 days give a standard deviation to within 1.6 % (one sigma).
    assert measured / measured.mean() == pytest.approx(expected / expected.mean(), rel=0.08)


def test_free_days_scatter_with_the_volatility_asked_for() -> None:
    rng = np.random.default_rng(6)
    middles = []
    for _ in range(2000):
        quotes = synthetic_quotes(
            FINE, 100.0, bar(100.0), OPEN, CLOSE,
            n_quotes=14, daily_vol_frac=0.02, half_spread_frac=0.0, assumed_volume_usd=1e8, rng=rng,
        )  # fmt: skip
        middles.append(np.log(float(quotes[7].mid) / 100))

    # A Brownian bridge at share t of its variance has variance t (1 - t) vol^2; the night is 0.35 of it.
    shares = np.cumsum(np.square(HALF_HOUR_VOL_BP)) / np.sum(np.square(HALF_HOUR_VOL_BP))
    passed = 0.35 + 0.65 * shares[6]
    assert np.std(middles) == pytest.approx(0.02 * np.sqrt(passed * (1 - passed)), rel=0.08)


def test_sizes_share_out_the_recorded_volume_in_the_measured_u_shape() -> None:
    quotes = draw(bar(100.0, volume=1e7), n_quotes=14)
    shown = np.array([quote.bid_size + quote.ask_size for quote in quotes])

    assert shown.sum() == pytest.approx(1e7, rel=1e-4)
    # The first and the last quote stand for half an interval each, the second for the half hours around it.
    assert shown[0] == pytest.approx(1e7 * HALF_HOUR_VOLUME_SHARE[0] / 2, rel=1e-4)
    assert shown[1] == pytest.approx(1e7 * sum(HALF_HOUR_VOLUME_SHARE[:2]) / 2, rel=1e-4)
    assert shown[-1] == pytest.approx(1e7 * HALF_HOUR_VOLUME_SHARE[-1] / 2, rel=1e-4)
    assert all(0.24 < quote.bid_size / (quote.bid_size + quote.ask_size) < 0.76 for quote in quotes)


def test_a_close_only_day_shows_the_assumed_volume_in_whole_lots() -> None:
    lots = Instrument(symbol="AAA", tick=Decimal("0.01"), lot=100)
    quotes = draw(bar(50.0), lots, previous=50.0, assumed_volume_usd=5e7)

    assert sum(quote.bid_size + quote.ask_size for quote in quotes) == pytest.approx(1e6, rel=0.003)
    assert all(quote.bid_size % 100 == 0 and quote.ask_size % 100 == 0 for quote in quotes)


def test_a_day_without_volume_shows_no_size() -> None:
    assert {quote.bid_size + quote.ask_size for quote in draw(bar(100.0, volume=0.0))} == {0}


def test_an_early_close_has_its_own_u_shape() -> None:
    rng = path_rng(0, "AAA", date(2020, 11, 27))
    early = OPEN + timedelta(hours=3, minutes=30)
    quotes = synthetic_quotes(
        FINE, 100.0, bar(101.0), OPEN, early,
        n_quotes=8, daily_vol_frac=0.02, half_spread_frac=0.0, assumed_volume_usd=1e8, rng=rng,
    )  # fmt: skip
    shown = [quote.bid_size + quote.ask_size for quote in quotes]

    assert quotes[-1].ts_event == early
    assert shown[1] > shown[3] < shown[-2]


def test_back_adjusted_prices_of_1990_keep_their_returns(us20: DataSet) -> None:
    apple = us20.universe.instruments[0]
    day = us20.panel.bar("AAPL", date(1990, 1, 3))
    assert day is not None

    last = draw(day, apple, previous=0.264, half_spread_frac=0.0005)[-1]

    assert last.mid == Decimal("0.266")
    assert float(last.ask - last.bid) / 0.266 == pytest.approx(0.001, rel=0.01)


@pytest.mark.parametrize(
    ("day", "changes", "message"),
    [
        (bar(float("nan")), {}, "close is nan"),
        (bar(100.0, high=0.0), {}, "high is 0.0"),
        (bar(100.0), {"previous": -1.0}, "previous close is -1.0"),
        (bar(100.0), {"n_quotes": 3}, "3 quotes a day, expected at least 4"),
        (bar(100.0), {"daily_vol_frac": float("nan")}, "daily volatility is nan"),
        (bar(100.0), {"daily_vol_frac": -0.1}, "daily volatility is -0.1"),
        (bar(100.0), {"half_spread_frac": 0.5}, "half spread is 0.5"),
        (bar(100.0), {"assumed_volume_usd": float("inf")}, "assumed volume is inf"),
        (bar(0.01), {"instrument": CENT, "previous": 0.01}, "too few for a bid above zero"),
    ],
)
def test_a_day_that_cannot_be_drawn_is_refused(day: Bar, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(PathInputError, match=message):
        draw(day, **changes)


def test_a_session_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(PathInputError, match="the session lasts"):
        synthetic_quotes(
            FINE, 100.0, bar(100.0), CLOSE, OPEN,
            n_quotes=14, daily_vol_frac=0.02, half_spread_frac=0.0, assumed_volume_usd=1e8,
            rng=np.random.default_rng(0),
        )  # fmt: skip
