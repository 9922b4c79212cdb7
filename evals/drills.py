"""Every drill in one table, and how one is run: on a copy of a book's run, in a folder that is thrown away."""

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from ..desk.book import Book
from .drill_breakers import BREAKER_DRILLS, expect
from .drill_ground import Ground, timeline
from .drill_procedures import PROCEDURE_DRILLS
from .errors import DrillUnknown

DRILLS: dict[str, str] = {
    **{item.name: item.what for item in PROCEDURE_DRILLS},
    **{item.breaker: item.what for item in BREAKER_DRILLS},
}
"""Every drill's name and what happens in it."""


@dataclass(frozen=True, slots=True)
class DrillResult:
    """What a drill came to. `timeline` are times and texts, in order."""

    name: str
    what: str
    problems: tuple[str, ...]
    timeline: tuple[tuple[str, str], ...]

    @property
    def passed(self) -> bool:
        return not self.problems


def run_drill(name: str, ground: Ground) -> DrillResult:
    """Carry out one drill; the ground's own book is only read before, never written."""
    if name not in DRILLS:
        raise DrillUnknown(f"no drill {name!r}", remedy=f"Use one of: {', '.join(DRILLS)}.")
    with TemporaryDirectory(prefix="parley-drill-") as folder:
        here = replace(ground, book=Book(Path(folder)))
        problems = _carried_out(name, here)
        return DrillResult(name, DRILLS[name], tuple(problems), timeline(here.events()))


def _carried_out(name: str, ground: Ground) -> list[str]:
    for procedure in PROCEDURE_DRILLS:
        if procedure.name == name:
            return procedure.carry_out(ground)
    for drill in BREAKER_DRILLS:
        if drill.breaker == name:
            drill.provoke(ground)
    return expect(ground, name)
