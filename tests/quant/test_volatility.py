"""Moving volatility: EWMA by hand, GARCH against arch and its own recursion, DCC against a written-out likelihood."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.covariance import ewma_vol
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.volatility import Dcc, average_correlation, dcc_path, ewma_path, fit_dcc, fit_garch, garch_path
from scipy import stats

SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def garch_days() -> np.ndarray:
    """1,500 days of a GARCH(1,1) with alpha 0.08, beta 0.90 and t(6) surprises of variance 1."""
    rng = np.random.default_rng(1)
    days, variance = np.empty(1_500), 1e-4
    for day in range(len(days)):
        days[day] = np.sqrt(variance * 4.0 / 6.0) * rng.standard_t(6)
        variance = 2e-6 + 0.08 * days[day] ** 2 + 0.90 * variance
    return days


@pytest.fixture(scope="module")
def linked_surprises() -> np.ndarray:
    """1,000 days of two names under a DCC with a 0.05, b 0.90 and long-run correlation 0.4."""
    rng = np.random.default_rng(2)
    target = np.array([[1.0, 0.4], [0.4, 1.0]])
    q, days = target, np.empty((1_000, 2))
    for day in range(len(days)):
        root = np.sqrt(np.diag(q))
        days[day] = np.linalg.cholesky(q / np.outer(root, root)) @ rng.standard_normal(2)
        q = 0.05 * target + 0.05 * np.outer(days[day], days[day]) + 0.90 * q
    return days


def test_ewma_of_three_days_by_hand() -> None:
    path = ewma_path(np.array([0.01, 0.02, 0.03]), 0.5)

    assert path[0] == pytest.approx(0.01)
    assert path[2] ** 2 == pytest.approx((0.25 * 1e-4 + 0.5 * 4e-4 + 9e-4) / 1.75, rel=1e-12)


@pytest.mark.parametrize("decay", [0.2, 0.94, 0.999])
def test_ewma_of_a_long_history_is_the_recursion_written_out(decay: float) -> None:
    x = np.random.default_rng(8).normal(0.0, 0.01, 3_000)
    total = weight = 0.0
    written = np.empty(len(x))
    for day, value in enumerate(x):
        total, weight = decay * total + value * value, decay * weight + 1.0
        written[day] = np.sqrt(total / weight)

    np.testing.assert_allclose(ewma_path(x, decay), written, rtol=1e-12)


def test_the_average_correlation_is_the_mean_over_pairs() -> None:
    one = np.array([[1.0, 0.2, 0.4], [0.2, 1.0, 0.9], [0.4, 0.9, 1.0]])

    assert average_correlation(np.stack([one, np.eye(3)])) == pytest.approx([0.5, 0.0])
    with pytest.raises(ShapeError, match="2 names or more"):
        average_correlation(np.ones((5, 1, 1)))


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.floats(0.5, 0.99))
def test_ewma_is_causal_and_ends_where_the_covariance_module_ends(seed: int, decay: float) -> None:
    x = np.random.default_rng(seed).normal(0.0, 0.01, (60, 3))

    path = ewma_path(x, decay)

    np.testing.assert_array_equal(ewma_path(x[:30], decay)[-1], path[29])
    np.testing.assert_allclose(path[-1], ewma_vol(x, np.log(0.5) / np.log(decay)), rtol=1e-10)
    np.testing.assert_array_equal(ewma_path(x[:, 1], decay), path[:, 1])


def test_garch_reaches_the_likelihood_of_arch_on_its_usual_scale(garch_days: np.ndarray) -> None:
    arch = pytest.importorskip("arch")
    peer = arch.arch_model(100 * garch_days, p=1, q=1, rescale=False).fit(disp="off")

    fit = fit_garch(garch_days, student_t=False)

    assert fit.log_likelihood == pytest.approx(peer.loglikelihood + 1_500 * np.log(100), abs=1e-3)
    forecast = np.sqrt(peer.forecast(horizon=1).variance.to_numpy()[-1, 0]) / 100
    assert garch_path(fit, garch_days)[-1] == pytest.approx(forecast, rel=1e-3)


def test_garch_likelihood_is_that_of_its_own_path(garch_days: np.ndarray) -> None:
    fit = fit_garch(garch_days, asymmetric=True, student_t=True)
    assert fit.dof is not None

    path = garch_path(fit, garch_days)

    unit = np.sqrt((fit.dof - 2) / fit.dof)
    log_density = stats.t.logpdf(garch_days, fit.dof, fit.mean, path[:-1] * unit)
    assert log_density.sum() == pytest.approx(fit.log_likelihood, rel=1e-9)


def test_garch_finds_the_parameters_that_made_the_days(garch_days: np.ndarray) -> None:
    fit = fit_garch(garch_days)

    assert fit.alpha == pytest.approx(0.08, abs=0.05)
    assert fit.persistence == pytest.approx(0.98, abs=0.03)
    assert fit.dof == pytest.approx(6.0, abs=2.5)


def test_a_warm_start_ends_at_the_same_garch(garch_days: np.ndarray) -> None:
    earlier = fit_garch(garch_days[:-21])

    warm, cold = fit_garch(garch_days[21:], start=earlier), fit_garch(garch_days[21:])

    assert warm.log_likelihood == pytest.approx(cold.log_likelihood, abs=0.01)


def test_garch_is_the_same_to_the_byte_when_fitted_again(garch_days: np.ndarray) -> None:
    assert fit_garch(garch_days[:400]) == fit_garch(garch_days[:400])


def test_garch_path_is_causal(garch_days: np.ndarray) -> None:
    fit = fit_garch(garch_days[:500])

    np.testing.assert_array_equal(garch_path(fit, garch_days[:300]), garch_path(fit, garch_days)[:301])


def test_garch_does_not_depend_on_the_unit_of_returns(garch_days: np.ndarray) -> None:
    fit, scaled = fit_garch(garch_days), fit_garch(0.01 * garch_days)

    assert scaled.beta == pytest.approx(fit.beta, rel=1e-4)
    assert scaled.omega == pytest.approx(1e-4 * fit.omega, rel=1e-3)


def test_dcc_likelihood_is_the_one_written_out_day_by_day(linked_surprises: np.ndarray) -> None:
    fit = fit_dcc(linked_surprises)
    q, total = fit.target, 0.0
    for z in linked_surprises:
        r = q[0, 1] / np.sqrt(q[0, 0] * q[1, 1])
        joint = (z[0] ** 2 - 2 * r * z[0] * z[1] + z[1] ** 2) / (1 - r**2)
        total -= 0.5 * (np.log(1 - r**2) + joint - z @ z)
        q = (1 - fit.a - fit.b) * fit.target + fit.a * np.outer(z, z) + fit.b * q

    assert fit.log_likelihood == pytest.approx(total, rel=1e-9)


def test_dcc_finds_a_moving_correlation(linked_surprises: np.ndarray) -> None:
    fit = fit_dcc(linked_surprises)

    assert fit.a == pytest.approx(0.05, abs=0.03)
    assert fit.b == pytest.approx(0.90, abs=0.08)
    # The truth's own parameters score no better: the climb ended at the top of the likelihood.
    beside = [Dcc(fit.a + step, fit.b, fit.target, 0.0) for step in (-0.01, 0.01)]
    scores = [_pair_score(dcc_path(model, linked_surprises), linked_surprises) for model in beside]
    assert max(scores) < fit.log_likelihood


def test_dcc_paths_are_causal_correlations(linked_surprises: np.ndarray) -> None:
    model = fit_dcc(linked_surprises[:400])

    path = dcc_path(model, linked_surprises)

    assert path.shape == (1_001, 2, 2)
    np.testing.assert_array_equal(dcc_path(model, linked_surprises[:700]), path[:701])
    np.testing.assert_allclose(np.diagonal(path, axis1=1, axis2=2), 1.0, rtol=1e-12)
    assert np.abs(path[:, 0, 1]).max() < 1.0


def test_dcc_without_news_is_constant_correlation(linked_surprises: np.ndarray) -> None:
    target = np.corrcoef(linked_surprises.T)

    path = dcc_path(Dcc(0.0, 0.5, target, 0.0), linked_surprises)

    np.testing.assert_allclose(path, np.broadcast_to(target, path.shape), rtol=1e-12)


def test_unusable_samples_are_refused(garch_days: np.ndarray, linked_surprises: np.ndarray) -> None:
    with pytest.raises(SampleError, match="rows"):
        fit_garch(garch_days[:100])
    with pytest.raises(SampleError, match="moves"):
        fit_garch(np.full(300, 0.01))
    with pytest.raises(ParameterError, match="kind"):
        fit_garch(garch_days, start=fit_garch(garch_days, student_t=False))
    with pytest.raises(SampleError, match="NaN"):
        ewma_path(np.array([0.01, np.nan]))
    with pytest.raises(ParameterError, match="decay"):
        ewma_path(garch_days, 1.0)
    with pytest.raises(ShapeError, match="two names"):
        fit_dcc(linked_surprises[:, :1])
    with pytest.raises(SampleError, match="eigenvalue"):
        fit_dcc(linked_surprises[:, [0, 0]])
    with pytest.raises(ShapeError, match="names"):
        dcc_path(Dcc(0.0, 0.5, np.eye(3), 0.0), linked_surprises)


def _pair_score(path: np.ndarray, z: np.ndarray) -> float:
    r = path[:-1, 0, 1]
    joint = (z[:, 0] ** 2 - 2 * r * z[:, 0] * z[:, 1] + z[:, 1] ** 2) / (1 - r**2)
    return float(-0.5 * (np.log(1 - r**2) + joint - (z * z).sum(axis=1)).sum())
