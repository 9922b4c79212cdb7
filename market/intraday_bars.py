"""Bars of a chosen length out of what was recorded within the day: each is known at its end, and not before."""

import numpy as np
import numpy.typing as npt

from .errors import DataFileError
from .grids import Grid
from .intervals import BarGrid, BarInterval
from .intraday_files import bar_span_s, in_session, is_trade, summed_up, trade_columns
from .panel import FloatArray, Panel
from .recordings import Recording
from .sessions import SessionCalendar
from .tables import Table

Cells = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


def table_panel(table: Table, calendar: SessionCalendar, interval: BarInterval, grid: BarGrid) -> Panel:
    """Trades of the regular session, or shorter bars of them, summed up; NaN where a bar has no trade."""
    rows = np.flatnonzero(in_session(table, calendar) & is_trade(table))
    span_s = 0 if table.kind == "ticks" else bar_span_s(table)
    known = table.utc[rows] + np.timedelta64(span_s, "s")
    bars = grid.rows_of(known, interval.bar_s)
    rows, bars = rows[bars >= 0], bars[bars >= 0]
    if not len(rows):
        raise DataFileError(
            f"{table.path.name}: no trade falls into a regular session of {calendar.name}.",
            remedy="Check that ts is in the exchange's zone and that the file covers trading hours.",
            reason="no_rows",
        )
    names = tuple(sorted(table.symbol_names[code] for code in np.unique(table.symbol_codes[rows]).tolist()))
    column_of = np.array([names.index(name) if name in names else -1 for name in table.symbol_names])
    columns = column_of[table.symbol_codes[rows]]
    order = np.lexsort((rows, bars, columns))
    rows, bars, columns = rows[order], bars[order], columns[order]
    starts = np.flatnonzero(np.r_[True, (np.diff(bars) != 0) | (np.diff(columns) != 0)])
    cells = bars[starts], columns[starts]
    shape = len(grid.ends), len(names)
    fields = {
        name: _matrix(summed_up(name, values[rows], starts), cells, shape)
        for name, values in trade_columns(table).items()
    }
    return _panel(names, grid, fields, calendar, interval)


def book_panel(
    recordings: tuple[Recording, ...],
    grids: dict[str, Grid],
    calendar: SessionCalendar,
    interval: BarInterval,
    grid: BarGrid,
) -> Panel:
    """Mids of the recorded books and what was traded, per unit; NaN where no book was shown during a bar."""
    shape = len(grid.ends), len(recordings)
    fields = {name: np.full(shape, np.nan) for name in ("open", "high", "low", "close")}
    with_trades = all(recording.trades is not None for recording in recordings)
    if with_trades:
        fields["volume"] = np.full(shape, np.nan)
    for column, recording in enumerate(recordings):
        assert recording.books is not None, "recordings of books"
        unit = float(grids[recording.symbol].unit)
        bars = grid.rows_of(recording.books.ts, interval.bar_s)
        mids, bars = recording.books.mid[bars >= 0] * unit, bars[bars >= 0]
        starts = np.flatnonzero(np.r_[True, np.diff(bars) != 0][: len(bars)])
        shown = bars[starts]
        for name in ("open", "high", "low", "close"):
            fields[name][shown, column] = summed_up(name, mids, starts)
        if with_trades and recording.trades is not None:
            fields["volume"][shown, column] = _traded(recording, grid, interval)[shown] / unit
    return _panel(tuple(recording.symbol for recording in recordings), grid, fields, calendar, interval)


def _traded(recording: Recording, grid: BarGrid, interval: BarInterval) -> FloatArray:
    assert recording.trades is not None, "asked for where there are trades"
    bars = grid.rows_of(recording.trades.ts, interval.bar_s)
    sizes = recording.trades.size[bars >= 0]
    return np.bincount(bars[bars >= 0], weights=sizes, minlength=len(grid.ends)).astype(np.float64)


def _panel(
    symbols: tuple[str, ...],
    grid: BarGrid,
    fields: dict[str, FloatArray],
    calendar: SessionCalendar,
    interval: BarInterval,
) -> Panel:
    return Panel(
        symbols=symbols,
        sessions=grid.days,
        close_times=grid.ends,
        close=fields["close"],
        open=fields.get("open"),
        high=fields.get("high"),
        low=fields.get("low"),
        volume=fields.get("volume"),
        calendar=calendar.name,
        interval=interval,
        is_decision=grid.is_decision,
    )


def _matrix(values: FloatArray, cells: Cells, shape: tuple[int, int]) -> FloatArray:
    matrix = np.full(shape, np.nan)
    matrix[cells] = values
    return matrix
