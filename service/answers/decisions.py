"""Questions about what was decided: one decision, why a name was traded or not, and why a plan was vetoed."""

from collections import Counter

from pydantic import JsonValue

from ...domain.decisions import Decision, Verdict
from ...memory.decisions_view import DecisionRecord
from ..pages.twin import Fact
from .answer import Answer, Kind
from .arguments import AskedSymbol, OfDecision, OfSymbol, RecordId
from .askable import Askable
from .draft import Draft, num, quote, when
from .finding import find_decision, unknown_decision, unknown_symbol
from .reader import Reading
from .reviewing import decision_of

LINES_SHOWN = 7
REASONS_SHOWN = 5
LAST_VETO = "last_veto"
VOTES = {"1": "for", "-1": "against", "0": "neutral", "None": "abstained"}


class OfVeto(OfDecision):
    decision: RecordId = LAST_VETO


class OfWhy(OfSymbol):
    """Why a name was bought, sold or left alone; the decision in which it was last traded, unless one is named."""

    symbol: AskedSymbol
    decision: RecordId | None = None


def decision(reading: Reading, draft: Draft, asked: OfDecision) -> Answer:
    """What one decision saw, said and settled."""
    record = find_decision(reading, asked.decision)
    made = decision_of(reading, record.decision_id) if record else None
    if record is None or made is None:
        return unknown_decision(reading, draft)
    found = fact_of(reading, draft, record)
    say_outcome(draft, found)
    draft.say("Regime {}, book {} of equity {}.", *_book_of(draft, found, made))
    if found.maybe("assessment"):
        metrics = found["assessment"]["metrics"]
        draft.say(
            "Risk before: VaR {} and ES {} of equity, volatility {} a year.",
            *(num(metrics["var_99_historical"], "frac"), num(metrics["es_975_historical"], "frac")),
            num(metrics["volatility_annual"], "frac"),
        )
    _say_voices(draft, made, record.decision_id)
    legs = _legs(found)
    for leg in legs[:REASONS_SHOWN]:
        draft.say(
            "{} {} {} at {}: {}",
            *(quote(leg["side"]), num(leg["quantity"], "count"), quote(leg["symbol"])),
            *(num(leg["reference_price"], "price"), quote(leg["reason"])),
        )
    draft.table(LEG_COLUMNS, legs)
    return draft.answer(Kind.EXPLANATION, more=f"report id={record.decision_id}")


LEG_COLUMNS = {
    "order": ("text", "order_id"),
    "side": ("text", "side"),
    "symbol": ("text", "symbol"),
    "quantity": ("count", "quantity"),
    "price": ("price", "reference_price"),
    "why": ("text", "reason"),
    "algorithm": ("text", "advice/algorithm"),
    "expected cost": ("bps", "advice/expected_cost_bps"),
}


def veto_reason(reading: Reading, draft: Draft, asked: OfVeto) -> Answer:
    """Every check that failed, with its bound; of a plan that passed, that it was not vetoed."""
    if asked.decision == LAST_VETO:
        vetoed = [item for item in reading.decisions if item.kind == "vetoed"]
        if not reading.decisions:
            return unknown_decision(reading, draft)
        if not vetoed:
            kinds = draft.derive("kinds", dict(Counter(item.kind for item in reading.decisions)))
            told = [(name, num(fact, "count")) for name, fact in kinds.items()]
            words = ", ".join(f"{name.replace('_', ' ')} {{}}" for name, _ in told)
            return draft.no_data(
                "no decision of this run was vetoed. They came out as: " + words + ".",
                *(piece for _, piece in told),
                more="veto_reason with a decision, or limits_used",
            )
        record = vetoed[-1]
    else:
        record = find_decision(reading, asked.decision)
    made = decision_of(reading, record.decision_id) if record else None
    if record is None or made is None:
        return unknown_decision(reading, draft)
    found = fact_of(reading, draft, record)
    say_outcome(draft, found)
    rows: list[Fact] = []
    for place, verdict in enumerate(made.verdicts):
        rows += _failed(draft, found["verdicts"].rows()[place], verdict, place, len(made.verdicts))
    if not made.verdicts:
        draft.say("Nothing came before the gate, so nothing was vetoed.")
    elif not rows:
        draft.say("It was not vetoed: every check of the gate passed.")
    draft.table(CHECK_COLUMNS, rows)
    return draft.answer(
        Kind.EXPLANATION, more=f"other_limits decision={record.decision_id} limit=max_var_99_frac value=0.03"
    )


CHECK_COLUMNS = {
    "check": ("text", "check"),
    "symbol": ("text", "symbol"),
    "value": ("num", "value"),
    "limit": ("num", "limit"),
    "unit": ("text", "unit"),
    "text": ("text", "text"),
}


