"""Speed of the risk half of the quant core against its peers: CPU milliseconds, medians of alternating runs.

Run with OMP_NUM_THREADS=1, or the CPU time of idle threads is counted too.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from parley.quant import hmm_kernel, regimes
from parley.quant.risk_validation import validate_risk_models
from parley.quant.var import expected_shortfall, historical_var
from parley.quant.var_models import fit_student_t
from parley.quant.var_simulation import linear_monte_carlo_tail, simulated_tail

N_PATHS, N_NAMES, LEVEL = 1_000_000, 20, 0.99
EM_ROUNDS = 20


def rows() -> list[dict[str, Any]]:
    """One row a measurement; ``ratio`` is the peer's time over ours, ``goal`` what was asked for."""
    return [_monte_carlo(), _collapsed(), *_em(2), *_em(3), _student_t(), _table()]


def _monte_carlo() -> dict[str, Any]:
    weights, mean, cov = _book()
    ours_ms, peer_ms = _median_ms(
        lambda: simulated_tail(
            lambda r: r @ weights, mean, cov, np.random.default_rng(1), level=LEVEL, n_paths=N_PATHS
        ),
        _numpy_monte_carlo,
    )
    return _row("monte carlo VaR+ES, 1M x 20", ours_ms, peer_ms, "numpy multivariate_normal", "<= 300 ms")


def _collapsed() -> dict[str, Any]:
    weights, mean, cov = _book()
    ours_ms, peer_ms = _median_ms(
        lambda: linear_monte_carlo_tail(weights, mean, cov, np.random.default_rng(1), level=LEVEL, n_paths=N_PATHS),
        _numpy_monte_carlo,
    )
    return _row("the same, linear book in one dimension", ours_ms, peer_ms, "the 20-d draw", "<= 50 ms")


def _em(n_states: int) -> list[dict[str, Any]]:
    """EM rounds on 5,000 days from one start, against both of hmmlearn's recursions, all without an early stop.

    The log-likelihoods after equal rounds must agree, else the comparison would be of two different things.
    """
    x = _two_regimes()
    floor = 1e-4 * float(x.var())
    first = regimes._first_guess(x, n_states, floor)

    def ours() -> float:
        fit = hmm_kernel.maximize(x, *first, variance_floor=floor, max_rounds=EM_ROUNDS, least_gain=-np.inf)
        return fit.log_likelihood

    hmm_kernel.warm_up()
    log_likelihoods = [ours(), *(_hmmlearn(x, first, how) for how in ("log", "scaling"))]
    if np.ptp(log_likelihoods) > 0.05:
        raise AssertionError(f"the fits differ: {log_likelihoods}")
    ours_ms, log_ms, scaling_ms = (
        total_ms / EM_ROUNDS
        for total_ms in _median_ms(
            ours, lambda: _hmmlearn(x, first, "log"), lambda: _hmmlearn(x, first, "scaling"), n_runs=9
        )
    )
    name = f"regime EM, a round, {n_states} states x 5,000 days"
    return [
        _row(name, ours_ms, log_ms, "hmmlearn, log (default)", ">= 8x"),
        _row(name, ours_ms, scaling_ms, "hmmlearn, scaling", "not set"),
    ]


def _hmmlearn(x: np.ndarray, first: tuple[np.ndarray, ...], implementation: str) -> float:
    """The log-likelihood that hmmlearn reaches in the same rounds from the same start."""
    from hmmlearn.hmm import GaussianHMM

    model = GaussianHMM(
        len(first[0]),
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


def _student_t() -> dict[str, Any]:
    from scipy import stats

    x = 0.01 * np.random.default_rng(2).standard_t(4, 500)
    ours, peer = _median_ms(lambda: fit_student_t(x), lambda: stats.t.fit(x), n_runs=9)
    return _row("student t fit, 500 days", ours, peer, "scipy.stats.t.fit", "not set")


def _table() -> dict[str, Any]:
    """Six models over 5,500 days of 20 names; no peer offers the table, so that column stays empty."""
    rng = np.random.default_rng(3)
    market = 0.01 * np.exp(np.cumsum(rng.normal(0.0, 0.01, 5_500)) - 0.1) * rng.standard_t(6, 5_500)
    returns = np.clip(market[:, None] + rng.normal(0.0, 0.012, (5_500, N_NAMES)), -0.9, None)
    weights = np.full(N_NAMES, 1.0 / N_NAMES)
    (ours,) = _median_ms(lambda: validate_risk_models(weights, returns, np.random.default_rng(4)), n_runs=1)
    return _row("risk validation, 20 names x 5,500 days", ours, None, "none", "not set")


def _numpy_monte_carlo() -> tuple[float, float]:
    weights, mean, cov = _book()
    outcome = np.random.default_rng(1).multivariate_normal(mean, cov, N_PATHS, method="cholesky") @ weights
    return historical_var(outcome, LEVEL), expected_shortfall(outcome, LEVEL)


def _book() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    moves = np.random.default_rng(5).normal(0.0, 0.01, (500, N_NAMES))
    return np.full(N_NAMES, 1.0 / N_NAMES), np.zeros(N_NAMES), np.cov(moves.T)


def _two_regimes() -> np.ndarray:
    rng = np.random.default_rng(6)
    stressed = np.cumsum(rng.random(5_000) < 0.02) % 2 == 1
    return np.where(stressed, rng.normal(-0.001, 0.025, 5_000), rng.normal(0.0005, 0.008, 5_000))


def _median_ms(*contestants: Callable[[], object], n_runs: int = 5) -> list[float]:
    """Median CPU time of each. They take turns, so that a slow spell of the machine hits all of them."""
    times: list[list[float]] = [[] for _ in contestants]
    for _ in range(n_runs):
        for own, run in zip(times, contestants, strict=True):
            begin = time.process_time()
            run()
            own.append(1e3 * (time.process_time() - begin))
    return [statistics.median(own) for own in times]


def _row(name: str, ours_ms: float, peer_ms: float | None, peer: str, goal: str) -> dict[str, Any]:
    ratio = None if peer_ms is None else peer_ms / ours_ms
    return {"name": name, "ours_ms": ours_ms, "peer_ms": peer_ms, "peer": peer, "ratio": ratio, "goal": goal}


if __name__ == "__main__":
    for row in rows():
        print({key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()})
