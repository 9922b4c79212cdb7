"""The chart reader's tools: every indicator in words, candlesticks, and chart patterns with their own record."""

from collections.abc import Sequence
from typing import cast

import numpy as np

from ..quant.candles import candlestick_table
from ..quant.chart_patterns import ChartPattern, pattern_sides
from ..quant.chart_patterns import chart_patterns as found_patterns
from ..quant.errors import QuantError
from ..quant.indicator_series import indicator_names, indicator_series
from ..quant.side_record import SideRecord, side_record, wilson_interval
from .bars import Bars
from .chart_readings import read_indicator
from .ledger import Ledger, figure
from .scene import FloatArray, Scene

MONTH_BARS = 21
ATR_BARS = 14
REVERSAL_ATRS = 2.0
RECENT_BARS = 63
CANDLE_BARS = 5
HORIZONS = (5, 21)
UNDIRECTED = frozenset(
    (
        "doji",
        "dragonflydoji",
        "gravestonedoji",
        "highwave",
        "longleggeddoji",
        "longline",
        "rickshawman",
        "shortline",
        "spinningtop",
    )
)
"""Candlesticks whose sign is the color of the body, or always the same: they call no side."""


def indicator_history(ledger: Ledger, scene: Scene, bars: Bars) -> tuple[str, dict[str, object]]:
    """Every indicator of one series now and a month ago, what each is taken to say, and how many lean which way."""
    output = scene.once(f"indicator_history/{bars.name}", lambda: _indicators(bars))
    return ledger.record("indicator_history", 1, "as named", {"series": bars.name}, output).id, output


def _indicators(bars: Bars) -> dict[str, object]:
    rows: list[dict[str, object]] = []
    absent: list[dict[str, str]] = []
    tally = {group: {"up": 0, "down": 0, "neither": 0} for group in ("trend", "reversal", "volume")}
    close = float(bars.close[-1])
    for name in indicator_names():
        try:
            lines = indicator_series(name, bars.close, high=bars.high, low=bars.low, volume=bars.volume)
        except QuantError as error:
            absent.append({"name": name, "why": error.message})
            continue
        now, before = _at(lines, len(bars.close) - 1), _at(lines, len(bars.close) - 1 - MONTH_BARS)
        if len(now) < len(lines):
            absent.append({"name": name, "why": f"{name}: divides by movement, and there was none lately"})
            continue
        reading = read_indicator(name, now, before, close)
        rows.append(
            {
                "name": name,
                "group": reading.group,
                "now": now,
                "month_before": before,
                "lean": reading.lean,
                "says": reading.says,
            }
        )
        if reading.group in tally:
            tally[reading.group][("neither", "up", "down")[reading.lean]] += 1
    return {
        "series": bars.name,
        "bars": len(bars.close),
        "session": bars.day(-1),
        "close": figure(close),
        "missing_fields": list(bars.missing),
        "rows": rows,
        "absent": absent,
        "tally": tally,
    }


def _at(lines: dict[str, FloatArray], bar: int) -> dict[str, float]:
    """The outputs at a bar, without those that have no value there."""
    return {key: figure(float(line[bar])) for key, line in lines.items() if bar >= 0 and np.isfinite(line[bar])}


def candlesticks(ledger: Ledger, scene: Scene, bars: Bars) -> tuple[str, dict[str, object]]:
    """Candlestick patterns completed by the last five bars, each with how its past calls fared on this series."""
    output = scene.once(f"candlesticks/{bars.name}", lambda: _candles(bars))
    return ledger.record("candlesticks", 1, "side", {"series": bars.name}, output).id, output


def _candles(bars: Bars) -> dict[str, object]:
    if bars.open is None or bars.high is None or bars.low is None:
        lacking = ", ".join(name for name in bars.missing if name != "volume")
        return {"series": bars.name, "refused": f"candlesticks need open, high and low; the data have no {lacking}"}
    try:
        names, table = candlestick_table(bars.open, bars.high, bars.low, bars.close)
    except QuantError as error:
        return {"series": bars.name, "refused": error.message}
    sides = np.sign(table)
    rows: list[dict[str, object]] = []
    for bar in range(len(table) - 1, len(table) - 1 - CANDLE_BARS, -1):
        for column in np.flatnonzero(table[bar]).tolist():
            is_directed = names[column] not in UNDIRECTED
            record = side_record(sides[:, column], bars.close, HORIZONS[0])
            rows.append(
                {
                    "session": bars.day(bar),
                    "pattern": names[column],
                    "side": int(sides[bar, column]) if is_directed else 0,
                    "seen": int((sides[:, column] != 0).sum()),
                    "record": _record(record, HORIZONS[0]) if is_directed else None,
                }
            )
    return {"series": bars.name, "bars_looked_at": CANDLE_BARS, "patterns_known": len(names), "rows": rows}


