"""The one door to the compiler: a loop over arrays, compiled at its first call and kept on disk for later processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(kernel: Callable[P, R]) -> Callable[P, R]:
    """The kernel as machine code, under its own signature; import what uses it only where it runs, numba is heavy.

    The copy on disk is renewed when the kernel's own file changes, not when that of a kernel it calls does: after an
    edit to one that others call, remove ``quant/__pycache__/*.nbi``.
    """
    try:
        return cast("Callable[P, R]", numba.njit(cache=True)(kernel))
    except RuntimeError:
        # Neither the package's folder nor the user's cache can be written: each process compiles for itself.
        return cast("Callable[P, R]", numba.njit(kernel))


def inlined(kernel: Callable[P, R]) -> Callable[P, R]:
    """The kernel copied into those that call it, where counting references at a call would cost more than its work."""
    return cast("Callable[P, R]", numba.njit(inline="always")(kernel))


def compiled_here(kernel: Callable[P, R]) -> Callable[P, R]:
    """The kernel for this process only: for one that calls into another package's library, whose address moves."""
    return cast("Callable[P, R]", numba.njit(kernel))
