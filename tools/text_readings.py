"""What a language model read in texts, as the ledger keeps it: a text that was read once is not asked about again."""

from collections.abc import Mapping
from typing import cast

from ..domain.decisions import Evidence
from .ledger import Ledger

Answer = Mapping[str, str | int]


def text_readings(ledger: Ledger, prompt_hash: str, answers: Mapping[str, Answer | None]) -> str:
    """Enters the answers by item id, None for a text the model had nothing to say about."""
    output: dict[str, object] = {"prompt": prompt_hash, "texts": dict(answers)}
    inputs = {"prompt": prompt_hash, "texts": sorted(answers)}
    return ledger.record("text_readings", 1, "as named", inputs, output).id


def readings_in(evidence: Evidence, prompt_hash: str) -> Mapping[str, Answer | None]:
    """The answers in an entry, where it is one of this tool's under the same prompt."""
    if evidence.tool != "text_readings":
        return {}
    output = cast(dict[str, object], evidence.output)
    return cast(Mapping[str, Answer | None], output["texts"]) if output["prompt"] == prompt_hash else {}
