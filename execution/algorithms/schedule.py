"""What a schedule is: from a moment and what is known then, the shares of a parent that should be committed by now.

A schedule is frozen and remembers nothing: what it depends on is in the approved advice, in the log and in the
market's volume, so that after a restart the same one goes on where it stood.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

VolumeOf = Callable[[str, datetime, datetime], int | None]
"""Shares of an instrument that others traded after one moment and up to another; None where nobody tells."""


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """What is known of one parent at a moment."""

    committed: int
    """What its children have filled or may still fill."""
    market_volume: int | None = None
    """Shares that others traded since the schedule began."""
    usual_volume: float | None = None
    """Shares that usually trade in the schedule's span, known before it; None where no volume was recorded."""


class Schedule(Protocol):
    """One parent's way through its session, in slices that begin at fixed moments."""

    @property
    def starts(self) -> tuple[datetime, ...]:
        """When each slice begins."""
        ...

    @property
    def completes(self) -> bool:
        """At its last slice the whole quantity is due; else what the market's volume did not owe is left unfilled."""
        ...

    def due(self, now: datetime, state: ScheduleState) -> int:
        """Shares that should have been committed by now: never less than are, nor more than the parent has."""
        ...


def participation_cap(
    state: ScheduleState, share_before: float, share_now: float, cap_frac: float, lot: int
) -> int | None:
    """The most that may be committed when a slice begins: a fraction of what others traded, and will in this slice.

    What they will is what they usually do, and no more than the pace they kept so far. None where no volume is told,
    and in a first slice of which nothing is known.
    """
    observed = state.market_volume
    if observed is None:
        return None
    usual = math.inf if state.usual_volume is None else state.usual_volume * share_now
    paced = observed * share_now / share_before if share_before > 0.0 else math.inf
    expected = min(usual, paced)
    return None if math.isinf(expected) else math.floor(cap_frac * (observed + expected) + 1e-9) // lot * lot
