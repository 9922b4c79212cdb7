"""Worlds in which nothing can be known: prices that walk at random without drift, and headlines that mean nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np

from ...domain.instruments import AssetClass, Instrument, Universe
from ...domain.market import TextItem
from ...market.cards import CENT_TICK, DataCard, DataSet
from ...market.panel import Panel
from ...market.sessions import session_calendar

DAILY_VOL, MARKET_VOL = 0.012, 0.008
START_PRICE, SHARES_A_DAY = 50.0, 4_000_000.0
FIRST_DAY, LAST_DAY = date(2010, 1, 4), date(2016, 12, 30)
NOON = 17
"""The hour, in UTC, at which a made headline arrives: noon in New York."""


def random_walk(n_names: int, n_days: int, seed: int, *, is_mirrored: bool = False) -> DataSet:
    """Closes of names whose price tomorrow is expected to be today's: a common and an own part, no drift in either.

    The mirrored world has every return with the other sign. It is as likely, and what merely holding came to in one
    of the two is lost again in the other: their mean tells of skill, and of leaks, at a fraction of the noise.
    """
    rng = np.random.default_rng([seed, n_names, n_days])
    calendar = session_calendar("XNYS", FIRST_DAY, LAST_DAY)
    sign = -1.0 if is_mirrored else 1.0
    market = sign * rng.normal(0.0, MARKET_VOL, (n_days, 1))
    returns = market + sign * rng.normal(0.0, DAILY_VOL, (n_days, n_names))
    close = (START_PRICE * np.cumprod(1.0 + returns, axis=0)).astype(np.float64)
    index = (1000.0 * np.cumprod(1.0 + market[:, 0])).astype(np.float64)
    symbols = tuple(f"W{column:02d}" for column in range(n_names))
    panel = Panel(
        symbols=symbols,
        sessions=calendar.days[:n_days],
        close_times=calendar.closes[:n_days],
        close=close,
        volume=np.full(close.shape, SHARES_A_DAY),
        benchmark=index,
        benchmark_name="INDEX",
    )
    card = DataCard(
        name=f"random-walk-{seed}{'-mirrored' if is_mirrored else ''}",
        title="Made prices that walk at random without drift",
        source="drawn",
        license="none needed",
        first_session=panel.sessions[0].item(),
        last_session=panel.sessions[-1].item(),
        frequency="daily",
        close_only=False,
        adjusted=True,
        survivorship="none: every name lives through all days",
    )
    instruments = tuple(
        Instrument(symbol=symbol, asset_class=AssetClass.STOCK, sector=f"S{place % 2}", tick=CENT_TICK)
        for place, symbol in enumerate(symbols)
    )
    return DataSet(card, panel, Universe(name=card.name, instruments=instruments, benchmark="INDEX"))


def with_headlines(data: DataSet, days: Sequence[date]) -> DataSet:
    """The data set with a made headline for one of its names on each of these days, in the place of its texts."""
    symbols = data.panel.symbols
    texts = [
        TextItem(
            id=f"made-{day}",
            symbol=symbols[place % len(symbols)],
            source="made",
            ts_event=(arrival := datetime(day.year, day.month, day.day, NOON, tzinfo=UTC)),
            available_at=arrival,
            headline=f"{symbols[place % len(symbols)]} beats estimates, says nobody on {day}",
        )
        for place, day in enumerate(days)
    ]
    return replace(data, texts=tuple(texts))
