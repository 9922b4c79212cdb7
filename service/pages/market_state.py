"""The page of the market's state: charts with patterns and regimes, indicators in words, records beside claims."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from markupsafe import Markup
from pydantic import JsonValue

from ...market.cards import DataCard
from .charts import bar, chart_data, line_chart
from .market_charts import price_chart, price_data
from .render import render
from .twin import Fact, Twin

PANEL_PX = 130
BREAKS_SHOWN = 6
Line = Sequence[float | None]
PANELS: Mapping[str, tuple[str, Mapping[str, float]]] = {
    "rsi": ("RSI", {"overbought": 70.0, "oversold": 30.0}),
    "macd": ("MACD, its signal, and what lies between", {}),
    "adx": ("ADX, with the up and down movement", {"trending": 25.0}),
    "atr": ("Average true range", {}),
    "mfi": ("Money flow", {"overbought": 80.0, "oversold": 20.0}),
}
GROUPS = (
    ("trend", "Trend: follow it"),
    ("volume", "Volume"),
    ("reversal", "Stretch: fade it"),
    ("volatility", "Volatility"),
)


class Marked(Protocol):
    """A pattern on a picture."""

    @property
    def row(self) -> int: ...
    @property
    def side(self) -> int: ...
    @property
    def price(self) -> float: ...


class Drawn(Protocol):
    """The series of one picture, as long as its days; `regimes` may be empty."""

    @property
    def name(self) -> str: ...
    @property
    def days(self) -> Sequence[str]: ...
    @property
    def lines(self) -> Mapping[str, Line]: ...
    @property
    def marks(self) -> Sequence[Marked]: ...
    @property
    def regimes(self) -> Sequence[str]: ...
    @property
    def panels(self) -> Mapping[str, Mapping[str, Line]]: ...


def market_page(
    twin: Twin,
    entries: Sequence[Fact],
    pictures: Sequence[Drawn],
    brief: Sequence[str],
    session: str,
    card: DataCard,
    switches: Fact,
) -> str:
    """The HTML; `entries` are ledger entries, each of one tool and (but for the pooled record) one series.

    `switches` is what regimes switch by rule, and the changes that a run has logged.
    """
    found = {(entry["tool"].string(), str(entry["output"]["series"].raw)): entry for entry in entries}
    pooled = next(entry for entry in entries if entry["tool"].raw == "pattern_record")["output"]
    return render(
        "market_state.html",
        title="Market",
        name=card.name,
        session=session,
        series=[_series(twin, found, picture) for picture in pictures],
        brief=[_brief(found, name) for name in brief],
        pooled=pooled,
        pooled_rows=[_record(row) for row in pooled["record"].rows()],
        survivorship=twin.derive("survivorship", card.name, card.survivorship),
        evidence=entries,
        switches=switches,
    )


def _series(twin: Twin, found: Mapping[tuple[str, str], Fact], picture: Drawn) -> dict[str, object]:
    read, candles, patterns, regimes, changes = (
        found[tool, picture.name]["output"]
        for tool in ("indicator_history", "candlesticks", "chart_patterns", "regime_history", "change_points")
    )
    return {
        "name": picture.name,
        "read": read,
        "groups": [(text, rows) for group, text in GROUPS if (rows := read["rows"].where(group=group))],
        "absent": [row["name"].string() for row in read["absent"].rows()],
        "candles": candles,
        "patterns": patterns,
        "overall": [_record(row) for row in _rows(patterns, "record") if row["judged"].number() > 0],
        "regimes": regimes,
        "states": [_state(regimes, label) for label, _ in _items(regimes, "annual_vol")],
        "changes": changes,
        "changed": _rows(changes, "changes")[:BREAKS_SHOWN],
        "chart": _price_chart(twin, found["chart_patterns", picture.name], picture, changes),
        "panels": [_panel(twin, found["indicator_history", picture.name], picture, name) for name in picture.panels],
    }


def _price_chart(twin: Twin, source: Fact, picture: Drawn, changes: Fact) -> Markup:
    place = {day: row for row, day in enumerate(picture.days)}
    breaks = [place[day] for row in _rows(changes, "changes") if (day := row["began"].string()) in place]
    marks = [{"row": mark.row, "side": mark.side, "price": mark.price} for mark in picture.marks]
    data = price_data(picture.name, picture.days, picture.lines, marks, breaks, picture.regimes)
    inputs: dict[str, JsonValue] = {"series": picture.name, "source": source.ref_id, "chart": "price"}
    return price_chart(twin.derive("market_chart", inputs, data))


def _panel(twin: Twin, source: Fact, picture: Drawn, name: str) -> dict[str, object]:
    title, levels = PANELS[name]
    data = chart_data(f"{picture.name}: {title}", "num", picture.days, picture.panels[name], levels)
    inputs: dict[str, JsonValue] = {"series": picture.name, "source": source.ref_id, "chart": name}
    fact = twin.derive("market_chart", inputs, data)
    return {"title": title, "svg": line_chart(fact, height_px=PANEL_PX), "names": list(picture.panels[name])}


def _state(regimes: Fact, label: str) -> dict[str, object]:
    after = regimes["by_label"].where(label=label)
    return {
        "label": label,
        "now": regimes["now"].maybe(label),
        "bar": bar(regimes["now"][label].number(), 1.0),
        "frozen": regimes["now_frozen"].maybe(label),
        "vol": regimes["annual_vol"].maybe(label),
        "dwell": regimes["dwell_days"].maybe(label),
        "share": after[0]["share"] if after else None,
        "next": after[0].maybe("next_day_annual_vol") if after else None,
    }


def _record(row: Fact) -> dict[str, object]:
    """A row of a record, and whether its interval leaves out what drift alone would give."""
    low, high, drift = row.maybe("low"), row.maybe("high"), row.maybe("by_drift")
    told = ""
    if low is not None and high is not None and drift is not None:
        told = "better" if low.number() > drift.number() else "worse" if high.number() < drift.number() else "no better"
    return {"row": row, "told": told}


def _brief(found: Mapping[tuple[str, str], Fact], name: str) -> dict[str, object]:
    read = found["indicator_history", name]["output"]
    rsi = read["rows"].where(name="rsi")
    recent = _rows(found["chart_patterns", name]["output"], "recent")
    return {
        "name": name,
        "read": read,
        "rsi": rsi[0]["now"]["rsi"] if rsi else None,
        "pattern": recent[0] if recent else None,
    }


def _rows(output: Fact, key: str) -> list[Fact]:
    """The rows under a key; none where the tool refused."""
    part = output.maybe(key)
    return part.rows() if part else []


def _items(output: Fact, key: str) -> Iterable[tuple[str, Fact]]:
    part = output.maybe(key)
    return part.items() if part else ()
