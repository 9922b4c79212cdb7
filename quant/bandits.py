"""Choosing among places whose worth is only seen where one goes: UCB1 and Thompson sampling, and what they cost."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, checked_above, checked_at_least, checked_vector
from .errors import ParameterError, SampleError


def ucb1_indices(reward_sums: npt.ArrayLike, trials: npt.ArrayLike) -> FloatArray:
    """Upper confidence bound of each arm's mean: (n_arms,); infinite for an arm that was never tried.

    Parameters
    ----------
    reward_sums : (n_arms,) sums of rewards, each reward in [0, 1]
    trials : (n_arms,) how often each arm was tried

    Raises
    ------
    ShapeError, SampleError : vectors that do not fit, a NaN, or a sum outside [0, trials]

    Source: Auer, Cesa-Bianchi and Fischer (2002), Machine Learning 47, figure 1: mean + sqrt(2 ln n / n_i).
    """
    sums, counts = _record(reward_sums, trials)
    tried = counts > 0
    total = max(float(counts.sum()), 1.0)
    indices = np.full(len(counts), np.inf)
    indices[tried] = sums[tried] / counts[tried] + np.sqrt(2.0 * np.log(total) / counts[tried])
    return indices


def thompson_draws(reward_sums: npt.ArrayLike, trials: npt.ArrayLike, rng: np.random.Generator) -> FloatArray:
    """One draw of each arm's mean from its posterior, (n_arms,): Beta(1 + successes, 1 + failures).

    A reward between 0 and 1 counts as that part of a success. Arguments and errors as of ``ucb1_indices``.

    Source: Thompson (1933), Biometrika 25; Agrawal and Goyal (2012), COLT, for rewards in [0, 1].
    """
    sums, counts = _record(reward_sums, trials)
    return rng.beta(1.0 + sums, 1.0 + np.maximum(counts - sums, 0.0))


def ucb1_regret_bound(means: npt.ArrayLike, n_rounds: int) -> float:
    """The most that UCB1 loses in expectation against the best arm over ``n_rounds``, in rewards.

    Parameters
    ----------
    means : (n_arms,) true mean rewards, in [0, 1]

    Raises
    ------
    SampleError : a NaN or a mean outside [0, 1]; ParameterError : fewer than 1 round

    Source: Auer et al. (2002), theorem 1: 8 sum(ln n / gap) + (1 + pi^2 / 3) sum(gap).
    """
    gaps = _gaps(means)
    checked_at_least(n_rounds, 1, name="n_rounds")
    return float((8.0 * np.log(n_rounds) / gaps).sum() + (1.0 + np.pi**2 / 3.0) * gaps.sum())


def lai_robbins_regret(means: npt.ArrayLike, n_rounds: int) -> float:
    """The least any consistent rule loses for large ``n_rounds`` on yes-or-no rewards; Thompson sampling attains it.

    Errors as of ``ucb1_regret_bound``; also ParameterError for a best mean of 1, with which nothing needs to be lost.

    Source: Lai and Robbins (1985), Advances in Applied Mathematics 6; Kaufmann, Korda and Munos (2012), ALT:
    ln n times the sum of gap / KL(mean, best mean).
    """
    values, gaps = checked_vector(means, name="means"), _gaps(means)
    checked_at_least(n_rounds, 1, name="n_rounds")
    best = float(values.max())
    if best >= 1.0:
        raise ParameterError(f"means: the best is {best}, expected below 1")
    checked_above(best, 0.0, name="best mean")
    worse = values[values < best]
    with np.errstate(divide="ignore", invalid="ignore"):
        divergence = np.where(worse > 0.0, worse * np.log(worse / best), 0.0)
    divergence += (1.0 - worse) * np.log((1.0 - worse) / (1.0 - best))
    return float(np.log(n_rounds) * (gaps / divergence).sum())


def _record(reward_sums: npt.ArrayLike, trials: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    sums = checked_vector(reward_sums, name="reward_sums", min_rows=1)
    counts = checked_vector(trials, name="trials", length=len(sums))
    # A hair above is the rounding of a long sum.
    if (sums < 0).any() or (sums > counts + 1e-9 * (1.0 + counts)).any():
        arm = int(((sums < 0) | (sums > counts)).argmax())
        raise SampleError(
            f"arm {arm}: rewards sum to {sums[arm]:g} over {counts[arm]:g} trials, expected each in [0, 1]",
            remedy="Scale the rewards to [0, 1].",
        )
    return sums, counts


def _gaps(means: npt.ArrayLike) -> FloatArray:
    values = checked_vector(means, name="means", min_rows=1)
    if (values < 0).any() or (values > 1).any():
        raise SampleError(f"means: found values from {values.min():g} to {values.max():g}, expected within [0, 1]")
    gaps = values.max() - values
    return gaps[gaps > 0]
