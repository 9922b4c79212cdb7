"""One child spread over venues: its slices, how far each one is, and what that says of the child itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from ...domain.orders import ChildOrder, Fill, OrderState
from ..orders import TERMINAL, TRANSITIONS, OrderEvent
from ..venues.venue import (
    Accepted,
    Busted,
    Canceled,
    CancelRefused,
    Expired,
    Filled,
    Rejected,
    Report,
    VenueOrder,
)
from .state import SliceOutcome, slice_outcome

SEPARATOR = "@"
"""Between a child's id and the venue in a slice's id: the slice of a child at a venue is known without a table."""

Ending = Rejected | Canceled | Expired


def slice_id(client_order_id: str, venue: str) -> str:
    return f"{client_order_id}{SEPARATOR}{venue}"


def child_of(name: str, venue: str) -> str | None:
    """The child that a slice at this venue belongs to; None for an order that is no slice."""
    child, found, where = name.rpartition(SEPARATOR)
    return child if found and where == venue else None


def desk_fill(fill: Fill, client_order_id: str, venue: str) -> Fill:
    """A slice's execution as one of its child. Two venues may use one execution id, so the venue becomes part of it."""
    told = f"{fill.execution_id}{SEPARATOR}{venue}"
    return fill.model_copy(update={"client_order_id": client_order_id, "execution_id": told})


@dataclass(slots=True)
class Part:
    """The slice at one venue. UNKNOWN: it was sent, and nobody answered."""

    quantity: int
    state: OrderState = OrderState.INTENDED
    executed: int = 0
    counted: int = 0
    """What its venue says was executed when it ended it; more than `executed` while executions are missing here."""
    reason: str = ""

    @property
    def is_open(self) -> bool:
        return self.state not in TERMINAL

    def move(self, event: OrderEvent) -> None:
        """By the table of all orders; what it does not know leaves the slice where it is."""
        self.state = TRANSITIONS.get((self.state, event), self.state)


