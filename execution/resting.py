"""Protective orders at rest: the stop of a long position as an order at the venue, good till it is taken back.

It rests while nothing else is worked in its name. Where the plan trades, it is taken back before the plan's first child
and the desk watches the quotes itself; afterwards, with the session's last quotes or behind its close (`nights.py`), it
is placed anew for what is held then. Each one is approved by the gate like any exit. A halt takes none back that only
closes what is held, and the gate lets one be placed anew then; `guarding.py` says when. The stop of a short position is
watched by the desk alone: at the venue it would be a buy that nobody has put cash aside for.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

from ..domain.canonical import numbered_ids
from ..domain.events import OrderClosed, OrderOpened, StopFired
from ..domain.market import Quote
from ..domain.orders import ChildOrder, Fill, OrderState, OrderType, ParentOrder, Side, TimeInForce
from ..domain.trading import TradingState
from ..memory.order_results import result_of
from ..memory.sent_orders import SentOrder, rests
from .hours import SessionHours
from .order_manager import OrderManager
from .parent_work import WAITING
from .protection import Protection, RestingDesk, Stop
from .recorder import DESK, Recorder
from .restoring import Rested
from .reviewing import Reviewer
from .stopping import MAX_CANCELS
from .working import WorkingChild, is_tradable

BEFORE_OPEN = timedelta(minutes=1)
"""How long before the open the plan's names are cleared: what is asked for with the first quote comes behind it."""
TAKEN_BACK = "its name is traded, or its position has changed"
WAIVED = "a person took it back"
ABSENT = "never arrived, and another one takes its place"
REFUSED = "the gate refused its order"
UNSENT = "its session was cut off before it was sent"
TRADED = "its order at the venue traded"
MAX_REJECTS = 3
"""A venue that refuses a name's stop this often will not be moved by asking again."""


IsWorked = Callable[[str], bool]
"""Whether anything is still to be sent in a name."""


