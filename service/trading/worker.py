"""One process of one desk on its schedule: everything is built from its log and its book of jobs, and walked on."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from ...agents.llm.port import ChatModel
from ...desk.alert_book import AlertBook
from ...desk.book import open_log
from ...desk.clock import wall_s
from ...desk.desk import Desk, build_desk, run_started
from ...desk.job_book import JobBook, open_job_book
from ...desk.models import build_model, kept_model
from ...desk.operator import book_post
from ...desk.reflecting import KeptIndex
from ...desk.remembering import RememberingModel, recorded_calls
from ...desk.trade_clock import JumpClock, PacedClock, TradeClock
from ...desk.watchman import Watchman
from ...evals.days import RecordedDays
from ...memory.history import last_session_boundary
from ...memory.log import EventLog
from ..alerting.watcher import BookWatcher, alert_watcher, sole_watch
from ..attesting import attested
from .chores import Chores
from .desks import DeskTerms
from .drill import DrillFault, Strikes
from .feed import Feed
from .preflight import Preflight
from .schedule import Job
from .scheduler import Result, Scheduler
from .status_file import StatusFile
from .trader import AFTER_LAST, Ended, Trader
from .troubles import DrilledModel, ScriptedOperator, die, is_answering
from .uptime import measure_uptime

BEFORE_FIRST = timedelta(hours=1)
FIRED, STRUCK_AT, RESTARTS = "fired", "struck_at", "restarts"


@dataclass(frozen=True, slots=True)
class Start:
    """How a process is started: at which pace, and after which death of the one before it."""

    factor: float | None
    market: datetime
    """Where the market's clock stands when the first process is ready."""
    died_at_s: float | None = None
    """The wall's time at which the process before this one was gone; None for the first."""


def span_of(terms: DeskTerms) -> tuple[datetime, datetime]:
    """From before the first open to after the last close."""
    history, sessions = terms.prepared.data.history(), terms.sessions
    return history.opening_time(sessions[0]) - BEFORE_FIRST, history.close_time(sessions[-1]) + AFTER_LAST


def trade_desk(terms: DeskTerms, start: Start, strike: Callable[[DrillFault], None] = lambda fault: die()) -> bool:
    """The sessions from wherever the book stands; False where it was asked to end before the last."""
    folder, settings = terms.folder, terms.prepared.settings
    post, parent = book_post(folder.book.path), os.getppid()
    with ExitStack() as stack:
        log, _ = stack.enter_context(open_log(folder, commit=settings.log_commit))
        jobs = stack.enter_context(open_job_book(folder.book.path, folder.run_id))
        watchman = stack.enter_context(Watchman(post.flag, post.heartbeat))
        fired, history = set[str](jobs.noted(FIRED) or ()), terms.prepared.data.history()

        def keep(names: list[str]) -> None:
            jobs.note(FIRED, names)
            jobs.note(STRUCK_AT, clock.now().isoformat())

        strikes = Strikes(terms.drill, history, fired, keep, strike)
        desk, begin_decision = stack.enter_context(_desk(terms, log, strikes))
        clock = _clock(terms, start, jobs)
        feed = Feed(desk.history, terms.sessions, terms.drill.arrivals(desk.history))
        steps = {job.kind: job for job in terms.jobs if job.is_step}
        trader = Trader(
            desk,
            terms.sessions,
            terms.calendar,
            clock,
            post,
            feed,
            strikes,
            lambda: watchman.is_asked_to_end or os.getppid() != parent,
            steps,
        )
        keeper = KeptIndex(folder.recall_path, log) if desk.has_memory else None
        if keeper is not None:
            stack.callback(keeper.close)
        plan = terms.prepared.plan
        started = run_started(settings, terms.prepared.limits, terms.prepared.data, plan)
        days = RecordedDays(
            desk, plan.sessions, plan.seed, started, post=post, watchman=watchman, keeper=keeper, pace=trader
        )
        standing = days.controls.standing
        alerts = AlertBook(folder.book.path, clock.now)
        watch = stack.enter_context(_watch(terms, start, clock))
        preflight = Preflight(desk, standing, post, feed, alerts, is_answering, watch)
        chores = Chores(desk, standing, feed, preflight)
        note = _Note(terms, start, jobs, clock, trader)

        def work(job: Job, due: datetime) -> Result:
            result = trader.chore(job, due)
            note.tell()
            return result

        scheduler = Scheduler(terms.jobs, terms.calendar, jobs, clock, span_of(terms), work, trader.missed)
        wait = terms.drill.operator_minutes
        operator = None if wait is None else ScriptedOperator(post, standing, alerts, wait)
        told = stack.enter_context(attested(folder, log, lambda done, total: note.tell(done)))
        trader.attach(days, scheduler, chores, preflight, operator, told, begin_decision)
        _note_restart(start, jobs, clock)
        try:
            asyncio.run(trader.run())
        except Ended:
            note.tell(is_last=True)
            return False
        note.tell(len(terms.sessions), is_last=True)
        return True


