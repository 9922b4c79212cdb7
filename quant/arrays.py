"""The array types of the quant core, and the checks every function runs on what it is given."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .errors import ParameterError, SampleError, ShapeError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

DAYS_PER_YEAR = 252
"""Trading days in a year: the only annualization constant of the quant core."""
STILL = 1e-12
"""A daily deviation below this is rounding: an account that earns exactly the cash rate takes no risk."""


def checked_returns(returns: npt.ArrayLike, min_rows: int = 1, *, name: str = "returns") -> FloatArray:
    """Simple returns of many names as a finite float64 matrix.

    Parameters
    ----------
    returns : (n_days, n_names) simple daily returns, as fractions, oldest first
    min_rows : the least number of days the caller's formula needs

    Raises
    ------
    ShapeError : not two-dimensional, or no names
    SampleError : too few rows, a NaN or an infinity, or a return of -100 % or less
    """
    matrix = checked_matrix(returns, name=name, min_rows=min_rows)
    if matrix.size and matrix.min() <= -1.0:
        raise SampleError(
            f"{name}: the lowest return is {matrix.min():.4f}, expected above -1 (a loss of everything)",
            remedy="Check for percents given as fractions, or drop the delisted instrument.",
        )
    return matrix


def checked_matrix(values: npt.ArrayLike, *, name: str, min_rows: int = 1) -> FloatArray:
    """``values`` as a finite (n_rows >= min_rows, n_columns >= 1) float64 matrix, else a typed error."""
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise ShapeError(f"{name}: found shape {matrix.shape}, expected (n_rows, n_columns)")
    _check_sample(matrix, name, min_rows)
    return matrix


def checked_vector(values: npt.ArrayLike, *, name: str, length: int | None = None, min_rows: int = 1) -> FloatArray:
    """``values`` as a finite (n,) float64 vector, of exactly ``length`` when that is given."""
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1 or (length is not None and len(vector) != length):
        wanted = "(n,)" if length is None else f"({length},)"
        raise ShapeError(f"{name}: found shape {vector.shape}, expected {wanted}")
    _check_sample(vector, name, min_rows)
    return vector


def checked_fraction(value: float, *, name: str) -> float:
    """``value`` strictly between 0 and 1 (a confidence level, a probability), else ParameterError."""
    if not 0.0 < value < 1.0:
        raise ParameterError(f"{name}: found {value}, expected a fraction strictly between 0 and 1")
    return value


def checked_at_least(value: float, bound: float, *, name: str) -> float:
    """``value`` finite and not below ``bound``, else ParameterError."""
    if not math.isfinite(value) or value < bound:
        raise ParameterError(f"{name}: found {value}, expected a finite number of at least {bound}")
    return value


def checked_above(value: float, bound: float, *, name: str) -> float:
    """``value`` finite and strictly above ``bound``, else ParameterError."""
    if not math.isfinite(value) or value <= bound:
        raise ParameterError(f"{name}: found {value}, expected a finite number above {bound}")
    return value


def _check_sample(values: FloatArray, name: str, min_rows: int) -> None:
    if len(values) < min_rows:
        raise SampleError(
            f"{name}: found {len(values)} rows, expected at least {min_rows}",
            remedy="Give a longer history.",
        )
    # The sum of absolutes is finite only if every value is; it costs one pass and no boolean array.
    if not math.isfinite(float(np.abs(values).sum())):
        bad = int(values.size - np.isfinite(values).sum())
        raise SampleError(
            f"{name}: found {bad} values that are NaN or infinite, expected none",
            remedy="Fill or drop the gap upstream; the quant core never guesses a missing number.",
        )
