"""The evaluations of a book: which were run, what they came to with their intervals, and which gates hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from ... import ParleyError
from ...evals.harness.gates import Judged, judge, read_gates
from ...evals.harness.record import SUMMARY, Record, find_record, latest_records, records
from ...evals.suites.table import suites
from ...evals.trials import counted, read_register
from ..api.desk import ServedDesk
from ..pages.evaluation import evaluation_report
from ..pages.evaluation_charts import known_unit
from ..pages.twin import Fact, Twin
from ..reports import Report
from .parts import Asked

PER_PAGE = 30
FIRST_SHOWN = 4
ROWS_SHOWN = 60
REPORT = "report"


@dataclass(frozen=True, slots=True)
class EvaluationList:
    """A page of the evaluations, the suites' latest first."""

    twin: Twin
    rows: list[dict[str, Any]]
    place: int
    older: int | None


@dataclass(frozen=True, slots=True)
class GatesView:
    """Every gate of the repository against the latest evaluation of its suite, and how many trials there were."""

    twin: Twin
    gates: list[Fact]
    never_run: list[str]
    trials: Fact
    passed: Fact


@dataclass(frozen=True, slots=True)
class EvaluationView:
    """One evaluation."""

    twin: Twin
    found: Fact
    figures: list[dict[str, Any]]
    tables: list[dict[str, Any]]
    has_page: bool


def evaluation_list(asked: Asked, place: int = 0) -> EvaluationList:
    """By name, with the latest of each suite on top; `place` is how many to leave out."""
    book = asked.desk.settings.book
    latest = {item.id for item in latest_records(book)}
    every = sorted(records(book), key=lambda item: (item.id not in latest, item.id))
    shown = every[place : place + PER_PAGE]
    twin = Twin("evaluations", f"evaluations-{place}")
    told = [_row(item, item.id in latest) for item in shown]
    rows = twin.derive("evaluations", {"from": place, "ids": [item.id for item in shown]}, [*told]).rows()
    return EvaluationList(
        twin,
        [{"row": row, "figures": [_figure(figure) for figure in row["figures"].rows()]} for row in rows],
        place,
        place + PER_PAGE if len(every) > place + PER_PAGE else None,
    )


def _row(record: Record, is_latest: bool) -> dict[str, JsonValue]:
    """A line of the list; of a record that can't be read, why."""
    try:
        manifest, state = record.manifest(), record.state()
        suite = suites().get(manifest["suite"])
        figures = record.summary_document()["figures"] if (record.folder / SUMMARY).exists() else []
    except ParleyError as error:
        return {"id": record.id, "trouble": error.message, "is_latest": is_latest, "figures": []}
    wanted = suite.first if suite else ()
    by_name = {figure["name"]: figure for figure in figures}
    first = [by_name[name] for name in wanted if name in by_name] or figures
    return {
        "id": record.id,
        "trouble": None,
        "suite": manifest["suite"],
        "text": manifest["text"],
        "data": _named(manifest["options"].get("data")),
        "model": manifest["options"].get("model"),
        "state": state["state"],
        "done": state.get("done"),
        "asked": state.get("asked"),
        "passed": state.get("passed"),
        "failed": state.get("failed"),
        "errors": state.get("errors"),
        "is_latest": is_latest,
        "figures": first[:FIRST_SHOWN],
    }


def _named(data: str | None) -> str | None:
    """A file by its name, without the folders it lies in."""
    return None if data is None else Path(data).name


def gates_view(asked: Asked) -> GatesView:
    """A suite that was never run in this book passes nothing."""
    book, gates = asked.desk.settings.book, read_gates()
    judged, run = list[tuple[str, Judged]](), set[str]()
    for record in latest_records(book):
        suite = record.manifest()["suite"]
        run.add(suite)
        if (record.folder / SUMMARY).exists():
            judged += [(record.id, item) for item in judge(gates, suite, record.summary())]
    twin = Twin("gates", "gates")
    rows: list[JsonValue] = [
        {
            "id": ident,
            "suite": item.gate.suite,
            "gate": item.gate.text,
            "why": item.gate.why,
            "value": item.value,
            "n": item.n,
            "passed": item.passed,
            "is_short": item.is_short,
            "reason": item.reason,
        }
        for ident, item in judged
    ]
    tried = counted(read_register())
    return GatesView(
        twin,
        twin.derive("gates", [ident for ident, _ in judged], rows).rows(),
        sorted({gate.suite for gate in gates} - run),
        twin.derive("trials", "register", {"count": tried.count, "deviation": tried.sharpe_deviation}),
        twin.derive("gates_passed", "gates", {"passed": sum(item.passed for _, item in judged), "of": len(judged)}),
    )


def evaluation_view(book: Path, name: str) -> EvaluationView:
    """One by its id, or the latest of a suite. Raises EvalUnknown."""
    record = find_record(book, name)
    manifest, has_summary = record.manifest(), (record.folder / SUMMARY).exists()
    summary = record.summary() if has_summary else None
    gates = judge(read_gates(), manifest["suite"], summary) if summary else []
    twin = Twin("evaluation", record.id)
    found = twin.derive(
        "evaluation",
        record.id,
        {
            "id": record.id,
            "manifest": manifest,
            "state": record.state(),
            "summary": record.summary_document() if has_summary else None,
            "gates": [
                {
                    **item.gate.model_dump(mode="json"),
                    "text": item.gate.text,
                    "value": item.value,
                    "n": item.n,
                    "passed": item.passed,
                }
                | {"is_short": item.is_short, "reason": item.reason}
                for item in gates
            ],
        },
    )
    told = found.maybe("summary")
    return EvaluationView(
        twin,
        found,
        [_figure(row) for row in told["figures"].rows()] if told else [],
        [_table(table) for table in told["tables"].rows()] if told else [],
        has_summary,
    )


def evaluation_page_report(desk: ServedDesk, name: str) -> Report:
    """The page that `parley eval report` writes; worked out anew, since an older one may lie in the record."""
    record = find_record(desk.settings.book, name)
    suite = record.manifest()["suite"]
    known = suites().get(suite)
    return evaluation_report(record, judge(read_gates(), suite, record.summary()), known.first if known else ())


def _figure(row: Fact) -> dict[str, Any]:
    return {"fact": row, "unit": known_unit(row["unit"].string())}


def _table(table: Fact) -> dict[str, Any]:
    """Cells with their units; a column without one holds words."""
    units = [row.string() for row in table["units"].rows()]
    rows = table["rows"].rows()
    return {
        "title": table["title"],
        "columns": _columns(table["header"].rows(), units),
        "rows": [
            [
                {"fact": cell, "unit": known_unit(unit), "is_word": isinstance(cell.raw, str)}
                for cell, unit in zip(row.rows(), units, strict=False)
            ]
            for row in rows[:ROWS_SHOWN]
        ],
        "more": len(rows) > ROWS_SHOWN,
        "note": table.maybe("note"),
    }


def _columns(header: Sequence[Fact], units: Sequence[str]) -> list[tuple[Fact, str]]:
    return [(name, "r" if unit else "") for name, unit in zip(header, units, strict=False)]
