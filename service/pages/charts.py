"""Inline SVG charts: pure functions from a chart's data in the twin to markup, crisp at every width.

Geometry: text and dots stand at percentages of the width and pixels of the height, so letters keep their
size on a phone; curves live in a nested drawing that stretches sideways while its strokes do not.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from markupsafe import Markup, escape
from pydantic import JsonValue

from .date_axis import date_ticks
from .numbers import shown
from .twin import Fact

TOP_PX = 8
BOTTOM_PX = 24
WIDTH_UNITS = 1000


def chart_data(
    title: str,
    unit: str,
    dates: Sequence[str],
    lines: Mapping[str, Sequence[float | None]],
    levels: Mapping[str, float] | None = None,
    log: bool = False,
    floor: float | None = None,
) -> dict[str, JsonValue]:
    """The twin's record of a chart: the points drawn, the scale, and every label along the axes."""
    values = [y for line in lines.values() for y in line if y is not None] + list((levels or {}).values())
    low, high = min(values), max(values)
    if floor is not None:
        low = min(low, floor)
        high = max(high, floor)
    ticks = log_ticks(low, high) if log else nice_ticks(low, high)
    return {
        "title": title,
        "unit": unit,
        "log": log,
        "low": min(low, ticks[0]) if not log else low,
        "high": max(high, ticks[-1]) if not log else high,
        "x": list(dates),
        "lines": {name: list(line) for name, line in lines.items()},
        "levels": dict(levels or {}),
        "y_ticks": list(ticks),
        "x_ticks": [{"at": at, "text": text} for at, text in date_ticks(dates)],
    }


def line_chart(data: Fact, *, height_px: int = 220, area: bool = False, mark_at: int | None = None) -> Markup:
    """Lines over dates. `area` fills from zero; `mark_at` is the row of a vertical line (the decision)."""
    plot = _Plot(data, height_px)
    parts = [plot.grid(), plot.date_labels()]
    shapes = []
    for place, (_, line) in enumerate(data["lines"].items()):
        ys = [None if row.raw is None else row.number() for row in line.rows()]
        if area:
            shapes.append(f'<path class="a c{place}" d="{plot.area(ys)}"/>')
        shapes.append(f'<path class="l c{place}" d="{plot.path(ys)}"/>')
    for place, (_, level) in enumerate(data["levels"].items()):
        y = plot.y(level.number())
        shapes.append(f'<path class="v v{place}" d="M0 {y}H{WIDTH_UNITS}"/>')
    if mark_at is not None:
        x = plot.x(mark_at) * WIDTH_UNITS
        shapes.append(f'<path class="m" d="M{x:.1f} {TOP_PX}V{height_px - BOTTOM_PX}"/>')
    return plot.svg("".join(shapes), "".join(parts))


def fills_data(
    title: str, times: Sequence[str], prices: Sequence[float], quantities: Sequence[int], arrival: float
) -> dict[str, JsonValue]:
    """The twin's record of an execution chart: each fill, the quantity done so far, and the arrival price."""
    done: list[int] = []
    for quantity in quantities:
        done.append((done[-1] if done else 0) + quantity)
    ticks = nice_ticks(min([*prices, arrival]), max([*prices, arrival]), 3)
    return {
        "title": title,
        "unit": "price",
        "log": False,
        "low": min([*prices, arrival, ticks[0]]),
        "high": max([*prices, arrival, ticks[-1]]),
        "x": list(times),
        "place": [_clock_frac(time, times) for time in times],
        "price": list(prices),
        "done": list(done),
        "arrival": arrival,
        "y_ticks": list(ticks),
    }


