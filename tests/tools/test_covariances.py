"""Covariance estimates side by side: every one judged on days it had not seen, and no later day in any figure."""

from typing import Any

import numpy as np
import pytest
from parley.quant.frontier import min_variance
from parley.quant.shrinkage import rank_cov
from parley.tools.covariances import ESTIMATES, HOLD_DAYS, covariance_estimates
from parley.tools.estimators import Estimators
from parley.tools.window import window_of


def estimated(scene: Any) -> dict[str, Any]:
    from parley.tools.ledger import Ledger

    ledger = Ledger(scene.view.as_of, scene.view.fingerprint)
    window = window_of(ledger, scene, Estimators())
    return covariance_estimates(ledger, scene, window)[1]


@pytest.fixture(scope="module")
def found(us20: Any) -> dict[str, Any]:
    return estimated(us20.scene(row=1500))


def test_every_estimate_is_there_with_a_record_of_three_years(found: dict[str, Any]) -> None:
    assert list(found) == list(ESTIMATES)
    for row in found.values():
        assert row["periods"] == 36
        assert row["condition"] > 1.0
        assert 0.05 < row["realized"] < 0.6
        assert row["qlike"] >= 0.0


def test_the_sample_promises_less_than_comes_because_the_optimizer_picks_its_errors(found: dict[str, Any]) -> None:
    assert found["sample"]["bias"] > 1.0
    assert found["sample"]["realized"] > found["sample"]["forecast"]


def test_shrinkage_and_factors_are_better_conditioned_than_the_sample(found: dict[str, Any]) -> None:
    for name in ("shrunk", "ledoit-wolf identity", "oracle approximating", "denoised", "market factor"):
        assert found[name]["condition"] < found["sample"]["condition"]


def test_the_records_last_month_is_what_anyone_can_recompute(us20: Any, build: Any) -> None:
    closes = build.closes(n_days=252 + 1 + 6 * HOLD_DAYS)
    scene = build.world(closes).scene()
    returns = closes[1:] / closes[:-1] - 1.0
    ratios = []
    for start in range(252, len(returns), HOLD_DAYS):
        cov = np.cov(returns[start - 252 : start], rowvar=False)
        weights = min_variance(cov, upper=scene.policy.name_cap(6))
        came = np.square(returns[start : start + HOLD_DAYS] @ weights).mean()
        ratios.append(came / (weights @ cov @ weights))

    row = estimated(scene)["sample"]

    assert row["periods"] == len(ratios) == 6
    assert row["bias"] == pytest.approx(np.mean(ratios), rel=1e-6)


def test_a_short_history_has_estimates_and_no_record(build: Any) -> None:
    row = estimated(build.world(build.closes(n_days=300)).scene())["sample"]

    assert row["condition"] > 1.0
    assert row["no_record"] == "2 months are left after the first year, a record needs 6"
    assert "qlike" not in row


def test_later_days_change_nothing(build: Any) -> None:
    closes = build.closes(n_days=420)
    changed = closes.copy()
    changed[400:] *= 1.5

    assert estimated(build.world(closes).scene(row=399)) == estimated(build.world(changed).scene(row=399))


def test_ranks_shrug_at_one_wild_day_that_the_sample_believes() -> None:
    rng = np.random.default_rng(1)
    returns = rng.normal(0.0, 0.01, (250, 3))
    wild = returns.copy()
    wild[100, :2] = 0.5

    def correlation(cov: np.ndarray) -> float:
        return float(cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1]))

    assert correlation(np.cov(wild, rowvar=False)) > 0.8
    assert abs(correlation(rank_cov(wild)) - correlation(rank_cov(returns))) < 0.03
    assert np.diag(rank_cov(wild)) == pytest.approx(wild.var(axis=0, ddof=1))
