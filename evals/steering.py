"""The controls over one run of recorded days: what breakers measure each day, and when the run has to stop."""

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar

import numpy as np

from ..desk.control_log import ControlLog
from ..desk.desk import Desk
from ..desk.incidents import record_incident
from ..desk.operator import BookPost, Operator
from ..desk.watchman import Watchman
from ..domain.control_events import NotificationRaised
from ..domain.decisions import Decision
from ..domain.events import Event, Payload, PortfolioMarked, RunStarted, StopFired
from ..domain.portfolio import Portfolio
from ..domain.step_events import Step, StepHeld
from ..domain.trading import ACCOUNT, TradingState
from ..domain.views import Stance
from ..execution.breakers import BREAKERS, Breaker, DayFacts
from ..execution.controls import Controls
from ..execution.watching import Reading
from ..storage.errors import StoreUnwritable
from .book_state import BookState

CORRELATION_DAYS = 60
RESTART: Literal["restart"] = "restart"
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run ends before its last session; it can go on from there."""

    kind: Literal["halted", "ended"]
    reason: str


ASKED_TO_END = Stop("ended", "the process was asked to end")


class Steering:
    """One run's controls, and the people and files outside of it."""

    def __init__(
        self,
        desk: Desk,
        started: RunStarted,
        boundary: int,
        post: BookPost | None = None,
        watchman: Watchman | None = None,
        breakers: tuple[Breaker, ...] = BREAKERS,
    ) -> None:
        """`boundary` is the event the run goes on from; without a `post` nobody can reach the run."""
        self._desk, self._post, self._watchman, self._started = desk, post, watchman, started
        self._max_weights = max_weights(desk)
        self.log = ControlLog(desk.log, desk.run_id, boundary)
        on_flag = watchman.notice if watchman is not None else lambda: None
        self.operator = Operator(self.log, post, on_flag=on_flag)
        self.controls = Controls(desk.run_id, self.log.record, self.operator, desk.settings.breakers, breakers)
        self.log.listener = self._hear_again
        self.restarts = 0
        """How often the log told, since it is walked again, that the process was started anew in a session."""
        self._held: dict[tuple[Step, date], StepHeld] = {}
        self.controls.standing.resume(self.log.history())

    def hold(self, held: StepHeld, about: datetime) -> None:
        """A step of the day is not taken, or begins late: nothing the market says would tell a replay so."""
        self.log.record(held, about, outside=True)
        self._held[held.step, held.session] = held

    def is_held(self, step: Step, session: date) -> bool:
        """Whether this step of a session is not taken at all."""
        held = self._held.get((step, session))
        return held is not None and held.until is None

    def begins_at(self, session: date) -> datetime | None:
        """When a session that was begun late was begun."""
        held = self._held.get(("trade", session))
        return held.until if held is not None else None

    def stop_at(self, now: datetime) -> Stop | None:
        """Take in what waits; why the run may not go on from here, if it may not."""
        self.controls.states(now)
        self._bundle_incident(now)
        waits_for = self.controls.standing.waits_for
        if self._post is not None and self._post.flag.is_raised and not self.log.is_rewalking:
            note = self._post.flag.read()
            return Stop("halted", f"{note.by}: {note.reason}" if note else "the kill flag was up")
        if waits_for is not None:
            return Stop("halted", waits_for.reason)
        return ASKED_TO_END if self._watchman is not None and self._watchman.is_asked_to_end else None

    @property
    def halts_restarts(self) -> bool:
        """Whether a session that its process did not live to close is halted here, and not simply made again."""
        return self._desk.settings.as_live and self._post is not None

    def halt_restarted(self, now: datetime) -> None:
        """The process died in a session and was started again: nothing new is sent before a person has looked."""
        reason = "the process ended in mid-session and was started again"
        if not self.controls.tighten(ACCOUNT, TradingState.HALTED, RESTART, RESTART, reason, now):
            self.controls.notify("critical", RESTART, f"{ACCOUNT}: {reason}", now, outside=True)

    def events_of(self, decision_id: str) -> tuple[Event, ...]:
        """What the log holds of a decision and its orders so far, the exits among them that a stop began; where stops
        rest at the venue, all that became of orders since the last close."""
        found = list(self._desk.log.read(decision_id=decision_id))
        fired = [payload for event in found if isinstance(payload := event.decoded(), StopFired)]
        exits = {leg.decision_id for payload in fired for leg in payload.exits}
        for other in sorted(exits - {decision_id}):
            found += self._desk.log.read(decision_id=other)
        if self._desk.settings.stop_orders == "resting":
            marked, known = self._desk.log.last(PortfolioMarked), {event.seq for event in found}
            since = self._desk.log.read(marked.seq if marked is not None else 0)
            found += [event for event in since if event.order_id is not None and event.seq not in known]
        return tuple(sorted(found, key=lambda event: event.seq))

    async def guard(self, work: Coroutine[Any, Any, Value]) -> Value | None:
        """The result of `work`; None when the desk had to stop meanwhile, or what it may do was restricted."""
        return await work if self._watchman is None else await self._watchman.guard(work, self.operator.is_called)

    @property
    def must_stop(self) -> bool:
        return self._watchman is not None and self._watchman.must_stop

    def begin_session(self, session: date, pending: Decision | None, book: BookState, *, is_new_day: bool) -> None:
        """The session's facts for the breakers, at its open: all of it was known at the close before.

        What a breaker reduced is armed again at the open of a day, and not at a span within it. Run as live, it
        waits for a person like any other restriction.
        """
        now = self._desk.history.opening_time(session)
        if pending is None:
            self.operator.orders = {}
            return
        snapshot = pending.snapshot
        self.controls.standing.planned_under = snapshot.tightened
        self.operator.orders = {leg.order_id: leg.symbol for leg in pending.plan.legs} if pending.plan else {}
        day = DayFacts(
            previous_equity=float(book.counted_from(session)),
            peak_equity=float(snapshot.peak_equity),
            max_weights=self._max_weights,
            correlation=self._correlation(book.portfolio, snapshot.as_of),
            confidence=mean_confidence(pending),
        )
        self.controls.begin_day(day, quiet_reading(now, book.equity, book.portfolio, snapshot.prices))
        if is_new_day and not self._desk.settings.as_live:
            self.controls.rearm_reduced("recorded days", "back inside its band at the open, and nobody attends", now)

    def end_session(self, now: datetime, equity: Decimal, portfolio: Portfolio, prices: Mapping[str, Decimal]) -> None:
        """The close, which also judges what is held and was not traded today."""
        self.controls.standing.end_session()
        self.controls.observe(quiet_reading(now, equity, portfolio, prices))

    def _hear_again(self, payload: Payload) -> None:
        self.controls.standing.fold(payload)
        if isinstance(payload, StepHeld):
            self._held[payload.step, payload.session] = payload
        self.restarts += isinstance(payload, NotificationRaised) and payload.code == RESTART

    def _bundle_incident(self, now: datetime) -> None:
        """One bundle for all that halted or flattened the desk since the last look."""
        standing = self.controls.standing
        if self._post is None or self.log.is_rewalking or standing.incidents == standing.bundled:
            return
        try:
            found = record_incident(
                self._post.incidents, standing.last_incident, self._desk.log, self._started, standing
            )
        except StoreUnwritable as error:
            self.controls.notify("warning", "incident_not_written", error.message, now, outside=True)
            return
        self.log.record(found, now, outside=True)
        standing.fold(found)

    def _correlation(self, portfolio: Portfolio, as_of: datetime) -> float | None:
        """Mean pairwise correlation of the held names' returns; None for fewer than two with a whole window."""
        view = self._desk.history.as_of(as_of)
        columns = [self._desk.data.panel.column(symbol) for symbol in portfolio.holdings()]
        closes = view.close[-(CORRELATION_DAYS + 1) :, columns]
        return mean_correlation(closes[:, ~np.isnan(closes).any(axis=0)])


