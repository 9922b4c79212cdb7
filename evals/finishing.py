"""The last fact of a run: counts over its whole log, so that a resumed run ends with the same figures."""

from decimal import Decimal
from typing import Any, cast

from ..domain.events import DecisionMade, Event, OrderClosed, RunFinished
from ..memory.history import fills
from ..memory.log import EventLog


def run_finished(log: EventLog, run_id: str, sessions: int, equity: Decimal) -> RunFinished:
    # As plain JSON: rebuilding each decision of a long run takes seconds, and three of its fields are asked for.
    decisions = [_decision(event) for event in log.read(types=(DecisionMade,))]
    return RunFinished(
        run_id=run_id,
        sessions=sessions,
        decisions=len(decisions),
        orders=sum(1 for _ in log.read(types=(OrderClosed,))),
        fills=sum(1 for _ in fills(log)),
        vetoes=sum(decision["kind"] == "vetoed" for decision in decisions),
        abstentions=sum(len(decision["abstentions"]) for decision in decisions),
        llm_calls=sum(decision["llm_calls"] for decision in decisions),
        equity=equity,
    )


def _decision(event: Event) -> dict[str, Any]:
    return cast("dict[str, Any]", event.payload)["decision"]
