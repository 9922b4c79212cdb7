"""Scheduled jobs of the run: what was due last and what came of it, and how often each came out how."""

from dataclasses import dataclass

from pydantic import JsonValue

from ...desk.job_book import STATES, open_job_book
from ...storage.errors import StoreMissing
from ..pages.twin import Fact, Twin
from .parts import Asked

ROWS_SHOWN = 30


@dataclass(frozen=True, slots=True)
class JobsView:
    """What the template lays out; both are empty where nothing was ever scheduled."""

    twin: Twin
    rows: list[Fact]
    counts: list[Fact]


def jobs_view(asked: Asked) -> JobsView:
    """Times are the market's, as the desk's clock told them."""
    reading = asked.reading
    draft = reading.draft("jobs", {})
    try:
        with open_job_book(reading.book.path, reading.run_id, readonly=True) as book:
            rows, counts = book.rows(ROWS_SHOWN), book.counts()
    except StoreMissing:
        rows, counts = (), {}
    told: list[JsonValue] = [
        {
            "job": row.job,
            "due": row.due.isoformat(),
            "state": row.state,
            "started": row.started.isoformat() if row.started else None,
            "ended": row.ended.isoformat() if row.ended else None,
            "said": row.said,
        }
        for row in reversed(rows)
    ]
    by_job: list[JsonValue] = [
        {"job": job, **{state: found.get(state, 0) for state in STATES}} for job, found in counts.items()
    ]
    found = draft.derive("jobs", {"rows": told, "counts": by_job})
    return JobsView(draft.twin, found["rows"].rows(), found["counts"].rows())
