"""Turns the rows of a text file into items, one by one, and notes what is wrong with each."""

from datetime import datetime
from typing import NamedTuple

from ..domain.canonical import short_id
from ..domain.market import TextItem
from .findings import Finding
from .text_cleaning import MAX_BODY_CHARS, MAX_HEADLINE_CHARS, clean_text, symbol_fault

MAX_SOURCE_CHARS = 80
SAYS = {
    "missing_time": "no time: nobody knows when it could be read; left out",
    "missing_text": "no text; left out",
    "bad_symbol": "the symbol is none; left out",
    "look_alike": "the symbol only looks like one: it has letters of another script; left out",
    "duplicate_id": "another text has this id already; left out",
    "control": "control characters in the text; taken out",
    "hidden": "invisible or direction marks in the text; taken out",
    "too_long": "longer than a text may be; cut",
}


class RawText(NamedTuple):
    """A row as it stands in the file; `key` is the file's own id, where it has one."""

    moment: datetime | None
    symbol: str
    headline: str
    body: str
    source: str
    key: str | None


class RowReader:
    """The items taken so far, by id, and what was found on the way."""

    def __init__(self, known: frozenset[str]) -> None:
        self.items: dict[str, TextItem] = {}
        self.findings: list[Finding] = []
        self._known = known
        self._keys: dict[str, str] = {}

    def take(self, row: int, raw: RawText) -> None:
        """Add the row's item, unless it can't be used; `row` is 1-based."""
        headline, headline_faults = clean_text(raw.headline, MAX_HEADLINE_CHARS)
        fault = self._refused(raw, headline)
        if fault is not None or raw.moment is None:
            self._note(fault or "missing_time", row, raw)
            return
        body, body_faults = clean_text(raw.body, MAX_BODY_CHARS)
        source, source_faults = clean_text(raw.source, MAX_SOURCE_CHARS)
        for code in sorted({*headline_faults, *body_faults, *source_faults}):
            self._note(code, row, raw)
        ident = short_id("text", source, raw.symbol, raw.moment.isoformat(), headline, body)
        if raw.key is not None and self._keys.setdefault(raw.key, ident) != ident:
            self._note("duplicate_id", row, raw)
            return
        if ident not in self.items:
            self.items[ident] = TextItem(
                id=ident,
                symbol=raw.symbol,
                source=source,
                ts_event=raw.moment,
                available_at=raw.moment,
                headline=headline,
                body=body,
            )

    def _refused(self, raw: RawText, headline: str) -> str | None:
        if raw.moment is None:
            return "missing_time"
        return symbol_fault(raw.symbol, self._known) or (None if headline else "missing_text")

    def _note(self, code: str, row: int, raw: RawText) -> None:
        session = raw.moment.date() if raw.moment else None
        symbol = raw.symbol if symbol_fault(raw.symbol, ()) is None else None
        self.findings.append(Finding(code, symbol, row, session, f"row {row}: {SAYS[code]}"))
