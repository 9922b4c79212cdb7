"""The page of reverting spreads: the record of trading them first, then the spreads of today with their bands."""

from collections.abc import Mapping
from typing import Any

from ...market.cards import DataCard
from .charts import bar, chart_data, line_chart
from .render import render
from .twin import Fact, Twin

PICTURES = 4
"""Spreads drawn; the table has them all."""
SCORE_SPAN = 3.0


def pairs_page(twin: Twin, entries: Mapping[str, Fact], session: str, card: DataCard) -> str:
    """The HTML; `entries` are ledger entries by the name of their tool."""
    now, record = entries["reverting_spreads"]["output"], entries["reversion_record"]["output"]
    rows = now["rows"].rows()
    kinds = [] if record.maybe("refused") else list(record["kinds"].items())
    return render(
        "pairs.html",
        title="Spreads",
        name=card.name,
        session=session,
        record=record,
        kinds=kinds,
        equity=_equity(twin, entries["reversion_record"]) if kinds else None,
        tried=[
            {"kind": kind, "tried": count, "passed": now["passed"][kind], "by_chance": now["by_chance"][kind]}
            for kind, count in now["tried"].items()
            if count.number() > 0
        ],
        rows=[{"row": row, "bar": bar(row["s_score"].number(), SCORE_SPAN, signed=True)} for row in rows],
        pictures=[_picture(twin, entries["reverting_spreads"], place) for place in range(min(PICTURES, len(rows)))],
        survivorship=twin.derive("card", card.name, {"survivorship": card.survivorship})["survivorship"],
        evidence=list(entries.values()),
    )


def _equity(twin: Twin, entry: Fact) -> object:
    """What one unit of gross value became out of sample, by kind, each quarter's spreads chosen before it."""
    output = entry["output"]
    days = [day.string() for day in output["sessions"].rows()]
    lines = {kind: [value.number() for value in row["equity"].rows()] for kind, row in output["kinds"].items()}
    data = chart_data("A unit of value traded out of sample, net of costs", "ratio", days, lines, {"start": 1.0})
    return line_chart(twin.derive("pairs_equity", entry.ref_id, data))


def _picture(twin: Twin, entry: Fact, place: int) -> dict[str, Any]:
    """One spread over its year, with the two edges of its band and its level as lines across."""
    output = entry["output"]
    row = output["rows"].rows()[place]
    levels = {name: row[name].number() for name in ("level", "entry", "exit")}
    days = [day.string() for day in output["sessions"].rows()]
    path = [value.number() for value in row["path"].rows()]
    data = chart_data(f"Spread {row['label'].string()}", "frac", days, {"spread": path}, levels)
    return {"row": row, "chart": line_chart(twin.derive("spread_path", [entry.ref_id, place], data), height_px=150)}
