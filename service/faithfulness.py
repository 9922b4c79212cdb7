"""The suite `faithfulness`: every number on a run's pages and in its decisions' texts, held against the evidence."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..agents.grounding import Figures, ground
from ..desk.book import Book, RunFolder, open_log
from ..domain.decisions import Evidence
from ..domain.events import DecisionMade, EvidenceRecorded
from ..evals.harness.options import SuiteOptions
from ..evals.harness.task import Outcome, Sample, Scored, Summary
from ..evals.suites.shares import share
from ..market.cards import DataSet
from ..memory.history import run_started
from ..memory.log import EventLog
from ..quant.side_record import wilson_interval
from .page_proof import problems
from .reporting import known_ids, report_of
from .suites import Told

MAX_OFFENDERS_SHOWN = 10
ARGUMENTS, PAGES = "arguments", "pages"


@dataclass(frozen=True, slots=True)
class Checked:
    """One text or page, and what on it nothing bears out."""

    where: str
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Faithfulness:
    """A run of a book: the arguments of its decisions are one sample, each of its newest pages is another."""

    book: Path
    run_id: str
    head: str
    """The hash of the log's last event: a run that went on is another question."""
    idents: tuple[str, ...]
    name: str = "faithfulness"

    def samples(self) -> Sequence[Sample]:
        asked = {"run": self.run_id, "head": self.head}
        pages = [Sample(f"page.{ident}", {**asked, "page": ident}) for ident in self.idents]
        return [Sample(ARGUMENTS, asked), *pages]

    def run(self, sample: Sample, epoch: int) -> Outcome:
        ident = sample.input.get("page")
        with open_log(Book(self.book).find(self.run_id), readonly=True) as (log, views):
            if not isinstance(ident, str):
                return _outcome(list(_arguments(log)))
            data = _data(self.book, run_started(log).data)
            report = report_of(log, views, ident, data)
        page = [] if report is None else [Checked(f"{report.kind} {report.id}", tuple(problems(report)))]
        return _outcome(page)

    def summarize(self, scored: Sequence[Scored]) -> Summary:
        found = checked_of(scored)
        shares = [share(name, sum(not item.faults for item in part), len(part)) for name, part in found.items()]
        return Summary(tuple(shares))


def build_faithfulness(options: SuiteOptions) -> Faithfulness:
    """Of a run of the book, the newest pages; `seeds` says how many."""
    folder: RunFolder = Book(options.book).find(options.run_name)
    with open_log(folder, readonly=True) as (log, views):
        newest = zip(range(options.count("seeds")), known_ids(views), strict=False)
        return Faithfulness(options.book, folder.run_id, log.head()[1], tuple(ident for _, ident in newest))


def checked_of(scored: Sequence[Scored]) -> dict[str, list[Checked]]:
    """What was looked at, texts and pages apart, from what was kept of it."""
    found: dict[str, list[Checked]] = {ARGUMENTS: [], PAGES: []}
    for item in scored:
        rows: Any = item.outcome.transcript
        part = found[ARGUMENTS if item.sample.id == ARGUMENTS else PAGES]
        part += [Checked(row["where"], tuple(row["faults"])) for row in rows["checked"]]
    return found


def tell_grounding(told: Told) -> dict[str, Any]:
    """Not content when anything is not borne out."""
    found = checked_of(told.evaluated.scored)
    offenders = [item for part in found.values() for item in part if item.faults]
    run_id = str(told.evaluated.scored[0].sample.input["run"])
    rows, document = [], dict[str, Any]()
    for name, checked in found.items():
        total, bad = len(checked), sum(bool(item.faults) for item in checked)
        low, high = wilson_interval(total - bad, total) if total else (0.0, 1.0)
        rate = 1 - bad / total if total else None
        document[name] = {"checked": total, "grounded": total - bad, "rate": rate, "interval_95": [low, high]}
        shown = "none" if rate is None else f"{rate:.2%}"
        rows.append((name, str(total), str(total - bad), shown, f"{low:.2%} to {high:.2%}"))
    told.console.table(f"Run {run_id}", ("", "checked", "grounded", "rate", "95 % interval"), rows)
    for item in offenders[:MAX_OFFENDERS_SHOWN]:
        told.console.say(f"{item.where}: {item.faults[0]}")
    text = f"{len(offenders)} show a number that nothing bears out" if offenders else "every number is borne out"
    told.console.say(text)
    listed = [{"where": item.where, "faults": list(item.faults)} for item in offenders]
    ok = told.document["ok"] and not offenders
    return {**told.document, "run": run_id, "ok": ok, **document, "offenders": listed}


def faults_said(text: str, evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """What an argument says in numbers that its decision's evidence does not show."""
    return ground(text, Figures(evidence)).faults


def _outcome(checked: Sequence[Checked]) -> Outcome:
    bad = [item for item in checked if item.faults]
    rows: list[Mapping[str, Any]] = [{"where": item.where, "faults": list(item.faults)} for item in checked]
    return Outcome(
        scores={"checked": float(len(checked)), "grounded": float(len(checked) - len(bad))},
        passed=not bad,
        reason=f"{bad[0].where}: {bad[0].faults[0]}" if bad else "",
        transcript={"checked": [dict(row) for row in rows]},
    )


def _arguments(log: EventLog) -> Iterator[Checked]:
    """Each signal's explanation, against the entries of its decision."""
    evidence: dict[str, tuple[Evidence, ...]] = {}
    for event in log.read(types=(EvidenceRecorded, DecisionMade)):
        payload = event.decoded()
        if isinstance(payload, EvidenceRecorded):
            evidence = {payload.decision_id: payload.entries}
        elif isinstance(payload, DecisionMade):
            entries = evidence.get(payload.decision.decision_id, ())
            for signal in payload.decision.signals:
                where = f"{payload.decision.decision_id} on {signal.symbol}"
                yield Checked(where, faults_said(signal.explanation, entries))


@lru_cache(maxsize=1)
def _data(book: Path, name: str) -> DataSet:
    """One data set, for all the pages of a run."""
    return Book(book).load(name)
