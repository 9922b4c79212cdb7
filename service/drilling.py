"""The `drill` and `watchdog` commands: emergencies on purpose, and the look-out for one that is not."""

from pathlib import Path
from time import sleep

from ..desk.book import Book, open_log
from ..desk.deadman import look
from ..desk.errors import RunUnknown
from ..desk.operator import DEAD_MAN, book_post
from ..desk.settings import load_settings, settings_of_run
from ..evals.book_at_rest import BookAtRest, recorded_limits
from ..evals.drill_ground import Ground
from ..evals.drills import DRILLS, DrillResult, run_drill
from ..gate.limits import load_limits
from ..memory.history import run_started
from ..storage.errors import StoreError
from .console import Console
from .preparing import DEFAULT_DATA, DEFAULT_END, DEFAULT_START, parse_day

DRILL_DAYS = 6
LOOK_EVERY_S = 0.5
MAX_LINES = 12


def perform_drill(name: str | None, every: bool, book: Path, config: Path | None, console: Console) -> bool:
    """False when a drill did not pass."""
    if name in (None, "list") and not every:
        console.result({"drills": [{"name": key, "what": what} for key, what in DRILLS.items()]})
        console.table("", ("drill", "what happens"), list(DRILLS.items()))
        return True
    ground = drill_ground(book, config)
    results: list[DrillResult] = []
    for each in DRILLS if every else (str(name),):
        results.append(run_drill(each, ground))
        print_drill(results[-1], console)
    console.result(
        {
            "data": ground.data_name,
            "days": [day.isoformat() for day in ground.sessions],
            "passed": all(result.passed for result in results),
            "drills": [
                {
                    "name": result.name,
                    "what": result.what,
                    "passed": result.passed,
                    "problems": list(result.problems),
                    "timeline": [{"at": at, "text": text} for at, text in result.timeline],
                }
                for result in results
            ],
        }
    )
    return all(result.passed for result in results)


def drill_ground(book_path: Path, config: Path | None) -> Ground:
    """The last days of the book's latest run under that run's settings and limits; without one, the default data's."""
    book = Book(book_path)
    try:
        with open_log(book.latest(), readonly=True) as (log, _):
            started = run_started(log)
    except RunUnknown:
        settings = load_settings(config)
        data, limits = book.load(DEFAULT_DATA), load_limits(settings.limits_file)
        first, last = parse_day(DEFAULT_START, "--start"), parse_day(DEFAULT_END, "--end")
        sessions = data.history().sessions_between(first, last)[-DRILL_DAYS:]
        return Ground(book, data, DEFAULT_DATA, settings, limits, sessions)
    data = book.load(started.data)
    sessions = data.history().sessions_between(None, started.last_session)[-DRILL_DAYS:]
    settings = settings_of_run(started.settings)
    return Ground(book, data, started.data, settings, recorded_limits(started), sessions)


def print_drill(result: DrillResult, console: Console) -> None:
    console.say(f"{'pass' if result.passed else 'FAIL'}  {result.name}: {result.what}")
    for at, text in result.timeline[:MAX_LINES]:
        console.say(f"      {at}  {text}")
    if len(result.timeline) > MAX_LINES:
        console.say(f"      and {len(result.timeline) - MAX_LINES} lines more")
    for problem in result.problems:
        console.say(f"      problem: {problem}")


def perform_watchdog(book: Path, max_age_s: float, once: bool, console: Console) -> bool:
    """Looks at the heartbeat until it is cold and the flag is up; False when it is."""
    post = book_post(book)
    finding = look(post.heartbeat, post.flag, max_age_s, DEAD_MAN)
    while not (once or finding.is_raised):
        sleep(LOOK_EVERY_S)
        finding = look(post.heartbeat, post.flag, max_age_s, DEAD_MAN)
    recorded = finding.raised_now and _recorded(book)
    age = finding.age_s
    console.result({"halted": finding.is_raised, "heartbeat_age_s": age, "max_age_s": max_age_s, "recorded": recorded})
    beat = "no desk runs" if age is None else f"heartbeat {age:.1f} s old, {max_age_s:g} s are allowed"
    console.say(f"{'HALTED' if finding.is_raised else 'fine'}: {beat}")
    if finding.raised_now:
        how = "is recorded in its log" if recorded else "is not in the log yet, which is in use or can't be read"
        console.say(f"The kill flag {post.flag.path} was raised; the halt {how}.")
    return not finding.is_raised


def _recorded(book: Path) -> bool:
    """Into the log with its incident bundle, if the dead desk has let go of it."""
    try:
        with BookAtRest(Book(book).operated(), book_post(book)) as resting:
            resting.take_flag()
    except (StoreError, RunUnknown):
        return False
    return True