def chart_patterns(ledger: Ledger, scene: Scene, bars: Bars) -> tuple[str, dict[str, object]]:
    """Chart patterns completed in the last quarter, and how often each kind's side was right on this very series."""
    output = scene.once(f"chart_patterns/{bars.name}", lambda: _patterns(bars))
    inputs = {"series": bars.name, "reversal_atrs": REVERSAL_ATRS, "horizons": list(HORIZONS)}
    return ledger.record("chart_patterns", 1, "price", inputs, output).id, output


def pattern_record(ledger: Ledger, scene: Scene, series: Sequence[Bars]) -> tuple[str, dict[str, object]]:
    """How often each kind of pattern was right over all the given series together.

    Names rise and fall together, so the interval is narrower than the truth.
    """
    names = [bars.name for bars in series]
    tables = [scene.once(f"chart_patterns/{bars.name}", lambda bars=bars: _patterns(bars)) for bars in series]
    rows: dict[tuple[str, int], list[dict[str, object]]] = {}
    for table in tables:
        for row in cast("list[dict[str, object]]", table.get("record", [])):
            rows.setdefault((str(row["kind"]), cast(int, row["horizon_days"])), []).append(row)
    output: dict[str, object] = {
        "series": len(names),
        "record": [{"kind": kind, **_pooled(found, days)} for (kind, days), found in sorted(rows.items())],
    }
    inputs = {"series": names, "reversal_atrs": REVERSAL_ATRS, "horizons": list(HORIZONS)}
    return ledger.record("pattern_record", 1, "fraction", inputs, output).id, output


def _pooled(rows: Sequence[dict[str, object]], horizon_days: int) -> dict[str, object]:
    judged = [cast(int, row["judged"]) for row in rows]
    if not sum(judged):
        return _record(SideRecord(0, 0, None, None, None), horizon_days)
    right = sum(cast(int, row["right"]) for row in rows)
    drift = sum(cast(float, row["by_drift"]) * n for row, n in zip(rows, judged, strict=True) if n) / sum(judged)
    return _record(SideRecord(sum(judged), right, *wilson_interval(right, sum(judged)), drift), horizon_days)


def patterns_of(bars: Bars) -> tuple[ChartPattern, ...]:
    """Every pattern of the whole history; a swing is confirmed by a turn of two average true ranges.

    The first bars, before that range exists, are not looked at: a swing there would be measured by later bars.
    """
    highs, lows = bars.range()
    (range_line,) = indicator_series("atr", bars.close, high=highs, low=lows, period=ATR_BARS).values()
    first = int(np.flatnonzero(np.isfinite(range_line))[0])
    turn = np.clip(REVERSAL_ATRS * range_line[first:] / bars.close[first:], 0.005, 0.5)
    found = found_patterns(highs[first:], lows[first:], bars.close[first:], reversal_frac=turn)
    return tuple(
        ChartPattern(each.kind, each.side, each.start + first, each.known_at + first, each.level, each.height)
        for each in found
    )


def _patterns(bars: Bars) -> dict[str, object]:
    try:
        found = patterns_of(bars)
    except QuantError as error:
        return {"series": bars.name, "refused": error.message}
    n_bars = len(bars.close)
    recent = [pattern for pattern in found if pattern.known_at >= n_bars - RECENT_BARS]
    kinds = sorted({str(pattern.kind) for pattern in found})
    return {
        "series": bars.name,
        "bars": n_bars,
        "has_range": bars.high is not None and bars.low is not None,
        "found": len(found),
        "recent": [_pattern_row(bars, pattern) for pattern in reversed(recent)],
        "record": [
            {"kind": kind, **_record(_judged([each for each in found if kind in ("all", each.kind)], bars, days), days)}
            for kind in ("all", *kinds)
            for days in HORIZONS
        ],
    }


def _pattern_row(bars: Bars, pattern: ChartPattern) -> dict[str, object]:
    moved = float(bars.close[-1] / bars.close[pattern.known_at] - 1.0)
    return {
        "kind": str(pattern.kind),
        "side": pattern.side,
        "start": bars.day(pattern.start),
        "known_at": bars.day(pattern.known_at),
        "bars_ago": len(bars.close) - 1 - pattern.known_at,
        "level": figure(pattern.level),
        "target": figure(pattern.level + pattern.side * pattern.height),
        "moved_since": figure(moved),
        "stands": pattern.side * (float(bars.close[-1]) - pattern.level) > 0.0,
    }


def _judged(patterns: Sequence[ChartPattern], bars: Bars, horizon_days: int) -> SideRecord:
    return side_record(pattern_sides(patterns, len(bars.close)), bars.close, horizon_days)


def _record(record: SideRecord, horizon_days: int) -> dict[str, object]:
    shares = {"share": record.share, "low": record.low, "high": record.high, "by_drift": record.by_drift}
    return {
        "horizon_days": horizon_days,
        "judged": record.n_judged,
        "right": record.n_right,
        **{name: None if share is None else figure(share) for name, share in shares.items()},
    }
