"""An answer of the desk as a piece of a page: its lines, table, chart, sources, and what it would do when confirmed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from markupsafe import Markup
from pydantic import JsonValue

from ..answers.answer import Answer, Rows
from ..pages.charts import fills_chart, line_chart
from ..pages.numbers import UNITS
from ..pages.twin import Fact, resolve
from .rendering import figure, said, when

ROWS_SHOWN = 15
SOURCES_SHOWN = 40
CHART = "chart"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a figure lies in the record, and what stands there."""

    ref: str
    value: str


@dataclass(frozen=True, slots=True)
class TableView:
    """A table's cells as markup; `sides` is `r` for figures."""

    header: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Markup, ...], ...]
    more: int


@dataclass(frozen=True, slots=True)
class AnswerView:
    """What a page shows of an answer."""

    kind: str
    lines: tuple[str, ...]
    table: TableView | None
    chart: Markup | None
    chart_lines: tuple[tuple[str, str], ...]
    """Name and tone of each line of the chart."""
    sources: tuple[Source, ...]
    more: str
    token: str | None
    action: str


def answer_view(answer: Answer) -> AnswerView:
    chart = answer.chart if isinstance(answer.chart, dict) else None
    intent = answer.intent if isinstance(answer.intent, dict) else {}
    return AnswerView(
        kind=answer.kind.value,
        lines=answer.lines,
        table=_table(answer.rows) if answer.rows else None,
        chart=_chart(chart) if chart else None,
        chart_lines=_legend(chart) if chart else (),
        sources=_sources(answer),
        more=answer.more,
        token=answer.token,
        action=str(intent.get("action", "")).replace("_", " "),
    )


def _table(rows: Rows) -> TableView:
    shown = rows.rows[:ROWS_SHOWN]
    return TableView(
        header=tuple(
            (name, "" if unit not in UNITS else "r") for name, unit in zip(rows.header, rows.units, strict=True)
        ),
        rows=tuple(
            tuple(_cell(*found) for found in zip(row, rows.units, refs, strict=True))
            for row, refs in zip(shown, rows.refs, strict=False)
        ),
        more=len(rows.rows) - len(shown),
    )


def _cell(value: JsonValue, unit: str, ref: str) -> Markup:
    if unit in UNITS and isinstance(value, int | float) and not isinstance(value, bool):
        return figure(_at(value, ref) if ref else value, unit)
    if isinstance(value, str):
        is_moment = len(value) >= 20 and value[4:5] == "-" and value[10:11] == "T"
        return when(value) if is_moment else said(value)
    return said(None if value is None else str(value))


def _at(value: JsonValue, ref: str) -> Fact:
    name, _, pointer = ref.partition("#")
    return Fact(value, name, pointer)


def _chart(chart: Mapping[str, JsonValue]) -> Markup:
    fact = Fact(cast(JsonValue, dict(chart)), CHART)
    return line_chart(fact, height_px=168) if "lines" in chart else fills_chart(fact, height_px=168)


def _legend(chart: Mapping[str, JsonValue]) -> tuple[tuple[str, str], ...]:
    lines = chart.get("lines")
    return tuple((name, f"c{place}") for place, name in enumerate(lines)) if isinstance(lines, dict) else ()


def _sources(answer: Answer) -> tuple[Source, ...]:
    evidence = dict(answer.evidence or {})
    return tuple(Source(ref, _value_at(evidence, ref)) for ref in answer.citations[:SOURCES_SHOWN])


def _value_at(evidence: dict[str, JsonValue], ref: str) -> str:
    try:
        found = resolve(evidence, ref)
    except (LookupError, ValueError):
        return ""
    return "" if isinstance(found, dict | list) or found is None else str(found)
