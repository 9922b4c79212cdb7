"""The `run` command: checks everything first, then replays the days, then writes the reports."""

import asyncio
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from ..desk.book import Book, RunFolder, is_unfinished, open_log
from ..desk.clock import cpu_s, elapsed_s
from ..desk.desk import RunPlan, build_desk, build_model, run_started
from ..desk.errors import RunUnknown, SettingsInvalid
from ..desk.settings import Settings, load_settings
from ..domain.events import RunStarted
from ..evals.days import RecordedDays
from ..evals.summary import RunSummary, summarize_run
from ..gate.limits import Limits, load_limits
from ..market.cards import DataSet
from ..market.datasets import load_data
from ..memory.history import run_started as read_started
from .console import Console
from .printing import print_summary, summary_document

DEFAULT_DATA = "us20"
DEFAULT_START = "2020-01-02"
DEFAULT_END = "2022-12-28"
DEFAULT_MODEL = "rules"
DEFAULT_SEED = 7
REPORT_CHOICES = ("traded", "all", "none")


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The options of `run`; None where nothing was given."""

    data: str | None
    start: str | None
    end: str | None
    model: str | None
    seed: int | None
    resume: bool
    reports: str
    book: Path
    config: Path | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that has passed every check that needs no writing."""

    settings: Settings
    limits: Limits
    data: DataSet
    plan: RunPlan

    @property
    def run_id(self) -> str:
        return self.plan.run_id(self.settings, self.limits)


def perform_run(request: RunRequest, console: Console) -> None:
    if request.reports not in REPORT_CHOICES:
        raise SettingsInvalid(f"--reports {request.reports}: unknown", remedy=f"Use one of {REPORT_CHOICES}.")
    book = Book(request.book)
    prepared = prepare(_resumed(request, book) if request.resume else request)
    folder = book.run_folder(prepared.run_id)
    goes_on = request.resume and folder.exists
    if not goes_on:
        folder = book.create(prepared.run_id)
    started = elapsed_s(), cpu_s()
    summary = run_days(prepared, folder, console)
    took = elapsed_s() - started[0], cpu_s() - started[1]
    report = _write_reports(request.reports, folder, summary, prepared.data, console)
    console.result(summary_document(summary, request.book, report))
    print_summary(console, summary, prepared.data, report, took)


def prepare(request: RunRequest) -> Prepared:
    """Settings, limits, data and days, each checked; raises before anything is written."""
    settings = load_settings(request.config)
    limits = load_limits(settings.limits_file)
    name = request.data or DEFAULT_DATA
    start, end = _days(request, name)
    data = load_data(name)
    sessions = data.history().sessions_between(start, end)
    seed = DEFAULT_SEED if request.seed is None else request.seed
    plan = RunPlan(data=name, sessions=sessions, model=request.model or DEFAULT_MODEL, seed=seed)
    build_model(plan.model, settings.llm)
    return Prepared(settings, limits, data, plan)


def run_days(prepared: Prepared, folder: RunFolder, console: Console) -> RunSummary:
    """The days themselves, from wherever the folder's log stands; a finished run is only read."""
    unfinished = not folder.exists or is_unfinished(folder)
    with open_log(folder) as (log, views):
        model = build_model(prepared.plan.model, prepared.settings.llm)
        checkpoints = str(folder.checkpoint_path)
        desk = build_desk(prepared.settings, prepared.limits, prepared.data, prepared.plan, log, model, checkpoints)
        if unfinished:
            first = run_started(prepared.settings, prepared.limits, prepared.data, prepared.plan)
            days = RecordedDays(desk, prepared.plan.sessions, prepared.plan.seed, first)
            with console.progress(
                f"{prepared.plan.data} {prepared.plan.sessions[0]} to {prepared.plan.sessions[-1]}"
            ) as bar:
                asyncio.run(days.run(bar))
        return summarize_run(
            log, views, desk.history, prepared.settings.costs.half_spread_bps + prepared.settings.costs.fee_bps
        )


def _resumed(request: RunRequest, book: Book) -> RunRequest:
    """With no options of its own, `--resume` goes on with the latest run by that run's own options."""
    if any(item is not None for item in (request.data, request.start, request.end, request.model, request.seed)):
        return request
    try:
        folder = book.latest()
    except RunUnknown:
        return request
    with open_log(folder, readonly=True) as (log, _):
        if log.head()[0] == 0:
            return request
        known: RunStarted = read_started(log)
    return replace(
        request,
        data=known.data,
        start=known.first_session.isoformat(),
        end=known.last_session.isoformat(),
        model=known.model,
        seed=known.seed,
    )


def _days(request: RunRequest, name: str) -> tuple[date | None, date | None]:
    """The default period belongs to the default data; any other data set runs over all its days."""
    is_default = name == DEFAULT_DATA
    start = request.start or (DEFAULT_START if is_default else None)
    end = request.end or (DEFAULT_END if is_default else None)
    first, last = parse_day(start, "--start"), parse_day(end, "--end")
    if first and last and first > last:
        raise SettingsInvalid(f"--start {first} is after --end {last}", remedy="Give them in order.")
    return first, last


def parse_day(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SettingsInvalid(f"{option} {text!r} is not a day", remedy="Write it as YYYY-MM-DD.") from error


def _write_reports(choice: str, folder: RunFolder, summary: RunSummary, data: DataSet, console: Console) -> Path | None:
    from .reporting import write_run_reports

    if choice == "none":
        return None
    return write_run_reports(folder, summary, data, console, every=choice == "all")
