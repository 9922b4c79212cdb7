"""The fast loop: works one approved plan through one session, child by child, through the gate.

No language model, no clock and no network here. Time is the time of the quotes; what happens is told
through `emit`, and what `emit` has taken is what the log says happened. A session that was cut off is given the
log's events of its plan: it takes up every order where it stood, asks the venue for the rest, and goes on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from ..domain.events import Event
from ..domain.market import Quote
from ..domain.orders import Fill
from ..domain.portfolio import Portfolio, book_fills
from ..gate.approval import ApprovedPlan, genuine_plan
from ..gate.limits import Limits
from ..memory.sent_orders import SentOrder
from .errors import SessionRefused
from .hours import SessionHours
from .moments import Moments
from .order_manager import OrderManager
from .readings import Readings
from .reconcile import Reconciler, ReconcileTerms
from .recorder import Emit, Recorder
from .restoring import restore
from .reviewing import Reviewer
from .session_book import SessionBook
from .session_loop import OnUnexplained, SessionLoop
from .shortfall import ExecutionQuality
from .venues.venue import Venue
from .watching import SessionWatch, Unwatched
from .working import working_parent

UNWATCHED = Unwatched()
USUAL_TERMS = ReconcileTerms()


@dataclass(frozen=True, slots=True)
class SessionResult:
    """What a session came to. `quality` is in the order of the plan's legs.

    `stopped` says why it ended before its time, and is empty when it did not; `unread` are the quotes it left.
    """

    portfolio: Portfolio
    fills: tuple[Fill, ...]
    traded: Decimal
    fees: Decimal
    denied: int
    quality: tuple[ExecutionQuality, ...]
    stopped: str
    unread: Iterator[Quote]


def work_session(
    approved: ApprovedPlan,
    quotes: Iterable[Quote],
    venue: Venue,
    hours: SessionHours,
    portfolio: Portfolio,
    limits: Limits,
    emit: Emit,
    *,
    run_id: str,
    watch: SessionWatch = UNWATCHED,
    resume: Iterable[Event] = (),
    before: Iterable[SentOrder] = (),
    on_unexplained: OnUnexplained = lambda reconciled: None,
    terms: ReconcileTerms = USUAL_TERMS,
) -> SessionResult:
    """Work every leg as TWAP over the session's quotes, in time order, and close what is left at the end.

    A child is emitted before it is sent: with a live venue `emit` must not return before that is durable.
    `portfolio` must be the one the plan was approved for. `limits` are those of now: what has been tightened
    since the approval binds every child. `resume` are the log's events of this plan, when it was begun before;
    the quotes then go on from the moment of the last one. `before` are the account's orders of earlier plans: of
    this day, of those that day trades are counted over, and whatever is still open. `on_unexplained` is told, before
    the session ends over it, of a difference with the venue that has no innocent cause.
    """
    plan = genuine_plan(approved)
    if portfolio != approved.terms.portfolio:
        raise SessionRefused(
            f"plan {plan.plan_id} was approved for book {approved.terms.state_version}, and the book is another one "
            "now",
            remedy="Decide again from the present book.",
        )
    parents = {leg.order_id: working_parent(leg, approved.terms.legs[leg.order_id].lot, hours) for leg in plan.legs}
    earlier = [sent for sent in before if sent.child.decision_id != approved.terms.decision_id]
    today = hours.opens_at.date()
    recorder = Recorder(emit, run_id, approved.terms.decision_id, venue.name)
    book = SessionBook(approved.terms, earlier, today)
    reviewer = Reviewer(approved, venue, book, limits, hours, recorder.health)
    orders = OrderManager(venue, book, reviewer, recorder)
    for sent in earlier:
        if sent.concerns(today):
            orders.inherit(sent)
    restore(resume, orders, parents)
    reconciler = Reconciler(orders, book, venue, terms)
    readings = Readings(approved.terms, orders, book, parents)
    loop = SessionLoop(
        list(parents.values()),
        venue,
        hours,
        limits,
        recorder,
        book,
        orders,
        reviewer,
        reconciler,
        readings,
        watch,
        on_unexplained,
    )
    moments = Moments(quotes)
    for now, batch in moments:
        if hours.contains(now) and not loop.on_quotes(now, batch):
            break
    quality = loop.close()
    fills = orders.fills
    return SessionResult(
        portfolio=book_fills(portfolio, fills),
        fills=fills,
        traded=sum((fill.notional for fill in fills), Decimal(0)),
        fees=sum((fill.fee for fill in fills), Decimal(0)),
        denied=orders.denied,
        quality=quality,
        stopped=loop.stopped,
        unread=moments.unread(),
    )
