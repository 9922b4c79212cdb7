"""One table of a stored series: a Parquet file, written and read by DuckDB, whose name and card carry its digest."""

import hashlib
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from .errors import StoreCorrupt, StoreRefused, StoreUnwritable
from .series import PLACE_COLUMN, TIME_COLUMNS, Column, Columns, time_column

if TYPE_CHECKING:
    import duckdb

_SQL_TYPES = {"O": "VARCHAR", "f": "DOUBLE", "i": "BIGINT"}


class TableFile(BaseModel):
    """What a card says of a table's file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # The form keeps a card that somebody edited from pointing out of its folder.
    file: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*-[0-9a-f]{16}\.parquet$")]
    sha256: str
    rows: int
    columns: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], ...]
    first: str
    last: str


def write_table(folder: Path, table: str, columns: Columns) -> TableFile:
    """Write a table's file into the folder, under the name that its bytes give it."""
    import duckdb

    time = time_column(columns)
    draft = folder / f"{table}.draft"
    rows = {
        name: values.astype("datetime64[us]") if name == time else np.asarray(values)
        for name, values in columns.items()
    }
    rows[PLACE_COLUMN] = np.arange(len(columns["symbol"]))
    types = {name: _SQL_TYPES.get(values.dtype.kind, "TIMESTAMP") for name, values in rows.items()}
    types[time] = "DATE" if time == "session" else "TIMESTAMP"
    chosen = ", ".join(f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in types.items())
    target = str(draft).replace("'", "''")
    try:
        with table_connection() as connection:
            connection.register("written_rows", rows)
            connection.execute(
                f'COPY (SELECT {chosen} FROM written_rows ORDER BY "symbol", "{time}", "{PLACE_COLUMN}") '
                f"TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
            )
    except duckdb.Error as error:
        raise StoreUnwritable(
            f"{draft}: cannot be written ({error})", remedy="Free some space, or choose another with --book."
        ) from error
    digest = _sha256(draft)
    final = draft.with_name(f"{table}-{digest[:16]}.parquet")
    sync(draft)
    draft.replace(final)
    times = columns[time].astype(TIME_COLUMNS[time])
    return TableFile(
        file=final.name,
        sha256=digest,
        rows=len(times),
        columns=tuple(columns),
        first=str(times.min()),
        last=str(times.max()),
    )


def read_table(
    connection: "duckdb.DuckDBPyConnection",
    folder: Path,
    item: TableFile,
    *,
    symbols: Collection[str] | None,
    start: np.datetime64 | None,
    end: np.datetime64 | None,
) -> dict[str, Column]:
    """The rows chosen by symbol and time, once the file is known to hold the bytes that were written.

    FileNotFoundError means that a newer version has taken this one's place, or that the file was lost.
    """
    import duckdb

    path = folder / item.file
    _check_bytes(path, item.sha256)
    try:
        found = connection.execute(*_selection(path, item.columns, symbols, start, end)).fetchnumpy()
    except duckdb.Error as error:
        if not path.exists():
            raise FileNotFoundError(str(path)) from error
        raise corrupt(path, str(error)) from error
    return {name: _plain(found[name], TIME_COLUMNS.get(name)) for name in item.columns}


@contextmanager
def table_connection() -> "Iterator[duckdb.DuckDBPyConnection]":
    """Tables are read through it; it knows nothing beside the files that it is told of."""
    import duckdb

    # No extension may be fetched from a network; and without sampling an object column is text,
    # whatever its first rows are.
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "pandas_analyze_sample": 0,
    }
    with duckdb.connect(":memory:", config=config) as connection:
        yield connection


def corrupt(path: Path, what: str) -> StoreCorrupt:
    """The error of a damaged file of a series' folder."""
    return StoreCorrupt(
        f"{path}: {what}",
        remedy=f"Import the file again under the name {path.parent.name}, or restore a copy of the folder.",
    )


def sync(path: Path) -> None:
    """Wait until a file's bytes, or a folder's names, have reached the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _selection(
    path: Path,
    columns: tuple[str, ...],
    symbols: Collection[str] | None,
    start: np.datetime64 | None,
    end: np.datetime64 | None,
) -> tuple[str, list[object]]:
    """The statement that reads a table, and the values of its marks."""
    time = time_column(columns)
    conditions: list[str] = []
    values: list[object] = [str(path)]
    if symbols is not None:
        # IN of nothing is not SQL; no symbol at all is a question with an empty answer.
        conditions.append(f'"symbol" IN ({", ".join("?" * len(symbols))})' if symbols else "1 = 0")
        values += sorted(symbols)
    for sign, bound in ((">=", start), ("<=", end)):
        if bound is not None:
            conditions.append(f'"{time}" {sign} ?')
            values.append(_bound(bound))
    chosen = ", ".join(f'"{name}"' for name in columns)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return f'SELECT {chosen} FROM read_parquet(?) {where} ORDER BY "symbol", "{time}", "{PLACE_COLUMN}"', values


def _plain(values: object, time_type: str | None) -> Column:
    """A column as it was written: NULL is NaN in numbers and None in text."""
    if time_type is not None:
        return np.asarray(values).astype(time_type)
    if isinstance(values, np.ma.MaskedArray):
        is_null = np.ma.getmaskarray(values)
        if values.dtype.kind == "O":
            return np.where(is_null, np.array(None, dtype=object), values.data)
        return np.where(is_null, np.nan, values.data)
    return np.asarray(values)


def _bound(moment: np.datetime64) -> object:
    if np.isnat(moment):
        raise StoreRefused("a bound of the time range is NaT", remedy="Pass a moment, or None for an open end.")
    return moment.astype("datetime64[us]").item()


def _check_bytes(path: Path, sha256: str) -> None:
    # Parquet as written here has no checksum of its own: a flipped bit would be a wrong price, not an error.
    if _sha256(path) != sha256:
        raise corrupt(path, "its bytes are not those that were written")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
