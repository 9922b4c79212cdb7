"""How a parent order is cut into child orders over time: whole lots that sum exactly."""

from __future__ import annotations

import math

import numpy as np

from .arrays import IntArray, checked_above
from .errors import ParameterError


def twap_slices(quantity: int, n_slices: int, lot: int = 1) -> IntArray:
    """Equal child quantities (n_slices,), in whole lots, spread evenly and summing to ``quantity``.

    No two children differ by more than one lot, except that an odd remainder smaller than a lot goes
    into the last child. With fewer lots than slices, some children are zero.

    Parameters
    ----------
    quantity : shares of the parent order, at least 0
    n_slices : number of children, at least 1
    lot : smallest tradable quantity, at least 1

    Raises
    ------
    ParameterError : an argument below its bound, or not a whole number
    """
    for name, value, bound in (("quantity", quantity, 0), ("n_slices", n_slices, 1), ("lot", lot, 1)):
        if int(value) != value or value < bound:
            raise ParameterError(f"{name}: found {value}, expected a whole number of at least {bound}")
    lots, odd = divmod(int(quantity), int(lot))
    whole, extra = divmod(lots, int(n_slices))
    # The extra lots are dealt out by rounding down an even line, which spaces them evenly over time.
    line = np.arange(n_slices + 1, dtype=np.int64) * extra // n_slices
    slices = (whole + np.diff(line)) * lot
    slices[-1] += odd
    return slices


def slices_for(notional: float, min_child_notional: float, max_slices: int) -> int:
    """How many children a parent order is worth: none smaller than ``min_child_notional`` in cash.

    Always between 1 and ``max_slices``; a parent below the minimum goes out whole.

    Raises
    ------
    ParameterError : a negative or NaN notional, a minimum not above 0, or max_slices below 1
    """
    if not math.isfinite(notional) or notional < 0.0:
        raise ParameterError(f"notional: found {notional}, expected a finite amount of at least 0")
    checked_above(min_child_notional, 0.0, name="min_child_notional")
    if max_slices < 1:
        raise ParameterError(f"max_slices: found {max_slices}, expected at least 1")
    return int(min(max(notional // min_child_notional, 1), max_slices))
