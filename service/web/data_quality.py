"""The data of the book: every set with its card and how old it is, and what is wrong with the one the run trades."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from pydantic import JsonValue

from ...desk.clock import wall_time
from ...domain.events import RunStarted
from ...market.cards import DataCard
from ...market.datasets import catalog
from ...market.quality import check_data
from ...market.store import book_store, stored_cards
from ..pages.twin import Fact, Twin
from .parts import Asked

FINDINGS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class SetsView:
    """Every data set that can be named here."""

    twin: Twin
    rows: list[Fact]


@dataclass(frozen=True, slots=True)
class QualityView:
    """What is known of the run's own data, and what a check of them finds."""

    twin: Twin
    card: Fact
    notes: list[Fact]
    counts: list[Fact]
    findings: list[Fact]
    more: Fact | None


def sets_view(asked: Asked) -> SetsView:
    """Those that come with the program, then those that were imported into the book."""
    today = date.fromisoformat(wall_time()[:10])
    twin = Twin("data_sets", "data_sets")
    built_in = [_row(card, "built in", today) for card in catalog()]
    imported = [_row(card, "imported", today) for card in stored_cards(book_store(asked.desk.settings.book))]
    return SetsView(twin, twin.derive("data_sets", today.isoformat(), [*built_in, *imported]).rows())


def _row(card: DataCard, kept: str, today: date) -> dict[str, JsonValue]:
    return {
        "name": card.name,
        "kept": kept,
        "title": card.title,
        "source": card.source,
        "license": card.license,
        "start": card.first_session.isoformat(),
        "end": card.last_session.isoformat(),
        "frequency": card.frequency,
        "fields": "close only" if card.close_only else "open, high, low, close, volume",
        "survivorship": card.survivorship,
        "age_days": (today - card.last_session).days,
        "notes": list(card.notes),
    }


def quality_view(asked: Asked) -> QualityView:
    """Checked once while the server runs: a set under one name does not change."""
    reading = asked.reading
    draft = reading.draft("data_quality", {})
    card, today = reading.data.card, date.fromisoformat(wall_time()[:10])
    report = reading.once("data check", lambda: check_data(reading.data), of=(RunStarted,))
    about: dict[str, JsonValue] = {
        **_row(card, "", today),
        "asked_as": reading.started.data,
        "fingerprint": reading.started.data_fingerprint,
        "rows": report.rows,
        "names": len(report.symbols),
        "findings": len(report.findings),
        "last_used": reading.last_session or None,
        "unused_days": (card.last_session - date.fromisoformat(reading.last_session[:10])).days
        if reading.last_session
        else None,
        "texts": len(reading.data.texts),
    }
    found = draft.derive("data_card", about)
    counts: list[JsonValue] = [
        {"code": code, "times": times} for code, times in Counter(item.code for item in report.findings).most_common()
    ]
    rows: list[JsonValue] = [
        {
            "code": item.code,
            "symbol": item.symbol,
            "row": item.row,
            "session": item.session.isoformat() if item.session else None,
            "text": item.text,
        }
        for item in report.findings[:FINDINGS_SHOWN]
    ]
    left = len(report.findings) - len(rows)
    return QualityView(
        draft.twin,
        found,
        found["notes"].rows(),
        draft.derive("findings_counted", counts).rows(),
        draft.derive("findings", rows).rows(),
        draft.derive("findings_left", left) if left > 0 else None,
    )
