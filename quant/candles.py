"""The 61 candlestick patterns of one symbol, by name, as a matrix of -100, 0 and 100."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, checked_vector
from .errors import ParameterError, SampleError, ShapeError

IntMatrix = npt.NDArray[np.int32]


def candlestick_table(
    opened: npt.ArrayLike,
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    close: npt.ArrayLike,
    *,
    names: tuple[str, ...] | None = None,
) -> tuple[tuple[str, ...], IntMatrix]:
    """Names of patterns and an (n_bars, n_patterns) matrix: 100 bullish, -100 bearish, 0 where there is none.

    A row stands for the pattern *completed* by that bar's close, so row t uses rows up to t only. TA-Lib marks a
    hikkake confirmed by a later bar as 200 or -200; it is 100 or -100 here, on the confirming bar. Undirected
    patterns (doji, spinning top) carry TA-Lib's sign, which follows the body's color or is 100.

    Parameters
    ----------
    opened, high, low, close : (n_bars,) prices above 0 of one symbol, oldest first
    names : the patterns wanted, as `candlestick_names` spells them; all of them when not given

    Raises
    ------
    ParameterError : a name that is no pattern
    SampleError : a NaN, a price not above 0, or a body outside its bar's low and high
    ShapeError : inputs that differ in length

    Source: Bulkowski (2008), Encyclopedia of Candlestick Charts (names); rules and thresholds of TA-Lib 0.8.
    """
    known = candlestick_names()
    chosen = known if names is None else names
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise ParameterError(f"pattern: found {unknown[0]!r}, expected one of {', '.join(known)}")
    bars = _checked_bars(opened, high, low, close)
    import talib

    found = np.empty((len(bars[0]), len(chosen)), dtype=np.int32)
    for column, name in enumerate(chosen):
        np.sign(getattr(talib, _FUNCTION_PREFIX + name.upper())(*bars), out=found[:, column])
    return chosen, 100 * found


def candlestick_names() -> tuple[str, ...]:
    """Every pattern's name, TA-Lib's own without its prefix and in lower case: ``hammer``, ``morningstar``."""
    import talib

    listed = talib.get_functions()
    return tuple(sorted(name.removeprefix(_FUNCTION_PREFIX).lower() for name in listed if name.startswith("CDL")))


_FUNCTION_PREFIX = "CDL"


def _checked_bars(*fields: npt.ArrayLike) -> tuple[FloatArray, ...]:
    names = ("opened", "high", "low", "close")
    columns = [
        np.ascontiguousarray(checked_vector(field, name=name, min_rows=1))
        for name, field in zip(names, fields, strict=True)
    ]
    if len({len(column) for column in columns}) != 1:
        found = ", ".join(f"{name} {len(column)}" for name, column in zip(names, columns, strict=True))
        raise ShapeError(f"bars: found lengths {found}, expected one length")
    opened, high, low, close = columns
    bad = (low <= 0.0) | (np.minimum(opened, close) < low) | (np.maximum(opened, close) > high)
    if bad.any():
        row = int(bad.argmax())
        raise SampleError(
            f"bar {row}: found open {opened[row]}, high {high[row]}, low {low[row]}, close {close[row]}, "
            "expected 0 < low <= open, close <= high",
            remedy="Adjust all four prices by the same factor, or drop the bar.",
        )
    return tuple(columns)
