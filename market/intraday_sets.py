"""Loads a recording of minutes, seconds, ticks or order books as a data set that is decided on within the day."""

from pathlib import Path

import numpy as np

from ..domain.instruments import AssetClass, Instrument, Universe
from .cards import CENT_TICK, DataCard, DataSet, Frequency, units_note
from .errors import CANNOT_READ, DataFileError
from .file_checks import file_findings, refuse_first
from .files import FREQUENCY_OF_SPAN, table_calendar
from .grids import Grid
from .intervals import MARK, BarGrid, BarInterval, bar_grid, interval_of, parse_every, span_text
from .intraday_bars import book_panel, table_panel
from .intraday_files import bar_span_s, in_session, is_trade
from .panel import Panel
from .recorded_sessions import BookSessions, book_grid, table_sessions
from .recordings import Recording, read_book_recordings
from .sessions import SessionCalendar, session_calendar
from .tables import Table, read_table
from .unsound_books import unsound_books

ALWAYS_OPEN = "24/7"
DAY_S = 86_400


def load_intraday(path: Path, every: str | None = None, calendar: str = "XNYS") -> DataSet:
    """The recording with its decision times: `every` as 30m, 15s or 1h, or what is usual for its frequency.

    Raises DataFileError for a file that cannot be trusted or holds daily bars, and IntervalRefused for a span between
    decisions that its bars or sessions cannot give.
    """
    every_s = parse_every(every) if every is not None else None
    return _from_books(path, every_s) if _holds_books(path) else _from_table(path, every_s, calendar)


def is_intraday(path: Path) -> bool:
    """Whether a file or folder was recorded within the day, by its columns alone; a folder is taken for books."""
    if path.is_dir():
        return any(item.suffix.lower() in (".parquet", ".pq", ".csv") for item in path.iterdir())
    return path.is_file() and bool({"ts", "timestamp", "datetime"} & {name.lower() for name in column_names(path)})


def _from_table(path: Path, every_s: int | None, calendar: str) -> DataSet:
    table = read_table(path)
    if table.kind == "daily":
        raise DataFileError(
            f"{path.name}: holds daily bars, which say nothing about what happened within a day.",
            remedy=f"Decide on it at its closes: leave {MARK} and --every out.",
            reason="daily",
        )
    sessions = table_calendar(table, calendar)
    refuse_first(table, file_findings(table, sessions))
    return set_of_table(table, sessions, every_s)


def set_of_table(table: Table, sessions: SessionCalendar, every_s: int | None) -> DataSet:
    """Checked rows of minutes, seconds or ticks as a data set, decided on every so many seconds."""
    path = table.path
    source_s = 0 if table.kind == "ticks" else bar_span_s(table)
    frequency: Frequency = "tick" if table.kind == "ticks" else FREQUENCY_OF_SPAN.get(source_s, "minute")
    days = np.unique(table.days[in_session(table, sessions) & is_trade(table)])
    rows = sessions.rows_of(days)
    session_s = int((sessions.closes[rows] - sessions.opens[rows]).max() / np.timedelta64(1, "s")) if len(rows) else 0
    interval = interval_of(frequency, source_s, every_s, max(session_s, 1))
    panel = table_panel(table, sessions, interval, bar_grid(sessions, days, interval))
    instruments = tuple(
        Instrument(symbol=symbol, tick=CENT_TICK, lot=1, calendar=sessions.name) for symbol in panel.symbols
    )
    note = "bars are of the regular session; the closing auction prints after it and is not in them"
    return DataSet(
        card=_card(path, panel, interval, frequency, (note,)),
        panel=panel,
        universe=Universe(name=path.stem, instruments=instruments),
        recordings=table_sessions(table, sessions),
        unsound=unsound_books(table),
    )


def _from_books(path: Path, every_s: int | None) -> DataSet:
    recordings = read_book_recordings(path)
    interval = interval_of("book", 0, every_s, DAY_S)
    first, last = _span(recordings)
    sessions = session_calendar(ALWAYS_OPEN, first.astype("M8[D]").item(), last.astype("M8[D]").item())
    grids = {recording.symbol: book_grid(recording) for recording in recordings}
    panel = book_panel(recordings, grids, sessions, interval, _book_bars(sessions, interval, first, last))
    units = (units_note(symbol, grid.unit) for symbol, grid in grids.items())
    return DataSet(
        card=_card(path, panel, interval, "book", ("prices are mids of the recorded books", *units)),
        panel=panel,
        universe=Universe(name=path.stem, instruments=tuple(_coin(symbol, grid) for symbol, grid in grids.items())),
        recordings=BookSessions({recording.symbol: recording for recording in recordings}, grids),
    )


def _coin(symbol: str, grid: Grid) -> Instrument:
    tick = grid.tick * grid.unit
    return Instrument(symbol=symbol, asset_class=AssetClass.CRYPTO, tick=tick, lot=grid.lot, calendar=ALWAYS_OPEN)


def _span(recordings: tuple[Recording, ...]) -> tuple[np.datetime64, np.datetime64]:
    """The first and the last moment of any book."""
    stamps = [recording.books.ts for recording in recordings if recording.books is not None]
    return min(ts[0] for ts in stamps), max(ts[-1] for ts in stamps)


def _book_bars(sessions: SessionCalendar, interval: BarInterval, first: np.datetime64, last: np.datetime64) -> BarGrid:
    days = np.arange(first.astype("M8[D]"), last.astype("M8[D]") + 1)
    grid = bar_grid(sessions, days, interval, (first, last))
    if not grid.is_decision.any():
        raise DataFileError(
            f"a recording from {first} to {last} holds no decision every {span_text(interval.every_s)}.",
            remedy="Decide more often, with a shorter --every.",
            reason="no_rows",
        )
    return grid


def _holds_books(path: Path) -> bool:
    return path.is_dir() or (path.is_file() and "bid1_px" in column_names(path))


def column_names(path: Path) -> list[str]:
    """Names of the columns, without reading the rows; none where they cannot be read, which loading then tells."""
    import pandas as pd
    import pyarrow.parquet as pq

    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return list(pq.read_schema(path).names)
        return list(pd.read_csv(path, nrows=0).columns)
    except CANNOT_READ:
        return []


def _card(path: Path, panel: Panel, interval: BarInterval, frequency: Frequency, notes: tuple[str, ...]) -> DataCard:
    return DataCard(
        name=f"{path.stem}{MARK}{span_text(interval.every_s)}",
        title=f"{'Folder' if path.is_dir() else 'File'} {path.name}, {interval.text}",
        source=path.name,
        license="not stated by the file",
        first_session=panel.sessions[0].item(),
        last_session=panel.sessions[-1].item(),
        frequency=frequency,
        close_only=False,
        adjusted=False,
        survivorship="unknown: a file does not say how its symbols were chosen",
        notes=notes,
    )
