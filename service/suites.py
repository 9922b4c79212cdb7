"""How a suite tells what it found in its own words, beside what is said of every suite."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..evals.harness.options import SuiteOptions
from ..evals.harness.runner import Evaluated
from .console import Console


@dataclass(frozen=True, slots=True)
class Told:
    """What a suite found, for its own words; `document` is what the harness says of it, to be added to."""

    evaluated: Evaluated
    options: SuiteOptions
    document: Mapping[str, Any]
    console: Console

    @property
    def suite(self) -> str:
        return str(self.document["suite"])


Teller = Callable[[Told], dict[str, Any]]
"""Prints, and writes to `--out`; the document it returns says in `ok` whether the suite is content."""
