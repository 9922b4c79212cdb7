"""Stretches of time in one state, such as a regime: as rows, and as a strip that shows them beside each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape
from pydantic import JsonValue

from ..pages.date_axis import date_ticks

STRIP_PX = 28
LABEL_PX = 18


@dataclass(frozen=True, slots=True)
class Spell:
    """One stretch: from its first session up to the next spell's first, so many sessions."""

    label: str
    first: str
    last: str
    sessions: int

    def document(self) -> dict[str, JsonValue]:
        return {"label": self.label, "first": self.first, "last": self.last, "sessions": self.sessions}


def spells_of(days: Sequence[str], first: str, changes: Sequence[tuple[str, str]]) -> list[Spell]:
    """The spells of ascending days; `changes` are the day of a change and what it changed to, in order.

    A change holds from its own day on; of two on one day the later one does.
    """
    found: list[Spell] = []
    label, coming = first, list(changes)
    for day in days:
        while coming and coming[0][0][: len(day)] <= day:
            label = coming.pop(0)[1]
        if found and found[-1].label == label:
            last = found[-1]
            found[-1] = Spell(label, last.first, day, last.sessions + 1)
        else:
            found.append(Spell(label, day, day, 1))
    return found


def strip(title: str, days: Sequence[str], spells: Sequence[Spell], tones: Mapping[str, str]) -> Markup:
    """The spells over their days; the same stands in a table beside it, since tones alone say nothing."""
    shapes, row = "", 0
    for spell in spells:
        left, width = 100 * row / len(days), 100 * spell.sessions / len(days)
        tone = tones.get(spell.label, "c1")
        shapes += f'<rect class="{tone}" x="{left:.2f}%" width="{max(width, 0.2):.2f}%" height="{STRIP_PX}">'
        shapes += f"<title>{escape(spell.label)}, {escape(spell.first)} to {escape(spell.last)}</title></rect>"
        row += spell.sessions
    labels = "".join(
        f'<text class="t" x="{100 * at / max(len(days) - 1, 1):.2f}%" y="{STRIP_PX + LABEL_PX - 4}" '
        f'text-anchor="middle">{escape(text)}</text>'
        for at, text in date_ticks(days)
    )
    return Markup(
        f'<div class="plot"><svg class="chart strip" role="img" width="100%" height="{STRIP_PX + LABEL_PX}">'
        f"<title>{escape(title)}</title>{shapes}{labels}</svg></div>"
    )
