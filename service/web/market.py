"""The market as the desk saw it: its regime and how that changed, volatility, correlations, and the flow of texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from markupsafe import Markup
from pydantic import JsonValue

from ...domain.events import Event, EvidenceRecorded, PortfolioMarked, RegimeChanged
from ...market.errors import MarketError
from ...quant.arrays import FloatArray
from ...tools.bars import market_bars
from ...tools.errors import ToolError
from ...tools.ledger import figure
from ..answers.draft import Draft
from ..answers.places import BOOK
from ..answers.reader import Reading
from ..pages.charts import chart_data, line_chart
from ..pages.twin import Fact, Twin
from .parts import Asked
from .spells import Spell, spells_of, strip
from .text_flow import FlagsView, TextFlow, text_flags, text_flow

WINDOW_DAYS = 63
"""Returns that correlations are measured over: a quarter."""
VOL_DAYS = 21
YEAR_DAYS = 252
SHOWN_DAYS = 504
STEP_DAYS = 3
MOST_NAMES = 12
CHANGES_SHOWN = 12
DAYS_TOLD = 20
TONES = {"calm": "good", "stressed": "more", "crisis": "bad", "unknown": "c1"}
Rows = tuple[dict[str, JsonValue], ...]


@dataclass(frozen=True, slots=True)
class RegimeView:
    """The regime now, how sure the filter is, and how it came about."""

    twin: Twin
    regime: Fact | None
    chances: Fact | None
    """The filter's probabilities at the last decision."""
    changes: list[Fact]
    spells: list[Fact]
    strip: Markup | None

    @property
    def chances_told(self) -> list[tuple[str, Fact]]:
        """The chances, from calm to crisis."""
        found = [] if self.chances is None else list(self.chances["probability"].items())
        return sorted(found, key=lambda item: list(TONES).index(item[0]))


@dataclass(frozen=True, slots=True)
class MarketView:
    """What the data say of the market; the pictures are None where the data hold too little."""

    twin: Twin
    data: Fact
    volatility: dict[str, Any] | None
    correlation: dict[str, Any] | None


def regime_view(asked: Asked) -> RegimeView:
    """Of a run with a decision; of one without there is nothing."""
    draft = asked.reading.draft("regimes", {})
    regime, chances = _regime(asked.reading, draft)
    changes, spells, drawn = _history(asked.reading, draft, regime)
    return RegimeView(draft.twin, regime, chances, changes, spells, drawn)


def market_view(asked: Asked) -> MarketView:
    """As of the last session's close, and of what is held since."""
    return asked.reading.once("market page", lambda: _market(asked.reading), of=BOOK)


def texts_view(asked: Asked) -> TextFlow:
    """The texts the desk was given."""
    return text_flow(asked.reading, asked.reading.draft("texts", {}))


def flags_view(asked: Asked) -> FlagsView:
    """What of texts and replies looked like an attempt to steer the desk."""
    return text_flags(asked.reading, asked.reading.draft("flags", {}))


def _market(reading: Reading) -> MarketView:
    draft = reading.draft("market", {})
    return MarketView(draft.twin, _data(reading, draft), _volatility(reading, draft), _correlation(reading, draft))


def _data(reading: Reading, draft: Draft) -> Fact:
    card = reading.data.card
    view = reading.view if reading.sessions else None
    about: dict[str, JsonValue] = {
        "name": card.name,
        "title": card.title,
        "as_of": view.as_of.isoformat() if view else None,
        "fingerprint": view.fingerprint if view else None,
        "session": reading.last_session or None,
        "ends": card.last_session.isoformat(),
        "names": len(reading.symbols),
    }
    return draft.derive("market_data", about)


def _regime(reading: Reading, draft: Draft) -> tuple[Fact | None, Fact | None]:
    if not reading.decisions:
        return None, None
    event = reading.decision_event(reading.decisions[-1].decision_id)
    if event is None:
        return None, None
    decision = Fact(event.payload, event.id)["decision"]
    kept: dict[str, JsonValue] = {key: decision[key].raw for key in ("decision_id", "as_of", "regime")}
    for recorded in reading.read(EvidenceRecorded, decision_id=reading.decisions[-1].decision_id):
        entries = Fact(recorded.payload, recorded.id)["entries"].where(tool="regime")
        if entries:
            output = draft.twin.evidence([entries[0].raw])[0]["output"]
            return draft.derive("regime_now", kept), output if output.maybe("probability") else None
    return draft.derive("regime_now", kept), None


def _history(reading: Reading, draft: Draft, regime: Fact | None) -> tuple[list[Fact], list[Fact], Markup | None]:
    """The last changes, and the spells of the sessions shown with their strip."""
    changes = reading.grown("regime changes", (RegimeChanged,), cast("Rows", ()), _add_change)
    rows = draft.derive("regime_changes", [*reversed(changes[-CHANGES_SHOWN:])]).rows()
    days = [item.session.isoformat() for item in reading.sessions[-SHOWN_DAYS:]]
    if not days or regime is None:
        return rows, [], None
    first = str(changes[0]["from_regime"]) if changes else regime["regime"].string()
    found = spells_of(days, first, [(str(row["at"]), str(row["to_regime"])) for row in changes])
    return rows, _spell_rows(draft, found), strip("Regimes over the sessions", days, found, TONES)


