"""Loads any Parquet or CSV file of market rows by path, strictly: a file with one doubtful row is refused.

The columns are described in `tables`. Prices are total-return adjusted when the file says how: by
`adj_factor`, a ratio to close, or else by `adj_close`; open, high and low are scaled by the same ratio.
Volume is divided by what prices are multiplied with. With the corporate actions beside it, a daily file is
taken at prices as they were traded, and a run books the actions. Minute, second and tick files become daily bars of the
regular session for decisions, and recorded quotes for the venue.
"""

from datetime import timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..domain.instruments import AssetClass, Instrument, Universe
from ..domain.market import TextItem
from .cards import CENT_TICK, FINE_TICK, DataCard, DataSet, Frequency
from .errors import DataFileError, UnknownSymbol
from .file_checks import file_findings, refuse_first
from .intraday_files import DayRows, RecordedQuotes, bar_span_s, day_rows, has_quotes
from .panel import BAR_FIELDS, FloatArray, Panel
from .sessions import SessionCalendar, session_calendar, utc_moment
from .tables import Table, read_table
from .texts import find_text_files, load_texts

SCALED = ("open", "high", "low", "close")
TEXT_LEAD_DAYS = 7
"""Texts older than this before the first close are not loaded: no decision on these bars looks so far back."""
FREQUENCY_OF_SPAN: dict[int, Frequency] = {1: "second", 60: "minute"}


def load_file(
    path: Path,
    *,
    symbols_path: Path | None = None,
    texts_path: Path | None = None,
    benchmark: str | None = None,
    calendar: str = "XNYS",
) -> DataSet:
    """The file as a data set; raises DataFileError naming file, row and remedy on the first doubt.

    `symbols_path` is a CSV with columns symbol and sector (and asset_class); without it, a
    `<name>.symbols.csv` or `<prefix>_symbols.csv` beside the file is used. `texts_path` is a text
    file; without it, those in the `text/` folder beside `daily/` are. `benchmark` names a symbol of
    the file whose closes also serve as the index. A daily file with a `<name>.actions.csv` (or .parquet) beside it
    is at prices as they were traded, whatever adjusted ones it has.
    """
    actions_path = _actions_beside(path)
    if actions_path is not None:
        # Here, because it builds on what is below.
        from .as_traded import load_as_traded

        beside = {"symbols_path": symbols_path, "texts_path": texts_path}
        return load_as_traded(path, actions_path, **beside, benchmark=benchmark, calendar=calendar)
    table, sessions = checked_table(path, calendar)
    return data_set_of(table, sessions, symbols_path=symbols_path, texts_path=texts_path, benchmark=benchmark)


def checked_table(path: Path, calendar: str) -> tuple[Table, SessionCalendar]:
    """The file's rows and the exchange's sessions; raises DataFileError on the first doubt."""
    table = read_table(path)
    sessions = table_calendar(table, calendar)
    refuse_first(table, file_findings(table, sessions))
    return table, sessions


def data_set_of(
    table: Table,
    calendar: SessionCalendar,
    *,
    symbols_path: Path | None = None,
    texts_path: Path | None = None,
    benchmark: str | None = None,
) -> DataSet:
    """Checked rows, with what lies beside their file, as a data set; the options are those of `load_file`."""
    path = table.path
    panel = build_panel(table, calendar, benchmark)
    tick = FINE_TICK if table.kind == "daily" else CENT_TICK
    instruments = _instruments(table, panel.symbols, symbols_path or _symbols_beside(path), tick, calendar.name)
    return DataSet(
        card=_card(table, panel),
        panel=panel,
        universe=Universe(name=path.stem, instruments=instruments, benchmark=benchmark),
        texts=_texts(path, texts_path, panel),
        recorded=recorded_quotes(table, calendar),
    )


def table_calendar(table: Table, name: str) -> SessionCalendar:
    """The exchange's calendar over the years of the table."""
    return session_calendar(name, table.days.min().item(), table.days.max().item())


def build_panel(table: Table, calendar: SessionCalendar, benchmark: str | None = None) -> Panel:
    """Daily arrays from checked rows: symbols in alphabetical order, sessions in time order."""
    rows = _daily_rows(table) if table.kind == "daily" else day_rows(table, calendar)
    if len(rows.days) == 0:
        raise DataFileError(
            f"{table.path.name}: no trade falls into a regular session of {calendar.name}.",
            remedy="Check that ts is in the exchange's zone and that the file covers trading hours.",
            reason="no_rows",
        )
    used = np.unique(rows.symbol_codes)
    symbols = tuple(sorted(table.symbol_names[code] for code in used.tolist()))
    column_of = np.full(len(table.symbol_names), -1)
    column_of[used] = [symbols.index(table.symbol_names[code]) for code in used.tolist()]
    sessions, day_index = np.unique(rows.days, return_inverse=True)
    cells = (day_index, column_of[rows.symbol_codes])
    arrays = {name: _matrix(values, cells, (len(sessions), len(symbols))) for name, values in rows.fields.items()}
    if benchmark is not None and benchmark not in symbols:
        raise UnknownSymbol(
            f"{table.path.name}: benchmark {benchmark!r} is not in the file, which holds {', '.join(symbols)}.",
            remedy="Name one of these symbols, or leave the benchmark out.",
        )
    return Panel(
        symbols=symbols,
        sessions=sessions,
        close_times=calendar.closes[calendar.rows_of(sessions)],
        close=arrays["close"],
        open=arrays.get("open"),
        high=arrays.get("high"),
        low=arrays.get("low"),
        volume=arrays.get("volume"),
        benchmark=None if benchmark is None else arrays["close"][:, symbols.index(benchmark)],
        benchmark_name=benchmark,
        calendar=calendar.name,
    )


