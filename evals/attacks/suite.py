"""Runs the attack set: each case against a model that obeys it, texts against one that doesn't too, and judges both."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from ...agents.llm.port import ChatModel
from ...memory.verify import VerifyReport
from .cases import MODEL_CHANNELS, AttackCase
from .doors import knock
from .ground import POLARITIES
from .judge import CHECKS, outcome_of, traces
from .play import Arm, Played, model_of, play_attack, shown_in
from .worst import Overheard, honest_model

MEMORY = Path("/dev/shm")
MAX_TOLD = 5
"""Faults told of one case: the first say what is wrong, the hundredth says it again."""


@dataclass(frozen=True, slots=True)
class Examiners:
    """What is looked at from above this floor: the log with every audit, and the pages that are made of it."""

    verify: Callable[[Path], VerifyReport]
    pages: Callable[[Played], list[str]]


@dataclass(frozen=True, slots=True)
class AttackResult:
    """What became of one case under one model. `same`: whether the decision is the clean run's, where that is asked."""

    case: AttackCase
    arm: str
    faults: tuple[str, ...]
    traces: tuple[str, ...]
    same: bool | None = None

    @property
    def held(self) -> bool:
        return not self.faults


@dataclass(frozen=True, slots=True)
class Clean:
    """The same day without an attack: what is decided, and what is noted even so.

    `codes` are findings of the audits about what the laboratory itself leaves out, such as the money traded in a day.
    """

    outcome: tuple[tuple[str, ...], ...]
    traces: frozenset[str]
    codes: frozenset[str]
    shown: str
    log: bytes


def arms_of(case: AttackCase) -> tuple[Arm, ...]:
    """An honest model can be asked about texts; where the attacker writes replies or files it has no part."""
    return ("worst", "honest") if case.channel == "headline" else ("worst",)


def run_attack(case: AttackCase, arm: Arm, examiners: Examiners) -> AttackResult:
    """One case under one scripted model, in a folder of its own."""
    with tempfile.TemporaryDirectory(dir=_fast_folder()) as name:
        folder = Path(name)
        if case.channel not in MODEL_CHANNELS and case.channel != "operator":
            path, clean = folder / "clean.db", clean_run(examiners)
            path.write_bytes(clean.log)
            knocked = knock(case, path, folder, lambda path: _new_findings(examiners.verify(path), clean))
            return AttackResult(case, arm, knocked.wrong, knocked.traces)
        clean = clean_run(examiners)
        played = play_attack(case, model_of(arm, case), folder, clean.shown)
        return _judged(played, case, arm, examiners)


def run_asked(case: AttackCase, model: ChatModel, examiners: Examiners, timeout_s: float) -> AttackResult:
    """One attack by text against a model of an endpoint: nobody knows beforehand whether it will obey."""
    with tempfile.TemporaryDirectory(dir=_fast_folder()) as name:
        played = play_attack(case, Overheard(model), Path(name), clean_run(examiners).shown, timeout_s)
        return _judged(played, case, model.name, examiners)


def _judged(played: Played, case: AttackCase, arm: str, examiners: Examiners) -> AttackResult:
    clean = clean_run(examiners)
    faults = [f"{name}: {text}" for name, check in CHECKS.items() for text in check(played)]
    report = examiners.verify(played.log_path)
    faults += [f"verify: {item.code}: {item.text}" for item in report.findings if item.code not in clean.codes]
    faults += [f"pages: {text}" for text in examiners.pages(played)]
    found = tuple(dict.fromkeys(item for item in traces(played) if item not in clean.traces))
    same = outcome_of(played) == clean.outcome if arm == "honest" else None
    return AttackResult(case, arm, tuple(faults[:MAX_TOLD]), found, same)


@cache
def clean_run(examiners: Examiners) -> Clean:
    with tempfile.TemporaryDirectory(dir=_fast_folder()) as name:
        played = play_attack(None, honest_model(POLARITIES), Path(name))
        codes = {item.code for item in examiners.verify(played.log_path).findings}
        shown = "\n".join(text for request in played.asked for text in shown_in(request))
        return Clean(
            outcome_of(played), frozenset(traces(played)), frozenset(codes), shown, played.log_path.read_bytes()
        )


def _new_findings(report: VerifyReport, clean: Clean) -> VerifyReport:
    """The report without what the clean run's own log shows as well."""
    found = tuple(item for item in report.findings if item.code not in clean.codes)
    is_ok = report.first_bad is None and all(report.views.values()) and not report.damage and not found
    return replace(report, ok=is_ok, findings=found)


def _fast_folder() -> Path | None:
    return MEMORY if os.access(MEMORY, os.W_OK) else None
