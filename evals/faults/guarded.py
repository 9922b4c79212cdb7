"""What a process of the desk needs to take up a session whose stops rest at the venue."""

from collections.abc import Iterable

from ...domain.events import Event, PortfolioMarked
from ...memory.log import EventLog


def session_events(log: EventLog, decision_id: str, *, rests: bool) -> list[Event]:
    """What the log holds of a plan; where stops rest, all that became of orders since the last close."""
    found = list(log.read(decision_id=decision_id))
    if rests:
        marked, known = log.last(PortfolioMarked), {event.seq for event in found}
        since = log.read(marked.seq if marked is not None else 0)
        found += [event for event in since if event.order_id is not None and event.seq not in known]
    return sorted(found, key=lambda event: event.seq)


def is_begun(events: Iterable[Event]) -> bool:
    """Whether the session itself had begun: an order was opened, or the venue asked."""
    return any(event.order_id is not None or event.stream.startswith("venue/") for event in events)
