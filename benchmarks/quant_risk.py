"""Speed of the risk half of the quant core against its peers: CPU milliseconds, the best of several runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from parley.quant import regimes
from parley.quant.risk_validation import validate_risk_models
from parley.quant.var import expected_shortfall, historical_var
from parley.quant.var_models import fit_student_t
from parley.quant.var_simulation import linear_monte_carlo_tail, simulated_tail

N_PATHS, N_NAMES, LEVEL = 1_000_000, 20, 0.99
EM_ROUNDS = 20


def rows() -> list[dict[str, Any]]:
    """One row a measurement; ``ratio`` is the peer's time over ours, ``goal`` what was asked for."""
    return [_monte_carlo(), _collapsed(), _em(), _student_t(), _table()]


def _monte_carlo() -> dict[str, Any]:
    weights, mean, cov = _book()
    ours = _best_ms(
        lambda: simulated_tail(lambda r: r @ weights, mean, cov, np.random.default_rng(1), level=LEVEL, n_paths=N_PATHS)
    )
    return _row("monte carlo VaR+ES, 1M x 20", ours, _numpy_monte_carlo(), "numpy multivariate_normal", "<= 300 ms")


def _collapsed() -> dict[str, Any]:
    weights, mean, cov = _book()
    ours = _best_ms(
        lambda: linear_monte_carlo_tail(weights, mean, cov, np.random.default_rng(1), level=LEVEL, n_paths=N_PATHS)
    )
    return _row("the same, linear book in one dimension", ours, _numpy_monte_carlo(), "the 20-d draw", "<= 50 ms")


def _em() -> dict[str, Any]:
    """EM rounds of a two-state model on 5,000 days from one start, both without an early stop.

    The inner steps of ``fit_regimes`` are run directly, since it stops by itself; the log-likelihoods after equal
    rounds must agree, else the comparison would be of two different things.
    """
    from hmmlearn.hmm import GaussianHMM

    x = _two_regimes()
    floor = 1e-4 * float(x.var())
    first = regimes._first_guess(x, 2, floor)

    def ours() -> float:
        start, transition, mean, variance = first
        for _ in range(EM_ROUNDS):
            log_density = regimes._log_density(x, mean, variance)
            alpha, _ = regimes._filtered(log_density, start, transition)
            start, transition, share = regimes._expected_counts(log_density, alpha, transition)
            weight = share.sum(axis=0)
            mean = share.T @ x / weight
            variance = np.maximum((share * np.square(x[:, None] - mean)).sum(axis=0) / weight, floor)
        return regimes._filtered(regimes._log_density(x, mean, variance), start, transition)[1]

    def peer(implementation: str) -> float:
        model = GaussianHMM(
            2,
            covariance_type="diag",
            n_iter=EM_ROUNDS,
            tol=-np.inf,
            init_params="",
            implementation=implementation,
            covars_prior=0.0,
            covars_weight=0,
            min_covar=0.0,
        )
        model.startprob_, model.transmat_ = first[0], first[1]
        model.means_, model.covars_ = first[2][:, None], first[3][:, None]
        model.fit(x[:, None])
        return float(model.score(x[:, None]))

    log_likelihoods = [ours(), peer("log"), peer("scaling")]
    if np.ptp(log_likelihoods) > 0.05:
        raise AssertionError(f"the two fits differ: {log_likelihoods}")
    ours_ms = _best_ms(ours) / EM_ROUNDS
    log_ms, scaling_ms = (_best_ms(lambda how=how: peer(how)) / EM_ROUNDS for how in ("log", "scaling"))
    row = _row("regime EM, a round, 2 states x 5,000 days", ours_ms, log_ms, "hmmlearn (log, its default)", ">= 8x")
    return row | {"peer_scaling_ms": scaling_ms, "ratio_scaling": scaling_ms / ours_ms}


def _student_t() -> dict[str, Any]:
    from scipy import stats

    x = 0.01 * np.random.default_rng(2).standard_t(4, 500)
    ours, peer = _best_ms(lambda: fit_student_t(x)), _best_ms(lambda: stats.t.fit(x))
    return _row("student t fit, 500 days", ours, peer, "scipy.stats.t.fit", "not set")


def _table() -> dict[str, Any]:
    """Six models over 5,500 days of 20 names; no peer offers the table, so that column stays empty."""
    rng = np.random.default_rng(3)
    market = 0.01 * np.exp(np.cumsum(rng.normal(0.0, 0.01, 5_500)) - 0.1) * rng.standard_t(6, 5_500)
    returns = np.clip(market[:, None] + rng.normal(0.0, 0.012, (5_500, N_NAMES)), -0.9, None)
    weights = np.full(N_NAMES, 1.0 / N_NAMES)
    ours = _best_ms(lambda: validate_risk_models(weights, returns, np.random.default_rng(4)), n_runs=1)
    return _row("risk validation, 20 names x 5,500 days", ours, None, "none", "seconds")


def _numpy_monte_carlo() -> float:
    weights, mean, cov = _book()

    def draw() -> tuple[float, float]:
        outcome = np.random.default_rng(1).multivariate_normal(mean, cov, N_PATHS, method="cholesky") @ weights
        return historical_var(outcome, LEVEL), expected_shortfall(outcome, LEVEL)

    return _best_ms(draw)


def _book() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    moves = np.random.default_rng(5).normal(0.0, 0.01, (500, N_NAMES))
    return np.full(N_NAMES, 1.0 / N_NAMES), np.zeros(N_NAMES), np.cov(moves.T)


def _two_regimes() -> np.ndarray:
    rng = np.random.default_rng(6)
    stressed = np.cumsum(rng.random(5_000) < 0.02) % 2 == 1
    return np.where(stressed, rng.normal(-0.001, 0.025, 5_000), rng.normal(0.0005, 0.008, 5_000))


def _best_ms(run: Callable[[], object], n_runs: int = 4) -> float:
    times = []
    for _ in range(n_runs):
        begin = time.process_time()
        run()
        times.append(time.process_time() - begin)
    return 1e3 * min(times)


def _row(name: str, ours_ms: float, peer_ms: float | None, peer: str, goal: str) -> dict[str, Any]:
    ratio = None if peer_ms is None else peer_ms / ours_ms
    return {"name": name, "ours_ms": ours_ms, "peer_ms": peer_ms, "peer": peer, "ratio": ratio, "goal": goal}


if __name__ == "__main__":
    for row in rows():
        print({key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()})
