"""One data set in memory: read-only arrays of bars, sessions (or intervals of them) down and symbols across."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from ..domain.market import Bar
from .errors import PanelError, UnknownSymbol
from .intervals import BarInterval
from .sessions import utc_moment

FloatArray = npt.NDArray[np.float64]
Fold = Callable[[FloatArray], float]
TimeArray = npt.NDArray[np.datetime64]

BAR_FIELDS = ("open", "high", "low", "volume")
"""Fields a source may lack: None then, never invented."""
FOLDS: dict[str, Fold] = {
    "open": lambda cells: float(cells[0]),
    "high": lambda cells: float(cells.max()),
    "low": lambda cells: float(cells.min()),
    "volume": lambda cells: float(cells.sum()),
}
"""Several bars as one."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Bars of some symbols over the sessions of one calendar; NaN where a symbol has no bar.

    Parameters
    ----------
    symbols : column names
    sessions : (n_days,) datetime64[D], strictly increasing; with an interval, the day of each bar, in order
    close_times : (n_days,) datetime64[s] UTC, when each bar can first be known
    close : (n_days, n_symbols) price in the instrument's currency, total-return adjusted where
        the source says how
    open, high, low : the same shape and the same adjustment, or None
    volume : the same shape, in shares of the adjusted price, so that price times volume is money traded, or None
    benchmark : (n_days,) level of the index called `benchmark_name`, or None
    vix : (n_days,) volatility index in points, as known at the row's close time, or None
    interval : the bars' length and the decision times, where a row is part of a session; `is_decision` (n_days,)
        then marks the rows at which the desk decides; None for daily bars

    Raises
    ------
    PanelError : shapes that differ, sessions that repeat or go back, a symbol twice
    """

    symbols: tuple[str, ...]
    sessions: TimeArray
    close_times: TimeArray
    close: FloatArray
    open: FloatArray | None = None
    high: FloatArray | None = None
    low: FloatArray | None = None
    volume: FloatArray | None = None
    benchmark: FloatArray | None = None
    benchmark_name: str | None = None
    vix: FloatArray | None = None
    calendar: str = "XNYS"
    interval: BarInterval | None = None
    is_decision: npt.NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        _check_axes(self)
        shape = (len(self.sessions), len(self.symbols))
        for name in ("close", *BAR_FIELDS):
            _freeze(self, name, shape)
        for name in ("benchmark", "vix"):
            _freeze(self, name, shape[:1])

    def column(self, symbol: str) -> int:
        """The position of a symbol among the columns."""
        if symbol not in self.symbols:
            raise UnknownSymbol(
                f"{symbol!r} is not in the data set, which holds {', '.join(self.symbols)}.",
                remedy="Use one of these symbols, or load a data set that has it.",
            )
        return self.symbols.index(symbol)

    def bar(self, symbol: str, session: date) -> Bar | None:
        """The bar of one whole session, for the venue that replays it; None when there was none.

        Decisions never call this: they read through `History.as_of`.
        """
        column = self.column(symbol)
        day = np.datetime64(session, "D")
        row = int(np.searchsorted(self.sessions, day))
        if row == len(self.sessions) or self.sessions[row] != day or np.isnan(self.close[row, column]):
            return None
        known_at = utc_moment(self.close_times[row])
        rest = {name: _cell(getattr(self, name), row, column) for name in BAR_FIELDS}
        return Bar(symbol, known_at, known_at, float(self.close[row, column]), **rest)

    def bar_between(self, symbol: str, opens_at: np.datetime64, closes_at: np.datetime64) -> Bar | None:
        """The bars that end after one moment and by another as one; None when none of them has a trade."""
        column = self.column(symbol)
        first, last = (int(np.searchsorted(self.close_times, at, side="right")) for at in (opens_at, closes_at))
        rows = first + np.flatnonzero(~np.isnan(self.close[first:last, column]))
        if not len(rows):
            return None
        last_row = int(rows[-1])
        ended = utc_moment(self.close_times[last_row])
        cells = {name: None if array is None else array[rows, column] for name, array in self._fields()}
        return Bar(
            symbol,
            ended,
            ended,
            float(self.close[last_row, column]),
            **{name: None if cell is None else float(FOLDS[name](cell)) for name, cell in cells.items()},
        )

    def _fields(self) -> list[tuple[str, FloatArray | None]]:
        return [(name, getattr(self, name)) for name in BAR_FIELDS]

    def fingerprint(self) -> str:
        """SHA-256 over symbols, times and values: the same data give the same digest from any file form."""
        digest = hashlib.sha256(self._head())
        digest.update(self.sessions.astype("<i8").tobytes())
        digest.update(self.close_times.astype("<i8").tobytes())
        for name in ("close", *BAR_FIELDS, "benchmark", "vix"):
            array = getattr(self, name)
            digest.update(f"|{name}:{'absent' if array is None else 'present'}|".encode())
            if array is not None:
                # A missing bar has one byte form, whichever NaN the reader happened to produce.
                digest.update(np.where(np.isnan(array), np.nan, array).astype("<f8").tobytes())
        return digest.hexdigest()

    def row_fingerprints(self) -> tuple[str, ...]:
        """One digest per session, each over that row and the digest before it: a name for the data up to there."""
        chain = hashlib.sha256(self._head()).digest()
        columns = [self.sessions.astype("<i8")[:, None], self.close_times.astype("<i8")[:, None]]
        arrays = [getattr(self, name) for name in ("close", *BAR_FIELDS, "benchmark", "vix")]
        present = [array.reshape(len(self.sessions), -1) for array in arrays if array is not None]
        columns += [np.where(np.isnan(array), np.nan, array).astype("<f8").view("<i8") for array in present]
        digests: list[str] = []
        for row in np.ascontiguousarray(np.hstack(columns)):
            chain = hashlib.sha256(chain + row.tobytes()).digest()
            digests.append(chain.hex())
        return tuple(digests)

    def _head(self) -> bytes:
        """What every fingerprint begins with: decisions at other times are decisions on other data."""
        span = () if self.interval is None else (f"{self.interval.bar_s}/{self.interval.every_s}",)
        return "\n".join((*self.symbols, self.benchmark_name or "", self.calendar, *span)).encode()


def _check_axes(panel: Panel) -> None:
    object.__setattr__(panel, "sessions", _read_only(panel.sessions, "datetime64[D]"))
    object.__setattr__(panel, "close_times", _read_only(panel.close_times, "datetime64[s]"))
    if len(panel.sessions) == 0 or len(panel.symbols) == 0:
        raise PanelError(
            f"a panel needs sessions and symbols; found {len(panel.sessions)} and {len(panel.symbols)}.",
            remedy="Load a file with at least one row.",
        )
    if len(set(panel.symbols)) != len(panel.symbols):
        raise PanelError(f"a symbol appears twice in {panel.symbols}.", remedy="Merge or rename the repeated columns.")
    if panel.close_times.shape != panel.sessions.shape:
        raise PanelError(
            f"{len(panel.sessions)} sessions but {len(panel.close_times)} close times.",
            remedy="Give each session its close time.",
        )
    for name, axis in (("sessions", panel.sessions), ("close times", panel.close_times)):
        steps = np.diff(axis.astype(np.int64))
        least = 0 if panel.interval is not None and name == "sessions" else 1
        if (steps < least).any():
            row = int(np.argmax(steps < least)) + 1
            raise PanelError(
                f"{name} must increase; row {row + 1} ({axis[row]}) follows {axis[row - 1]}.",
                remedy="Sort the sessions and drop repeats.",
            )


def _freeze(panel: Panel, name: str, shape: tuple[int, ...]) -> None:
    array = getattr(panel, name)
    if array is None:
        return
    if array.shape != shape:
        raise PanelError(
            f"{name} has shape {array.shape}, expected {shape} (sessions, symbols).",
            remedy="Give every array the shape of its axes.",
        )
    object.__setattr__(panel, name, _read_only(array, np.float64))


def _read_only(array: npt.NDArray[np.generic], dtype: npt.DTypeLike) -> npt.NDArray[np.generic]:
    # A private copy: a caller who keeps writing to its own array cannot move what the desk has read.
    copy = np.array(array, dtype=dtype, order="C")
    copy.setflags(write=False)
    return copy


def _cell(array: FloatArray | None, row: int, column: int) -> float | None:
    if array is None or np.isnan(array[row, column]):
        return None
    return float(array[row, column])
