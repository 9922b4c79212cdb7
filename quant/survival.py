"""Kaplan-Meier estimates of how much is there when more was asked for than is seen: sizes, censored by what was sent.

An order of ``sent`` units at a place that holds ``size`` units brings ``min(sent, size)``. Less than was sent tells the
size; all of it only tells that the size was at least that. Sizes are whole units, so counts by size are all there is
to know: ``at_risk[s]`` orders could have found exactly ``s`` units (they were for more, and found at least ``s``), and
``ended[s]`` of them did.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, IntArray, checked_matrix, checked_vector
from .errors import ParameterError, SampleError, ShapeError


def censored_counts(sent: npt.ArrayLike, filled: npt.ArrayLike, n_sizes: int) -> tuple[IntArray, IntArray]:
    """Counts by size, ``at_risk`` and ``ended``, each (n_sizes,), of (n_orders,) orders in whole units.

    What was filled beyond ``n_sizes`` units counts as at risk at every size and ended at none.

    Raises
    ------
    SampleError : a NaN, a part of a unit, or an order filled for less than nothing or more than was sent
    ShapeError : vectors of different length
    ParameterError : ``n_sizes`` below 1
    """
    if n_sizes < 1:
        raise ParameterError(f"n_sizes: found {n_sizes}, expected at least 1")
    asked = checked_vector(sent, name="sent")
    got = checked_vector(filled, name="filled", length=len(asked))
    if ((asked % 1 != 0) | (got % 1 != 0) | (got < 0) | (got > asked)).any():
        row = int(((asked % 1 != 0) | (got % 1 != 0) | (got < 0) | (got > asked)).argmax())
        raise SampleError(
            f"order {row}: {got[row]:g} filled of {asked[row]:g} sent, expected whole units between 0 and what was sent"
        )
    # At risk of ending at s: every s below what was filled, and s = filled where more was asked for.
    last = got + (got < asked)
    at_risk = (last[:, None] > np.arange(n_sizes)).sum(axis=0)
    exact = got[(got < asked) & (got < n_sizes)].astype(np.int64)
    return at_risk.astype(np.int64), np.bincount(exact, minlength=n_sizes).astype(np.int64)


def tail_probabilities(at_risk: npt.ArrayLike, ended: npt.ArrayLike) -> FloatArray:
    """Chance of finding at least 0, 1, ... n_sizes units: the product-limit estimate, (n_sizes + 1,), from 1 down.

    Where nobody was at risk nothing is known, and the estimate stays where it was.

    Raises
    ------
    ShapeError, SampleError : counts that do not fit together, are negative, or more ended than were at risk

    Source: Kaplan and Meier (1958), J. American Statistical Association 53, in the discrete form of Ganchev, Kearns,
    Nevmyvaka and Wortman (2010), Communications of the ACM 53(5), section 4.
    """
    return _product_limits(*_counts(at_risk, ended))


def greenwood_errors(at_risk: npt.ArrayLike, ended: npt.ArrayLike) -> FloatArray:
    """Standard errors of ``tail_probabilities``, (n_sizes + 1,); zero where the estimate has reached zero.

    Source: Greenwood (1926); Var T(s) = T(s)^2 sum of d / (n (n - d)) over the sizes below s.
    """
    risk, ends = _counts(at_risk, ended)
    left = risk - ends
    terms = np.divide(ends, risk * left, out=np.zeros_like(ends), where=(risk > 0) & (left > 0))
    return _product_limits(risk, ends) * np.sqrt(np.concatenate(([0.0], np.cumsum(terms))))


def optimistic_tails(at_risk: npt.ArrayLike, ended: npt.ArrayLike, min_trials: int) -> FloatArray:
    """Tails with one unit of hope: beyond the last size tried ``min_trials`` times, one more unit counts as likely.

    That unit is what makes an allocation explore: it is sent, the size beyond it is tried, and the hope moves on
    or is given up. Further out than that one unit, nothing is promised and the chance is 0. All places are done at
    once: (n_places, n_sizes) counts each make (n_places, n_sizes + 1) chances.

    Raises
    ------
    ParameterError : ``min_trials`` below 1
    ShapeError, SampleError : as ``tail_probabilities``

    Source: Ganchev et al. (2010), algorithm 2 (OptimisticKM). The paper's cut-off, 128 (sV/eps)^2 ln(2V/delta)
    trials, proves convergence and is far too careful to trade by; theirs and ours is a parameter in practice.
    """
    if min_trials < 1:
        raise ParameterError(f"min_trials: found {min_trials}, expected at least 1")
    risk = checked_matrix(at_risk, name="at_risk", min_rows=1)
    ends = checked_matrix(ended, name="ended")
    if ends.shape != risk.shape:
        raise ShapeError(f"ended: found shape {ends.shape}, expected {risk.shape} as at_risk")
    _check_counts(risk, ends)
    tails = _product_limits(risk, ends)
    # The first size not tried often enough; one past the last size where there is none, so that nothing is beyond it.
    unsure = np.concatenate((risk < min_trials, np.ones((len(risk), 1), dtype=bool)), axis=1)
    gap = np.arange(tails.shape[1]) - unsure.argmax(axis=1)[:, None]
    hoped = np.where(gap > 1, 0.0, tails)
    hoped[:, 1:][gap[:, 1:] == 1] = tails[:, :-1][gap[:, 1:] == 1]
    return hoped


def greedy_allocation(tails: npt.ArrayLike, units: int) -> IntArray:
    """How many of ``units`` to send to each place: each unit where it is likeliest to be filled, ties to the first.

    Parameters
    ----------
    tails : (n_places, n_sizes + 1) chance of finding at least 0, 1, ... units, or that times what a unit is worth;
        none above the one before it, which makes the greedy choice the best there is
    units : how many there are to send; those that no place is thought to take are left over

    Returns
    -------
    (n_places,) units, summing to at most ``units``

    Raises
    ------
    ShapeError, SampleError : not such a table; ParameterError : fewer than 0 units

    Source: Ganchev et al. (2010), algorithm 1.
    """
    table = np.asarray(tails, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ShapeError(f"tails: found shape {table.shape}, expected (n_places, n_sizes + 1)")
    if not np.isfinite(table).all() or (np.diff(table[:, 1:], axis=1) > 1e-12).any():
        raise SampleError("tails: found a NaN or a tail that rises, expected finite rows that never do")
    if units < 0:
        raise ParameterError(f"units: found {units}, expected at least 0")
    gains = table[:, 1:]
    # Rows never rise, so the largest entries of the whole table are always a prefix of each row.
    order = np.argsort(-gains, axis=None, kind="stable")[:units]
    chosen = order[gains.ravel()[order] > 0.0]
    return np.bincount(chosen // gains.shape[1], minlength=len(table)).astype(np.int64)


def _counts(at_risk: npt.ArrayLike, ended: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    risk = checked_vector(at_risk, name="at_risk", min_rows=1)
    ends = checked_vector(ended, name="ended", length=len(risk))
    _check_counts(risk, ends)
    return risk, ends


def _check_counts(risk: FloatArray, ends: FloatArray) -> None:
    wrong = (ends < 0) | (ends > risk)
    if wrong.any():
        at = np.unravel_index(int(wrong.argmax()), wrong.shape)
        raise SampleError(f"size {at[-1]}: {ends[at]:g} ended of {risk[at]:g} at risk, expected between 0 and those")


def _product_limits(risk: FloatArray, ends: FloatArray) -> FloatArray:
    """Over the last axis, of counts that fit together."""
    hazard = np.divide(ends, risk, out=np.zeros_like(ends), where=risk > 0)
    tails = np.ones((*risk.shape[:-1], risk.shape[-1] + 1))
    np.cumprod(1.0 - hazard, axis=-1, out=tails[..., 1:])
    return tails
