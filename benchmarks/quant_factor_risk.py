"""Factor regressions, rolling betas and a filtered hedge against statsmodels: CPU milliseconds on one thread."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import statsmodels.api as sm
from parley.quant.factors import fit_factors, rolling_betas
from parley.quant.hedging import HedgeNoise, kalman_hedge
from statsmodels.regression.rolling import RollingOLS
from statsmodels.tsa.statespace.kalman_filter import KalmanFilter
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from collections.abc import Callable

N_DAYS, N_FACTORS, WINDOW_DAYS = 2520, 6, 252
GOALS = {"Newey-West regression": 2.0, "rolling betas": 10.0, "Kalman hedge": 0.5}
"""The filter's peer is compiled and the whole history is one call: being twice as slow is accepted, as the
desk updates one day at a time, for which the peer has no call."""
Row = dict[str, Any]


def rows() -> list[Row]:
    """One row per contest: CPU times, their ratio and its goal; results are checked to agree first."""
    found: list[Row] = []
    for name, (ours, peer) in _contests().items():
        np.testing.assert_allclose(ours(), peer(), rtol=1e-6, atol=1e-9)
        ours_ms, peer_ms = _cpu_ms(ours), _cpu_ms(peer)
        found.append(
            {
                "name": name,
                "ours_ms": ours_ms,
                "peer_ms": peer_ms,
                "peer": "statsmodels",
                "ratio": peer_ms / ours_ms,
                "goal": GOALS[name],
            }
        )
    return found


def _contests() -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    rng = np.random.default_rng(1)
    factors = rng.normal(0.0003, 0.01, (N_DAYS, N_FACTORS))
    returns = factors @ np.linspace(1.0, -0.3, N_FACTORS) + rng.normal(0.0, 0.008, N_DAYS)
    market, noise = factors[:, 0].copy(), HedgeNoise(6.4e-5, 0.0, 1e-4)

    def hac() -> Any:
        fit = sm.OLS(returns, sm.add_constant(factors)).fit(cov_type="HAC", cov_kwds={"maxlags": 8})
        return np.r_[fit.params[1:], fit.bse[1:]]

    def own_hac() -> Any:
        fit = fit_factors(returns, factors, lags=8)
        return np.r_[fit.betas, fit.beta_se]

    def rolling() -> Any:
        return RollingOLS(returns, sm.add_constant(factors), window=WINDOW_DAYS).fit().params[WINDOW_DAYS - 1 :, 1:]

    def filtered() -> Any:
        design = np.vstack([np.ones(N_DAYS), market])[None]
        peer = KalmanFilter(returns[:, None].copy(), 2, design=design, transition=np.eye(2), selection=np.eye(2))
        peer["obs_cov"], peer["state_cov"] = np.array([[6.4e-5]]), np.diag([0.0, 1e-4])
        peer.initialize_known(np.zeros(2), np.diag([1e6, 1e6 + 1e-4]))
        return peer.filter().filtered_state[1][50:]

    return {
        "Newey-West regression": (own_hac, hac),
        "rolling betas": (lambda: rolling_betas(returns, factors, WINDOW_DAYS), rolling),
        "Kalman hedge": (lambda: kalman_hedge(returns, market, noise).betas[50:], filtered),
    }


def _cpu_ms(work: Callable[[], Any], repeats: int = 5) -> float:
    times: list[float] = []
    with threadpool_limits(1):
        for _ in range(repeats):
            start = time.process_time_ns()
            work()
            times.append((time.process_time_ns() - start) / 1e6)
    return min(times)


def main() -> None:
    """Print the table."""
    for row in rows():
        print(
            f"{row['name']:24s} {row['ours_ms']:9.3f} ms  {row['peer']} {row['peer_ms']:9.3f} ms  "
            f"ratio {row['ratio']:7.1f}  goal {row['goal']:.1f}"
        )


if __name__ == "__main__":
    main()
