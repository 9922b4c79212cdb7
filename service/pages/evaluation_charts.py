"""Pictures of an evaluation: lines over dates, bars with intervals, reliability, a histogram with our mark."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape
from pydantic import JsonValue

from .charts import BOTTOM_PX, TOP_PX, WIDTH_UNITS, chart_data, line_chart
from .number_axis import curve_data
from .numbers import UNITS, shown
from .twin import Fact, Twin

MOST_LINES = 5
"""As many as there are tones; the JSON file holds all of them."""
MOST_POINTS = 500
LOG_FROM = 3.0
HEIGHT_PX = 240


def picture(twin: Twin, chart: Fact) -> dict[str, Any] | None:
    """What the template shows of one chart; None when it has nothing to show."""
    kind = chart["kind"].string()
    makers = {"lines": _lines, "bars": _bars, "reliability": _reliability, "histogram": _histogram}
    maker = makers.get(kind)
    if maker is None or not _values(chart):
        return None
    return {"kind": kind, "title": chart["title"], **maker(twin, chart)}


def known_unit(unit: str) -> str:
    """A unit of the table; one that is unknown is a bare number."""
    return unit if unit in UNITS else "num"


def _values(chart: Fact) -> list[float]:
    return [row.number() for _, line in chart["lines"].items() for row in line.rows() if row.raw is not None]


def _lines(twin: Twin, chart: Fact) -> dict[str, Any]:
    dates = [row.string() for row in chart["x"].rows()]
    lines = {name: [_number(row) for row in line.rows()] for name, line in chart["lines"].items()}
    for name in ("low", "high"):
        if len(chart[name].rows()) == len(dates):
            lines[f"{name} end of the interval"] = [_number(row) for row in chart[name].rows()]
    rows = _rows_shown(len(dates), list(lines.values()))
    drawn = dict(list(lines.items())[:MOST_LINES])
    unit, title = known_unit(chart["unit"].string()), chart["title"].string()
    shown_lines = {name: [line[row] for row in rows] for name, line in drawn.items()}
    values = [value for line in shown_lines.values() for value in line if value is not None]
    # Growth of many times is read in ratios: equal steps up are equal gains.
    is_log = unit == "multiple" and min(values) > 0.0 and max(values) > LOG_FROM * min(values)
    data = chart_data(title, unit, [dates[row] for row in rows], shown_lines, log=is_log)
    fact = twin.derive("lines", chart.ref, data)
    return {"svg": line_chart(fact, height_px=HEIGHT_PX), "names": list(drawn), "left_out": len(lines) > len(drawn)}


def _rows_shown(count: int, lines: Sequence[Sequence[float | None]]) -> list[int]:
    """Evenly spaced rows and every line's extremes, so that thinning never hides a peak or a trough."""
    step = max(count / MOST_POINTS, 1.0)
    rows = {min(int(place * step), count - 1) for place in range(int(count / step) + 1)}
    for line in lines:
        known = [(value, row) for row, value in enumerate(line) if value is not None]
        if known:
            rows |= {min(known)[1], max(known)[1]}
    return sorted(rows)


def _bars(twin: Twin, chart: Fact) -> dict[str, Any]:
    """Rows of a table: the first line's values with bars, and whiskers where there are intervals."""
    name, line = next(chart["lines"].items())
    lows, highs = chart["low"].rows(), chart["high"].rows()
    spans = [row.number() for row in (*lows, *highs) if row.raw is not None]
    every = [0.0, *_values(chart), *spans]
    low, high = min(every), max(every)
    rows = [
        {
            "label": label,
            "value": value if value.raw is not None else None,
            "low": _at(lows, place),
            "high": _at(highs, place),
            "bar": _bar(_number(value), _at(lows, place), _at(highs, place), low, high),
        }
        for place, (label, value) in enumerate(zip(chart["x"].rows(), line.rows(), strict=False))
    ]
    return {"rows": rows, "name": name, "unit": known_unit(chart["unit"].string()), "has_spans": bool(spans)}


def _bar(value: float | None, low: Fact | None, high: Fact | None, least: float, most: float) -> Markup:
    """A bar from zero and a whisker over it; both repeat the numbers beside them."""
    width = most - least or 1.0

    def at(number: float) -> float:
        return 100 * (number - least) / width

    if value is None:
        return Markup("")
    start, end = sorted((at(0.0), at(value)))
    parts = f'<rect class="c0" x="{start:.1f}%" width="{max(end - start, 0.3):.1f}%"/>'
    if low is not None and high is not None:
        left, right = at(low.number()), at(high.number())
        parts += f'<rect class="more" x="{left:.1f}%" y="3" style="height:2px" width="{max(right - left, 0.3):.1f}%"/>'
    parts += f'<rect class="zero" x="{min(at(0.0), 99.6):.1f}%" width="0.4%"/>'
    return Markup(f'<svg class="bar" aria-hidden="true">{parts}</svg>')