class _Note:
    """Keeps `book/trading.json`: where the desk is, and its uptime so far."""

    def __init__(self, terms: DeskTerms, start: Start, jobs: JobBook, clock: TradeClock, trader: Trader) -> None:
        self._terms, self._start, self._jobs, self._clock, self._trader = terms, start, jobs, clock, trader
        self._file, self._done = StatusFile(terms.folder.book.path), 0

    def tell(self, done: int | None = None, *, is_last: bool = False) -> None:
        self._done = self._done if done is None else done
        if self._file.is_due or is_last:
            self._file.write(self._document())

    def _document(self) -> dict[str, Any]:
        terms, jobs = self._terms, self._jobs
        health = terms.job("health")
        seen = terms.sessions[: self._done + 1]
        found = measure_uptime(jobs.rows(job=health.kind), health.when, terms.calendar, seen, self._clock.now())
        return {
            "run": terms.folder.run_id,
            "data": terms.prepared.plan.data,
            "accelerate": "max" if self._start.factor is None else self._start.factor,
            "clock": self._clock.now().isoformat(timespec="seconds"),
            "doing": self._trader.doing,
            "session": seen[-1].isoformat(),
            "sessions_done": self._done,
            "sessions": len(terms.sessions),
            "state": self._trader.state,
            "next": self._trader.next_step(),
            "jobs": jobs.counts(),
            "uptime": found.plain(),
            "restarts": jobs.noted(RESTARTS) or [],
            "pid": os.getpid(),
        }


def _clock(terms: DeskTerms, start: Start, jobs: JobBook) -> TradeClock:
    """It begins when the first process is ready. A paced one goes on at its pace while no process is there; one that
    jumps is moved on by the drill's time away."""
    struck = jobs.noted(STRUCK_AT)
    times = (start.market, jobs.last_time(), datetime.fromisoformat(struck) if struck else None)
    at, died_at_s = max(time for time in times if time is not None), start.died_at_s
    if start.factor is None:
        return JumpClock(at + timedelta(minutes=terms.drill.restart_minutes if died_at_s is not None else 0))
    away_s = wall_s() - died_at_s if died_at_s is not None else 0.0
    return PacedClock(at + timedelta(seconds=away_s * start.factor), start.factor)


def _note_restart(start: Start, jobs: JobBook, clock: TradeClock) -> None:
    if start.died_at_s is not None:
        found = {"at": clock.now().isoformat(timespec="seconds"), "away_s": round(wall_s() - start.died_at_s, 3)}
        jobs.note(RESTARTS, [*(jobs.noted(RESTARTS) or []), found])


@contextmanager
def _watch(terms: DeskTerms, start: Start, clock: TradeClock) -> Iterator[Callable[[], object]]:
    """The watch over alerts: a thread where time passes; what is called before each check where it jumps."""
    book, settings = terms.folder.book.path, terms.prepared.settings
    if start.factor is not None or settings.alerts.watch == "off":
        with alert_watcher(book, settings, clock.now, from_start=True):
            yield lambda: None
        return
    with sole_watch(book) as is_ours:
        watcher = BookWatcher(book, settings, clock.now, from_start=True)

        def look() -> None:
            if is_ours:
                watcher.look()
                watcher.tell()

        yield look


@contextmanager
def _desk(terms: DeskTerms, log: EventLog, strikes: Strikes) -> Iterator[tuple[Desk, Callable[[date], None]]]:
    """The desk over its log, and who is told which session it decides on."""
    prepared, folder = terms.prepared, terms.folder
    llm = prepared.settings.llm
    with kept_model(build_model(prepared.plan.model, llm), llm, folder) as kept:
        model: ChatModel = kept.model
        if not model.is_deterministic:
            model = RememberingModel(recorded_calls(log, last_session_boundary(log)), model)
        drilled = DrilledModel(model, terms.drill.dead_sessions(terms.sessions), strikes)
        desk = build_desk(
            prepared.settings,
            prepared.limits,
            prepared.data,
            prepared.plan,
            log,
            drilled if terms.drill.faults else model,
            str(folder.checkpoint_path),
            kept.begin_decision,
        )
        yield desk, drilled.decides_on
