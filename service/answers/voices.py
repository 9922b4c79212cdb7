"""Questions about who said what: the analyst's signals, models and prompts, and how agents came out."""

from pydantic import Field, JsonValue

from ...domain.events import ModelReplied
from ...memory.agent_scores import AGENT_SCORES
from ...memory.decisions_view import DecisionRecord
from ..agent_scores import agent_document
from ..pages.twin import Fact
from .answer import Answer, Kind
from .arguments import Nothing, OfDecision, OfSymbol
from .askable import Askable
from .decisions import fact_of, say_outcome
from .draft import Draft, Piece, num, quote, when
from .finding import find_decision, unknown_decision, unknown_symbol
from .reader import Reading

MOST_SIGNALS = 60
STEPS_SHOWN = 6


class OfSignals(OfSymbol):
    limit: int = Field(default=5, ge=1, le=MOST_SIGNALS)


def signals(reading: Reading, draft: Draft, asked: OfSignals) -> Answer:
    """The analyst's last views of one name."""
    if asked.symbol not in reading.symbols:
        return unknown_symbol(reading, draft)
    rows: list[JsonValue] = []
    for record in reversed(reading.decisions[-MOST_SIGNALS:]):
        event = reading.decision_event(record.decision_id)
        found = Fact(event.payload, event.id)["decision"]["signals"].where(symbol=asked.symbol) if event else []
        rows += [
            {"as_of": record.as_of, "decision_id": record.decision_id}
            | {key: row[key].raw for key in ("side", "confidence", "expected_return", "horizon_days", "explanation")}
            for row in found
        ]
        if len(rows) >= asked.limit:
            break
    if not rows:
        return draft.no_data("no recent decision of this run has a signal for {}.", quote(draft.asked["symbol"]))
    table = draft.derive("signals", rows[: asked.limit]).rows()
    draft.say(
        "The last signals for {}, the newest first; expected returns are net of the market's part:",
        quote(draft.asked["symbol"]),
    )
    for row in table[: draft.room - 1]:
        draft.say(
            "{}: {}, confidence {}, expected {} over {} days",
            *(when(row["as_of"]), quote(row["side"]), num(row["confidence"], "percent")),
            *(num(row["expected_return"], "frac", sign=True), num(row["horizon_days"], "count")),
        )
    draft.table(
        {
            "as of": ("text", "as_of"),
            "side": ("text", "side"),
            "confidence": ("percent", "confidence"),
            "expected return": ("frac", "expected_return"),
            "horizon": ("count", "horizon_days"),
            "why": ("text", "explanation"),
            "decision": ("text", "decision_id"),
        },
        table,
    )
    return draft.answer(Kind.TABLE, more=f"why symbol={asked.symbol}")


def versions(reading: Reading, draft: Draft, asked: OfDecision) -> Answer:
    """The model, prompts, program, settings, limits and data that made a decision."""
    record = find_decision(reading, asked.decision)
    if record is None:
        return unknown_decision(reading, draft)
    found = fact_of(reading, draft, record)
    started = draft.event(next(reading.read(limit=1)))["payload"]
    say_outcome(draft, found)
    draft.say(
        "Model {}; program version {}; seed {}.",
        *(quote(found["snapshot"]["model"]), quote(started["parley_version"]), num(started["seed"], "count")),
    )
    rows = _prompts(reading, draft, record)
    for row in rows[:5]:
        draft.say(
            "{} was asked with prompt {} version {} and answered by {}, {} tokens in.",
            *(quote(row["node"]), quote(row["prompt"]), num(row["prompt_version"], "count"), quote(row["model"])),
            num(row["prompt_tokens"], "count"),
        )
    if not rows:
        draft.say("No model was asked.")
    draft.say("Settings {}", quote(found["snapshot"]["settings_hash"]))
    draft.say("Limits {}", quote(found["snapshot"]["limits_hash"]))
    draft.say("Data {} up to that moment", quote(found["snapshot"]["data_fingerprint"]))
    draft.table(
        {
            "node": ("text", "node"),
            "prompt": ("text", "prompt"),
            "version": ("count", "prompt_version"),
            "prompt hash": ("text", "prompt_hash"),
            "model": ("text", "model"),
            "tokens in": ("count", "prompt_tokens"),
            "tokens out": ("count", "completion_tokens"),
        },
        rows,
    )
    return draft.answer(Kind.NUMBER_WITH_CONTEXT, more=f"decision decision={record.decision_id}")


def agents(reading: Reading, draft: Draft, asked: Nothing) -> Answer:
    """How each agent's votes came out, and what it counts."""
    document = reading.once("agents", lambda: agent_document(reading.views, reading.data), of=AGENT_SCORES.handlers)
    if not document["agents"]:
        return draft.no_data("nothing came to a vote in this run yet.", more="decision")
    found = draft.derive("agents", document)
    draft.say(
        "{} of {} decisions that came to a vote are judged, {} sessions later.",
        *(num(found["judged_decisions"], "count"), num(found["voted_decisions"], "count")),
        num(found["horizon_days"], "count"),
    )
    for row in found["agents"].rows():
        said = "{}: for {}, against {}, silent {}"
        pieces: list[Piece] = [quote(row["agent"])]
        pieces += [num(row[key], "count") for key in ("for_legs", "against_legs", "abstentions")]
        if row.maybe("hit_rate"):
            said += ", right {} ({} to {})"
            pieces += [num(row[key], "frac", 0) for key in ("hit_rate", "hit_low", "hit_high")]
        draft.say(said, *pieces)
    draft.table(
        {
            "agent": ("text", "agent"),
            "for": ("count", "for_legs"),
            "against": ("count", "against_legs"),
            "silent": ("count", "abstentions"),
            "judged": ("count", "judged_votes"),
            "right": ("frac", "hit_rate"),
            "low": ("frac", "hit_low"),
            "high": ("frac", "hit_high"),
            "Brier": ("ratio", "brier"),
        },
        found["agents"].rows(),
    )
    return draft.answer(Kind.TABLE_WITH_UNCERTAINTY, more="decision")


def _prompts(reading: Reading, draft: Draft, record: DecisionRecord) -> list[Fact]:
    """One row for each call; replies stay in the log."""
    rows: list[JsonValue] = []
    ids: list[JsonValue] = []
    for event in reading.read(ModelReplied, decision_id=record.decision_id):
        ids.append(event.id)
        for call in Fact(event.payload, event.id)["calls"].rows():
            keys = ("node", "prompt", "prompt_version", "prompt_hash", "model", "prompt_tokens", "completion_tokens")
            rows.append({key: part.raw if (part := call.maybe(key)) else None for key in keys})
    return draft.derive("calls", rows, events=ids).rows()


VOICES = (
    Askable(
        name="signals",
        says="The analyst's last signals for a name.",
        parameters=OfSignals,
        answer=signals,
        kind=Kind.TABLE,
        examples=("Show the last 5 signals for MSFT.",),
    ),
    Askable(
        name="versions",
        says="Which model, prompts, program, settings and data made a decision.",
        parameters=OfDecision,
        answer=versions,
        kind=Kind.NUMBER_WITH_CONTEXT,
        examples=("Which model and prompt version made this decision?",),
    ),
    Askable(
        name="agents",
        says="How each agent's votes came out.",
        parameters=Nothing,
        answer=agents,
        kind=Kind.TABLE_WITH_UNCERTAINTY,
        examples=("Which agent was right most often?",),
    ),
)
