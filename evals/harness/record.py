"""The record of one evaluation in a folder: manifest, outcomes, transcripts, timings, summary. A kill loses nothing.

A line is appended when a sample is done and its transcript is in place, so that what is there can be trusted; when all
are done, the lines are put in the order of the samples and every byte is the same whatever happened on the way.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ...domain.canonical import canonical_text
from ..errors import EvalUnknown, RecordBusy, RecordUnreadable, RecordUnwritable
from .outcomes import Kept, kept_of, outcome_line, transcript_text
from .pool import Done, Job
from .task import Outcome, Sample, Summary

EVALS, LATEST = "evals", "latest"
MANIFEST, OUTCOMES, TIMINGS, SUMMARY, STATE = (
    "manifest.json",
    "outcomes.jsonl",
    "timings.jsonl",
    "summary.json",
    "state.json",
)
_SUMMARY = TypeAdapter(Summary)


class Record:
    """One folder of BOOK/evals."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def id(self) -> str:
        return self.folder.name

    def begin(self, manifest: Mapping[str, Any], *, anew: bool) -> None:
        """Make the folder; with `anew` nothing of before stays."""
        with _written(self.folder):
            if anew:
                for path in sorted(self.folder.rglob("*"), reverse=True):
                    path.rmdir() if path.is_dir() else path.unlink()
            self.folder.mkdir(parents=True, exist_ok=True)
            _replace(self.folder / MANIFEST, _document(manifest))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else writes to this record meanwhile."""
        with _written(self.folder):
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            lock = (self.folder.parent / f".{self.id}.lock").open("w")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise RecordBusy(
                    f"another process is at work on {self.id}", remedy="Wait for it, or end it first."
                ) from error
            yield

    def add(self, done: Done) -> None:
        """Keep one result: the transcript first, then the line that says that it is there."""
        job = done.job
        with _written(self.folder):
            if done.outcome is not None:
                path = self._transcript(job.sample.id, job.epoch)
                path.parent.mkdir(parents=True, exist_ok=True)
                _replace(path, transcript_text(job.sample, job.epoch, done.outcome.transcript) + "\n")
            _append(self.folder / OUTCOMES, outcome_line(job.sample.id, job.epoch, done.outcome, done.error))
            took = {"sample": job.sample.id, "epoch": job.epoch, "seconds": round(done.seconds, 4)}
            _append(self.folder / TIMINGS, canonical_text(took))

    def kept(self) -> dict[tuple[str, int], Kept]:
        """What is there, the newest of each sample; a line that a kill cut short is not."""
        found: dict[tuple[str, int], Kept] = {}
        for line in _lines(self.folder / OUTCOMES):
            item = kept_of(line)
            if item.error or self._transcript(item.sample, item.epoch).exists():
                found[item.key] = item
        return found

    def settle(self, jobs: Sequence[Job], kept: Mapping[tuple[str, int], Kept]) -> None:
        """Put the lines in the order of the jobs, one for each that was done."""
        rows = [kept[job.sample.id, job.epoch] for job in jobs if (job.sample.id, job.epoch) in kept]
        lines = [outcome_line(row.sample, row.epoch, row.outcome, row.error) + "\n" for row in rows]
        with _written(self.folder):
            _replace(self.folder / OUTCOMES, "".join(lines))

    def outcome(self, kept: Kept) -> Outcome:
        """The outcome with its transcript."""
        path, old = self._transcript(kept.sample, kept.epoch), kept.outcome
        transcript = _read(path)["transcript"]
        return Outcome(old.scores, old.passed, old.reason, transcript, old.calls, old.tokens, old.cost_usd)

    def samples(self) -> dict[str, Sample]:
        """Every sample that was answered, as it was asked."""
        found: dict[str, Sample] = {}
        for item in self.kept().values():
            if not item.error and item.sample not in found:
                row = _read(self._transcript(item.sample, item.epoch))
                found[item.sample] = Sample(row["sample"], row["input"], row["target"], row["metadata"])
        return found

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        with _written(self.folder):
            _replace(self.folder / name, _document(document))

    def write_text(self, name: str, text: str) -> None:
        with _written(self.folder):
            _replace(self.folder / name, text)

    def write_summary(self, summary: Summary) -> None:
        """In the order of its fields and lines, which a reader sees."""
        self.write_text(SUMMARY, _SUMMARY.dump_json(summary, indent=2).decode() + "\n")

    def summary(self) -> Summary:
        try:
            return _SUMMARY.validate_json((self.folder / SUMMARY).read_bytes())
        except (OSError, ValidationError) as error:
            raise RecordUnreadable(
                f"{self.id}: no summary that can be read",
                remedy=f"Run `parley eval score {self.id}`, which makes it from the outcomes.",
            ) from error

    def summary_document(self) -> dict[str, Any]:
        """The summary as plain JSON."""
        return _SUMMARY.dump_python(self.summary(), mode="json")

    def manifest(self) -> dict[str, Any]:
        return _read(self.folder / MANIFEST)

    def state(self) -> dict[str, Any]:
        """Whether it is finished, and if not why."""
        path = self.folder / STATE
        return _read(path) if path.exists() else {"state": "running", "reason": "it was killed, or it is at work"}

    def name_latest(self, suite: str) -> None:
        with _written(self.folder):
            (self.folder.parent / LATEST).mkdir(exist_ok=True)
            _replace(self.folder.parent / LATEST / suite, f"{self.id}\n")

    def _transcript(self, sample: str, epoch: int) -> Path:
        folder = self.folder / "transcripts"
        return (folder / f"epoch-{epoch}" if epoch else folder) / f"{sample}.json"


def find_record(book: Path, name: str) -> Record:
    """An evaluation of a book by its id, or the latest of a suite by the suite's name."""
    latest = book / EVALS / LATEST / name
    ident = latest.read_text(encoding="utf-8").strip() if latest.is_file() else name
    record = Record(book / EVALS / ident)
    if "/" in name or name in ("", ".", "..", LATEST) or not (record.folder / MANIFEST).is_file():
        known = ", ".join(item.id for item in records(book)) or "none"
        raise EvalUnknown(f"there is no evaluation {name!r} in {book}", remedy=f"There are: {known}.")
    return record


