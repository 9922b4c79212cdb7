"""What else a recorded decision could have been, when somebody asks: it is decided again, which takes seconds."""

from dataclasses import dataclass
from typing import Any

from ...evals.counterfactual import Counterfactuals
from ..answers.reader import Reading
from ..api.errors import NotFound
from ..pages.twin import Fact, Twin
from ..pages.what_if_rows import flip_rows, without_rows


@dataclass(frozen=True, slots=True)
class WhatIfs:
    """What the template lays out; `found` is None where no agent took part."""

    twin: Twin
    found: Fact | None
    without: list[dict[str, Any]]
    flips: list[dict[str, Any]]


def what_ifs_view(reading: Reading, decision_id: str) -> WhatIfs:
    """Kept for good, since the record of a decision does not change. Raises NotFound."""
    if reading.decision_event(decision_id) is None:
        raise NotFound(f"this run has no decision {decision_id!r}", remedy="The list of decisions has all there are.")
    document = reading.of_decision(
        "what ifs", lambda: Counterfactuals(reading.log, reading.data).of(decision_id), decision_id
    )
    twin = Twin("what_ifs", decision_id)
    if document is None:
        return WhatIfs(twin, None, [], [])
    inputs = {"decision": decision_id, "tool": document["tool"], "version": document["version"]}
    found = twin.derive("what_ifs", inputs, document)
    return WhatIfs(twin, found, without_rows(found, None, None), flip_rows(found, None))
