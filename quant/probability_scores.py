"""How good stated probabilities were: Brier score and its parts, log loss, calibration error, reliability diagram."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, IntArray, checked_at_least, checked_vector
from .errors import ParameterError

N_BINS = 10
CERTAIN = 1e-6
"""Log loss takes no probability nearer to certainty than this: one sure mistake must not make the mean infinite."""


@dataclass(frozen=True, slots=True)
class BrierParts:
    """``brier`` = ``reliability`` - ``resolution`` + ``uncertainty`` + ``within_bins``, to rounding.

    ``reliability`` is how far said and came true are apart (0 at best), ``resolution`` how far the bins differ from
    the base rate (large at best), ``uncertainty`` what always saying the base rate scores. ``within_bins`` is what
    binning hides: 0 where all forecasts of a bin are the same.
    """

    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within_bins: float


@dataclass(frozen=True, slots=True, eq=False)
class ReliabilityBins:
    """The diagram: mean of what was said and share of what came true, (n_bins,) each, lowest first."""

    said: FloatArray
    came_true: FloatArray
    counts: IntArray


def brier_score(said: npt.ArrayLike, came_true: npt.ArrayLike) -> float:
    """Mean of (said - came true)^2; 0 at best, 0.25 for always saying one half.

    Parameters
    ----------
    said : (n,) probabilities from 0 to 1
    came_true : (n,) of 0 or 1

    Raises
    ------
    SampleError, ShapeError : no forecasts, a NaN, different lengths
    ParameterError : a probability outside 0 to 1, an outcome that is neither

    Source: Brier (1950), Monthly Weather Review 78, in the form for one event.
    """
    p, y = _checked(said, came_true)
    return float(np.square(p - y).mean())


def log_loss(said: npt.ArrayLike, came_true: npt.ArrayLike) -> float:
    """Mean of -log(probability of what happened), in nats, with probabilities kept ``CERTAIN`` off 0 and 1.

    Arguments and errors as ``brier_score``. Source: Good (1952), J. Royal Statistical Society B 14.
    """
    p, y = _checked(said, came_true)
    p = np.clip(p, CERTAIN, 1.0 - CERTAIN)
    return float(-np.log(np.where(y > 0.0, p, 1.0 - p)).mean())


def reliability_bins(said: npt.ArrayLike, came_true: npt.ArrayLike, n_bins: int = N_BINS) -> ReliabilityBins:
    """Said against came true in bins of equal mass; equal forecasts are never parted, so there may be fewer bins.

    Arguments and errors as ``brier_score``; ParameterError also for no bins.

    Source: Murphy and Winkler (1977), Applied Statistics 26 (diagram); Nguyen and O'Connor (2015), EMNLP, section 3
    (bins of equal mass).
    """
    p, y = _checked(said, came_true)
    place = _places(p, n_bins)
    counts = np.bincount(place)
    return ReliabilityBins(np.bincount(place, p) / counts, np.bincount(place, y) / counts, counts)


def calibration_error(said: npt.ArrayLike, came_true: npt.ArrayLike, n_bins: int = N_BINS) -> float:
    """Mean distance of said from came true over bins of equal mass, weighted by their sizes: ECE, 0 at best.

    A small sample has one above 0 even when it is calibrated; show it with an interval. Arguments and errors as
    ``reliability_bins``. Source: Naeini, Cooper and Hauskrecht (2015), AAAI, there with bins of equal width.
    """
    bins = reliability_bins(said, came_true, n_bins)
    return float(bins.counts @ np.abs(bins.said - bins.came_true)) / int(bins.counts.sum())


def brier_parts(said: npt.ArrayLike, came_true: npt.ArrayLike, n_bins: int = N_BINS) -> BrierParts:
    """Murphy's decomposition over bins of equal mass, with what the bins hide as a part of its own.

    Arguments and errors as ``reliability_bins``.

    Source: Murphy (1973), J. Applied Meteorology 12; Stephenson, Coelho and Jolliffe (2008), Weather and Forecasting
    23, for the two within-bin terms, here as one.
    """
    p, y = _checked(said, came_true)
    place = _places(p, n_bins)
    counts = np.bincount(place)
    mean_said, share = np.bincount(place, p) / counts, np.bincount(place, y) / counts
    base, within = float(y.mean()), p - mean_said[place]
    return BrierParts(
        brier=float(np.square(p - y).mean()),
        reliability=float(counts @ np.square(mean_said - share)) / len(p),
        resolution=float(counts @ np.square(share - base)) / len(p),
        uncertainty=base * (1.0 - base),
        within_bins=float((np.square(within) - 2.0 * within * (y - share[place])).mean()),
    )


def _places(p: FloatArray, n_bins: int) -> IntArray:
    """(n,) the bin of each forecast, without gaps; a value that reaches over an edge stays in the bin it begins in."""
    if int(checked_at_least(n_bins, 1, name="n_bins")) != n_bins:
        raise ParameterError(f"n_bins: found {n_bins}, expected a whole number")
    values, place, counts = np.unique(p, return_inverse=True, return_counts=True)
    before = np.concatenate([[0], np.cumsum(counts)[:-1]])
    of_value = before * min(n_bins, len(values)) // len(p) if len(values) > n_bins else np.arange(len(values))
    return np.unique(of_value, return_inverse=True)[1][place].astype(np.int64)


def _checked(said: npt.ArrayLike, came_true: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    p = checked_vector(said, name="said", min_rows=1)
    y = checked_vector(np.asarray(came_true, dtype=np.float64), name="came_true", length=len(p))
    if p.min() < 0.0 or p.max() > 1.0:
        worst = p[int(np.argmax(np.abs(p - 0.5)))]
        raise ParameterError(f"said: found {worst}, expected probabilities from 0 to 1", remedy="Give fractions.")
    if not np.isin(y, (0.0, 1.0)).all():
        raise ParameterError(f"came_true: found {y[~np.isin(y, (0.0, 1.0))][0]}, expected 0 or 1")
    return p, y
