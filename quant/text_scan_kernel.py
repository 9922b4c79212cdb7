"""Compiled steps through a line of text: each takes a position and gives the next one, or -1 where it does not fit.

A position of -1 goes through all of them, so that a message is read as one chain with one check at its end.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .compiler import compiled

Bytes = npt.NDArray[np.uint8]

_MOST_DIGITS = 15
"""A decimal of so many digits divided by a power of ten is the double nearest to it; longer ones go to Python."""

_TENS = 10.0 ** np.arange(_MOST_DIGITS + 1)


def as_bytes(text: str) -> Bytes:
    return np.frombuffer(text.encode(), dtype=np.uint8).copy()


@compiled
def literal(text: Bytes, at: int, wanted: Bytes) -> int:
    """The position behind ``wanted``, -1 where something else stands or ``at`` is -1 already."""
    if at < 0:
        return -1
    for k in range(len(wanted)):
        if text[at + k] != wanted[k]:
            return -1
    return at + len(wanted)


@compiled
def skip_string(text: Bytes, at: int) -> int:
    """The position of the closing quote; a newline comes first where it is missing."""
    if at < 0:
        return -1
    while text[at] != 34:
        if text[at] == 10 or text[at] == 0:
            return -1
        at += 1
    return at


@compiled
def integer(text: Bytes, at: int) -> tuple[int, int]:
    if at < 0 or not 48 <= text[at] <= 57:
        return 0, -1
    value, start = 0, at
    while 48 <= text[at] <= 57:
        value = value * 10 + np.int64(text[at] - 48)
        at += 1
    return int(value), at if at - start <= 19 else -1


@compiled
def decimal(text: Bytes, at: int) -> tuple[float, int]:
    """An unsigned number in plain decimals, exactly as Python would read it, or -1 behind it."""
    if at < 0 or not 48 <= text[at] <= 57:
        return 0.0, -1
    value, digits, places = 0, 0, 0
    while 48 <= text[at] <= 57:
        value = value * 10 + np.int64(text[at] - 48)
        digits += 1
        at += 1
    if text[at] == 46:
        at += 1
        start = at
        while 48 <= text[at] <= 57:
            value = value * 10 + np.int64(text[at] - 48)
            at += 1
        places = at - start
    if digits + places > _MOST_DIGITS:
        return 0.0, -1
    return value / _TENS[places], at
