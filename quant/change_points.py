"""When the law of a series changes: Bayesian online detection, and CUSUM with its average run lengths."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import FloatArray, IntArray, checked_above, checked_at_least, checked_vector
from .errors import ParameterError

_CHAIN_STATES = 201
_LONGEST_ARL_DAYS = 1e9


@dataclass(frozen=True, slots=True)
class RunPrior:
    """What is believed of a new run of normal days before any is seen (a normal-inverse-gamma law)."""

    vol: float
    """Typical volatility of a day, as a fraction."""
    mean: float = 0.0
    mean_days: float = 1.0
    """How many days' worth of evidence the mean is (kappa)."""
    vol_days: float = 10.0
    """How many days' worth of evidence the volatility is (twice alpha)."""
    expected_run_days: float = 250.0
    """Mean days between changes; the hazard is its inverse, the same every day."""
    max_run_days: int = 1_000
    """Longer runs are read as this long: the cost of a step and its memory stay bounded."""


@dataclass(frozen=True, slots=True, eq=False)
class RunState:
    """The law of the current run's length after some days; entry r stands for a run of r days."""

    probability: FloatArray
    """(n_lengths,) sums to 1. Entry 0, a run that starts tomorrow, always equals the hazard (Adams and MacKay)."""
    mean: FloatArray
    """(n_lengths,) posterior mean of a day's return, given the run length."""
    spread: FloatArray
    """(n_lengths,) beta of the inverse gamma law of the variance, given the run length."""

    def recent_change(self, recent_days: int) -> float:
        """Probability that the current run is at most ``recent_days`` old."""
        return float(self.probability[: recent_days + 1].sum())

    @property
    def likeliest_run_days(self) -> int:
        """The run length with the highest probability."""
        return int(np.argmax(self.probability))


@dataclass(frozen=True, slots=True, eq=False)
class ChangePath:
    """What the detector said at each close, (n_days,) each; causal."""

    recent_change: FloatArray
    likeliest_run_days: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class CusumPath:
    """Two one-sided sums of standardized values, (n_days,) each, and the days on which one crossed the threshold."""

    upper: FloatArray
    lower: FloatArray
    alarms: IntArray


def first_state(prior: RunPrior) -> RunState:
    """The state before the first day: a run is about to start.

    Raises
    ------
    ParameterError : a volatility, mean_days or vol_days of 0 or less, runs of 1 day or less on average, no memory
    """
    checked_above(prior.vol, 0.0, name="vol")
    checked_above(prior.mean_days, 0.0, name="mean_days")
    checked_above(prior.vol_days, 0.0, name="vol_days")
    checked_above(prior.expected_run_days, 1.0, name="expected_run_days")
    checked_at_least(prior.max_run_days, 1, name="max_run_days")
    spread = 0.5 * prior.vol_days * prior.vol**2
    return RunState(np.ones(1), np.array([prior.mean]), np.array([spread]))


def step(prior: RunPrior, state: RunState, value: float) -> RunState:
    """The state after one more day.

    Parameters
    ----------
    value : the day's return, as a fraction

    Raises
    ------
    SampleError : NaN or infinite

    Source: Adams and MacKay (2007), "Bayesian online changepoint detection", algorithm 1, constant hazard;
    Murphy (2007), "Conjugate Bayesian analysis of the Gaussian distribution", section 3, for the updates.
    """
    x = float(checked_vector([value], name="value")[0])
    runs = np.arange(len(state.probability))
    kappa, alpha = prior.mean_days + runs, 0.5 * (prior.vol_days + runs)
    surprise = x - state.mean
    gain = 0.5 * kappa / (kappa + 1.0) * surprise**2
    log_density = _log_gamma_gap(prior.vol_days, len(runs)) + 0.5 * np.log(kappa / (kappa + 1.0))
    log_density += alpha * np.log(state.spread) - (alpha + 0.5) * np.log(state.spread + gain)
    with np.errstate(divide="ignore"):
        joint = np.log(state.probability) + log_density
    weight = np.exp(joint - joint.max())
    weight /= weight.sum()
    hazard = 1.0 / prior.expected_run_days
    start = first_state(prior)
    grown = RunState(
        np.concatenate([[hazard], (1.0 - hazard) * weight]),
        np.concatenate([start.mean, state.mean + surprise / (kappa + 1.0)]),
        np.concatenate([start.spread, state.spread + gain]),
    )
    return _bounded(grown, prior.max_run_days)


def detect_changes(prior: RunPrior, returns: FloatArray, recent_days: int = 21) -> ChangePath:
    """The detector over a whole series; entry t uses days up to t only.

    Parameters
    ----------
    returns : (n_days,) simple daily returns, as fractions, oldest first
    recent_days : how young a run must be to count as a recent change

    Raises
    ------
    SampleError : no rows, a NaN or an infinity
    ParameterError : as ``first_state``, or a recent_days below 1
    """
    x = checked_vector(returns, name="returns", min_rows=1)
    checked_at_least(recent_days, 1, name="recent_days")
    state = first_state(prior)
    recent, likeliest = np.empty(len(x)), np.empty(len(x), dtype=np.int64)
    for day, value in enumerate(x.tolist()):
        state = step(prior, state, value)
        recent[day], likeliest[day] = state.recent_change(recent_days), state.likeliest_run_days
    return ChangePath(recent, likeliest)


