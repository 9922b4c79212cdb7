"""Questions about the market and the data: the regime, what data were missing, and how sources of texts came out."""

from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from ...domain.decisions import Decision
from ...domain.events import DecisionMade, EvidenceRecorded, RegimeChanged
from ...market.history import MarketView
from ...quant.side_record import wilson_interval
from ...tools.encoders import load_encoder
from ...tools.text_record import TextRecord
from ..pages.twin import Fact
from .answer import Answer, Kind
from .arguments import Nothing, OfDecision
from .askable import Askable
from .decisions import fact_of, say_outcome
from .draft import Draft, num, quote, when
from .finding import find_decision, unknown_decision
from .places import BOOK
from .reader import Reading
from .reviewing import decision_of

CHANGES_SHOWN = 4
MISSING = ("no_data", "short_history")


def regime(reading: Reading, draft: Draft, asked: Nothing) -> Answer:
    """The regime of the last decision, since when, and how sure the filter is."""
    record = find_decision(reading, "last")
    if record is None:
        return draft.no_data("nothing was decided in this run yet.", more="help")
    found = fact_of(reading, draft, record)
    changes = list(reading.read(RegimeChanged))
    if not changes:
        draft.say("The regime of the last decision is {} ({}).", quote(found["regime"]), when(found["as_of"]))
        draft.say("It has not changed since the run began.")
        return draft.answer(Kind.NUMBER_WITH_CONTEXT, more="scenarios")
    last = draft.event(changes[-1])
    payload = last["payload"]
    draft.say(
        "{} since {}; before it was {}.",
        quote(payload["to_regime"]),
        when(last["event_time"]),
        quote(payload["from_regime"]),
    )
    chances = _chances(reading, draft, record.decision_id)
    if chances:
        told = list(chances.items())
        words = ", ".join(f"{name} {{}}" for name, _ in told)
        draft.say(
            "By the filter at {}: " + words + ".", when(found["as_of"]), *(num(fact, "frac", 0) for _, fact in told)
        )
    draft.say("{}", quote(payload["reason"]))
    draft.say("{}", quote(payload["framing"]))
    rows: list[JsonValue] = [
        {"at": event.event_time.isoformat(), "id": event.id}
        | {
            key: Fact(event.payload, event.id)[key].raw
            for key in ("from_regime", "to_regime", "probability", "limit_factor")
        }
        for event in reversed(changes)
    ]
    table = draft.derive("regime_changes", rows).rows()
    for row in table[1:CHANGES_SHOWN]:
        draft.say("Before that: {} to {} at {}", quote(row["from_regime"]), quote(row["to_regime"]), when(row["at"]))
    draft.table(
        {
            "at": ("text", "at"),
            "from": ("text", "from_regime"),
            "to": ("text", "to_regime"),
            "probability": ("frac", "probability"),
            "limits": ("frac", "limit_factor"),
        },
        table,
    )
    return draft.answer(Kind.NUMBER_WITH_CONTEXT, more="limits_used, or signals with a symbol")


def missing_data(reading: Reading, draft: Draft, asked: OfDecision) -> Answer:
    """Who had nothing to go on in a decision, and why; each with the event that says so."""
    record = find_decision(reading, asked.decision)
    made = decision_of(reading, record.decision_id) if record else None
    if record is None or made is None:
        return unknown_decision(reading, draft)
    found = fact_of(reading, draft, record)
    say_outcome(draft, found)
    rows = [row for row in found["abstentions"].rows() if row["reason"].raw in MISSING]
    for row in rows[:6]:
        draft.say("{}: {} ({})", quote(row["who"]), quote(row["text"]), quote(row["reason"]))
    unpriced = _unpriced(made)
    if unpriced:
        draft.say(
            "Without a price: {}.", quote(draft.derive("unpriced", ", ".join(unpriced), decision=record.decision_id))
        )
    if not rows and not unpriced:
        draft.say("Nothing was missing: every source had what it needs, and every name a price.")
    since = _usual(reading)
    counted = draft.derive("missing", [{"who": who, "times": times} for who, times in since.most_common()])
    for row in counted.rows()[: max(0, draft.room - 1)]:
        draft.say(
            "Over the last month of decisions {} had nothing {} times", quote(row["who"]), num(row["times"], "count")
        )
    draft.table({"who": ("text", "who"), "reason": ("text", "reason"), "what": ("text", "text")}, rows)
    return draft.answer(Kind.LIST_WITH_SOURCES, more=f"decision decision={record.decision_id}")


