"""The children of one session as the desk knows them: where each is in its life, and each execution once."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from ..domain.control_events import BookDifference
from ..domain.orders import ChildOrder, Fill, OrderState
from ..memory.sent_orders import SentOrder
from .order_facts import fill_event
from .orders import TERMINAL, TRANSITIONS, OrderEvent, next_state
from .reviewing import Reviewer
from .session_book import SessionBook
from .working import WorkingChild

SENT, UNKNOWN = next_state(OrderState.INTENDED, OrderEvent.SUBMITTED), OrderState.UNKNOWN


class KnownOrders:
    """The orders of one session at one venue, and those of earlier plans that the account knows."""

    def __init__(self, book: SessionBook, reviewer: Reviewer) -> None:
        self._book, self._reviewer = book, reviewer
        self.children: dict[str, WorkingChild] = {}
        self.open: dict[str, WorkingChild] = {}
        """Those that may still fill, UNKNOWN ones included."""
        self.executions: dict[str, Fill] = {}
        """Every execution ever told, by its id: booked, taken back, or kept apart."""
        self.inherited: set[str] = set()
        """Those of earlier plans: in the portfolio that this plan began with."""
        self.busted: set[str] = set()
        self.unresolved: dict[str, WorkingChild] = {}
        """Those of the open ones whose outcome is unknown."""
        self.has_absent = False
        """One of the open ones may be absent at the venue: where none is, nobody looks for it at every quote."""
        self.quarantined: set[str] = set()
        self.differences: list[BookDifference] = []
        """What the venue said that can't be, until the session has told it."""
        self.sent = self.denied = self.rejected = 0
        self.n_standing = 0
        """How many executions stand."""
        self._fills: dict[str, Fill] = {}
        self._booked: list[Fill] = []
        """The same in a row, to be read on from where a reader was."""
        self._fills_of: dict[str, dict[str, Fill]] = defaultdict(dict)

    @property
    def fills(self) -> tuple[Fill, ...]:
        """The executions that stand, in the order they were booked."""
        return tuple(self._fills.values())

    def standing(self, after: int = 0) -> Sequence[Fill]:
        """The same behind the first so many, which costs nothing for those in front."""
        return self._booked[after:]

    def fills_of(self, order_id: str) -> tuple[Fill, ...]:
        return tuple(self._fills_of[order_id].values())

    def booked(self, execution_id: str) -> Fill | None:
        """The execution if it is booked here and stands."""
        return self._fills.get(execution_id)

    def inherit(self, sent: SentOrder) -> None:
        """Know an order of an earlier plan; one that is open is unresolved until the venue has said what it is."""
        child, is_open = sent.child, sent.open_quantity > 0
        state = OrderState.UNKNOWN if is_open else sent.ended or OrderState.FILLED
        working = WorkingChild(child, child.created_at, state, sent.executed, is_inherited=True)
        self.children[child.client_order_id] = working
        if is_open:
            self.open[child.client_order_id] = self.unresolved[child.client_order_id] = working
        self.executions |= {fill.execution_id: fill for fill in sent.fills}
        self.inherited.update(fill.execution_id for fill in sent.fills)
        self.busted |= sent.busted

    def begin(self, child: ChildOrder, now: datetime, worst_fee: Decimal | None = None) -> WorkingChild:
        """From now on the child counts as sent; a review has asked for its worst fee already."""
        self.sent += 1
        self._book.counts.sent(child, now)
        working, name = WorkingChild(child, now, SENT), child.__dict__["client_order_id"]
        self.children[name] = self.open[name] = working
        self.hold(child, self._reviewer.worst_fee(child) if worst_fee is None else worst_fee)
        return working

    def hold(self, child: ChildOrder, worst_fee: Decimal) -> None:
        """Count it at its worst case until it is over."""
        f = child.__dict__
        price = f["limit_price"] or f["stop_price"]
        assert price is not None, "the desk sends no order without a limit or a stop"
        self._book.send(child, price, worst_fee)

    def count_cancel(self, working: WorkingChild, at: datetime) -> None:
        working.cancels += 1
        self._book.counts.canceled(at)

    def move(self, working: WorkingChild, state: OrderState, at: datetime) -> None:
        """Into a state of the table; a child that is over holds nothing back any more."""
        working.state = state
        if at > working.last_event:
            working.last_event = at
        name = working.child.__dict__["client_order_id"]
        if state is UNKNOWN:
            self.unresolved[name] = working
        elif self.unresolved:
            self.unresolved.pop(name, None)
        if state in TERMINAL and self.open.pop(name, None) is not None:
            self._book.release(name)

    def take_in(self, working: WorkingChild, fill: Fill) -> bool:
        """Book an execution of a child, and say whether the table has it: money is real in any state."""
        f = fill.__dict__
        execution_id = f["execution_id"]
        working.executed += f["quantity"]
        working.is_acknowledged = True
        working.is_absent = False
        after = TRANSITIONS.get((working.state, fill_event(working)))
        if execution_id not in self._fills:
            self._booked.append(fill)
            self.n_standing += 1
        self.executions[execution_id] = self._fills[execution_id] = fill
        self._fills_of[f["order_id"]][execution_id] = fill
        self._book.fill(fill)
        self.move(working, after or working.state, f["ts_event"])
        return after is not None

    def take_back(self, fill: Fill) -> None:
        """An execution never counted; the child stays in its state, and the rest of its parent is due again."""
        self.busted.add(fill.execution_id)
        del self._fills[fill.execution_id], self._fills_of[fill.order_id][fill.execution_id]
        self._booked = list(self._fills.values())
        self.n_standing = len(self._booked)
        self._book.bust(fill)

    def contradict(self, difference: BookDifference) -> None:
        if difference not in self.differences:
            self.differences.append(difference)
