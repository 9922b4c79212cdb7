"""The quotes a venue sees in one recorded session: as recorded where they are, else drawn and marked synthetic."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from ..desk.desk import Desk
from ..domain.instruments import Instrument
from ..domain.market import Bar, Quote
from ..execution.venues.paper import Liquidity
from ..market.intraday_paths import MIN_QUOTES, path_rng, synthetic_quotes

VOL_DAYS = 63
MIN_VOL_FRAC = 1e-4


@dataclass(frozen=True, slots=True)
class Tape:
    """What the venue is told about one session: quotes in time order, and each name's liquidity."""

    quotes: tuple[Quote, ...]
    liquidity: dict[str, Liquidity]


def session_tape(desk: Desk, session: date, symbols: Iterable[str], seed: int) -> Tape:
    """The session as the world knew it; only the venue may see it, and only while the session runs."""
    view = desk.history.as_of(desk.history.close_time(session))
    quotes: list[Quote] = []
    liquidity: dict[str, Liquidity] = {}
    for symbol in symbols:
        bar = desk.data.panel.bar(symbol, session)
        instrument = desk.data.universe.instrument(symbol)
        if bar is None or instrument is None:
            continue  # no bar, no market: a halted or vanished name cannot be traded today
        past = view.close[-(VOL_DAYS + 2) : -1, desk.data.panel.column(symbol)]
        past = past[np.isfinite(past)]
        vol = _daily_vol(past)
        recorded = list(desk.data.recorded_quotes(symbol, session))
        previous = float(past[-1]) if len(past) else bar.close
        quotes += recorded or _drawn(desk, instrument, bar, previous, vol, session, seed)
        assumed = desk.ports.costs.assumed_daily_volume / bar.close
        volume, is_recorded = (assumed, False) if bar.volume is None else (bar.volume, True)
        liquidity[symbol] = Liquidity(instrument.tick, instrument.lot, vol, volume, is_recorded)
    return Tape(tuple(sorted(quotes, key=lambda quote: quote.ts_event)), liquidity)


def _drawn(
    desk: Desk, instrument: Instrument, bar: Bar, previous: float, vol: float, session: date, seed: int
) -> list[Quote]:
    costs = desk.ports.costs
    return synthetic_quotes(
        instrument,
        previous,
        bar,
        desk.history.opening_time(session),
        desk.history.close_time(session),
        n_quotes=max(MIN_QUOTES, costs.max_slices + 1),
        daily_vol_frac=vol,
        half_spread_frac=costs.half_spread_bps / 1e4,
        assumed_volume_usd=costs.assumed_daily_volume,
        rng=path_rng(seed, instrument.symbol, session),
    )


def _daily_vol(closes: npt.NDArray[np.float64]) -> float:
    """Standard deviation of the last quarter's daily returns, known before the session opened."""
    returns = closes[1:] / closes[:-1] - 1.0
    return max(MIN_VOL_FRAC, float(returns.std())) if len(returns) > 1 else MIN_VOL_FRAC
