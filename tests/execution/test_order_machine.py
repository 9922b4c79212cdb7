"""Orders under everything a venue and a line can do, against a venue that keeps the truth: I1 to I6 and I8.

Each rule is one thing that happens; reports wait at the venue, and are delivered in any order, twice, or never.
"""

from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from parley.domain.events import ChildSubmitted, NewEvent
from parley.domain.orders import ChildOrder, OrderState, Side
from parley.domain.trading import TradingState
from parley.execution.order_manager import OrderManager
from parley.execution.orders import TERMINAL
from parley.execution.reconcile import Reconciler, ReconcileTerms
from parley.execution.recorder import Recorder
from parley.execution.restoring import restore
from parley.execution.session_book import SessionBook
from parley.execution.working import working_parent

from .conftest import Floor
from .scripted import ScriptedVenue, as_events

FLOOR = Floor()
LINES = st.sampled_from(["up", "up", "answer lost", "down"])


class Orders(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.log: list[NewEvent] = []
        self.plan = FLOOR.approved(FLOOR.leg("AAA", "BUY", 900))
        self.venue = ScriptedVenue({}, self.plan.terms.portfolio.cash)
        self.now = FLOOR.opens
        self.sequence = 0
        self.state = TradingState.ACTIVE
        self.terminal: dict[str, OrderState] = {}
        self.orders, self.book = self.rebuilt([])
        self.reconciler: Any = None

    def rebuilt(self, log: list[NewEvent]) -> tuple[OrderManager, SessionBook]:
        book = SessionBook(self.plan.terms)
        recorder = Recorder(self.log.append, "run", "d1", "scripted")
        reviewer = FLOOR.reviewer(self.plan, self.venue, book, recorder)
        orders = OrderManager(self.venue, book, reviewer, recorder)  # pyright: ignore
        parent = working_parent(self.plan.plan.legs[0], 1, FLOOR.hours)
        restore(as_events(log), orders.known, {parent.order.order_id: parent})
        return orders, book

    def quote(self) -> Any:
        self.now += timedelta(seconds=1)
        return FLOOR.quote(minutes=(self.now - FLOOR.opens).total_seconds() / 60)

    def pick(self, data: Any, options: Any) -> Any:
        return data.draw(st.sampled_from(list(options)))

    def working(self) -> list[str]:
        return [name for name, kept in self.venue.orders.items() if kept.state not in TERMINAL]

    @rule(quantity=st.integers(1, 60), line=LINES, refuses=st.booleans())
    def submit(self, quantity: int, line: Any, refuses: bool) -> None:
        quote = self.quote()
        child = ChildOrder(
            client_order_id=f"c{self.sequence}", order_id="leg-AAA", decision_id="d1", symbol="AAA", side=Side.BUY,
            quantity=quantity, limit_price=quote.ask, sequence=self.sequence, created_at=self.now,
        )  # fmt: skip
        self.sequence += 1
        self.venue.line, self.venue.refuses = line, refuses
        before = len(self.venue.sent)
        sent = self.orders.send(child, quote, self.state, self.now)
        self.venue.line, self.venue.refuses = "up", False
        if self.state is TradingState.HALTED:
            assert sent is None
            assert len(self.venue.sent) == before
        if sent is not None:
            assert (sent.state is OrderState.UNKNOWN) == (line != "up")

    @precondition(lambda self: self.working())
    @rule(data=st.data())
    def fill(self, data: Any) -> None:
        name = self.pick(data, self.working())
        kept = self.venue.orders[name]
        self.quote()
        self.venue.fill(name, data.draw(st.integers(1, kept.child.quantity - kept.executed)), self.now)

    @precondition(lambda self: self.venue.standing())
    @rule(data=st.data())
    def bust(self, data: Any) -> None:
        self.quote()
        self.venue.bust(self.pick(data, self.venue.standing()), self.now)

    @precondition(lambda self: self.working())
    @rule(data=st.data())
    def expire(self, data: Any) -> None:
        self.venue.expire(self.pick(data, self.working()), self.now)

    @precondition(lambda self: self.orders.known.open)
    @rule(data=st.data(), line=LINES, refuses=st.booleans())
    def cancel(self, data: Any, line: Any, refuses: bool) -> None:
        name = self.pick(data, self.orders.known.open)
        self.quote()
        self.venue.line, self.venue.refuses = line, refuses
        self.orders.cancel(self.orders.known.open[name], "test", self.now)
        self.venue.line, self.venue.refuses = "up", False

    @precondition(lambda self: self.venue.pending)
    @rule(data=st.data(), times=st.integers(0, 2))
    def deliver(self, data: Any, times: int) -> None:
        """One of the waiting reports, whichever: twice, once, or never."""
        report = self.pick(data, self.venue.pending)
        self.venue.pending.remove(report)
        self.orders.answers.apply([report] * times)

    @rule(state=st.sampled_from([TradingState.ACTIVE, TradingState.HALTED]))
    def restrict(self, state: TradingState) -> None:
        self.state = state

    @rule()
    def restart(self) -> None:
        """The process ends and reads its log; reports on their way to the old one are lost."""
        self.venue.pending.clear()
        self.orders, self.book = self.rebuilt(self.log)
        self.reconciler = None

    @rule()
    def reconcile(self) -> None:
        quote = self.quote()
        self.venue.pending.clear()
        for item in [item for item in self.orders.known.open.values() if item.state is OrderState.SUBMITTED]:
            self.orders.lose(item, "no answer", self.now)
        found = self._reconciled()
        assert found is not None
        assert found.is_explained, found
        sent = set(self.venue.sent)
        for item in [item for item in self.orders.known.open.values() if item.is_absent]:
            self.orders.resend(item, quote, self.state, self.now)
            assert self.state is TradingState.ACTIVE or set(self.venue.sent) == sent
        self.orders.answers.apply(self.venue.deliver())
        # I1, and nothing is left to explain.
        assert self._reconciled() == found.model_copy(
            update={
                "orders_checked": len(self.orders.known.open),
                "executions_checked": len(self.venue.told),
                "differences": (),
            }
        )
        assert {fill.execution_id for fill in self.orders.known.fills} == {
            f.execution_id for f in self.venue.standing()
        }
        assert self.book.held["AAA"] == (self.venue.positions() or {}).get("AAA", 0)
        assert self.book.cash == self.venue.cash()
        assert not self.orders.known.unresolved

    def _reconciled(self) -> Any:
        """Through one reconciler until a restart: it does not look twice at what both agreed on."""
        if self.reconciler is None:
            terms = ReconcileTerms(guard=timedelta(0))
            self.reconciler = Reconciler(self.orders, self.book, self.venue, terms)  # pyright: ignore
        return self.reconciler.run(self.now, spares_recent=False)

    @invariant()
    def what_is_unresolved_is_known_without_a_look_at_every_order(self) -> None:
        known = self.orders.known
        assert known.unresolved == {n: item for n, item in known.open.items() if item.state is OrderState.UNKNOWN}
        assert known.has_absent or not any(item.is_absent for item in known.open.values())

    @invariant()
    def nothing_is_doubled(self) -> None:
        told = [event.payload for event in self.log if isinstance(event.payload, ChildSubmitted)]
        names = [payload.child.client_order_id for payload in told]
        assert len(names) == len(set(names))
        # I2 and I3: at the venue is only what was announced with its review, each under one id.
        assert set(self.venue.orders) <= set(names)
        assert all(len(payload.verdict_hash) == 64 for payload in told)
        assert {fill.execution_id for fill in self.orders.known.fills} <= {
            item.fill.execution_id for item in self.venue.told
        }
        assert not self.orders.known.differences

    @invariant()
    def limits_hold_at_worst_case(self) -> None:
        busted = sum(self.orders.known.executions[name].quantity for name in self.orders.known.busted)
        counted = sum(
            item.child.quantity if item.is_open else item.executed for item in self.orders.known.children.values()
        )
        assert self.book.committed("leg-AAA") == counted - busted
        assert counted - busted <= 900

    @invariant()
    def the_log_folds_to_the_same(self) -> None:
        orders, book = self.rebuilt(self.log)
        assert {name: (item.state, item.executed) for name, item in orders.known.children.items()} == {
            name: (item.state, item.executed) for name, item in self.orders.known.children.items()
        }
        assert orders.known.fills == self.orders.known.fills
        assert (book.cash, book.held["AAA"], book.reserved) == (
            self.book.cash,
            self.book.held["AAA"],
            self.book.reserved,
        )

    @invariant()
    def what_is_over_stays_over(self) -> None:
        for name, item in self.orders.known.children.items():
            if name in self.terminal:
                assert item.state is self.terminal[name]
            elif not item.is_open:
                self.terminal[name] = item.state


TestOrders = Orders.TestCase
TestOrders.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
