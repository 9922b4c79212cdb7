"""Reads a Parquet or CSV file of market rows into columns under the house's names; judges no price.

Long form, one row per symbol and time. Column names are matched without case, spaces or underscores:

    symbol | ticker                      text, required
    date | day | session                 daily files: the exchange's day, without a time zone
    ts | timestamp | datetime            intraday files: start of the bar or time of the tick, in the
                                         exchange's own time zone
    close                                required, except in tick files
    open, high, low, volume | vol        optional
    adj_close | adjusted_close, adj_factor   optional: the adjusted close, or its ratio to close
    sector                               optional
    bid | bid_close | bid_price, ask | ..., bid_size, ask_size    intraday, optional: the best bid and offer
    event, price, size, exchange, suspicious    tick files: `event` is trade or quote

Any other column is ignored.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from .errors import CANNOT_READ, DataFileError
from .findings import Finding

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Kind = Literal["daily", "bars", "ticks"]

NUMBER_COLUMNS = (
    "open", "high", "low", "close", "volume", "adj_close", "adj_factor",
    "bid", "ask", "bid_size", "ask_size", "price", "size", "suspicious",
)  # fmt: skip
TEXT_COLUMNS = ("sector", "event", "exchange")
ALIASES = {
    "ticker": "symbol",
    "day": "date",
    "session": "date",
    "timestamp": "ts",
    "datetime": "ts",
    "vol": "volume",
    "adjclose": "adj_close",
    "adjustedclose": "adj_close",
    "adjfactor": "adj_factor",
    "bidclose": "bid",
    "bidprice": "bid",
    "bidsize": "bid_size",
    "askclose": "ask",
    "askprice": "ask",
    "asksize": "ask_size",
}
REQUIRED: dict[Kind, tuple[str, ...]] = {
    "daily": ("symbol", "date", "close"),
    "bars": ("symbol", "ts", "close"),
    "ticks": ("symbol", "ts", "event", "price", "size"),
}
YEARS = (1900, 2200)
_OFFSET = r"(?:Z|[+-]\d\d:?\d\d)$"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows of one file in file order.

    `symbol_codes` index `symbol_names` (-1: no symbol); `wall` is the time as written, `utc` the same
    instant in UTC (both datetime64[us]; for a daily file both are the day's midnight).
    """

    path: Path
    kind: Kind
    symbol_codes: npt.NDArray[np.int64]
    symbol_names: tuple[str, ...]
    wall: npt.NDArray[np.datetime64]
    utc: npt.NDArray[np.datetime64]
    numbers: dict[str, npt.NDArray[np.float64]]
    texts: dict[str, npt.NDArray[np.object_]]
    findings: tuple[Finding, ...]

    @property
    def days(self) -> npt.NDArray[np.datetime64]:
        return self.wall.astype("datetime64[D]")

    def __len__(self) -> int:
        return len(self.symbol_codes)


def read_table(path: Path) -> Table:
    """The file's columns; raises DataFileError when it cannot be read as market rows at all."""
    columns = _named(_read_frame(path), path)
    kind = _kind(columns)
    missing = [name for name in REQUIRED[kind] if name not in columns]
    if missing:
        raise _refused(
            path,
            f"column {', '.join(missing)} is missing; found {', '.join(columns) or 'none of the known ones'}.",
            "Add the column, or rename yours; the known names are in parley.market.tables.",
            "missing_column",
        )
    if len(columns["symbol"]) == 0:
        raise _refused(path, "has no rows.", "Pass a file with at least one row.", "no_rows")
    wall, utc = _days(columns["date"], path) if kind == "daily" else _moments(columns["ts"], path)
    codes, names = _symbols(columns["symbol"])
    findings: list[Finding] = []
    numbers = {name: _numbers(columns[name], findings) for name in NUMBER_COLUMNS if name in columns}
    texts = {name: columns[name].astype(object).to_numpy() for name in TEXT_COLUMNS if name in columns}
    return Table(path, kind, codes, names, wall, utc, numbers, texts, tuple(findings))


def without_rows(table: Table, rows: Collection[int]) -> Table:
    """The table less some 0-based rows."""
    keep = np.ones(len(table), dtype=bool)
    keep[list(rows)] = False
    return with_rows(table, np.flatnonzero(keep))


def with_rows(table: Table, rows: npt.NDArray[np.int64]) -> Table:
    """The table's rows at these 0-based positions, in their order."""
    return replace(
        table,
        symbol_codes=table.symbol_codes[rows],
        wall=table.wall[rows],
        utc=table.utc[rows],
        numbers={name: values[rows] for name, values in table.numbers.items()},
        texts={name: values[rows] for name, values in table.texts.items()},
    )


def _read_frame(path: Path) -> "DataFrame":
    import pandas as pd

    if not path.is_file():
        raise _refused(path, "does not exist.", "Check the path.", "unreadable")
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return pd.read_parquet(path)
        header = pd.read_csv(path, nrows=0).columns
        # Blank and NaN mean "no value" in a number, but a text column keeps them: NA and TRUE are symbols.
        blanks = {name: ["", "NaN", "nan", "NA"] for name in header if _canonical(name) in NUMBER_COLUMNS}
        text = {name: str for name in header if _canonical(name) not in NUMBER_COLUMNS}
        return pd.read_csv(path, keep_default_na=False, na_values=blanks, dtype=text)
    except pd.errors.EmptyDataError as error:
        raise _refused(path, "is empty.", "Pass a file with a header and rows.", "no_rows") from error
    except CANNOT_READ as error:
        raise _refused(
            path, f"cannot be read: {error}", "Pass a Parquet (.parquet) or CSV file.", "unreadable"
        ) from error


