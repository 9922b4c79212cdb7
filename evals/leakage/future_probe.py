"""The future is replaced: nothing that happened by the cut may differ, in any event of the run, in any byte."""

from dataclasses import replace

from ...domain.events import Event
from ...graph.ports import Ports
from ...market.cards import DataSet
from ..look_ahead import look_ahead_difference
from .finding import Finding, Ground, Probe, caught, clean
from .futures import FUTURES
from .playing import Rig, play


def future_probe(kind: str) -> Probe:
    """The probe for one way of replacing the future."""
    future = FUTURES[kind]

    def probe(here: Ground, rig: Rig) -> Finding:
        until = here.days[-1] if future.goes_on else here.cut
        counts: list[int] = []

        def played(data: DataSet) -> tuple[Event, ...]:
            # The whole run knows its future, and is taken through it where the other one can be.
            events = play(data, here.days, until, rig)
            counts.append(len(events))
            return events

        leak = look_ahead_difference(played, here.data, here.cut, change=future.change)
        if leak is not None:
            return caught(f"event {leak.place} ({leak.kind}) knew the future: {leak.text}"[:300], min(counts))
        return clean(f"equal to the byte with {future.text}", min(counts))

    return probe


def warmed_probe(here: Ground, rig: Rig) -> Finding:
    """Estimators that have already seen the days after the cut must answer as ones that have not."""
    last = here.data.history().close_time(here.data.history().last_session)

    def warmed(ports: Ports) -> Ports:
        ports = ports if rig.ports_of is None else rig.ports_of(ports)
        later = ports.history.as_of(last)
        ports.estimators.calibration(later)
        ports.estimators.regime(later)
        return ports

    cold = play(here.data, here.days, here.cut, rig)
    warm = play(here.data, here.days, here.cut, replace(rig, ports_of=warmed))
    for place, (one, other) in enumerate(zip(cold, warm, strict=False), start=1):
        if one != other:
            return caught(f"event {place} ({one.type}) remembers later days", place)
    return clean("estimators that saw later days answer as fresh ones", len(cold))