def _reliability(twin: Twin, chart: Fact) -> dict[str, Any]:
    """How often it came, over how likely it was said to be; whoever is on the line is right."""
    name, line = next(chart["lines"].items())
    points = [
        (said.number(), came.number())
        for said, came in zip(chart["x"].rows(), line.rows(), strict=False)
        if came.raw is not None
    ]
    spans = [
        (said.number(), low.number(), high.number())
        for said, low, high in zip(chart["x"].rows(), chart["low"].rows(), chart["high"].rows(), strict=False)
        if low.raw is not None and high.raw is not None
    ]
    every = [0.0, 1.0, *(y for _, *ys in spans for y in ys)]
    diagonal = [(0.0, 0.0), (1.0, 1.0)]
    data = curve_data(chart["title"].string(), ("frac", "frac"), {name: points, "as said": diagonal}, floor=min(every))
    axes = _Axes(twin.derive("reliability", chart.ref, data))
    shapes = axes.line(diagonal, "l c1") + axes.line(points, "l c0")
    shapes += "".join(axes.line([(x, low), (x, high)], "l c2") for x, low, high in spans)
    dots = "".join(axes.dot(x, y) for x, y in points)
    return {"svg": axes.svg(shapes, dots), "names": [name, "as said", "interval"]}


def _histogram(twin: Twin, chart: Fact) -> dict[str, Any]:
    """How many fell into each bin, and where ours stands."""
    name, line = next(chart["lines"].items())
    edges = [row.number() for row in chart["x"].rows()]
    counts = [row.number() if row.raw is not None else 0.0 for row in line.rows()]
    mark = chart.maybe("mark")
    ends = [*edges, mark.number()] if mark else edges
    unit = known_unit(chart["unit"].string())
    reach: list[tuple[float, float]] = [(min(ends), 0.0), (max(ends), max(counts))]
    marks = [mark.number()] if mark else []
    data = curve_data(chart["title"].string(), (unit, "count"), {name: reach}, marks, floor=0.0)
    data["counts"] = list[JsonValue](counts)
    axes = _Axes(twin.derive("histogram", chart.ref, data))
    bars = "".join(axes.column(edges[k], edges[k + 1], count) for k, count in enumerate(counts) if k + 1 < len(edges))
    bars += "".join(axes.upright(at) for at in marks)
    return {"svg": axes.svg(bars, ""), "names": [], "mark": mark, "unit": unit}


class _Axes:
    """Where two numbers land, and the labels of both axes."""

    def __init__(self, data: Fact) -> None:
        self.data = data
        self.floor_px = HEIGHT_PX - BOTTOM_PX
        self.left, self.right = data["x_low"].number(), data["x_high"].number()
        self.low, self.high = data["y_low"].number(), data["y_high"].number()

    def x(self, value: float) -> float:
        return (value - self.left) / (self.right - self.left or 1.0)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low or 1.0)
        return round(self.floor_px - share * (self.floor_px - TOP_PX), 1)

    def line(self, points: Sequence[tuple[float, float]], classes: str) -> str:
        path = "L".join(f"{self.x(x) * WIDTH_UNITS:.1f} {self.y(y)}" for x, y in points)
        return f'<path class="{classes}" d="M{path}"/>' if points else ""

    def column(self, left: float, right: float, height: float) -> str:
        start, end, top = self.x(left) * WIDTH_UNITS, self.x(right) * WIDTH_UNITS, self.y(height)
        width = max(end - start - 1.0, 0.5)
        return f'<rect class="c1" x="{start:.1f}" y="{top}" width="{width:.1f}" height="{self.floor_px - top:.1f}"/>'

    def upright(self, at: float) -> str:
        return f'<path class="l c2" d="M{self.x(at) * WIDTH_UNITS:.1f} {TOP_PX}V{self.floor_px}"/>'

    def dot(self, x: float, y: float) -> str:
        return f'<circle class="d" cx="{self.x(x):.2%}" cy="{self.y(y)}" r="4"/>'

    def svg(self, shapes: str, above: str) -> Markup:
        labels = ""
        for tick in self.data["y_ticks"].rows():
            at = self.y(tick.number())
            labels += f'<line class="g" x2="100%" y1="{at}" y2="{at}"/>'
            labels += self._label(tick, "y", "-7", f"{at + 4:.1f}", "0")
        for tick in self.data["x_ticks"].rows():
            labels += self._label(tick, "x", f"{self.x(tick.number()):.2%}", str(HEIGHT_PX - 5), "12")
        return Markup(
            f'<div class="plot"><svg class="chart" role="img" width="100%" height="{HEIGHT_PX}">'
            f"<title>{escape(self.data['title'].string())}</title>"
            f'<svg width="100%" height="{HEIGHT_PX}" viewBox="0 0 {WIDTH_UNITS} {HEIGHT_PX}" '
            f'preserveAspectRatio="none">{shapes}</svg>{labels}{above}</svg></div>'
        )

    def _label(self, tick: Fact, axis: str, x: str, y: str, shift: str) -> str:
        unit = self.data[f"{axis}_unit"].string()
        scale = UNITS[unit].scale
        ticks = [row.number() * scale for row in self.data[f"{axis}_ticks"].rows()]
        digits = next((n for n in range(6) if all(abs(round(at, n) - at) < 1e-9 for at in ticks)), 6)
        return (
            f'<text class="n {unit}" x="{x}" dx="{shift}" y="{y}" data-value="{tick.raw}" '
            f'data-ref="{escape(tick.ref)}">{shown(tick.raw, unit, digits)}</text>'
        )


def _at(rows: Sequence[Fact], place: int) -> Fact | None:
    return rows[place] if place < len(rows) and rows[place].raw is not None else None


def _number(row: Fact) -> float | None:
    return None if row.raw is None else row.number()