def cusum(values: FloatArray, threshold: float, drift: float = 0.5) -> CusumPath:
    """Page's cumulative sums; both return to 0 after an alarm.

    Parameters
    ----------
    values : (n_days,) standardized by the law in control (mean 0, variance 1), oldest first
    threshold : h, in standard deviations; see ``cusum_threshold``
    drift : k, half the shift that matters, in standard deviations

    Raises
    ------
    SampleError : no rows, a NaN or an infinity
    ParameterError : a threshold of 0 or less, or a negative drift

    Source: Page (1954), Biometrika 41.
    """
    x = checked_vector(values, name="values", min_rows=1)
    checked_above(threshold, 0.0, name="threshold")
    checked_at_least(drift, 0.0, name="drift")
    upper, lower = np.empty(len(x)), np.empty(len(x))
    alarms: list[int] = []
    up = down = 0.0
    for day, value in enumerate(x.tolist()):
        up, down = max(0.0, up + value - drift), max(0.0, down - value - drift)
        upper[day], lower[day] = up, down
        if max(up, down) > threshold:
            alarms.append(day)
            up = down = 0.0
    return CusumPath(upper, lower, np.array(alarms, dtype=np.int64))


def cusum_run_length(threshold: float, drift: float = 0.5, shift: float = 0.0) -> float:
    """Mean days to an alarm of the two-sided ``cusum`` on independent normal days whose mean is ``shift``.

    At shift 0 it is the mean time between false alarms; elsewhere, the mean delay of detection.

    Parameters
    ----------
    threshold, drift, shift : in standard deviations of a day

    Raises
    ------
    ParameterError : as ``cusum``, or a mean time beyond a billion days

    Source: Brook and Evans (1972), Biometrika 59 (Markov chain); Kemp (1971) for joining the two sides.
    """
    up, down = _one_sided_run_length(threshold, drift, shift), _one_sided_run_length(threshold, drift, -shift)
    return 1.0 / (1.0 / up + 1.0 / down)


def cusum_threshold(false_alarm_days: float, drift: float = 0.5) -> float:
    """The threshold at which ``cusum`` raises a false alarm once in ``false_alarm_days`` on average.

    Raises
    ------
    ParameterError : a wait below 10 or above a million days, or a drift below 0.1
    """
    from scipy.optimize import brentq

    checked_at_least(drift, 0.1, name="drift")
    if not 10.0 <= false_alarm_days <= 1e6:
        raise ParameterError(f"false_alarm_days: found {false_alarm_days}, expected 10 to 1,000,000")
    low, high = 0.01, 1.0
    while cusum_run_length(high, drift) < false_alarm_days:
        high *= 1.5
    if cusum_run_length(low, drift) > false_alarm_days:
        raise ParameterError(
            f"false_alarm_days: found {false_alarm_days} with drift {drift}, which no threshold makes that short",
            remedy="Lower the drift, or accept a longer wait between false alarms.",
        )
    root: Any = brentq(lambda h: math.log(cusum_run_length(h, drift) / false_alarm_days), low, high, xtol=1e-10)
    return float(root)


def _bounded(state: RunState, max_run_days: int) -> RunState:
    """The state with runs beyond the memory read as the longest one kept."""
    n_kept = max_run_days + 1
    if len(state.probability) <= n_kept:
        return state
    probability = state.probability[:n_kept].copy()
    probability[-1] += state.probability[n_kept:].sum()
    return RunState(probability, state.mean[:n_kept], state.spread[:n_kept])


def _log_gamma_gap(vol_days: float, n_lengths: int) -> FloatArray:
    """log Gamma(alpha + 1/2) - log Gamma(alpha) - log(2 pi) / 2 for each run length, (n_lengths,)."""
    from scipy.special import gammaln

    alpha = 0.5 * (vol_days + np.arange(n_lengths))
    return np.asarray(gammaln(alpha + 0.5) - gammaln(alpha) - 0.5 * math.log(2.0 * math.pi))


def _one_sided_run_length(threshold: float, drift: float, shift: float) -> float:
    from scipy.special import ndtr

    checked_above(threshold, 0.0, name="threshold")
    checked_at_least(drift, 0.0, name="drift")
    if not math.isfinite(shift):
        raise ParameterError(f"shift: found {shift}, expected a finite number")
    width = 2.0 * threshold / (2.0 * _CHAIN_STATES - 1.0)
    gap = width * (np.arange(_CHAIN_STATES)[None, :] - np.arange(_CHAIN_STATES)[:, None]) + drift - shift
    move = ndtr(gap + 0.5 * width) - ndtr(gap - 0.5 * width)
    move[:, 0] = ndtr(gap[:, 0] + 0.5 * width)
    try:
        run_length = float(np.linalg.solve(np.eye(_CHAIN_STATES) - move, np.ones(_CHAIN_STATES))[0])
    except np.linalg.LinAlgError:
        run_length = math.inf
    # Past this the chain's matrix is singular in double precision and the answer is noise, even negative.
    if not 0.0 < run_length < _LONGEST_ARL_DAYS:
        if shift < 0.0:
            return _LONGEST_ARL_DAYS
        raise ParameterError(f"threshold: found {threshold}, whose mean time to an alarm is past a billion days")
    return run_length
