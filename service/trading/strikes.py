"""When the faults of a drill strike that strike at a moment: each once, however often the process is started."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import cast

from ...desk.job_book import JobBook
from ...market.history import History
from .drill import PAST_OPEN_MINUTES, Drill, DrillFault
from .outages import OutageKind, Outages

FIRED, STRUCK_AT, OUTAGE = "fired", "struck_at", "outage"
"""What the book of jobs keeps of a drill."""


@dataclass(slots=True)
class Strikes:
    """What strikes next, and what lasts for a while: of an outage its end is due as well."""

    drill: Drill
    history: History
    jobs: JobBook
    """Where what has struck is made durable before it does."""
    outages: Outages
    now: Callable[[], datetime]
    strike: Callable[[DrillFault], None]
    _fired: set[str] = field(init=False)
    _struck_at: datetime | None = field(init=False)
    _outage: tuple[datetime, DrillFault] | None = field(init=False, default=None)
    """What lasts, and its end."""

    def __post_init__(self) -> None:
        self._fired = set[str](self.jobs.noted(FIRED) or ())
        struck = self.jobs.noted(STRUCK_AT)
        self._struck_at = datetime.fromisoformat(struck) if struck else None

    def resume(self) -> None:
        """At the start of a process: what an earlier one began may last still."""
        noted = self.jobs.noted(OUTAGE)
        if noted is None or datetime.fromisoformat(noted["until"]) <= self.now():
            return
        for fault in self.drill.of("full_disk", "locked_log"):
            if fault.name == noted["fault"]:
                self._begin(fault, datetime.fromisoformat(noted["until"]))

    def due(self, working: date | None) -> tuple[datetime, DrillFault] | None:
        """What is next, and when; `working` is the session whose plan is worked now, if one is."""
        found: list[tuple[datetime, DrillFault]] = [] if self._outage is None else [self._outage]
        for fault in self.drill.of("kill_in_session", "kill_at_night", "full_disk", "locked_log"):
            if fault.name in self._fired:
                continue
            if fault.kind == "kill_at_night":
                found.append((self.history.close_time(fault.session) + timedelta(minutes=fault.size), fault))
            elif working is not None and self._strikes_in(fault, working):
                minutes = fault.size if fault.kind == "kill_in_session" else PAST_OPEN_MINUTES
                found.append((self.history.opening_time(working) + timedelta(minutes=minutes), fault))
        return min(found, key=lambda item: item[0], default=None)

    def at(self, now: datetime, working: date | None) -> None:
        while (due := self.due(working)) is not None and due[0] <= now:
            if due == self._outage:
                self._outage = None
                self.outages.end()
            else:
                self._fire(due[1])

    def in_decision(self, session: date) -> None:
        for fault in self.drill.of("kill_in_decision"):
            if fault.session == session and fault.name not in self._fired:
                self._fire(fault)

    def _strikes_in(self, fault: DrillFault, working: date) -> bool:
        """On its day, or the next that works a plan and has seen nothing yet: no fault hides behind another."""
        if working <= fault.session or self._struck_at is None:
            return working >= fault.session
        return self._struck_at < self.history.opening_time(working)

    def _fire(self, fault: DrillFault) -> None:
        now = self._struck_at = self.now()
        self._fired.add(fault.name)
        self.jobs.note(FIRED, sorted(self._fired))
        self.jobs.note(STRUCK_AT, now.isoformat())
        if fault.kind not in ("full_disk", "locked_log"):
            self.strike(fault)
            return
        until = now + timedelta(minutes=fault.size)
        self.jobs.note(OUTAGE, {"fault": fault.name, "until": until.isoformat()})
        self._begin(fault, until)

    def _begin(self, fault: DrillFault, until: datetime) -> None:
        self._outage = until, fault
        self.outages.begin(cast("OutageKind", fault.kind))
