"""Questions about one order's risk and size: what the risk manager said of it, and how many shares it came to."""

from ...domain.model import Model
from ...memory.decisions_view import DecisionRecord
from ..pages.twin import Fact
from .answer import Answer, Kind
from .arguments import AskedSymbol, RecordId
from .askable import Askable
from .decisions import fact_of, say_outcome, traded_in, vote_word
from .draft import Draft, Piece, num, quote, when
from .finding import find_decision, find_order, unknown_decision, unknown_order, unknown_symbol
from .reader import Reading

STEPS_SHOWN = 6


class OfNamed(Model):
    """A name's order: the decision in which it was last traded, unless a decision or an order is named."""

    symbol: AskedSymbol | None = None
    order: RecordId | None = None
    decision: RecordId | None = None


def risk_opinion(reading: Reading, draft: Draft, asked: OfNamed) -> Answer:
    """What the risk manager measured, capped and warned of, its votes, and the gate's answer."""
    record = _meant(reading, asked)
    if asked.order and find_order(reading, asked.order) is None:
        return unknown_order(reading, draft)
    if record is None:
        return _nothing_meant(reading, draft, asked)
    found = fact_of(reading, draft, record)
    say_outcome(draft, found)
    assessment = found.maybe("assessment")
    if assessment is None:
        return draft.no_data("the risk manager said nothing in this decision.", more="decision")
    metrics = assessment["metrics"]
    draft.say(
        "The risk manager measured VaR {}, ES {}, volatility {} a year, gross {}.",
        *(num(metrics["var_99_historical"], "frac"), num(metrics["es_975_historical"], "frac")),
        *(num(metrics["volatility_annual"], "frac"), num(metrics["gross"], "frac")),
    )
    draft.say("In its words: {}.", quote(assessment["explanation"]))
    cap = assessment["max_weights"].maybe(asked.symbol) if asked.symbol else None
    if cap:
        draft.say(
            "Its cap on {} was {}, on the whole book {}.",
            *_named(draft),
            num(cap, "frac"),
            num(assessment["max_gross"], "frac"),
        )
    for alert in assessment["alerts"].rows()[:2]:
        draft.say("Alert: {}", quote(alert))
    hedge = assessment.maybe("hedge")
    if hedge:
        draft.say("Hedge: {} ({})", quote(hedge["text"]), num(hedge["notional"], "usd", 0, sign=True))
    votes = [row for row in found["votes"].where(agent="risk_manager") if row["symbol"].raw == asked.symbol]
    for row in votes:
        draft.say(
            "Its vote on {}: " + vote_word(row["value"]) + ", confidence {}.",
            *_named(draft),
            num(row["confidence"], "percent"),
        )
    verdicts = found["verdicts"].rows()
    if verdicts:
        draft.say("The gate " + ("let the plan through." if verdicts[-1]["approved"].raw else "vetoed the plan."))
        mine = [row for row in verdicts[-1]["checks"].rows() if asked.symbol and row["symbol"].raw == asked.symbol]
        for row in [row for row in mine if row.maybe("limit")][: min(2, draft.room)]:
            draft.say("Gate: {}", quote(row["text"]))
    return draft.answer(Kind.EXPLANATION, more=f"report id={record.decision_id}")


def sizing(reading: Reading, draft: Draft, asked: OfNamed) -> Answer:
    """From the unscaled book to the whole shares of one order: every step with its figure."""
    if asked.symbol is None:
        return draft.no_data("a size is worked out for a name: say which one.", more="sizing symbol=JPM")
    record = _meant(reading, asked)
    if record is None:
        return _nothing_meant(reading, draft, asked)
    found = fact_of(reading, draft, record)
    targets = found.maybe("targets")
    if targets is None or not targets["weights"].maybe(asked.symbol):
        return draft.no_data("the decision of {} has no target weight of {}.", when(found["as_of"]), *_named(draft))
    weight, held = targets["weights"][asked.symbol], targets["held"].maybe(asked.symbol)
    draft.say("{} ({})", quote(found["decision_id"]), when(found["as_of"]))
    steps = targets["path"].rows()
    for row in [row for row in steps if row["name"].raw in SIZING_STEPS][:STEPS_SHOWN]:
        draft.say("{}: {} ({})", quote(row["name"]), num(row["value"], "num"), quote(row["text"]))
    draft.say(
        "{}: target weight {} of equity {}" + (", held {}." if held else "."),
        *(*_named(draft), num(weight, "frac", 4), num(found["snapshot"]["equity"], "usd")),
        *([num(held, "frac", 4)] if held else []),
    )
    for name, plan in (("Whole shares drafted", _draft_of(found)), ("Final order", found.maybe("plan"))):
        for leg in plan["legs"].where(symbol=asked.symbol) if plan else []:
            draft.say(
                name + ": {} {} at {}",
                quote(leg["side"]),
                num(leg["quantity"], "count"),
                num(leg["reference_price"], "price"),
            )
    consensus = found.maybe("consensus")
    for row in consensus["legs"].where(symbol=asked.symbol) if consensus else []:
        draft.say("Votes kept {} of it.", num(row["size_multiplier"], "frac", 0))
    for row in _checks(found, asked.symbol)[: max(0, min(1, draft.room))]:
        draft.say("Gate: {}", quote(row["text"]))
    draft.table({"step": ("text", "name"), "value": ("num", "value"), "what": ("text", "text")}, steps)
    return draft.answer(Kind.EXPLANATION, more=f"why symbol={asked.symbol}, or dropped_constraint")


SIZING_STEPS = ("volatility target", "vix rule", "drawdown throttle", "wanted gross", "capped gross")


def _meant(reading: Reading, asked: OfNamed) -> DecisionRecord | None:
    if asked.order:
        order = find_order(reading, asked.order)
        return find_decision(reading, order.decision_id) if order else None
    if asked.decision:
        return find_decision(reading, asked.decision)
    if asked.symbol:
        return traded_in(reading, asked.symbol) if asked.symbol in reading.symbols else None
    return find_decision(reading, "last")


def _nothing_meant(reading: Reading, draft: Draft, asked: OfNamed) -> Answer:
    if asked.decision:
        return unknown_decision(reading, draft)
    if asked.symbol and asked.symbol in reading.symbols:
        return draft.no_data(
            "no order of {} was ever approved in this run.", *_named(draft), more=f"why symbol={asked.symbol}"
        )
    return unknown_symbol(reading, draft) if asked.symbol else draft.no_data("nothing was decided in this run yet.")


def _named(draft: Draft) -> tuple[Piece]:
    return (quote(draft.asked["symbol"]),)


def _draft_of(found: Fact) -> Fact | None:
    drafts = found["drafts"].rows()
    return drafts[0] if drafts else None


def _checks(found: Fact, symbol: str) -> list[Fact]:
    """The gate's lines about one name in the last verdict."""
    verdicts = found["verdicts"].rows()
    return [row for row in verdicts[-1]["checks"].where(symbol=symbol) if row.maybe("limit")] if verdicts else []


OPINIONS = (
    Askable(
        name="risk_opinion",
        says="What the risk manager said about an order, in full.",
        parameters=OfNamed,
        answer=risk_opinion,
        kind=Kind.EXPLANATION,
        examples=("What did the risk manager say about the NVDA order, in full?",),
    ),
    Askable(
        name="sizing",
        says="How the size of an order was computed.",
        parameters=OfNamed,
        answer=sizing,
        kind=Kind.EXPLANATION,
        examples=("How was order size computed for JPM?",),
    ),
)
