"""The compiled rounds of a Gaussian hidden Markov model; import it only where a fit is asked for, as numba is heavy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numba
import numpy as np

from .arrays import FloatArray

_LEAST_DENSITY = 1e-200
_RESCALE_BELOW = 1e-80
_LOG_2_PI = math.log(2.0 * math.pi)


class EmResult(NamedTuple):
    """Parameters after the last round, and the log-likelihood of the series under them."""

    start: FloatArray
    transition: FloatArray
    mean: FloatArray
    variance: FloatArray
    log_likelihood: float


def maximize(
    x: FloatArray,
    start: FloatArray,
    transition: FloatArray,
    mean: FloatArray,
    variance: FloatArray,
    *,
    variance_floor: float,
    max_rounds: int,
    least_gain: float,
) -> EmResult:
    """Expectation-maximization from a first guess, until a round gains less than ``least_gain`` or rounds run out.

    What comes here is trusted: ``regimes`` checks it.

    Parameters
    ----------
    x : (n_days,) finite daily returns, as fractions, oldest first
    start, mean, variance : (n_states,) of the guess, variance above 0; left as they are
    transition : (n_states, n_states), rows sum to 1
    variance_floor : above 0, the least that a state's variance may become
    max_rounds : rounds at most
    least_gain : gain in log-likelihood of the whole series; ``-inf`` runs every round

    Source: Rabiner (1989), Proc. IEEE 77, section III; smoothing as Kim (1994), J. Econometrics 60, eq. 2.20'.
    """
    days, *found = _owned(x, start, transition, mean, variance)
    states = (0,) * len(start)
    log_likelihood = _rounds(days, *found, float(variance_floor), int(max_rounds), float(least_gain), states)
    first, moves, center, square = found
    return EmResult(first, moves, center, square, log_likelihood)


def filtered(
    x: FloatArray, start: FloatArray, transition: FloatArray, mean: FloatArray, variance: FloatArray
) -> tuple[FloatArray, float]:
    """Filtered probabilities (n_days, n_states), rows sum to 1, and the log-likelihood; arguments as ``maximize``."""
    alpha, predicted = np.empty((len(x), len(start))), np.empty((len(x), len(start)))
    log_likelihood = _forward(*_owned(x, start, transition, mean, variance), alpha, predicted, (0,) * len(start))
    return alpha / alpha.sum(axis=1, keepdims=True), log_likelihood


def warm_up() -> None:
    """Compile the kernels for two and three states, or load them from the cache an earlier process left."""
    for n_states in (2, 3):
        even = np.full(n_states, 1.0 / n_states)
        guess = (even, np.tile(even, (n_states, 1)), np.zeros(n_states), 1e-5 * np.arange(1.0, n_states + 1.0))
        x = np.linspace(-0.01, 0.01, 8)
        maximize(x, *guess, variance_floor=1e-9, max_rounds=1, least_gain=0.0)
        filtered(x, *guess)


def _owned(*parts: FloatArray) -> list[FloatArray]:
    """Writable contiguous copies, so that each kernel is compiled for one layout of its arrays and no other."""
    return [np.array(part, dtype=np.float64, order="C") for part in parts]


def _compiled(kernel: Callable[..., float]) -> Callable[..., float]:
    """The kernel, compiled at its first call and kept on disk for later processes where one can be written to."""
    try:
        return numba.njit(cache=True)(kernel)
    except RuntimeError:
        # Neither the package's folder nor the user's cache can be written: each process compiles for itself.
        return numba.njit(kernel)


@_compiled
def _forward(
    x: FloatArray,
    start: FloatArray,
    transition: FloatArray,
    mean: FloatArray,
    variance: FloatArray,
    alpha: FloatArray,
    predicted: FloatArray,
    states: tuple[int, ...],
) -> float:
    """Fill filtered and predicted probabilities, each day's times a constant of its own; give the log-likelihood.

    ``states`` has one item per state: a tuple's length is part of its type, so the loops over it are unrolled.

    A division on each day would double the time of the recursion, so rows are rescaled only once they are small.
    Densities count as fractions of the day's largest, and as at least 1e-200 of it. As the rows of ``transition``
    sum to 1, a day makes the sum of a row smaller by 1e-200 at most: from above 1e-80 it never gets to zero.
    """
    n_states, n_days = len(states), len(x)
    offset, slope = -0.5 * (_LOG_2_PI + np.log(variance)), -0.5 / variance
    density = np.empty(n_states)
    total = size = 0.0
    predicted[0] = start
    for t in range(n_days):
        top = -np.inf
        for k in range(n_states):
            density[k] = offset[k] + slope[k] * (x[t] - mean[k]) ** 2
            top = max(top, density[k])
        total += top
        size = 0.0
        for k in range(n_states):
            gap = density[k] - top
            alpha[t, k] = predicted[t, k] * (1.0 if gap == 0.0 else max(math.exp(gap), _LEAST_DENSITY))
            size += alpha[t, k]
        if size < _RESCALE_BELOW:
            total += math.log(size)
            for k in range(n_states):
                alpha[t, k] /= size
            size = 1.0
        if t + 1 < n_days:
            for j in range(n_states):
                ahead = 0.0
                for i in range(n_states):
                    ahead += alpha[t, i] * transition[i, j]
                predicted[t + 1, j] = ahead
    return total + math.log(size)


@_compiled
def _rounds(
    x: FloatArray,
    start: FloatArray,
    transition: FloatArray,
    mean: FloatArray,
    variance: FloatArray,
    variance_floor: float,
    max_rounds: int,
    least_gain: float,
    states: tuple[int, ...],
) -> float:
    """Improve the four parameters in place, round by round; give the log-likelihood at those it ends with."""
    n_states, n_days = len(states), len(x)
    alpha, predicted = np.empty((n_days, n_states)), np.empty((n_days, n_states))
    before = -np.inf
    for _ in range(max_rounds):
        log_likelihood = _forward(x, start, transition, mean, variance, alpha, predicted, states)
        if log_likelihood - before < least_gain:
            return log_likelihood
        before = log_likelihood
        _improve(x, start, transition, mean, variance, variance_floor, alpha, predicted, states)
    return _forward(x, start, transition, mean, variance, alpha, predicted, states)


@_compiled
def _improve(
    x: FloatArray,
    start: FloatArray,
    transition: FloatArray,
    mean: FloatArray,
    variance: FloatArray,
    variance_floor: float,
    alpha: FloatArray,
    predicted: FloatArray,
    states: tuple[int, ...],
) -> float:
    """One backward pass that smooths and counts, then new parameters in place; gives the days counted (n_days).

    Smoothing works from tomorrow's share over its prediction, so the constants of ``_forward``'s rows cancel and
    no row needs scaling. Moments are about the old means: taken about zero, they would lose digits. A state that
    was never visited, or never left for anywhere, keeps what it had.
    """
    n_states, n_days = len(states), len(x)
    share, news = np.empty(n_states), np.empty(n_states)
    days, moved, spread = np.zeros(n_states), np.zeros(n_states), np.zeros(n_states)
    counts = np.zeros((n_states, n_states))
    for t in range(n_days - 1, -1, -1):
        size = 0.0
        if t == n_days - 1:
            for k in range(n_states):
                size += alpha[t, k]
            for k in range(n_states):
                share[k] = alpha[t, k] / size
        else:
            for j in range(n_states):
                # The reciprocal does not wait for the share, as the quotient would.
                news[j] = share[j] * (1.0 / predicted[t + 1, j]) if predicted[t + 1, j] > 0.0 else 0.0
            for i in range(n_states):
                later = 0.0
                for j in range(n_states):
                    counts[i, j] += alpha[t, i] * news[j]
                    later += transition[i, j] * news[j]
                share[i] = alpha[t, i] * later
        for k in range(n_states):
            gap = x[t] - mean[k]
            days[k] += share[k]
            moved[k] += share[k] * gap
            spread[k] += share[k] * gap * gap
    for i in range(n_states):
        start[i] = share[i]
        left = 0.0
        for j in range(n_states):
            counts[i, j] *= transition[i, j]
            left += counts[i, j]
        if left > 0.0:
            for j in range(n_states):
                transition[i, j] = counts[i, j] / left
        if days[i] > 0.0:
            shift = moved[i] / days[i]
            mean[i] += shift
            variance[i] = max(spread[i] / days[i] - shift * shift, variance_floor)
    return days.sum()
