"""How to take risk off by selling something else: beta and minimum-variance hedges, ratios that move with time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from .arrays import FloatArray, checked_above, checked_at_least, checked_vector
from .errors import ParameterError, SampleError

_DIFFUSE = 1e6
_FLAT = 1e-26
# Searched range of the beta's daily random-walk variance over the noise variance, in natural logs.
_LOG_DRIFT = (-16.0, 12.0)


@dataclass(frozen=True, slots=True)
class BetaHedge:
    """A position sold against in whole contracts, and what stays open."""

    contracts: int
    """Signed; negative is short."""
    hedge_value: float
    """Signed cash value of the contracts."""
    residual_beta: float
    """Beta of position and hedge together, per unit of position value."""
    residual_vol: float
    """Of position and hedge together, a fraction of position value, over the horizon of the vols given."""
    cost: float
    """Cash paid to trade the contracts, at least 0."""


@dataclass(frozen=True, slots=True)
class HedgeRatio:
    """The least-squares hedge of one return by another."""

    ratio: float
    """Cash of the hedge to sell per cash of the asset held."""
    effectiveness: float
    """Share of the asset's variance that the hedge removes (R squared), 0 to 1."""
    residual_vol: float
    """Of the hedged position, per period, a fraction of the asset; divides by n - 2."""
    ratio_se: float
    """Standard error of the ratio under equal variances; ``factors.fit_factors`` gives a robust one."""


@dataclass(frozen=True, slots=True)
class HedgeState:
    """What a Kalman filter knows after some days: asset = alpha + beta * hedge + noise."""

    alpha: float = 0.0
    beta: float = 0.0
    alpha_var: float = _DIFFUSE
    covariance: float = 0.0
    """Of alpha and beta."""
    beta_var: float = _DIFFUSE


@dataclass(frozen=True, slots=True)
class HedgeNoise:
    """Variances a day of the Kalman hedge: of the observation, and of the steps that alpha and beta take."""

    observation_var: float
    alpha_step_var: float = 0.0
    beta_step_var: float = 0.0

    def __post_init__(self) -> None:
        checked_above(self.observation_var, 0.0, name="observation_var")
        checked_at_least(self.alpha_step_var, 0.0, name="alpha_step_var")
        checked_at_least(self.beta_step_var, 0.0, name="beta_step_var")


@dataclass(frozen=True, slots=True)
class KalmanHedge:
    """Filtered ratios, day by day: row t knows days 0 to t and nothing later."""

    alphas: FloatArray
    betas: FloatArray
    innovations: FloatArray
    """What each day's asset return surprised by, before it was used."""
    innovation_vars: FloatArray
    state: HedgeState
    """After the last day; goes back in tomorrow."""


def beta_hedge(
    position_value: float,
    position_beta: float,
    contract_value: float,
    *,
    target_beta: float = 0.0,
    contract_beta: float = 1.0,
    market_vol: float = 0.0,
    specific_vol: float = 0.0,
    cost_frac: float = 0.0,
) -> BetaHedge:
    """Whole contracts that bring the beta of a position to a target: (target - beta) V / (beta_c V_c), rounded.

    Parameters
    ----------
    position_value : signed cash value, not 0
    contract_value : cash value of one contract or share of the hedge, above 0
    contract_beta : of the hedge, not 0
    market_vol, specific_vol : of the market and of the position's own risk, fractions over one horizon
    cost_frac : one-way cost of the hedge, a fraction of its value

    Raises
    ------
    ParameterError : a NaN, a value or beta of zero where one is needed, or a negative vol or cost

    Source: Hull (2018), Options, Futures, and Other Derivatives, 10th ed., section 3.5.
    """
    checked_above(contract_value, 0.0, name="contract_value")
    for name, number in {"position_value": position_value, "contract_beta": contract_beta}.items():
        checked_above(abs(number), 0.0, name=f"abs({name})")
    for name, number in {"position_beta": position_beta, "target_beta": target_beta}.items():
        checked_at_least(abs(number), 0.0, name=f"abs({name})")
    for name, number in {"market_vol": market_vol, "specific_vol": specific_vol, "cost_frac": cost_frac}.items():
        checked_at_least(number, 0.0, name=name)
    contracts = round((target_beta - position_beta) * position_value / (contract_beta * contract_value))
    hedge_value = contracts * contract_value
    residual_beta = position_beta + contract_beta * hedge_value / position_value
    vol = math.hypot(residual_beta * market_vol, specific_vol)
    return BetaHedge(contracts, hedge_value, residual_beta, vol, abs(hedge_value) * cost_frac)


