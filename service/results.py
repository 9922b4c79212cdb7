"""The `results` command: the desk over every data set there is, and the page in the repository that says what came.

PARLEY_SHARED_DATA=... parley eval results --out docs/results.md
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..desk.errors import BookError
from ..domain.canonical import content_hash
from ..evals.errors import EvalUnknown
from ..evals.harness.options import SuiteOptions
from ..evals.harness.record import Record, find_record, records
from ..evals.harness.runner import Bounds, Evaluated, evaluate, summed_up
from ..evals.harness.task import Figure, Summary, Table
from ..evals.kept_returns import choices, kept_returns
from ..evals.suites.days import DaysTask
from ..evals.suites.table import chosen
from ..evals.trials import REGISTER, counted, read_register, register_trial, trial_line
from ..market.shared_sets import VARIABLE
from .console import Console
from .evaluating import Prepared, prepare, with_settings
from .results_text import results_text

SUITE = "days"
SETS = ("us20", "us20+bond", "market", "market+bond", "sp500", "us5", "factors5")
FILES = ("daily/us88_daily_ohlcv_2012_2016h1.parquet", "daily/etf_equity_daily_1998_2018.parquet")
KEPT_TABLES = (
    "On the same days",
    "Against ours, and over bills",
    "By year",
    "By crisis",
    "By regime",
    "Value at risk",
    "Random agents",
)
SAME = ("suite", "options", "parameters", "epochs", "settings_hash", "limits_hash", "data")
"""Of two manifests: what makes them the same question, whatever code answered it."""
DIGITS = 6


def perform_results(out: Path, names: Sequence[str], book: Path, config: Path | None, console: Console) -> None:
    """Evaluate what is not in the book yet, and write the page and its JSON twin.

    An evaluation of the same question that is in the book is summed up again, by today's code, and not run again.
    """
    options = with_settings(SuiteOptions(book=book, config=config))
    found = [_evaluated(name, options, console) for name in names or usual_sets()]
    register = read_register()
    document: dict[str, Any] = {
        "version": 1,
        "settings_hash": options.settings.hash(),
        "limits_hash": options.limits.hash(),
        "trials": asdict(counted(register)),
        "choices": [_rounded_row(asdict(item)) for item in choices(kept_returns(book), register)],
        "sets": [_told(item) for item in found],
    }
    document["id"] = content_hash(document)[:16]
    _write(out, results_text(document))
    twin = out.with_suffix(".json")
    _write(twin, json.dumps(document, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n")
    console.result({"out": str(out), "json": str(twin), "id": document["id"], "sets": [_name(item) for item in found]})
    for item in found:
        unregistered = [note for note in item.summary.notes if "is not in the register" in note]
        console.say(f"{_name(item):<24} {item.record.id}{'  ' + unregistered[0] if unregistered else ''}")
    console.say(f"Page: {out}, twin {twin}")


def perform_register(
    name: str, why: str, book: Path, config: Path | None, console: Console, register: Path = REGISTER
) -> None:
    """Add an evaluation's configuration to the register of trials; one that is there already stays as it is."""
    record = find_record(book, name)
    manifest = record.manifest()
    if manifest["suite"] != SUITE:
        raise EvalUnknown(
            f"{record.id} is of the suite {manifest['suite']}, which tries no configuration",
            remedy="Name an evaluation of `days`.",
        )
    options = with_settings(SuiteOptions(book=book, config=config)).with_asked(manifest["options"])
    prepared = prepare(chosen((SUITE,))[0], options)
    evaluated = summed_up(prepared.task, prepared.samples, record, manifest, "")
    task = prepared.task
    assert isinstance(task, DaysTask), "the suite's task"
    trial = task.trial_in(evaluated.scored, why)
    is_new = register_trial(trial, register)
    console.result({"added": is_new, **trial.model_dump(mode="json")})
    console.say(f"{'Added' if is_new else 'There already'}: {trial_line(trial)}")


def usual_sets() -> list[str]:
    """The built-in data sets, and the recorded daily files where they are at hand."""
    folder = os.environ.get(VARIABLE, "")
    return [*SETS, *(str(Path(folder) / name) for name in FILES if folder and (Path(folder) / name).is_file())]


def _evaluated(name: str, options: SuiteOptions, console: Console) -> Evaluated:
    prepared = prepare(chosen((SUITE,))[0], replace(options, data=name))
    record = _answered(prepared)
    if record is not None:
        with record.held():
            return summed_up(prepared.task, prepared.samples, record, record.manifest(), "")
    with console.progress(name) as bar:
        return evaluate(prepared.task, prepared.samples, prepared.record, prepared.manifest, Bounds(2), bar)


def _answered(prepared: Prepared) -> Record | None:
    """A finished record of the same question."""
    for record in records(prepared.options.book):
        manifest = record.manifest()
        is_same = all(manifest.get(key) == prepared.manifest[key] for key in SAME)
        if is_same and record.state()["state"] == "finished":
            return record
    return None


def _name(item: Evaluated) -> str:
    return item.summary.cards[0].name


def _told(item: Evaluated) -> dict[str, Any]:
    summary: Summary = item.summary
    card = summary.cards[0]
    return {
        "name": card.name,
        "card": {**asdict(card), "notes": list(card.notes)},
        "figures": {figure.name: _figure(figure) for figure in summary.figures},
        "tables": {table.title: _table(table) for table in summary.tables if table.title in KEPT_TABLES},
        "notes": list(summary.notes),
        "failures": [asdict(failure) for failure in item.failures],
    }


def _figure(figure: Figure) -> dict[str, Any]:
    ends = {name: _rounded(getattr(figure, name)) for name in ("value", "low", "high")}
    return {**ends, "unit": figure.unit, "n": figure.n, "note": figure.note}


def _table(table: Table) -> dict[str, Any]:
    rows = [[_rounded(cell) for cell in row] for row in table.rows]
    return {"header": list(table.header), "units": list(table.units), "rows": rows, "note": table.note}


def _rounded_row(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _rounded(value) for name, value in row.items()}


def _rounded(value: str | float | None) -> str | float | None:
    return round(value, DIGITS) if isinstance(value, float) else value


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BookError(f"{path}: cannot be written: {error}", remedy="Give --out another name.") from error
