"""The run's reports as resources: the page of a trade or decision, or its twin of figures, by address."""

import re
from dataclasses import dataclass
from pathlib import Path

from ..access.roles import Caller
from ..api.desk import ServedDesk
from .errors import UnknownResource

SCHEME = "parley://reports/"
TEMPLATE = SCHEME + "{id}"
PAGE = 50
"""Reports in one piece of the list."""
TWIN, HTML = ("json", "application/json"), ("html", "text/html")
_ADDRESS = re.compile(re.escape(SCHEME) + r"(?P<id>[A-Za-z0-9][A-Za-z0-9_-]{0,127})(?:\.(?P<form>html|json))?")


@dataclass(frozen=True, slots=True)
class Listed:
    """One report in the list. It may not have been written yet: reading it does that."""

    address: str
    name: str
    says: str


def address_of(link: str) -> str:
    """The address of a report by the page it is written to."""
    return SCHEME + Path(link).stem


def list_reports(desk: ServedDesk, caller: Caller, cursor: str | None) -> tuple[list[Listed], str | None]:
    """The newest first, and where to go on; orders before decisions."""
    caller.require("viewer", "read")
    begin = int(cursor) if cursor and cursor.isascii() and cursor.isdigit() and len(cursor) < 10 else 0
    with desk.reader(None).reading() as reading:
        orders = [
            Listed(SCHEME + item.order_id, item.order_id, f"{item.side} {item.quantity} {item.symbol}: {item.state}")
            for item in reversed(reading.orders)
            if item.opened_at is not None
        ]
        decisions = [
            Listed(SCHEME + item.decision_id, item.decision_id, f"{item.as_of}: {item.summary}")
            for item in reversed(reading.decisions)
        ]
    every = [*orders, *decisions]
    following = begin + PAGE
    return every[begin:following], str(following) if following < len(every) else None


def read_report(desk: ServedDesk, caller: Caller, address: str) -> tuple[str, str]:
    """The text and its type: the twin, or with `.html` at the end the page. Raises UnknownResource."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise UnknownResource(f"{address[:120]!r} is no address of a report", remedy=f"Ask for {TEMPLATE}.")
    desk.rates.take(caller.user)
    answer = desk.ask(None, "report", {"id": found["id"]}, caller)
    if answer.link is None:
        raise UnknownResource(f"this run has no report {found['id']!r}", remedy="List the resources.")
    form, kind = HTML if found["form"] == "html" else TWIN
    return Path(answer.link).with_suffix(f".{form}").read_text(encoding="utf-8"), kind
