"""How volume and spreads run through a session: measured where intraday rows were recorded, else assumed."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from ..market.cards import DataSet
from ..market.intraday_files import MICROSECONDS, RecordedQuotes
from ..market.intraday_paths import HALF_HOUR_VOLUME_SHARE
from ..quant.schedules import volume_curve

FloatArray = npt.NDArray[np.float64]

SESSION_MINUTES = 390
"""A regular session of the exchange; a session that closes early is planned as if it did not."""


@dataclass(frozen=True, slots=True)
class SessionShape:
    """A usual session of one instrument."""

    volume_shares: FloatArray
    """(n_parts,) share of the day's volume in equal parts of the session, summing to 1."""
    n_sessions: int
    """Recorded sessions behind it; 0 where the usual shape of large stocks is assumed."""
    spread_mean_frac: float | None = None
    """Of the last recorded session, (ask - bid) / mid; None where no quotes were recorded."""
    spread_std_frac: float | None = None

    def window(self, horizon_minutes: int, n_slices: int) -> FloatArray:
        """(n_slices,) share of the day's volume in equal slices of the first `horizon_minutes`."""
        passed = np.append(0.0, np.cumsum(self.volume_shares))
        edges = np.linspace(0.0, horizon_minutes / SESSION_MINUTES, n_slices + 1)
        return np.diff(np.interp(edges, np.linspace(0.0, 1.0, len(passed)), passed))


def session_shape(data: DataSet, symbol: str, session: date) -> SessionShape:
    """The shape known at a session's close, from that session and those before it."""
    recorded = data.recorded
    volumes = None if recorded is None else _minute_volumes(recorded, symbol, session)
    if recorded is None or volumes is None:
        return SessionShape(np.array(HALF_HOUR_VOLUME_SHARE) / sum(HALF_HOUR_VOLUME_SHARE), 0)
    quotes = list(recorded.quotes(symbol, session))
    spreads = np.array([float((quote.ask - quote.bid) / quote.mid) for quote in quotes])
    mean, std = (float(spreads.mean()), float(spreads.std())) if len(spreads) else (None, None)
    return SessionShape(volume_curve(volumes), len(volumes), mean, std)


def _minute_volumes(recorded: RecordedQuotes, symbol: str, session: date) -> FloatArray | None:
    """(n_days, 390) volume in each minute of the sessions recorded by then; None when there is none."""
    table, calendar = recorded.table, recorded.calendar
    name = "size" if table.kind == "ticks" else "volume"
    if name not in table.numbers or symbol not in table.symbol_names:
        return None
    mine = (table.symbol_codes == table.symbol_names.index(symbol)) & (table.days <= np.datetime64(session, "D"))
    mine &= np.nan_to_num(table.numbers[name]) > 0
    if table.kind == "ticks":
        mine &= table.texts["event"].astype(str) == "trade"
    rows = np.flatnonzero(mine)
    places = calendar.rows_of(table.days[rows])
    minutes = (table.utc[rows] - calendar.opens[places]).astype(np.int64) // (60 * MICROSECONDS)
    inside = (places >= 0) & (minutes >= 0) & (minutes < SESSION_MINUTES)
    if not inside.any():
        return None
    days, place = np.unique(places[inside], return_inverse=True)
    volumes = np.zeros((len(days), SESSION_MINUTES))
    np.add.at(volumes, (place, minutes[inside]), table.numbers[name][rows][inside])
    return volumes
