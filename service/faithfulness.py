"""The suite `faithfulness`: every number on a run's pages and in its decisions' texts, held against the evidence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..agents.grounding import Figures, ground
from ..desk.book import Book, open_log
from ..domain.decisions import Evidence
from ..domain.events import DecisionMade, EvidenceRecorded
from ..memory.history import run_started
from ..memory.log import EventLog
from ..quant.side_record import wilson_interval
from .console import Console
from .page_proof import problems
from .reporting import known_ids, report_of
from .suites import EvalRequest

MAX_OFFENDERS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Checked:
    """One text or page, and what on it nothing bears out."""

    where: str
    faults: tuple[str, ...]


def perform_faithfulness(request: EvalRequest, console: Console) -> bool:
    """Texts of all decisions, and the newest `seeds` pages; false when anything is not borne out."""
    folder = Book(request.book).find(request.run_name)
    with open_log(folder, readonly=True) as (log, views):
        data = folder.book.load(run_started(log).data)
        texts = list(_arguments(log))
        idents = [ident for _, ident in zip(range(request.seeds), known_ids(views), strict=False)]
        pages = list[Checked]()
        with console.progress("pages") as bar:
            for done, ident in enumerate(idents):
                bar(done, len(idents))
                report = report_of(log, views, ident, data)
                if report is not None:
                    pages.append(Checked(f"{report.kind} {report.id}", tuple(problems(report))))
    _tell(folder.run_id, texts, pages, console)
    return not any(item.faults for item in (*texts, *pages))


def faults_said(text: str, evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """What an argument says in numbers that its decision's evidence does not show."""
    return ground(text, Figures(evidence)).faults


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


def _tell(run_id: str, texts: list[Checked], pages: list[Checked], console: Console) -> None:
    rows, document = [], dict[str, object]()
    for name, checked in (("arguments", texts), ("pages", pages)):
        total, bad = len(checked), sum(bool(item.faults) for item in checked)
        low, high = wilson_interval(total - bad, total) if total else (0.0, 1.0)
        rate = 1 - bad / total if total else None
        document[name] = {"checked": total, "grounded": total - bad, "rate": rate, "interval_95": [low, high]}
        shown = "none" if rate is None else f"{rate:.2%}"
        rows.append((name, str(total), str(total - bad), shown, f"{low:.2%} to {high:.2%}"))
    offenders = [item for item in (*texts, *pages) if item.faults]
    told = [{"where": item.where, "faults": list(item.faults)} for item in offenders]
    ok = not offenders
    console.result({"suite": "faithfulness", "run": run_id, "ok": ok, **document, "offenders": told})
    console.table(f"Run {run_id}", ("", "checked", "grounded", "rate", "95 % interval"), rows)
    for item in offenders[:MAX_OFFENDERS_SHOWN]:
        console.say(f"{item.where}: {item.faults[0]}")
    console.say("every number is borne out" if ok else f"{len(offenders)} show a number that nothing bears out")