def fills_chart(data: Fact, *, height_px: int = 220) -> Markup:
    """Fills over the session: dots at their prices above, the filled share growing below."""
    plot = _Plot(data, height_px, below_px=56)
    places = [0.03 + 0.94 * row.number() for row in data["place"].rows()]
    prices = [row.number() for row in data["price"].rows()]
    done = [row.number() for row in data["done"].rows()]
    foot, head = height_px - BOTTOM_PX, height_px - BOTTOM_PX - 44
    steps = f"M0 {foot}"
    for place, quantity in zip(places, done, strict=True):
        steps += f"H{place * WIDTH_UNITS:.1f}V{foot - (foot - head) * quantity / done[-1]:.1f}"
    arrival = f'<path class="v v0" d="M0 {plot.y(data["arrival"].number())}H{WIDTH_UNITS}"/>'
    shapes = f'<path class="a c0" d="{steps}H{WIDTH_UNITS}V{foot}Z"/><path class="l c0" d="{steps}H{WIDTH_UNITS}"/>'
    dots = "".join(
        f'<circle class="d" cx="{place:.2%}" cy="{plot.y(price)}" r="3.5"/>'
        for place, price in zip(places, prices, strict=True)
    )
    ends = _clock_labels(data, places, height_px)
    return plot.svg(shapes + arrival, plot.grid() + dots + ends)


def bar(value: float, scale: float, *, signed: bool = False, tone: str = "c0") -> Markup:
    """A bar beside a number in a table cell; it repeats that number, so screen readers skip it."""
    share = max(-1.0, min(1.0, value / scale)) if scale > 0 else 0.0
    if signed:
        return _bar(_part(tone, 50 + min(0.0, 50 * share), 50 * abs(share)) + _part("zero", 49.7, 0.6))
    return _bar(_part(tone, 0.0, 100 * abs(share)))


def sparkline(data: Fact) -> Markup:
    """A small line without axes, for a table cell; its shape repeats closes that the twin holds."""
    values = [row.number() for row in data.rows()]
    low, high = min(values), max(values)
    span = high - low or 1.0
    points = " ".join(
        f"{100 * k / max(len(values) - 1, 1):.1f},{22 - 20 * (value - low) / span:.1f}"
        for k, value in enumerate(values)
    )
    return Markup(
        '<svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">'
        f'<polyline points="{points}"/></svg>'
    )


def step_bar(before: float, after: float, scale: float) -> Markup:
    """One step of a waterfall: what is left in full color, what this step took away or added in a light one."""
    if scale <= 0:
        return _bar("")
    left, right = sorted((100 * min(abs(before) / scale, 1.0), 100 * min(abs(after) / scale, 1.0)))
    return _bar(_part("c0", 0.0, left) + _part("gone" if abs(after) < abs(before) else "more", left, right - left))


def span_bar(start: float, end: float, zero: float, tone: str) -> Markup:
    """A bar between two places of its width, with a thin mark where nothing is."""
    left, right = sorted((100 * start, 100 * end))
    return _bar(_part(tone, left, max(right - left, 0.6)) + _part("zero", min(100 * zero, 99.4), 0.6))


