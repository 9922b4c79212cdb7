"""The `eval` commands: every suite through one runner, its own words, gates, and a page."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..agents.llm.prices import is_unbilled
from ..desk.errors import SettingsInvalid
from ..desk.models import price_table
from ..desk.settings import load_settings
from ..evals.errors import EvalChanged
from ..evals.harness.gates import Judged, judge, read_gates
from ..evals.harness.manifest import manifest_of
from ..evals.harness.options import SuiteOptions
from ..evals.harness.record import EVALS, Record, find_record, latest_records
from ..evals.harness.runner import Bounds, Evaluated, evaluate, summed_up
from ..evals.harness.suite import Suite
from ..evals.harness.task import Sample, Task
from ..evals.suites.table import Builder, builder_of, chosen, suites
from ..gate.limits import load_limits
from .attacking import build_injection, tell_attacks
from .chat_suite import build_chat
from .console import Console
from .evaluation_text import document_of, gate_row, say_evaluation, tell_gates
from .faithfulness import build_faithfulness, tell_grounding
from .fault_suite import faults_document, tell_faults, tell_results
from .latency import build_latency
from .pages.evaluation import evaluation_report
from .prompt_suite import tell_prompts
from .reports import write_report
from .stability import tell_flips
from .suites import Teller, Told

ABOVE: Mapping[str, Builder] = {
    "chat": build_chat,
    "injection": build_injection,
    "faithfulness": build_faithfulness,
    "latency": build_latency,
}
"""Tasks that look at what only this floor makes, such as pages."""
TELLERS: Mapping[str, Teller] = {
    "faults": tell_results,
    "injection": tell_attacks,
    "faithfulness": tell_grounding,
    "prompts": tell_prompts,
    "determinism": tell_flips,
}


@dataclass(frozen=True, slots=True)
class EvalRequest:
    """The options of `parley eval run`."""

    names: tuple[str, ...]
    options: SuiteOptions
    bounds: Bounds
    resume: str | None = None
    gates: Path | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """An evaluation before it begins: all that decides it is settled."""

    suite: Suite
    options: SuiteOptions
    task: Task
    samples: tuple[Sample, ...]
    manifest: dict[str, Any]

    @property
    def record(self) -> Record:
        return Record(self.options.book / EVALS / self.manifest["id"])


def perform_list(console: Console) -> None:
    rows = [_listed(suite) for suite in suites().values()]
    console.result({"suites": rows, "faults": faults_document()})
    console.say("Suites, their samples where counting is cheap, and their tags (`parley eval run tag:fast`):")
    for row in rows:
        samples = "" if row["samples"] is None else str(row["samples"])
        console.say(f"  {row['name']:13s}{samples:>5}  {row['text']} [{', '.join(row['tags'])}]")
    console.say()
    tell_faults(console)


def perform_run(request: EvalRequest, console: Console) -> bool:
    """Run suites one after the other; false when one of them is not content."""
    options = with_settings(request.options)
    _refuse_unpriced(options)
    asked = (
        [_resumed(request.resume, options)]
        if request.resume
        else [prepare(suite, options) for suite in chosen(request.names)]
    )
    documents = [_run(prepared, request, console) for prepared in asked]
    if len(documents) == 1:
        console.result(documents[0])
    else:
        console.result({"ok": all(item["ok"] for item in documents), "evals": documents})
        tell = [(item["suite"], item["id"], "ok" if item["ok"] else "not ok") for item in documents]
        console.table("All suites", ("suite", "evaluation", ""), tell)
    return all(item["ok"] for item in documents)


def perform_score(name: str, options: SuiteOptions, console: Console) -> bool:
    """Sum up stored outcomes again, by today's code; nothing is run."""
    record = find_record(options.book, name)
    manifest = record.manifest()
    prepared = _prepared_as(manifest, with_settings(options))
    with record.held():
        evaluated = summed_up(
            prepared.task, prepared.samples, record, manifest, str(record.state()["reason"]), record.state()["done"]
        )
    document = _told(prepared, evaluated, read_gates(), console)
    console.result(document)
    return bool(document["ok"])


def perform_report(name: str, out: Path | None, book: Path, console: Console) -> None:
    """The page of a stored evaluation, beside its record or elsewhere."""
    record = find_record(book, name)
    html, twin = _write_page(record, out)
    console.result({"id": record.id, "html": str(html), "json": str(twin)})
    console.say(f"Page: {html}")


def perform_gates(names: tuple[str, ...], path: Path | None, book: Path, console: Console) -> bool:
    """Judge evaluations, or the latest of every suite that has a gate; a suite that was never run does not pass."""
    gates = read_gates(path) if path else read_gates()
    found = [find_record(book, name) for name in names] if names else latest_records(book)
    by_suite = {record.manifest()["suite"]: record for record in found}
    wanted = list(by_suite) if names else list(dict.fromkeys(gate.suite for gate in gates))
    rows, missing = list[tuple[str, Judged]](), list[str]()
    for suite in wanted:
        record = by_suite.get(suite)
        if record is None:
            missing.append(suite)
            continue
        rows += [(record.id, item) for item in judge(gates, suite, record.summary())]
    unfinished = {record.id: record.state()["reason"] for record in found if record.state()["state"] != "finished"}
    ok = not missing and not unfinished and all(item.passed for _, item in rows)
    console.result(
        {
            "ok": ok,
            "gates": [{"eval": ident, **gate_row(item)} for ident, item in rows],
            "never_run": missing,
            "unfinished": unfinished,
        }
    )
    tell_gates(console, rows)
    for suite in missing:
        console.say(f"{suite}: never run in this book; try `parley eval run {suite}`")
    for ident, reason in unfinished.items():
        console.say(f"{ident} is not finished: {reason}")
    failed = [f"{item.gate.suite} {item.gate.text}" for _, item in rows if not item.passed]
    console.say("every gate holds" if ok else f"not all gates hold: {'; '.join([*failed, *missing, *unfinished])}")
    return ok


