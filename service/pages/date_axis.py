"""Where a chart's axis of dates, or of times within days, is labeled."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

MIN_LABEL_GAP_FRAC = {4: 0.095, 7: 0.17, 10: 0.24}
"""Least distance between two date labels by their length, so that they stay apart at 340 pixels."""
CLOCK_LABELS = 4
SHORT = timedelta(hours=1)
"""Within so little time seconds tell rows apart; over more, days have to be told as well."""


def date_ticks(dates: Sequence[str]) -> list[tuple[int, str]]:
    """Rows of an ascending date axis to label, with years, months, days or times as the span asks for."""
    n = len(dates)
    if len(dates[0]) > len("YYYY-MM-DD"):
        return _clock_ticks(dates)
    span_days = (datetime.fromisoformat(dates[-1]) - datetime.fromisoformat(dates[0])).days
    length = 4 if span_days > 4 * 365 else 7 if span_days > 130 else 10
    starts = [k for k in range(n) if k == 0 or dates[k][:length] != dates[k - 1][:length]]
    if length < 10:
        starts = starts[1:] or starts
    gap = max(1.0, MIN_LABEL_GAP_FRAC[length] * max(n - 1, 1))
    picked: list[int] = []
    for stride in (1, 2, 3, 4, 5, 6, 10, 12, 20, 50, 100):
        picked = starts[::stride]
        if all(b - a >= gap for a, b in pairwise(picked)):
            break
    # A label is centered on its row, so the last few rows leave it no room.
    picked = [k for k in picked if k <= 0.93 * (n - 1)] or picked[:1]
    return [(k, dates[k][:length]) for k in picked]


def _clock_ticks(dates: Sequence[str]) -> list[tuple[int, str]]:
    """Evenly spaced rows in UTC: seconds of the clock within an hour, else the day of the month and the minute."""
    rows = sorted({round(place * (len(dates) - 1) / CLOCK_LABELS) for place in range(CLOCK_LABELS)})
    is_short = datetime.fromisoformat(dates[-1]) - datetime.fromisoformat(dates[0]) <= SHORT
    form = "%H:%M:%S" if is_short else "%m-%d %H:%M"
    return [(row, datetime.fromisoformat(dates[row]).astimezone(UTC).strftime(form)) for row in rows]
