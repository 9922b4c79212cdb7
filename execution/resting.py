"""Protective orders at rest: the stop of a long position as an order at the venue, good till it is taken back.

It rests while nothing else is worked in its name. Where the plan trades, it is taken back before the plan's first child
and the desk watches the quotes itself; afterwards, and at the latest with the last quotes of the session, it is placed
anew for what is held then. Each one is approved by the gate like any exit. The stop of a short position is watched by
the desk alone: at the venue it would be a buy that nobody has put cash aside for.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

from ..domain.canonical import numbered_ids
from ..domain.events import OrderClosed, OrderOpened, StopFired
from ..domain.market import Quote
from ..domain.orders import ChildOrder, Fill, OrderType, ParentOrder, TimeInForce
from ..domain.trading import TradingState
from ..memory.order_results import result_of
from ..memory.sent_orders import SentOrder, rests
from .hours import SessionHours
from .order_manager import OrderManager
from .parent_work import WAITING
from .protection import ApproveResting, Protection, Stop
from .recorder import DESK, Recorder
from .reviewing import Reviewer
from .stopping import MAX_CANCELS
from .working import WorkingChild, is_tradable

BEFORE_OPEN = timedelta(minutes=1)
"""How long before the open the plan's names are cleared: what is asked for with the first quote comes behind it."""
TAKEN_BACK = "its name is traded, or its position has changed"
REFUSED = "the gate refused its order"
TRADED = "its order at the venue traded"


IsWorked = Callable[[str], bool]
"""Whether anything is still to be sent in a name."""


class Resting:
    """The protective orders of one session: those it began with, and those it places."""

    def __init__(
        self,
        approve: ApproveResting,
        before: Iterable[SentOrder],
        hours: SessionHours,
        orders: OrderManager,
        reviewer: Reviewer,
        recorder: Recorder,
    ) -> None:
        self._approve, self._hours, self._orders = approve, hours, orders
        self._reviewer, self._recorder = reviewer, recorder
        inherited = [sent for sent in before if rests(sent.child) and sent.open_quantity]
        self._earlier = {sent.child.client_order_id: sent for sent in inherited}
        self._followed = list(self._earlier)
        """Ids of the orders that have no result yet."""
        self._told = {name for name, sent in self._earlier.items() if sent.executed}
        self._refused: set[str] = set()

    def stands(self, working: WorkingChild) -> bool:
        """Whether an order may outlive this session's plan."""
        return rests(working.child) and working.is_known

    def is_open_in(self, symbol: str) -> bool:
        return any(working.child.symbol == symbol for working in self._open())

    def covers(self, symbol: str) -> bool:
        """Whether the venue closes the position by itself: nobody has asked for its order back."""
        return any(working.child.symbol == symbol and not working.cancels for working in self._open())

    def before_open(self, is_worked: IsWorked) -> None:
        """Take back the orders of the names that the plan trades, and go on with the rest."""
        at = max(self._hours.decided_at, self._hours.opens_at - BEFORE_OPEN)
        for working in self._open():
            if is_worked(working.child.symbol):
                self._orders.cancel(working, TAKEN_BACK, at)

    def follow(self, stops: Mapping[str, Stop], is_worked: IsWorked, now: datetime) -> None:
        """Take back what no longer fits its position, and tell what fired and what is over."""
        for working in self._open():
            stop = stops.get(working.child.symbol)
            left, held = working.child.quantity - working.executed, 0 if stop is None else stop.quantity
            if (left != held or is_worked(working.child.symbol)) and _may_cancel(working):
                self._orders.cancel(working, TAKEN_BACK, now)
        self.settle(now)

    def place(
        self,
        protection: Protection,
        latest: Mapping[str, Quote],
        is_worked: IsWorked,
        state_of: Callable[[str], TradingState],
        now: datetime,
    ) -> None:
        """An order at the venue for every long position that has none, and in whose name nothing else is going on."""
        ready = {
            symbol: stop
            for symbol, stop in sorted(protection.stops.items())
            if symbol in latest and self._may_rest(stop, latest[symbol]) and not is_worked(symbol)
        }
        if not ready:
            return
        approved = self._approve(tuple(ready), now, protection.portfolio)
        if isinstance(approved, str):
            self._refused |= set(ready)
            return
        self._reviewer.admit(approved)
        for leg in approved.plan.legs:
            tick = approved.terms.legs[leg.order_id].tick
            price = (ready[leg.symbol].price / tick).to_integral_value(ROUND_FLOOR) * tick
            self._send(leg, price, latest[leg.symbol], state_of(leg.symbol), now)

    def settle(self, at: datetime) -> None:
        """Tell of every order that has begun to trade, and write the result of every one that is over."""
        for name in self._followed:
            working = self._orders.known.children[name]
            if working.executed and name not in self._told:
                self._told.add(name)
                self._tell_fired(working, at)
        over = [name for name in self._followed if not self._orders.known.children[name].is_open]
        for name in over:
            self._followed.remove(name)
            child = self._orders.known.children[name].child
            fills = self._orders.known.fills_of(child.order_id)
            self._close(result_of(child, (*self._standing_before(name), *fills)), at)

    def _send(self, leg: ParentOrder, stop_price: Decimal, quote: Quote, state: TradingState, now: datetime) -> None:
        opened = OrderOpened(order=leg, arrival_price=stop_price)
        self._recorder.of_order(leg.order_id, now, DESK, opened, decision_id=leg.decision_id)
        child = ChildOrder(
            client_order_id=numbered_ids("ord", leg.decision_id, leg.order_id)(0),
            order_id=leg.order_id,
            decision_id=leg.decision_id,
            symbol=leg.symbol,
            side=leg.side,
            quantity=leg.quantity,
            sequence=0,
            created_at=self._reviewer.slot(now),
            order_type=OrderType.STOP,
            time_in_force=TimeInForce.GTC,
            stop_price=stop_price,
        )
        if self._orders.send(child, quote, state, child.created_at) is not None:
            self._followed.append(child.client_order_id)
            return
        self._refused.add(leg.symbol)
        self._close(result_of(child, (), REFUSED), now)

    def _close(self, closed: OrderClosed, at: datetime) -> None:
        self._recorder.of_order(closed.order_id, at, DESK, closed, decision_id=closed.decision_id)

    def _tell_fired(self, working: WorkingChild, now: datetime) -> None:
        child = working.child
        fills = self._orders.known.fills_of(child.order_id)
        if child.stop_price is None or not fills:
            return
        price, quantity = fills[0].price, child.quantity
        fired = StopFired(
            symbol=child.symbol, quantity=quantity, stop_price=child.stop_price, price=price, exits=(), outcome=TRADED
        )
        self._recorder.of_venue(now, fired)

    def _standing_before(self, name: str) -> tuple[Fill, ...]:
        sent = self._earlier.get(name)
        return () if sent is None else sent.standing

    def _open(self) -> list[WorkingChild]:
        return [working for working in self._orders.known.open.values() if rests(working.child)]

    def _may_rest(self, stop: Stop, quote: Quote) -> bool:
        if stop.quantity <= 0 or stop.symbol in self._refused or not is_tradable(quote) or stop.is_reached(quote):
            return False
        return all(working.child.symbol != stop.symbol for working in self._orders.known.open.values())


def _may_cancel(working: WorkingChild) -> bool:
    return working.state not in WAITING and working.cancels < MAX_CANCELS