def with_settings(options: SuiteOptions) -> SuiteOptions:
    """The options with the settings of the file and the environment, and the limits these name."""
    settings = load_settings(options.config)
    return replace(options, settings=settings, limits=load_limits(settings.limits_file))


def prepare(suite: Suite, options: SuiteOptions) -> Prepared:
    """Everything that decides an evaluation; bad options are refused here, before anything runs."""
    own = replace(options, parameters=suite.parameters)
    task = builder_of(suite, ABOVE)(own)
    samples = tuple(task.samples())
    manifest = manifest_of(suite, task, samples, own, options.epochs or suite.epochs)
    return Prepared(suite, own, task, samples, manifest)


def _resumed(name: str, options: SuiteOptions) -> Prepared:
    """The evaluation of a record, if it would be the same one today."""
    record = find_record(options.book, name)
    manifest = record.manifest()
    prepared = _prepared_as(manifest, options)
    if prepared.manifest["id"] != manifest["id"]:
        other = [
            key for key in manifest if key not in ("id", "text", "tags") and manifest[key] != prepared.manifest[key]
        ]
        raise EvalChanged(
            f"{record.id} was made with another {', '.join(other) or 'manifest'} than there is now",
            remedy=f"Run `parley eval run {manifest['suite']}` with the same options, which begins anew.",
        )
    return prepared


def _prepared_as(manifest: Mapping[str, Any], options: SuiteOptions) -> Prepared:
    (suite,) = chosen((manifest["suite"],))
    as_asked = replace(options.with_asked(manifest["options"]), epochs=manifest["epochs"])
    return prepare(suite, as_asked)


def _run(prepared: Prepared, request: EvalRequest, console: Console) -> dict[str, Any]:
    bounds = request.bounds
    if prepared.options.replay is not None or prepared.suite.is_of_this_machine:
        bounds = replace(bounds, refresh=True)  # it is asked again to see how it is now
    worth = len(prepared.samples) * prepared.manifest["epochs"] // prepared.suite.samples_per_process
    worth = 1 if prepared.suite.is_of_this_machine else worth
    bounds = replace(bounds, processes=max(1, min(bounds.processes, worth)))
    with console.progress(prepared.suite.name) as bar:
        evaluated = evaluate(prepared.task, prepared.samples, prepared.record, prepared.manifest, bounds, bar)
    gates = read_gates(request.gates) if request.gates else read_gates()
    return _told(prepared, evaluated, gates, console)


def _told(prepared: Prepared, evaluated: Evaluated, gates: Any, console: Console) -> dict[str, Any]:
    """Write the page, say what was found, and the document of it."""
    judged = judge(gates, prepared.suite.name, evaluated.summary)
    html, _ = _write_page(evaluated.record, None)
    document = document_of(prepared.suite, evaluated, judged, html)
    teller = TELLERS.get(prepared.suite.name)
    if teller is not None and evaluated.scored:
        document = teller(Told(evaluated, prepared.options, document, console))
        say_evaluation(console, prepared.suite, evaluated, judged, html, with_figures=False)
    else:
        say_evaluation(console, prepared.suite, evaluated, judged, html, with_figures=True)
    return document


def _write_page(record: Record, out: Path | None) -> tuple[Path, Path]:
    judged = judge(read_gates(), record.manifest()["suite"], record.summary())
    first = suites()[record.manifest()["suite"]].first if record.manifest()["suite"] in suites() else ()
    report = evaluation_report(record, judged, first)
    if out is None:
        return write_report(replace(report, id="report"), record.folder)
    return write_report(replace(report, id=out.stem), out.parent)


def _listed(suite: Suite) -> dict[str, Any]:
    count = None
    if suite.listable:
        count = len(builder_of(suite, ABOVE)(SuiteOptions(parameters=suite.parameters)).samples()) * suite.epochs
    return {"name": suite.name, "text": suite.text, "tags": list(suite.tags), "samples": count}


def _refuse_unpriced(options: SuiteOptions) -> None:
    """A bound in money means nothing for a model whose price nobody wrote down."""
    model = options.model or options.settings.llm.model
    if options.max_cost_usd is None or model is None or is_unbilled(model):
        return
    table = price_table(options.settings.llm)
    if table is None:
        raise SettingsInvalid(
            f"--max-cost is set, and there is no price table for model {model!r}",
            remedy="Name one with llm.prices_file, or leave the bound out.",
        )
    table.cost(model, 0, 0)


def usual_processes() -> int:
    return os.cpu_count() or 1
