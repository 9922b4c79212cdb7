"""The routing study: its references by hand, the paper's result, and theory's bounds on the bandits."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parley.evals.errors import EvalError
from parley.evals.routing_study import ARM_MEANS, N_SIZES, arm_regret, mean_interval, resampled, routing_section, study
from parley.evals.routing_worlds import (
    DARK_POOLS,
    MARKETS,
    SimulatedVenue,
    recorded_sizes,
    recorded_world,
    simulated_world,
    tails_of,
)
from parley.execution.routing.state import Rule
from parley.quant.bandits import lai_robbins_regret, ucb1_regret_bound


@pytest.fixture(scope="module")
def ticks() -> Path:
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    path = Path(os.environ.get("PARLEY_SHARED_DATA", beside)) / "intraday" / "us_tick_ibm_20131007.parquet"
    if path.is_file():
        return path
    reason = f"no recorded data at {path}: set PARLEY_SHARED_DATA"
    pytest.skip(reason)


@pytest.mark.slow
def test_the_censored_rule_beats_equal_shares_and_both_bandits_and_comes_near_the_oracle() -> None:
    found = study(lambda rng: simulated_world(DARK_POOLS, 400, N_SIZES, rng), 6, (5, 40))

    censored = found.value[Rule.CENSORED]
    for rule in (Rule.EQUAL, Rule.UCB, Rule.THOMPSON):
        _, gain = mean_interval(censored[:, -1] - found.value[rule][:, -1])
        assert gain.low > 0.0, rule
    # No regret left to speak of: the last quarter is within 6 % of the oracle, and regret a round has come down.
    late = (censored[:, -1] - censored[:, -100]).sum() / (found.oracle[:, -1] - found.oracle[:, -100]).sum()
    assert late > 0.94
    lost = (found.oracle - censored).mean(axis=0)
    assert lost[399] / 400 < 0.5 * lost[49] / 50
    # Splitting beats every single venue, and nobody beats who sees the sizes.
    assert (censored[:, -1] > found.fixed[:, -1]).all()
    assert all((value <= found.ceiling + 1e-9).all() for value in (*found.value.values(), found.oracle, found.fixed))


def test_the_references_are_what_they_say_on_a_world_small_enough_to_count() -> None:
    sizes = np.array([[3, 0], [0, 2], [1, 1]])
    found = study(lambda rng: recorded_world(sizes, ("a", "b"), 8), 1, (2, 2))

    # Alike in price a unit is worth a half. "a" alone fills 2, 0, 1; seen, 2, 2, 2.
    assert found.fixed[0].tolist() == [1.0, 1.0, 1.5]
    assert found.ceiling[0].tolist() == [1.0, 2.0, 3.0]
    # P(a >= 1) = P(b >= 1) = 2/3, then 1/3 each: one unit to each.
    assert found.oracle[0].tolist() == [0.5, 1.0, 2.0]


def test_a_worlds_sizes_come_as_often_as_its_venues_say() -> None:
    venue = SimulatedVenue("one", 1.0, 0.2, 0.3, 10, 0.4, 1.0, 5, reject_frac=0.1, outage_frac=0.2, outage_rounds=5)

    world = simulated_world((venue,), 60_000, 8, np.random.default_rng(5))

    assert venue.net_bps == pytest.approx(1.0 - 0.2 - 0.3 - 0.1)
    assert world.is_out.mean() == pytest.approx(0.2, abs=0.02)
    assert [(world.sizes >= size).mean() for size in range(9)] == pytest.approx(world.tails[0].tolist(), abs=0.02)
    assert world.tails[0, 1] == pytest.approx(0.6 * 0.9 * 0.8)


def test_a_tail_counts_what_is_larger_than_the_table_at_its_end() -> None:
    assert tails_of(np.array([0.5, 0.2, 0.2, 0.1]), 2).tolist() == pytest.approx([1.0, 0.5, 0.3])


@pytest.mark.parametrize("thompson", [False, True])
def test_on_known_arms_the_bandits_keep_theorys_bounds(thompson: bool) -> None:
    lost = arm_regret(ARM_MEANS, 1000, 8, thompson=thompson)

    assert 0.0 < lost.mean() <= ucb1_regret_bound(ARM_MEANS, 1000)
    if thompson:
        assert lost.mean() < 2 * lai_robbins_regret(ARM_MEANS, 1000)


def test_recorded_sizes_are_a_tenth_of_what_each_exchange_printed(ticks: Path) -> None:
    sizes, names = recorded_sizes(ticks)

    import pandas as pd

    frame: Any = pd.read_parquet(ticks)
    day = (
        frame[(frame.event == "trade") & (frame.suspicious == 0)].set_index("ts").between_time("09:30", "15:59:59.999")
    )
    whole = day.groupby("exchange")["size"].sum() * 0.1 / 100
    assert sizes.shape[0] == 780
    assert set(names) == set(whole.index[whole >= 0.02 * whole.sum()])
    for name, column in zip(names, sizes.T, strict=True):
        # Whole units are rounded down in each window.
        assert whole[name] - 780 < column.sum() <= whole[name]


def test_on_the_recorded_day_too_the_censored_rule_is_ahead(ticks: Path) -> None:
    sizes, names = recorded_sizes(ticks)

    found = study(resampled(sizes[:260], names), 3, (2, 12))

    last = {rule: value[:, -1].mean() for rule, value in found.value.items()}
    assert max(last, key=lambda rule: last[rule]) is Rule.CENSORED


def test_the_section_says_the_same_twice_and_states_its_parameters() -> None:
    text, again = (routing_section(n_seeds=2, n_rounds=50) for _ in range(2))

    assert text == again
    assert all(venue.name in text for venue in (*DARK_POOLS, *MARKETS))
    assert "| CENSORED |" in text and "Recorded" not in text


def test_a_file_without_trades_by_exchange_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("symbol,date,close\nAAA,2020-01-02,10\n")

    with pytest.raises(EvalError, match="no trades by exchange"):
        recorded_sizes(path)
