"""How far a sample has moved away from the one it is held against: the population stability index."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, checked_vector
from .errors import ParameterError, SampleError

DECILES = 10
"""As many bins as scorecards are watched with."""
EMPTY_BIN_COUNT = 0.5
"""What an empty bin counts as: half an observation, for the logarithm of nothing is no number."""


def quantile_edges(sample: npt.ArrayLike, n_bins: int = DECILES) -> FloatArray:
    """The inner edges of bins that hold equal shares of a sample.

    Parameters
    ----------
    sample : (n,) any unit, without gaps, at least one value for each bin
    n_bins : at least 2

    Returns
    -------
    (at most n_bins - 1,) rising edges in the sample's unit; a value that is very frequent gets one edge, not several

    Raises
    ------
    ParameterError : fewer than two bins
    SampleError : a NaN or an infinity, or fewer values than bins
    """
    if n_bins < 2:
        raise ParameterError(f"n_bins: found {n_bins}, expected at least 2")
    values = checked_vector(sample, name="sample", min_rows=n_bins)
    return np.unique(np.quantile(values, np.linspace(0.0, 1.0, n_bins + 1)[1:-1]))


def bin_counts(sample: npt.ArrayLike, edges: npt.ArrayLike) -> FloatArray:
    """How many values fall into each bin; a value on an edge belongs to the bin above it.

    Parameters
    ----------
    sample : (n,) in the unit of the edges; may be empty
    edges : (n_bins - 1,) rising

    Raises
    ------
    SampleError : a NaN or an infinity
    """
    inner = checked_vector(edges, name="edges", min_rows=1)
    places = np.searchsorted(inner, checked_vector(sample, name="sample", min_rows=0), side="right")
    return np.bincount(places, minlength=len(inner) + 1).astype(np.float64)


def population_stability_index(expected: npt.ArrayLike, actual: npt.ArrayLike) -> float:
    """Sum over bins of ``(a - e) ln(a / e)``, where e and a are the shares of two samples in the same bins.

    It is 0 for equal shares and never negative, the same with the samples exchanged, and equals the Kullback-Leibler
    divergence of one from the other and back (Jeffreys). By the usual rule of thumb 0.10 is a small move, 0.25 a
    large one.
    Two samples of n and m independent values from one source give (n_bins - 1) (1/n + 1/m) on average by chance.

    Parameters
    ----------
    expected, actual : (n_bins,) counts, not negative, each with at least one value

    Raises
    ------
    SampleError : a NaN or an infinity, a negative count, or no values at all
    ShapeError : another number of bins

    Source: Siddiqi (2006), Credit Risk Scorecards, chapter 9 (system stability); Jeffreys (1946), Proc. R. Soc. A 186.
    """
    e = checked_vector(expected, name="expected", min_rows=2)
    a = checked_vector(actual, name="actual", length=len(e), min_rows=2)
    for name, counts in (("expected", e), ("actual", a)):
        if counts.min() < 0 or counts.sum() < 1:
            raise SampleError(f"{name}: found counts {counts.tolist()}, expected none below 0 and at least one value")
    e_share, a_share = _shares(e), _shares(a)
    return float(((a_share - e_share) * np.log(a_share / e_share)).sum())


def _shares(counts: FloatArray) -> FloatArray:
    filled = np.maximum(counts, EMPTY_BIN_COUNT)
    return filled / filled.sum()