def records(book: Path) -> list[Record]:
    """Every evaluation of a book, by name."""
    return [Record(path.parent) for path in sorted((book / EVALS).glob(f"*/{MANIFEST}"))]


def latest_records(book: Path) -> list[Record]:
    """The latest evaluation of each suite."""
    names = sorted(path.name for path in (book / EVALS / LATEST).glob("*"))
    return [find_record(book, name) for name in names]


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RecordUnwritable(
            f"{folder}: cannot write the record ({error.strerror or error}); what is there can be read",
            remedy="Free some space or mend the permissions, and run the same command: it goes on where it stopped.",
        ) from error


def _append(path: Path, line: str) -> None:
    """A whole line, or an error; a line that was cut short before is taken off first."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        end = os.lseek(handle, 0, os.SEEK_END)
        if end and os.pread(handle, 1, end - 1) != b"\n":
            end = path.read_bytes().rfind(b"\n") + 1
            os.ftruncate(handle, end)
        data = f"{line}\n".encode()
        while data:
            wrote = os.pwrite(handle, data, end)
            data, end = data[wrote:], end + wrote
    finally:
        os.close(handle)


def _lines(path: Path) -> list[str]:
    """Whole lines; none where there is no file."""
    if not path.exists():
        return []
    body, _, _ = path.read_bytes().rpartition(b"\n")
    return body.decode("utf-8").split("\n") if body else []


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _document(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecordUnreadable(
            f"{path}: cannot be read ({error})", remedy="Run the evaluation anew with --refresh."
        ) from error