@dataclass(slots=True)
class RoutedOrder:
    """A child and its parts by venue; `touch` is the best opposite price when it was spread."""

    child: ChildOrder
    touch: Decimal
    parts: dict[str, Part]
    denied: str = ""
    """Why some of it was never sent anywhere."""
    is_accepted: bool = False
    has_ended: bool = False
    is_learnt: bool = False
    reports: list[Report] = field(default_factory=list)
    executions: dict[str, Fill] = field(default_factory=dict)
    busted: set[str] = field(default_factory=set)

    @property
    def is_over(self) -> bool:
        return not any(part.is_open for part in self.parts.values())

    @property
    def executed(self) -> int:
        return sum(part.executed for part in self.parts.values())

    @property
    def unanswered(self) -> list[str]:
        return [name for name, part in self.parts.items() if part.state is OrderState.UNKNOWN]

    def take(self, venue: str, report: Report) -> tuple[Report, ...]:
        """What a venue says of its slice, as reports of the child."""
        part, name = self.parts[venue], self.child.client_order_id
        match report:
            case Filled():
                told = self._booked(part, desk_fill(report.fill, name, venue))
            case Busted():
                fill = desk_fill(report.fill, name, venue)
                self.busted.add(fill.execution_id)
                told = [*self._booked(part, fill), Busted(fill, report.ts_event, report.reason)]
            case Accepted():
                part.move(OrderEvent.ACCEPTED)
                told = []
            case CancelRefused():
                part.move(OrderEvent.CANCEL_REFUSED)
                told = []
            case Rejected():
                told = self._end(part, OrderEvent.REJECTED, report.reason)
            case Canceled():
                part.counted = report.executed
                told = self._end(part, OrderEvent.CANCELED, report.reason)
            case Expired():
                part.counted = report.executed
                told = self._end(part, OrderEvent.EXPIRED, report.reason)
        told = [*self._acceptance(report.ts_event), *told, *self._ending(report.ts_event)]
        self.reports += told
        return tuple(told)

    def book(self, part: Part, fill: Fill) -> None:
        """An execution of the child that was not counted before."""
        self.executions[fill.execution_id] = fill
        part.executed += fill.quantity
        part.move(OrderEvent.FILLED if part.executed >= part.quantity else OrderEvent.PARTIALLY_FILLED)

    def settle(self, at: datetime) -> tuple[Report, ...]:
        """Its end, when nothing of it is open any more without a venue having said so last."""
        told = self._ending(at)
        self.reports += told
        return tuple(told)

    def seen(self, at: datetime) -> VenueOrder:
        """The child as one venue would tell of it."""
        child, over, executed = self.child, self.is_over, self.executed
        if not over:
            state = OrderState.PARTIALLY_FILLED if executed else OrderState.ACCEPTED
        else:
            state = OrderState.FILLED if executed >= child.quantity else _ended_as(self.parts.values(), executed)
        return VenueOrder(
            client_order_id=child.client_order_id,
            symbol=child.symbol,
            side=child.side,
            quantity=child.quantity,
            state=state,
            executed=executed,
            ts_event=at,
            reason=self.reason if over else "",
        )

    @property
    def reason(self) -> str:
        """Why each part that is over without having filled is."""
        texts = [f"{venue}: {part.reason}" for venue, part in self.parts.items() if part.reason]
        return "; ".join([*texts, *([self.denied] if self.denied else [])]) or "over at every venue"

    def outcomes(self) -> tuple[SliceOutcome, ...]:
        """What there is to learn of it, venue by venue."""
        return slice_outcomes(
            self.child, self.touch, {name: part.quantity for name, part in self.parts.items()}, self.standing()
        )

    def standing(self) -> tuple[Fill, ...]:
        return tuple(fill for name, fill in self.executions.items() if name not in self.busted)

    def _booked(self, part: Part, fill: Fill) -> list[Report]:
        """Counted once, and told as often as the venue tells it: whoever asks books each execution id once."""
        if fill.execution_id not in self.executions:
            self.book(part, fill)
        return [Filled(fill)]

    def _end(self, part: Part, event: OrderEvent, reason: str) -> list[Report]:
        part.move(event)
        part.reason = reason
        return []

    def _acceptance(self, at: datetime) -> list[Report]:
        """Once, when some venue has it and none leaves its answer open."""
        has_it = any(part.state in (OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED) for part in self.parts.values())
        if self.is_accepted or self.unanswered or not has_it:
            return []
        self.is_accepted = True
        return [Accepted(self.child.client_order_id, at)]

    def _ending(self, at: datetime) -> list[Report]:
        """Once, when every part is over; fills that came to the whole child have said so already."""
        if self.has_ended or not self.is_over:
            return []
        self.has_ended = True
        return [] if self.executed >= self.child.quantity else [self._ended(at)]

    def _ended(self, at: datetime) -> Ending:
        name, state = self.child.client_order_id, _ended_as(self.parts.values(), self.executed)
        if state is OrderState.REJECTED:
            return Rejected(name, at, self.reason)
        counted = sum(max(part.executed, part.counted) for part in self.parts.values())
        kind = Expired if state is OrderState.EXPIRED else Canceled
        return kind(name, at, self.reason, counted)


def slice_outcomes(
    child: ChildOrder, touch: Decimal, split: Mapping[str, int], fills: tuple[Fill, ...]
) -> tuple[SliceOutcome, ...]:
    """One for each venue that was sent a part, from the child's own fills."""
    return tuple(
        slice_outcome(venue, sent, [fill for fill in fills if _venue_of(fill) == venue], child.side, touch)
        for venue, sent in split.items()
    )


def _venue_of(fill: Fill) -> str:
    return fill.execution_id.rpartition(SEPARATOR)[2]


def _ended_as(parts: Iterable[Part], executed: int) -> OrderState:
    """A child none of which traded and that every venue refused is rejected; after a fill it can't be any more."""
    states = {part.state for part in parts}
    if not executed and states <= {OrderState.REJECTED}:
        return OrderState.REJECTED
    return OrderState.EXPIRED if OrderState.EXPIRED in states else OrderState.CANCELED
