"""One session's way through the log: walked again where the log holds it, and halted where its process died in it.

A recorded run that was cut off simply goes on: every event of the unfinished session is made again. One that is
run as live may not pretend that nothing happened. Its session is walked up to where the log ends, which brings the
simulated venue to where it was; then the account is HALTED with cause `restart`, the session begins anew from the
log's events, asks the venue what became of its orders, and takes back what is open.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from ..domain.events import Event, NewEvent
from ..domain.market import Quote
from ..domain.trading import TradingStates
from ..execution.fast_path import SessionResult
from ..execution.recorder import Emit
from ..execution.watching import Reading
from ..storage.errors import StoreError
from .steering import Steering

Work = Callable[[Iterable[Quote], Iterable[Event]], SessionResult]
"""Work the session on these quotes, begun before as these events say."""


class SessionWalk:
    """A session's emit and watch. It remembers the last moment it was asked about: a flatten goes on from there."""

    def __init__(self, steering: Steering, emit: Emit, opens_at: datetime) -> None:
        self._steering, self._emit = steering, emit
        self.last = opens_at
        self._was_asked = False
        self._refusal: StoreError | None = None
        self._begin()

    def through(self, work: Work, quotes: Sequence[Quote], decision_id: str) -> SessionResult:
        """Work the session, and again from the log as often as its process died in it."""
        left, resume = quotes, tuple[Event, ...]()
        while True:
            try:
                return work(left, resume)
            except _ProcessEnded:
                if self._steering.restarts == self._told:
                    self._steering.halt_restarted(self.last)
                resume = self._steering.events_of(decision_id)
                left = [quote for quote in quotes if not self._was_asked or quote.ts_event > self.last]
                self._begin()

    def emit(self, event: NewEvent) -> None:
        self.end_at_head()
        self._steering.log.retake()
        self._end_if_told()
        self._end_if_refused()
        try:
            self._emit(event)
        except StoreError as error:
            self._refusal = error
            raise

    def states(self, now: datetime) -> TradingStates:
        self._end_if_refused()
        self.end_at_head()
        found = self._steering.controls.states(now)
        # Before it ends: a process that died while it took in what waited had asked about this moment.
        self.last, self._was_asked = now, True
        self._end_if_told()
        return found

    def observe(self, reading: Reading) -> None:
        self._steering.controls.observe(reading)

    def _begin(self) -> None:
        self._told = self._steering.restarts
        self._ends_at_head = self._steering.halts_restarts and self._steering.log.is_rewalking

    def end_at_head(self) -> None:
        """The log holds no more of this session: here its process died, and this one is not that one.

        It has to be told before anything else is: what comes in now is dated later than what was seen last. Where a
        log tells of it, a replay ends the walk at this very place.
        """
        if self._ends_at_head and not self._steering.log.is_rewalking:
            raise _ProcessEnded
        self._steering.log.retake(self.last)
        self._end_if_told()

    def _end_if_told(self) -> None:
        """The log says that it died here, and was started again."""
        if self._steering.restarts > self._told:
            raise _ProcessEnded

    def _end_if_refused(self) -> None:
        """A session that is run as live does not outlive a refused write: it would go on as its log never says."""
        if self._refusal is not None and self._steering.halts_restarts:
            raise self._refusal


class _ProcessEnded(Exception):
    """The walk is where the process that worked this session ended."""
