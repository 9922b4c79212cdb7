"""The fast loop: works one approved plan through one session, child by child, through the gate.

No language model, no clock and no network here. Time is the time of the quotes; what happens is told
through `emit`, and what `emit` has taken is what the log says happened. A session that was cut off is given the
log's events of its plan: it takes up every order where it stood, asks the venue for the rest, and goes on.
"""

from collections.abc import Iterable

from ..domain.events import Event
from ..domain.market import Quote
from ..domain.orders import Tactic
from ..domain.portfolio import Portfolio
from ..gate.approval import ApprovedPlan, genuine_plan
from ..gate.limits import Limits
from ..memory.sent_orders import SentOrder
from .algorithms.observed import ObservedVolume
from .board import Board
from .errors import SessionRefused
from .fast_path import FastPath, SessionResult, without_pauses
from .guarding import Guarding
from .hours import SessionHours
from .moments import Moments
from .nights import Night
from .order_manager import OrderManager
from .parent_work import ParentWork
from .protection import Protection, ProtectionTerms
from .readings import Readings
from .reconcile import Reconciler, ReconcileTerms
from .recorder import Emit, Recorder
from .resting import Resting
from .restoring import as_begun, restore
from .reviewing import Reviewer
from .session_book import SessionBook
from .session_loop import OnUnexplained, SessionLoop
from .slippage import SlippageMonitor
from .venues.market_events import Print
from .venues.venue import Venue
from .watching import SessionWatch, Unwatched
from .working import working_parent

UNWATCHED = Unwatched()
USUAL_TERMS = ReconcileTerms()


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
    volume: ObservedVolume | None = None,
    prints: Iterable[Print] = (),
    protection: ProtectionTerms | None = None,
) -> SessionResult:
    """Work every leg by its algorithm over the session's quotes, in time order, and close what is left at the end.

    A child is emitted before it is sent: with a live venue `emit` must not return before that is durable.
    `portfolio` must be the one the plan was approved for. `limits` are those of now: what has been tightened
    since the approval binds every child. `resume` are the log's events of this plan, when it was begun before;
    the quotes then go on from the moment of the last one. `before` are the account's orders of earlier plans: of
    this day, of those that day trades are counted over, and whatever is still open. `on_unexplained` is told, before
    the session ends over it, of a difference with the venue that has no innocent cause. `volume` names the instruments
    whose trades are told and holds what was told before; `prints` are those of this session, in the order they came.
    `protection` gives every position a stop.
    """
    path = open_session(
        approved,
        venue,
        hours,
        portfolio,
        limits,
        emit,
        run_id=run_id,
        watch=watch,
        resume=resume,
        before=before,
        on_unexplained=on_unexplained,
        terms=terms,
        volume=volume,
        protection=protection,
    )
    moments, trades = Moments(quotes, hours), iter(prints)
    ahead = next(trades, None)
    with without_pauses():
        for now, batch in moments:
            while ahead is not None and ahead.ts_event <= now:
                path.on_trade(ahead.symbol, ahead.ts_event, ahead.size)
                ahead = next(trades, None)
            for quote in batch:
                path.on_quote(quote)
            if not path.on_timer(now):
                break
        return path.close(moments.unread(), moments.dropped)


def open_session(
    approved: ApprovedPlan,
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
    volume: ObservedVolume | None = None,
    protection: ProtectionTerms | None = None,
) -> FastPath:
    """The same session, open for events one by one; whoever feeds it closes it."""
    plan = genuine_plan(approved)
    if portfolio != approved.terms.portfolio:
        raise SessionRefused(
            f"plan {plan.plan_id} was approved for book {approved.terms.state_version}, and the book is another one "
            "now",
            remedy="Decide again from the present book.",
        )
    parents = {leg.order_id: working_parent(leg, approved.terms.legs[leg.order_id].lot, hours) for leg in plan.legs}
    told, has_resting = tuple(resume), protection is not None and protection.resting is not None
    earlier = [sent for sent in before if sent.child.decision_id != approved.terms.decision_id]
    if has_resting:
        earlier = as_begun(earlier, told)
    today = hours.opens_at.date()
    recorder = Recorder(emit, run_id, approved.terms.decision_id, venue.name)
    book = SessionBook(approved.terms, earlier, today)
    reviewer = Reviewer(approved, venue, book, limits, hours, recorder.health)
    orders = OrderManager(venue, book, reviewer, recorder)
    for sent in earlier:
        if sent.concerns(today):
            orders.known.inherit(sent)
    rested = restore(told, orders.known, parents, has_resting=has_resting)
    reconciler = Reconciler(orders, book, venue, terms)
    costs = SlippageMonitor(orders.known, parents, recorder)
    followed = [leg.symbol for leg in plan.legs if leg.advice.tactic is Tactic.LEAN]
    board = Board(approved.terms.marks, book.held, [leg.symbol for leg in plan.legs], followed)
    readings = Readings(orders.known, book, board, costs)
    observed = ObservedVolume(()) if volume is None else volume
    work = ParentWork(venue, hours, limits, recorder, book, orders, reviewer, board, observed.traded)
    stops = guarding = night = None
    if protection is not None:
        resting = None
        if protection.resting is not None:
            resting = Resting(protection.resting, earlier, hours, orders, reviewer, recorder, rested)
        covers = resting.covers if resting is not None else lambda symbol: False
        stops = Protection(protection, portfolio, orders.known, recorder, covers)
        if resting is not None:
            guarding = Guarding(stops, resting, book, orders, venue)
            night = Night(stops, resting, guarding, book, orders, reviewer, reconciler, venue)
    loop = SessionLoop(
        parents,
        venue,
        hours,
        work,
        recorder,
        book,
        orders,
        reviewer,
        reconciler,
        board,
        readings,
        costs,
        stops,
        guarding,
        night,
        watch,
        on_unexplained,
    )
    return FastPath(loop, orders.known, portfolio, observed)
