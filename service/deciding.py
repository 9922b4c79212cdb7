"""The `decide` command: one decision at one close, from an all-cash book, recorded as a run of one session."""

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ..desk.book import Book, RunFolder, open_log
from ..desk.desk import build_desk, build_model, run_started
from ..desk.errors import SettingsInvalid
from ..domain.decisions import Decision
from ..domain.events import DecisionMade
from ..evals.days import RecordedDays
from ..market.datasets import load_data
from ..market.history import History
from .console import Console
from .running import DEFAULT_DATA, Prepared, RunRequest, prepare


def perform_decide(
    as_of: str, data: str | None, model: str | None, book_path: Path, config: Path | None, console: Console
) -> bool:
    """False when the desk refused to decide."""
    history = load_data(data or DEFAULT_DATA).history()
    day = session_at(history, as_of).isoformat()
    prepared = prepare(RunRequest(data or DEFAULT_DATA, day, day, model, None, False, "none", book_path, config))
    folder = Book(book_path).create(prepared.run_id)
    decision = _decided(prepared, folder)
    console.result(decision_document(decision))
    print_decision(decision, folder, console)
    return decision.kind != "refused"


def session_at(history: History, text: str) -> date:
    """The last session that had closed at a day or moment; a day means its own close."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        remedy = "Write --as-of as YYYY-MM-DD, or as a time such as 2022-03-15T20:00:00+00:00."
        raise SettingsInvalid(f"{text!r} is neither a day nor a time", remedy=remedy) from error
    if len(text) == len("2022-03-15"):
        return history.sessions_between(None, moment.date())[-1]
    return history.as_of(moment if moment.tzinfo else moment.replace(tzinfo=UTC)).session


def decision_document(decision: Decision) -> dict[str, Any]:
    """The contract of `decide --json`."""
    legs = decision.plan.legs if decision.plan else ()
    verdict = decision.verdict
    reasons = [check.text for check in verdict.reasons] if verdict else []
    return {
        "decision_id": decision.decision_id,
        "run": decision.run_id,
        "as_of": decision.as_of.isoformat(),
        "kind": decision.kind,
        "summary": decision.summary,
        "regime": decision.regime.value,
        "legs": [
            {"symbol": leg.symbol, "side": leg.side.value, "quantity": leg.quantity, "reason": leg.reason}
            for leg in legs
        ],
        "verdict": {
            "approved": decision.kind in ("trade", "no_trade"),
            "reasons": reasons if decision.kind != "refused" else [decision.summary],
        },
        "abstentions": [item.model_dump(mode="json") for item in decision.abstentions],
        "calls": decision.llm_calls,
        "prompt_tokens": decision.prompt_tokens,
    }


def print_decision(decision: Decision, folder: RunFolder, console: Console) -> None:
    console.say(f"{decision.kind} at {decision.as_of:%Y-%m-%d %H:%M} UTC: {decision.summary}")
    console.say(f"  regime {decision.regime.value}; {decision.llm_calls} model calls by `{decision.snapshot.model}`")
    for step in decision.targets.path if decision.targets else ():
        console.say(f"  {step.name:<20} {step.value:>9.4f}  {step.text}")
    legs = decision.plan.legs if decision.plan else ()
    rows = [
        (
            leg.symbol,
            leg.side.value,
            f"{leg.quantity:,}",
            f"{leg.notional:,.0f}",
            f"{leg.advice.expected_cost_bps:.1f} bp",
        )
        for leg in legs
    ]
    if rows:
        console.table("", ("symbol", "side", "quantity", "value", "expected cost"), rows)
    for check in decision.verdict.reasons if decision.verdict else ():
        console.say(f"  veto: {check.text}")
    for item in decision.abstentions:
        console.say(f"  {item.who} abstained: {item.text or item.reason.value}")
    console.say(f"\nExplain it: parley explain {decision.decision_id} --run {folder.run_id}")


def _decided(prepared: Prepared, folder: RunFolder) -> Decision:
    with open_log(folder) as (log, _):
        model = build_model(prepared.plan.model, prepared.settings.llm)
        desk = build_desk(
            prepared.settings, prepared.limits, prepared.data, prepared.plan, log, model, str(folder.checkpoint_path)
        )
        first = run_started(prepared.settings, prepared.limits, prepared.data, prepared.plan)
        asyncio.run(RecordedDays(desk, prepared.plan.sessions, prepared.plan.seed, first).run())
        made = log.last(DecisionMade)
        payload = made.decoded() if made else None
        assert isinstance(payload, DecisionMade), "a run of one session holds one decision"
        return payload.decision
