"""Finds the order, decision or symbol that a question names, and says so where the record has none."""

import re
from datetime import datetime

from ...memory.decisions_view import DecisionRecord
from ...memory.orders_view import OrderRecord
from .answer import Answer
from .draft import Draft, quote
from .reader import Reading

LAST = "last"
CLOCK = re.compile(r"[0-2]\d:[0-5]\d")
LEAST_PREFIX = 5
"""Characters of an id that are enough to name it, if it is the only one: `par-` and one more."""


def find_order(reading: Reading, named: str) -> OrderRecord | None:
    """The order of this id, or the only one that begins so, or the last that was approved."""
    orders = reading.orders
    if named == LAST:
        return orders[-1] if orders else None
    exact = [item for item in orders if item.order_id == named]
    if not exact and len(named) >= LEAST_PREFIX:
        exact = [item for item in orders if item.order_id.startswith(named)]
    return exact[0] if len(exact) == 1 else None


def find_decision(reading: Reading, named: str) -> DecisionRecord | None:
    """The decision of this id, the only one that begins so, the last of a day, of a moment or of a time of day on the
    exchange's clock, or the last of all."""
    decisions = reading.decisions
    if named == LAST:
        return decisions[-1] if decisions else None
    exact = [item for item in decisions if item.decision_id == named]
    if not exact and len(named) >= LEAST_PREFIX and named.startswith("dec-"):
        exact = [item for item in decisions if item.decision_id.startswith(named)]
        exact = exact if len(exact) == 1 else []
    if not exact and CLOCK.fullmatch(named):
        spans = [(item, reading.history.session_at(datetime.fromisoformat(item.as_of))) for item in decisions]
        exact = [item for item, span in spans if isinstance(span, datetime) and f"{span:%H:%M}" == named]
    if not exact and named[:4].isdigit() and len(named) >= len("2020-01-31"):
        exact = [item for item in decisions if item.as_of.startswith(named)]
    return exact[-1] if exact else None


def unknown_order(reading: Reading, draft: Draft) -> Answer:
    """No such order, with one that there is."""
    if not reading.orders:
        return draft.no_data(
            "no order was approved in this run, so there is none called {}.", quote(draft.asked["order"])
        )
    known = draft.derive("known_order", reading.orders[-1].order_id)
    return draft.no_data(
        "this run has no order {}. The last one is {}.", quote(draft.asked["order"]), quote(known), more="trades"
    )


def unknown_decision(reading: Reading, draft: Draft) -> Answer:
    """No such decision, with one that there is."""
    if not reading.decisions:
        return draft.no_data("nothing was decided in this run yet.")
    last = reading.decisions[-1]
    known = draft.derive("known_decision", {"id": last.decision_id, "as_of": last.as_of})
    return draft.no_data(
        "this run has no decision {}. The last one is {}.",
        *(quote(draft.asked["decision"]), quote(known["id"])),
        more="decision",
    )


def unknown_symbol(reading: Reading, draft: Draft) -> Answer:
    """The universe does not list it."""
    return draft.no_data("{} is not in the universe of this run.", quote(draft.asked["symbol"]), more="positions")