def nice_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round numbers from at or below `low` to at or above `high`, about `count` steps apart."""
    if high - low <= max(1e-9 * max(abs(low), abs(high)), 1e-12):
        pad = abs(low) * 0.01 if abs(low) > 1e-6 else 1.0
        low, high = low - pad, high + pad
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * (1 - 1e-9)), 10 * power)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    # Rounded to the step's own decimals, so that a label never shows the noise of a float product.
    places = max(0, 2 - math.floor(math.log10(step)))
    return [round(k * step, places) + 0.0 for k in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers inside a positive span on a logarithmic axis; linear ones when it is short."""
    for multiples in ((1,), (1, 3), (1, 2, 5)):
        ticks = [
            float(m * 10.0**p)
            for p in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            for m in multiples
            if low <= m * 10.0**p <= high
        ]
        if len(ticks) >= 3:
            return ticks[:: 1 + (len(ticks) - 1) // 6]
    return [tick for tick in nice_ticks(low, high) if low <= tick <= high] or [low]


class _Plot:
    """The frame of one chart: where a row and a value land, and the labels around them."""

    def __init__(self, data: Fact, height_px: int, below_px: int = 0) -> None:
        self.data = data
        self.height_px = height_px
        self.floor_px = height_px - BOTTOM_PX - below_px
        self.rows = len(data["x"].rows())
        self.log = data["log"].raw is True
        self.low = self._scaled(data["low"].number())
        self.high = self._scaled(data["high"].number())

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.log else value

    def x(self, row: int) -> float:
        return row / (self.rows - 1) if self.rows > 1 else 0.5

    def y(self, value: float) -> float:
        span = self.high - self.low
        share = (self._scaled(value) - self.low) / span if span > 0 else 0.5
        return round(self.floor_px - share * (self.floor_px - TOP_PX), 1)

    def path(self, ys: Sequence[float | None]) -> str:
        """Straight lines between neighbors; a missing value leaves a gap, and a lone one a dot."""
        text, pen_down = "", False
        for row, y in enumerate(ys):
            if y is not None:
                text += f"{'L' if pen_down else 'M'}{self.x(row) * WIDTH_UNITS:.1f} {self.y(y)}"
                text += "" if pen_down else "h0"
            pen_down = y is not None
        return text

    def area(self, ys: Sequence[float | None]) -> str:
        zero = self.y(0.0)
        inner = "".join(f"L{self.x(k) * WIDTH_UNITS:.1f} {self.y(y)}" for k, y in enumerate(ys) if y is not None)
        return f"M0 {zero}{inner}L{WIDTH_UNITS} {zero}Z"

    def grid(self) -> str:
        text = ""
        unit = self.data["unit"].string()
        ticks = self.data["y_ticks"].rows()
        digits = _tick_digits([tick.number() for tick in ticks], unit)
        for tick in ticks:
            y = self.y(tick.number())
            label = shown(tick.raw, unit, digits)
            text += f'<line class="g" x2="100%" y1="{y}" y2="{y}"/><text class="n {unit}" x="-7"'
            text += f' y="{y + 4:.1f}" data-value="{tick.raw}" data-ref="{escape(tick.ref)}">{label}</text>'
        return text

    def date_labels(self) -> str:
        text = ""
        for tick in self.data["x_ticks"].rows():
            place = self.x(int(tick["at"].number()))
            text += f'<text class="t" x="{place:.2%}" y="{self.height_px - 5}" text-anchor="middle">'
            text += f"{escape(tick['text'].string())}</text>"
        return text

    def svg(self, shapes: str, labels: str) -> Markup:
        height, title = self.height_px, escape(self.data["title"].string())
        return Markup(
            f'<div class="plot"><svg class="chart" role="img" width="100%" height="{height}"><title>{title}</title>'
            f'<svg width="100%" height="{height}" viewBox="0 0 {WIDTH_UNITS} {height}" preserveAspectRatio="none">'
            f"{shapes}</svg>{labels}</svg></div>"
        )


def _bar(inside: str) -> Markup:
    return Markup(f'<svg class="bar" aria-hidden="true">{inside}</svg>')


def _part(tone: str, start: float, width: float) -> str:
    if width < 0.05:
        return ""
    return f'<rect class="{tone}" x="{start:.1f}%" width="{width:.1f}%"/>'


def _clock_frac(time: str, times: Sequence[str]) -> float:
    first, last = datetime.fromisoformat(times[0]), datetime.fromisoformat(times[-1])
    span = (last - first).total_seconds()
    return round((datetime.fromisoformat(time) - first).total_seconds() / span, 4) if span > 0 else 0.5


def _clock_labels(data: Fact, places: Sequence[float], height_px: int) -> str:
    times = data["x"].rows()
    is_short = times[0].string()[:16] == times[-1].string()[:16]  # within one minute only seconds tell its ends apart
    ends = ((0, "start"), (len(times) - 1, "end")) if places[-1] > places[0] else ((0, "middle"),)
    return "".join(
        f'<text class="t" x="{places[k]:.2%}" y="{height_px - 5}" text-anchor="{anchor}">'
        f"{escape(times[k].string()[11 : 19 if is_short else 16])}</text>"
        for k, anchor in ends
    )


def _tick_digits(ticks: Sequence[float], unit: str) -> int:
    """The fewest decimals that keep all labels of an axis apart and exact."""
    for digits in range(6):
        texts = [shown(tick, unit, digits) for tick in ticks]
        scale = 100 if unit == "frac" else 1
        exact = all(abs(round(tick * scale, digits) - tick * scale) < 1e-9 for tick in ticks)
        if exact and len(set(texts)) == len(texts):
            return digits
    return 6
