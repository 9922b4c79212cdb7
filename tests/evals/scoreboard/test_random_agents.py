"""Agents without skill: what they trade, that they earn nothing but their costs, and where ours stands among them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.evals.scoreboard.random_agents import Flows, percentile_of, random_agents


def world(rng: np.random.Generator, n_days: int, n_names: int, vol: float = 0.01) -> np.ndarray:
    """Prices without drift: each day's expected simple return is zero."""
    moves = rng.normal(0.0, vol, (n_days, n_names))
    return np.vstack([np.ones(n_names), np.cumprod(1.0 + moves[1:], axis=0)])


def flows(n_days: int, share: float, cost_frac: float) -> Flows:
    """In with half on the second day, then so much bought and sold each day."""
    buys, sells = np.full(n_days, share), np.full(n_days, share)
    buys[:2], sells[:2] = (0.0, 0.5), 0.0
    return Flows(buys, sells, np.full(n_days, cost_frac))


def test_in_a_world_without_drift_they_earn_minus_their_costs() -> None:
    gross, net, paid = [], [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        found = random_agents(world(rng, 253, 8), flows(253, 0.05, 0.002), rng, 40)
        gross.append(found.gross[:, -1].mean() - 1.0)
        net.append(found.net[:, -1].mean() - 1.0)
        paid.append(found.costs.sum())

    error = np.std(gross, ddof=1) / 30**0.5
    assert abs(np.mean(gross)) < 2.5 * error
    # 10 % of equity a day at 20 bp for a year, and the entry: some 5 % of what there is.
    assert np.mean(paid) == pytest.approx(251 * 0.1 * 0.002 + 0.5 * 0.002, rel=0.02)
    assert np.mean(net) - np.mean(gross) == pytest.approx(-np.mean(paid), rel=0.05)


def test_costs_that_are_off_would_be_seen() -> None:
    rng = np.random.default_rng(1)
    closes = world(rng, 253, 8)

    free = random_agents(closes, flows(253, 0.05, 0.0), np.random.default_rng(2), 20)

    assert (free.net == free.gross).all()
    assert free.costs.sum() == 0.0


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.0, 0.2), cost_bps=st.floats(0.0, 100.0))
def test_nobody_borrows_or_sells_short_and_each_flow_is_as_asked(seed: int, share: float, cost_bps: float) -> None:
    rng = np.random.default_rng(seed)
    closes = world(rng, 30, 5)

    found = random_agents(closes, flows(30, share, cost_bps / 1e4), rng, 7)

    assert (found.net > 0.0).all()
    assert (found.exposure <= 1.0 + 1e-12).all() and (found.exposure >= -1e-12).all()
    # Bought and sold alike, what is invested only drifts with prices.
    assert found.costs[5] == pytest.approx(2 * share * cost_bps / 1e4, rel=0.02, abs=1e-12)


def test_the_same_generator_gives_the_same_agents() -> None:
    closes = world(np.random.default_rng(3), 40, 4)

    one, again = (random_agents(closes, flows(40, 0.1, 0.001), np.random.default_rng(4), 5) for _ in range(2))

    assert (one.net == again.net).all()
    assert len({path.tobytes() for path in one.net}) == 5


def test_a_percentile_counts_ties_by_half() -> None:
    assert percentile_of(2.0, np.array([1.0, 2.0, 3.0, 4.0])) == pytest.approx(0.375)
