"""The default policy's cross-sectional scores at the last row: what each name's past says against its peers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import DAYS_PER_YEAR, FloatArray, checked_returns, checked_vector
from .covariance import VOL_HALF_LIFE_DAYS, ewma_vol
from .errors import SampleError

SCORE_NAMES = ("rev5", "resmom", "mom12_1", "lowbeta", "ou", "trend")

YEAR_DAYS = 252
HISTORY_DAYS = 2 * YEAR_DAYS
"""Rows that count: a year of residuals, each with a beta of the year before it. More rows change nothing."""
MIN_BETA_DAYS = 63
TREND_HORIZONS_DAYS = (21, 63, 126, 252)
Z_LIMIT = 3.0

_SKIP_DAYS = 21
_OU_DAYS = 60
_OU_COMPONENTS = 3
_MIN_KAPPA_PER_YEAR = 8.4


@dataclass(frozen=True, slots=True, eq=False)
class ScoreTable:
    """Scores of every name at one close; a higher score always means a higher expected residual return."""

    raw: FloatArray
    """(6, n_names) in the order of SCORE_NAMES, each in its own unit."""
    z: FloatArray
    """(6, n_names) cross-sectional ranks, standardized and clipped to +-3."""
    beta: FloatArray
    """(n_names,) slope on the market over the last year."""
    residual_vol: FloatArray
    """(n_names,) daily EWMA volatility of what the market does not explain."""

    def raw_of(self, name: str) -> FloatArray:
        """The raw score of SCORE_NAMES called ``name``, (n_names,)."""
        return self.raw[SCORE_NAMES.index(name)]

    def z_of(self, name: str) -> FloatArray:
        """The standardized score of SCORE_NAMES called ``name``, (n_names,)."""
        return self.z[SCORE_NAMES.index(name)]


def score_table(returns: FloatArray, market: FloatArray) -> ScoreTable:
    """Six scores of every name at the last row, from the past alone.

    With e the residual return r - beta[t-1] * market and s its EWMA volatility (half-life 33 days):
    rev5 = -(sum of 5 residuals) / s; resmom = residuals t-252 to t-21 / s; mom12_1 = return over the same
    days; lowbeta = -beta; ou = minus the s-score of a mean-reverting residual (0 when it does not revert
    in time); trend = mean over 21, 63, 126, 252 days of clip(log return / (vol sqrt(days)), -1, 1).

    Parameters
    ----------
    returns : (n_days >= 252, n_names) simple daily returns, as fractions; the last 504 rows count, and
        with fewer the earliest residuals rest on shorter betas or are left out
    market : (n_days,) simple daily returns of the market

    Raises
    ------
    ShapeError : histories of different lengths
    SampleError : fewer than 252 rows, a NaN or an infinity, or a market that never moved

    Source: Jegadeesh and Titman (1993); Blitz, Huij and Martens (2011) for resmom; Frazzini and Pedersen
    (2014) for lowbeta; Avellaneda and Lee (2010) for ou; Moskowitz, Ooi and Pedersen (2012) for trend.
    """
    matrix = checked_returns(np.asarray(returns)[-HISTORY_DAYS:], YEAR_DAYS)
    factor = checked_vector(np.asarray(market)[-HISTORY_DAYS:], name="market", length=len(matrix))
    betas = rolling_beta(matrix, factor)
    residuals = matrix[MIN_BETA_DAYS:] - betas[:-1] * factor[MIN_BETA_DAYS:, None]
    residual_vol = ewma_vol(residuals[-YEAR_DAYS:], VOL_HALF_LIFE_DAYS)
    raw = np.stack(
        [
            -_over_vol(residuals[-5:].sum(axis=0), residual_vol),
            _over_vol(residuals[-YEAR_DAYS:-_SKIP_DAYS].sum(axis=0), residual_vol),
            np.prod(1.0 + matrix[-YEAR_DAYS:-_SKIP_DAYS], axis=0) - 1.0,
            -betas[-1],
            reversion_score(matrix),
            _trend(matrix),
        ]
    )
    return ScoreTable(raw=raw, z=ranked(raw), beta=betas[-1], residual_vol=residual_vol)


def ranked(values: FloatArray) -> FloatArray:
    """Cross-sectional ranks along the last axis, mean 0 and deviation 1, clipped to +-3; ties share a rank.

    A NaN has no opinion: it takes no part in the ranking and comes out as 0. So does every value when
    all are equal, or when there is only one.
    """
    known = np.isfinite(values)
    if np.isinf(values).any():
        raise SampleError("values: found an infinity, expected finite scores or NaN for no opinion")
    pair = known[..., :, None] & known[..., None, :]
    with np.errstate(invalid="ignore"):
        below = (values[..., :, None] > values[..., None, :]) & pair
        equal = (values[..., :, None] == values[..., None, :]) & pair
    ranks = below.sum(axis=-1) + 0.5 * equal.sum(axis=-1)
    return standardized(np.where(known, ranks, np.nan))


def standardized(values: FloatArray) -> FloatArray:
    """Mean 0 and deviation 1 (ddof 0) along the last axis, clipped to +-3; NaN and constants become 0."""
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=-1, keepdims=True), 1)
    filled = np.where(known, values, 0.0)
    centered = np.where(known, filled - filled.sum(axis=-1, keepdims=True) / count, 0.0)
    deviation = np.sqrt(np.square(centered).sum(axis=-1, keepdims=True) / count)
    dust = 1e-12 * np.abs(filled).max(axis=-1, keepdims=True)
    z = np.divide(centered, deviation, out=np.zeros_like(centered), where=deviation > dust)
    return np.clip(z, -Z_LIMIT, Z_LIMIT)


def rolling_beta(returns: FloatArray, market: FloatArray) -> FloatArray:
    """Slope on the market over up to 252 days ending at each row from the 63rd on, (n_days - 62, n_names).

    Raises
    ------
    SampleError : a window in which the market never moved
    """
    n_days = len(market)
    first = MIN_BETA_DAYS - 1
    end = np.arange(first, n_days) + 1
    start = np.maximum(end - YEAR_DAYS, 0)
    size = (end - start).astype(np.float64)
    joint = np.column_stack([market, np.square(market), returns, returns * market[:, None]])
    running = np.vstack([np.zeros(joint.shape[1]), np.cumsum(joint, axis=0)])
    sums = running[end] - running[start]
    n_names = returns.shape[1]
    mean = sums[:, 0] / size
    variance = sums[:, 1] - sums[:, 0] * mean
    if (variance <= 1e-12 * running[-1, 1]).any():
        raise SampleError("market: does not move within a year, so no beta exists")
    covariance = sums[:, 2 + n_names :] - sums[:, 2 : 2 + n_names] * mean[:, None]
    return covariance / variance[:, None]


def reversion_score(returns: FloatArray) -> FloatArray:
    """Minus the s-score of each name's residual as an Ornstein-Uhlenbeck process, (n_names,).

    The residual is what three principal components of the last year's correlation leave over the last 60
    days; a name whose residual reverts more slowly than 8.4 times a year (half of the window) gets 0, and
    so does everyone with fewer than 5 names, as three components then explain everything.

    Parameters
    ----------
    returns : (n_days >= 252, n_names) finite simple daily returns, as fractions

    Source: Avellaneda and Lee (2010), Quantitative Finance 10(7), section 3 and appendix A.
    """
    year = returns[-YEAR_DAYS:]
    n_names = year.shape[1]
    if n_names < _OU_COMPONENTS + 2:
        return np.zeros(n_names)
    vol = year.std(axis=0)
    vol = np.where(vol > 1e-12, vol, 1.0)
    scaled = (year - year.mean(axis=0)) / vol
    components = np.linalg.eigh(scaled.T @ scaled)[1][:, -_OU_COMPONENTS:]
    window = year[-_OU_DAYS:]
    factors = np.column_stack([np.ones(_OU_DAYS), window @ (components / vol[:, None])])
    left_over = window - factors @ np.linalg.lstsq(factors, window, rcond=None)[0]
    return -_s_score(np.cumsum(left_over, axis=0))


def _s_score(paths: FloatArray) -> FloatArray:
    """Distance of each path's end from its fitted mean, in equilibrium deviations; 0 when it reverts slowly."""
    before, after = paths[:-1], paths[1:]
    mean_before, mean_after = before.mean(axis=0), after.mean(axis=0)
    centered = before - mean_before
    variance = np.square(centered).sum(axis=0)
    moved = variance > 1e-20
    slope = np.divide((centered * (after - mean_after)).sum(axis=0), variance, out=np.ones_like(variance), where=moved)
    is_valid = moved & (slope > 0.0) & (slope < np.exp(-_MIN_KAPPA_PER_YEAR / DAYS_PER_YEAR))
    b = np.where(is_valid, slope, 0.5)
    a = mean_after - b * mean_before
    noise = (after - a - b * before).var(axis=0)
    deviation = np.sqrt(noise / (1.0 - np.square(b)))
    is_valid &= deviation > 0.0
    distance = paths[-1] - a / (1.0 - b)
    return np.divide(distance, deviation, out=np.zeros_like(distance), where=is_valid)


def _trend(returns: FloatArray) -> FloatArray:
    vol = ewma_vol(returns[-YEAR_DAYS:], VOL_HALF_LIFE_DAYS)
    logs = np.log1p(returns[-YEAR_DAYS:])
    claims = [
        np.clip(_over_vol(logs[-days:].sum(axis=0), vol * np.sqrt(days)), -1.0, 1.0) for days in TREND_HORIZONS_DAYS
    ]
    return np.mean(claims, axis=0)


def _over_vol(values: FloatArray, vol: FloatArray) -> FloatArray:
    """values / vol, and 0 for a name that never moved: cash has no opinion."""
    return np.divide(values, vol, out=np.zeros_like(values), where=vol > 1e-12)
