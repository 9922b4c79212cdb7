"""One parent order's events, sorted: what was ordered, sent, filled, denied and closed."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from ...domain.events import Event
from .twin import Fact, Twin, payload_of


@dataclass(frozen=True, slots=True)
class Trade:
    """One parent order as the log tells it; `closed` is None while it is still being worked."""

    order: Fact
    arrival: Fact
    opened_at: Fact
    closed: Fact | None
    fills: tuple[Fact, ...]
    children: tuple[Fact, ...]
    denials: tuple[Fact, ...]
    endings: tuple[Fact, ...]
    chain: tuple[Fact, ...]
    """The opening and closing events, for the footer."""

    @classmethod
    def of(cls, twin: Twin, opened: Event, events: Sequence[Event]) -> "Trade":
        """Sort one order's events; execution reports that came twice count once."""
        root = twin.event(opened)
        kinds: dict[str, list[Fact]] = {}
        seen: set[JsonValue] = set()
        chain = [root]
        for event in events:
            if event.id == opened.id:
                continue
            fact = twin.event(event)
            payload = payload_of(fact)
            if event.type == "OrderFilled":
                execution_id = payload["fill"]["execution_id"].raw
                if execution_id in seen:
                    continue
                seen.add(execution_id)
            if event.type == "OrderClosed":
                chain.append(fact)
            kinds.setdefault(event.type, []).append(payload)
        return cls(
            order=payload_of(root)["order"],
            arrival=payload_of(root)["arrival_price"],
            opened_at=root["event_time"],
            closed=(kinds.get("OrderClosed") or [None])[-1],
            fills=tuple(row["fill"] for row in kinds.get("OrderFilled", [])),
            children=tuple(row["child"] for row in kinds.get("ChildSubmitted", [])),
            denials=tuple(kinds.get("ChildDenied", [])),
            endings=tuple(kinds.get("ChildClosed", [])),
            chain=tuple(chain),
        )

    @property
    def symbol(self) -> str:
        return self.order["symbol"].string()
