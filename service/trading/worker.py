"""One process of one desk on its schedule: everything is built from its log and its book of jobs, and walked on."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from ...agents.llm.port import ChatModel
from ...desk.alert_book import AlertBook
from ...desk.book import open_log
from ...desk.clock import wall_now, wall_s
from ...desk.desk import Desk, build_desk, run_started
from ...desk.job_book import JobBook, open_job_book
from ...desk.models import build_model, kept_model
from ...desk.operator import BookPost, book_post
from ...desk.reflecting import KeptIndex
from ...desk.remembering import RememberingModel, recorded_calls
from ...desk.trade_clock import RESOLUTION, JumpClock, PacedClock, TradeClock, WallClock
from ...desk.watchman import Watchman
from ...evals.days import RecordedDays
from ...market.history import History
from ...memory.errors import BatchLost
from ...memory.history import last_session_boundary
from ...memory.log import EventLog
from ...storage.errors import StoreLocked, StoreUnwritable
from ..alerting.watcher import BookWatcher, alert_watcher, sole_watch
from ..attesting import attested
from .chores import ABLE, Chores
from .clock_jumps import tell_jump
from .desks import DeskTerms
from .drill import DrillFault
from .errors import DeskUnable
from .feed import Feed
from .growing import GrowingFile
from .hearing import Hearing
from .model_check import ModelCheck
from .outages import Outages
from .preflight import Preflight
from .schedule import Job
from .scheduler import Result, Scheduler
from .status_file import StatusFile
from .strikes import STRUCK_AT, Strikes
from .trader import Ended, Grown, Trader
from .troubles import DrilledModel, ScriptedOperator, die
from .unable import tell_able
from .uptime import measure_uptime

Ending = Literal["finished", "ended", "grown"]
RESTARTS, BEGUN = "restarts", "begun"
NEVER = datetime.max.replace(tzinfo=UTC)
LONGEST_AWAY = timedelta(minutes=30)
"""Of a clock that jumps: starts in vain are ever further apart on it, up to this."""


@dataclass(frozen=True, slots=True)
class Start:
    """How a process is started: at which pace, and after which death of the one before it."""

    factor: float | None
    market: datetime
    """Where the market's clock stands when the first process is ready."""
    died_at_s: float | None = None
    """The wall's time at which the process before this one was gone; None for the first."""
    refused: int = 0
    """How many processes in a row ended before this one because nothing could be written."""
    gone_at_s: float | None = None
    """The wall's time since which none of them could work; None where `died_at_s` says it."""
    has_grown: bool = False
    """Whether the process before ended because the data have a session that it had not: no death, and no restart."""


def trade_desk(terms: DeskTerms, start: Start, strike: Callable[[DrillFault], None] = lambda fault: die()) -> Ending:
    """The sessions from wherever the book stands: to the last, until it is asked to end or its data have more."""
    folder, settings = terms.folder, terms.prepared.settings
    parent = os.getppid()
    with ExitStack() as stack:
        jobs = stack.enter_context(open_job_book(folder.book.path, folder.run_id))
        post, hearing = _post(terms, jobs)
        clock = _clock(terms, start, jobs, lambda by: tell_jump(alerts, settings.alerts.rules(), by))
        alerts = AlertBook(folder.book.path, clock.now)
        stack.enter_context(_telling_when(clock))
        outages = stack.enter_context(Outages(folder.log_path))
        strikes = Strikes(terms.drill, terms.prepared.data.history(), jobs, outages, clock.now, strike)
        strikes.resume()
        log, _ = stack.enter_context(open_log(folder, commit=settings.log_commit))
        watchman = stack.enter_context(Watchman(post.flag, post.heartbeat))
        desk, begin_decision = stack.enter_context(_desk(terms, log, strikes))
        awaited = {terms.sessions[-1]: NEVER} if terms.is_growing else {}
        feed = Feed(desk.history, terms.sessions, {**terms.drill.arrivals(desk.history), **awaited})
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
            terms.span[1],
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
        watch = stack.enter_context(_watch(terms, start, clock))
        model = ModelCheck(plan.model, settings.llm, desk.ports.asking.model, lambda: post.flag.is_raised)
        preflight = Preflight(desk, standing, post, feed, alerts, model, watch)
        chores = Chores(desk, standing, feed, preflight, alerts)
        note = _Note(terms, start, jobs, clock, trader)

        def work(job: Job, due: datetime) -> Result:
            result = trader.chore(job, due)
            if job.kind != "preflight" and result.said != ABLE:
                watch()  # of a pre-flight it is a part; of a desk that is able nothing has to be told at once
            note.tell()
            return result

        span = _begun_at(terms, jobs, clock), terms.span[1]
        scheduler = Scheduler(terms.jobs, terms.calendar, jobs, clock, span, work, trader.missed)
        wait = terms.drill.operator_minutes
        operator = None if wait is None else ScriptedOperator(post, standing, alerts, wait)
        told = stack.enter_context(attested(folder, log, lambda done, total: note.tell(done)))
        growth = _growth(terms, desk.history, clock, trader) if terms.is_growing else None
        trader.attach(days, scheduler, chores, preflight, operator, told, begin_decision, growth, hearing)
        _note_restart(start, jobs, clock)
        tell_able(alerts)
        try:
            asyncio.run(trader.run())
        except (Ended, Grown) as end:
            note.tell(is_last=True)
            return "grown" if isinstance(end, Grown) else "ended"
        note.tell(len(terms.sessions), is_last=True)
        return "finished"


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
        there = [session for session in seen if session in terms.attended]
        found = measure_uptime(jobs.rows(job=health.kind), health.when, terms.calendar, there, self._clock.now())
        return {
            "run": terms.folder.run_id,
            "data": terms.prepared.plan.data,
            "accelerate": "max" if self._start.factor is None else self._start.factor,
            "clock": self._clock.now().isoformat(timespec="seconds"),
            "doing": self._trader.doing,
            "session": seen[-1].isoformat(),
            "sessions_done": self._done,
            "sessions": len(terms.sessions),
            "growing": terms.is_growing,
            "state": self._trader.state,
            "next": self._trader.next_step(),
            "jobs": jobs.counts(),
            "uptime": found.plain(),
            "restarts": jobs.noted(RESTARTS) or [],
            "pid": os.getpid(),
        }