class Resting:
    """The protective orders of one session: those it began with, and those it places."""

    def __init__(
        self,
        desk: RestingDesk,
        before: Iterable[SentOrder],
        hours: SessionHours,
        orders: OrderManager,
        reviewer: Reviewer,
        recorder: Recorder,
        rested: Rested,
    ) -> None:
        """`rested` is what the log says where the session was begun before."""
        self._desk, self._hours, self._orders = desk, hours, orders
        self._reviewer, self._recorder, self._rested = reviewer, recorder, rested
        inherited = [sent for sent in before if rests(sent.child) and sent.open_quantity]
        self._earlier = {sent.child.client_order_id: sent for sent in inherited}
        known = (*self._earlier, *rested.sent)
        children = {name: orders.known.children[name].child for name in known}
        self._followed = [name for name in known if children[name].order_id not in rested.over]
        """Ids of the orders that have no result yet."""
        self._told = {name for name, sent in self._earlier.items() if sent.executed}
        self._told |= {name for name in known if (children[name].symbol, children[name].stop_price) in rested.fired}
        self._refused: dict[str, tuple[TradingState, str]] = {}
        """Where the gate refused a name's stop: in which state it did so, and why."""
        self._rejected = Counter[str]()

    @property
    def desk(self) -> RestingDesk:
        return self._desk

    def stands(self, working: WorkingChild) -> bool:
        """Whether an order may outlive this session's plan."""
        return rests(working.child) and working.is_known

    def is_open_in(self, symbol: str) -> bool:
        return any(working.child.symbol == symbol for working in self._open())

    def covers(self, symbol: str) -> bool:
        """Whether the desk need not look itself: nobody has asked for the order back, or a person wants none."""
        if symbol in self._desk.waived:
            return True
        return any(working.child.symbol == symbol and not working.cancels for working in self._open())

    def before_open(self, is_worked: IsWorked, now: datetime) -> None:
        """Take back the orders of the names that the plan trades, and go on with the rest. A session that was begun
        before has passed its open: what it opened and never sent is over."""
        for leg, stop_price in self._rested.unsent:
            self._close(result_of(self._child(leg, stop_price, now), (), UNSENT), now)
        if self._rested.is_resumed:
            return
        at = max(self._hours.decided_at, self._hours.opens_at - BEFORE_OPEN)
        for working in self._open():
            if is_worked(working.child.symbol):
                self._orders.cancel(working, TAKEN_BACK, at)

    def follow(self, stops: Mapping[str, Stop], is_worked: IsWorked, now: datetime, *, may_grow: bool = True) -> None:
        """Take back what no longer fits its position, and tell what fired and what is over.

        One that is too small stays where it `may` not `grow`: no other could be placed for it.
        """
        for working in self._open():
            symbol = working.child.symbol
            stop, left = stops.get(symbol), working.child.quantity - working.executed
            held = 0 if stop is None else stop.quantity
            fits = left == held or (0 < left < held and not may_grow)
            is_waived = symbol in self._desk.waived
            if working.is_absent:
                self._orders.give_up(working, ABSENT, now)
            elif (not fits or is_waived or is_worked(symbol)) and _may_cancel(working):
                self._orders.cancel(working, WAIVED if is_waived else TAKEN_BACK, now)
        self.settle(now)

    def missing(
        self,
        protection: Protection,
        latest: Mapping[str, Quote],
        is_worked: IsWorked,
        state_of: Callable[[str], TradingState],
    ) -> dict[str, Stop]:
        """Every long position that has no order at the venue and could have one now, in whose name nothing else is
        going on."""
        return {
            symbol: stop
            for symbol, stop in sorted(protection.stops.items())
            if symbol in latest
            and self._may_rest(stop, latest[symbol], state_of)
            and not is_worked(symbol)
            and symbol not in self._desk.waived
        }

    def place(
        self,
        ready: Mapping[str, Stop],
        protection: Protection,
        latest: Mapping[str, Quote],
        state_of: Callable[[str], TradingState],
        now: datetime,
        *,
        for_night: bool = False,
    ) -> str:
        """An order at the venue for each of these; why there is none, or an empty text."""
        approved = self._desk.approve_resting(tuple(ready), now, protection.portfolio, for_night=for_night)
        if isinstance(approved, str):
            self._refused |= {symbol: (state_of(symbol), approved) for symbol in ready}
            return approved
        self._reviewer.admit(approved)
        for leg in approved.plan.legs:
            tick = approved.terms.legs[leg.order_id].tick
            price = (ready[leg.symbol].price / tick).to_integral_value(ROUND_FLOOR) * tick
            self._send(leg, price, latest[leg.symbol], state_of(leg.symbol), now)
        return ""

    def forget_refusals(self) -> None:
        """What was in the gate's way may be over: each name may be asked for once more."""
        self._refused.clear()

    def refusal(self, symbol: str) -> str:
        """Why a name's stop was refused the last time; empty where it was not."""
        if symbol in self._refused:
            return self._refused[symbol][1]
        return "the venue refused its order" if self._rejected[symbol] else ""

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
            working = self._orders.known.children[name]
            child = working.child
            self._rejected[child.symbol] += working.state is OrderState.REJECTED
            fills = self._orders.known.fills_of(child.order_id)
            self._close(result_of(child, (*self._standing_before(name), *fills)), at)

    def closing(self, symbol: str) -> int:
        """Shares of a name that open orders may still sell, whatever kind of order they are."""
        found = (item for item in self._orders.known.open.values() if item.child.symbol == symbol)
        return sum(item.child.quantity - item.executed for item in found if item.child.side is Side.SELL)

    def _child(self, leg: ParentOrder, stop_price: Decimal, now: datetime) -> ChildOrder:
        return ChildOrder(
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

    def _send(self, leg: ParentOrder, stop_price: Decimal, quote: Quote, state: TradingState, now: datetime) -> None:
        opened = OrderOpened(order=leg, arrival_price=stop_price)
        self._recorder.of_order(leg.order_id, now, DESK, opened, decision_id=leg.decision_id)
        child = self._child(leg, stop_price, now)
        if self._orders.send(child, quote, state, child.created_at) is not None:
            self._followed.append(child.client_order_id)
            return
        self._refused[leg.symbol] = state, self._orders.refusal
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

    def _may_rest(self, stop: Stop, quote: Quote, state_of: Callable[[str], TradingState]) -> bool:
        symbol = stop.symbol
        if stop.quantity <= 0 or not is_tradable(quote) or stop.is_reached(quote):
            return False
        refused = self._refused.get(symbol)
        if (refused is not None and refused[0] is state_of(symbol)) or self._rejected[symbol] >= MAX_REJECTS:
            return False
        return all(working.child.symbol != symbol for working in self._orders.known.open.values())


def _may_cancel(working: WorkingChild) -> bool:
    return working.state not in WAITING and working.cancels < MAX_CANCELS
