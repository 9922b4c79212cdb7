"""Lines of live charts as data: equity and drawdown beside the index, thinned to what a screen can show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, get_args

from ...memory.performance_view import SessionRecord

Span = Literal["1m", "3m", "1y", "all"]
SPANS: tuple[Span, ...] = get_args(Span)
DAYS: dict[Span, int] = {"1m": 31, "3m": 92, "1y": 366}
MOST_POINTS = 1_500


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `tone` names its color among the house's, `fill` colors what lies under it."""

    name: str
    values: tuple[float | None, ...]
    tone: str
    fill: bool = False


def equity_lines(sessions: Sequence[SessionRecord], cash: float, span: Span) -> dict[str, Any]:
    """Return since the close before the span, of the desk and of the index where it is known."""
    begin = _begin(sessions, span)
    shown = sessions[begin:]
    base = float(sessions[begin - 1].equity) if begin else cash
    lines = [Line("desk", tuple(float(item.equity) / base - 1.0 for item in shown), "c0", fill=True)]
    levels = [item.benchmark for item in sessions[max(begin - 1, 0) :]]
    if levels and levels[0] and any(levels):
        index = tuple(None if item.benchmark is None else item.benchmark / levels[0] - 1.0 for item in shown)
        lines.append(Line("index, held", index, "c1"))
    return document(shown, "frac", lines, span)


def drawdown_lines(sessions: Sequence[SessionRecord], span: Span) -> dict[str, Any]:
    """Loss since the run's peak, as a fraction of it and downwards; of the index since its own."""
    begin = _begin(sessions, span)
    shown = sessions[begin:]
    lines = [Line("desk", tuple(-item.drawdown_frac for item in shown), "c0", fill=True)]
    if sessions and all(item.benchmark for item in sessions):
        peak, fallen = 0.0, list[float | None]()
        for item in sessions:
            level = item.benchmark or 0.0
            peak = max(peak, level)
            fallen.append(level / peak - 1.0)
        lines.append(Line("index, held", tuple(fallen[begin:]), "c1"))
    return document(shown, "frac", lines, span)


def document(sessions: Sequence[SessionRecord], unit: str, lines: Sequence[Line], span: str) -> dict[str, Any]:
    """What a chart is drawn from."""
    times = [_seconds(item.session) for item in sessions]
    kept = thin(len(times), lines[0].values if lines else ())
    return {
        "x": [times[place] for place in kept],
        "unit": unit,
        "range": span,
        "lines": [
            {"name": line.name, "tone": line.tone, "fill": line.fill, "values": [line.values[place] for place in kept]}
            for line in lines
        ],
        "seq": sessions[-1].seq if sessions else 0,
    }


def thin(count: int, values: Sequence[float | None], most: int = MOST_POINTS) -> list[int]:
    """Places that keep a long line's shape: of each stretch its lowest and its highest point, and both ends."""
    if count <= most:
        return list(range(count))
    stretch = -(-count // (most // 2))
    kept = {0, count - 1}
    for first in range(0, count, stretch):
        places = [place for place in range(first, min(first + stretch, count)) if values[place] is not None]
        if places:
            kept |= {min(places, key=lambda place: values[place] or 0.0)}
            kept |= {max(places, key=lambda place: values[place] or 0.0)}
    return sorted(kept)


def _begin(sessions: Sequence[SessionRecord], span: Span) -> int:
    """The first session of the span, which ends with the last one."""
    if span not in DAYS or not sessions:
        return 0
    start = _day(sessions[-1].session) - timedelta(days=DAYS[span])
    return next(place for place, item in enumerate(sessions) if _day(item.session) > start)


def _day(session: date) -> date:
    return session.date() if isinstance(session, datetime) else session


def _seconds(session: date) -> int:
    if isinstance(session, datetime):
        return int(session.timestamp())
    return int(datetime(session.year, session.month, session.day, tzinfo=UTC).timestamp())
