"""A run's equity beside the index and the baselines, and the pictures drawn from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import JsonValue

from ...domain.canonical import content_hash
from ...quant.arrays import FloatArray
from . import charts
from .errors import SeriesMismatch
from .record import RunRecord
from .twin import Twin

MAX_POINTS = 480
"""Points drawn per line; more than that would not be seen."""


@dataclass(frozen=True, slots=True)
class Curves:
    """The desk and what it is measured against, over the same sessions."""

    sessions: Sequence[str]
    lines: Mapping[str, FloatArray]
    inputs: JsonValue


def curves_of(record: RunRecord, baselines: Mapping[str, Sequence[float]]) -> Curves:
    """The desk first, then the index of the marks, then the baselines, each of one value per session."""
    marks = record.marks
    n = len(marks.sessions)
    lines: dict[str, FloatArray] = {"Desk": np.array(marks.equity)}
    index = [level for level in marks.benchmark if level is not None]
    if n and len(index) == n:
        lines["Index"] = np.array(index)
    for name, values in baselines.items():
        if len(values) != n:
            raise SeriesMismatch(
                f"baseline {name}: found {len(values)} values, expected {n}, one per session of the run",
                remedy="Compute the baseline over the run's own sessions, from its first close to its last.",
            )
        lines[name] = np.array(values, dtype=np.float64)
    inputs: JsonValue = {
        "events": "PortfolioMarked",
        "first_seq": marks.first_seq,
        "last_seq": marks.last_seq,
        "series_hash": content_hash({name: line.tolist() for name, line in lines.items()}),
    }
    return Curves(marks.sessions, lines, inputs)


def equity_chart(twin: Twin, curves: Curves) -> dict[str, object] | None:
    """Growth of one unit; logarithmic once anything more than tripled, so that equal growth looks equal."""
    if len(curves.sessions) < 2:
        return None
    growth = {name: line / line[0] for name, line in curves.lines.items()}
    rows = _rows_shown(growth)
    is_log = max(float(line.max() / line.min()) for line in growth.values()) > 3.0
    lines = {name: [round(float(line[k]), 6) for k in rows] for name, line in growth.items()}
    title = "Growth of one unit of equity" + (", logarithmic" if is_log else "")
    data = charts.chart_data(title, "multiple", [curves.sessions[k] for k in rows], lines, log=is_log)
    fact = twin.derive("equity_chart", curves.inputs, data)
    return {"svg": charts.line_chart(fact, height_px=300), "title": title, "names": list(lines)}


def drawdown_chart(twin: Twin, curves: Curves) -> dict[str, object] | None:
    if len(curves.sessions) < 2:
        return None
    growth = {name: line / line[0] for name, line in curves.lines.items()}
    falls = {name: line / np.maximum.accumulate(line) - 1.0 for name, line in growth.items()}
    rows = _rows_shown({**growth, **{f"{name} drawdown": line for name, line in falls.items()}})
    lines = {name: [round(float(line[k]), 6) + 0.0 for k in rows] for name, line in falls.items()}
    days = [curves.sessions[k] for k in rows]
    data = charts.chart_data("Drawdown from the highest equity so far", "frac", days, lines, floor=0.0)
    fact = twin.derive("drawdown_chart", curves.inputs, data)
    return {"svg": charts.line_chart(fact, height_px=180, area=True), "names": list(lines)}


def gross_chart(twin: Twin, record: RunRecord, curves: Curves) -> dict[str, object] | None:
    if len(curves.sessions) < 2:
        return None
    line = np.array(record.marks.gross)
    rows = _rows_shown({"gross": line})
    values = [round(float(line[k]), 6) for k in rows]
    days = [curves.sessions[k] for k in rows]
    data = charts.chart_data("Gross exposure", "frac", days, {"Gross exposure": values}, floor=0.0)
    fact = twin.derive("gross_chart", curves.inputs, data)
    return {"svg": charts.line_chart(fact, height_px=140, area=True)}


def _rows_shown(lines: Mapping[str, FloatArray]) -> list[int]:
    """Evenly spaced rows plus every line's extremes, so that thinning never hides a peak or a trough."""
    n = len(next(iter(lines.values())))
    rows = set(np.linspace(0, n - 1, min(n, MAX_POINTS)).round().astype(int).tolist())
    for line in lines.values():
        rows |= {int(line.argmin()), int(line.argmax())}
    return sorted(rows)
