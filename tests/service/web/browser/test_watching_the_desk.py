"""A person watches a desk that trades: what is stored is on the screen within a second."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from parley.desk.book import Book
from parley.storage.sql import open_sqlite

pytestmark = pytest.mark.slow

REPLAY = ("--data", "us20", "--start", "2021-03-01", "--end", "2021-03-05", "--accelerate", "40000")
"""From a Monday to a Friday: a close every two seconds."""
GOAL_MS = 1_000.0
"""Of the typical session. The slowest gets more: the desk takes one core, and the browser works in what is left."""
SLOWEST_MS = 3_000.0
NOTE_WHEN_SHOWN = """() => {
  const shown = {};
  const note = () => {
    const times = document.querySelectorAll("#part-desk_figures time[datetime]");
    for (const time of times) shown[time.dateTime] ??= Date.now();
  };
  new MutationObserver(note).observe(document.querySelector("main"), { childList: true, characterData: true,
    attributes: true, subtree: true });
  note();
  window.parleyShown = shown;
}"""
"""For each session, when its close was first in the figures on the screen."""


def stored_at_ms(book: Path) -> dict[str, float]:
    """When the close of each session was written, by the same clock."""
    database = open_sqlite(Book(book).latest().log_path, readonly=True)
    found = database.rows("SELECT payload, recorded_at FROM events WHERE type = 'PortfolioMarked'")
    database.close()
    return {
        json.loads(str(payload))["session"]: 1e3 * datetime.fromisoformat(str(at)).timestamp() for payload, at in found
    }


def test_a_close_is_on_the_screen_within_a_second_of_being_stored(
    tmp_path: Path, serve: Callable[..., Any], start: Callable[..., Any], screen: Callable[..., Any]
) -> None:
    book = tmp_path / "book"
    with serve(book) as url:
        desk = screen(url)
        empty = desk.page.locator("#first-run").inner_text()
        with start(tmp_path, "trade", *REPLAY, "--book", book, "--json") as replay:
            desk.page.locator("#part-desk_figures time").wait_for(timeout=60_000)
            desk.page.evaluate(NOTE_WHEN_SHOWN)
            footing = desk.page.locator("#part-desk_footing").inner_text()
            said, _ = replay.communicate(timeout=120)
            last = max(stored_at_ms(book))
            desk.page.locator(f"#part-desk_figures time[datetime='{last}']").wait_for()
        shown: dict[str, float] = desk.page.evaluate("() => window.parleyShown")
        desk.page.locator("#part-desk_footing", has_text="Recorded run").wait_for()
        desk.page.context.close()

    stored = stored_at_ms(book)
    delays_ms = sorted(at - stored[day] for day, at in list(shown.items())[1:])
    print(f"{len(delays_ms)} of {len(stored)} closes on the screen, after {[round(item) for item in delays_ms]} ms")

    assert "no run yet" in empty and said and footing.startswith("Replaying 40,000×")
    assert len(delays_ms) >= 3 and median(delays_ms) < GOAL_MS and delays_ms[-1] < SLOWEST_MS
    assert last in shown
