"""Which desks trade: one for each book, with its own data, settings, jobs and drill; checked before anything starts."""

import tomllib
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

from ...desk.book import Book, RunFolder
from ...desk.clock import wall_s
from ...market.sessions import SessionCalendar, session_calendar
from ..preparing import Prepared, RunRequest, prepare
from ..resuming import begun_last, refuse_changed
from .drill import Drill, read_drill
from .errors import DesksInvalid, NoLiveData, PaceInvalid
from .schedule import DAILY, Job, parse_jobs, with_times

MAX = "max"
FASTEST = 1_000_000.0
DESK_KEYS = frozenset({"book", "data", "start", "end", "model", "seed", "config", "jobs", "faults", "venue"})


@dataclass(frozen=True, slots=True)
class TradeRequest:
    """The options of `trade`."""

    books: tuple[Path, ...]
    run: RunRequest
    accelerate: str | None = None
    jobs: str | None = None
    faults: str | None = None
    desks: Path | None = None


@dataclass(frozen=True, slots=True)
class DeskTerms:
    """One desk, ready to start."""

    prepared: Prepared
    folder: RunFolder
    calendar: SessionCalendar
    jobs: tuple[Job, ...]
    drill: Drill

    @property
    def sessions(self) -> tuple[date, ...]:
        return self.prepared.plan.sessions

    def job(self, kind: str) -> Job:
        return next(job for job in self.jobs if job.kind == kind)


def parse_pace(text: str | None) -> float | None:
    """How many times as fast as the wall the market's clock runs; None where it jumps to what is due next.

    Without a word it would be live, at the wall's own time.
    """
    if text == MAX:
        return None
    try:
        factor = float(text) if text is not None else 1.0
    except ValueError as error:
        raise PaceInvalid(f"--accelerate {text!r} is no number", remedy="Write 10000, or max.") from error
    if not 1.0 <= factor <= FASTEST:
        raise PaceInvalid(f"--accelerate {text} is not between 1 and {FASTEST:,.0f}", remedy="Write 10000, or max.")
    return factor


def all_terms(request: TradeRequest) -> tuple[DeskTerms, ...]:
    """Every desk that was asked for; raises before anything is written."""
    rows = _rows(request)
    books = [row.run.book.absolute() for row in rows]
    if len(set(books)) < len(books):
        raise DesksInvalid("two desks share a book", remedy="A book has one desk: give each its own.")
    return tuple(desk_terms(row) for row in rows)


@dataclass(frozen=True, slots=True)
class _Row:
    """One desk as it was asked for."""

    run: RunRequest
    jobs: tuple[Job, ...]
    faults: str | None
    is_live: bool


def desk_terms(row: _Row) -> DeskTerms:
    prepared = prepare(replace(row.run, as_live=True))
    data, sessions = prepared.data, prepared.plan.sessions
    if data.panel.interval is not None:
        raise DesksInvalid(
            f"{prepared.plan.data} is decided on within the day, and {DAILY} when it is on a schedule",
            remedy="Give daily data; `parley run --every 30m` replays a recording.",
        )
    if row.is_live:
        _refuse_stale(prepared)
    calendar = session_calendar(data.panel.calendar, sessions[0], sessions[-1])
    book = Book(row.run.book)
    folder = book.run_folder(prepared.run_id)
    refuse_changed(begun_last(book), folder, prepared)
    drill = Drill() if row.faults is None else read_drill(row.faults, sessions, data.history(), prepared.plan.seed)
    return DeskTerms(prepared, folder, calendar, row.jobs, drill)


def take_folder(terms: DeskTerms) -> None:
    """The run's folder, made where it is not there yet; people's commands go to it from now on."""
    book = terms.folder.book
    if terms.folder.exists:
        book.take_up(terms.folder)
    else:
        book.create(terms.folder.run_id)


def _refuse_stale(prepared: Prepared) -> None:
    """Live, the newest bar must be of the session that closed last. A run is named by all its data when it begins,
    so bars that are added while it trades would make another run of it: what is recorded has no next session."""
    name, last = prepared.plan.data, prepared.plan.sessions[-1]
    calendar = session_calendar(prepared.data.panel.calendar, last, last)
    following = calendar.next_session(last)
    if calendar.close_time(following) <= datetime.fromtimestamp(wall_s(), UTC):
        text = f"{name} ends with the session of {last}, and that of {following} has closed since"
    else:
        text = f"{name} ends with the session of {last}: the next one is not recorded, and a run is named by its data"
    raise NoLiveData(text, remedy="Trade recorded sessions: --accelerate 1 is the wall's own pace, max the fastest.")


def _rows(request: TradeRequest) -> tuple[_Row, ...]:
    is_live = request.accelerate is None
    if request.desks is None:
        jobs = parse_jobs(request.jobs)
        return tuple(_Row(replace(request.run, book=book), jobs, request.faults, is_live) for book in request.books)
    try:
        found = tomllib.loads(request.desks.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DesksInvalid(f"{request.desks}: {error}", remedy="Give a TOML file with [[desk]] tables.") from error
    rows = found.get("desk")
    if set(found) != {"desk"} or not isinstance(rows, list) or not rows:
        raise DesksInvalid(f"{request.desks}: expected [[desk]] tables", remedy="Give each a book, and what differs.")
    return tuple(_row_of(row, request, is_live) for row in cast("list[Any]", rows))


def _row_of(row: Any, request: TradeRequest, is_live: bool) -> _Row:
    values = cast("dict[str, Any]", row) if isinstance(row, dict) else {}
    unknown = sorted(set(values) - DESK_KEYS)
    if unknown or not isinstance(values.get("book"), str):
        raise DesksInvalid(
            f"{request.desks}: a desk with {', '.join(unknown) or 'no book'}",
            remedy=f"Name a book, and any of: {', '.join(sorted(DESK_KEYS))}.",
        )
    jobs, faults = values.pop("jobs", None), values.pop("faults", request.faults)
    book, config = Path(values.pop("book")), values.pop("config", None)
    changes = {name: value if name == "seed" else str(value) for name, value in values.items()}
    run = replace(request.run, book=book, **changes)
    if config is not None:
        run = replace(run, config=Path(str(config)))
    timed = with_times({str(kind): str(when) for kind, when in _named(jobs)})
    return _Row(run, timed if jobs else parse_jobs(request.jobs), faults, is_live)


def _named(jobs: Any) -> list[tuple[Any, Any]]:
    return list(cast("dict[Any, Any]", jobs).items()) if isinstance(jobs, dict) else []
