"""The implied-volatility surface: one raw SVI smile per expiry, and the two checks that it admits no arbitrage."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, checked_above, checked_vector
from .errors import ParameterError, SampleError, SolverError

_CHECK_GRID = np.linspace(-1.5, 1.5, 301)
_LEAST_SIGMA = 1e-4
_LARGEST_RHO = 0.9999
_STEEPEST_WING = 1.0
"""Half the slope of total variance in one wing; Lee's bound is a slope of 2."""


@dataclass(frozen=True, slots=True)
class Smile:
    """Raw SVI of one expiry: w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)).

    k is log strike over forward; w is total implied variance, volatility squared times years.
    """

    years: float
    a: float
    b: float
    rho: float
    m: float
    sigma: float

    def __post_init__(self) -> None:
        checked_above(self.years, 0.0, name="years")
        checked_above(self.sigma, 0.0, name="sigma")
        if not (math.isfinite(self.a + self.m) and math.isfinite(self.b) and self.b >= 0.0 and abs(self.rho) < 1.0):
            raise ParameterError(
                f"smile: found a={self.a}, b={self.b}, rho={self.rho}, m={self.m}, expected b >= 0 and |rho| < 1"
            )
        lowest = self.a + self.b * self.sigma * math.sqrt(1.0 - self.rho**2)
        if lowest < 0.0:
            raise ParameterError(f"smile: the lowest total variance is {lowest:.3g}, expected at least 0")

    def total_variance(self, log_strike: npt.ArrayLike) -> FloatArray:
        """w at (n,) log strikes over forward, at least 0."""
        place = np.asarray(log_strike, dtype=np.float64) - self.m
        return np.asarray(self.a + self.b * (self.rho * place + np.hypot(place, self.sigma)))

    def vol(self, log_strike: npt.ArrayLike) -> FloatArray:
        """Annual implied volatility as a fraction, at (n,) log strikes over forward."""
        return np.sqrt(self.total_variance(log_strike) / self.years)

    def butterfly_density(self, log_strike: npt.ArrayLike) -> FloatArray:
        """g(k): negative where the smile gives some butterfly a negative price.

        g = (1 - k w' / (2 w))^2 - w'^2 / 4 (1 / w + 1 / 4) + w'' / 2; the risk-neutral density is g times a
        positive factor.

        Source: Gatheral and Jacquier (2014), "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14,
        eq. 2.1.
        """
        k = np.asarray(log_strike, dtype=np.float64)
        place = k - self.m
        radius = np.hypot(place, self.sigma)
        w = self.total_variance(k)
        if np.any(w <= 0.0):
            raise SampleError("smile: total variance touches 0, so no density exists there")
        first = self.b * (self.rho + place / radius)
        second = self.b * self.sigma**2 / radius**3
        return np.asarray((1.0 - 0.5 * k * first / w) ** 2 - 0.25 * first**2 * (1.0 / w + 0.25) + 0.5 * second)


@dataclass(frozen=True, slots=True)
class ArbitrageReport:
    """What the two checks found on a grid of log strikes; no arbitrage when neither number is negative."""

    least_butterfly: float
    """The lowest g(k) over all expiries."""
    least_calendar: float
    """The smallest growth of total variance from one expiry to the next; 0 with a single expiry."""

    @property
    def is_free(self) -> bool:
        """True when neither check found an arbitrage."""
        return self.least_butterfly >= 0.0 and self.least_calendar >= 0.0


@dataclass(frozen=True, slots=True)
class VolSurface:
    """Smiles in order of expiry; between two of them total variance is linear in time at fixed log strike."""

    smiles: tuple[Smile, ...]

    def __post_init__(self) -> None:
        years = [smile.years for smile in self.smiles]
        if not years or any(later <= earlier for earlier, later in pairwise(years)):
            raise ParameterError(
                f"smiles: found expiries {years}, expected at least one, each later than the one before"
            )

    def vol(self, log_strike: npt.ArrayLike, years: float) -> FloatArray:
        """Annual volatility at (n,) log strikes over forward and one expiry within the fitted range.

        Raises
        ------
        ParameterError : an expiry before the first or after the last smile
        """
        times = np.array([smile.years for smile in self.smiles])
        if not times[0] <= years <= times[-1]:
            raise ParameterError(
                f"years: found {years}, expected between {times[0]:.4f} and {times[-1]:.4f}",
                remedy="Fit a smile beyond that expiry; the surface does not extrapolate in time.",
            )
        after = int(np.searchsorted(times, years))
        later = self.smiles[after].total_variance(log_strike)
        if times[after] == years:
            return np.sqrt(later / years)
        share = (years - times[after - 1]) / (times[after] - times[after - 1])
        earlier = self.smiles[after - 1].total_variance(log_strike)
        return np.sqrt(((1.0 - share) * earlier + share * later) / years)

    def check(self, log_strike: npt.ArrayLike = _CHECK_GRID) -> ArbitrageReport:
        """Butterfly arbitrage in each smile and calendar arbitrage between neighbors, on (n,) log strikes."""
        grid = checked_vector(log_strike, name="log_strike", min_rows=1)
        butterfly = min(float(smile.butterfly_density(grid).min()) for smile in self.smiles)
        levels = np.array([smile.total_variance(grid) for smile in self.smiles])
        growth = np.diff(levels, axis=0)
        return ArbitrageReport(butterfly, float(growth.min()) if growth.size else 0.0)


