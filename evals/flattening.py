"""A flatten inside a recorded session: its decisions are asked of the graph, its sells worked on the session's tape.

Stops that rest at the venue are taken back in step with what it sells: a name's before its first order of an attempt,
and placed anew for what is left of it with the attempt's last quotes. Those of the names that it does not sell stand,
and see every quote of theirs meanwhile; so do the stops that the desk watches itself.

What is asked while it works cuts it short: it takes back what it has open, and goes on with all that is asked by then.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from ..desk.desk import Desk
from ..domain.canonical import short_id
from ..domain.decisions import Intent, IntentKind
from ..domain.market import Quote
from ..domain.portfolio import Portfolio
from ..domain.trading import ACCOUNT, TradingState, TradingStates
from ..execution.controls import Controls
from ..execution.flatten import Attempt, FlattenResult, FlattenTerms, flatten, to_close
from ..execution.flatten_requests import FLATTEN_WAITS, FlattenAsked, end_code
from ..execution.hours import SessionHours
from ..execution.protection import ProtectionTerms, first_reached
from ..execution.recorder import Emit
from ..execution.session import SessionResult, work_session
from ..execution.watching import Reading
from ..gate.approval import ApprovedPlan
from ..memory.sent_orders import SentOrder, SentOrders, rests
from .chosen_venue import Venues, Work
from .protecting import Protecting, StopDay
from .tape import Tape

MORE_IS_ASKED = "more is to be sold than when it was begun"


@dataclass(frozen=True, slots=True)
class FlattenDay:
    """The session a flatten happens in, and the equities its decisions are given."""

    session: date
    since: datetime
    """The last moment that was worked: what comes after it may be traded on."""
    previous_session: date
    peak: Decimal
    previous: Decimal


class _ReducingWatch:
    """The controls without what ended the plan before: only the restrictions themselves, until more is asked."""

    def __init__(self, controls: Controls, asked: FlattenAsked, since: datetime) -> None:
        self._controls, self._asked = controls, asked
        self.last = since

    @property
    def is_outdated(self) -> bool:
        """Whether something else is to be sold by now."""
        asked = self._controls.standing.flatten
        return asked is not None and not asked.sells_as(self._asked)

    def states(self, now: datetime) -> TradingStates:
        self._controls.states(now)
        self.last = now
        found = self._controls.standing.restrictions
        return found.with_state(ACCOUNT, TradingState.HALTED) if self.is_outdated else found

    def observe(self, reading: Reading) -> None:
        self._controls.observe(reading)


class Flattening:
    """All that is asked to be sold in one session, until nothing more is."""

    def __init__(
        self,
        desk: Desk,
        controls: Controls,
        day: FlattenDay,
        tape_of: Callable[[Iterable[str]], Tape],
        paced: Callable[[Iterable[Quote]], Iterable[Quote]],
        venues: Venues,
        emit: Emit,
        sent: SentOrders,
    ) -> None:
        """`tape_of` gives the session's quotes of some names, and `paced` each of them when its time has come. `sent`
        follows what `emit` tells: every attempt knows the orders of those before it."""
        self._desk, self._controls, self._day = desk, controls, day
        self._tape_of, self._paced = tape_of, paced
        self._venues, self._emit, self._sent, self._limits = venues, emit, sent, desk.limits
        self.until = day.since
        """The last moment that was worked."""

    async def run(self, portfolio: Portfolio, terms: FlattenTerms) -> FlattenResult:
        """Sell, tell how it ended, and let the desk go on; what is restricted stays so until a person frees it."""
        done, since = FlattenResult("flat", "", 0, portfolio, (), {}), self.until
        while (asked := self._controls.standing.flatten) is not None:
            since = self.until
            self._take_up(asked, done.portfolio)
            result = await flatten(
                asked.symbols,
                [quote for quote in self._tape.quotes if quote.symbol in self._names],
                since,
                done.portfolio,
                self._approve,
                self._work,
                terms,
                asked.keep,
            )
            done = replace(result, attempts=done.attempts + result.attempts, fills=done.fills + result.fills)
            if not self._watch.is_outdated:
                break
        self._tell(done, max([since, *(fill.ts_event for fill in done.fills)]))
        return done

    def _take_up(self, asked: FlattenAsked, portfolio: Portfolio) -> None:
        """From here on this is what is sold; beside it, where positions have stops, the other names are looked at."""
        held, has_stops = list(portfolio.holdings()), self._desk.settings.stop_loss_frac is not None
        sold = [symbol for symbol in held if asked.covers(symbol)]
        beside = [*held, *(sent.child.symbol for sent in self._sent.open)] if has_stops else []
        self._asked, self._names = asked, frozenset(sold)
        self._tape = self._tape_of(dict.fromkeys([*sold, *beside]))
        self._watch = watch = _ReducingWatch(self._controls, asked, self.until)
        stop_day = StopDay(self._day.previous_session, self._day.peak, self._day.previous)
        self._protecting = Protecting(self._desk, self._controls, watch.states, stop_day, self._sent, worked=asked)

    def _tell(self, done: FlattenResult, at: datetime) -> None:
        """An end for each request that has one; what only the session's end was in the way of waits for the next."""
        line = self._controls.standing.flattens
        waiting = dict[str, int]()
        for place in reversed(range(line.put_off, len(line.asked))):
            asked = line.asked[place]
            left = to_close(done.portfolio, asked.symbols, asked.keep)
            if left and done.may_go_on and not asked.has_waited:
                waiting |= {name: max(held, waiting.get(name, 0), key=abs) for name, held in left.items()}
                continue
            is_sold = any(asked.covers(fill.symbol) for fill in done.fills)
            outcome = "flat" if not left else "partly" if is_sold else "stuck"
            text = f"{outcome} after {done.attempts} attempts"
            text += f": {_shares(left)} left; {done.reason}" if left else ""
            whose = f"{asked}: " if len(line.due) > 1 else ""
            self._controls.notify("critical" if left else "info", end_code(place), whose + text, at)
        if waiting:
            text = f"{_shares(waiting)} left after {done.attempts} attempts, and too little of the session is left"
            self._controls.notify("warning", FLATTEN_WAITS, f"{text}: the next one goes on with it", at)

    async def _approve(self, attempt: Attempt, portfolio: Portfolio) -> ApprovedPlan | str:
        if self._watch.is_outdated:
            return MORE_IS_ASKED
        day, asked = self._day, self._asked
        intent = Intent(
            intent_id=short_id("int", self._desk.run_id, attempt.decided_at.isoformat(), attempt.number, asked.reason),
            kind=IntentKind.REDUCE if attempt.keep_frac else IntentKind.FLATTEN,
            symbols=attempt.symbols,
            keep_frac=attempt.keep_frac,
            keep_fracs=dict(attempt.keep_fracs),
            by=asked.by,
            reason=asked.reason,
        )
        states = self._controls.standing.restrictions
        snapshot = self._desk.snapshot(
            day.previous_session,
            portfolio,
            day.peak,
            day.previous,
            states,
            at=attempt.decided_at,
            working=self._sent.open,
            tightened=self._controls.standing.tightened,
        )
        decision = await self._desk.decide(snapshot, intent)
        self._limits = self._desk.limits_of(decision)
        return self._desk.approved(decision) or decision.summary

    def _work(
        self, approved: ApprovedPlan, quotes: Sequence[Quote], hours: SessionHours, portfolio: Portfolio
    ) -> SessionResult:
        before = known_on(self._tape, self._sent)
        others = self._others(hours.decided_at, quotes[-1].ts_event)
        protection, beside = self._protection(portfolio, quotes, others)
        quotes = sorted([*quotes, *beside], key=_when)
        hours = replace(hours, opens_at=quotes[0].ts_event)
        work = Work(approved, self._limits, self._emit, self._watch, before)
        result = work_session(
            approved,
            self._paced(quotes),
            self._venues.of(hours, self._tape, portfolio, work),
            hours,
            portfolio,
            self._limits,
            self._emit,
            run_id=self._desk.run_id,
            watch=self._watch,
            before=before,
            on_unexplained=self._controls.on_unexplained,
            protection=protection,
        )
        self.until = self._watch.last if self._watch.is_outdated else quotes[-1].ts_event
        return result

    def _others(self, since: datetime, until: datetime) -> list[Quote]:
        """An attempt's quotes, up to its last moment, of the names that are not sold."""
        others = (quote for quote in self._tape.quotes if quote.symbol not in self._names)
        return [quote for quote in others if since < quote.ts_event <= until]

    def _protection(
        self, portfolio: Portfolio, quotes: Sequence[Quote], others: Sequence[Quote]
    ) -> tuple[ProtectionTerms | None, Sequence[Quote]]:
        """The stops beside what is sold, and which quotes of others they have to see: all where they rest at the venue;
        where the desk watches them, those of an attempt in which one is reached that is not sold as a whole."""
        terms = self._protecting.terms
        if terms is None or terms.resting is not None:
            return terms, others
        whole = frozenset(name for name in self._names if not self._asked.keep.get(name))
        followed = [quote for quote in [*quotes, *others] if quote.symbol not in whole]
        if first_reached(portfolio, terms, followed) is None:
            return None, ()
        return replace(terms, closed_already=whole), others


def known_on(tape: Tape, sent: SentOrders) -> tuple[SentOrder, ...]:
    """The orders that a part of a session has to know. What protects a name that its tape lacks stands aside: it is
    neither looked at nor taken back."""
    return tuple(item for item in sent.all if item.child.symbol in tape.liquidity or not _stands(item))


def _when(quote: Quote) -> datetime:
    return quote.ts_event


def _shares(left: Mapping[str, int]) -> str:
    return ", ".join(f"{held} {symbol}" for symbol, held in sorted(left.items()))


def _stands(sent: SentOrder) -> bool:
    return rests(sent.child) and sent.open_quantity > 0
