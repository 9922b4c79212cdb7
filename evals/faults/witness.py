"""The witness at the venue's door: judges every order that arrives by what is true there, not by what the desk says."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from ...domain.events import ChildClosed, ChildSubmitted, Payload, PlanApproved, RunStarted, TradingStateChanged
from ...domain.orders import ChildOrder, Fill, Side
from ...domain.trading import ACCOUNT, UNRESTRICTED, TradingState, TradingStates
from ...execution.orders import TERMINAL
from ...execution.restrictions import UNTOUCHED
from ...gate.approval import ApprovedOrder, PlanTerms
from ...gate.limits import Limits
from ...memory.sent_orders import rests
from .exchange import NAME, Exchange
from .feed import SessionFeed

ZERO = Decimal(0)
LOSS_MARGIN = Decimal("0.001")
"""The desk values at its own mids; a loss this close to the breaker's level is not held against it."""


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """A broken invariant, by its name, and what was seen."""

    invariant: str
    text: str


@dataclass(slots=True)
class Bench:
    """What the witness has before it while one process works one session."""

    terms: PlanTerms
    limits: Limits
    under: tuple[str, str]
    """Hashes of the settings and the limits of the process that works."""
    feed: SessionFeed
    decided_at: datetime
    began_at: int
    """The first moment that this process has seen of the session."""
    previous_equity: Decimal
    loss_limit: Decimal | None
    """The loss since the last close from which on nothing may add risk; None where quotes lie."""
    is_uncommitted: Callable[[], bool]
    beside: dict[str, int] = field(default_factory=dict[str, int])
    """Shares by order id of what was approved while the session ran: exits, and stops that rest."""


@dataclass(slots=True)
class Records:
    """What is durably in the log, as far as the witness needs it."""

    submitted: dict[str, ChildOrder] = field(default_factory=dict[str, ChildOrder])
    verdicts: dict[str, str] = field(default_factory=dict[str, str])
    approved_legs: set[str] = field(default_factory=set[str])
    states: TradingStates = UNRESTRICTED
    begun_under: tuple[str, str] = ("", "")
    bars_stops: bool = False
    """Whether the account is HALTED for a cause that lets not even a protective order be sent."""

    def take(self, payload: Payload) -> None:
        match payload:
            case ChildSubmitted():
                self.submitted[payload.child.client_order_id] = payload.child
                self.verdicts[payload.child.client_order_id] = payload.verdict_hash
            case PlanApproved() if payload.verdict.approved:
                self.approved_legs |= {leg.order_id for leg in payload.plan.legs}
            case RunStarted():
                self.begun_under = payload.settings_hash, payload.limits_hash
            case TradingStateChanged():
                self.states = self.states.with_state(payload.scope, payload.after)
                if payload.scope == ACCOUNT:
                    still_barred = self.bars_stops and payload.cause == "breaker"
                    bars = payload.cause in UNTOUCHED or still_barred
                    self.bars_stops = bars and payload.after is TradingState.HALTED
            case _:
                pass


