"""What each market regime switches by rule, and the changes that a book's latest run has logged."""

from datetime import datetime
from typing import Any

from ..agents.consensus import VOTING_WEIGHTS
from ..agents.regimes import REGIME_RULES, switched_weights
from ..desk.book import Book, has_begun, open_log
from ..desk.errors import RunUnknown
from ..desk.settings import Settings
from ..domain.events import RegimeChanged
from ..gate.limits import Limits
from ..memory.history import run_started
from .console import Console

CHANGES_SHOWN = 8


def regime_switches(settings: Settings, limits: Limits, book: Book, data: str, until: datetime) -> dict[str, Any]:
    """The rule table under these settings and limits, and the changes logged up to a moment, the newest first."""
    is_switched = settings.consensus.regime == "switched"
    rules = [
        {
            "regime": regime.value,
            "limit_factor": limits.dynamic.of(regime),
            "voting_weights": {
                agent.value: weight
                for agent, weight in (
                    switched_weights(VOTING_WEIGHTS, regime) if is_switched else VOTING_WEIGHTS
                ).items()
            },
            "framing": rule.framing,
            "reason": rule.reason,
        }
        for regime, rule in REGIME_RULES.items()
    ]
    run, changes = _logged(book, data, until)
    return {"rules": rules, "run": run, "changes": changes[-CHANGES_SHOWN:][::-1]}


def print_regime_switches(console: Console, document: dict[str, Any]) -> None:
    console.say("\nWhat a regime switches by rule")
    for row in document["rules"]:
        console.say(f"  {row['regime']}: limits at most {row['limit_factor']:.0%}; agents are told: {row['framing']}")
    for row in document["changes"]:
        odds = "" if row["probability"] is None else f" at {row['probability']:.0%}"
        console.say(f"  {row['at'][:10]}: {row['from_regime']} to {row['to_regime']}{odds}; {row['reason']}")


def _logged(book: Book, data: str, until: datetime) -> tuple[str | None, list[dict[str, Any]]]:
    """The latest run and its changes, where it was over this data."""
    try:
        folder = book.latest()
    except RunUnknown:
        return None, []
    if not has_begun(folder):
        return None, []
    with open_log(folder, readonly=True) as (log, _):
        if run_started(log).data != data:
            return None, []
        events = [event for event in log.read(types=(RegimeChanged,)) if event.event_time <= until]
    rows = [{"at": event.event_time.isoformat(), **event.decoded().model_dump(mode="json")} for event in events]
    return folder.run_id, rows
