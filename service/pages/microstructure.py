"""The page of a recording: where the price and the book stand, what trading costs, and where volume was traded."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup
from pydantic import JsonValue

from ...market.recordings import Recording
from .charts import bar, chart_data, line_chart
from .render import render
from .twin import Fact, Twin

CLOCK_PLACES = (0.06, 0.28, 0.5, 0.72, 0.94)
"""Where along a picture a clock time is written."""
BPS = 10_000.0
SHORT_S = 1800
"""A picture shorter than this shows seconds."""


def microstructure_page(twin: Twin, entries: Sequence[Fact], recording: Recording, refused: Mapping[str, str]) -> str:
    """The HTML; `entries` are the ledger entries of one recording, `refused` what could not be had."""
    output = {entry["tool"].string(): entry["output"] for entry in entries}
    pressure, shape, vpin = (output.get(name) for name in ("book_pressure", "volume_shape", "toxicity"))
    findings: list[JsonValue] = [item.text for item in recording.findings]
    return render(
        "microstructure.html",
        title="Microstructure",
        symbol=recording.symbol,
        as_of=recording.as_of.isoformat(),
        files=recording.files,
        readings=[item["reading"] for item in output.values()],
        refused=[{"tool": tool, "why": twin.derive(f"refused_{tool}", tool, why)} for tool, why in refused.items()],
        pressure=pressure,
        book=_book(twin, pressure) if pressure else None,
        costs=output.get("trading_costs_now"),
        signs=output.get("trade_signs"),
        vpin=vpin,
        vpin_chart=_vpin_chart(twin, vpin) if vpin else "",
        shape=shape,
        prices=_price_rows(shape) if shape else [],
        hours=_bars(shape["by_clock"].rows(), "share") if shape and isinstance(shape["by_clock"].raw, list) else [],
        findings=twin.derive("findings", list(recording.files), findings).rows(),
        evidence=entries,
    )


def _book(twin: Twin, pressure: Fact) -> dict[str, object]:
    """Pictures of the book's path, and its levels now."""
    path = pressure["path"]
    times = [row.string() for row in path["time"].rows()]
    depths = list(path["imbalance"].items())
    ends = depths if len(depths) < 2 else [depths[0], depths[-1]]
    leans = {"Weighted": path["weighted_lean"]}
    if micro := path.maybe("micro_lean"):
        leans["Micro"] = micro
    return {
        "mid": _chart(twin, pressure, "mid", "price", times, {"Mid": path["mid"]}),
        "lean": _chart(twin, pressure, "lean", "bps", times, leans, floor=0.0),
        "has_micro": len(leans) > 1,
        "spread": _chart(twin, pressure, "spread", "bps", times, {"Spread": path["spread"]}, floor=0.0),
        "imbalance": _chart(twin, pressure, "imbalance", "ratio", times, dict(ends), floor=0.0),
        "depths": [depth for depth, _ in ends],
        "levels": _levels(pressure),
    }


def _levels(pressure: Fact) -> list[dict[str, object]]:
    rows = pressure["depth"].rows()
    largest = max((row[name].number() for row in rows for name in ("bid_size", "ask_size")), default=0.0)
    return [
        {
            "row": row,
            "bid_bar": bar(row["bid_size"].number(), largest, tone="good"),
            "ask_bar": bar(row["ask_size"].number(), largest, tone="bad"),
        }
        for row in rows
    ]


def _vpin_chart(twin: Twin, vpin: Fact) -> Markup:
    times = [row.string() for row in vpin["path"]["time"].rows()]
    lines = {"Bulk": vpin["path"]["value"]}
    sides = vpin.maybe("of_sides")
    if sides:
        lines["Recorded"] = sides["path"]
    return _chart(twin, vpin, "vpin", "ratio", times, lines)


def _price_rows(shape: Fact) -> list[dict[str, object]]:
    """Buckets of price, the dearest first, with the last price's bucket and the value area marked."""
    area, last = shape["area"], shape["last_price"].number()
    rows = _bars(shape["by_price"].rows(), "share")
    low, high = area["low"].number(), area["high"].number()
    for place, item in enumerate(rows):
        row = item["row"]
        assert isinstance(row, Fact), "made so above"
        bottom, top = row["low"].number(), row["high"].number()
        item["is_area"] = low <= bottom and top <= high
        item["is_last"] = bottom <= last and (last < top or (place == len(rows) - 1 and last <= top))
    return rows[::-1]


def _bars(rows: Sequence[Fact], name: str) -> list[dict[str, object]]:
    largest = max((row[name].number() for row in rows), default=0.0)
    return [{"row": row, "bar": bar(row[name].number(), largest)} for row in rows]


def _chart(
    twin: Twin,
    source: Fact,
    name: str,
    unit: str,
    times: Sequence[str],
    lines: Mapping[str, Fact],
    floor: float | None = None,
) -> Markup:
    """Lines over the clock, their points kept in the twin with the entry they are from; fractions are drawn as bps."""
    scale = BPS if unit == "bps" else 1.0
    values = {
        title: [None if row.raw is None else round(scale * row.number(), 9) for row in line.rows()]
        for title, line in lines.items()
    }
    data = chart_data(name.replace("_", " ").capitalize(), unit, times, values, floor=floor)
    data["x_ticks"] = _clock_ticks(times)
    return line_chart(twin.derive(f"chart_{name}", {"source": source.ref}, data), height_px=190)


def _clock_ticks(times: Sequence[str]) -> list[JsonValue]:
    is_short = times[0][:10] == times[-1][:10] and _seconds(times[-1]) - _seconds(times[0]) < SHORT_S
    places = sorted({round(place * (len(times) - 1)) for place in CLOCK_PLACES})
    return [{"at": at, "text": times[at][11 : 19 if is_short else 16]} for at in places]


def _seconds(time: str) -> int:
    hours, minutes, seconds = (int(part) for part in time[11:19].split(":"))
    return 3600 * hours + 60 * minutes + seconds
