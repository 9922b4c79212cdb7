"""A run watched from its beginning: what would have been raised, when by the market's clock, and for how long."""

from dataclasses import dataclass, replace
from datetime import datetime

from ...desk.book import RunFolder
from ...watch.changes import Change, Cleared, Raised
from ...watch.rules import SEVERITIES, AlertRules
from ...watch.watch import Watch
from .errors import WatchBroken
from .tail import LogTail, Place


@dataclass(frozen=True, slots=True)
class Spell:
    """One alert from its beginning to its end. `figure` is the last one, `worst` the largest."""

    first: Raised
    figure: float | None
    worst: float | None
    count: int
    cleared_at: datetime | None


@dataclass(frozen=True, slots=True)
class LookBack:
    """What a walk over a whole log found, and the event up to which its chain holds."""

    spells: tuple[Spell, ...]
    place: Place


def look_back(folder: RunFolder, rules: AlertRules) -> LookBack:
    """Raises WatchBroken where the chain does: figures of what was not written so are worth nothing."""
    watch = Watch(rules)
    done: list[Spell] = []
    standing: dict[tuple[str, str], Spell] = {}
    place = Place()
    for read in LogTail(folder, frozenset(kind.__name__ for kind in watch.kinds)).read(place):
        if read.fault:
            raise WatchBroken(f"{folder.run_id}: {read.fault}", remedy="Run parley verify; restore a copy.")
        place = read.place
        for change in watch.take(read.seen) if read.seen is not None else ():
            _note(change, standing, done)
    found = sorted([*done, *standing.values()], key=lambda spell: spell.first.at)
    return LookBack(tuple(found), place)


def _note(change: Change, standing: dict[tuple[str, str], Spell], done: list[Spell]) -> None:
    if isinstance(change, Raised):
        key = (change.code, change.subject)
        before = standing.get(key)
        standing[key] = (
            Spell(change, change.figure, change.figure, 1, None) if before is None else _again(before, change)
        )
    elif isinstance(change, Cleared):
        spell = standing.pop((change.code, change.subject))
        done.append(replace(spell, cleared_at=change.at))


def _again(spell: Spell, raised: Raised) -> Spell:
    figures = [figure for figure in (spell.worst, raised.figure) if figure is not None]
    is_worse = SEVERITIES.index(raised.severity) > SEVERITIES.index(spell.first.severity)
    return replace(
        spell,
        first=replace(spell.first, severity=raised.severity) if is_worse else spell.first,
        figure=raised.figure,
        worst=max(figures, default=None),
        count=spell.count + 1,
    )
