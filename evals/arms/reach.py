"""Which decisions an arm can change at all: an arm without any is no finding, and says so."""

from collections.abc import Callable, Mapping

from ...agents.consensus import VOTING_WEIGHTS
from ...domain.decisions import Decision
from .table import Reach


def _voted(decision: Decision) -> bool:
    return decision.consensus is not None and bool(decision.consensus.legs)


def _reweighed(decision: Decision) -> bool:
    return decision.consensus is not None and _voted(decision) and decision.consensus.weights != VOTING_WEIGHTS


def _recalibrated(decision: Decision) -> bool:
    return decision.consensus is not None and _voted(decision) and bool(decision.consensus.calibration)


REACHES: Mapping[Reach, Callable[[Decision], bool]] = {
    "voted": _voted,
    "debated": lambda decision: decision.debate is not None,
    "remembered": lambda decision: decision.memory is not None and any(decision.memory.shown.values()),
    "reweighed": _reweighed,
    "recalibrated": _recalibrated,
    "texted": lambda decision: bool(decision.snapshot.text_ids),
    "all": lambda decision: True,
    "drafted": lambda decision: any(draft.legs for draft in decision.drafts),
    "asked": lambda decision: decision.llm_calls > 0,
}
