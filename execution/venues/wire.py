"""The line between us and an exchange: requests on their way there, reports on their way back, each with its delay."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from heapq import heapify, heappop, heappush
from typing import Literal, NamedTuple

from .latency import Latency, Leg, Pace
from .venue import Report
from .worked_order import WorkedOrder

Kind = Literal["new", "cancel", "expire"]


class Request(NamedTuple):
    """`number` keeps requests of one moment in the order they were made; `expire` is the exchange's own clock."""

    at: datetime
    number: int
    kind: Kind
    order: WorkedOrder


class Wire:
    """Requests never overtake each other; reports come as their own delays have it."""

    def __init__(self, latency: Latency, start: datetime) -> None:
        self._latency, self._last_arrival = latency, start
        self._pace = Pace()
        self._requests: list[Request] = []
        self._untold: list[tuple[datetime, int, Report]] = []
        self._made = 0

    def observe(self, symbol: str, mid: Decimal) -> None:
        """The market's pace, which delays follow."""
        self._pace.observe(symbol, mid)

    def arrival(self, symbol: str, message: str, made_at: datetime) -> datetime:
        """When a request is there that was made on what the market showed at a moment."""
        pace, name = self._pace.of(symbol), f"{message}\x1f{made_at.timestamp()}"
        legs: tuple[Leg, Leg] = ("feed", "order")
        delays = [self._latency.delay(leg, name, pace) for leg in legs]
        self._last_arrival = max(self._last_arrival, made_at + delays[0] + delays[1])
        return self._last_arrival

    def request(self, at: datetime, kind: Kind, order: WorkedOrder) -> Request:
        self._made += 1
        return Request(at, self._made, kind, order)

    def send(self, request: Request) -> None:
        heappush(self._requests, request)

    def arrived(self, until: datetime, *, before: bool) -> Iterator[Request]:
        """The requests that are there by a moment, or before it, as each comes."""
        while self._requests and (self._requests[0].at < until or (not before and self._requests[0].at <= until)):
            yield heappop(self._requests)

    def take_out(self, order: WorkedOrder | None = None) -> list[Request]:
        """All that is still on its way, or all of one order, oldest first; the exchange's own clock stays."""
        found = [item for item in self._requests if item.kind != "expire" and (order is None or item.order is order)]
        self._requests = [item for item in self._requests if not any(item is other for other in found)]
        heapify(self._requests)
        return sorted(found)

    def tell(self, order: WorkedOrder, report: Report) -> None:
        order.reports.append(report)
        self._made += 1
        message = f"{report.client_order_id}\x1f{len(order.reports)}"
        delay = self._latency.delay("ack", message, self._pace.of(order.child.symbol))
        heappush(self._untold, (report.ts_event + delay, self._made, report))

    def told_by(self, at: datetime, symbol: str) -> tuple[Report, ...]:
        """What has reached us by the moment at which we know of a quote of this time."""
        known_at = at + self._latency.delay("feed", f"{symbol}\x1f{at.timestamp()}", self._pace.of(symbol))
        told: list[Report] = []
        while self._untold and self._untold[0][0] <= known_at:
            told.append(heappop(self._untold)[2])
        return tuple(told)

    def told_at_last(self) -> tuple[Report, ...]:
        """All the rest, in the order it would have come."""
        told, self._untold = tuple(report for _, _, report in sorted(self._untold)), []
        return told
