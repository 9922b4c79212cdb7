"""Puts a child before the gate with all that surrounds it: the book, the counts, the venue, the hours and the log."""

from datetime import datetime
from decimal import Decimal

from ..domain.market import Quote
from ..domain.orders import ChildOrder
from ..domain.trading import TradingState
from ..gate.approval import ApprovedPlan
from ..gate.gate import ChildReview, review_child
from ..gate.limits import Limits
from .errors import VenueUnreachable
from .hours import SessionHours
from .recorder import LogHealth
from .session_book import SessionBook
from .venues.venue import ReviewsParts, Venue, VenueTerms

NEVER = float("inf")


class Reviewer:
    """The gate as one session at one venue asks it.

    Connected means that the last quote or question was answered: a single send without an answer leaves an order
    UNKNOWN, and says nothing of the next. Reconciled means that the last comparison of books could be made.
    """

    def __init__(
        self,
        approved: ApprovedPlan,
        venue: Venue,
        book: SessionBook,
        limits: Limits,
        hours: SessionHours,
        log: LogHealth,
    ) -> None:
        self._approved, self._venue, self._book = approved, venue, book
        self._limits, self._hours, self._log = limits, hours, log
        self._exits: dict[str, ApprovedPlan] = {}
        self._heard_at: datetime | None = None
        self._is_connected = self.is_reconciled = False

    def admit(self, approved: ApprovedPlan) -> None:
        """Review children of this plan as well, each by its own approval."""
        self._exits |= dict.fromkeys(approved.terms.legs, approved)
        if isinstance(self._venue, ReviewsParts):
            self._venue.admit(approved)

    def heard(self, now: datetime) -> None:
        """The venue answered: what the book holds of it is of this moment."""
        self._heard_at, self._is_connected = now, True

    def lost(self) -> None:
        """The venue did not answer."""
        self._is_connected = False

    def slot(self, now: datetime) -> datetime:
        """The moment at which the next order may go out."""
        return self._book.counts.slot(now, self._limits.max_submits_per_s)

    def review(self, child: ChildOrder, quote: Quote, state: TradingState, now: datetime) -> ChildReview:
        # Asked first: a venue that does not answer this is not connected either.
        terms = self._terms(child.__dict__["symbol"])
        state_age_s = NEVER if self._heard_at is None else max((now - self._heard_at).total_seconds(), 0.0)
        context = self._book.context(
            child, quote, self.worst_fee(child), state, now, terms, self._hours.contains(now), self._is_connected,
            self.is_reconciled, self._log.is_writable, state_age_s,
        )  # fmt: skip
        approved = self._exits.get(child.order_id, self._approved) if self._exits else self._approved
        return review_child(child, approved, context, self._limits, now)

    def worst_fee(self, child: ChildOrder) -> Decimal:
        """What its fill can cost in fees."""
        f = child.__dict__
        price = f["limit_price"] or f["stop_price"]
        assert price is not None, "the desk sends no order without a limit or a stop"
        return self._venue.worst_fee(f["quantity"], price)

    def _terms(self, symbol: str) -> VenueTerms | None:
        try:
            return self._venue.terms(symbol)
        except VenueUnreachable:
            self.lost()
            return None
