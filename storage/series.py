"""The small port that stored market series stand on.

A series is a few tables of columns under one name, with a JSON card that says what they are. It is
written whole and replaced whole.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue

from .errors import StoreRefused

Column = npt.NDArray[np.generic]
Columns = Mapping[str, Column]
"""Columns of one length: `symbol`, a time column, and float64 (NaN: no value), int64 or text (None: no value)."""

Card = Mapping[str, JsonValue]

TIME_COLUMNS: dict[str, str] = {"session": "datetime64[D]", "ts": "datetime64[us]"}
"""A table has one of them: the exchange's day, or an instant in UTC."""

NAME_FORM = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""Lower case only: a disk that takes `A` and `a` for one file must not merge two series."""

_COLUMN_FORM = re.compile(r"[a-z][a-z0-9_]{0,63}")
PLACE_COLUMN = "place"
"""Keeps rows of one symbol and time, as ticks are, in the order in which they were written."""


@dataclass(frozen=True, slots=True)
class TableInfo:
    """What is known of a stored table without reading it; `first` and `last` are of its time column."""

    name: str
    rows: int
    first: np.datetime64
    last: np.datetime64


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One version of a series as it was read: its card, and its tables by name."""

    card: Card
    tables: dict[str, dict[str, Column]]


class SeriesStore(Protocol):
    """Named series of rows; every method may raise StoreError, and a refused write leaves all as it was."""

    def write(self, name: str, tables: Mapping[str, Columns], card: Card) -> None:
        """Keep a series, in place of whatever had that name; readers see the old one or the new one, whole."""
        ...

    def read(
        self,
        name: str,
        *,
        symbols: Collection[str] | None = None,
        start: np.datetime64 | None = None,
        end: np.datetime64 | None = None,
    ) -> Series:
        """One version, its rows in order of symbol and time: of some symbols, from `start` to `end`, both included."""
        ...

    def card(self, name: str) -> Card: ...

    def names(self) -> tuple[str, ...]: ...

    def tables(self, name: str) -> tuple[TableInfo, ...]: ...

    def delete(self, name: str) -> None: ...


def check_name(name: str) -> None:
    """Raises StoreRefused for a name that is not lower-case letters, digits, - and _, or leads out of the store."""
    if NAME_FORM.fullmatch(name) is None:
        raise StoreRefused(
            f"{name!r} cannot be the name of a series: 1 to 64 lower-case letters, digits, - or _ are expected",
            remedy="Choose a name such as us_stocks_2020.",
        )


def check_columns(label: str, table: str, columns: Columns) -> None:
    times = [name for name in columns if name in TIME_COLUMNS]
    wrong = [name for name in (table, *columns) if _COLUMN_FORM.fullmatch(name) is None or name == PLACE_COLUMN]
    if wrong or len(times) != 1 or "symbol" not in columns:
        raise StoreRefused(
            f"{label}: found columns {', '.join(columns)}; expected symbol, one of {' or '.join(TIME_COLUMNS)}, "
            f"and lower-case names other than {PLACE_COLUMN}",
            remedy="Rename the columns.",
        )
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise StoreRefused(
            f"{label}: columns of {sorted(lengths)} rows; one length of 1 or more is expected",
            remedy="Give every column the same rows, and leave out an empty table.",
        )
    for name, values in columns.items():
        if not _is_storable(name, values):
            raise StoreRefused(
                f"{label}: column {name} ({values.dtype}) holds a value that has no place in a series",
                remedy="Use datetime64 for the time, str for symbol, and float64, int64, or str and None elsewhere.",
            )


def _is_storable(name: str, values: Column) -> bool:
    if name in TIME_COLUMNS:
        # A day with hours in it, or an instant finer than the store keeps, would be cut short in silence.
        return values.dtype.kind == "M" and bool((values.astype(TIME_COLUMNS[name]) == values).all())
    if values.dtype.kind == "O":
        return all(isinstance(item, str) or (item is None and name != "symbol") for item in values.tolist())
    return name != "symbol" and values.dtype in (np.float64, np.int64)


def time_column(columns: Collection[str]) -> str:
    return next(name for name in TIME_COLUMNS if name in columns)
