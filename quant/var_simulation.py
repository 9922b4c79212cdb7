"""Simulated tail risk of linear and non-linear books, normal or Student t; losses are positive."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .arrays import FloatArray, checked_above, checked_fraction, checked_vector
from .definite import checked_covariance
from .errors import ParameterError
from .var_models import TailRisk

PATHS_PER_CHUNK = 4_000


def linear_monte_carlo_tail(
    weights: FloatArray,
    mean: FloatArray,
    covariance: FloatArray,
    rng: np.random.Generator,
    *,
    level: float = 0.975,
    n_paths: int = 1_000_000,
    dof: float | None = None,
) -> TailRisk:
    """Simulated tail of a linear portfolio of jointly normal or t returns, drawn in one dimension.

    A weighted sum of elliptical returns is elliptical with the same generator, so drawing the portfolio's return
    itself has exactly the law of drawing every name's and adding them up, at a fraction of the work.

    Parameters
    ----------
    weights : (n_names,) signed fractions of equity
    mean, covariance : (n_names,) and (n_names, n_names) of the period's returns
    rng : the only source of randomness
    n_paths : 1,000 or more, and at least ``1 / (1 - level)``
    dof : None for the normal; above 2 for a multivariate t with this covariance

    Raises
    ------
    ShapeError, SampleError : inputs that do not fit together or are not a covariance
    ParameterError : too few paths, or degrees of freedom of 2 or less

    Source: McNeil, Frey and Embrechts (2015), section 6.3.3 (linear combinations of elliptical vectors).
    """
    center = checked_vector(mean, name="mean", min_rows=1)
    held = checked_vector(weights, name="weights", length=len(center))
    matrix = checked_covariance(covariance, len(center))
    _check_paths(n_paths, level)
    vol = math.sqrt(max(float(held @ matrix @ held), 0.0))
    outcome = float(held @ center) + vol * rng.standard_normal(n_paths) * _mixing(n_paths, dof, rng)
    return _tail_of_paths(outcome, level)


def simulated_tail(
    reprice: Callable[[FloatArray], FloatArray],
    mean: FloatArray,
    covariance: FloatArray,
    rng: np.random.Generator,
    *,
    level: float = 0.975,
    n_paths: int = 1_000_000,
    dof: float | None = None,
) -> TailRisk:
    """Simulated tail of any book (options included) of jointly normal or t returns, in chunks of 4,000 paths.

    Parameters
    ----------
    reprice : from (n_chunk, n_names) returns of the names to (n_chunk,) returns of the book, as fractions of equity
    mean, covariance, rng, level, n_paths, dof : as ``linear_monte_carlo_tail``

    Raises
    ------
    ShapeError : a repricing that returns another shape, or inputs that do not fit together
    SampleError : a repricing that gives NaN or infinity
    ParameterError : too few paths, or degrees of freedom of 2 or less

    Normals are drawn in single precision, which leaves 1e-7 of each and ends at 5.77 deviations (6 in 10^9 lie
    beyond): an error far below the sampling error of any number of paths that fits in memory.

    Source: Glasserman (2003), Monte Carlo Methods in Financial Engineering, sections 2.3.2 and 9.1.
    """
    center = checked_vector(mean, name="mean", min_rows=1)
    matrix = checked_covariance(covariance, len(center))
    _check_paths(n_paths, level)
    # Eigenvectors, not Cholesky: a covariance of perfectly correlated names is singular, yet simulates well.
    roots, vectors = np.linalg.eigh(matrix)
    factor = (vectors * np.sqrt(np.maximum(roots, 0.0))).T
    outcome = np.empty(n_paths)
    for begin in range(0, n_paths, PATHS_PER_CHUNK):
        size = min(PATHS_PER_CHUNK, n_paths - begin)
        shocks = _normals(size, len(center), rng) @ factor
        if dof is not None:
            shocks *= _mixing(size, dof, rng)[:, None]
        shocks += center
        outcome[begin : begin + size] = checked_vector(reprice(shocks), name="reprice", length=size)
    return _tail_of_paths(outcome, level)


def _normals(n_rows: int, n_columns: int, rng: np.random.Generator) -> FloatArray:
    """Independent standard normals, (n_rows, n_columns), by Box and Muller (1958).

    Logarithm and sines of float32 are vectorized: three times as fast as the generator's own float64 normals,
    which were three quarters of a simulation's time.
    """
    n_pairs = -(-n_rows * n_columns // 2)
    uniform, turn = rng.random((2, n_pairs), dtype=np.float32)
    # 1 - u is never 0, whose logarithm is infinite; u can be.
    radius = np.sqrt(np.float32(-2.0) * np.log(np.float32(1.0) - uniform))
    turn *= np.float32(2.0 * math.pi)
    flat = np.empty((2, n_pairs))
    np.multiply(radius, np.cos(turn), out=flat[0])
    np.multiply(radius, np.sin(turn), out=flat[1])
    return flat.ravel()[: n_rows * n_columns].reshape(n_rows, n_columns)


def _mixing(n_paths: int, dof: float | None, rng: np.random.Generator) -> FloatArray:
    """Per path, the factor that turns a normal into a t of the same variance; ones for the normal."""
    if dof is None:
        return np.ones(1)
    checked_above(dof, 2.0, name="dof")
    return np.sqrt((dof - 2.0) / rng.chisquare(dof, n_paths))


def _check_paths(n_paths: int, level: float) -> None:
    least = max(1_000, math.ceil(1.0 / (1.0 - checked_fraction(level, name="level")) - 1e-6))
    if n_paths < least:
        raise ParameterError(f"n_paths: found {n_paths}, expected at least {least} at level {level}")


def _tail_of_paths(outcome: FloatArray, level: float) -> TailRisk:
    """The empirical tail by the conventions of ``historical_var``, from a partial sort of the worst paths only."""
    n_paths = len(outcome)
    n_worst = n_paths - min(max(math.ceil(n_paths * level - 1e-9), 1), n_paths)
    ordered = np.partition(outcome, n_worst)
    at_var = -float(ordered[n_worst])
    es = at_var + float((-ordered[:n_worst] - at_var).sum()) / (n_paths * (1.0 - level))
    return TailRisk(level, at_var, es)
