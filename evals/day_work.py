"""One session's trading: the plan of the close before through the session's quotes, and what a person asked to sell."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from ..desk.desk import Desk
from ..domain.control_events import OperatorAsked
from ..domain.decisions import Decision
from ..domain.events import Event
from ..domain.market import Quote
from ..domain.portfolio import Portfolio
from ..execution.algorithms.observed import ObservedVolume
from ..execution.fast_path import SessionResult
from ..execution.flatten import FlattenTerms
from ..execution.hours import SessionHours
from ..execution.recorder import Emit
from ..execution.session import work_session
from ..gate.approval import ApprovedPlan
from ..memory.sent_orders import SentOrder, SentOrders
from .book_state import BookState
from .chosen_venue import Venues, Work
from .flattening import FlattenDay, Flattening, known_on
from .protecting import StopDay, Stops
from .session_walk import SessionWalk
from .steering import Steering
from .tape import Tape

ZERO = Decimal(0)


class Pace(Protocol):
    """How a session's time passes."""

    def until(self, moment: datetime, is_called: Callable[[], bool] = lambda: False) -> None:
        """Come back at this moment of the market, or earlier where the desk has to act."""
        ...


class AtOnce:
    """Recorded days as fast as they can be made: no moment is waited for."""

    def until(self, moment: datetime, is_called: Callable[[], bool] = lambda: False) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Worked:
    """What a session's trading came to."""

    portfolio: Portfolio
    traded: Decimal
    fees: Decimal
    until: datetime
    """The last moment it looked at."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of a session: the approval that it is worked under, and on what."""

    decision: Decision
    approved: ApprovedPlan
    hours: SessionHours
    tape: Tape
    quotes: Sequence[Quote]
    portfolio: Portfolio
    since: int
    """The event behind which it begins: what the log holds of the session before that is in the portfolio."""
    known: Callable[[], tuple[SentOrder, ...]]
    """The account's earlier orders, as the log has them when it is asked."""