def fit_smile(
    log_strike: npt.ArrayLike, vol: npt.ArrayLike, years: float, weight: npt.ArrayLike | None = None
) -> Smile:
    """Weighted least squares of raw SVI on the implied volatilities of one expiry.

    Only m and sigma are searched, from nine starts; for each pair a, b and rho follow from a bounded linear
    problem in w (with the slopes of both wings at most 2, Lee's bound). Residuals are in total variance.

    Parameters
    ----------
    log_strike : (n_quotes >= 5,) log of strike over forward, at least five different ones
    vol : (n_quotes,) annual implied volatilities, as fractions, above 0
    years : time to expiry, above 0
    weight : (n_quotes,) at least 0, such as vega or open interest; None weighs all alike

    Raises
    ------
    SampleError : fewer than five strikes, a NaN, a volatility not above 0, or no positive weight
    ShapeError : lengths that differ
    SolverError : no start converged to an admissible smile

    Source: Zeliade Systems (2009), "Quasi-explicit calibration of Gatheral's SVI model"; Lee (2004),
    "The moment formula for implied volatility at extreme strikes", for the bound.
    """
    from scipy.optimize import minimize

    checked_above(years, 0.0, name="years")
    k = checked_vector(log_strike, name="log_strike", min_rows=5)
    vols = checked_vector(vol, name="vol", length=len(k))
    weights = np.ones(len(k)) if weight is None else checked_vector(weight, name="weight", length=len(k))
    n_strikes = len(np.unique(k[weights > 0.0]))
    if vols.min() <= 0.0 or weights.min() < 0.0 or n_strikes < 5:
        raise SampleError(
            f"smile: found {n_strikes} weighted strikes and a lowest volatility of {vols.min()}, "
            "expected five strikes or more and volatilities above 0",
            remedy="Drop quotes without a volatility, or read this expiry off its neighbors.",
        )
    w, root = vols**2 * years, np.sqrt(weights / weights.sum())
    span = float(np.ptp(k))

    def loss(place: FloatArray) -> float:
        return _linear_part(k, w, root, float(place[0]), math.exp(place[1]))[1]

    best, least = None, math.inf
    bounds = [(k.min() - span, k.max() + span), (math.log(_LEAST_SIGMA), math.log(10.0 * span))]
    for m in np.quantile(k, [0.25, 0.5, 0.75]):
        for sigma in (0.05 * span, 0.2 * span, span):
            start = np.array([m, math.log(max(sigma, _LEAST_SIGMA))])
            found = minimize(loss, start, method="Nelder-Mead", bounds=bounds, options={"xatol": 1e-8, "fatol": 1e-18})
            if found.fun < least:
                best, least = found.x, float(found.fun)
    if best is None:
        raise SolverError("smile: no start gave a finite error", remedy="Check the quotes of this expiry.")
    m, sigma = float(best[0]), math.exp(best[1])
    (a, b, rho), _ = _linear_part(k, w, root, m, sigma)
    return Smile(years, a, b, rho, m, sigma)


def _linear_part(
    k: FloatArray, w: FloatArray, root: FloatArray, m: float, sigma: float
) -> tuple[tuple[float, float, float], float]:
    """The best a, b, rho at given m and sigma, and the weighted squared error.

    w = a + left (radius - place) + right (radius + place), each term growing in one wing, so that left and
    right at least 0 mean |rho| <= 1; a is free (a difference of two columns) down to a lowest variance of 0.
    """
    from scipy.optimize import nnls

    place = k - m
    radius = np.hypot(place, sigma)
    wings = np.column_stack([radius - place, radius + place])
    level = np.ones((len(k), 1))
    try:
        (plus, minus, *slopes), _ = nnls(np.hstack([level, -level, wings]) * root[:, None], w * root)
    except RuntimeError:
        # scipy's solver gave up on its iterations: this pair of m and sigma is simply not a candidate.
        return (0.0, 0.0, 0.0), math.inf
    left, right = (min(float(slope), _STEEPEST_WING) for slope in slopes)
    b = left + right
    rho = min(max((right - left) / b, -_LARGEST_RHO), _LARGEST_RHO) if b > 0.0 else 0.0
    bent = b * (rho * place + radius)
    a = float(plus - minus) if max(slopes) <= _STEEPEST_WING else float((w - bent) @ root**2)
    a = max(a, -b * sigma * math.sqrt(1.0 - rho**2) * (1.0 - 1e-12))
    return (a, b, rho), float(np.sum(((a + bent - w) * root) ** 2))
