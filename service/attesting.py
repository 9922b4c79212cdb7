"""What is noted beside a run's log and never in it: who wrote it with which code, and the signed head of each close."""

import getpass
import hashlib
import json
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .. import __version__
from ..desk.book import RunFolder
from ..desk.clock import elapsed_s, wall_time
from ..memory.heads import HEADS, KEYS, HeadSigner
from ..memory.log import EventLog
from ..storage.errors import StoreUnwritable
from ..storage.signing import own_key

HOSTS = "hosts.jsonl"
HOST_FIELDS = (
    "after_seq",
    "opened_at",
    "monotonic_s",
    "user",
    "parley_version",
    "commit",
    "code_hash",
    "python",
    "platform",
)
ROOT = Path(__file__).resolve().parents[1]
SHIPPED = {".py", ".md", ".toml", ".html", ".css", ".csv"}

Progress = Callable[[int, int], None]


@contextmanager
def attested(folder: RunFolder, log: EventLog, on_progress: Progress) -> Iterator[Progress]:
    """A day loop's progress callback that also signs the closes it has passed; the rest is signed at the end.

    This process is noted first. Where the loop ends in an error, the next start signs what is missing.
    """
    note_host(folder, log)
    signer = HeadSigner(folder.path / HEADS, lambda: own_key(folder.book.path / KEYS), wall_time)

    def told(done: int, total: int) -> None:
        signer.sign_new(log)
        on_progress(done, total)

    yield told
    signer.sign_new(log)


def note_host(folder: RunFolder, log: EventLog) -> None:
    """One line for each process that opens the log to write: from which event on, when, by whom, with which code.

    `monotonic_s` beside `opened_at` ties this process's steady clock to the wall.
    """
    values = (
        log.head()[0],
        wall_time(),
        elapsed_s(),
        _user(),
        __version__,
        commit(ROOT),
        code_hash(ROOT),
        platform.python_version(),
        platform.platform(),
    )
    line = dict(zip(HOST_FIELDS, values, strict=True))
    path = folder.path / HOSTS
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, sort_keys=True) + "\n")
    except OSError as error:
        raise StoreUnwritable(
            f"{path}: cannot be written ({error.strerror or error})",
            remedy="Let the run's folder be writable by the user who runs the desk.",
        ) from error


def commit(root: Path) -> str | None:
    """The commit checked out where the code lies; None for an installed package."""
    folder = root / ".git"
    try:
        head = (folder / "HEAD").read_text(encoding="utf-8").strip()
        name = head.removeprefix("ref: ")
        if name == head:
            return head
        if (folder / name).exists():
            return (folder / name).read_text(encoding="utf-8").strip()
        packed = (folder / "packed-refs").read_text(encoding="utf-8").splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {name}")), None)
    except OSError:
        return None


def code_hash(root: Path) -> str:
    """SHA-256 over every shipped file of the package: what was run, committed or not."""
    packages = [path for path in sorted(root.iterdir()) if (path / "__init__.py").exists()]
    nested = [path for package in packages for path in package.rglob("*") if path.suffix in SHIPPED]
    digest = hashlib.sha256()
    for path in sorted((*root.glob("*.py"), *nested)):
        name = path.relative_to(root).as_posix()
        digest.update(f"{name}\x1f{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
