"""What each player of a team is worth: Shapley values of every coalition's worth, which add up to the whole."""

from __future__ import annotations

from math import factorial

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray
from .errors import SampleError, ShapeError

MAX_PLAYERS = 16
"""65,536 coalitions: past that, coalitions are sampled and not counted."""


def shapley_values(worths: npt.ArrayLike) -> FloatArray:
    """The mean, over all orders in which players can join, of what each adds to those who came before.

    Parameters
    ----------
    worths : (2^n,) or (2^n, n_games) worth of every coalition; player p is in coalition c when bit p of the
        row number c is set, so that row 0 is nobody and the last row everybody

    Returns
    -------
    (n,) or (n, n_games) values in the unit of the worths: they add up to ``worths[-1] - worths[0]``, a player who
    adds nothing to any coalition has 0, and two who add the same everywhere have the same

    Raises
    ------
    ShapeError : a number of coalitions that is no power of two between 2 and 2^16
    SampleError : a NaN or an infinity

    Source: Shapley (1953), "A value for n-person games", Contributions to the Theory of Games II, p. 307.
    """
    table = np.asarray(worths, dtype=np.float64)
    n_rows = table.shape[0] if table.ndim in (1, 2) else 0
    n_players = n_rows.bit_length() - 1
    if not 1 <= n_players <= MAX_PLAYERS or n_rows != 1 << n_players:
        raise ShapeError(
            f"worths: found shape {table.shape}, expected (2^n,) or (2^n, n_games) with 1 to {MAX_PLAYERS} players",
            remedy="Give the worth of every coalition, the empty one included.",
        )
    if not np.isfinite(table).all():
        raise SampleError(f"worths: found {int((~np.isfinite(table)).sum())} NaN or infinite values, expected none")
    coalitions = np.arange(n_rows)
    sizes = np.bitwise_count(coalitions)
    # The share of all orders in which exactly a coalition of this size comes before a given player.
    shares = np.array(
        [factorial(size) * factorial(n_players - size - 1) / factorial(n_players) for size in range(n_players)]
    )
    values = np.zeros((n_players, *table.shape[1:]))
    for player in range(n_players):
        without = coalitions[(coalitions >> player & 1) == 0]
        added = table[without | 1 << player] - table[without]
        values[player] = np.tensordot(shares[sizes[without]], added, axes=1)
    return values
