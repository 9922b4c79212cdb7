"""What is asked of an evaluation suite, whichever it is."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class EvalRequest:
    """The options of `parley eval run`; a suite reads those that concern it."""

    seeds: int = 100
    seed: int | None = None
    scenario: str | None = None
    replay: Path | None = None
    out: Path | None = None
    processes: int | None = None
    book: Path = Path("book")
    run_name: str | None = None
    cases: int | None = None
    model: str | None = None