def source_record(reading: Reading, draft: Draft, asked: Nothing) -> Answer:
    """How often what a source wrote came true within a week, with how far that can be trusted."""
    session = reading.last_session
    if not session:
        return draft.no_data("no session of this run has closed yet.")
    if not reading.data.texts:
        return draft.no_data(
            "the data set {} has no texts, so no source has a record. A run over data with texts would have one.",
            quote(draft.derive("data", reading.data.card.name)),
            more="agents",
        )
    view = reading.view
    rows = reading.once("sources", lambda: _source_rows(view, reading.settings.llm.encoder), of=BOOK)
    judged = [row for row in rows if row["calls"]]
    if not judged:
        return draft.no_data("no call of any source is old enough to be judged yet.")
    table = draft.derive("sources", [*judged], data=view.fingerprint).rows()
    draft.say("Up to {}; the source that was wrong most often comes first:", when(draft.derive("session", session)))
    for row in table[:8]:
        draft.say(
            "{}: {} of {} calls came true, a share of {} ({} to {})",
            *(quote(row["source"]), num(row["hits"], "count"), num(row["calls"], "count")),
            *(num(row["share"], "frac", 0), num(row["low"], "frac", 0), num(row["high"], "frac", 0)),
        )
    draft.say("The range is Wilson's at ninety-five percent; calls of one week share a market, so it is too narrow.")
    draft.table(
        {
            "source": ("text", "source"),
            "calls": ("count", "calls"),
            "came true": ("count", "hits"),
            "share": ("frac", "share"),
            "low": ("frac", "low"),
            "high": ("frac", "high"),
        },
        table,
    )
    return draft.answer(Kind.TABLE_WITH_UNCERTAINTY, more="agents")


def _chances(reading: Reading, draft: Draft, decision_id: str) -> Fact | None:
    """The regime entry of a decision's ledger, as its event has it."""
    for event in reading.read(EvidenceRecorded, decision_id=decision_id):
        entries = Fact(event.payload, event.id)["entries"].where(tool="regime")
        if entries:
            return draft.twin.evidence([entries[0].raw])[0]["output"]["probability"]
    return None


def _source_rows(view: MarketView, encoder: Path | None) -> list[dict[str, Any]]:
    """Of every source its judged calls, the worst record first."""
    found = TextRecord(load_encoder(encoder)).sources(view)
    rows: list[dict[str, Any]] = []
    for name, record in found.items():
        low, high = wilson_interval(record.hits, record.calls) if record.calls else (0.0, 1.0)
        share = record.hits / record.calls if record.calls else None
        rows.append(
            {"source": name, "calls": record.calls, "hits": record.hits, "share": share, "low": low, "high": high}
        )
    return sorted(rows, key=lambda row: (row["share"] is None, row["share"] or 0.0, row["source"]))


def _unpriced(made: Decision) -> list[str]:
    return [symbol for symbol in made.snapshot.symbols if symbol not in made.snapshot.prices]


def _usual(reading: Reading) -> Counter[str]:
    """How often each had no data in the last month of decisions."""

    def count() -> Counter[str]:
        found = Counter[str]()
        for record in reading.decisions[-21:]:
            made = decision_of(reading, record.decision_id)
            found.update(item.who for item in (made.abstentions if made else ()) if item.reason.value in MISSING)
        return found

    return reading.once("usual missing", count, of=(DecisionMade,))


MARKET = (
    Askable(
        name="regime",
        says="The market's regime, since when, and how sure that is.",
        parameters=Nothing,
        answer=regime,
        kind=Kind.NUMBER_WITH_CONTEXT,
        examples=("What regime are we in and since when?",),
    ),
    Askable(
        name="missing_data",
        says="What data a decision lacked.",
        parameters=OfDecision,
        answer=missing_data,
        kind=Kind.LIST_WITH_SOURCES,
        examples=("What data was missing in the last run?",),
    ),
    Askable(
        name="source_record",
        says="How often each source of texts came true.",
        parameters=Nothing,
        answer=source_record,
        kind=Kind.TABLE_WITH_UNCERTAINTY,
        examples=("Which news source has been most wrong this month?",),
    ),
)
