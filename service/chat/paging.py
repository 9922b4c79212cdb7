"""Says `more`: the rows of a table that its lines left out, a page at a time, each cell with its source."""

from dataclasses import replace

from ...agents.grounding import WITHHELD
from ..answers.answer import MAX_LINES, Answer, Kind, Rows
from ..answers.proof import line_faults, moment_text
from ..pages.numbers import UNITS, shown
from ..pages.render import MAX_TEXT_CHARS, clean
from .lexicon import normalized

MORE = frozenset({"more", "mehr", "weiter", "plus", "encore", "suite", "mas", "next", "altro", "mais", "show more"})
PAGE = MAX_LINES - 1


def is_more(question: str) -> bool:
    return normalized(question) in MORE


def next_rows(answer: Answer, offset: int) -> tuple[Answer, int]:
    """The rows from `offset` on under their heading, and where the next page begins."""
    rows = answer.rows
    if rows is None or offset >= len(rows.rows):
        return Answer(Kind.CLARIFY, ("There is no more of it.",), more=answer.more), offset
    end = min(offset + PAGE, len(rows.rows))
    refs = [ref for place in range(offset, end) for ref in rows.refs[place] if ref]
    cut = Rows(rows.header, rows.units, rows.rows[offset:end], rows.refs[offset:end])
    said = [" | ".join(rows.header), *(_line(rows, place) for place in range(offset, end))]
    lines = [WITHHELD if line_faults(line, refs, dict(answer.evidence or {})) else line for line in said]
    left = "more" if end < len(rows.rows) else answer.more
    page = replace(answer, lines=tuple(lines), citations=tuple(dict.fromkeys(refs)), rows=cut, chart=None, more=left)
    return page, end


def _line(rows: Rows, place: int) -> str:
    cells = list[str]()
    for value, unit in zip(rows.rows[place], rows.units, strict=True):
        if isinstance(value, int | float) and not isinstance(value, bool) and unit in UNITS:
            cells.append(shown(value, unit, None, False).replace("\N{MINUS SIGN}", "-"))
        elif isinstance(value, str):
            cells.append(clean(moment_text(value) if value[:4].isdigit() else value, MAX_TEXT_CHARS))
        else:
            cells.append("-" if value is None else str(value))
    return " | ".join(cells)
