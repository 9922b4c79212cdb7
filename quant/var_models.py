"""Tail risk from models: normal, Student t, Cornish-Fisher and filtered history; losses are positive."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from .arrays import FloatArray, checked_above, checked_at_least, checked_fraction, checked_vector
from .errors import ParameterError, SampleError
from .var import expected_shortfall, historical_var, normal_es, normal_var

MIN_ROWS_TO_FIT = 30
MIN_DOF = 1.05
MAX_DOF = 500.0
"""Bounds of a fitted number of degrees of freedom: below, no mean; above, nothing tells it from a normal."""

_NORMAL = NormalDist()
_SCORING_ROUNDS = 200
_STEP_TOLERANCE = 1e-8


@dataclass(frozen=True, slots=True)
class TailRisk:
    """VaR and expected shortfall over one period, as fractions of equity, positive when money is lost."""

    level: float
    var: float
    es: float


@dataclass(frozen=True, slots=True)
class StudentT:
    """A location-scale Student t; ``scale`` is not the standard deviation, which is scale * sqrt(dof / (dof - 2))."""

    location: float
    scale: float
    dof: float
    log_likelihood: float


def normal_tail(returns: FloatArray, level: float = 0.975) -> TailRisk:
    """Tail of a normal with the sample's mean and standard deviation (ddof 1); errors as ``student_t_tail``."""
    x = _moving_sample(returns, 2)
    mean, vol = float(x.mean()), float(x.std(ddof=1))
    return TailRisk(level, normal_var(mean, vol, level), normal_es(mean, vol, level))


def fit_student_t(returns: FloatArray, start: StudentT | None = None) -> StudentT:
    """Location, scale and degrees of freedom by maximum likelihood, by Fisher scoring with step halving.

    Degrees of freedom stay within [1.05, 500]; a fit at the upper bound is a normal in all but name.

    Parameters
    ----------
    returns : (n_days,) simple daily returns, as fractions, 30 or more
    start : an earlier fit of nearly the same sample, which saves rounds and moves nothing

    Raises
    ------
    SampleError : too few rows, a NaN or an infinity, or half of the days at one value (no maximum exists)

    Source: Lange, Little and Taylor (1989), J. American Statistical Association 84, appendix B.
    """
    x = _moving_sample(returns, MIN_ROWS_TO_FIT)
    center = float(np.median(x))
    spread = float(np.median(np.abs(x - center)))
    if spread <= 0.0:
        raise SampleError(
            f"returns: half or more of {len(x)} days sit at {center:g}, expected a continuous sample",
            remedy="Drop the stale days; a Student t likelihood has no maximum on them.",
        )
    theta = (
        np.array([center, math.log(1.3 * spread), math.log(6.0)])
        if start is None
        else np.array([start.location, math.log(start.scale), math.log(start.dof)])
    )
    value, gradient, information = _student_t_score(x, theta)
    for _ in range(_SCORING_ROUNDS):
        before = theta
        theta, value, gradient, information = _climb(x, theta, value, _free_step(theta, gradient, information))
        moved = np.abs(theta - before) / np.array([math.exp(theta[1]), 1.0, 1.0])
        if moved.max() <= _STEP_TOLERANCE:
            break
    return StudentT(float(theta[0]), math.exp(theta[1]), math.exp(theta[2]), value * len(x))


def student_t_tail(location: float, scale: float, dof: float, level: float = 0.975) -> TailRisk:
    """Tail of a location-scale Student t return.

    Parameters
    ----------
    location, scale : of the return, as fractions; ``scale`` is the t's own, not the standard deviation
    dof : above 1, else the mean of the tail is infinite
    level : confidence, in (0, 1)

    Raises
    ------
    ParameterError : degrees of freedom of 1 or less, a negative scale, or a level outside (0, 1)

    Source: McNeil, Frey and Embrechts (2015), Quantitative Risk Management, example 2.15.
    """
    from scipy.special import gammaln, stdtrit

    checked_fraction(level, name="level")
    checked_at_least(scale, 0.0, name="scale")
    checked_above(dof, 1.0, name="dof")
    q = float(stdtrit(dof, level))
    log_density = (
        float(gammaln(0.5 * (dof + 1.0)) - gammaln(0.5 * dof))
        - 0.5 * math.log(dof * math.pi)
        - 0.5 * (dof + 1.0) * math.log1p(q * q / dof)
    )
    mean_tail = math.exp(log_density) / (1.0 - level) * (dof + q * q) / (dof - 1.0)
    return TailRisk(level, scale * q - location, scale * mean_tail - location)


