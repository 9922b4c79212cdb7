"""What the loop over recorded sessions carries from one close to the next, and how a log gives it back."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ..domain.events import PortfolioMarked, RunStarted
from ..domain.portfolio import Portfolio
from ..domain.sessions import day_of
from ..memory.history import portfolio_at
from ..memory.log import EventLog


@dataclass(frozen=True, slots=True)
class BookState:
    """A fold of the log, kept at hand."""

    portfolio: Portfolio
    peak: Decimal
    equity: Decimal
    """At the last close."""
    previous: Decimal
    """At the last close of an earlier day than that: what the daily loss was counted from then."""
    session: date | None = None
    """The last one that was marked; None before the first."""

    def counted_from(self, session: date) -> Decimal:
        """The equity that a session's daily loss is counted from: that of the last close of an earlier day."""
        is_same_day = self.session is not None and day_of(self.session) == day_of(session)
        return self.previous if is_same_day else self.equity

    def marked(self, session: date, portfolio: Portfolio, peak: Decimal, equity: Decimal) -> "BookState":
        return BookState(portfolio, peak, equity, self.counted_from(session), session)


def book_at(log: EventLog, boundary: int, started: RunStarted) -> BookState:
    """The book at the mark that `boundary` is; at 0 the cash a run begins with."""
    book = BookState(Portfolio(cash=started.cash), started.cash, started.cash, started.cash)
    if boundary == 0:
        return book
    for event in log.read(types=(PortfolioMarked,), until=boundary):
        mark = event.decoded()
        assert isinstance(mark, PortfolioMarked), "asked for by type"
        book = book.marked(mark.session, book.portfolio, mark.peak_equity, mark.equity)
    assert book.session is not None, "the boundary is a mark"
    return BookState(portfolio_at(log, boundary), book.peak, book.equity, book.previous, book.session)