def _post(terms: DeskTerms, jobs: JobBook) -> tuple[BookPost, Hearing | None]:
    """How the desk is reached, and who keeps what was asked for where its sessions are worked after they are over."""
    post = book_post(terms.folder.book.path)
    if not terms.is_growing:
        return post, None
    hearing = Hearing(post.inbox.folder, jobs)
    return replace(post, inbox=hearing), hearing


def _growth(terms: DeskTerms, history: History, clock: TradeClock, trader: Trader) -> GrowingFile:
    name, book = terms.prepared.plan.data, terms.folder.book
    return GrowingFile(Path(name), lambda: book.load(name), history, terms.sessions[-1], clock.now, trader.tell_of_data)


def _begun_at(terms: DeskTerms, jobs: JobBook, clock: TradeClock) -> datetime:
    """Since when jobs are due: from the run's first open on; of what grows, from when its first process was ready."""
    if not terms.is_growing:
        return terms.span[0]
    begun = jobs.noted(BEGUN)
    if begun is None:
        jobs.note(BEGUN, begun := clock.now().isoformat())
    return datetime.fromisoformat(begun)


def _clock(
    terms: DeskTerms, start: Start, jobs: JobBook, on_jump: Callable[[timedelta], None]
) -> JumpClock | PacedClock | WallClock:
    """It begins when the first process is ready. A paced one goes on at its pace while no process is there; one that
    jumps is moved on by the drill's time away."""
    if terms.asked.is_live:
        return WallClock(wall_now(), on_jump)
    struck = jobs.noted(STRUCK_AT)
    times = (start.market, jobs.last_time(), datetime.fromisoformat(struck) if struck else None)
    at, died_at_s = max(time for time in times if time is not None), start.died_at_s
    if start.factor is None:
        away = timedelta(minutes=terms.drill.restart_minutes if died_at_s is not None else 0)
        return JumpClock(at + min(away * 2 ** min(max(start.refused - 1, 0), 10), max(away, LONGEST_AWAY)))
    away_s = max(wall_s() - died_at_s, 0.0) if died_at_s is not None else 0.0
    at += timedelta(seconds=away_s * start.factor)
    return WallClock(at, on_jump) if start.factor == 1 else PacedClock(at, start.factor)


@contextmanager
def _telling_when(clock: TradeClock) -> Iterator[None]:
    """What can't be written down, the market's time at its end too, is handed to whoever starts the next process."""
    began = clock.now()
    try:
        yield
    except (StoreUnwritable, StoreLocked, BatchLost) as error:
        now = clock.now()
        raise DeskUnable(error.message, market=now, was_able=now - began > RESOLUTION, remedy=error.remedy) from error


def _note_restart(start: Start, jobs: JobBook, clock: TradeClock) -> None:
    if start.died_at_s is not None and not start.has_grown:
        found = {
            "at": clock.now().isoformat(timespec="seconds"),
            "away_s": round(wall_s() - (start.gone_at_s or start.died_at_s), 3),
            "refused": start.refused,
        }
        jobs.note(RESTARTS, [*(jobs.noted(RESTARTS) or []), found])


@contextmanager
def _watch(terms: DeskTerms, start: Start, clock: TradeClock) -> Iterator[Callable[[], object]]:
    """The watch over alerts: a thread where time passes; where it jumps, what is called before each check, in the
    evening, and once more here at the end."""
    book, settings = terms.folder.book.path, terms.prepared.settings
    if start.factor is not None or settings.alerts.watch == "off":
        with alert_watcher(book, settings, clock.now, from_start=True):
            yield lambda: None
        return
    with sole_watch(book, settings.alerts) as is_ours:
        watcher = BookWatcher(book, settings, clock.now, from_start=True)

        def look() -> None:
            if is_ours:
                watcher.look()
                watcher.tell()

        yield look
        look()


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
