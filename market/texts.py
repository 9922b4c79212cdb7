"""News and posts by path, each with when it arrived; read only up to a moment."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..domain.market import TextItem
from .errors import DataFileError
from .findings import Finding, in_order
from .text_cleaning import SYMBOL
from .text_rows import RawText, RowReader

if TYPE_CHECKING:
    from pandas import DataFrame, Series

HEADLINE_COLUMNS = ("headline", "text")
BODY_COLUMNS = ("summary", "body")
MARKET_FOLDERS = ("daily", "intraday")


class TextLog:
    """Text items in order of arrival; `as_of` never returns one that arrived later."""

    def __init__(self, items: Iterable[TextItem]) -> None:
        self._items = sorted(items, key=lambda item: (item.available_at, item.id))
        self._arrivals = [item.available_at for item in self._items]

    def __len__(self) -> int:
        return len(self._items)

    def as_of(self, moment: datetime, since: datetime | None = None, symbol: str | None = None) -> tuple[TextItem, ...]:
        """Items with `since` < arrival <= `moment`, oldest first, of one symbol or of all."""
        start = 0 if since is None else bisect_right(self._arrivals, since)
        found = self._items[start : bisect_right(self._arrivals, moment)]
        return tuple(item for item in found if symbol is None or item.symbol == symbol)


def find_text_files(data_path: Path) -> tuple[Path, ...]:
    """Text files in the `text/` folder beside the market file's `daily/` or `intraday/` folder.

    A file counts when it has the columns of dated text; labelled training sentences do not.
    """
    folder = data_path.resolve().parent
    if folder.name not in MARKET_FOLDERS:
        return ()
    found = sorted((folder.parent / "text").glob("*.parquet"))
    return tuple(path for path in found if _is_dated_text(_schema_names(path)))


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file's items, and every doubt about its rows: a doubtful text is left out or cleaned, and never stops a run."""

    rows: int
    items: tuple[TextItem, ...]
    findings: tuple[Finding, ...]


def load_texts(
    path: Path,
    symbols: Collection[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[TextItem, ...]:
    """The items of one file, optionally of some symbols and with `since` <= ts <= `until`; see `read_text_file`."""
    return read_text_file(path, symbols, since, until).items


def read_text_file(
    path: Path,
    symbols: Collection[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> TextFile:
    """The items of one file with what is doubtful about it; raises DataFileError where the columns are no dated texts.

    `ts` is taken as both event and arrival: the sources stamp publication. An item repeated word for
    word at the same instant is one item. Rows may come in any order, the log sorts them.
    """
    import pandas as pd

    frame = _read(path)
    names = set(frame.columns)
    if not _is_dated_text(names):
        raise DataFileError(
            f"{path.name}: found columns {', '.join(sorted(names))}; a text file needs ts, symbol, "
            f"and one of {' or '.join(HEADLINE_COLUMNS)}.",
            remedy="Rename the columns.",
            reason="missing_column",
        )
    if not isinstance(frame["ts"].dtype, pd.DatetimeTZDtype):
        raise DataFileError(
            f"{path.name}: row 1: ts is {frame['ts'].dtype} without a time zone.",
            remedy="Write ts as UTC timestamps with their zone.",
            reason="wrong_zone",
            row=1,
        )
    # A row without a time stays in: it is in no window, and somebody should be told of it.
    wanted = np.ones(len(frame), dtype=bool)
    if symbols is not None:
        wanted &= (frame["symbol"].isin(list(symbols)) | ~_is_plain(frame)).to_numpy()
    if since is not None:
        wanted &= (frame["ts"].isna() | (frame["ts"] >= since)).to_numpy()
    if until is not None:
        wanted &= (frame["ts"].isna() | (frame["ts"] <= until)).to_numpy()
    rows = np.flatnonzero(wanted)
    reader = RowReader(frozenset(symbols or ()))
    for row, raw in zip(rows.tolist(), _raw_rows(frame.take(rows), path.stem), strict=True):
        reader.take(row + 1, raw)
    return TextFile(len(frame), tuple(reader.items.values()), in_order(reader.findings))


def _is_plain(frame: "DataFrame") -> "Series":
    return frame["symbol"].astype("str").str.fullmatch(SYMBOL.pattern).fillna(False).astype(bool)


def _raw_rows(frame: "DataFrame", source_if_unnamed: str) -> Iterator[RawText]:
    names, rows = set(frame.columns), len(frame)
    stamps = frame["ts"].dt.tz_convert("UTC")
    moments = [
        None if is_missing else stamp.to_pydatetime() for stamp, is_missing in zip(stamps, stamps.isna(), strict=True)
    ]
    columns = (
        _texts(frame, "symbol", rows, ""),
        _texts(frame, _first_of(names, HEADLINE_COLUMNS), rows, ""),
        _texts(frame, _first_of(names, BODY_COLUMNS), rows, ""),
        _texts(frame, "source" if "source" in names else None, rows, source_if_unnamed),
        [None] * rows if "id" not in names else [None if item is None else str(item) for item in frame["id"].tolist()],
    )
    return (RawText(*parts) for parts in zip(moments, *columns, strict=True))


def _texts(frame: "DataFrame", column: str | None, rows: int, default: str) -> list[str]:
    if column is None:
        return [default] * rows
    return [value if isinstance(value, str) else default for value in frame[column].tolist()]


def _read(path: Path) -> "DataFrame":
    import pandas as pd

    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataFileError(
            f"{path.name}: not a readable Parquet file: {error}",
            remedy="Pass a Parquet file with columns ts, symbol and headline or text.",
            reason="unreadable",
        ) from error


def _schema_names(path: Path) -> set[str]:
    from pyarrow import ArrowInvalid
    from pyarrow.parquet import read_schema

    try:
        return set(read_schema(path).names)
    except (OSError, ArrowInvalid):
        # Whatever else lies in the folder is not ours to judge; an explicit path would be refused loudly.
        return set()


def _is_dated_text(names: Collection[str]) -> bool:
    return {"ts", "symbol"} <= set(names) and _first_of(names, HEADLINE_COLUMNS) is not None


def _first_of(names: Collection[str], wanted: tuple[str, ...]) -> str | None:
    return next((name for name in wanted if name in names), None)