def _spell_rows(draft: Draft, spells: Sequence[Spell]) -> list[Fact]:
    return draft.derive("spells", [item.document() for item in reversed(spells[-CHANGES_SHOWN:])]).rows()


def _add_change(rows: Rows, event: Event) -> Rows:
    payload = Fact(event.payload, event.id)
    keys = ("from_regime", "to_regime", "probability", "limit_factor", "reason", "framing")
    return (*rows, {"at": event.event_time.isoformat(), "id": event.id} | {key: payload[key].raw for key in keys})


def _volatility(reading: Reading, draft: Draft) -> dict[str, Any] | None:
    """Over the last month, annualized, day by day; None of bars within the day, whose nights are another thing."""
    if not reading.sessions or reading.view.interval is not None:
        return None
    try:
        bars = reading.once("market bars", lambda: market_bars(reading.view), of=(PortfolioMarked,))
    except (ToolError, MarketError):
        return None
    close = np.asarray(bars.close, dtype=np.float64)[-(SHOWN_DAYS + VOL_DAYS + 1) :]
    if len(close) <= VOL_DAYS + 1:
        return None
    returns = close[1:] / close[:-1] - 1.0
    windows = np.lib.stride_tricks.sliding_window_view(returns, VOL_DAYS)
    path = windows.std(axis=1, ddof=1) * np.sqrt(YEAR_DAYS)
    days = [str(day)[:10] for day in bars.sessions[-len(path) :]]
    kept = [*range(0, len(path), STEP_DAYS)]
    kept += [] if kept[-1] == len(path) - 1 else [len(path) - 1]
    lines: dict[str, list[float | None]] = {"realized": [figure(float(path[k])) for k in kept]}
    data = chart_data(f"Volatility of {bars.name}, annualized", "frac", [days[k] for k in kept], lines, floor=0.0)
    now: dict[str, JsonValue] = {
        "name": bars.name,
        "now": figure(float(path[-1])),
        "mean": figure(float(path.mean())),
        "rank": figure(float((path[:-1] < path[-1]).mean())),
        "days": VOL_DAYS,
        "sessions": len(path),
        "first": days[0],
        "last": days[-1],
    }
    chart = draft.derive("volatility_chart", data, data=reading.view.fingerprint)
    drawn = zip(chart["x"].rows(), chart["lines"]["realized"].rows(), strict=True)
    return {
        "svg": line_chart(chart, height_px=180, area=True),
        "found": draft.derive("volatility", now, data=reading.view.fingerprint),
        "last": list(drawn)[: -DAYS_TOLD - 1 : -1],
    }


def _correlation(reading: Reading, draft: Draft) -> dict[str, Any] | None:
    """How the largest positions, or else the first names, moved together over the last quarter."""
    if not reading.sessions:
        return None
    view = reading.view
    held = sorted(reading.weights.items(), key=lambda item: -abs(item[1]))
    wanted = [name for name, _ in held] or list(view.symbols)
    columns = {name: place for place, name in enumerate(view.symbols)}
    close = np.asarray(view.close[-(WINDOW_DAYS + 1) :], dtype=np.float64)
    whole = [bool(np.isfinite(close[:, place]).all()) for place in range(close.shape[1])]
    names = [name for name in wanted if name in columns and whole[columns[name]]][:MOST_NAMES]
    if len(names) < 2 or len(close) < WINDOW_DAYS + 1:
        return None
    table = _correlations(close[:, [columns[name] for name in names]])
    if not np.isfinite(table).all():
        return None
    apart = table[~np.eye(len(names), dtype=bool)]
    found = draft.derive(
        "correlations",
        {
            "names": [*names],
            "rows": [[figure(float(value)) for value in row] for row in table],
            "mean": figure(float(apart.mean())),
            "low": figure(float(apart.min())),
            "high": figure(float(apart.max())),
            "days": WINDOW_DAYS,
            "of": "sessions" if view.interval is None else "bars",
        },
        data=view.fingerprint,
    )
    rows = [
        (name, [(cell, _tone(cell.number()), place == other) for other, cell in enumerate(row.rows())])
        for place, (name, row) in enumerate(zip(names, found["rows"].rows(), strict=True))
    ]
    return {"found": found, "names": names, "rows": rows, "is_held": bool(held)}


def _correlations(close: FloatArray) -> FloatArray:
    """(n_names, n_names) of daily returns; NaN for a name that did not move."""
    returns = close[1:] / close[:-1] - 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.corrcoef(returns, rowvar=False), dtype=np.float64)


def _tone(value: float) -> str:
    """The class of a cell: how strong, and to which side."""
    strength = min(int(abs(value) * 5), 4)
    return f"{'hp' if value >= 0 else 'hn'} t{strength}" if strength else ""
