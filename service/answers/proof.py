"""Holds an answer to its own evidence: every figure of a line, a table or a chart has to be found where it says."""

from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import JsonValue

from ...agents.grounding import WITHHELD, Figures, ground
from ..pages.render import MAX_TEXT_CHARS, clean
from ..pages.twin import resolve
from .answer import MAX_LINES, Answer, Rows

QUOTATION_CHARS = 20
Evidence = dict[str, JsonValue]


def moment_text(iso: str) -> str:
    """A moment as the lines write it: a date, or a date and the time of day in UTC, with seconds where it has any."""
    if len(iso) <= len("2020-01-31"):
        return iso
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    zone = " UTC" if moment.tzinfo else ""
    moment = moment.astimezone(UTC) if moment.tzinfo else moment
    return f"{moment:%Y-%m-%d %H:%M:%S}".removesuffix(":00") + zone


def line_faults(text: str, refs: Iterable[str], evidence: Evidence) -> list[str]:
    """What a line says that its own references do not bear out; nothing for a line that is grounded."""
    figures: dict[str, JsonValue] = {}
    quoted: set[str] = set()
    for ref in refs:
        try:
            value = resolve(evidence, ref)
        except (LookupError, ValueError, TypeError):
            return [f"{ref} leads nowhere in the evidence"]
        number = _number(value)
        if number is not None:
            figures[ref] = number
        elif isinstance(value, str):
            figures[ref] = value
            quoted |= {clean(value, MAX_TEXT_CHARS), moment_text(value)}
    rest = text
    for words in sorted(filter(_is_quotation, quoted), key=len, reverse=True):
        rest = rest.replace(words, " ")
    return list(ground(rest, Figures((), figures)).faults)


def faults(answer: Answer) -> list[str]:
    """Everything in a finished answer that its evidence does not bear out."""
    evidence = dict(answer.evidence or {})
    found = [fault for line in answer.lines for fault in line_faults(line, answer.citations, evidence)]
    if WITHHELD in answer.lines:
        found.append("a line was withheld")
    if len(answer.lines) > MAX_LINES:
        found.append(f"{len(answer.lines)} lines, at most {MAX_LINES} are shown")
    found += row_faults(answer.rows, evidence) if answer.rows else []
    if answer.chart is not None and not is_held(answer.chart, evidence):
        found.append("the chart is not in the evidence")
    return found


def row_faults(rows: Rows, evidence: Evidence) -> list[str]:
    """Cells that say something else than their place in the evidence, and figures without one."""
    found = list[str]()
    for cells, refs in zip(rows.rows, rows.refs, strict=True):
        for cell, ref in zip(cells, refs, strict=True):
            if not ref:
                if _number(cell) is not None or (isinstance(cell, str) and _has_digit(cell)):
                    found.append(f"{cell!r} in the table has no source")
                continue
            try:
                is_same = resolve(evidence, ref) == cell
            except (LookupError, ValueError, TypeError):
                is_same = False
            if not is_same:
                found.append(f"{ref}: the table says {cell!r}")
    return found


def is_held(chart: JsonValue, evidence: Evidence) -> bool:
    """Whether a chart's data are what the evidence holds of it."""
    derived = evidence.get("derived")
    entries = derived.values() if isinstance(derived, dict) else ()
    return any(isinstance(entry, dict) and entry.get("output") == chart for entry in entries)


def _number(value: JsonValue) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, str) and value[:1] in "+-.0123456789":
        try:
            return float(value)
        except ValueError:
            return None
    return None


def _is_quotation(words: str) -> bool:
    """Recorded words that answer for themselves: they hold a figure, or are more than a word or two."""
    return _has_digit(words) or len(words) > QUOTATION_CHARS


def _has_digit(text: str) -> bool:
    return any(char.isdigit() for char in text)
