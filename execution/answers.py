"""Takes in what the venue says: in any order, repeated, late, or about something we never sent.

Whatever it says that can't be is not an exception but a difference: real money is still booked, what belongs to
no order of ours is kept apart, and the session halts on it.
"""

from collections.abc import Iterable

from ..domain import events
from ..domain.made import whole
from ..domain.orders import Fill
from .known_orders import KnownOrders
from .order_facts import Answer, answer_fact, belongs, child_unresolved, contradiction, shares
from .orders import TRANSITIONS, OrderEvent, next_state
from .recorder import Recorder
from .venues.venue import Accepted, Busted, Canceled, CancelRefused, Expired, Filled, Rejected, Report
from .working import WorkingChild

_EVENTS: dict[type[Answer], OrderEvent] = {
    Accepted: OrderEvent.ACCEPTED,
    Rejected: OrderEvent.REJECTED,
    Canceled: OrderEvent.CANCELED,
    CancelRefused: OrderEvent.CANCEL_REFUSED,
    Expired: OrderEvent.EXPIRED,
}
ENDINGS = (Canceled, Expired)
REJECTED, CANCEL_REFUSED = OrderEvent.REJECTED, OrderEvent.CANCEL_REFUSED


class Answers:
    """The venue's reports, folded into what the desk knows of its orders and told to the log, each once."""

    def __init__(self, known: KnownOrders, recorder: Recorder) -> None:
        self._known, self._recorder = known, recorder

    def apply(self, reports: Iterable[Report]) -> None:
        for report in reports:
            match report:
                case Filled():
                    self._fill(report.fill)
                case Busted():
                    self._bust(report)
                case _:
                    self._answer(report)

    def _fill(self, fill: Fill) -> None:
        known, f = self._known, fill.__dict__
        told = known.executions.get(f["execution_id"])
        if told is not None:
            if told != fill:
                text = f"execution {fill.execution_id} was told twice with different content"
                known.contradict(contradiction("unknown_fill", fill.execution_id, shares(told), shares(fill), text))
            return
        working = known.children.get(f["client_order_id"])
        if working is None or not belongs(fill, working.child):
            known.executions[fill.execution_id] = fill
            known.quarantined.add(fill.execution_id)
            text = (
                f"execution {fill.execution_id} is of {fill.client_order_id}, which this session never sent like that"
            )
            known.contradict(contradiction("unknown_fill", fill.execution_id, "nothing sent", shares(fill), text))
            return
        filled = whole(events.OrderFilled, {"fill": fill})
        self._recorder.of_child(working.child, f["ts_event"], self._recorder.by_venue, filled)
        before = working.state
        is_legal, sent = known.take_in(working, fill), working.child.__dict__["quantity"]
        if not is_legal or working.executed > sent:
            theirs = f"{working.executed} executed"
            text = f"{fill.client_order_id}: {working.executed} shares executed of {sent} sent, in state {before}"
            known.contradict(contradiction("order_state", fill.client_order_id, f"{sent} sent, {before}", theirs, text))
        if working.ending is not None and working.is_open and working.executed >= working.ending.executed:
            self._answer(working.ending)

    def _bust(self, report: Busted) -> None:
        known, fill = self._known, report.fill
        if fill.execution_id in known.busted:
            return
        working = known.children.get(fill.client_order_id)
        booked = known.booked(fill.execution_id) or fill
        kept_apart = fill.execution_id in known.quarantined | known.inherited
        if kept_apart or working is None or not belongs(fill, working.child) or booked != fill:
            text = f"a bust of execution {fill.execution_id} does not fit what was booked"
            known.contradict(contradiction("unknown_fill", fill.execution_id, "another one", shares(fill), text))
            return
        # A bust that overtook its execution: both happened.
        self._fill(fill)
        payload = events.FillBusted(execution_id=fill.execution_id, fill=fill, reason=report.reason)
        self._recorder.of_child(working.child, report.ts_event, self._recorder.by_venue, payload)
        known.take_back(fill)

    def _answer(self, report: Answer) -> None:
        known, name = self._known, report.client_order_id
        working, event = known.children.get(name), _EVENTS[type(report)]
        if working is None:
            text = f"the venue reports {event} for {name}, which this session never sent"
            known.contradict(contradiction("unknown_order", name, "never sent", event, text))
            return
        before = working.state
        after = TRANSITIONS.get((before, event))
        if after is None:
            text = f"{name}: the venue says {event}, but here it is {before}"
            known.contradict(contradiction("order_state", name, before, event, text))
            return
        if isinstance(report, ENDINGS) and working.is_open and self._is_counted_otherwise(working, report):
            return
        if event is not CANCEL_REFUSED:
            working.is_acknowledged, working.is_absent = True, False
        payload = answer_fact(working, report, after)
        if payload is not None and (after is not before or not working.is_known):
            known.rejected += event is REJECTED
            self._recorder.of_child(working.child, report.ts_event, self._recorder.by_venue, payload)
        known.move(working, after, report.ts_event)

    def _is_counted_otherwise(self, working: WorkingChild, report: Canceled | Expired) -> bool:
        """Whether the venue ends an order with another executed quantity than its executions told here come to.

        With more, executions are on their way or lost: the order stays UNKNOWN and at its worst case, so that
        nothing is sent in its place, until they are in or the venue was asked for them. With less it can't be.
        """
        name, ours, theirs = working.child.client_order_id, working.executed, report.executed
        if theirs == ours:
            return False
        if theirs < ours:
            text = f"{name}: the venue ends it with {theirs} executed, and has told {ours}"
            self._known.contradict(contradiction("order_state", name, f"{ours} executed", f"{theirs} executed", text))
            return False
        working.is_acknowledged, working.is_absent, working.ending = True, False, report
        if working.is_known:
            self._known.move(working, next_state(working.state, OrderEvent.LOST), report.ts_event)
            reason = f"ended at the venue with {theirs} executed, of which {ours} were told here"
            payload = child_unresolved(working.child, reason)
            self._recorder.of_child(working.child, report.ts_event, self._recorder.by_venue, payload)
        return True
