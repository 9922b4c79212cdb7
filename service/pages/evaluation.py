"""The page of an evaluation: figures with intervals, gates, tables, charts, data, failures, and what made them."""

from collections.abc import Sequence
from typing import Any

from ...evals.harness.gates import Judged
from ...evals.harness.record import Record
from ...evals.harness.runner import failures_of
from ..reports import Report
from .evaluation_charts import known_unit, picture
from .render import render
from .twin import Fact, Twin

MOST_FAILURES = 50
"""Failed samples on the page; the JSON file holds all of them."""
MOST_ROWS = 400


def evaluation_report(record: Record, judged: Sequence[Judged], first: Sequence[str]) -> Report:
    """The page and its twin; `first` are the figures that stand at the top."""
    twin = Twin("evaluation", record.id)
    manifest = record.manifest()
    failures = failures_of(record.kept().values())
    found = twin.derive(
        "evaluation",
        record.id,
        {
            "manifest": manifest,
            "state": record.state(),
            "summary": record.summary_document(),
            "gates": [_gate(item) for item in judged],
            "failures": [
                {"sample": item.sample, "epoch": item.epoch, "reason": item.reason, "is_error": item.is_error}
                for item in sorted(failures, key=lambda item: (not item.is_error, item.sample, item.epoch))
            ],
        },
    )
    return Report(record.id, "evaluation", _page(twin, found, first), twin.data())


def _page(twin: Twin, found: Fact, first: Sequence[str]) -> str:
    summary, manifest = found["summary"], found["manifest"]
    figures = [_figure(row) for row in summary["figures"].rows()]
    by_name = {row["fact"]["name"].string(): row for row in figures}
    failures = found["failures"].rows()
    pictures = [picture(twin, chart) for chart in summary["charts"].rows()]
    return render(
        "evaluation.html",
        title="Evaluation",
        suite=manifest["suite"].string(),
        text=manifest["text"],
        manifest=manifest,
        state=found["state"],
        stopped=found["state"]["state"].string() != "finished",
        top=[by_name[name] for name in first if name in by_name],
        figures=figures,
        gates=found["gates"].rows(),
        tables=[_table(table) for table in summary["tables"].rows()],
        pictures=[item for item in pictures if item is not None],
        notes=summary["notes"].rows(),
        cards=summary["cards"].rows(),
        failures=failures[:MOST_FAILURES],
        more_failures=len(failures) > MOST_FAILURES,
        options=list(manifest["options"].items()),
        parameters=list(manifest["parameters"].items()),
        prompts=list(manifest["prompts"].items()),
        packages=list(manifest["packages"].items()),
        data=list(manifest["data"].items()),
    )


def _figure(row: Fact) -> dict[str, Any]:
    return {"fact": row, "unit": known_unit(row["unit"].string())}


def _table(table: Fact) -> dict[str, Any]:
    """Cells with their units; a column without one holds words."""
    units = [row.string() for row in table["units"].rows()]
    rows = [
        [
            {"fact": cell, "unit": known_unit(unit), "is_word": isinstance(cell.raw, str)}
            for cell, unit in zip(row.rows(), units, strict=False)
        ]
        for row in table["rows"].rows()
    ]
    return {
        "title": table["title"],
        "header": list(zip(table["header"].rows(), units, strict=False)),
        "rows": rows[:MOST_ROWS],
        "more": len(rows) > MOST_ROWS,
        "note": table.maybe("note"),
        "is_wide": len(units) > 6,
    }


def _gate(item: Judged) -> dict[str, Any]:
    return {
        "gate": item.gate.text,
        "value": item.value,
        "n": item.n,
        "min_n": item.gate.min_n,
        "passed": item.passed,
        "is_short": item.is_short,
        "reason": item.reason,
        "why": item.gate.why,
    }
