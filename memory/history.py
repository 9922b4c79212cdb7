"""Folds of the log that do not need a read model: how the book began, its fills, its state at any event."""

from collections.abc import Iterator

from ..domain.events import FillBusted, OrderFilled, PortfolioMarked, PositionCashedOut, ReflectionWritten, RunStarted
from ..domain.orders import Fill
from ..domain.overnight import BorrowCharged, DividendBooked, PositionRenamed, SharesSplit, book_night
from ..domain.portfolio import Portfolio, book_fill, cash_out
from ..domain.reflections import Reflection
from .errors import EmptyLog
from .log import EventLog
from .sent_orders import SENT_EVENTS, SentOrders

NIGHT_EVENTS = (DividendBooked, SharesSplit, PositionRenamed, BorrowCharged)


def run_started(log: EventLog) -> RunStarted:
    """What the book was begun with: data, universe, seed, model, cash and settings."""
    first = next(log.read(types=(RunStarted,), limit=1), None)
    if first is None:
        raise EmptyLog(
            "the log holds no RunStarted event, so nothing says what was run",
            remedy="Begin the book with `parley run`.",
        )
    return RunStarted.model_validate(first.payload)


def fills(log: EventLog, *, until: int | None = None) -> Iterator[Fill]:
    """Every recorded fill up to event `until` that was not taken back by then, in order, each once."""
    seen = _busted(log, until)
    for event in log.read(types=(OrderFilled,), until=until):
        fill = OrderFilled.model_validate(event.payload).fill
        if fill.execution_id not in seen:
            seen.add(fill.execution_id)
            yield fill


def portfolio_at(log: EventLog, seq: int) -> Portfolio:
    """Cash and positions just after event `seq`: the first cash, each fill once, what became cash, and the nights.

    A fill that was taken back by then is left out, as if it had never been.
    """
    portfolio, seen = Portfolio(cash=run_started(log).cash), _busted(log, seq)
    for event in log.read(types=(OrderFilled, PositionCashedOut, *NIGHT_EVENTS), until=seq):
        payload = event.decoded()
        if isinstance(payload, PositionCashedOut):
            if portfolio.quantity(payload.symbol):
                portfolio = cash_out(portfolio, payload.symbol, payload.price)
        elif isinstance(payload, NIGHT_EVENTS):
            portfolio = book_night(portfolio, payload)
        elif isinstance(payload, OrderFilled) and payload.fill.execution_id not in seen:
            seen.add(payload.fill.execution_id)
            portfolio = book_fill(portfolio, payload.fill)
    return portfolio


def sent_orders(log: EventLog, *, until: int | None = None) -> SentOrders:
    """Every child that was sent up to event `until`, and how each stands."""
    found = SentOrders()
    for event in log.read(types=SENT_EVENTS, until=until):
        found.fold(event.decoded())
    return found


def written_lessons(log: EventLog) -> tuple[Reflection, ...]:
    """Every lesson of a log, for an index of them. Who decides asks `memory.recall`, which knows what time it is."""
    events = log.read(types=(ReflectionWritten,))
    return tuple(ReflectionWritten.model_validate(event.payload).reflection for event in events)


def last_session_boundary(log: EventLog) -> int:
    """The seq of the last close that was marked, from where a broken run resumes; 0 when no session ended."""
    marked = log.last(PortfolioMarked)
    return marked.seq if marked else 0


def _busted(log: EventLog, until: int | None) -> set[str]:
    """The executions that were taken back up to event `until`."""
    events = log.read(types=(FillBusted,), until=until)
    return {FillBusted.model_validate(event.payload).execution_id for event in events}