def min_variance_hedge(asset: FloatArray, hedge: FloatArray) -> HedgeRatio:
    """The ratio that leaves least variance: cov(asset, hedge) / var(hedge).

    Parameters
    ----------
    asset, hedge : (n,) returns or price changes over the same periods, at least 3

    Raises
    ------
    ShapeError, SampleError : lengths that differ, a NaN, too few rows, or one that never moves

    Source: Johnson (1960); Ederington (1979), J. of Finance 34; Hull (2018), equation 3.1.
    """
    y = checked_vector(asset, name="asset", min_rows=3)
    x = checked_vector(hedge, name="hedge", length=len(y))
    dy, dx = y - y.mean(), x - x.mean()
    variance, total = float(dx @ dx), float(dy @ dy)
    _check_moves(variance, x, "hedge")
    _check_moves(total, y, "asset")
    ratio = float(dx @ dy) / variance
    residual = dy - ratio * dx
    left = float(residual @ residual)
    residual_var = left / (len(y) - 2)
    return HedgeRatio(ratio, 1.0 - left / total, math.sqrt(residual_var), math.sqrt(residual_var / variance))


def ewma_hedge_ratios(asset: FloatArray, hedge: FloatArray, half_life_days: float, *, min_days: int = 20) -> FloatArray:
    """Zero-mean exponentially weighted ratios of the days from ``min_days`` on, (n - min_days + 1,), newest last.

    Each uses its own day and the days before it. Parameters and errors as ``min_variance_hedge``; also
    ParameterError for a half-life not above 0 or ``min_days`` outside 1 to n.

    Source: RiskMetrics Technical Document (1996), section 5.2.
    """
    y = checked_vector(asset, name="asset", min_rows=1)
    x = checked_vector(hedge, name="hedge", length=len(y))
    if not 1 <= min_days <= len(y):
        raise ParameterError(f"min_days: found {min_days}, expected from 1 to {len(y)}")
    decay = 0.5 ** (1.0 / checked_above(half_life_days, 0.0, name="half_life_days"))
    across, own = (
        np.array(list(accumulate((series * x).tolist(), lambda total, new: decay * total + new))) for series in (y, x)
    )
    across, own = across[min_days - 1 :], own[min_days - 1 :]
    if own.min() <= 0.0:
        raise SampleError("hedge: never moves in its first days, so no ratio exists", remedy="Raise min_days.")
    return across / own


def kalman_update(
    state: HedgeState, asset_return: float, hedge_return: float, noise: HedgeNoise
) -> tuple[HedgeState, float, float]:
    """The state after one more day, that day's innovation, and the variance it was expected to have.

    alpha and beta step as random walks before they are seen: P + Q, then the usual update in Joseph form,
    which keeps the variances positive.

    Raises
    ------
    ParameterError : a NaN or infinite return

    Source: Kalman (1960), J. Basic Engineering 82; as a hedge ratio, Chan (2013), Algorithmic Trading, ch. 3.
    """
    y, x = asset_return, hedge_return
    if not math.isfinite(y + x):
        raise ParameterError(f"asset_return {y}, hedge_return {x}: expected finite fractions")
    paa, pab, pbb = state.alpha_var + noise.alpha_step_var, state.covariance, state.beta_var + noise.beta_step_var
    innovation = y - state.alpha - state.beta * x
    ca, cb = paa + pab * x, pab + pbb * x
    variance = ca + cb * x + noise.observation_var
    ka, kb = ca / variance, cb / variance
    # Joseph form: (I - K H) P (I - K H)' + K R K'.
    r, keep_a, keep_b = noise.observation_var, 1.0 - ka, 1.0 - kb * x
    new_aa = keep_a * keep_a * paa - 2.0 * keep_a * ka * x * pab + ka * ka * (x * x * pbb + r)
    new_ab = -keep_a * kb * paa + (keep_a * keep_b + ka * kb * x) * pab - ka * x * keep_b * pbb + ka * kb * r
    new_bb = kb * kb * (paa + r) - 2.0 * kb * keep_b * pab + keep_b * keep_b * pbb
    updated = HedgeState(state.alpha + ka * innovation, state.beta + kb * innovation, new_aa, new_ab, new_bb)
    return updated, innovation, variance


