"""Portfolio construction against skfolio, from returns to weights: CPU milliseconds, and the objective reached."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from parley.quant.black_litterman import market_posterior
from parley.quant.covariance import sample_cov, sample_moments
from parley.quant.frontier import max_sharpe, min_variance
from parley.quant.hierarchical import hierarchical_weights
from parley.quant.risk_parity import risk_budget_weights
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (20, 100, 500)
N_DAYS = 1260
GAMMA, TAU = 2.5, 0.05
NOISE_FRAC = 0.8
N_TURNS = 7
TURN_MS = 40.0
GOALS = {
    "min variance": (100.0, 30.0, 12.0),
    "max Sharpe": (100.0, 30.0, 12.0),
    "equal risk contribution": (20.0, 20.0, 20.0),
    "Black-Litterman": (25.0, 25.0, 10.0),
    "hierarchical risk parity": (10.0, 10.0, 10.0),
}
Row = dict[str, Any]


def rows(sizes: tuple[int, ...] = SIZES) -> list[Row]:
    """One row per method and number of names: CPU times, ratio, goal, and both objectives (lower is better)."""
    found: list[Row] = []
    for size in sizes:
        returns = real_returns(size)
        for name, (ours, peer, objective) in _contests(returns).items():
            ours_ms, peer_ms, mine, theirs = _timed(ours, peer)
            found.append(
                {
                    "name": f"{name}, {size} names",
                    "ours_ms": ours_ms,
                    "peer_ms": peer_ms,
                    "peer": "skfolio",
                    "ratio": peer_ms / ours_ms,
                    "goal": GOALS[name][SIZES.index(size)],
                    "ours_objective": objective(mine),
                    "peer_objective": objective(theirs),
                }
            )
    return found


def real_returns(n_names: int) -> np.ndarray:
    """The last 1260 days of 20 US stocks; past 20 names, copies of them with noise of their own, seeded."""
    from skfolio.datasets import load_sp500_dataset

    real = load_sp500_dataset().pct_change().dropna().to_numpy()[-N_DAYS:]
    if n_names <= real.shape[1]:
        return np.ascontiguousarray(real[:, :n_names])
    rng = np.random.default_rng(n_names)
    copies = rng.integers(0, real.shape[1], n_names - real.shape[1])
    noise = rng.normal(0.0, NOISE_FRAC, (N_DAYS, len(copies))) * real.std(axis=0)[copies]
    return np.hstack([real, np.maximum(real[:, copies] + noise, -0.95)])


def _contests(returns: np.ndarray) -> dict[str, tuple[Callable[[], Any], Callable[[], Any], Callable[[Any], float]]]:
    """What each side runs from the same returns, and the objective that both sides' weights are judged by."""
    from skfolio.measures import RiskMeasure
    from skfolio.moments import EquilibriumMu
    from skfolio.optimization import HierarchicalRiskParity, MeanRisk, ObjectiveFunction, RiskBudgeting
    from skfolio.prior import BlackLitterman, EmpiricalPrior

    n_names = returns.shape[1]
    cov, mean = np.cov(returns, rowvar=False), returns.mean(axis=0)
    market = np.full(n_names, 1.0 / n_names)
    P = np.zeros((3, n_names))
    P[0, 0], P[1, 1], P[1, 2], P[2, 3], P[2, 4] = 1.0, 1.0, -1.0, 1.0, -1.0
    q = np.array([0.0004, 0.0002, 0.0003])
    views = ["x0 == 0.0004", "x1 - x2 == 0.0002", "x3 - x4 == 0.0003"]

    def fitted(estimator: Any) -> Any:
        with warnings.catch_warnings():
            # Their notes on matrices without asset names are of no interest to a timing.
            warnings.simplefilter("ignore")
            return estimator.fit(_framed(returns))

    def unequal(weights: np.ndarray) -> float:
        shares = weights * (cov @ weights) / (weights @ cov @ weights)
        return float(np.abs(shares - 1.0 / n_names).max())

    ratio = ObjectiveFunction.MAXIMIZE_RATIO
    prior = EmpiricalPrior(mu_estimator=EquilibriumMu(risk_aversion=GAMMA, weights=market))
    precision = np.linalg.inv(TAU * cov)
    noise = np.diag(1.0 / (TAU * np.diag(P @ cov @ P.T)))
    # The posterior mean as the paper prints it, with every inverse: both sides are judged by their distance to it.
    exact = np.linalg.solve(precision + P.T @ noise @ P, precision @ (GAMMA * cov @ market) + P.T @ noise @ q)
    return {
        "min variance": (
            lambda: min_variance(sample_moments(returns)[1]),
            lambda: fitted(MeanRisk()).weights_,
            lambda weights: float(weights @ cov @ weights),
        ),
        "max Sharpe": (
            lambda: max_sharpe(*sample_moments(returns)),
            lambda: fitted(MeanRisk(objective_function=ratio)).weights_,
            lambda weights: -float(mean @ weights / np.sqrt(weights @ cov @ weights)),
        ),
        "equal risk contribution": (
            lambda: risk_budget_weights(sample_cov(returns)),
            lambda: fitted(RiskBudgeting(risk_measure=RiskMeasure.VARIANCE)).weights_,
            unequal,
        ),
        "Black-Litterman": (
            lambda: market_posterior(sample_moments(returns)[1], market, GAMMA, TAU, P, q).mean,
            lambda: fitted(BlackLitterman(views, prior_estimator=prior, tau=TAU)).return_distribution_.mu,
            lambda found: float(np.abs(found - exact).max()),
        ),
        "hierarchical risk parity": (
            lambda: hierarchical_weights(sample_cov(returns)),
            lambda: fitted(HierarchicalRiskParity()).weights_,
            lambda weights: float(weights @ cov @ weights),
        ),
    }


