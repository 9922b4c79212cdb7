"""Would it have been decided the same without a language model? The recorded moment, decided again by the rules."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from pydantic import JsonValue

from ...agents.llm.rules import RulesModel
from ...desk.desk import RunPlan, build_desk
from ...desk.settings import Settings
from ...domain.decisions import Decision
from ...domain.events import ModelReplied
from ...memory.log import EventLog
from ...storage.sql import open_in_memory
from .answer import Answer, Kind
from .arguments import OfDecision
from .askable import Askable
from .decisions import fact_of, say_outcome
from .draft import Draft, num, quote
from .finding import find_decision, unknown_decision
from .reader import Reading
from .reviewing import decision_of


def without_llm(reading: Reading, draft: Draft, asked: OfDecision) -> Answer:
    """The decision of the log beside the one that the rules alone come to at the same moment."""
    record = find_decision(reading, asked.decision)
    made = decision_of(reading, record.decision_id) if record else None
    if record is None or made is None:
        return unknown_decision(reading, draft)
    if _learns(reading.settings):
        return draft.no_data(
            "this desk learns from its earlier votes, so one decision can't be made again alone. Replay the run."
        )
    other = reading.of_decision("by the rules", lambda: decided_by_rules(reading, made), made.decision_id)
    found = fact_of(reading, draft, record)
    say_outcome(draft, found)
    calls = _calls(reading, made.decision_id)
    model = draft.derive("model", {"name": made.snapshot.model, **calls}, decision=made.decision_id)
    if made.snapshot.model == RulesModel.name:
        draft.say("No language model took part: {} calls were answered by the rules.", num(model["calls"], "count"))
    else:
        draft.say(
            "The model {} answered {} calls, {} of them failed.",
            *(quote(model["name"]), num(model["calls"], "count"), num(model["failed"], "count")),
        )
    mine, theirs = legs_of(made), legs_of(other)
    names = sorted({*mine, *theirs})
    rows: list[JsonValue] = [
        {"symbol": name, "recorded": mine.get(name, 0), "rules": theirs.get(name, 0)} for name in names
    ]
    same = sum(mine.get(name) == theirs.get(name) for name in names)
    compared = draft.derive(
        "compared",
        {"rows": rows, "same": same, "names": len(names), "kind": other.kind, "summary": other.summary},
        decision=made.decision_id,
        settings=reading.settings.hash(),
    )
    if mine == theirs and made.kind == other.kind:
        draft.say("Decided again by the rules alone it is the same: {}", quote(compared["summary"]))
    else:
        draft.say("Decided again by the rules alone it is another: {}", quote(compared["summary"]))
    if names:
        draft.say("{} of {} orders are the same.", num(compared["same"], "count"), num(compared["names"], "count"))
    different = [row for row in compared["rows"].rows() if row["recorded"].raw != row["rules"].raw]
    for row in different[: draft.room]:
        draft.say(
            "{}: {} shares in the log, {} by the rules",
            *(quote(row["symbol"]), num(row["recorded"], "count", sign=True), num(row["rules"], "count", sign=True)),
        )
    draft.table(
        {"symbol": ("text", "symbol"), "recorded": ("count", "recorded"), "by the rules": ("count", "rules")},
        compared["rows"].rows(),
    )
    return draft.answer(Kind.COMPARISON, more=f"versions decision={made.decision_id}")


def decided_by_rules(reading: Reading, made: Decision) -> Decision:
    """The same snapshot decided by the rules in an empty log; nothing of the run is touched."""
    started = reading.started
    sessions = reading.history.sessions_between(started.first_session, started.last_session)
    plan = RunPlan(started.data, sessions, started.model, started.seed)
    settings, limits, data = reading.settings, reading.limits, reading.data

    def decide() -> Decision:
        with closing(open_in_memory()) as database:
            model = RulesModel(settings.llm.text_hit_rate)
            desk = build_desk(settings, limits, data, plan, EventLog(database), model, None)
            return asyncio.run(desk.decide(made.snapshot, made.intent))

    # A thread with a loop of its own: whoever asks may be inside one.
    with ThreadPoolExecutor(1) as alone:
        return alone.submit(decide).result()


def legs_of(decision: Decision) -> dict[str, int]:
    """Signed shares by symbol of what was approved."""
    if decision.kind != "trade" or decision.plan is None:
        return {}
    return {leg.symbol: leg.side.sign * leg.quantity for leg in decision.plan.legs}


def _learns(settings: Settings) -> bool:
    chosen = settings.consensus
    return settings.memory == "on" or chosen.weights == "adapted" or chosen.confidence == "calibrated"


def _calls(reading: Reading, decision_id: str) -> Mapping[str, int]:
    replies = [event.decoded() for event in reading.read(ModelReplied, decision_id=decision_id)]
    calls = [call for reply in replies if isinstance(reply, ModelReplied) for call in reply.calls]
    return {"calls": len(calls), "failed": sum(call.error is not None for call in calls)}


WITHOUT_MODEL = (
    Askable(
        name="without_llm",
        says="Whether a decision would have been the same without a language model.",
        parameters=OfDecision,
        answer=without_llm,
        kind=Kind.COMPARISON,
        examples=("Would the decision have been the same without the LLM?",),
    ),
)
