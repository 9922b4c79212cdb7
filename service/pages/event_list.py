"""Where pages get events from: a log that is asked by decision or order, or a list of them in memory."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from ...domain.events import Event, Payload


class EventSource(Protocol):
    """A log that can be asked for the events of one decision or one order."""

    def read(
        self,
        after: int = 0,
        *,
        types: Sequence[type[Payload]] = (),
        decision_id: str | None = None,
        order_id: str | None = None,
    ) -> Iterator[Event]: ...


class EventList:
    """Events kept in memory, indexed by decision and order."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._events = tuple(events)
        self._by_decision: dict[str, list[Event]] = {}
        self._by_order: dict[str, list[Event]] = {}
        for event in self._events:
            if event.decision_id is not None:
                self._by_decision.setdefault(event.decision_id, []).append(event)
            if event.order_id is not None:
                self._by_order.setdefault(event.order_id, []).append(event)

    def read(
        self,
        after: int = 0,
        *,
        types: Sequence[type[Payload]] = (),
        decision_id: str | None = None,
        order_id: str | None = None,
    ) -> Iterator[Event]:
        events: Sequence[Event] = self._events
        if order_id is not None:
            events = self._by_order.get(order_id, [])
        elif decision_id is not None:
            events = self._by_decision.get(decision_id, [])
        names = {kind.__name__ for kind in types}
        for event in events:
            if event.seq <= after or (names and event.type not in names):
                continue
            if decision_id is None or event.decision_id == decision_id:
                yield event
