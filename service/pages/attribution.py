"""The page of a profit taken apart: effects over time, and every split with its sum."""

from ...market.cards import DataCard
from .charts import bar, chart_data, line_chart
from .render import render
from .twin import Fact, Twin

TITLES = {"decision": "Decision", "agent": "Agent", "instrument": "Name", "sector": "Sector", "effect": "Effect"}
DRAWN = 5
"""Lines that a chart can tell apart: of more effects the ones that came to most are drawn."""
MAX_POINTS = 240


def attribution_page(twin: Twin, found: Fact, card: DataCard) -> str:
    """The HTML; `found` is the command's document."""
    return render(
        "attribution.html",
        title="Attribution",
        found=found,
        chart=_chart(twin, found),
        splits=[_split(split) for split in found["splits"].rows()],
        refused=list(found["refused"].items()),
        card=twin.derive("card", card.name, {"title": card.title, "survivorship": card.survivorship}),
    )


def _split(split: Fact) -> dict[str, object]:
    rows = split["rows"].rows()
    largest = max((abs(row["amount"].number()) for row in rows), default=0.0)
    return {
        "split": split,
        "head": TITLES.get(split["name"].string(), "Factor"),
        "is_code": split["name"].string() in ("decision", "instrument"),
        "rows": [
            {"row": row, "bar": bar(row["amount"].number(), largest, signed=True, tone=_tone(row))} for row in rows
        ],
    }


def _tone(row: Fact) -> str:
    return "c0" if row["amount"].number() >= 0.0 else "c1"


def _chart(twin: Twin, found: Fact) -> dict[str, object]:
    """The effects as they added up, day by day."""
    days = [day.string() for day in found["days"].rows()]
    lines = {name: [value.number() for value in line.rows()] for name, line in found["cumulated"].items()}
    drawn = sorted(lines, key=lambda name: -max(abs(value) for value in lines[name]))[:DRAWN]
    step = max(1, -(-len(days) // MAX_POINTS))
    rows = sorted({*range(0, len(days), step), len(days) - 1})
    title = "Profit by effect, added up"
    shown = {name: [lines[name][row] for row in rows] for name in drawn}
    data = chart_data(title, "cash", [days[row] for row in rows], shown, {"nothing": 0.0})
    fact = twin.derive("attribution_chart", found["run"].string(), data)
    return {"svg": line_chart(fact, height_px=300), "title": title, "names": drawn}