class DoorWitness:
    """Collects violations; it stops nothing, so that the desk can't come to rely on it."""

    def __init__(
        self, exchange: Exchange, ordered: Callable[[int, str], TradingState], is_killed: Callable[[int], bool]
    ) -> None:
        """`ordered` is what a person has told the desk about a symbol by a moment, `is_killed` if its flag was up."""
        self._exchange, self._ordered, self._is_killed = exchange, ordered, is_killed
        self.bench: Bench | None = None
        self.records = Records()
        self.told_busts: set[str] = set()
        self.violations: list[Violation] = []
        self.arrivals = 0

    def recorded(self, payload: Payload) -> None:
        """One more fact is durable: the log may not call an order over that is open at the venue."""
        self.records.take(payload)
        if isinstance(payload, ChildClosed):
            order = self._exchange.order(payload.client_order_id)
            if order is not None and order.state not in TERMINAL:
                self._say("I6", f"{payload.client_order_id} is {payload.state} in the log and {order.state} in truth")

    def arrived(self, order: ApprovedOrder, moment: int) -> None:
        bench = self.bench
        assert bench is not None, "orders come from a session at work"
        self.arrivals += 1
        child = order.child
        known = self._exchange.orders.get(child.client_order_id)
        self._check_record(order, bench)
        if known is not None:
            if known != child:
                self._say("I2", f"{child.client_order_id} came again with another content")
            return
        self._check_parent(child, bench)
        self._check_limits(child, bench)
        self._check_state(child, bench, moment)
        self._check_loss(child, bench, moment)
        why = bench.feed.bad.get((moment, child.symbol))
        if why:
            self._say("D1", f"{child.client_order_id} was sent on a quote of {child.symbol} that is {why}")

    def _check_record(self, order: ApprovedOrder, bench: Bench) -> None:
        name = order.child.client_order_id
        if bench.is_uncommitted():
            self._say("I3", f"{name} was sent while its record was not durable")
        if name not in self.records.submitted:
            self._say("I3", f"{name} was sent without a record in the log")
        elif self.records.submitted[name] != order.child:
            self._say("I3", f"{name} was sent with another content than its record")
        elif name not in self._exchange.orders and self.records.verdicts[name] != order.verdict_hash:
            # A resend has a review of its own; the first send has the recorded one, unless it never arrived.
            self._resent(name)
        if bench.under != self.records.begun_under:
            self._say("I3", f"{name} was sent under other settings or limits than those of the run")
        if order.child.order_id not in self.records.approved_legs:
            self._say("I3", f"{name} is of no leg that the gate approved")

    def _resent(self, name: str) -> None:
        if len(self.records.verdicts[name]) != 64:
            self._say("I3", f"{name} was sent with no review on record")

    def _check_parent(self, child: ChildOrder, bench: Bench) -> None:
        leg = bench.terms.legs.get(child.order_id)
        approved = bench.beside.get(child.order_id) if leg is None else leg.quantity
        if approved is None:
            self._say("I3", f"{child.client_order_id} is of no leg of the plan at work")
            return
        untold = sum(fill.quantity for fill in self._untold() if fill.order_id == child.order_id)
        total = self._exchange.standing(child.order_id) + untold + child.quantity
        if total > approved:
            text = f"{child.client_order_id} brings the children of {child.order_id} to {total} of {approved}"
            self._say("I2", text)

    def _check_limits(self, child: ChildOrder, bench: Bench) -> None:
        """Short sales, weight and cash with every open order filled, as the venue has them."""
        leg, limits, terms = bench.terms.legs.get(child.order_id), bench.limits, bench.terms
        if (leg is None or child.limit_price is None) and child.order_id not in bench.beside:
            return
        held, cash = self._ours(bench)
        opened = [
            (self._exchange.orders[item.client_order_id], item.quantity - item.executed)
            for item in self._exchange.open_orders()
        ]
        opened.append((child, child.quantity))
        name, mine = child.symbol, held.get(child.symbol, 0)
        if child.side is Side.SELL:
            sells = sum(left for item, left in opened if item.symbol == name and item.side is Side.SELL)
            if sells > max(mine, 0) and not limits.allow_short:
                self._say("I4", f"{child.client_order_id} brings open sells of {name} to {sells} over {mine} held")
            return
        if leg is None:
            return  # an exit of what is short
        buys = sum(left for item, left in opened if item.symbol == name and item.side is Side.BUY)
        weight = leg.mark * (mine + buys) / terms.equity
        bound = Decimal(repr(limits.max_instrument_weight.of(leg.asset_class)))
        if weight > bound:
            self._say("I4", f"{child.client_order_id} brings {name} to {weight:.4f} of equity, the limit is {bound}")
        worst = sum(((item.limit_price or ZERO) * left for item, left in opened if item.side is Side.BUY), ZERO)
        if worst > cash:
            self._say("I4", f"{child.client_order_id} brings the worst cost of open buys to {worst} over {cash} cash")

    def _check_state(self, child: ChildOrder, bench: Bench, moment: int) -> None:
        recorded = self.records.states.of(child.symbol, venue=NAME)
        if rests(child):
            if self.records.bars_stops or self._is_killed(moment):
                self._say("I8", f"{child.client_order_id}, a stop, was sent where nothing at all may be")
            return
        state = max(self._ordered(moment, child.symbol), recorded, key=lambda item: item.severity)
        if state is TradingState.HALTED or (state is TradingState.REDUCING and child.side is Side.BUY):
            self._say("I8", f"{child.client_order_id} was sent while {child.symbol} was {state}")

    def _check_loss(self, child: ChildOrder, bench: Bench, moment: int) -> None:
        """After a loss beyond the breaker's level, seen a moment ago, nothing adds risk."""
        before = moment - 1
        if bench.loss_limit is None or before < bench.began_at or child.side is Side.SELL:
            return
        held, equity = self._ours(bench)
        quotes = bench.feed.truth[before - bench.feed.first]
        for symbol, quantity in held.items():
            equity += quantity * (quotes[symbol].mid if symbol in quotes else bench.terms.marks[symbol])
        loss = 1 - equity / bench.previous_equity
        if loss > bench.loss_limit + LOSS_MARGIN:
            self._say("I4", f"{child.client_order_id} adds risk after a loss of {loss:.2%} on the day")

    def _ours(self, bench: Bench) -> tuple[dict[str, int], Decimal]:
        """Shares and cash as our own executions make them, busts counted once the desk could know of them."""
        held, cash = dict(bench.terms.portfolio.holdings()), bench.terms.portfolio.cash
        for fill in self._exchange.fills:
            is_new = fill.order_id in bench.terms.legs or fill.ts_event > bench.decided_at
            if is_new and fill.execution_id not in self.told_busts:
                held[fill.symbol] = held.get(fill.symbol, 0) + fill.side.sign * fill.quantity
                cash -= fill.side.sign * fill.notional + fill.fee
        return held, cash

    def _untold(self) -> list[Fill]:
        gone = self._exchange.busted - self.told_busts
        return [fill for fill in self._exchange.fills if fill.execution_id in gone]

    def _say(self, invariant: str, text: str) -> None:
        self.violations.append(Violation(invariant, text))
