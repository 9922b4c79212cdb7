"""The volume that a session's tape tells, for the schedules that follow it or are capped by it."""

from ..execution.algorithms.observed import ObservedVolume
from ..execution.algorithms.schedule import VolumeOf, no_volume
from ..execution.venues.market_events import Print
from .tape import Tape


def told_volume(tape: Tape) -> VolumeOf:
    """Of the names whose prints were recorded; our own orders never are among these."""
    prints = [event for event in tape.events if isinstance(event, Print)]
    if not prints:
        return no_volume
    observed = ObservedVolume({event.symbol for event in prints})
    for event in prints:
        observed.on_trade(event.symbol, event.ts_event, event.size)
    return observed.traded
