"""Sizes by every rule: worked out by hand, within the caps, and honest about what they rest on."""

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from parley.quant.covariance import ewma_vol
from parley.tools.estimators import Estimators
from parley.tools.ledger import Ledger
from parley.tools.sizing import KELLY_FRACTION, RISK_FRAC, STOP_RANGES, position_sizes
from parley.tools.window import Opinion, window_of


def sized(scene: Any, opinion: Opinion | None = None) -> tuple[Any, dict[str, Any]]:
    ledger, estimators = Ledger(scene.view.as_of, scene.view.fingerprint), Estimators()
    window = window_of(ledger, scene, estimators)
    window = window if opinion is None else replace(window, opinion=opinion)
    return window, position_sizes(ledger, scene, window, estimators)[1]


@pytest.fixture(scope="module")
def us(us20: Any) -> tuple[Any, dict[str, Any]]:
    return sized(us20.scene(row=1500))


def column(output: dict[str, Any], rule: str) -> np.ndarray:
    return np.array(list(output["weights"][rule].values()))


def test_every_rule_keeps_the_caps(us: tuple[Any, dict[str, Any]], us20: Any) -> None:
    window, output = us
    for rule, row in output["rules"].items():
        weights = column(output, rule)
        assert np.abs(weights).max() <= window.max_name_frac + 1e-9
        assert row["gross"] == pytest.approx(np.abs(weights).sum(), rel=1e-6)
        assert row["gross"] <= us20.scene(row=1500).policy.max_gross + 1e-9


def test_the_calibrated_stake_is_half_of_mean_over_variance(build: Any) -> None:
    scene = build.world().scene()
    residual = np.array([0.0002, -0.0001, 0.0, 0.0001, 0.0003, -0.0002])
    window, output = sized(scene, Opinion(residual, np.zeros(6), False))

    by_hand = KELLY_FRACTION * (residual / 21.0) / np.diag(window.cov)

    assert column(output, "kelly_calibrated") == pytest.approx(by_hand, rel=1e-8)
    assert column(output, "kelly_joint") == pytest.approx(
        KELLY_FRACTION * np.linalg.solve(window.cov, residual / 21.0), rel=1e-6
    )


def test_the_volatility_target_is_shared_equally(us: tuple[Any, dict[str, Any]], us20: Any) -> None:
    window, output = us
    vols = ewma_vol(window.returns) * 252**0.5

    assert column(output, "vol_target") * vols == pytest.approx(us20.scene(row=1500).policy.vol_target / 20, rel=1e-6)


def test_a_range_unit_loses_the_same_at_its_stop_in_every_name(build: Any) -> None:
    closes = build.closes()
    scene = build.world(closes, high=closes * 1.01, low=closes * 0.99).scene()
    _, output = sized(scene)
    ranges = np.array([2.0 * 0.01])

    assert output["range_from_closes"] is False
    lost = column(output, "range_unit") * STOP_RANGES
    # Where days barely overlap the true range is a little more than high less low, so the size is at most this.
    assert (lost * ranges <= RISK_FRAC * 1.02).all()
    assert (lost * ranges > RISK_FRAC * 0.6).all()


def test_closes_alone_are_said_to_show_less_range(us: tuple[Any, dict[str, Any]]) -> None:
    assert us[1]["range_from_closes"] is True


def test_shrinkage_of_the_record_is_shown_and_only_ever_takes_away(us: tuple[Any, dict[str, Any]]) -> None:
    record = us[1]["calibration"]
    n = record["weeks"] * 5 / 21

    assert record["ic_shrunk"] == pytest.approx(max(record["ic_raw"] * n / (n + 60), 0.0), rel=1e-6)
    assert record["gate_is_open"] is False


def test_the_throttle_falls_from_all_to_a_tenth(us: tuple[Any, dict[str, Any]]) -> None:
    rows = us[1]["throttle"]

    # 8 % limit, half of it untouched: (8 - 6) / 4 at 6 %, the floor of a tenth at the limit itself.
    assert [row["k_dd"] for row in rows] == pytest.approx([1.0, 1.0, 1.0, 0.5, 0.1])
    assert [row["multiplier"] for row in rows] == sorted((row["multiplier"] for row in rows), reverse=True)


def test_the_desks_own_size_is_what_the_optimizer_would_ask_for(us: tuple[Any, dict[str, Any]], us20: Any) -> None:
    output = us[1]

    assert column(output, "desk").sum() == pytest.approx(output["exposure"]["multiplier"], rel=1e-6)


def test_without_scores_the_calibrated_rules_hold_nothing_and_say_why(build: Any) -> None:
    scene = build.world(build.closes(n_names=4), sectors=list("abcd")).scene()

    output = sized(scene)[1]

    assert "4 tradable names" in output["calibration"]["refused"]
    assert column(output, "kelly_calibrated").tolist() == [0.0] * 4
    assert column(output, "vol_target").min() > 0.0


def test_two_names_that_are_one_are_refused_with_the_reason(build: Any) -> None:
    closes = build.closes()
    closes[:, 1] = 2.0 * closes[:, 0]
    scene = build.world(closes).scene()
    ledger, estimators = Ledger(scene.view.as_of, scene.view.fingerprint), Estimators()
    window = window_of(ledger, scene, estimators)
    cov = window.cov.copy()
    cov[1], cov[:, 1] = cov[0], cov[:, 0]
    cov[1, 1] = cov[0, 0]

    output = position_sizes(ledger, scene, replace(window, cov=cov), estimators)[1]

    assert "singular" in cast(str, output["refused"])
