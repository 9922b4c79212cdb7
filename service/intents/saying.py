"""Tells the effects of a request in lines, before it is done."""

from collections.abc import Sequence

from ..answers.draft import Draft, Piece, num, quote, when
from ..pages.limit_units import limit_unit
from ..pages.twin import Fact

ORDERS_SHOWN = 4
SALES_SHOWN = 5
REASONS_SHOWN, LEGS_SHOWN = 3, 5


def say_effects(draft: Draft, effects: Fact) -> None:
    """What would be sold, what is taken back, and what holds afterwards."""
    _SAID[effects["action"].string()](draft, effects)


def _say_restriction(draft: Draft, effects: Fact) -> None:
    draft.say(
        "{}: {} now, {} after that{}.",
        *(quote(effects["scope"]), quote(effects["before"]), quote(effects["after"])),
        ", which changes nothing" if effects["idle"].raw else "",
    )
    _say_orders(draft, effects)
    draft.say("It stays so until somebody resumes it; positions are kept.")


def _say_resume(draft: Draft, effects: Fact) -> None:
    if effects["idle"].raw:
        draft.say("{} is not restricted: there is nothing to give free.", quote(effects["scope"]))
        return
    draft.say("{}: {} now, {} after that.", *(quote(effects[key]) for key in ("scope", "before", "after")))
    if effects["why"].raw:
        draft.say("It was restricted for this: {}", quote(effects["why"]))
    if effects["flag"].raw:
        draft.say("The kill flag is taken down.")
    draft.say("A breaker whose figure is still outside its band does not let itself be armed.")


def _say_sale(draft: Draft, effects: Fact) -> None:
    rows = effects["sold"].rows()
    if "held" in _keys(effects):
        _say_position(draft, effects)
    elif not rows:
        draft.say("Nothing of it is held, so there is nothing to sell.")
    else:
        draft.say(
            "{} positions worth {} at the last marks would be sold in steps, each through the gate.",
            *(num(draft.derive("sold_count", len(rows)), "count"), num(effects["value"], "usd")),
        )
        for row in rows[:SALES_SHOWN]:
            draft.say(
                "{}: {} shares, {}", quote(row["symbol"]), num(row["quantity"], "count"), num(row["value"], "usd")
            )
    if rows:
        draft.say(
            "Expected cost {} (spread and fees at the desk's settings, no impact); cash afterwards about {}.",
            *(num(effects["cost"], "usd"), num(effects["cash_after"], "usd")),
        )
    _say_orders(draft, effects)
    if rows:
        draft.say("What is sold may only be reduced from then on, until somebody resumes it.")


def _say_position(draft: Draft, effects: Fact) -> None:
    if not effects["held"].raw:
        draft.say("It is not held, so there is nothing to reduce.")
        return
    if "smaller" in _keys(effects):
        draft.say(
            "It is {} of equity now, which is no more than {}: nothing is bought by a reduction.",
            *(num(effects["weight"], "frac"), num(effects["asked_weight"], "frac")),
        )
        return
    for row in effects["sold"].rows():
        draft.say(
            "{}: {} of {} shares would be sold, through the gate: from {} of equity to {}, worth {}.",
            *(quote(row["symbol"]), num(row["quantity"], "count"), num(effects["held"], "count")),
            *(num(effects["weight"], "frac"), num(effects["asked_weight"], "frac"), num(row["value"], "usd")),
        )


def _say_cancel(draft: Draft, effects: Fact) -> None:
    if "unknown" in _keys(effects):
        draft.say("There is no order {} in this run, so there is nothing to cancel.", quote(effects["unknown"]))
        if effects["last"].raw:
            draft.say("The last one is {}.", quote(effects["last"]))
        return
    rows = effects["orders"].rows()
    if not rows:
        draft.say("No order of a plan is worked or waits to be: there is nothing to cancel.")
    for row in rows[:ORDERS_SHOWN]:
        draft.say(
            "{}: {} {} {}, {} left, {}.",
            *(quote(row["order_id"]), quote(row["side"]), num(row["quantity"], "count"), quote(row["symbol"])),
            *(num(row["left"], "count"), quote(row["state"])),
        )
    if rows and effects["idle"].raw:
        draft.say("It is over: a cancel of it would be refused.")
    elif rows:
        draft.say("What is left of it is taken back for the rest of its session; what was filled stays.")
    for row in effects["bare"].rows() if "bare" in _keys(effects) else ():
        shares = num(row["shares"], "count"), quote(row["symbol"])
        draft.say("It is the protective stop at the venue of {} shares of {}.", *shares)
        draft.say("Without it, {} shares of {} are held without a stop until the session is over.", *shares)
    _say_stops(draft, effects)


