"""Checks of a panel, one symbol at a time: gaps, spikes, unadjusted splits, stale runs, ragged ends."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from .findings import Finding
from .panel import FloatArray, Panel
from .sessions import SessionCalendar, session_calendar

JUMP_FRAC = 0.5
"""A daily move beyond this is reported; the largest in 64 large US stocks, 2012 to 2016, was 28 %."""
REVERTS_FRAC = 0.2
"""A jump is a spike when the next close lies within this of the close before it."""
SPLIT_RATIOS = (1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 20.0)
SPLIT_TOLERANCE_FRAC = 0.03
OPEN_TOLERANCE_FRAC = 0.1
"""A split is there at the open; a fall in the course of the day is not one."""
MARKET_MIN_SYMBOLS = 3
STALE_BARS = 5
RANGE_TOLERANCE_FRAC = 1e-6
"""Room for the rounding of sources that store single precision."""

Rows = npt.NDArray[np.int64]
Raw = tuple[str, int, str]
"""Code, 0-based panel row, text."""


def panel_findings(panel: Panel) -> list[Finding]:
    """All findings about a panel; rows are 1-based. Order is left to the report."""
    calendar = session_calendar(panel.calendar, panel.sessions[0].item(), panel.sessions[-1].item())
    market = _market_level(panel)
    found = [
        _finding(panel, None, ("not_a_session", row, f"{panel.sessions[row]} is not a session of {panel.calendar}."))
        for row in np.flatnonzero(calendar.rows_of(panel.sessions) < 0).tolist()
    ]
    for column, symbol in enumerate(panel.symbols):
        raw = [*_non_positive(panel, column)]
        rows = np.flatnonzero(panel.close[:, column] > 0)
        if len(rows):
            raw += _gaps(panel, rows, calendar)
            raw += _ragged(panel, rows)
            raw += _jumps(panel, column, rows, market)
            raw += _stale_runs(panel, column, rows)
            raw += _bad_ranges(panel, column)
            raw += _zero_volume(panel, column, rows)
        found += [_finding(panel, symbol, item) for item in raw]
    return found


def _finding(panel: Panel, symbol: str | None, raw: Raw) -> Finding:
    code, row, text = raw
    return Finding(code, symbol, row + 1, panel.sessions[row].item(), text)


def _market_level(panel: Panel) -> FloatArray:
    """(n_days,) level of the median daily return: what the market explains of a move, 1 throughout when unknown."""
    growth = np.ones(len(panel.sessions))
    both = (panel.close[1:] > 0) & (panel.close[:-1] > 0)
    enough = both.sum(axis=1) >= MARKET_MIN_SYMBOLS
    ratios = np.divide(panel.close[1:], panel.close[:-1], where=both, out=np.full(both.shape, np.nan))
    growth[1:][enough] = np.nanmedian(ratios[enough], axis=1)
    return np.cumprod(growth, dtype=np.float64)


def _non_positive(panel: Panel, column: int) -> Iterator[Raw]:
    for name in ("open", "high", "low", "close"):
        values = getattr(panel, name)
        if values is not None:
            for row in np.flatnonzero(values[:, column] <= 0).tolist():
                yield "non_positive", row, f"{name} is {values[row, column]:g}."


def _gaps(panel: Panel, rows: Rows, calendar: SessionCalendar) -> Iterator[Raw]:
    known = calendar.rows_of(panel.sessions[rows])
    rows, known = rows[known >= 0], known[known >= 0]
    missing = np.diff(known) - 1
    for at in np.flatnonzero(missing > 0).tolist():
        plural = "" if missing[at] == 1 else "s"
        before, after = panel.sessions[rows[at]], panel.sessions[rows[at + 1]]
        yield "gap", int(rows[at + 1]), f"{missing[at]} session{plural} without a bar between {before} and {after}."


def _ragged(panel: Panel, rows: Rows) -> Iterator[Raw]:
    first, last = int(rows[0]), int(rows[-1])
    if first > 0:
        yield "ragged", first, f"starts on {panel.sessions[first]}, the data set on {panel.sessions[0]}."
    if last < len(panel.sessions) - 1:
        yield "ragged", last, f"ends on {panel.sessions[last]}, the data set on {panel.sessions[-1]}."


def _jumps(panel: Panel, column: int, rows: Rows, market: FloatArray) -> Iterator[Raw]:
    closes = panel.close[rows, column]
    ratio = closes[1:] / closes[:-1]
    large = np.abs(ratio - 1) > JUMP_FRAC
    spike = np.zeros(len(ratio), dtype=bool)
    spike[:-1] = large[:-1] & (np.abs(closes[2:] / closes[:-2] - 1) < REVERTS_FRAC)
    way_back = np.r_[False, spike[:-1]][: len(spike)]
    split = _split_ratio(panel, column, rows, ratio / (market[rows[1:]] / market[rows[:-1]]))
    for at in np.flatnonzero((large | (split > 0)) & ~way_back).tolist():
        row, move = int(rows[at + 1]), f"{closes[at]:g} to {closes[at + 1]:g} ({ratio[at] - 1:+.1%})"
        if spike[at]:
            yield "spike", row, f"{move}, and back to {closes[at + 2]:g} on the next bar."
        elif split[at]:
            kind = "reverse split" if ratio[at] > 1 else "split"
            yield "split_like", row, f"{move}: looks like an unadjusted {kind} of ratio {split[at]:g}."
        else:
            yield "jump", row, f"{move}: another security, a missed split, or a rare day; check the source."


def _split_ratio(panel: Panel, column: int, rows: Rows, own_ratio: FloatArray) -> FloatArray:
    """The split ratio each move is near to, 0 where none."""
    found = np.zeros(len(own_ratio))
    opened = own_ratio
    if panel.open is not None:
        opened = panel.open[rows[1:], column] / panel.close[rows[:-1], column]
    for ratio in SPLIT_RATIOS:
        for target in (ratio, 1 / ratio):
            near = np.abs(own_ratio / target - 1) <= SPLIT_TOLERANCE_FRAC
            at_open = (np.abs(opened / target - 1) <= OPEN_TOLERANCE_FRAC) | np.isnan(opened)
            found[near & at_open] = ratio
    return found


def _stale_runs(panel: Panel, column: int, rows: Rows) -> Iterator[Raw]:
    closes = panel.close[rows, column]
    starts = np.flatnonzero(np.r_[True, closes[1:] != closes[:-1]])
    lengths = np.diff(np.r_[starts, len(closes)])
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        if length >= STALE_BARS:
            until = panel.sessions[rows[start + length - 1]]
            yield "stale_run", int(rows[start]), f"{length} identical closes of {closes[start]:g} until {until}."


def _bad_ranges(panel: Panel, column: int) -> Iterator[Raw]:
    if panel.high is None or panel.low is None:
        return
    high, low = panel.high[:, column], panel.low[:, column]
    for row in np.flatnonzero(high < low * (1 - RANGE_TOLERANCE_FRAC)).tolist():
        yield "high_low", row, f"high {high[row]:g} is below low {low[row]:g}."
    for name in ("open", "close"):
        values = getattr(panel, name)
        if values is None:
            continue
        value = values[:, column]
        outside = (value > high * (1 + RANGE_TOLERANCE_FRAC)) | (value < low * (1 - RANGE_TOLERANCE_FRAC))
        for row in np.flatnonzero(outside).tolist():
            yield "high_low", row, f"{name} {value[row]:g} lies outside low {low[row]:g} to high {high[row]:g}."


def _zero_volume(panel: Panel, column: int, rows: Rows) -> Iterator[Raw]:
    if panel.volume is None:
        return
    for row in rows[panel.volume[rows, column] == 0].tolist():
        yield "zero_volume", row, "a bar without volume: its prices may be carried over."
