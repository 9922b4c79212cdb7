"""Inline SVG curves over a numeric axis, such as a threshold or a number of days, in the look of `charts`."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape
from pydantic import JsonValue

from .charts import BOTTOM_PX, TOP_PX, WIDTH_UNITS, nice_ticks
from .numbers import UNITS, shown
from .twin import Fact

Points = Sequence[tuple[float, float]]
X_TICKS, Y_TICKS = 5, 4


def curve_data(
    title: str,
    units: tuple[str, str],
    curves: Mapping[str, Points],
    marks: Sequence[float] = (),
    floor: float | None = None,
) -> dict[str, JsonValue]:
    """The twin's record of a chart: units of both axes, the points of each curve, marks on the x axis, and scales."""
    points = [point for curve in curves.values() for point in curve]
    across, up = [x for x, _ in points], [y for _, y in points]
    if floor is not None:
        up.append(floor)
    x_ticks, y_ticks = nice_ticks(min(across), max(across), X_TICKS), nice_ticks(min(up), max(up), Y_TICKS)
    return {
        "title": title,
        "x_unit": units[0],
        "y_unit": units[1],
        "curves": {name: {"x": [x for x, _ in curve], "y": [y for _, y in curve]} for name, curve in curves.items()},
        "marks": list(marks),
        "x_low": min(across),
        "x_high": max(across),
        "y_low": y_ticks[0],
        "y_high": y_ticks[-1],
        "x_ticks": [tick for tick in x_ticks if min(across) <= tick <= max(across)],
        "y_ticks": list(y_ticks),
    }


def curve_chart(data: Fact, *, height_px: int = 200) -> Markup:
    """The curves in the colors of their order; each mark is a dotted upright line."""
    floor_px = height_px - BOTTOM_PX

    def x(value: float) -> float:
        return _share(value, data["x_low"].number(), data["x_high"].number())

    def y(value: float) -> float:
        share = _share(value, data["y_low"].number(), data["y_high"].number())
        return round(floor_px - share * (floor_px - TOP_PX), 1)

    shapes = ""
    for place, (_, curve) in enumerate(data["curves"].items()):
        pairs = zip(curve["x"].rows(), curve["y"].rows(), strict=True)
        line = "L".join(f"{x(a.number()) * WIDTH_UNITS:.1f} {y(b.number())}" for a, b in pairs)
        shapes += f'<path class="l c{place}" d="M{line}"/>'
    for mark in data["marks"].rows():
        shapes += f'<path class="m" d="M{x(mark.number()) * WIDTH_UNITS:.1f} {TOP_PX}V{floor_px}"/>'
    labels = ""
    for tick in data["y_ticks"].rows():
        at = y(tick.number())
        labels += f'<line class="g" x2="100%" y1="{at}" y2="{at}"/>'
        labels += _label(tick, data["y_unit"].string(), data["y_ticks"], "-7", f"{at + 4:.1f}", "0")
    for tick in data["x_ticks"].rows():
        place = f"{x(tick.number()):.2%}"
        labels += _label(tick, data["x_unit"].string(), data["x_ticks"], place, str(height_px - 5), "12")
    return Markup(
        f'<div class="plot"><svg class="chart" role="img" width="100%" height="{height_px}">'
        f"<title>{escape(data['title'].string())}</title>"
        f'<svg width="100%" height="{height_px}" viewBox="0 0 {WIDTH_UNITS} {height_px}" preserveAspectRatio="none">'
        f"{shapes}</svg>{labels}</svg></div>"
    )


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _label(tick: Fact, unit: str, ticks: Fact, x: str, y: str, shift: str) -> str:
    text = shown(tick.raw, unit, _digits([row.number() for row in ticks.rows()], unit))
    return (
        f'<text class="n {unit}" x="{x}" dx="{shift}" y="{y}" data-value="{tick.raw}" '
        f'data-ref="{escape(tick.ref)}">{text}</text>'
    )


def _digits(ticks: Sequence[float], unit: str) -> int:
    """The fewest decimals that show every tick of an axis as it is."""
    scale = UNITS[unit].scale
    return next((n for n in range(6) if all(abs(round(t * scale, n) - t * scale) < 1e-9 for t in ticks)), 6)
