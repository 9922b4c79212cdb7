"""Doubts about data that are decided on within the day: silences, sessions with hardly a trade, useless books."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from .cards import DataSet
from .findings import Finding
from .intervals import BarInterval, span_text
from .panel import Panel
from .recorded_sessions import recording_findings

HALT_S = 300
"""A silence of five minutes: as long as a pause at a price band of US stocks lasts."""
EXPECTED = ("off_session",)
"""Rows of before the open and after the close are in every recording of a day, and used by nobody."""
LEAST_BARS = 2
"""A session with fewer bars has a price and no move."""


def intraday_findings(data: DataSet) -> list[Finding]:
    """Of the bars, and of the books and trades that a venue would play; rows are those of the panel or the file."""
    panel, interval = data.panel, data.panel.interval
    assert interval is not None, "asked for data within the day"
    found = [
        finding
        for column, symbol in enumerate(panel.symbols)
        for finding in _of_symbol(panel, interval, column, symbol)
    ]
    if data.recordings is not None:
        days = sorted(set(panel.sessions.tolist()))
        found += [
            finding
            for finding in recording_findings(data.recordings, panel.symbols, days)
            if finding.code not in EXPECTED
        ]
    return found


def _of_symbol(panel: Panel, interval: BarInterval, column: int, symbol: str) -> Iterator[Finding]:
    missing = np.isnan(panel.close[:, column])
    for day in np.unique(panel.sessions):
        rows = np.flatnonzero(panel.sessions == day)
        silent = missing[rows]
        n_bars = int((~silent).sum())
        if n_bars < LEAST_BARS:
            text = f"{n_bars or 'no'} bar of {len(rows)} has a price: the session says nothing about how it moves."
            yield Finding("one_trade", symbol, int(rows[0]) + 1, day.item(), text)
            continue
        first, longest = _longest(silent)
        if not longest:
            continue
        code = "halt" if longest * interval.bar_s >= HALT_S else "gap"
        until = panel.close_times[rows[first + longest - 1]]
        text = (
            f"{int(silent.sum())} of {len(rows)} bars of {span_text(interval.bar_s)} without a price, at most "
            f"{longest} in a row, until {until} UTC."
        )
        yield Finding(code, symbol, int(rows[first]) + 1, day.item(), text)


def _longest(silent: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Where the longest run of silence begins, and how long it is; 0 for none."""
    edges = np.flatnonzero(np.diff(np.r_[False, silent, False].astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return 0, 0
    place = int((ends - starts).argmax())
    return int(starts[place]), int((ends - starts)[place])