def mean_correlation(closes: np.ndarray) -> float | None:
    """Of (n_days, n_names) closes without gaps; names that never moved are left out."""
    if len(closes) < CORRELATION_DAYS + 1:
        return None
    returns = closes[1:] / closes[:-1] - 1.0
    returns -= returns.mean(axis=0)
    lengths = np.sqrt((returns * returns).sum(axis=0))
    count = int((lengths > 0).sum())
    if count < 2:
        return None
    # The sum over all pairs of unit columns is the squared length of their sum: no matrix has to be made.
    total = (returns[:, lengths > 0] / lengths[lengths > 0]).sum(axis=1)
    return float((total @ total - count) / (count * (count - 1)))


def mean_confidence(decision: Decision) -> float | None:
    """Of the signals that take a side, from 0 to 1; None when none does."""
    sides = [signal.confidence for signal in decision.signals if signal.side is not Stance.HOLD]
    return sum(sides) / len(sides) / 100 if sides else None


def max_weights(desk: Desk) -> dict[str, float]:
    """Each instrument's largest share of equity, by the limits of its class."""
    weights = desk.limits.max_instrument_weight
    return {item.symbol: weights.of(item.asset_class) for item in desk.data.universe.instruments}


def quiet_reading(now: datetime, equity: Decimal, portfolio: Portfolio, prices: Mapping[str, Decimal]) -> Reading:
    """A moment at which nothing is worked: the book at these prices, and no orders."""
    return Reading(
        now=now,
        equity=equity,
        values={symbol: prices[symbol] * held for symbol, held in portfolio.holdings().items() if symbol in prices},
        sent=0,
        rejected=0,
        denied=0,
        unresolved=0,
        slippage_bps=None,
        expected_bps=None,
        oldest_quote_age_s=None,
    )