def recorded_quotes(table: Table, calendar: SessionCalendar) -> RecordedQuotes | None:
    """The quotes of an intraday table for the venue; None when it holds none."""
    if table.kind == "daily" or not has_quotes(table):
        return None
    return RecordedQuotes(table, calendar, CENT_TICK)


def _daily_rows(table: Table) -> DayRows:
    fields = {name: table.numbers[name] for name in ("close", *BAR_FIELDS) if name in table.numbers}
    ratio = _adjustment(table)
    if ratio is not None:
        fields |= {name: fields[name] * ratio for name in SCALED if name in fields}
        if "volume" in fields:
            # The inverse: price times volume stays the money that really changed hands.
            fields["volume"] = fields["volume"] / ratio
    return DayRows(table.symbol_codes, table.days, fields)


def _adjustment(table: Table) -> FloatArray | None:
    # The printed adjusted close of a much-split stock keeps few digits (0.1231): its rounding would
    # look like returns, the factor's does not.
    if "adj_factor" in table.numbers:
        return table.numbers["adj_factor"]
    if "adj_close" in table.numbers:
        return table.numbers["adj_close"] / table.numbers["close"]
    return None


def _matrix(
    values: FloatArray, cells: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]], shape: tuple[int, int]
) -> FloatArray:
    matrix = np.full(shape, np.nan)
    matrix[cells] = values
    return matrix


def _actions_beside(path: Path) -> Path | None:
    names = (path.with_name(f"{path.stem}.actions{ending}") for ending in (".csv", ".parquet"))
    return next((item for item in names if item.is_file()), None)


def _symbols_beside(path: Path) -> Path | None:
    exact = path.with_name(f"{path.stem}.symbols.csv")
    if exact.is_file():
        return exact
    ending = "_symbols.csv"
    tables = sorted(path.parent.glob(f"*{ending}"))
    return next((item for item in tables if f"{path.stem}_".startswith(item.name[: -len(ending)] + "_")), None)


def _instruments(
    table: Table, symbols: tuple[str, ...], described_in: Path | None, tick: object, calendar: str
) -> tuple[Instrument, ...]:
    described = _sector_rows(table) if described_in is None else _symbol_rows(described_in)
    return tuple(
        Instrument.model_validate(
            {"symbol": symbol, "tick": tick, "lot": 1, "calendar": calendar, **described.get(symbol, {})}
        )
        for symbol in symbols
    )


def _sector_rows(table: Table) -> dict[str, dict[str, str]]:
    if "sector" not in table.texts:
        return {}
    codes, first = np.unique(table.symbol_codes, return_index=True)
    return {
        table.symbol_names[code]: {"sector": sector}
        for code, row in zip(codes.tolist(), first.tolist(), strict=True)
        if isinstance(sector := table.texts["sector"][row], str) and sector
    }


def _symbol_rows(path: Path) -> dict[str, dict[str, str]]:
    import csv

    try:
        with path.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError) as error:
        raise DataFileError(
            f"{path.name}: cannot be read: {error}", remedy="Check the path.", reason="unreadable"
        ) from error
    if not rows or not {"symbol", "sector"} <= set(rows[0]):
        raise DataFileError(
            f"{path.name}: a symbol table needs the columns symbol and sector, and at least one row.",
            remedy="Add the columns; asset_class is optional.",
            reason="missing_column",
        )
    for number, row in enumerate(rows, start=1):
        if row.get("asset_class") and row["asset_class"] not in set(AssetClass):
            raise DataFileError(
                f"{path.name}: row {number}: asset_class {row['asset_class']!r} is not one of {', '.join(AssetClass)}.",
                remedy="Use one of these words, or leave it empty.",
                reason="wrong_type",
                row=number,
            )
    return {row["symbol"]: {name: row[name] for name in ("sector", "asset_class") if row.get(name)} for row in rows}


def _card(table: Table, panel: Panel) -> DataCard:
    adjusted = table.kind == "daily" and _adjustment(table) is not None
    notes = (
        ("volume is adjusted inversely to prices, so their product is the money traded",)
        if adjusted and panel.volume is not None
        else ()
    )
    if table.kind != "daily":
        notes = ("daily bars are the regular session; the closing auction prints after it and is not in them",)
    return DataCard(
        name=table.path.stem,
        title=f"File {table.path.name}",
        source=table.path.name,
        license="not stated by the file",
        first_session=panel.sessions[0].item(),
        last_session=panel.sessions[-1].item(),
        frequency=_frequency(table),
        close_only=panel.open is None and panel.high is None and panel.low is None,
        adjusted=adjusted,
        survivorship="unknown: a file does not say how its symbols were chosen",
        notes=notes,
    )


def _frequency(table: Table) -> Frequency:
    if table.kind == "daily":
        return "daily"
    return "tick" if table.kind == "ticks" else FREQUENCY_OF_SPAN.get(bar_span_s(table), "minute")


def _texts(path: Path, texts_path: Path | None, panel: Panel) -> tuple[TextItem, ...]:
    since, until = (utc_moment(panel.close_times[row]) for row in (0, -1))
    since -= timedelta(days=TEXT_LEAD_DAYS)
    paths = find_text_files(path) if texts_path is None else (texts_path,)
    return tuple(item for found in paths for item in load_texts(found, panel.symbols, since, until))
