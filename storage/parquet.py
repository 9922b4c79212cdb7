"""The embedded series store: Parquet files queried by DuckDB.

On disk a series is a folder: `card.json` names the Parquet files that are its tables, so replacing that one
small file is the moment at which a new version takes the old one's place.
"""

import fcntl
import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from .errors import StoreCorrupt, StoreError, StoreLocked, StoreMissing, StoreRefused, StoreUnwritable
from .series import (
    NAME_FORM,
    PLACE_COLUMN,
    TIME_COLUMNS,
    Card,
    Column,
    Columns,
    Series,
    TableInfo,
    check_columns,
    check_name,
    time_column,
)

if TYPE_CHECKING:
    import duckdb

_SQL_TYPES = {"O": "VARCHAR", "f": "DOUBLE", "i": "BIGINT"}
_CARD_FILE = "card.json"
_LOCK_FILE = ".lock"


class _TableFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    # The form keeps a card that somebody edited from pointing out of its folder.
    file: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*-[0-9a-f]{16}\.parquet$")]
    sha256: str
    rows: int
    columns: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], ...]
    first: str
    last: str


class _CardFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    tables: dict[str, _TableFile]
    card: dict[str, JsonValue]


class ParquetSeriesStore:
    """The embedded adapter: one folder per series under `root`; nothing is made before the first write."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, tables: Mapping[str, Columns], card: Card) -> None:
        check_name(name)
        for table, columns in tables.items():
            check_columns(f"{name}.{table}", table, columns)
        folder = self.root / name
        with self._writing():
            folder.mkdir(exist_ok=True)
            try:
                files = {table: _written(folder, table, columns) for table, columns in tables.items()}
                content = _CardFile(tables=files, card=dict(card)).model_dump_json(indent=1)
                _replace_file(folder / _CARD_FILE, content.encode())
            finally:
                self._sweep(folder)

    def read(
        self,
        name: str,
        *,
        symbols: Collection[str] | None = None,
        start: np.datetime64 | None = None,
        end: np.datetime64 | None = None,
    ) -> Series:
        card_file = self._card_file(name)
        folder = self.root / name
        tables: dict[str, dict[str, Column]] = {}
        try:
            with _connection() as connection:
                for table, item in card_file.tables.items():
                    _check_bytes(folder / item.file, item.sha256)
                    chosen = _selection(folder / item.file, item.columns, symbols, start, end)
                    tables[table] = _queried(connection, folder / item.file, item.columns, chosen)
        except FileNotFoundError as error:
            if self._card_file(name) != card_file:
                # A writer put a new version in place between our look at the card and at its files.
                return self.read(name, symbols=symbols, start=start, end=end)
            raise _corrupt(folder / _CARD_FILE, "a file that it names is gone") from error
        return Series(card_file.card, tables)

    def card(self, name: str) -> Card:
        return self._card_file(name).card

    def names(self) -> tuple[str, ...]:
        found = (path.parent.name for path in self.root.glob(f"*/{_CARD_FILE}"))
        return tuple(sorted(name for name in found if NAME_FORM.fullmatch(name)))

    def tables(self, name: str) -> tuple[TableInfo, ...]:
        return tuple(
            TableInfo(table, item.rows, np.datetime64(item.first), np.datetime64(item.last))
            for table, item in self._card_file(name).tables.items()
        )

    def delete(self, name: str) -> None:
        check_name(name)
        if name not in self.names():
            raise self._missing(name)
        with self._writing():
            (self.root / name / _CARD_FILE).unlink(missing_ok=True)
            self._sweep(self.root / name)

    def _card_file(self, name: str) -> _CardFile:
        check_name(name)
        path = self.root / name / _CARD_FILE
        try:
            return _CardFile.model_validate_json(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError) as error:
            raise self._missing(name) from error
        except OSError as error:
            raise StoreError(
                f"{path}: cannot be read ({error.strerror})", remedy="Give yourself the right to read it."
            ) from error
        except ValidationError as error:
            raise _corrupt(path, f"not a card of this version ({error.errors()[0]['msg']})") from error

    def _missing(self, name: str) -> StoreMissing:
        return StoreMissing(
            f"{self.root}: nothing is stored as {name!r}; there is {', '.join(self.names()) or 'nothing yet'}",
            remedy="Use one of these names, or import a file with `parley data import PATH --name NAME`.",
        )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """The one writer's turn; the kernel ends it when the process dies."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with (self.root / _LOCK_FILE).open("ab") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise StoreLocked(
                        f"{self.root}: another process is writing to it",
                        remedy="Wait until that import has ended, then try again.",
                    ) from error
                yield
        except OSError as error:
            raise StoreUnwritable(
                f"{self.root}: cannot be written ({error.strerror or error})",
                remedy="Free some space, give yourself the right to write there, or choose another with --book.",
            ) from error

    def _sweep(self, folder: Path) -> None:
        """Remove what the card does not name: an older version, and what a killed or failed write has left."""
        try:
            kept = {item.file for item in self._card_file(folder.name).tables.values()} | {_CARD_FILE}
        except StoreMissing:
            kept = set()
        except StoreError:
            return  # a damaged card: its files may be wanted for a repair
        for path in folder.iterdir():
            if path.name not in kept:
                path.unlink()
        if not kept:
            with suppress(OSError):
                folder.rmdir()


def _written(folder: Path, table: str, columns: Columns) -> _TableFile:
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
        with _connection() as connection:
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
    _sync(draft)
    draft.replace(final)
    times = columns[time].astype(TIME_COLUMNS[time])
    return _TableFile(
        file=final.name,
        sha256=digest,
        rows=len(times),
        columns=tuple(columns),
        first=str(times.min()),
        last=str(times.max()),
    )


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


def _queried(
    connection: "duckdb.DuckDBPyConnection", path: Path, columns: tuple[str, ...], selection: tuple[str, list[object]]
) -> dict[str, Column]:
    import duckdb

    try:
        found = connection.execute(*selection).fetchnumpy()
    except duckdb.Error as error:
        if not path.exists():
            raise FileNotFoundError(str(path)) from error
        raise _corrupt(path, str(error)) from error
    return {name: _plain(found[name], TIME_COLUMNS.get(name)) for name in columns}


@contextmanager
def _connection() -> "Iterator[duckdb.DuckDBPyConnection]":
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
        raise _corrupt(path, "its bytes are not those that were written")


def _corrupt(path: Path, what: str) -> StoreCorrupt:
    return StoreCorrupt(
        f"{path}: {what}",
        remedy=f"Import the file again under the name {path.parent.name}, or restore a copy of the folder.",
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _replace_file(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".draft")
    draft.write_bytes(content)
    _sync(draft)
    # The names of the tables must be on the disk before the card that mentions them.
    _sync(path.parent)
    draft.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    """Wait until a file's bytes, or a folder's names, have reached the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