def cornish_fisher_is_monotone(skewness: float, excess_kurtosis: float) -> bool:
    """Whether the Cornish-Fisher quantile rises with its level, so that it is a quantile at all.

    The derivative is a parabola in z: it must be positive everywhere, hence a discriminant of at most 0.

    Source: Maillard (2012), "A user's guide to the Cornish Fisher expansion", section 3.
    """
    s, k = skewness, excess_kurtosis
    leading = k / 8.0 - s * s / 6.0
    constant = 1.0 - k / 8.0 + 5.0 * s * s / 36.0
    if leading == 0.0 and s == 0.0:
        return True
    return leading > 0.0 and s * s / 9.0 - 4.0 * leading * constant <= 0.0


def cornish_fisher_tail(
    mean: float, vol: float, skewness: float, excess_kurtosis: float, level: float = 0.975
) -> TailRisk:
    """Tail by the fourth-order Cornish-Fisher expansion of the quantile; the ES integrates the same quantile.

    Parameters
    ----------
    mean, vol : of the return over the period, as fractions
    skewness, excess_kurtosis : of the return (a normal has 0 and 0)
    level : confidence, in (0, 1)

    Raises
    ------
    ParameterError : moments outside the expansion's domain, a negative volatility, a level outside (0, 1)

    Source: Cornish and Fisher (1938); Maillard (2012) for the domain; Boudt, Peterson and Croux (2008) for the idea
    of a modified ES (here the exact integral of the expansion, not their Edgeworth form).
    """
    z = _NORMAL.inv_cdf(1.0 - checked_fraction(level, name="level"))
    checked_at_least(vol, 0.0, name="vol")
    if not (math.isfinite(skewness) and math.isfinite(excess_kurtosis)) or not cornish_fisher_is_monotone(
        skewness, excess_kurtosis
    ):
        raise ParameterError(
            f"skewness {skewness:.3f} with excess kurtosis {excess_kurtosis:.3f} lies outside the domain of the "
            "Cornish-Fisher expansion, whose quantiles would no longer rise with the level",
            remedy="Use the t, filtered historical or extreme value estimate for this sample.",
        )
    s, k = skewness, excess_kurtosis
    quantile = z + (z * z - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s * s / 36
    # The integral of the Hermite polynomial He_n against the normal density up to z is -He_(n-1)(z) pdf(z).
    polynomial = 1 + z * s / 6 + (z * z - 1) * k / 24 - (2 * z * z - 1) * s * s / 36
    return TailRisk(level, -mean - vol * quantile, -mean + vol * _NORMAL.pdf(z) / (1.0 - level) * polynomial)


def cornish_fisher_of_sample(returns: FloatArray, level: float = 0.975) -> TailRisk:
    """``cornish_fisher_tail`` of a sample's mean, standard deviation (ddof 1) and moment ratios (ddof 0).

    Raises
    ------
    SampleError : fewer than 30 rows, a NaN or an infinity, or a series that never moves
    ParameterError : as ``cornish_fisher_tail``
    """
    x = _moving_sample(returns, MIN_ROWS_TO_FIT)
    centered = x - x.mean()
    variance = float((centered * centered).mean())
    skewness = float((centered**3).mean()) / variance**1.5
    kurtosis = float((centered**4).mean()) / variance**2 - 3.0
    return cornish_fisher_tail(float(x.mean()), float(x.std(ddof=1)), skewness, kurtosis, level)


def filtered_historical_tail(returns: FloatArray, vols: FloatArray, next_vol: float, level: float = 0.975) -> TailRisk:
    """Tail of past surprises (return over the volatility foreseen for its day) times tomorrow's volatility.

    Parameters
    ----------
    returns : (n_days,) simple daily returns, as fractions
    vols : (n_days,) volatility of each day as forecast the evening before, as fractions (EWMA, GARCH)
    next_vol : the volatility forecast for the day ahead, as a fraction
    level : confidence, in (0, 1)

    Raises
    ------
    ShapeError : arrays of different lengths
    SampleError : fewer days than ``1 / (1 - level)``, a NaN or an infinity, or a volatility of 0 or less

    Source: Hull and White (1998), J. of Risk 1; Barone-Adesi, Giannopoulos and Vosper (1999), J. Futures Markets 19.
    """
    x = checked_vector(returns, name="returns", min_rows=1)
    past = checked_vector(vols, name="vols", length=len(x))
    if past.min() <= 0.0:
        raise SampleError(f"vols: the lowest is {past.min():g}, expected every volatility above 0")
    ahead = checked_above(next_vol, 0.0, name="next_vol")
    surprises = x / past
    return TailRisk(level, ahead * historical_var(surprises, level), ahead * expected_shortfall(surprises, level))


def _moving_sample(returns: FloatArray, min_rows: int) -> FloatArray:
    x = checked_vector(returns, name="returns", min_rows=min_rows)
    if float(np.ptp(x)) <= 0.0:
        raise SampleError(f"returns: all {len(x)} days are {x[0]:g}, expected a series that moves")
    return x


def _student_t_score(x: FloatArray, theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Mean log-likelihood at (location, log scale, log dof), its gradient, and the expected information."""
    from scipy.special import gammaln, psi, zeta

    scale, v = math.exp(theta[1]), math.exp(theta[2])
    z = (x - theta[0]) / scale
    squares = z * z
    log_term = float(np.log1p(squares / v).mean())
    weight = (v + 1.0) / (v + squares)
    pull = float((weight * squares).mean())
    value = float(gammaln(0.5 * (v + 1.0)) - gammaln(0.5 * v)) - 0.5 * math.log(v * math.pi) - theta[1]
    value -= 0.5 * (v + 1.0) * log_term
    by_dof = 0.5 * (float(psi(0.5 * (v + 1.0)) - psi(0.5 * v)) - 1.0 / v - log_term + pull / v)
    gradient = np.array([float((weight * z).mean()) / scale, pull - 1.0, v * by_dof])
    information = np.zeros((3, 3))
    information[0, 0] = (v + 1.0) / (v + 3.0) / scale**2
    information[1, 1] = 2.0 * v / (v + 3.0)
    information[1, 2] = information[2, 1] = -2.0 * v / ((v + 1.0) * (v + 3.0))
    trigamma_gap = float(zeta(2.0, 0.5 * v) - zeta(2.0, 0.5 * (v + 1.0)))
    information[2, 2] = v * v * (0.25 * trigamma_gap - (v + 5.0) / (2.0 * v * (v + 1.0) * (v + 3.0)))
    return float(value), gradient, information


def _climb(
    x: FloatArray, theta: FloatArray, value: float, step: FloatArray
) -> tuple[FloatArray, float, FloatArray, FloatArray]:
    """The point reached by the step, halved until the likelihood does not fall, and the score there."""
    while True:
        trial = theta + step
        trial[2] = min(max(trial[2], math.log(MIN_DOF)), math.log(MAX_DOF))
        new_value, gradient, information = _student_t_score(x, trial)
        # A step too small to matter ends the halving too: there the likelihoods differ by rounding alone.
        if new_value >= value - 1e-15 or np.abs(step[1:]).max() <= 1e-13:
            return trial, new_value, gradient, information
        step = 0.5 * step


def _free_step(theta: FloatArray, gradient: FloatArray, information: FloatArray) -> FloatArray:
    """Scoring step; the degrees of freedom stay put at a bound that the likelihood pushes against."""
    at_top = theta[2] >= math.log(MAX_DOF) - 1e-12 and gradient[2] > 0.0
    at_bottom = theta[2] <= math.log(MIN_DOF) + 1e-12 and gradient[2] < 0.0
    free = slice(0, 2) if at_top or at_bottom else slice(0, 3)
    step = np.zeros(3)
    step[free] = np.linalg.solve(information[free, free], gradient[free])
    # Far from the maximum the information is a poor guide to log dof; a factor of e a round is enough.
    return step / max(1.0, abs(float(step[1])), abs(float(step[2])))
