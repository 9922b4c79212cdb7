"""A book that nobody runs: where its controls stand, and a person's request written behind its last event."""

from contextlib import ExitStack
from datetime import datetime
from types import TracebackType

from ..desk.book import RunFolder, open_log
from ..desk.control_log import CONTROL_FACTS, ControlLog
from ..desk.incidents import record_incident
from ..desk.operator import TIMED, BookPost, Operator, OperatorIntent
from ..desk.settings import settings_of_run
from ..domain.events import PortfolioMarked, RunStarted
from ..execution.breakers import DayFacts
from ..execution.controls import Controls
from ..execution.standing import Standing
from ..gate.limits import Limits, parse_limits
from ..memory.history import portfolio_at, run_started
from ..memory.log import EventLog
from .steering import quiet_reading

AT_REST = "at rest"


class BookAtRest:
    """A context with the writer's lock: raises StoreLocked where a desk runs.

    What is written is dated by the book's own last event: a recorded day knows no other time.
    """

    def __init__(self, folder: RunFolder, post: BookPost) -> None:
        self._folder, self._post = folder, post
        self._stack = ExitStack()

    def __enter__(self) -> "BookAtRest":
        with ExitStack() as opening:
            log, _ = opening.enter_context(open_log(self._folder))
            self._events, self._started = log, run_started(log)
            started = self._started
            head = log.head()[0]
            self._now = _last_time(log, head)
            self._log = ControlLog(log, started.run_id, head)
            settings = settings_of_run(started.settings)
            self._leaves_timed = settings.growing
            self._operator = Operator(self._log, self._post, is_running=False, leaves_timed=settings.growing)
            self.controls = Controls(started.run_id, self._log.record, self._operator, settings.breakers)
            self.controls.standing.resume(self._log.history())
            _look(self.controls, log, started, self._now)
            self._stack = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def take_flag(self) -> None:
        """Record a raised flag, and whatever else waits for the desk."""
        self._operator.take(self.controls, self._now)
        self._bundle()

    def leaves(self, intent: OperatorIntent) -> bool:
        """Whether a request is for the desk alone, when it runs again: of a session that it still has to work only the
        desk can tell to which moment it has come."""
        return self._leaves_timed and intent.command in TIMED

    def obey(self, intent: OperatorIntent) -> str:
        """Record what a person asked and what it changed; why it was refused, or an empty text."""
        self.take_flag()
        with self._log.batch():
            refusal = self._operator.obey(self.controls, intent, AT_REST, self._now)
        self._bundle()
        return refusal

    def _bundle(self) -> None:
        standing = self.controls.standing
        if standing.incidents != standing.bundled:
            found = record_incident(self._post.incidents, standing.last_incident, self._events, self._started, standing)
            self._log.record(found, self._now, outside=True)
            standing.fold(found)


def standing_of(folder: RunFolder) -> Standing:
    """Where a run's controls stand by its log, running or not."""
    with open_log(folder, readonly=True) as (log, _):
        standing = Standing(settings_of_run(run_started(log).settings).breakers)
        standing.resume(event.decoded() for event in log.read(types=CONTROL_FACTS))
        return standing


def recorded_limits(started: RunStarted) -> Limits:
    """The limits a run was begun with."""
    bounds = started.settings.get("limits")
    return parse_limits(bounds if isinstance(bounds, dict) else {}, f"run {started.run_id}")


def _last_time(log: EventLog, head: int) -> datetime:
    return next(log.read(head - 1)).event_time


def _look(controls: Controls, log: EventLog, started: RunStarted, now: datetime) -> None:
    """Measure the book at its last mark, so that nothing is armed while it is still outside its band."""
    marks = [event.decoded() for event in log.read(types=(PortfolioMarked,))]
    if not marks:
        return
    last, before = marks[-1], marks[-2] if len(marks) > 1 else None
    assert isinstance(last, PortfolioMarked), "asked for by type"
    weights = recorded_limits(started).max_instrument_weight
    day = DayFacts(
        previous_equity=float(before.equity if isinstance(before, PortfolioMarked) else started.cash),
        peak_equity=float(last.peak_equity),
        max_weights={item.symbol: weights.of(item.asset_class) for item in started.universe.instruments},
    )
    controls.look(day, quiet_reading(now, last.equity, portfolio_at(log, log.head()[0]), last.prices))
