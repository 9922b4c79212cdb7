"""The venue port over the exchange: what is asked and what is told goes missing, comes twice, late or backwards."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from ...domain.market import Quote
from ...domain.orders import Fill
from ...execution.errors import VenueUnreachable
from ...execution.venues.venue import Accepted, Busted, CancelRefused, Filled, Report, VenueOrder, VenueTerms
from ...gate.approval import ApprovedOrder, genuine_order
from .exchange import NAME, Exchange
from .faults import Crash, Schedule
from .feed import SessionFeed


class Witness(Protocol):
    """Stands at the venue's door and looks at every order that arrives."""

    def arrived(self, order: ApprovedOrder, moment: int) -> None: ...


class FaultyVenue:
    """Counts submits, cancels and executions through all sessions and restarts; `moment` is the market's own time."""

    def __init__(self, schedule: Schedule, exchange: Exchange, witness: Witness) -> None:
        self._schedule, self._exchange, self._witness = schedule, exchange, witness
        self._submits = self._cancels = self._executions = 0
        self._taken: dict[int, int] = {}
        self._known: set[str] = set()
        self._pending: list[tuple[int, Report]] = []
        self._to_bust: list[tuple[int, Fill]] = []
        self._feed: SessionFeed | None = None
        self._crashed: set[int] = set()
        self.at_moment: Callable[[int], None] = lambda moment: None
        """What happens at a moment beside the market; it may end the process."""
        self.moment = 0
        self.away_until = 0
        """Until when nobody starts the desk again."""
        self.told_busts: set[str] = set()
        """Executions of which the desk has been told, or could read, that they were taken back."""

    def begin(self, feed: SessionFeed) -> None:
        """A session opens, at the moment before its first."""
        self._feed, self.moment, self._pending, self._to_bust = feed, feed.first - 1, [], []

    @property
    def name(self) -> str:
        return NAME

    def worst_fee(self, quantity: int, price: Decimal) -> Decimal:
        return self._exchange.paper.worst_fee(quantity, price)

    def terms(self, symbol: str) -> VenueTerms:
        self._reach()
        quotes = self._truth(self.moment)
        is_halted = bool(quotes) and symbol not in quotes
        return replace(self._exchange.paper.terms(symbol), is_open=not self._exchange.is_over, is_halted=is_halted)

    def submit(self, order: ApprovedOrder) -> tuple[Report, ...]:
        place, self._submits = self._submits, self._submits + 1
        self._crash_at("crash_before_send", place)
        self._reach()
        if self._schedule.at("send_lost", place):
            raise VenueUnreachable("the send got no answer")
        name = genuine_order(order).client_order_id
        self._witness.arrived(order, self.moment)
        reports = self._noted(self._exchange.submit(order, self._refusal(name)))
        self._crash_at("crash_after_send", place)
        if self._schedule.at("ack_lost", place):
            raise VenueUnreachable("the send got no answer")
        return self._answered(reports, place)

    def cancel(self, client_order_id: str, at: datetime) -> tuple[Report, ...]:
        place, self._cancels = self._cancels, self._cancels + 1
        self._crash_at("crash_before_cancel", place)
        self._reach()
        if self._schedule.at("cancel_refused", place):
            return (CancelRefused(client_order_id, at, "the venue does not cancel now"),)
        if self._schedule.at("cancel_raced", place):
            child = self._exchange.orders.get(client_order_id)
            quote = self._truth(self.moment).get(child.symbol) if child else None
            raced = self._noted(self._exchange.race(client_order_id, quote))
            self._pending += [(self.moment + 1, report) for report in raced]
        reports = self._exchange.cancel(client_order_id, at)
        if self._schedule.at("cancel_lost", place):
            raise VenueUnreachable("the cancel got no answer")
        return reports

    def cancel_all(self, at: datetime) -> tuple[Report, ...]:
        return tuple(report for order in self.open_orders() for report in self.cancel(order.client_order_id, at))

    def on_quote(self, quote: Quote) -> tuple[Report, ...]:
        self.advance(self._session.moment_of(quote))
        self._reach()
        return self._due()

    def close(self, at: datetime) -> tuple[Report, ...]:
        self._reach()
        return (*self._due(), *self._exchange.end(at), *self._due(late=True))

    def order(self, client_order_id: str) -> VenueOrder | None:
        self._reach(asks=True)
        return self._exchange.order(client_order_id)

    def open_orders(self) -> tuple[VenueOrder, ...]:
        self._reach(asks=True)
        return self._exchange.open_orders()

    def executions(self) -> tuple[Filled | Busted, ...]:
        self._reach(asks=True)
        self.told_busts |= {item.fill.execution_id for item in self._exchange.day if isinstance(item, Busted)}
        return tuple(self._exchange.day)

    def positions(self) -> Mapping[str, int] | None:
        self._reach(asks=True)
        return self._exchange.positions()

    def cash(self) -> Decimal | None:
        self._reach(asks=True)
        return self._exchange.cash

    def advance(self, moment: int) -> None:
        """The market goes on to this moment, whoever watches."""
        while self.moment < moment:
            self.moment += 1
            reports = [report for quote in self._truth(self.moment).values() for report in self._exchange.match(quote)]
            outage = self._schedule.during("disconnects", self.moment)
            for report in self._noted(tuple(reports)):
                # What happens in an outage is told at the reconnect, or never.
                if outage is None or outage.which % 2 == 0:
                    self._pending.append((self.moment, report))
            self._own_events()
            self.at_moment(self.moment)
            fault = self._schedule.at("crash_at_moment", self.moment)
            if fault and fault.at not in self._crashed:
                self._crashed.add(fault.at)
                self.away_until = self.moment + fault.size
                raise Crash

    def _own_events(self) -> None:
        """What the venue does by itself: busts, strangers' executions, an early close."""
        at = self._session.times[self.moment - self._session.first]
        for due, fill in tuple(self._to_bust):
            if due <= self.moment and fill.execution_id not in self._exchange.busted:
                self._pending.append((self.moment, self._exchange.bust(fill, at)))
        fault = self._schedule.at("fill_unknown", self.moment)
        quotes = self._truth(self.moment)
        if fault and quotes:
            symbol = sorted(quotes)[fault.which % len(quotes)]
            report = self._exchange.execute_foreign(symbol, fault.size, quotes[symbol], self.moment)
            self._pending.append((self.moment, report))
        if self._schedule.at("session_ends", self.moment):
            self._pending += [(self.moment, report) for report in self._exchange.end(at)]

    def _noted(self, reports: tuple[Report, ...]) -> tuple[Report, ...]:
        """The reports as the line passes them on: each new execution counted and met by its fault."""
        found: list[Report] = []
        for report in reports:
            if not isinstance(report, Filled) or report.fill.execution_id in self._known:
                found.append(report)
                continue
            self._known.add(report.fill.execution_id)
            found += self._passed_on(report)
        return tuple(found)

    def _passed_on(self, report: Filled) -> list[Report]:
        place, self._executions = self._executions, self._executions + 1
        bust = self._schedule.at("fill_busted", place)
        if bust:
            self._to_bust.append((self.moment + bust.size, report.fill))
        late = self._schedule.at("fill_late", place)
        if late:
            self._pending.append((self.moment + late.size, report))
        if late or self._schedule.at("fill_lost", place):
            return []
        return [report, report] if self._schedule.at("fill_twice", place) else [report]

    def _answered(self, reports: tuple[Report, ...], place: int) -> tuple[Report, ...]:
        found = list(reports)
        acks = [report for report in found if isinstance(report, Accepted)]
        late = self._schedule.at("ack_late", place)
        if late:
            found = [report for report in found if not isinstance(report, Accepted)]
            self._pending += [(self.moment + late.size, report) for report in acks]
        elif self._schedule.at("ack_twice", place):
            found = [*acks, *found]
        return tuple(reversed(found)) if self._schedule.at("ack_last", place) else tuple(found)

    def _due(self, *, late: bool = False) -> tuple[Report, ...]:
        due = [report for at, report in self._pending if late or at <= self.moment]
        self._pending = [] if late else [item for item in self._pending if item[0] > self.moment]
        self.told_busts |= {report.fill.execution_id for report in due if isinstance(report, Busted)}
        return tuple(due)

    def _refusal(self, client_order_id: str) -> str:
        if self._schedule.during("rejects_all", self.moment):
            return "margin"
        if self._schedule.during("throttles", self.moment) and client_order_id not in self._exchange.orders:
            taken = self._taken[self.moment] = self._taken.get(self.moment, 0) + 1
            return "pacing violation" if taken > 1 else ""
        return ""

    def _reach(self, *, asks: bool = False) -> None:
        down = self._schedule.during("disconnects", self.moment)
        if down is None and asks:
            down = self._schedule.during("queries_fail", self.moment)
        if down:
            raise VenueUnreachable(f"the line is down for {down.size} moments")

    def _crash_at(self, kind: str, place: int) -> None:
        if self._schedule.at(kind, place):
            raise Crash

    def _truth(self, moment: int) -> dict[str, Quote]:
        place = moment - self._session.first
        return self._session.truth[place] if 0 <= place < len(self._session.truth) else {}

    @property
    def _session(self) -> SessionFeed:
        assert self._feed is not None, "a session was begun"
        return self._feed
