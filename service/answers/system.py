"""Questions about the desk itself: its connection, what it may do alone, proof against look-ahead, and help."""

from datetime import datetime
from typing import NamedTuple

from pydantic import JsonValue

from ... import ParleyError
from ...domain.control_events import BookReconciled
from ...domain.events import DecisionMade, Event, EvidenceRecorded, OrderFilled
from ...domain.levels import in_words
from ...domain.trading import ACCOUNT
from ...evals.errors import EvalError
from ...evals.harness.record import find_record
from ..pages.twin import Fact
from .answer import Answer, Kind
from .arguments import Nothing
from .askable import Askable
from .draft import Draft, num, quote, when
from .reader import Reading

LEAKAGE = "leakage"
LINES_SHOWN = 8


class _Counts(NamedTuple):
    """How many tool results and fills a run has, and how many of them came too early or too late."""

    evidence: int = 0
    late_evidence: int = 0
    fills: int = 0
    early_fills: int = 0


def connection(reading: Reading, draft: Draft, asked: Nothing) -> Answer:
    """Whether a desk runs now, and how the last comparison with the venue's own book came out."""
    age = reading.post.heartbeat.age_s()
    flag = reading.post.flag.read()
    checked = list(reading.read(BookReconciled))
    state = reading.standing.account.value if flag is None else "HALTED"
    live = draft.derive(
        "live", {"heartbeat_age_s": None if age is None else round(age, 1), "state": state}, flag=flag is not None
    )
    if age is None:
        draft.say("No desk runs on this book now, so no venue is connected; the account is {}.", quote(live["state"]))
    else:
        draft.say(
            "A desk runs: its heartbeat is {} seconds old; the account is {}.",
            num(live["heartbeat_age_s"]),
            quote(live["state"]),
        )
    if not checked:
        draft.say("No data: the book was never compared with a venue's in this run.")
        return draft.answer(Kind.NO_DATA if age is None else Kind.NUMBER_WITH_CONTEXT, more="alerts")
    last = draft.event(checked[-1])
    payload = last["payload"]
    differences = payload["differences"].rows()
    counted = draft.derive(
        "reconciled",
        {
            "differences": len(differences),
            "open": sum(row["explained"].raw is False for row in differences),
            "times": len(checked),
        },
        event=checked[-1].id,
    )
    draft.say(
        "Positions, orders and cash were last compared with {} at {}: {} differences, {} of them unexplained.",
        *(quote(payload["venue"]), when(last["event_time"])),
        *(num(counted["differences"], "count"), num(counted["open"], "count")),
    )
    draft.say(
        "{} executions and {} orders were looked at; it was the comparison number {} of this run.",
        *(num(payload["executions_checked"], "count"), num(payload["orders_checked"], "count")),
        num(counted["times"], "count"),
    )
    for row in differences[:LINES_SHOWN]:
        draft.say("{}", quote(row["text"]))
    return draft.answer(Kind.NUMBER_WITH_CONTEXT, more="positions, or alerts")


def permissions(reading: Reading, draft: Draft, asked: Nothing) -> Answer:
    """What the desk does alone, what it needs a person for, and what nobody can do by asking."""
    held = draft.derive(
        "limits",
        reading.limits_in_force.model_dump(mode="json"),
        limits=reading.limits_in_force.hash(),
    )
    draft.say("Alone the desk decides, trades and halts, always inside the gate's limits:")
    draft.say(
        "at most {} of equity in a stock and {} in a sector, {} in all, one-day VaR {}, loss on a day {}.",
        *(num(held["max_instrument_weight"]["stock"], "frac", 0), num(held["max_sector_weight"]["stock"], "frac", 0)),
        *(
            num(held["max_gross"], "frac", 0),
            num(held["max_var_99_frac"], "frac"),
            num(held["max_daily_loss_frac"], "frac"),
        ),
    )
    rules = draft.derive(
        "breakers", reading.settings.breakers.model_dump(mode="json"), settings=reading.settings.hash()
    )
    draft.say(
        "Breakers stop it by themselves: a loss of {} on a day takes risk off, a drawdown of {} halts it.",
        num(rules["daily_loss"]["trip"], "frac"),
        num(rules["drawdown"]["trip"], "frac"),
    )
    draft.say("A language model only proposes views: it sizes nothing, sends nothing and sees no tool that trades.")
    draft.say("By chat I read and work out what-ifs. I change nothing by myself.")
    draft.say("An operator can halt, reduce, flatten and cancel, each after a preview and a confirmation.")
    draft.say("A risk officer can also resume and tighten limits. Nobody can loosen a limit or turn off the veto here:")
    draft.say("that takes another limits file and a restart.")
    held_now = [cause for cause in reading.standing.all_causes if cause.scope == ACCOUNT]
    if held_now:
        why = "; ".join(in_words(cause.reason) for cause in held_now)
        state = draft.derive("state", {"after": held_now[0].after.value, "reason": why})
        draft.say("Now the account is {}: {}", quote(state["after"]), quote(state["reason"]))
    return draft.answer(Kind.EXPLANATION, more="limits_used")


