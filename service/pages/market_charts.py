"""The price chart of the market page: closes in their bands, patterns and breaks marked, regimes as a strip below."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from markupsafe import Markup, escape
from pydantic import JsonValue

from .charts import BOTTOM_PX, TOP_PX, WIDTH_UNITS, chart_data
from .numbers import shown
from .twin import Fact

CHART_PX = 280
STRIP_PX = 10
MARK_PX = 5
MARK_GAP_PX = 10
TONES = {"calm": "good", "stressed": "c2", "crisis": "bad"}


def price_data(
    title: str,
    days: Sequence[str],
    lines: Mapping[str, Sequence[float | None]],
    marks: Sequence[Mapping[str, JsonValue]],
    breaks: Sequence[int],
    regimes: Sequence[str],
) -> dict[str, JsonValue]:
    """The twin's record of the chart: that of any line chart, then patterns, rows of breaks, and spells of regimes."""
    spells: list[JsonValue] = []
    row = 0
    for label, run in groupby(regimes):
        length = len(list(run))
        spells.append({"label": label, "row": row, "rows": length})
        row += length
    return {
        **chart_data(title, "price", days, lines),
        "marks": [dict(mark) for mark in marks],
        "breaks": list(breaks),
        "spells": spells,
    }


def price_chart(data: Fact) -> Markup:
    """Lines, triangles beside the closes that completed a pattern, dotted lines at breaks, and the strip of regimes."""
    n_rows = len(data["x"].rows())
    low, high = data["low"].number(), data["high"].number()
    floor = CHART_PX - BOTTOM_PX - STRIP_PX - 6

    def x(row: float) -> float:
        return row / max(n_rows - 1, 1)

    def y(value: float) -> float:
        return round(floor - (value - low) / (high - low) * (floor - TOP_PX), 1)

    shapes = "".join(
        f'<path class="m" d="M{x(row.number()) * WIDTH_UNITS:.1f} {TOP_PX}V{floor}"/>' for row in data["breaks"].rows()
    )
    for place, (_, line) in reversed(list(enumerate(data["lines"].items()))):
        shapes += f'<path class="l c{min(place, 1)}" d="{_path(line, x, y)}"/>'
    shapes += "".join(_spell(spell, n_rows, floor + 6) for spell in data["spells"].rows())
    labels = "".join(_price_label(tick, y(tick.number())) for tick in data["y_ticks"].rows())
    labels += "".join(
        f'<text class="t" x="{x(tick["at"].number()):.2%}" y="{CHART_PX - 5}" text-anchor="middle">'
        f"{escape(tick['text'].string())}</text>"
        for tick in data["x_ticks"].rows()
    )
    marks = "".join(_mark(mark, x(mark["row"].number()), y(mark["price"].number())) for mark in data["marks"].rows())
    return Markup(
        f'<div class="plot"><svg class="chart" role="img" width="100%" height="{CHART_PX}">'
        f"<title>{escape(data['title'].string())}</title>"
        f'<svg width="100%" height="{CHART_PX}" viewBox="0 0 {WIDTH_UNITS} {CHART_PX}" preserveAspectRatio="none">'
        f"{shapes}</svg>{labels}{marks}</svg></div>"
    )


def _path(line: Fact, x: Callable[[float], float], y: Callable[[float], float]) -> str:
    text, pen_down = "", False
    for row, value in enumerate(line.rows()):
        if value.raw is not None:
            text += f"{'L' if pen_down else 'M'}{x(row) * WIDTH_UNITS:.1f} {y(value.number())}"
        pen_down = value.raw is not None
    return text


def _spell(spell: Fact, n_rows: int, top_px: int) -> str:
    tone = TONES.get(spell["label"].string())
    if tone is None:
        return ""
    width = WIDTH_UNITS / n_rows
    return (
        f'<rect x="{spell["row"].number() * width:.1f}" y="{top_px}" width="{spell["rows"].number() * width:.1f}" '
        f'height="{STRIP_PX}" style="fill:var(--{tone})"/>'
    )


def _mark(mark: Fact, place: float, y: float) -> str:
    """A triangle under the close that points up, or above it that points down."""
    side = 1 if mark["side"].number() > 0 else -1
    tip = y + side * MARK_GAP_PX
    base = tip + side * 2 * MARK_PX
    tone = "good" if side > 0 else "bad"
    return (
        f'<svg x="{place:.2%}" overflow="visible"><path d="M0 {tip}L{-MARK_PX} {base:.1f}H{MARK_PX}Z" '
        f'style="fill:var(--{tone})"/></svg>'
    )


def _price_label(tick: Fact, y: float) -> str:
    digits = 0 if tick.number().is_integer() else 2
    return (
        f'<line class="g" x2="100%" y1="{y}" y2="{y}"/><text class="n price" x="-7" y="{y + 4:.1f}" '
        f'data-value="{tick.raw}" data-ref="{escape(tick.ref)}">{shown(tick.raw, "price", digits)}</text>'
    )
