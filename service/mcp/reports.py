"""The run's reports as resources: of a trade or decision, a day, a month and its execution; pages, or their figures."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from ...memory.errors import EmptyLog
from ..access.roles import Caller
from ..answers.reader import Reading
from ..api.desk import ServedDesk
from ..desk_reports import execution_report, period_report
from ..pages.errors import UnknownRecord
from ..reports import Report
from .errors import UnknownResource

SCHEME = "parley://reports/"
TEMPLATE = SCHEME + "{id}"
PAGE = 50
"""Reports in one piece of the list."""
TWIN, HTML = ("json", "application/json"), ("html", "text/html")
DAYS_LISTED = 31
"""Earlier days are read by their address, and not listed."""
_REGULAR = re.compile(r"(?P<kind>daily|monthly)-(?P<name>\d{4}-\d{2}(?:-\d{2})?)|execution")
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
    """The desk's regular ones, then orders, then decisions, each the newest first; and where to go on."""
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
        regular = _regular(reading)
    every = [*regular, *orders, *decisions]
    following = begin + PAGE
    return every[begin:following], str(following) if following < len(every) else None


def read_report(desk: ServedDesk, caller: Caller, address: str) -> tuple[str, str]:
    """The text and its type: the twin, or with `.html` at the end the page. Raises UnknownResource."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise UnknownResource(f"{address[:120]!r} is no address of a report", remedy=f"Ask for {TEMPLATE}.")
    desk.rates.take(caller.user)
    form, kind = HTML if found["form"] == "html" else TWIN
    if _REGULAR.fullmatch(found["id"]):
        report = _read_regular(desk, caller, found["id"])
        return (report.html if form == "html" else json.dumps(report.data, allow_nan=False)), kind
    answer = desk.ask(None, "report", {"id": found["id"]}, caller)
    if answer.link is None:
        raise UnknownResource(f"this run has no report {found['id']!r}", remedy="List the resources.")
    return Path(answer.link).with_suffix(f".{form}").read_text(encoding="utf-8"), kind


def _regular(reading: Reading) -> list[Listed]:
    """What the commands `parley report` write, of the periods that the run has decided in."""
    days = sorted({item.as_of[: len("YYYY-MM-DD")] for item in reading.decisions}, reverse=True)
    months = sorted({day[: len("YYYY-MM")] for day in days}, reverse=True)
    listed = [
        *([Listed(f"{SCHEME}execution", "execution", "Best execution over the run.")] if reading.orders else []),
        *(Listed(f"{SCHEME}monthly-{month}", f"monthly-{month}", f"The month {month}.") for month in months),
    ]
    return listed + [Listed(f"{SCHEME}daily-{day}", f"daily-{day}", f"The day {day}.") for day in days[:DAYS_LISTED]]


def _read_regular(desk: ServedDesk, caller: Caller, ident: str) -> Report:
    """Made from the log as it stands, once for that; nothing is written. Raises UnknownResource."""
    caller.require("viewer", "read")
    found = _REGULAR.fullmatch(ident)
    assert found is not None, "asked for by its form"

    def make() -> Report:
        if found["kind"] is None:
            return execution_report(reading.folder)
        kind = "daily" if found["kind"] == "daily" else "monthly"
        return period_report(reading.log, reading.views, kind, found["name"])

    with desk.reader(None).reading() as reading:
        try:
            return reading.once(f"report {ident}", make)
        except (UnknownRecord, EmptyLog) as error:
            raise UnknownResource(f"this run has no report {ident!r}: {error.message}", remedy=error.remedy) from error
