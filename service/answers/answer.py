"""An answer of the desk: a few lines, a table or a chart, and the evidence that every figure in them leads into."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import JsonValue

MAX_LINES = 12


class Kind(StrEnum):
    """What sort of answer it is; the names are a contract of `chat --json`."""

    TABLE = "table"
    EXPLANATION = "explanation"
    NUMBER = "number"
    NUMBER_WITH_CONTEXT = "number_with_context"
    NUMBER_WITH_BREAKDOWN = "number_with_breakdown"
    WHAT_IF = "what_if"
    COMPARISON = "comparison"
    COMPARISON_CHART = "comparison_chart"
    CHART = "chart"
    TABLE_CHART = "table_chart"
    LIST_WITH_SOURCES = "list_with_sources"
    TABLE_WITH_UNCERTAINTY = "table_with_uncertainty"
    REPORT = "report"
    COMMAND_NEEDS_CONFIRMATION = "command_needs_confirmation"
    INTENT_THROUGH_GATE = "intent_through_gate"
    EXPLAIN_NOT_POSSIBLE_OFFER_OFFSET = "explain_not_possible_offer_offset"
    REFUSE = "refuse"
    CLARIFY = "clarify"
    NO_DATA = "no_data"


@dataclass(frozen=True, slots=True)
class Rows:
    """A whole table. `units` are names of `service/pages/numbers.py`, or `text`; a cell with a figure has a ref."""

    header: tuple[str, ...]
    units: tuple[str, ...]
    rows: tuple[tuple[JsonValue, ...], ...]
    refs: tuple[tuple[str, ...], ...]
    """For each cell where it lies in the evidence; empty for a word of this program's own."""

    def document(self) -> dict[str, Any]:
        return {
            "header": list(self.header),
            "units": list(self.units),
            "rows": [list(row) for row in self.rows],
            "refs": [list(row) for row in self.refs],
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question. `lines` are at most twelve, and each is borne out by `evidence`."""

    kind: Kind
    lines: tuple[str, ...]
    citations: tuple[str, ...] = ()
    """`ENTRY#/pointer` of each figure said, in the order of the lines."""
    evidence: Mapping[str, JsonValue] | None = None
    """The twin: events, ledger entries and derived figures, by their ids."""
    rows: Rows | None = None
    chart: JsonValue = None
    """The data of a chart, as `service/pages/charts.py` draws it."""
    more: str = ""
    """What to ask for more."""
    intent: JsonValue = None
    token: str | None = None
    link: str | None = None
    """Where a report lies."""

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def document(self) -> dict[str, Any]:
        """The contract of `chat --json`; keys may be added, and none is renamed."""
        return {
            "answer": self.text,
            "kind": self.kind.value,
            "citations": list(self.citations),
            "intent": self.intent,
            "token": self.token,
            "rows": self.rows.document() if self.rows else None,
            "chart": self.chart,
            "more": self.more,
            "link": self.link,
            "evidence": dict(self.evidence or {}),
        }
