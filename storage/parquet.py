"""The embedded series store: Parquet files queried by DuckDB.

On disk a series is a folder: `card.json` names the Parquet files that are its tables, so replacing that one
small file is the moment at which a new version takes the old one's place.
"""

import fcntl
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from .errors import StoreError, StoreLocked, StoreMissing, StoreUnwritable
from .parquet_table import TableFile, corrupt, read_table, sync, table_connection, write_table
from .series import NAME_FORM, Card, Column, Columns, Series, TableInfo, check_columns, check_name

_CARD_FILE = "card.json"
_LOCK_FILE = ".lock"


class _CardFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    tables: dict[str, TableFile]
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
                files = {table: write_table(folder, table, columns) for table, columns in tables.items()}
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
            with table_connection() as connection:
                for table, item in card_file.tables.items():
                    tables[table] = read_table(connection, folder, item, symbols=symbols, start=start, end=end)
        except FileNotFoundError as error:
            if self._card_file(name) != card_file:
                # A writer put a new version in place between our look at the card and at its files.
                return self.read(name, symbols=symbols, start=start, end=end)
            raise corrupt(folder / _CARD_FILE, "a file that it names is gone") from error
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
            raise corrupt(path, f"not a card of this version ({error.errors()[0]['msg']})") from error

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


def _replace_file(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".draft")
    draft.write_bytes(content)
    sync(draft)
    # The names of the tables must be on the disk before the card that mentions them.
    sync(path.parent)
    draft.replace(path)
    sync(path.parent)
