"""News and posts by path, each with when it arrived; read only up to a moment."""

from bisect import bisect_right
from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..domain.canonical import short_id
from ..domain.market import TextItem
from .errors import DataFileError

if TYPE_CHECKING:
    from pandas import DataFrame

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


def load_texts(
    path: Path,
    symbols: Collection[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[TextItem, ...]:
    """The items of one file, optionally of some symbols and with `since` <= ts <= `until`.

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
    _refuse_missing(frame, {"ts", "symbol", _first_of(names, HEADLINE_COLUMNS)}, path)
    wanted = np.ones(len(frame), dtype=bool)
    if symbols is not None:
        wanted &= frame["symbol"].isin(list(symbols)).to_numpy()
    if since is not None:
        wanted &= (frame["ts"] >= since).to_numpy()
    if until is not None:
        wanted &= (frame["ts"] <= until).to_numpy()
    return _items(frame.take(np.flatnonzero(wanted)), path.stem)


def _items(frame: "DataFrame", source_if_unnamed: str) -> tuple[TextItem, ...]:
    names = set(frame.columns)
    body_column = _first_of(names, BODY_COLUMNS)
    rows = len(frame)
    moments = [stamp.to_pydatetime() for stamp in frame["ts"].dt.tz_convert("UTC")]
    headlines = _texts(frame, _first_of(names, HEADLINE_COLUMNS), rows, "")
    bodies = _texts(frame, body_column, rows, "")
    sources = _texts(frame, "source" if "source" in names else None, rows, source_if_unnamed)
    items: dict[str, TextItem] = {}
    for moment, symbol, headline, body, source in zip(
        moments, frame["symbol"].tolist(), headlines, bodies, sources, strict=True
    ):
        key = short_id("text", source, symbol, moment.isoformat(), headline, body)
        if key not in items:
            items[key] = TextItem(
                id=key,
                symbol=symbol,
                source=source,
                ts_event=moment,
                available_at=moment,
                headline=headline,
                body=body,
            )
    return tuple(items.values())


def _texts(frame: "DataFrame", column: str | None, rows: int, default: str) -> list[str]:
    if column is None:
        return [default] * rows
    return [value if isinstance(value, str) else default for value in frame[column].tolist()]


def _refuse_missing(frame: "DataFrame", needed: Collection[str | None], path: Path) -> None:
    for name, column in frame.items():
        empty = column.isna().to_numpy()
        if name in needed and empty.any():
            row = int(empty.argmax()) + 1
            raise DataFileError(
                f"{path.name}: row {row}: {name} is empty.",
                remedy="Remove the row or fill it in.",
                reason="missing_value",
                row=row,
            )


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
