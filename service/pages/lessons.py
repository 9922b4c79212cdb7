"""What a decision remembered: by instrument, how setups like its own had come out, and which lessons say so."""

from .case import Case
from .twin import Fact

TOOL = "similar_lessons"


def lesson_rows(case: Case) -> list[tuple[str, Fact]]:
    """Instruments and what was shown of them, as the ledger has it; none where nothing was shown."""
    memory = case.decision.maybe("memory")
    if memory is None or not memory["shown"].raw:
        return []
    entry = next((entry for entry in case.evidence if entry["tool"].raw == TOOL), None)
    return [] if entry is None else list(entry["output"].items())
