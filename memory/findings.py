"""What an audit of a log finds, and the port by which an audit follows the walk of `verify_log`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..domain.events import Event, Payload


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that can't be so: a code for programs, the event it shows at, and a sentence for people."""

    code: str
    seq: int
    text: str


Note = Callable[[str, int, str], None]
"""Takes down one finding: code, seq, text."""


class Auditor(Protocol):
    """Follows a walk over a log whose chain holds, event by event."""

    def take(self, event: Event, payload: Payload) -> None: ...

    def findings(self) -> tuple[Finding, ...]:
        """All that was found, in the order of the log; asked once, after the last event."""
        ...
