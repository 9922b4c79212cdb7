"""Factor models of many names: observed, statistical and characteristic factors, and risk split by them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .arrays import FloatArray, checked_matrix, checked_returns, checked_vector
from .covariance import VOL_HALF_LIFE_DAYS, ewma_cov, ewma_weights
from .errors import ParameterError, SampleError, ShapeError
from .factors import factor_design

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class FactorModel:
    """Names driven by factors plus independent noise; covariance = B F B' + diag(specific), daily."""

    names: tuple[str, ...]
    exposures: FloatArray
    """B, (n_names, n_factors)."""
    factor_cov: FloatArray
    """F, (n_factors, n_factors), daily squared units of the factors."""
    specific_var: FloatArray
    """(n_names,) daily squared fractions."""

    def cov(self) -> FloatArray:
        """The model's covariance of the names, (n_names, n_names), daily squared fractions."""
        return self.exposures @ self.factor_cov @ self.exposures.T + np.diag(self.specific_var)


@dataclass(frozen=True, slots=True)
class FactorRisk:
    """Daily variance of a portfolio: ``by_factor.sum() + specific == total == by_name.sum()``."""

    names: tuple[str, ...]
    exposures: FloatArray
    """(n_factors,) B'w, the portfolio's own betas."""
    by_factor: FloatArray
    systematic: float
    specific: float
    total: float
    by_name: FloatArray

    @property
    def vol(self) -> float:
        """Daily volatility, a fraction."""
        return math.sqrt(self.total)


def fit_factor_model(
    returns: FloatArray,
    factors: FloatArray,
    names: Sequence[str] | None = None,
    *,
    half_life_days: float | None = None,
) -> FactorModel:
    """Exposures of many names on observed factors, by (exponentially weighted) least squares.

    Covariances take the weighted mean off and divide by the sum of weights (ddof 0).

    Parameters
    ----------
    returns : (n_days, n_names) simple daily returns, as fractions
    factors : (n_days, n_factors); names as in ``fit_factors``
    half_life_days : of the weights; equal weights when not given

    Raises
    ------
    ShapeError, SampleError, ParameterError : as ``fit_factors``
    """
    design, labels = factor_design(factors, names)
    matrix = checked_returns(returns)
    if len(matrix) != len(design):
        raise ShapeError(f"returns: found {len(matrix)} days, expected {len(design)} as in factors")
    n_days = len(matrix)
    weights = np.full(n_days, 1.0 / n_days) if half_life_days is None else ewma_weights(n_days, half_life_days)
    centered = design[:, 1:] - weights @ design[:, 1:]
    moved = matrix - weights @ matrix
    factor_cov = (centered * weights[:, None]).T @ centered
    solved = np.linalg.solve(factor_cov, (centered * weights[:, None]).T @ moved)
    exposures = np.asarray(solved.T, dtype=np.float64)
    specific = weights @ np.square(moved - centered @ exposures.T)
    return FactorModel(labels, exposures, factor_cov, specific)


def statistical_factors(
    returns: FloatArray, n_factors: int, half_life_days: float = VOL_HALF_LIFE_DAYS
) -> tuple[FactorModel, FloatArray]:
    """The leading principal components of the EWMA covariance, and the share of variance each explains.

    Exposures are orthonormal columns whose sum is positive; the factor return of a day is ``returns @
    exposures``. Means are taken as zero, as in ``ewma_cov``.

    Parameters
    ----------
    returns : (n_days, n_names) simple daily returns, as fractions
    n_factors : from 1 to n_names

    Raises
    ------
    ParameterError : n_factors out of range
    SampleError : a NaN, or a covariance of lower rank than n_factors

    Source: Connor and Korajczyk (1986), J. Financial Economics 15 (principal components as factors).
    """
    cov = ewma_cov(returns, half_life_days)
    n_names = len(cov)
    if not 1 <= n_factors <= n_names:
        raise ParameterError(f"n_factors: found {n_factors}, expected from 1 to {n_names}")
    values, vectors = np.linalg.eigh(cov)
    values, vectors = values[::-1][:n_factors], vectors[:, ::-1][:, :n_factors]
    if values[-1] <= 1e-14 * max(float(values[0]), np.finfo(float).tiny):
        raise SampleError(
            f"returns: the covariance has no component {n_factors}", remedy="Ask for fewer factors, or give more days."
        )
    exposures = vectors * np.where(vectors.sum(axis=0) < 0.0, -1.0, 1.0)
    variance = np.diag(cov)
    specific = np.maximum(variance - np.square(exposures) @ values, 0.0)
    labels = tuple(f"component_{i + 1}" for i in range(n_factors))
    return FactorModel(labels, exposures, np.diag(values), specific), values / variance.sum()


def decompose_risk(weights: FloatArray, model: FactorModel) -> FactorRisk:
    """Daily variance of fixed weights by factor, by name, and specific; a hedge contributes negatively.

    Parameters
    ----------
    weights : (n_names,) signed fractions of equity

    Raises
    ------
    ShapeError, SampleError : weights that do not fit the model, or a NaN

    Source: Euler's theorem on x'Fx; Grinold and Kahn (1999), Active Portfolio Management, ch. 3.
    """
    held = checked_vector(weights, name="weights", length=len(model.exposures))
    own = model.exposures.T @ held
    factor_side = model.factor_cov @ own
    by_factor = own * factor_side
    specific_by_name = np.square(held) * model.specific_var
    systematic, specific = float(by_factor.sum()), float(specific_by_name.sum())
    by_name = held * (model.exposures @ factor_side) + specific_by_name
    return FactorRisk(model.names, own, by_factor, systematic, specific, systematic + specific, by_name)


def characteristic_factor(returns: FloatArray, scores: FloatArray, tail_frac: float = 0.3) -> FloatArray:
    """A custom factor: equal-weighted high-score names minus low-score names, (n_days - 1,) returns.

    Day t holds what the scores of day t - 1 chose, so nothing is known before its time.

    Parameters
    ----------
    returns, scores : (n_days, n_names)
    tail_frac : share of names on each side, above 0 and at most 0.5; at least one name

    Raises
    ------
    ShapeError, SampleError : different shapes, a NaN, fewer than 2 days or 2 names
    ParameterError : a tail out of range
    """
    matrix = checked_returns(returns, 2)
    ranks = checked_matrix(scores, name="scores")
    if ranks.shape != matrix.shape or matrix.shape[1] < 2:
        raise ShapeError(f"scores: found shape {ranks.shape}, expected {matrix.shape} with two names or more")
    if not 0.0 < tail_frac <= 0.5:
        raise ParameterError(f"tail_frac: found {tail_frac}, expected above 0 and at most 0.5")
    n_side = max(int(tail_frac * matrix.shape[1] + 1e-9), 1)
    order = np.argsort(ranks[:-1], axis=1, kind="stable")
    high = np.take_along_axis(matrix[1:], order[:, -n_side:], axis=1).mean(axis=1)
    low = np.take_along_axis(matrix[1:], order[:, :n_side], axis=1).mean(axis=1)
    return high - low