class DayWork:
    """Works sessions, one after the other, each on its own tape."""

    def __init__(
        self,
        desk: Desk,
        steering: Steering,
        sent: SentOrders,
        venues: Venues,
        tape_of: Callable[[date, Iterable[str]], Tape],
        emit: Emit,
        pace: Pace,
    ) -> None:
        self._desk, self._steering, self._sent, self._venues = desk, steering, sent, venues
        self._tape_of, self._emit, self._pace = tape_of, emit, pace

    async def run(self, session: date, previous: date | None, pending: Decision | None, book: BookState) -> Worked:
        """The session to its close; `previous` is the one before it, at whose prices a flatten is decided."""
        standing, began = self._steering.controls.standing, self._desk.log.head()[0]
        closes_at = self._desk.history.close_time(session)
        worked = self._work(session, pending, book)
        while True:
            self._wait(closes_at, lambda: previous is not None and standing.flatten is not None)
            self._steering.log.retake(closes_at)
            if previous is None or standing.flatten is None:
                return worked
            worked = replace(worked, until=max(worked.until, self._asked_at(began, worked.until)))
            worked = self._rest(session, previous, await self._flatten(session, previous, worked, book), book)

    def _work(self, session: date, pending: Decision | None, book: BookState) -> Worked:
        """The approved plan of the close before through this session; without one the portfolio stays as it is.

        Where positions have stops, the quotes of all that is held are looked at on every day.
        """
        desk, portfolio = self._desk, book.portfolio
        opens_at, closes_at = desk.history.opening_time(session), desk.history.close_time(session)
        quiet, has_stops = Worked(portfolio, ZERO, ZERO, opens_at), desk.settings.stop_loss_frac is not None
        if pending is None or (pending.plan is None and not has_stops):
            return quiet
        symbols = [leg.symbol for leg in pending.plan.legs] if pending.plan is not None else []
        if desk.settings.as_live or has_stops:
            symbols = list(dict.fromkeys([*symbols, *self._concerned(portfolio)]))
        tape = self._tape_of(session, symbols)
        walk = SessionWalk(self._steering, self._emit, opens_at)
        day = StopDay(pending.snapshot.session, book.peak, book.counted_from(session))
        stops = Stops(desk, self._steering, walk, day, self._sent)
        planned = stops.session_plan(pending, portfolio, tape.quotes, closes_at)
        if planned is None:
            return quiet
        hours = SessionHours(planned[0].as_of, opens_at, closes_at)
        begins_at = self._steering.begins_at(session)
        quotes = [quote for quote in tape.quotes if begins_at is None or quote.ts_event >= begins_at]
        return self._through(_Part(*planned, hours, tape, quotes, portfolio, 0, lambda: self._sent.all), walk, stops)

    async def _flatten(self, session: date, previous: date, worked: Worked, book: BookState) -> Worked:
        """Sell what was asked for over what is left of the session."""
        day = FlattenDay(session, worked.until, previous, book.peak, book.equity)
        flattening = Flattening(
            self._desk,
            self._steering.controls,
            day,
            lambda symbols: self._tape_of(session, symbols),
            self._paced,
            self._venues,
            self._emit,
            self._sent,
        )
        terms = FlattenTerms(least_moments=2 if self._venues.delays_orders else 1)
        result = await flattening.run(worked.portfolio, terms)
        return Worked(
            result.portfolio,
            worked.traded + sum((fill.notional for fill in result.fills), ZERO),
            worked.fees + sum((fill.fee for fill in result.fills), ZERO),
            flattening.until,
        )

    def _rest(self, session: date, previous: date, worked: Worked, book: BookState) -> Worked:
        """What a flatten leaves of the session, where positions have stops: they see it to the close, and what is held
        without one gets one. A new flatten cuts it short."""
        names, closes_at = self._concerned(worked.portfolio), self._desk.history.close_time(session)
        tape = self._tape_of(session, names if self._desk.settings.stop_loss_frac is not None else [])
        quotes = [quote for quote in tape.quotes if worked.until < quote.ts_event <= closes_at]
        if not quotes or worked.until >= closes_at:
            return worked
        walk = SessionWalk(self._steering, self._emit, worked.until)
        stops = Stops(
            self._desk, self._steering, walk, StopDay(previous, book.peak, book.counted_from(session)), self._sent
        )
        kept = stops.rest_plan(names, worked.portfolio, worked.until, quotes, closes_at)
        if kept is None:
            return worked
        hours = SessionHours(worked.until, worked.until, closes_at)
        since = self._desk.log.head()[0]
        part = _Part(*kept, hours, tape, quotes, worked.portfolio, since, lambda: known_on(tape, self._sent))
        found = self._through(part, walk, stops)
        return replace(found, traded=worked.traded + found.traded, fees=worked.fees + found.fees)

    def _through(self, part: "_Part", walk: SessionWalk, stops: Stops) -> Worked:
        """A part of a session, worked under its approval and again from the log as often as its process died in it."""
        desk, limits = self._desk, self._desk.limits_of(part.decision)
        work_of = Work(part.approved, limits, walk.emit, walk, part.known())
        venue = self._venues.of(part.hours, part.tape, part.portfolio, work_of)

        def work(quotes: Iterable[Quote], resume: Iterable[Event]) -> SessionResult:
            return work_session(
                part.approved,
                self._paced(quotes, walk.end_at_head),
                venue,
                part.hours,
                part.portfolio,
                limits,
                walk.emit,
                run_id=desk.run_id,
                watch=walk,
                resume=(event for event in resume if event.seq > part.since),
                before=part.known(),
                on_unexplained=self._steering.controls.on_unexplained,
                volume=ObservedVolume({item.symbol for item in part.tape.prints}),
                prints=part.tape.prints,
                protection=stops.terms,
            )

        with desk.log.grouped() if desk.settings.log_commit == "group" else nullcontext():
            result = walk.through(work, part.quotes, part.decision.decision_id)
        return Worked(result.portfolio, result.traded, result.fees, walk.last)

    def _concerned(self, portfolio: Portfolio) -> list[str]:
        """Names that are held, or of which an order is open."""
        return list(dict.fromkeys([*portfolio.holdings(), *(sent.child.symbol for sent in self._sent.open)]))

    def _paced(self, quotes: Iterable[Quote], look: Callable[[], None] = lambda: None) -> Iterator[Quote]:
        """Each quote when its time has come; `look` is called before it is waited for.

        A moment is known to be whole once the first quote of the next was seen, so a quote is waited for after it was
        handed on: what is asked for then is the one behind it, and the moments before are dealt with.
        """
        for quote in quotes:
            yield quote
            look()
            self._wait(quote.ts_event, lambda: False)

    def _wait(self, moment: datetime, is_called: Callable[[], bool]) -> None:
        """What the log already holds has been waited for once."""
        if not self._desk.log.is_rewalking:
            self._pace.until(moment, is_called)

    def _asked_at(self, began: int, usual: datetime) -> datetime:
        """When somebody asked for the flatten in hand, where it was since event `began`."""
        asked = [
            event.event_time
            for event in self._desk.log.read(began, types=(OperatorAsked,))
            if isinstance(event.payload, dict) and event.payload["command"] == "flatten"
        ]
        return asked[-1] if asked else usual
