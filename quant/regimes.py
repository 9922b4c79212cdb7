"""Market regimes from a Gaussian hidden Markov model of one return series, filtered without look-ahead."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray, checked_vector
from .errors import ParameterError, SampleError

MIN_ROWS_PER_STATE = 50

_LABELS = {2: ("calm", "stressed"), 3: ("calm", "stressed", "crisis")}
_STAY_PROBABILITY = 0.95
_ROUGH_VOL_DAYS = 21
_MAX_ROUNDS = 200
_GAIN_TOLERANCE = 1e-6
_LOG_2_PI = math.log(2.0 * math.pi)


@dataclass(frozen=True, slots=True, eq=False)
class RegimeModel:
    """A fitted model with its states ordered by volatility, calmest first."""

    start: FloatArray
    """(n_states,) probabilities on the first day."""
    transition: FloatArray
    """(n_states, n_states) probability of tomorrow's state (column) given today's (row)."""
    mean: FloatArray
    """(n_states,) daily, as fractions."""
    vol: FloatArray
    """(n_states,) daily, as fractions, ascending."""
    log_likelihood: float
    n_rows: int

    @property
    def labels(self) -> tuple[str, ...]:
        """calm / stressed, or calm / stressed / crisis."""
        return _LABELS[len(self.vol)]

    @property
    def bic(self) -> float:
        """Schwarz's criterion, lower is better: K - 1 + K (K - 1) + 2 K free parameters."""
        k = len(self.vol)
        return (k * k + 2 * k - 1) * math.log(self.n_rows) - 2.0 * self.log_likelihood


def choose_regimes(returns: FloatArray) -> RegimeModel:
    """The model with two or three states that has the lower BIC; arguments and errors as ``fit_regimes``."""
    return min(candidate_regimes(returns), key=lambda model: model.bic)


def candidate_regimes(returns: FloatArray) -> tuple[RegimeModel, ...]:
    """One model for each number of states there is a name for; arguments and errors as ``fit_regimes``."""
    return tuple(fit_regimes(returns, n_states) for n_states in _LABELS)


def fit_regimes(returns: FloatArray, n_states: int = 2) -> RegimeModel:
    """Maximum likelihood by expectation-maximization, from a start that depends on the data alone.

    Fitting looks at the whole sample: fit on the past only, and read regimes with the filter.

    Parameters
    ----------
    returns : (n_days,) simple daily returns of one series, as fractions, oldest first
    n_states : 2 or 3

    Raises
    ------
    ParameterError : another number of states
    SampleError : fewer than 50 rows per state, a NaN or an infinity, or a series that never moved

    Source: Baum et al. (1970); Rabiner (1989), Proc. IEEE 77, section III; Hamilton (1989).
    """
    # Imported where it is needed: numba takes half a second, and most commands fit nothing.
    from . import hmm_kernel

    if n_states not in _LABELS:
        raise ParameterError(f"n_states: found {n_states}, expected 2 or 3")
    x = checked_vector(returns, name="returns", min_rows=MIN_ROWS_PER_STATE * n_states)
    if x.std() <= 1e-12:
        raise SampleError("returns: never move, so there are no regimes to tell apart")
    floor = 1e-4 * float(x.var())
    start, transition, mean, variance, log_likelihood = hmm_kernel.maximize(
        x,
        *_first_guess(x, n_states, floor),
        variance_floor=floor,
        max_rounds=_MAX_ROUNDS,
        least_gain=_GAIN_TOLERANCE * len(x),
    )
    order = np.argsort(variance, kind="stable")
    return RegimeModel(
        start=start[order],
        transition=transition[np.ix_(order, order)],
        mean=mean[order],
        vol=np.sqrt(variance[order]),
        log_likelihood=log_likelihood,
        n_rows=len(x),
    )


def warm_up() -> None:
    """Have the compiled parts ready before they are needed, so that nothing is compiled inside a decision.

    About eight seconds in the first process after an installation and two in later ones, which load what the first
    kept: in NUMBA_CACHE_DIR, else beside the package, else in the user's cache folder. Free from the second call on.
    """
    from . import hmm_kernel

    hmm_kernel.warm_up()


def filter_regimes(model: RegimeModel, returns: FloatArray) -> FloatArray:
    """Probability of each state at each close given the returns up to it, (n_days, n_states), rows sum to 1.

    Causal: row t never depends on what came after t, unlike smoothed or Viterbi paths.

    Raises
    ------
    SampleError : no rows, a NaN or an infinity
    """
    return _filtered(model, returns)[0]


def log_likelihood(model: RegimeModel, returns: FloatArray) -> float:
    """Log-likelihood of a series (n_days,) under the model; errors as ``filter_regimes``."""
    return _filtered(model, returns)[1]


def filter_step(model: RegimeModel, log_alpha: FloatArray | None, x: float) -> FloatArray:
    """Log probabilities of the states after one more return ``x``, (n_states,), from those before it.

    Parameters
    ----------
    log_alpha : (n_states,) result of the previous step; None before the first return

    Raises
    ------
    SampleError : ``x`` is NaN or infinite
    """
    value = checked_vector([x], name="x")
    prior = model.start if log_alpha is None else np.exp(log_alpha) @ model.transition
    with np.errstate(divide="ignore"):
        joint = np.log(prior) + _log_density(value, model.mean, np.square(model.vol))[0]
    top = joint.max()
    return joint - (top + math.log(float(np.exp(joint - top).sum())))


def _first_guess(x: FloatArray, n_states: int, floor: float) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """States as equal shares of the days, by the size of the moves around each day."""
    window = np.ones(_ROUGH_VOL_DAYS)
    near = np.convolve(np.square(x - x.mean()), window, mode="same")
    rough = near / np.convolve(np.ones_like(x), window, mode="same")
    group = np.argsort(np.argsort(rough, kind="stable"), kind="stable") * n_states // len(x)
    mean = np.array([x[group == k].mean() for k in range(n_states)])
    variance = np.array([max(float(x[group == k].var()), floor) for k in range(n_states)])
    move = (1.0 - _STAY_PROBABILITY) / (n_states - 1)
    transition = np.full((n_states, n_states), move) + (_STAY_PROBABILITY - move) * np.eye(n_states)
    return np.full(n_states, 1.0 / n_states), transition, mean, variance


def _log_density(x: FloatArray, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """(n_days, n_states) logs of the normal densities."""
    return -0.5 * (_LOG_2_PI + np.log(variance) + np.square(x[:, None] - mean) / variance)


def _filtered(model: RegimeModel, returns: FloatArray) -> tuple[FloatArray, float]:
    from . import hmm_kernel

    x = checked_vector(returns, name="returns", min_rows=1)
    return hmm_kernel.filtered(x, model.start, model.transition, model.mean, np.square(model.vol))