def _framed(returns: np.ndarray) -> Any:
    """The same returns with names, which skfolio's views need; the frame shares the memory of the array."""
    import pandas as pd

    return pd.DataFrame(returns, columns=[f"x{at}" for at in range(returns.shape[1])])


def _timed(ours: Callable[[], Any], peer: Callable[[], Any]) -> tuple[float, float, Any, Any]:
    """The median CPU milliseconds a run of each on one thread, and both results.

    The two take turns, so that a machine that slows down slows both. A turn repeats short work until it is well
    above the clock's grain, for both by the same rule, and everything has run once before.
    """
    with threadpool_limits(1):
        mine, theirs = ours(), peer()
        repeats = [_repeats(work) for work in (ours, peer)]
        turns = [[_turn_ms(ours, repeats[0]), _turn_ms(peer, repeats[1])] for _ in range(N_TURNS)]
    ours_ms, peer_ms = np.median(turns, axis=0)
    return float(ours_ms), float(peer_ms), mine, theirs


def _repeats(work: Callable[[], Any]) -> int:
    return max(1, round(TURN_MS / max(_turn_ms(work, 1), 1e-3)))


def _turn_ms(work: Callable[[], Any], n_runs: int) -> float:
    start = time.process_time_ns()
    for _ in range(n_runs):
        work()
    return (time.process_time_ns() - start) / n_runs / 1e6


def main() -> None:
    """Print the table."""
    print(f"{'contest':36s} {'ours ms':>9s} {'skfolio ms':>11s} {'ratio':>8s} {'goal':>6s}  objective ours / skfolio")
    for row in rows():
        said = "met" if row["ratio"] >= row["goal"] else "NOT MET"
        print(
            f"{row['name']:36s} {row['ours_ms']:9.3f} {row['peer_ms']:11.2f} {row['ratio']:7.1f}x {row['goal']:5.0f}x"
            f"  {row['ours_objective']:.6e} / {row['peer_objective']:.6e}  {said}"
        )


if __name__ == "__main__":
    main()
