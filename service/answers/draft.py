"""Builds an answer line by line: words of this program around figures of the twin, and never a figure in the words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from ...agents.grounding import WITHHELD
from ...domain.canonical import short_id
from ...domain.decisions import Evidence
from ...domain.events import Event
from ..pages.errors import ReportError
from ..pages.numbers import shown, unit_named
from ..pages.render import MAX_TEXT_CHARS, clean
from ..pages.twin import Fact, Twin
from .answer import MAX_LINES, Answer, Kind, Rows
from .proof import is_held, line_faults, moment_text, row_faults


@dataclass(frozen=True, slots=True)
class Piece:
    """A fact as it is written in a line, and where it lies."""

    text: str
    ref: str


def num(fact: Fact, unit: str = "num", digits: int | None = None, *, sign: bool = False) -> Piece:
    """A figure in a unit of `service/pages/numbers.py`."""
    return Piece(shown(fact.raw, unit, digits, sign).replace("\N{MINUS SIGN}", "-"), fact.ref)


def measured(fact: Fact, unit_name: Fact) -> Piece:
    """A figure in the unit that a ledger entry or a gate check names."""
    unit = unit_named(unit_name.string())
    return num(fact, unit) if unit else Piece(f"{num(fact).text} {unit_name.string()}", fact.ref)


def quote(fact: Fact) -> Piece:
    """Recorded words, a name or an id, on one line and without what can't be seen."""
    return Piece(clean(fact.string(), MAX_TEXT_CHARS), fact.ref)


def when(fact: Fact) -> Piece:
    """A date, or a moment in UTC."""
    return Piece(moment_text(fact.string()), fact.ref)


class Draft:
    """One answer in the making. What is derived is named after the question and the log's head it was read at."""

    def __init__(self, name: str, asked: Mapping[str, JsonValue], run: str = "", head: str = "") -> None:
        self._inputs: dict[str, JsonValue] = {"question": name, "asked": dict(asked), "run": run, "head": head}
        self.twin = Twin("answer", short_id("ans", name, sorted(asked.items(), key=str), run, head))
        self.asked = self.derive("asked", dict(asked))
        """The arguments as facts: whoever repeats them cites them."""
        self._lines: list[tuple[str, tuple[str, ...]]] = []
        self._rows: Rows | None = None

    def derive(self, tool: str, output: JsonValue, **inputs: JsonValue) -> Fact:
        """A figure that the answer works out itself; `inputs` name the events and entries it comes from."""
        return self.twin.derive(f"answer_{tool}", {**self._inputs, **inputs}, output)

    def event(self, event: Event) -> Fact:
        """An event of the log, whole."""
        return self.twin.event(event)

    def entries(self, entries: Sequence[Evidence]) -> dict[str, Fact]:
        """Ledger entries by the name of their tool, each at its output."""
        facts = self.twin.evidence([entry.model_dump(mode="json") for entry in entries])
        return {entry.tool: fact["output"] for entry, fact in zip(entries, facts, strict=True)}

    @property
    def room(self) -> int:
        """Lines that are left."""
        return MAX_LINES - len(self._lines)

    def say(self, template: str, *pieces: Piece | str) -> None:
        """One line; `{}` are filled in order. The template holds no digit: figures come as pieces."""
        words = template + "".join(piece for piece in pieces if isinstance(piece, str))
        if any(char.isdigit() for char in words):
            raise ReportError(f"{words!r:.80}: digits in an answer's own words have no source")
        if self.room <= 0:
            raise ReportError(f"an answer of more than {MAX_LINES} lines", remedy="Put the rest into its table.")
        text = template.format(*(piece if isinstance(piece, str) else piece.text for piece in pieces))
        self._lines.append((text, tuple(piece.ref for piece in pieces if isinstance(piece, Piece))))

    def table(self, columns: Mapping[str, tuple[str, str]], facts: Sequence[Fact]) -> None:
        """The answer's table: a column's heading leads to its unit and its key in each row, `a/b` for one inside."""
        found = [[_cell(fact, key) for _, key in columns.values()] for fact in facts]
        self._rows = Rows(
            tuple(columns),
            tuple(unit for unit, _ in columns.values()),
            tuple(tuple(cell.raw if cell else None for cell in row) for row in found),
            tuple(tuple(cell.ref if cell else "" for cell in row) for row in found),
        )

    def answer(self, kind: Kind, *, chart: Fact | None = None, more: str = "", link: str | None = None) -> Answer:
        """What was said: a line that its own facts do not bear out is withheld, and so is such a table or chart."""
        evidence = self.twin.data()
        return Answer(
            kind=kind,
            lines=tuple(WITHHELD if line_faults(text, refs, evidence) else text for text, refs in self._lines),
            citations=tuple(dict.fromkeys(ref for _, refs in self._lines for ref in refs)),
            evidence=evidence,
            rows=None if self._rows is None or row_faults(self._rows, evidence) else self._rows,
            chart=None if chart is None or not is_held(chart.raw, evidence) else chart.raw,
            more=more,
            link=link,
        )

    def no_data(self, template: str, *pieces: Piece | str, more: str = "") -> Answer:
        """The record does not hold it: what would have to exist is said, and nothing is guessed."""
        self.say("No data: " + template, *pieces)
        return self.answer(Kind.NO_DATA, more=more)


def _cell(fact: Fact, key: str) -> Fact | None:
    for step in key.split("/"):
        found: Any = fact.maybe(step)
        if found is None:
            return None
        fact = found
    return fact
