"""What a venue sees in one recorded session: quotes as recorded where they are, else drawn and marked synthetic."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from ..desk.desk import Desk
from ..domain.instruments import Instrument
from ..domain.market import Bar, Quote
from ..domain.sessions import day_of
from ..execution.venues.impact import Liquidity
from ..execution.venues.market_events import MarketEvent, Print, Tier
from ..market.intraday_paths import MIN_QUOTES, path_rng, synthetic_quotes
from ..market.order_books import instant
from ..market.panel import FloatArray
from ..market.recorded_sessions import RecordedSessions
from .recorded_tape import RecordedTape, in_turn, recorded_tape

VOL_DAYS = 63
MIN_VOL_FRAC = 1e-4


@dataclass(frozen=True, slots=True)
class Tape:
    """What the venue is told about one session: quotes in time order, and each name's liquidity."""

    quotes: tuple[Quote, ...]
    liquidity: dict[str, Liquidity]
    events: tuple[MarketEvent, ...] = ()
    """Depth and prints as they were recorded, where they were: what an exchange plays, and `quotes` are its clock."""
    tiers: Mapping[str, Tier] = field(default_factory=dict[str, Tier])
    """Of each symbol in `events`."""

    @property
    def prints(self) -> tuple[Print, ...]:
        """The trades of others that were recorded; our own orders never are among them."""
        return tuple(event for event in self.events if isinstance(event, Print))


def session_tape(desk: Desk, session: date, symbols: Iterable[str], seed: int) -> Tape:
    """The session as the world knew it; only the venue may see it, and only while the session runs."""
    recordings = desk.data.recordings
    if recordings is not None:
        return _played(recordings, desk, session, symbols)
    quotes: list[Quote] = []
    liquidity: dict[str, Liquidity] = {}
    for symbol in symbols:
        bar = _bar(desk, symbol, session)
        instrument = desk.data.universe.instrument(symbol)
        if bar is None or instrument is None:
            continue  # no bar, no market: a halted or vanished name cannot be traded today
        past = _past(desk, symbol, session)
        vol = _daily_vol(past) * _bars_in_span(desk) ** 0.5
        recorded = list(desk.data.recorded_quotes(symbol, session))
        previous = float(past[-1]) if len(past) else bar.close
        quotes += recorded or _drawn(desk, instrument, bar, previous, vol, session, seed)
        assumed = desk.ports.costs.assumed_daily_volume / bar.close
        volume, is_recorded = (assumed, False) if bar.volume is None else (bar.volume, True)
        liquidity[symbol] = Liquidity(instrument.tick, instrument.lot, vol, volume, is_recorded)
    return Tape(tuple(sorted(quotes, key=lambda quote: quote.ts_event)), liquidity)


def _played(recordings: RecordedSessions, desk: Desk, session: date, symbols: Iterable[str]) -> Tape:
    """What was recorded between the session's open and its close, of the symbols of which anything was."""
    opens_at, closes_at = desk.history.opening_time(session), desk.history.close_time(session)
    events: list[MarketEvent] = []
    quotes: list[Quote] = []
    found: dict[str, RecordedTape] = {}
    for symbol in symbols:
        recording = recordings.recording(symbol, day_of(session))
        if recording is None or recording.books is None:
            continue  # nobody showed a price: the name cannot be traded
        tape = found[symbol] = recorded_tape(recording, recordings.grid(symbol))
        happened, shown = tape.between(opens_at, closes_at)
        events += happened
        quotes += shown
    return Tape(
        tuple(sorted(quotes, key=lambda quote: quote.ts_event)),
        {symbol: tape.liquidity for symbol, tape in found.items()},
        tuple(in_turn(events)),
        {symbol: tape.tier for symbol, tape in found.items()},
    )


def _bar(desk: Desk, symbol: str, session: date) -> Bar | None:
    panel = desk.data.panel
    if panel.interval is None:
        return panel.bar(symbol, session)
    opens_at, closes_at = (at(session) for at in (desk.history.opening_time, desk.history.close_time))
    return panel.bar_between(symbol, instant(opens_at), instant(closes_at))


def _past(desk: Desk, symbol: str, session: date) -> FloatArray:
    """The last quarter's closes, or as many bars', known before the session opened."""
    view = desk.history.as_of(desk.history.close_time(session))
    column, before = desk.data.panel.column(symbol), len(view.close) - 1
    if view.interval is not None:
        before = int(np.searchsorted(view.close_times, instant(desk.history.opening_time(session)), side="right"))
    past = view.close[max(before - VOL_DAYS - 1, 0) : before, column]
    return past[np.isfinite(past)]


def _bars_in_span(desk: Desk) -> float:
    interval = desk.data.panel.interval
    return 1.0 if interval is None else interval.every_s / interval.bar_s


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


def _daily_vol(closes: FloatArray) -> float:
    """Standard deviation of the last quarter's daily returns, known before the session opened."""
    returns = closes[1:] / closes[:-1] - 1.0
    return max(MIN_VOL_FRAC, float(returns.std())) if len(returns) > 1 else MIN_VOL_FRAC