def kalman_hedge(
    asset: FloatArray, hedge: FloatArray, noise: HedgeNoise, state: HedgeState | None = None
) -> KalmanHedge:
    """Alpha and beta filtered through a history, from a nearly flat prior or from where one stopped.

    Parameters
    ----------
    asset, hedge : (n,) returns of the same days, fractions
    noise : from ``fit_hedge_noise``, or set by hand
    state : what was known before the first day

    Raises
    ------
    ShapeError, SampleError : lengths that differ, no rows, or a NaN
    """
    y = checked_vector(asset, name="asset", min_rows=1)
    x = checked_vector(hedge, name="hedge", length=len(y))
    now = state or HedgeState()
    rows: list[tuple[float, float, float, float]] = []
    for asset_return, hedge_return in zip(y.tolist(), x.tolist(), strict=True):
        now, innovation, variance = kalman_update(now, asset_return, hedge_return, noise)
        rows.append((now.alpha, now.beta, innovation, variance))
    table = np.array(rows)
    return KalmanHedge(table[:, 0], table[:, 1], table[:, 2], table[:, 3], now)


def fit_hedge_noise(asset: FloatArray, hedge: FloatArray) -> HedgeNoise:
    """Maximum-likelihood noise of a hedge whose beta walks and whose alpha stays: one search, one closed form.

    For a given ratio of the two variances the observation variance is a mean of squares, so only the
    ratio is searched. The first two innovations, which the flat prior makes huge, are left out.

    Parameters
    ----------
    asset, hedge : (n,) returns of the same days, at least 20

    Raises
    ------
    ShapeError, SampleError : lengths that differ, too few rows, a NaN, a hedge that never moves, or one that
        explains the asset without any noise

    Source: concentrated likelihood, Harvey (1989), Forecasting, Structural Time Series Models, section 3.4.
    """
    from scipy.optimize import fminbound

    found = min_variance_hedge(asset, hedge)
    y = checked_vector(asset, name="asset", min_rows=20)
    if found.effectiveness >= 1.0 - 1e-12:
        raise SampleError("asset: a multiple of the hedge without noise, so there is no noise to fit")
    hedge_var = float(np.var(hedge))

    def concentrated(log_drift: float) -> tuple[float, float]:
        # In units of the observation variance; a step of beta counts by what it does to the return.
        noise = HedgeNoise(1.0, 0.0, math.exp(log_drift) / hedge_var)
        flat = HedgeState(alpha_var=_DIFFUSE, beta_var=_DIFFUSE / hedge_var)
        run = kalman_hedge(y, hedge, noise, flat)
        v, f = run.innovations[2:], run.innovation_vars[2:]
        variance = float((np.square(v) / f).mean())
        return 0.5 * (len(v) * math.log(variance) + float(np.log(f).sum())), variance

    # A coarse scan first: the likelihood may have a second, lower top.
    grid = np.linspace(*_LOG_DRIFT, 15)
    start = float(grid[int(np.argmin([concentrated(point)[0] for point in grid.tolist()]))])
    step = float(grid[1] - grid[0])
    low, high = max(start - step, _LOG_DRIFT[0]), min(start + step, _LOG_DRIFT[1])
    log_drift = np.asarray(fminbound(lambda point: concentrated(point)[0], low, high, xtol=1e-4)).item()
    variance = concentrated(log_drift)[1]
    return HedgeNoise(variance, 0.0, variance * math.exp(log_drift) / hedge_var)


def _check_moves(sum_squares: float, series: FloatArray, name: str) -> None:
    if sum_squares <= _FLAT * len(series) * float(np.square(series).max()):
        raise SampleError(f"{name}: never moves, so no hedge ratio exists", remedy=f"Check the {name} series.")
