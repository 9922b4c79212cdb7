"""An event beside its decoded payload, as those who tell of many events pass them on."""

from dataclasses import dataclass

from ..domain.events import Event, Payload


@dataclass(frozen=True, slots=True)
class Told:
    """One event with its payload decoded."""

    event: Event
    payload: Payload