def _say_tighten(draft: Draft, effects: Fact) -> None:
    draft.say(
        "{}: {} now, {} after that.",
        *(quote(effects["limit"]), *(_bound(effects, key) for key in ("before", "bound"))),
    )
    draft.say("The plan in hand may then only take risk off; the next decision is made under the tighter limit.")
    draft.say("Nobody makes it looser again while this run lasts.")


def _bound(effects: Fact, key: str) -> Piece:
    """A limit's number, in its unit."""
    unit, says = limit_unit(effects["limit"].string(), effects["before"].number(), effects["bound"].number())
    told = num(effects[key], unit)
    return Piece(f"{told.text}{says}", told.ref)


def _say_acknowledge(draft: Draft, effects: Fact) -> None:
    rows = effects["notifications"].rows()
    if not rows:
        draft.say("No such notification waits to be acknowledged.")
    for row in rows[:SALES_SHOWN]:
        draft.say("{}: {}", quote(row["id"]), quote(row["text"]))


def _say_answer(draft: Draft, effects: Fact) -> None:
    if effects["idle"].raw:
        draft.say("No such plan waits for a person.")
        return
    draft.say(
        "The plan of {} waits until {}; its legs that add risk come to {} of equity.",
        *(quote(effects["decision_id"]), when(effects["until"]), num(effects["turnover_frac"], "frac")),
    )
    for reason in effects["reasons"].rows()[:REASONS_SHOWN]:
        draft.say("Why: {}.", quote(reason["text"]))
    for row in effects["legs"].rows()[:LEGS_SHOWN]:
        draft.say(
            "{} {} {} at {}, {} of equity.",
            *(quote(row["side"]), num(row["quantity"], "count"), quote(row["symbol"])),
            *(num(row["price"], "usd"), num(row["weight"], "frac")),
        )
    if effects["action"].raw == "approve":
        draft.say("Approved, it is worked at the next open, and the gate reviews it and each order again.")
    else:
        draft.say("Rejected, none of its orders is sent, and the next decision starts afresh.")


_SAID = {
    "approve": _say_answer,
    "reject": _say_answer,
    "halt": _say_restriction,
    "reduce": _say_restriction,
    "resume": _say_resume,
    "flatten": _say_sale,
    "reduce_position": _say_sale,
    "cancel": _say_cancel,
    "tighten": _say_tighten,
    "acknowledge": _say_acknowledge,
}


def _say_orders(draft: Draft, effects: Fact) -> None:
    rows = effects["orders"].rows()
    if not rows:
        draft.say("No order is open, so none is taken back.")
    else:
        _say_ids(draft, "Open orders that are taken back", "orders_open", rows)
    _say_stops(draft, effects)


def _say_stops(draft: Draft, effects: Fact) -> None:
    """Protective stops that a request leaves where they are."""
    rows = effects["stops"].rows() if "stops" in _keys(effects) else ()
    if rows:
        _say_ids(draft, "Protective stops at the venue that stay where they are", "stops_standing", rows)


def _say_ids(draft: Draft, what: str, counted_as: str, rows: Sequence[Fact]) -> None:
    names: list[Piece] = [quote(row["order_id"]) for row in rows[:ORDERS_SHOWN]]
    more = " and others" if len(rows) > ORDERS_SHOWN else ""
    count = num(draft.derive(counted_as, len(rows)), "count")
    draft.say(f"{what}: {{}} ({', '.join('{}' for _ in names)}{more}).", count, *names)


def _keys(fact: Fact) -> set[str]:
    return set(fact.raw) if isinstance(fact.raw, dict) else set()
