"""Which desks trade: one for each book, with its own data, settings, jobs and drill; checked before anything starts."""

import tomllib
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from ...desk.book import Book, RunFolder
from ...desk.clock import wall_now
from ...desk.settings import settings_of_run
from ...domain.events import RunStarted
from ...market.history import History
from ...market.sessions import SessionCalendar, session_calendar, utc_moment
from ..preparing import DEFAULT_DATA, Prepared, RunRequest, prepare
from ..resuming import begun_last, refuse_changed
from .drill import Drill, read_drill
from .errors import DesksInvalid, NoLiveData, PaceInvalid
from .schedule import DAILY, Job, parse_jobs, with_times

MAX = "max"
FASTEST = 1_000_000.0
DESK_KEYS = frozenset({"book", "data", "start", "end", "model", "seed", "config", "jobs", "faults", "venue"})
BEFORE_FIRST, AFTER_LAST = timedelta(hours=1), timedelta(hours=8)
"""A run's time begins before its first open; a decision at its last close has no open to be made before."""


@dataclass(frozen=True, slots=True)
class TradeRequest:
    """The options of `trade`."""

    books: tuple[Path, ...]
    run: RunRequest
    accelerate: str | None = None
    jobs: str | None = None
    faults: str | None = None
    desks: Path | None = None
    growing: bool = False


@dataclass(frozen=True, slots=True)
class AskedDesk:
    """One desk as it was asked for."""

    run: RunRequest
    jobs: tuple[Job, ...]
    faults: str | None
    is_live: bool


@dataclass(frozen=True, slots=True)
class DeskTerms:
    """One desk, ready to start."""

    asked: AskedDesk
    prepared: Prepared
    folder: RunFolder
    calendar: SessionCalendar
    jobs: tuple[Job, ...]
    drill: Drill

    @property
    def sessions(self) -> tuple[date, ...]:
        return self.prepared.plan.sessions

    @property
    def is_growing(self) -> bool:
        """Whether the data gain sessions while the desk trades; the last of `sessions` has no bar then."""
        return self.prepared.settings.growing

    @property
    def attended(self) -> tuple[date, ...]:
        """The sessions that the desk is there for: what grows begins with one that is over."""
        return self.sessions[1:] if self.is_growing else self.sessions

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From before the first open to after the last close; of what grows, from the close that it begins with on."""
        history, sessions = self.prepared.data.history(), self.sessions
        if self.is_growing:
            return history.close_time(sessions[0]), utc_moment(self.calendar.closes[-1])
        return history.opening_time(sessions[0]) - BEFORE_FIRST, history.close_time(sessions[-1]) + AFTER_LAST

    def job(self, kind: str) -> Job:
        return next(job for job in self.jobs if job.kind == kind)


def parse_pace(text: str | None) -> float | None:
    """How many times as fast as the wall the market's clock runs; None where it jumps to what is due next.

    Without a word it is live, at the wall's own time.
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


def desk_terms(asked: AskedDesk) -> DeskTerms:
    """Raises before anything is written. Of a desk whose data grow, with all they have by now."""
    request, book = replace(asked.run, as_live=True), Book(asked.run.book)
    begun = begun_last(book)
    if request.growing:
        request = _as_it_grew(request, begun)
    prepared = prepare(request)
    data, sessions = prepared.data, prepared.plan.sessions
    if data.panel.interval is not None:
        raise DesksInvalid(
            f"{prepared.plan.data} is decided on within the day, and {DAILY} when it is on a schedule",
            remedy="Give daily data; `parley run --every 30m` replays a recording.",
        )
    if asked.is_live:
        _refuse_stale(data.history(), prepared.plan.data)
    calendar = session_calendar(data.panel.calendar, sessions[0], sessions[-1])
    folder = book.run_folder(prepared.run_id)
    refuse_changed(begun, folder, prepared)
    drill = Drill() if asked.faults is None else read_drill(asked.faults, sessions, data.history(), prepared.plan.seed)
    return DeskTerms(asked, prepared, folder, calendar, asked.jobs, drill)


def renewed(terms: DeskTerms) -> DeskTerms:
    """The same desk with what its data have by now; raises where they are no longer those it began with."""
    return desk_terms(terms.asked)


def take_folder(terms: DeskTerms) -> None:
    """The run's folder, made where it is not there yet; people's commands go to it from now on."""
    book = terms.folder.book
    if terms.folder.exists:
        book.take_up(terms.folder)
    else:
        book.create(terms.folder.run_id)


def _as_it_grew(request: RunRequest, begun: RunStarted | None) -> RunRequest:
    """The same, from the session that the book's run began with, where that one grows on the same data."""
    name = request.data or DEFAULT_DATA
    if not Path(name).is_file():
        raise NoLiveData(
            f"{name} is no file, and a live desk needs one that gains each session's bars once it is over",
            remedy="Give --data a CSV or Parquet file of daily bars that something adds to; or trade recorded ones, "
            "--accelerate 1 at the wall's own pace, max as fast as it goes.",
        )
    if request.end is not None:
        raise DesksInvalid(
            "--end was given, and data that grow have none", remedy="Leave it out; Ctrl-C ends the desk."
        )
    if request.start is None and begun is not None and begun.data == name and settings_of_run(begun.settings).growing:
        return replace(request, start=begun.first_session.isoformat())
    return request


def _refuse_stale(history: History, name: str) -> None:
    """Live, the newest bar is of the session that closed last, or that one's is still to come."""
    last, now = history.last_session, wall_now()
    if history.close_time(last) > now:
        raise NoLiveData(
            f"{name} has a bar of {last}, a session that is not over",
            remedy="Add a session's bars once it has closed: the desk takes every row as final.",
        )
    awaited = history.next_session(last)
    if history.close_time(history.next_session(awaited)) <= now:
        raise NoLiveData(
            f"{name} ends with the session of {last}, and more than one has closed since",
            remedy="Add what is missing, or trade recorded sessions: --accelerate 1 is the wall's own pace.",
        )


def _rows(request: TradeRequest) -> tuple[AskedDesk, ...]:
    is_live = request.accelerate is None
    request = replace(request, run=replace(request.run, growing=is_live or request.growing))
    if request.run.growing and (request.faults is not None or request.accelerate == MAX):
        raise DesksInvalid(
            "data that grow were asked for with --faults or --accelerate max",
            remedy="Drills are for recorded sessions, and what is to come can't be jumped to: leave these out.",
        )
    if request.desks is None:
        jobs = parse_jobs(request.jobs)
        return tuple(
            AskedDesk(replace(request.run, book=book), jobs, request.faults, is_live) for book in request.books
        )
    try:
        found = tomllib.loads(request.desks.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DesksInvalid(f"{request.desks}: {error}", remedy="Give a TOML file with [[desk]] tables.") from error
    rows = found.get("desk")
    if set(found) != {"desk"} or not isinstance(rows, list) or not rows:
        raise DesksInvalid(f"{request.desks}: expected [[desk]] tables", remedy="Give each a book, and what differs.")
    return tuple(_row_of(row, request, is_live) for row in cast("list[Any]", rows))


def _row_of(row: Any, request: TradeRequest, is_live: bool) -> AskedDesk:
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
    return AskedDesk(run, timed if jobs else parse_jobs(request.jobs), faults, is_live)


def _named(jobs: Any) -> list[tuple[Any, Any]]:
    return list(cast("dict[Any, Any]", jobs).items()) if isinstance(jobs, dict) else []
