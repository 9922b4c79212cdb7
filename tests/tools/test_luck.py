"""What luck explains: the papers' statistics on a record, the verdict in words, and selection among many."""

from typing import Any

import numpy as np
import pytest
from parley.quant.performance import deflated_sharpe, sharpe
from parley.tools.ledger import Ledger
from parley.tools.luck import VERDICTS, luck, selection_luck

from .test_performance import made, noise


@pytest.fixture
def ledger(build: Any, world: Any) -> Ledger:
    return build.ledger(world.scene())


def with_sharpe(annual: float, n_days: int, seed: int = 4) -> np.ndarray:
    """Noise shifted so that its Sharpe ratio is exactly this."""
    series = noise(n_days, seed)
    series = (series - series.mean()) / series.std(ddof=1)
    return 0.01 * (series + annual / np.sqrt(252))


def test_a_record_under_three_years_is_not_told_from_luck_however_good(ledger: Ledger) -> None:
    found: Any = luck(ledger, made(with_sharpe(4.0, 740)), 1)[1]

    assert found["verdict"] == VERDICTS["short"]
    assert not found["is_long_enough"]


@pytest.mark.parametrize(("annual", "trials", "kind"), [(0.4, 1, "zero"), (1.6, 1, "stands"), (1.6, 5000, "trials")])
def test_the_verdict_follows_the_interval_first_and_the_trials_second(
    ledger: Ledger, annual: float, trials: int, kind: str
) -> None:
    found: Any = luck(ledger, made(with_sharpe(annual, 1260)), trials)[1]

    assert found["verdict"] == VERDICTS[kind]
    assert found["sharpe"] == pytest.approx(annual)


def test_weights_that_know_their_past_never_stand(ledger: Ledger) -> None:
    found: Any = luck(ledger, made(with_sharpe(1.6, 1260), is_hindsight=True), 1)[1]

    assert found["verdict"] == VERDICTS["hindsight"]


def test_a_normal_sharpe_of_one_and_a_half_needs_the_304_days_of_the_closed_form(ledger: Ledger) -> None:
    # 1 + (1 + SR^2 / 2) (1.645 / SR)^2 with SR = 1.5 / sqrt(252) is 304.4 days (Bailey and López de Prado 2012).
    found: Any = luck(ledger, made(with_sharpe(1.5, 5000)), 1)[1]

    assert found["sharpe"] == pytest.approx(1.5)
    assert found["min_track_record_days"] == pytest.approx(304.4, rel=0.02)


def test_trials_survived_is_the_last_count_that_passes(ledger: Ledger) -> None:
    found: Any = luck(ledger, made(with_sharpe(1.4, 1260)), 1)[1]
    survived = found["trials_survived"]

    at: Any = luck(ledger, made(with_sharpe(1.4, 1260)), survived)[1]["dsr"]
    beyond: Any = luck(ledger, made(with_sharpe(1.4, 1260)), survived + 1)[1]["dsr"]
    assert survived > 1
    assert at >= 0.95 > beyond


def test_the_deflated_ratio_is_the_papers_on_the_records_own_moments(ledger: Ledger) -> None:
    returns = with_sharpe(1.0, 800)
    centered = returns - returns.mean()
    moment = [float((centered**k).mean()) for k in (2, 3, 4)]

    found = luck(ledger, made(returns), 20)[1]

    expected = deflated_sharpe(
        sharpe(returns) / 252**0.5,
        800,
        moment[1] / moment[0] ** 1.5,
        moment[2] / moment[0] ** 2,
        n_trials=20,
        trial_variance=1 / 799,
    )
    assert found["dsr"] == pytest.approx(expected)


def test_a_losing_record_needs_no_length_and_a_still_one_has_no_ratio(ledger: Ledger) -> None:
    losing: Any = luck(ledger, made(with_sharpe(-0.5, 800)), 1)[1]
    still: Any = luck(ledger, made(np.zeros(800)), 1)[1]

    assert losing["min_track_record_days"] is None
    assert losing["trials_survived"] == 0
    assert still["verdict"] == VERDICTS["still"]
    assert "psr" not in still and still["undefined"]["sharpe"]


def test_one_steady_winner_is_chosen_rightly_and_ties_of_luck_are_not(ledger: Ledger) -> None:
    rng = np.random.default_rng(8)
    idle = {f"s{k}": rng.normal(0.0, 0.01, 640) for k in range(9)}

    best: Any = selection_luck(ledger, {**idle, "good": rng.normal(0.003, 0.01, 640)}, "made", {})[1]

    assert best["probability"] < 0.05
    assert best["out_of_sample_median"] > 2.0
    assert best["blocks"] == 16 and best["splits"] == 12870


@pytest.mark.parametrize(
    ("returns", "says"),
    [({}, ""), ({"one": noise(400)}, "at least two"), ({"a": noise(100), "b": noise(100, 2)}, "100 days"),
     ({"a": noise(400), "b": np.zeros(400)}, "stands still")],
)  # fmt: skip
def test_a_choice_that_cannot_be_tested_says_so(ledger: Ledger, returns: dict[str, np.ndarray], says: str) -> None:
    found: Any = selection_luck(ledger, returns, "made", {})[1]

    assert says in found["refused"] and found["refused"]
    assert "probability" not in found
