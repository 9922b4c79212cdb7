"""The `eval` commands: every suite in one table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..evals.errors import SuiteUnknown
from .attacking import perform_injection
from .console import Console
from .faithfulness import perform_faithfulness
from .fault_suite import faults_document, perform_faults, tell_faults
from .prompt_suite import perform_prompts
from .stability import perform_determinism
from .suites import EvalRequest


@dataclass(frozen=True, slots=True)
class Suite:
    """One line of the table of suites."""

    text: str
    perform: Callable[[EvalRequest, Console], bool]


def perform_list(console: Console) -> None:
    suites = [{"name": name, "text": suite.text} for name, suite in SUITES.items()]
    console.result({"suites": suites, "faults": faults_document()})
    console.table("Suites", ("suite", "what it asks"), [(item["name"], item["text"]) for item in suites])
    tell_faults(console)


def perform_eval(name: str, request: EvalRequest, console: Console) -> bool:
    suite = SUITES.get(name)
    if suite is None:
        raise SuiteUnknown(f"there is no suite {name!r}", remedy=f"Use one of: {', '.join(SUITES)}.")
    return suite.perform(request, console)


SUITES: Mapping[str, Suite] = {
    "faults": Suite("the real desk in a simulated world that breaks: do invariants I1 to I9 hold?", perform_faults),
    "faithfulness": Suite("a run's pages and texts: is every number they show in the evidence?", perform_faithfulness),
    "injection": Suite(
        "attacks on a desk whose models obey them: does every limit hold, and who notices?", perform_injection
    ),
    "prompts": Suite(
        "seeded questions to every prompt: are a model's answers still spread as they were?", perform_prompts
    ),
    "determinism": Suite("how often is the same question decided otherwise, leg by leg?", perform_determinism),
}