def why(reading: Reading, draft: Draft, asked: OfWhy) -> Answer:
    """The way from the views to the order of one name, or what kept it from being traded."""
    if asked.symbol not in reading.symbols:
        return unknown_symbol(reading, draft)
    record = traded_in(reading, asked.symbol) if asked.decision is None else find_decision(reading, asked.decision)
    if record is None and asked.decision is None and reading.decisions:
        record = reading.decisions[-1]
    made = decision_of(reading, record.decision_id) if record else None
    if record is None or made is None:
        return unknown_decision(reading, draft)
    found = fact_of(reading, draft, record)
    legs = [leg for leg in _legs(found) if leg["symbol"].raw == asked.symbol]
    if legs:
        leg = legs[0]
        draft.say(
            "{} {} {} was decided on {}: {}.",
            *(quote(leg["side"]), num(leg["quantity"], "count"), quote(leg["symbol"])),
            *(when(found["as_of"]), quote(leg["reason"])),
        )
    else:
        draft.say(
            "{} was not traded by the decision of {}: {}",
            *_symbol_of(draft),
            when(found["as_of"]),
            quote(found["summary"]),
        )
    _say_signal(draft, found, asked.symbol)
    targets = found.maybe("targets")
    weights = (targets["held"].maybe(asked.symbol), targets["weights"].maybe(asked.symbol)) if targets else (None, None)
    if targets and weights[1]:
        held = weights[0]
        if held:
            draft.say("Weight held {}, target {}.", num(held, "frac"), num(weights[1], "frac"))
        draft.say("The book: {}.", quote(targets["explanation"]))
    _say_votes(draft, found, asked.symbol)
    return draft.answer(
        Kind.EXPLANATION, more=f"sizing symbol={asked.symbol}, or decision decision={record.decision_id}"
    )


def traded_in(reading: Reading, symbol: str) -> DecisionRecord | None:
    """The last decision with an approved order of this name."""
    orders = [item for item in reading.orders if item.symbol == symbol]
    if not orders:
        return None
    return next((item for item in reading.decisions if item.decision_id == orders[-1].decision_id), None)


def fact_of(reading: Reading, draft: Draft, record: DecisionRecord) -> Fact:
    """The decision as it stands in the log's own event."""
    event = reading.decision_event(record.decision_id)
    assert event is not None, "the read model knows it from this event"
    return draft.event(event)["payload"]["decision"]


def vote_word(value: Fact) -> str:
    """A vote as a word."""
    return VOTES[str(value.raw)]


def say_outcome(draft: Draft, found: Fact) -> None:
    draft.say("{} ({}): {}", quote(found["decision_id"]), when(found["as_of"]), quote(found["summary"]))


def _legs(found: Fact) -> list[Fact]:
    plan = found.maybe("plan")
    return plan["legs"].rows() if plan else []


def _symbol_of(draft: Draft):
    return (quote(draft.asked["symbol"]),)


def _book_of(draft: Draft, found: Fact, made: Decision):
    snapshot = made.snapshot
    gross = float((snapshot.equity - snapshot.portfolio.cash) / snapshot.equity)
    invested = draft.derive("invested", gross, decision=made.decision_id)
    return quote(found["regime"]), num(invested, "frac"), num(found["snapshot"]["equity"], "usd")


def _say_voices(draft: Draft, made: Decision, ident: str) -> None:
    """Votes for and against, and who abstained."""
    if made.votes:
        counts: dict[str, JsonValue] = {
            "for": sum(vote.value == 1 for vote in made.votes),
            "against": sum(vote.value == -1 for vote in made.votes),
            "silent": sum(vote.value is None for vote in made.votes),
        }
        found = draft.derive("votes", counts, decision=ident)
        draft.say(
            "Votes on its legs: {} for, {} against, {} abstained.",
            *(num(found["for"], "count"), num(found["against"], "count"), num(found["silent"], "count")),
        )
    if made.abstentions:
        names = sorted({item.who.replace("_", " ") for item in made.abstentions})
        draft.say("Nothing to say had: {}.", quote(draft.derive("silent", ", ".join(names), decision=ident)))


def _failed(draft: Draft, found: Fact, verdict: Verdict, place: int, count: int) -> list[Fact]:
    rows = [row for row in found["checks"].rows() if row["passed"].raw is False]
    if rows:
        is_last = place + 1 == count
        draft.say("The gate vetoed it:" if is_last else "An earlier draft was vetoed:")
    for row in rows[: min(REASONS_SHOWN, draft.room - 2)]:
        draft.say("{}", quote(row["text"]))
    if len(rows) > REASONS_SHOWN:
        draft.say("The table has every check that failed.")
    return rows


def _say_signal(draft: Draft, found: Fact, symbol: str) -> None:
    for row in found["signals"].rows():
        if row["symbol"].raw == symbol:
            draft.say(
                "Signal {} with confidence {}: {}",
                *(quote(row["side"]), num(row["confidence"], "percent"), quote(row["explanation"])),
            )


def _say_votes(draft: Draft, found: Fact, symbol: str) -> None:
    votes = [
        (row["agent"].string().replace("_", " "), vote_word(row["value"]))
        for row in found["votes"].where(symbol=symbol)
    ]
    if votes:
        draft.say("Votes: " + ", ".join(f"{agent} {value}" for agent, value in votes) + ".")
    consensus = found.maybe("consensus")
    for row in consensus["legs"].where(symbol=symbol) if consensus else []:
        draft.say(
            "Support {}, so the order keeps {} of its size.",
            *(num(row["support"], "ratio"), num(row["size_multiplier"], "frac", 0)),
        )


DECISIONS = (
    Askable(
        name="decision",
        says="What one decision saw, said and settled.",
        parameters=OfDecision,
        answer=decision,
        kind=Kind.EXPLANATION,
        examples=("What was decided on 2020-03-09?",),
    ),
    Askable(
        name="veto_reason",
        says="Why a decision was vetoed: every check that failed.",
        parameters=OfVeto,
        answer=veto_reason,
        kind=Kind.EXPLANATION,
        examples=("Why was the 09:45 run vetoed?",),
    ),
    Askable(
        name="why",
        says="Why a name was bought, sold or left alone.",
        parameters=OfWhy,
        answer=why,
        kind=Kind.EXPLANATION,
        examples=("Why did we buy BBY?", "Why is there no trade in XOM?"),
    ),
)
