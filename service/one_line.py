"""Events in one line: what each one waits and is served, from when it came and what it took."""

from collections.abc import Iterable
from typing import NamedTuple


class Served(NamedTuple):
    """What one event took, in seconds of CPU time: to the venue's door where an order came of it, and to its end."""

    checked_s: float | None
    worked_s: float


def in_line(arrivals: Iterable[float], served: Iterable[Served]) -> list[float]:
    """Seconds from each arrival to its checked order, where one came of it: one after the other, none before its turn.

    Source: Lindley (1952), Mathematical Proceedings of the Cambridge Philosophical Society 48, equation 1.
    """
    free_at, latencies = 0.0, list[float]()
    for arrival, (checked_s, worked_s) in zip(arrivals, served, strict=True):
        begins = max(arrival, free_at)
        free_at = begins + worked_s
        if checked_s is not None:
            latencies.append(begins - arrival + checked_s)
    return latencies
