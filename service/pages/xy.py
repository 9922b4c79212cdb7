"""A picture of two numbers against each other: lines, lettered dots, and a scatter without letters."""

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape
from pydantic import JsonValue

from .charts import BOTTOM_PX, TOP_PX, WIDTH_UNITS, nice_ticks
from .numbers import shown
from .twin import Fact

Point = tuple[float, float]
Dot = tuple[str, float, float]
NEAR_PX = 13.0
NEAR_FRAC = 0.06


def xy_data(
    title: str,
    x_unit: str,
    y_unit: str,
    lines: Mapping[str, Sequence[Point]],
    dots: Sequence[Dot] = (),
    *,
    cloud: Sequence[Point] = (),
    floor: float | None = None,
) -> dict[str, JsonValue]:
    """The twin's record of a chart: its points, its scales and every label along the axes."""
    points = [*(point for line in lines.values() for point in line), *((x, y) for _, x, y in dots), *cloud]
    across, up = [x for x, _ in points], [y for _, y in points]
    x_ticks = nice_ticks(min(across), max(across), 6)
    y_ticks = nice_ticks(min(up) if floor is None else min(*up, floor), max(up))
    return {
        "title": title,
        "x_unit": x_unit,
        "y_unit": y_unit,
        "lines": {name: [[x, y] for x, y in line] for name, line in lines.items()},
        "dots": [{"name": name, "x": x, "y": y} for name, x, y in dots],
        "cloud": [[x, y] for x, y in cloud],
        "x_ticks": list(x_ticks),
        "y_ticks": list(y_ticks),
    }


def xy_chart(data: Fact, *, height_px: int = 280) -> Markup:
    """Lines in the order of their tones, the cloud behind them, dots with their names."""
    plot = _Plane(data, height_px)
    paths = "".join(
        f'<path class="l c{place}" d="M{"L".join(plot.units(row) for row in line.rows())}"/>'
        for place, (_, line) in enumerate(data["lines"].items())
        if line.rows()
    )
    cloud = "".join(plot.speck(row) for row in data["cloud"].rows())
    title = escape(data["title"].string())
    return Markup(
        f'<div class="plot"><svg class="chart" role="img" width="100%" height="{height_px}"><title>{title}</title>'
        f"{cloud}"
        f'<svg width="100%" height="{height_px}" viewBox="0 0 {WIDTH_UNITS} {height_px}" preserveAspectRatio="none">'
        f"{paths}</svg>{plot.ticks()}{plot.dots()}</svg></div>"
    )


class _Plane:
    """Where numbers land."""

    def __init__(self, data: Fact, height_px: int) -> None:
        self.data = data
        self.height_px = height_px
        self.floor_px = height_px - BOTTOM_PX
        across = [tick.number() for tick in data["x_ticks"].rows()]
        up = [tick.number() for tick in data["y_ticks"].rows()]
        self.left, self.right, self.low, self.high = across[0], across[-1], up[0], up[-1]

    def x(self, value: float) -> float:
        return (value - self.left) / (self.right - self.left)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.floor_px - share * (self.floor_px - TOP_PX), 1)

    def units(self, row: Fact) -> str:
        x, y = (cell.number() for cell in row.rows())
        return f"{self.x(x) * WIDTH_UNITS:.1f} {self.y(y)}"

    def speck(self, row: Fact) -> str:
        x, y = (cell.number() for cell in row.rows())
        return f'<circle class="d" fill-opacity="0.45" cx="{self.x(x):.2%}" cy="{self.y(y)}" r="2"/>'

    def ticks(self) -> str:
        text = ""
        across, up = self.data["x_ticks"].rows(), self.data["y_ticks"].rows()
        unit, digits = self.data["y_unit"].string(), _digits(up)
        for tick in up:
            at = self.y(tick.number())
            text += f'<line class="g" x2="100%" y1="{at}" y2="{at}"/>{_label(tick, unit, digits, "-7", "0", at + 4)}'
        unit, digits = self.data["x_unit"].string(), _digits(across)
        for tick in across:
            text += _label(tick, unit, digits, f"{self.x(tick.number()):.2%}", "10", self.height_px - 5)
        return text

    def dots(self) -> str:
        """Every dot; neighbors share one label with all their names."""
        rows = [
            (row["name"].string(), self.x(row["x"].number()), self.y(row["y"].number()))
            for row in self.data["dots"].rows()
        ]
        marks = "".join(f'<circle class="d" cx="{x:.2%}" cy="{y}" r="4.5"/>' for _, x, y in rows)
        groups: list[tuple[str, float, float]] = []
        for name, x, y in sorted(rows, key=lambda row: row[1]):
            near = (k for k, (_, at, up) in enumerate(groups) if abs(at - x) < NEAR_FRAC and abs(up - y) < NEAR_PX)
            place = next(near, None)
            if place is None:
                groups.append((name, x, y))
            else:
                groups[place] = (f"{groups[place][0]}, {name}", *groups[place][1:])
        return "".join(_name(name, x, y) for name, x, y in groups) + marks


def _name(name: str, x: float, y: float) -> str:
    """A name beside its dot, on the side that has room."""
    side = 'dx="-8" text-anchor="end"' if x > 0.8 else 'dx="8"'
    return f'<text x="{x:.2%}" {side} y="{y - 6:.1f}">{escape(name)}</text>'


def _label(tick: Fact, unit: str, digits: int, x: str, shift: str, y: float) -> str:
    digits = max(digits - 2, 0) if unit == "frac" else digits
    return (
        f'<text class="n {unit}" x="{x}" dx="{shift}" y="{y:.1f}" data-value="{tick.raw}" '
        f'data-ref="{escape(tick.ref)}">{shown(tick.raw, unit, digits)}</text>'
    )


def _digits(ticks: Sequence[Fact]) -> int:
    """Decimals that tell the ticks apart; they are round, so their step says it."""
    step = ticks[1].number() - ticks[0].number() if len(ticks) > 1 else 1.0
    return next((places for places in range(7) if math.isclose(round(step, places), step, rel_tol=1e-6)), 6)
