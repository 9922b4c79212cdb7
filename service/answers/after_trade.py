"""Questions that come after a trade: what trading cost, taking it back, and the report of a record."""

from pathlib import Path

from pydantic import Field, JsonValue

from ...domain.model import Model
from ...tools.attributed import PARTS
from .answer import Answer, Kind
from .arguments import Nothing, RecordId
from .askable import Askable
from .draft import Draft, num, quote, when
from .reader import Reading
from .traded import traded_costs

LAST = "last"


class OfReport(Model):
    id: RecordId = Field(default=LAST, description="An order's or decision's id, or `last` for the last trade.")


def costs(reading: Reading, draft: Draft, asked: Nothing) -> Answer:
    """What the run's trading cost by cause, against the prices it was decided at."""
    whole = traded_costs(reading)
    if whole is None:
        return draft.no_data("no order of this run has closed yet, so nothing has cost anything.", more="trades")
    found = draft.derive("cost_attribution", whole)
    total, charged = found["total"], found["charged"]
    draft.say(
        "{} orders of {} in all cost {}, {} of what was decided; {} was filled.",
        *(num(total["orders"], "count"), num(total["value"], "usd", 0), num(total["cash"]["total"], "usd")),
        *(num(total["bps"]["total"], "bps"), num(found["filled_frac"], "frac")),
    )
    for part in PARTS:
        draft.say("{}: {}, {}", part.replace("_", " "), num(total["cash"][part], "usd"), num(total["bps"][part], "bps"))
    if charged.maybe("mean_realized_bps") is not None:
        draft.say(
            "Spread, impact and fees were forecast at {} and came to {}.",
            *(num(charged["mean_predicted_bps"], "bps"), num(charged["mean_realized_bps"], "bps")),
        )
    rows: list[JsonValue] = [
        {"part": part, "cash": total["cash"][part].raw, "bps": total["bps"][part].raw} for part in (*PARTS, "total")
    ]
    draft.table(
        {"part": ("text", "part"), "cash": ("usd", "cash"), "of decided value": ("bps", "bps")},
        draft.derive("parts", rows).rows(),
    )
    return draft.answer(Kind.NUMBER_WITH_BREAKDOWN, more="trades, or report")


def undo(reading: Reading, draft: Draft, asked: Nothing) -> Answer:
    """A fill can't be taken back: the order that would offset it, and what that would cost."""
    done = [item for item in reading.orders if item.filled]
    if not done:
        return draft.no_data("nothing was traded in this run, so there is nothing to take back.", more="trades")
    last = max(done, key=lambda item: (item.closed_at or item.opened_at or "", item.seq))
    rates = reading.settings.costs
    price = float(reading.prices.get(last.symbol, last.reference_price))
    worth = price * last.filled
    found = draft.derive(
        "offset",
        {"order_id": last.order_id, "symbol": last.symbol, "side": last.side, "filled": last.filled}
        | {"price": float(last.average_price or 0), "at": last.closed_at or last.opened_at}
        | {"offset_side": "SELL" if last.side == "BUY" else "BUY", "last_price": price, "worth": worth}
        | {"cost": worth * (rates.half_spread_bps + rates.fee_bps) / 1e4, "session": reading.last_session}
        | {"cost_bps": rates.half_spread_bps + rates.fee_bps, "held": reading.portfolio.quantity(last.symbol)},
        order=last.order_id,
    )
    draft.say(
        "A fill is final and can't be undone: {} {} {} at {} was done by {} ({}).",
        *(quote(found["side"]), num(found["filled"], "count"), quote(found["symbol"]), num(found["price"], "price")),
        *(when(found["at"]), quote(found["order_id"])),
    )
    draft.say(
        "What can be done is to offset it: {} {} {}, worth {} at the last close of {}.",
        *(quote(found["offset_side"]), num(found["filled"], "count"), quote(found["symbol"])),
        *(num(found["worth"], "usd"), when(found["session"])),
    )
    draft.say("Spread and fees of {} would cost about {}.", num(found["cost_bps"], "bps"), num(found["cost"], "usd"))
    draft.say("{} shares of it are held now.", num(found["held"], "count"))
    draft.say("An offset is an order: it needs an operator, a confirmation and the gate. Ask to reduce the position.")
    return draft.answer(Kind.EXPLAIN_NOT_POSSIBLE_OFFER_OFFSET, more=f"reduce {last.symbol}")


def report(reading: Reading, draft: Draft, asked: OfReport) -> Answer:
    """Where the page of a trade or decision lies; it is written when it is not there yet."""
    # Templates and charts of whole pages: only whoever asks for one pays for them.
    from ..reporting import known_ids

    ident = next(iter(known_ids(reading.views)), None) if asked.id == LAST else _whole_id(reading, asked.id)
    if ident is None:
        return draft.no_data("this run has no order or decision {}.", quote(draft.asked["id"]), more="trades")
    link = _page_of(reading, ident)
    found = draft.derive("report", {"id": ident})
    draft.say("The report of {}, with its twin of figures beside it:", quote(found["id"]))
    draft.say("{}", quote(draft.derive("page", link.name, id=ident)))
    return draft.answer(Kind.REPORT, more="order or decision with this id", link=str(link))


def _whole_id(reading: Reading, named: str) -> str | None:
    known = [*(item.order_id for item in reading.orders), *(item.decision_id for item in reading.decisions)]
    return next((ident for ident in known if ident == named), None)


def _page_of(reading: Reading, ident: str) -> Path:
    """The page, made from the log as it stands."""
    page = reading.folder.reports_path / f"{ident}.html"
    if page.exists():
        return page
    from ..reporting import report_of
    from ..reports import write_report

    made = report_of(reading.log, reading.views, ident, reading.data)
    assert made is not None, "the id is one of the record's own"
    return write_report(made, reading.folder.reports_path)[0]


AFTER_TRADE = (
    Askable(
        name="costs",
        says="What trading cost, by cause.",
        parameters=Nothing,
        answer=costs,
        kind=Kind.NUMBER_WITH_BREAKDOWN,
        examples=("What did trading cost us?",),
    ),
    Askable(
        name="undo",
        says="Why a trade can't be taken back, and what would offset it.",
        parameters=Nothing,
        answer=undo,
        kind=Kind.EXPLAIN_NOT_POSSIBLE_OFFER_OFFSET,
        examples=("Undo the last trade.",),
    ),
    Askable(
        name="report",
        says="The report of a trade or a decision.",
        parameters=OfReport,
        answer=report,
        kind=Kind.REPORT,
        examples=("Send me the report for trade t-12.",),
        is_live=True,
    ),
)
