"""A database that only its owner can read, changed in one transaction by one process at a time."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep

from ...desk.clock import elapsed_s
from ...storage.errors import StoreLocked, StoreUnwritable
from ...storage.sql import Database, open_sqlite

OWNER_ONLY_DIR, OWNER_ONLY = 0o700, 0o600
WAIT_S, STEP_S = 5.0, 0.01
"""How long a change waits for another process that is just making one."""


@dataclass(frozen=True, slots=True)
class Owned:
    """A file and the tables in it, which are made when they are missing."""

    path: Path
    tables: Sequence[str]

    @contextmanager
    def changing(self) -> Iterator[Database]:
        """One transaction of the one writer, whichever process it is in."""
        self._make_folder()
        database = _open_in_turn(self.path)
        try:
            database.begin()
            try:
                for table in self.tables:
                    database.execute(table)
                yield database
                database.commit()
            except BaseException:
                database.rollback()
                raise
        finally:
            database.close()
            self.path.chmod(OWNER_ONLY)

    def _make_folder(self) -> None:
        """Only its owner may enter: whatever lies in it is covered."""
        folder = self.path.parent
        try:
            folder.mkdir(mode=OWNER_ONLY_DIR, parents=True, exist_ok=True)
            os.chmod(folder, OWNER_ONLY_DIR)
        except OSError as error:
            raise StoreUnwritable(
                f"{folder}: can't be made ({error.strerror})", remedy="Choose a book that you may write to."
            ) from error


def _open_in_turn(path: Path) -> Database:
    started_s = elapsed_s()
    while True:
        try:
            return open_sqlite(path)
        except StoreLocked:
            if elapsed_s() - started_s > WAIT_S:
                raise
            sleep(STEP_S)
