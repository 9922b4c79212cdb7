"""What looked like an attempt to steer a decision, as people are shown it: why, its hash, and its first words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..agents.quarantine import first_words
from ..agents.suspicion import text_hash
from ..domain.decisions import ModelCall
from ..domain.events import ModelReplied, UntrustedTextFlagged
from ..domain.market import TextItem
from ..memory.log import EventLog
from .console import Console

SHOWN = 10


def quotes_of(texts: Iterable[TextItem]) -> Mapping[str, str]:
    """The first words of each text by its id."""
    return {item.id: first_words(item.headline) for item in texts}


def flagged_in(log: EventLog, decision_id: str, texts: Iterable[TextItem]) -> list[dict[str, Any]]:
    """The texts and replies that were flagged in a decision, in the order of the log."""
    kinds = (UntrustedTextFlagged, ModelReplied)
    payloads = [event.decoded() for event in log.read(types=kinds, decision_id=decision_id)]
    found = [item for payload in payloads if isinstance(payload, UntrustedTextFlagged) for item in payload.found]
    if not found:
        return []
    names = {item.name for item in found if item.origin == "text"}
    quotes = quotes_of(item for item in texts if item.id in names)
    calls = [call for payload in payloads if isinstance(payload, ModelReplied) for call in payload.calls]
    return [
        {
            **item.model_dump(mode="json"),
            "words": quotes.get(item.name, "") if item.origin == "text" else _said(calls, item.text_hash),
        }
        for item in found
    ]


def print_flagged(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """How many, and the first of them; what a stranger wrote is no markup here."""
    from rich.markup import escape

    if not rows:
        return
    console.table(
        f"Flagged as suspicious: {len(rows)}. Nothing follows from a flag; the gate and the caps hold without it",
        ("what", "of", "why", "hash", "begins"),
        [
            (row["origin"], escape(row["name"]), ", ".join(row["reasons"]), row["text_hash"], escape(row["words"]))
            for row in rows[:SHOWN]
        ],
    )
    if len(rows) > SHOWN:
        console.say(f"  ... and {len(rows) - SHOWN} more; --json lists all")


def _said(calls: Sequence[ModelCall], wanted: str) -> str:
    return next((first_words(call.reply) for call in calls if text_hash(call.reply) == wanted), "")
