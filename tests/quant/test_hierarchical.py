"""Hierarchical risk parity: by hand, against the paper's recursion written plainly, and its invariances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import SampleError, ShapeError
from parley.quant.hierarchical import cluster_order, hierarchical_weights
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import pdist


def _cov(seed: int, n_names: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    returns = rng.normal(0.0, 0.01, (100, 1)) + rng.normal(0.0, 0.01, (100, n_names)) * rng.uniform(0.5, 2.0, n_names)
    return np.cov(returns, rowvar=False)


def test_two_names_are_weighted_by_inverse_variance_whatever_their_correlation() -> None:
    cov = np.array([[0.04, 0.015], [0.015, 0.01]])

    np.testing.assert_allclose(hierarchical_weights(cov), [0.2, 0.8], rtol=1e-12)


def test_two_blocks_of_twins_split_by_cluster_variance() -> None:
    # By hand: blocks {0, 2} at variance 0.04 and {1, 3} at 0.01, correlation 0.5 inside and 0 across. A block's
    # inverse-variance portfolio is half and half with 3/4 of the variance, so the split is 1 to 4, halved inside.
    vol = np.array([0.2, 0.1, 0.2, 0.1])
    correlation = np.eye(4)
    correlation[0, 2] = correlation[2, 0] = correlation[1, 3] = correlation[3, 1] = 0.5

    found = hierarchical_weights(correlation * np.outer(vol, vol))

    np.testing.assert_allclose(found, [0.1, 0.4, 0.1, 0.4], rtol=1e-12)


def _plain_recursion(cov: np.ndarray, order: list[int]) -> dict[int, float]:
    if len(order) == 1:
        return {order[0]: 1.0}
    halves = (order[: len(order) // 2], order[len(order) // 2 :])
    risks = []
    for half in halves:
        block = cov[np.ix_(half, half)]
        inverse = 1.0 / np.diag(block)
        inverse /= inverse.sum()
        risks.append(inverse @ block @ inverse)
    share = 1.0 - risks[0] / (risks[0] + risks[1])
    left, right = (_plain_recursion(cov, half) for half in halves)
    return {name: share * w for name, w in left.items()} | {name: (1 - share) * w for name, w in right.items()}


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.sampled_from(["single", "average", "ward"]))
def test_weights_are_those_of_the_papers_steps_on_scipys_tree(seed: int, n_names: int, method) -> None:
    # López de Prado (2016): pdist over the columns of the distance matrix, scipy's linkage, then bisection.
    cov = _cov(seed, n_names)
    vol = np.sqrt(np.diag(cov))
    distance = np.sqrt(np.maximum(1.0 - cov / np.outer(vol, vol), 0.0) / 2.0)
    order = leaves_list(linkage(pdist(distance.T), method)).tolist()
    expected = _plain_recursion(cov, order)

    assert cluster_order(cov, method).tolist() == order
    found = hierarchical_weights(cov, method)

    np.testing.assert_allclose(found, [expected[name] for name in range(n_names)], rtol=1e-9)
    assert found.sum() == pytest.approx(1.0)
    assert found.min() > 0.0


def test_the_unit_of_returns_does_not_matter() -> None:
    cov = _cov(3, 12)

    np.testing.assert_allclose(hierarchical_weights(1e4 * cov), hierarchical_weights(cov), rtol=1e-9)


def test_duplicated_names_and_one_name_alone_are_no_trouble() -> None:
    cov = _cov(4, 4)[np.ix_([0, 0, 1, 2, 3], [0, 0, 1, 2, 3])]

    twins = hierarchical_weights(cov)

    assert np.isfinite(twins).all()
    assert twins.sum() == pytest.approx(1.0)
    assert hierarchical_weights(np.array([[0.04]])).tolist() == [1.0]


def test_unusable_covariances_are_refused() -> None:
    with pytest.raises(SampleError, match="name 1 has variance"):
        hierarchical_weights(np.diag([1.0, 0.0]))
    with pytest.raises(SampleError, match="name 0 has variance"):
        cluster_order(np.diag([0.0, 1.0]))
    with pytest.raises(ShapeError):
        hierarchical_weights(np.ones((2, 3)))
    with pytest.raises(SampleError, match="eigenvalue"):
        hierarchical_weights(np.array([[1.0, 2.0], [2.0, 1.0]]))
