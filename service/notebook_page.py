"""What a notebook shows of a run and of an answer: a heading, a drawing and a small table, everything escaped."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape
from pydantic import JsonValue

from ..memory.performance_view import SessionRecord
from .answers.answer import Answer
from .pages.numbers import UNITS, shown

WIDTH_PX, HEIGHT_PX = 560, 150
ROWS = 20
"""Of an answer's table; the frame has all."""
COLORS = ("#1f5fa8", "#c47a1b", "#3f8f86", "#7a5ea8", "#8d98a5")
NUMBER = Markup(' style="text-align:right"')


def run_page(heading: str, sessions: Sequence[SessionRecord]) -> str:
    """The run in one look: its equity as a line, and where it stands."""
    parts = [Markup("<h4>{}</h4>").format(heading)]
    if sessions:
        last = sessions[-1]
        cells = [
            ("session", str(last.session)),
            ("equity", shown(str(last.equity), "usd")),
            ("drawdown", shown(last.drawdown_frac, "frac")),
            ("gross", shown(last.gross, "frac")),
            ("net", shown(last.net, "frac")),
        ]
        parts.append(_drawing({"equity": [float(item.equity) for item in sessions]}, "USD"))
        parts.append(_table([name for name, _ in cells], [[text for _, text in cells]], len(cells) * [True]))
    return Markup("<div>{}</div>").format(Markup("").join(parts))


def answer_page(answer: Answer) -> str:
    """An answer's lines, its drawing and the first rows of its table."""
    lines = Markup("<br>").join(escape(line) for line in answer.lines)
    parts = [Markup("<p>{}</p>").format(lines), _chart(answer.chart)]
    if answer.rows is not None:
        table = answer.rows
        shown_rows = [
            [_cell(value, unit) for value, unit in zip(row, table.units, strict=True)] for row in table.rows[:ROWS]
        ]
        parts.append(_table(table.header, shown_rows, [unit in UNITS for unit in table.units]))
    return Markup("<div>{}</div>").format(Markup("").join(parts))


def framed(html: str) -> str:
    """A whole page within a notebook, without scripts and without its place."""
    return Markup('<iframe sandbox="" style="width:100%;height:900px;border:0" srcdoc="{}"></iframe>').format(html)


def _chart(chart: JsonValue) -> Markup:
    """Lines over dates are drawn; another chart is left to the web pages, and its figures to the table."""
    lines = chart.get("lines") if isinstance(chart, dict) else None
    if not isinstance(chart, dict) or not isinstance(lines, dict):
        return Markup("")
    found = {
        name: [float(value) for value in line if isinstance(value, int | float)]
        for name, line in lines.items()
        if isinstance(line, list)
    }
    return _drawing({name: line for name, line in found.items() if line}, str(chart.get("title", "")))


def _drawing(lines: dict[str, list[float]], title: str) -> Markup:
    if not lines:
        return Markup("")
    low, high = (pick(value for line in lines.values() for value in line) for pick in (min, max))
    span = high - low or 1.0
    drawn: list[Markup] = []
    for place, (name, line) in enumerate(lines.items()):
        step = WIDTH_PX / max(len(line) - 1, 1)
        points = " ".join(
            f"{at * step:.1f},{HEIGHT_PX - (value - low) / span * HEIGHT_PX:.1f}" for at, value in enumerate(line)
        )
        drawn.append(
            Markup(
                '<polyline points="{}" fill="none" stroke="{}" stroke-width="1.5"><title>{}</title></polyline>'
            ).format(points, COLORS[place % len(COLORS)], name)
        )
    return Markup(
        '<figure style="margin:0"><svg viewBox="-2 -2 {} {}" width="{}" role="img">{}</svg>'
        "<figcaption>{}: {}</figcaption></figure>"
    ).format(WIDTH_PX + 4, HEIGHT_PX + 4, WIDTH_PX, Markup("").join(drawn), title, _key(lines))


def _key(names: Iterable[str]) -> Markup:
    return Markup(", ").join(
        Markup('<span style="color:{}">{}</span>').format(COLORS[place % len(COLORS)], name)
        for place, name in enumerate(names)
    )


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], are_numbers: Sequence[bool]) -> Markup:
    heads = Markup("").join(Markup("<th>{}</th>").format(name) for name in header)
    lines = Markup("").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(
                Markup("<td{}>{}</td>").format(NUMBER if is_number else "", text)
                for text, is_number in zip(row, are_numbers, strict=True)
            )
        )
        for row in rows
    )
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(heads, lines)


def _cell(value: JsonValue, unit: str) -> str:
    if value is None:
        return ""
    return shown(value, unit) if unit in UNITS else str(value)