def _canonical(column: object) -> str:
    squeezed = re.sub(r"[^a-z]", "", str(column).lower())
    return ALIASES.get(squeezed, squeezed)


def _named(frame: "DataFrame", path: Path) -> dict[str, "Series"]:
    known = {"symbol", "date", "ts", *NUMBER_COLUMNS, *TEXT_COLUMNS}
    columns: dict[str, Series] = {}
    for written, column in frame.items():
        name = _canonical(written)
        if name in columns:
            raise _refused(
                path,
                f"columns {columns[name].name} and {written} both mean {name}.",
                "Keep one of them.",
                "repeated_column",
            )
        if name in known:
            columns[name] = column
    return columns


def _kind(columns: Collection[str]) -> Kind:
    if "ts" not in columns:
        return "daily"
    return "ticks" if "event" in columns else "bars"


def _symbols(column: "Series") -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    import pandas as pd

    codes, names = pd.factorize(column.astype(object))
    return codes.astype(np.int64), tuple(str(name) for name in names)


def _numbers(column: "Series", findings: list[Finding]) -> npt.NDArray[np.float64]:
    import pandas as pd
    import pyarrow as pa

    if column.dtype == np.float32:
        # A float32 was once a short decimal; widening through its text gives the number the vendor
        # wrote, and the one a CSV of the same data holds.
        shortest = pa.array(column.to_numpy(), from_pandas=True).cast(pa.string()).cast(pa.float64())
        return shortest.to_numpy(zero_copy_only=False).astype(np.float64)
    values = pd.Series(pd.to_numeric(column, errors="coerce")).to_numpy(dtype=np.float64, na_value=np.nan)
    for row in np.flatnonzero(np.isnan(values) & column.notna().to_numpy()).tolist():
        text = f"{column.name} is {column.iloc[row]!r}, not a number."
        findings.append(Finding("wrong_type", None, row + 1, None, text))
    return values


def _days(column: "Series", path: Path) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.datetime64]]:
    import pandas as pd

    with_zone = column.astype(str).str.contains(_OFFSET).to_numpy() & (column.astype(str).str.len() > 10)
    if isinstance(column.dtype, pd.DatetimeTZDtype) or with_zone.any():
        row = 1 if isinstance(column.dtype, pd.DatetimeTZDtype) else int(with_zone.argmax()) + 1
        raise _refused(
            path,
            f"row {row}: date {column.iloc[row - 1]} carries a time zone; a daily date is the exchange's day.",
            "Write dates as YYYY-MM-DD; name the column ts when the rows are intraday.",
            "wrong_zone",
            row,
        )
    stamps = _parsed(column, path, "date")
    midnights = stamps.astype("datetime64[D]").astype("datetime64[us]")
    if (late := midnights != stamps).any():
        row = int(late.argmax()) + 1
        raise _refused(
            path,
            f"row {row}: date {column.iloc[row - 1]} has a time of day.",
            "Write dates as YYYY-MM-DD; name the column ts when the rows are intraday.",
            "wrong_type",
            row,
        )
    return midnights, midnights


def _moments(column: "Series", path: Path) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.datetime64]]:
    import pandas as pd

    if isinstance(column.dtype, pd.DatetimeTZDtype):
        utc = column.dt.tz_convert("UTC").dt.tz_localize(None)
        return _parsed(column.dt.tz_localize(None), path, "ts"), _parsed(utc, path, "ts")
    text = column.astype(str)
    naive = ~text.str.contains(_OFFSET).to_numpy()
    if naive.any():
        row = int(naive.argmax()) + 1
        raise _refused(
            path,
            f"row {row}: ts {column.iloc[row - 1]} has no time zone.",
            "Write ts in the exchange's time zone with its offset, as 2013-10-07T09:30:00-04:00.",
            "wrong_zone",
            row,
        )
    utc = pd.to_datetime(text, utc=True, format="ISO8601", errors="coerce").dt.tz_localize(None)
    return _parsed(text.str.replace(_OFFSET, "", regex=True), path, "ts"), _parsed(utc, path, "ts")


def _parsed(column: "Series", path: Path, name: str) -> npt.NDArray[np.datetime64]:
    import pandas as pd

    stamps = pd.to_datetime(column, format="ISO8601", errors="coerce")
    values = stamps.to_numpy().astype("datetime64[us]")
    years = values.astype("datetime64[Y]").astype(np.int64) + 1970
    bad = np.isnat(values) | (years < YEARS[0]) | (years > YEARS[1])
    if bad.any():
        row = int(bad.argmax()) + 1
        raise _refused(
            path,
            f"row {row}: {name} {column.iloc[row - 1]!r} is no date between {YEARS[0]} and {YEARS[1]}.",
            "Write times in ISO form: YYYY-MM-DD, or YYYY-MM-DDTHH:MM:SS-04:00.",
            "wrong_type",
            row,
        )
    return values


def _refused(path: Path, what: str, remedy: str, reason: str, row: int | None = None) -> DataFileError:
    return DataFileError(f"{path.name}: {what}", remedy=remedy, reason=reason, row=row)
