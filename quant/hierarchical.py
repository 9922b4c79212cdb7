"""Hierarchical risk parity: a tree of similar names, and weights split down it by inverse variance."""

from __future__ import annotations

from typing import Literal

import numpy as np

from .arrays import FloatArray, IntArray
from .definite import checked_covariance
from .errors import SampleError

Linkage = Literal["single", "complete", "average", "ward"]


def hierarchical_weights(cov: FloatArray, linkage: Linkage = "single") -> FloatArray:
    """Long-only weights (n_names,) by recursive bisection of the clustered names, summing to 1.

    Nothing is inverted, so a covariance that is nearly singular does no harm.

    Parameters
    ----------
    cov : (n_names, n_names) covariance per period, every variance above 0
    linkage : how the distance of two clusters follows from their members; the paper's is single

    Raises
    ------
    ShapeError, SampleError : not square, a NaN, not positive semidefinite, or a name without variance

    Source: López de Prado (2016), "Building diversified portfolios that outperform out of sample", J. of
    Portfolio Management 42(4), algorithm of sections 3-5: distance sqrt((1 - rho) / 2), then the distance between
    columns of distances, quasi-diagonal order, and halves weighted by the other half's variance.
    """
    sigma = _checked_moving(cov)
    order = _leaf_order(sigma, linkage)
    weights = np.empty(len(sigma))
    weights[order] = _bisected(sigma[np.ix_(order, order)])
    return weights


def cluster_order(cov: FloatArray, linkage: Linkage = "single") -> IntArray:
    """The names (n_names,) in the order of the tree's leaves, so that similar ones stand side by side.

    Ties in distance are settled by the order of the names, so equal input always gives equal output.

    Parameters, errors and source as ``hierarchical_weights``.
    """
    return _leaf_order(_checked_moving(cov), linkage)


def _checked_moving(cov: FloatArray) -> FloatArray:
    sigma = checked_covariance(cov)
    variance = np.diag(sigma)
    if variance.min() <= 0.0:
        raise SampleError(
            f"cov: name {int(variance.argmin())} has variance {variance.min():.3e}, expected above zero",
            remedy="Leave cash-like instruments out of the risk model.",
        )
    return sigma


def _leaf_order(sigma: FloatArray, linkage: Linkage) -> IntArray:
    from scipy.cluster.hierarchy import leaves_list
    from scipy.cluster.hierarchy import linkage as tree_of

    if len(sigma) == 1:
        return np.zeros(1, dtype=np.int64)
    vol = np.sqrt(np.diag(sigma))
    distance = np.sqrt(np.maximum(1.0 - sigma / np.outer(vol, vol), 0.0) / 2.0)
    # Squared distances of columns from one matrix product: twenty times cheaper than pair by pair at 500 names.
    inner = distance @ distance
    norm = np.diag(inner)
    squared = norm[:, None] + norm[None, :] - 2.0 * inner
    condensed = np.sqrt(np.maximum(squared[np.triu_indices(len(sigma), 1)], 0.0))
    return leaves_list(tree_of(condensed, linkage)).astype(np.int64)


def _bisected(ordered: FloatArray) -> FloatArray:
    """Weights in tree order: each half gets the share of the variance that the other half has."""
    inverse = 1.0 / np.diag(ordered)
    scaled = ordered * np.outer(inverse, inverse)
    weights = np.ones(len(ordered))
    pending = [(0, len(ordered))]
    while pending:
        start, end = pending.pop()
        if end - start < 2:
            continue
        middle = (start + end) // 2
        left = _cluster_variance(scaled, inverse, start, middle)
        right = _cluster_variance(scaled, inverse, middle, end)
        # Two halves without variance are alike, so neither is preferred.
        share = right / (left + right) if left + right > 0.0 else 0.5
        weights[start:middle] *= share
        weights[middle:end] *= 1.0 - share
        pending += [(start, middle), (middle, end)]
    return weights


def _cluster_variance(scaled: FloatArray, inverse: FloatArray, start: int, end: int) -> float:
    """Variance of the cluster's inverse-variance portfolio, never below zero by rounding."""
    total = float(inverse[start:end].sum())
    return max(float(scaled[start:end, start:end].sum()), 0.0) / total**2