def look_ahead_proof(reading: Reading, draft: Draft, asked: Nothing) -> Answer:
    """What the record proves, and what the leakage suite found where it was run on this book."""
    found = draft.derive("look_ahead", {**_look_ahead(reading)})
    draft.say(
        "No datum is read but as of a moment: data past it can't be reached by a tool. The record bears that out:"
    )
    draft.say(
        "{} of {} tool results are dated after the decision that used them.",
        num(found["late_evidence"], "count"),
        num(found["evidence"], "count"),
    )
    draft.say(
        "{} of {} fills came at or before the moment their plan was decided at.",
        num(found["early_fills"], "count"),
        num(found["fills"], "count"),
    )
    try:
        record = find_record(reading.book.path, LEAKAGE)
        summary = record.summary_document()
    except (EvalError, ParleyError):
        draft.say(
            "No data on the suite that plants the future: this book holds no run of it (parley eval run leakage)."
        )
        return draft.answer(Kind.EXPLANATION, more="missing_data")
    suite = draft.derive("leakage", summary["figures"], record=record.id)
    draft.say("The leakage suite, {}:", quote(draft.derive("record", record.id)))
    for row in suite.rows():
        if row["name"].raw in ("desk_probes_passed", "planted_bugs_caught"):
            draft.say(
                "{}: {} of {} ({})",
                *(quote(row["name"]), num(row["value"], "frac", 0), num(row["n"], "count"), quote(row["note"])),
            )
    return draft.answer(Kind.EXPLANATION, more="missing_data")


def _look_ahead(reading: Reading) -> dict[str, JsonValue]:
    """Over the whole run: tool results dated after their decision, fills not after their plan."""
    decided = reading.once(
        "decided", lambda: {item.decision_id: item.as_of for item in reading.decisions}, of=(DecisionMade,)
    )

    def add(counted: _Counts, event: Event) -> _Counts:
        text = decided.get(event.decision_id or "")
        at = datetime.fromisoformat(text) if text else None
        whole = Fact(event.payload, event.id)
        if event.type == OrderFilled.__name__:
            is_early = at is not None and datetime.fromisoformat(whole["fill"]["ts_event"].string()) <= at
            return counted._replace(fills=counted.fills + 1, early_fills=counted.early_fills + is_early)
        entries = whole["entries"].rows()
        late = sum(at is not None and datetime.fromisoformat(row["as_of"].string()) > at for row in entries)
        return counted._replace(evidence=counted.evidence + len(entries), late_evidence=counted.late_evidence + late)

    return reading.grown("look ahead", (EvidenceRecorded, OrderFilled), _Counts(), add)._asdict()


SYSTEM = (
    Askable(
        name="connection",
        says="Whether a desk runs, and whether our book matches the venue's.",
        parameters=Nothing,
        answer=connection,
        kind=Kind.NUMBER_WITH_CONTEXT,
        examples=("Is the broker connected, and do our positions match theirs?",),
        is_live=True,
    ),
    Askable(
        name="permissions",
        says="What the desk may do by itself, and what it may not.",
        parameters=Nothing,
        answer=permissions,
        kind=Kind.EXPLANATION,
        examples=("What are you allowed to do by yourself?",),
    ),
    Askable(
        name="look_ahead_proof",
        says="Whether prices of the future are used anywhere.",
        parameters=Nothing,
        answer=look_ahead_proof,
        kind=Kind.EXPLANATION,
        examples=("Are you using tomorrow's prices anywhere?",),
        is_live=True,
    ),
)
