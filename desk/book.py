"""The book directory: a folder per run with its log, checkpoints and reports, and the data imported into it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..domain.events import RunFinished
from ..market.cards import DataSet
from ..market.datasets import load_data
from ..market.store import book_store
from ..memory.errors import EmptyLog
from ..memory.log import EventLog
from ..memory.views import ReadModels
from ..storage.errors import StoreError, StoreLocked, StoreMissing
from ..storage.journal import Journal
from ..storage.sql import open_sqlite
from .clock import wall_time
from .errors import BookError, RunUnknown
from .settings import LogCommit

RUNS = "runs"
LOG = "log.db"
CHECKPOINTS = "checkpoints.db"
REPORTS = "reports"
RECALL = "recall"
LATEST, DESK = "latest", "desk"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where one run keeps its things."""

    run_id: str
    path: Path

    @property
    def book(self) -> "Book":
        """The book this run is in."""
        return Book(self.path.parent.parent)

    @property
    def log_path(self) -> Path:
        return self.path / LOG

    @property
    def checkpoint_path(self) -> Path:
        return self.path / CHECKPOINTS

    @property
    def reports_path(self) -> Path:
        return self.path / REPORTS

    @property
    def recall_path(self) -> Path:
        return self.path / RECALL

    @property
    def exists(self) -> bool:
        return self.log_path.exists()


class Book:
    """Finds and makes run folders. Nothing is created before `create` is called."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self, data: str) -> DataSet:
        """A data set by name or path: built in, imported into this book, or a file."""
        return load_data(data, book_store(self.path))

    def run_folder(self, run_id: str) -> RunFolder:
        return RunFolder(run_id, self.path / RUNS / run_id)

    def runs(self) -> tuple[RunFolder, ...]:
        """Every run in the book, by name."""
        folders = sorted(path.parent for path in (self.path / RUNS).glob(f"*/{LOG}"))
        return tuple(RunFolder(folder.name, folder) for folder in folders)

    def latest(self) -> RunFolder:
        """The run that was started last."""
        try:
            name = (self.path / LATEST).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise RunUnknown(f"no run in {self.path}", remedy="Start one with `parley run`.") from error
        return self.find(name)

    def operated(self) -> RunFolder:
        """The run that the book's desk works: the one begun last, whatever was decided beside it since."""
        try:
            return self.find((self.path / DESK).read_text(encoding="utf-8").strip())
        except OSError:
            return self.latest()

    def find(self, run: str | None) -> RunFolder:
        """A run by its id or the beginning of it; the latest when none is named."""
        if run is None:
            return self.latest()
        found = [folder for folder in self.runs() if folder.run_id == run] or [
            folder for folder in self.runs() if folder.run_id.startswith(run)
        ]
        if len(found) != 1:
            known = ", ".join(folder.run_id for folder in self.runs()) or "none"
            raise RunUnknown(f"{run!r} names {len(found)} runs of {self.path}", remedy=f"Name one of: {known}.")
        return found[0]

    def create(self, run_id: str, *, is_desk: bool = True) -> RunFolder:
        """An empty folder for a run, remembered as the latest; an earlier log of the same run is set aside.

        Without `is_desk` it is a question beside the desk: people's commands go where they went before.
        """
        folder = self.run_folder(run_id)
        if is_desk:
            self._refuse_second_desk(folder)
        try:
            if folder.exists:
                _refuse_busy(folder)
                self._set_aside(folder)
            folder.path.mkdir(parents=True, exist_ok=True)
            for name in (LATEST, DESK) if is_desk else (LATEST,):
                self._remember(folder, name)
        except OSError as error:
            raise BookError(
                f"{self.path}: cannot be written ({error.strerror or error})",
                remedy="Choose a folder you may write to with --book.",
            ) from error
        return folder

    def take_up(self, folder: RunFolder) -> None:
        """The desk goes on with this run: people's commands go there from now on."""
        self._refuse_second_desk(folder)
        self._remember(folder, DESK)

    def _refuse_second_desk(self, folder: RunFolder) -> None:
        """What people ask for reaches one run of a book: no other takes its place while a process works that one."""
        with suppress(RunUnknown):
            desk = self.operated()
            if desk.run_id == folder.run_id:
                return
            try:
                _refuse_busy(desk)
            except StoreLocked as error:
                remedy = "One desk works a book: end that one, or choose another with --book."
                raise StoreLocked(error.message, remedy=remedy) from error

    def _remember(self, folder: RunFolder, name: str) -> None:
        """Note this run as the latest, or as the desk's."""
        note = self.path / f".{name}"
        note.write_text(folder.run_id + "\n", encoding="utf-8")
        note.replace(self.path / name)

    def _set_aside(self, folder: RunFolder) -> None:
        """Nothing is lost: what an earlier start of this run left is kept under a number."""
        number = 1
        while (kept := folder.path.with_name(f"{folder.run_id}.{number}")).exists():
            number += 1
        folder.path.rename(kept)


@contextmanager
def open_log(
    folder: RunFolder, *, readonly: bool = False, commit: LogCommit = "each"
) -> Iterator[tuple[EventLog, ReadModels]]:
    """The run's log and read models, closed at the end; what a killed process left beside it is taken in."""
    synchronous = "FULL" if commit == "synced" else "NORMAL"
    database = open_sqlite(folder.log_path, readonly=readonly, synchronous=synchronous)
    try:
        views = ReadModels(database)
        yield EventLog(database, views, recorded_at=wall_time, journal=Journal(folder.log_path)), views
    finally:
        database.close()


def has_begun(folder: RunFolder) -> bool:
    """Whether the run got as far as its first event; a process can die between making the file and that."""
    try:
        with open_log(folder, readonly=True) as (log, _):
            return log.head()[0] > 0
    except (StoreMissing, EmptyLog):
        return False


def is_finished(folder: RunFolder) -> bool:
    """Whether the run's log holds its last event, so that there is nothing to go on with."""
    if not has_begun(folder):
        return False
    with open_log(folder, readonly=True) as (log, _):
        return log.last(RunFinished) is not None


def _refuse_busy(folder: RunFolder) -> None:
    """Never move a log away from under the process that writes it."""
    try:
        open_sqlite(folder.log_path).close()
    except StoreLocked:
        raise
    except StoreError:
        return  # damaged, and so nobody's: it is set aside as it is
