"""A fitted regime model carried forward day by day: each return is filtered, then teaches the parameters a little."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, checked_vector
from .errors import ParameterError
from .regimes import RegimeModel, filter_regimes

_VOL_FLOOR_FRAC = 0.1
"""A state's volatility never falls below this share of the calmest one fitted."""
_LEAST_DENSITY = 1e-200
"""As in the batch filter: a day that fits only a state nothing leads to must not empty the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class OnlineRegimes:
    """The model after some days, its states ordered by volatility, with what the next day needs.

    ``jumps[i, j, k]`` and ``moments[:, i, k]`` are the discounted means of "moved from i to j" and of
    "was in i" times (1, return, return squared), given that the state now is k.
    """

    transition: FloatArray
    """(n_states, n_states) probability of tomorrow's state (column) given today's (row)."""
    mean: FloatArray
    """(n_states,) daily, as fractions."""
    vol: FloatArray
    """(n_states,) daily, as fractions, ascending."""
    probability: FloatArray
    """(n_states,) of each state at the last close, given the returns up to it; sums to 1."""
    jumps: FloatArray
    moments: FloatArray
    vol_floor: float


@dataclass(frozen=True, slots=True, eq=False)
class OnlinePath:
    """What was said at each close; causal."""

    probability: FloatArray
    """(n_days, n_states) filtered, rows sum to 1."""
    log_density: FloatArray
    """(n_days,) log density of each return under what was known the close before: the one-step score."""
    last: OnlineRegimes


def begin_online(model: RegimeModel, returns: npt.ArrayLike) -> OnlineRegimes:
    """The state after the days a model was fitted on: its parameters as they are, and its filter's last row.

    The statistics start at their expectation under the model, so that its parameters solve them.

    Parameters
    ----------
    returns : (n_days,) simple daily returns up to the close at which the model is taken over, as fractions

    Raises
    ------
    SampleError : no rows, a NaN or an infinity
    """
    x = checked_vector(returns, name="returns", min_rows=1)
    share = _stationary(model.transition)
    n_states = len(share)
    given = np.ones(n_states)
    raw = np.stack([np.ones(n_states), model.mean, model.mean**2 + model.vol**2]) * share
    return OnlineRegimes(
        transition=model.transition.copy(),
        mean=model.mean.copy(),
        vol=model.vol.copy(),
        probability=filter_regimes(model, x)[-1],
        jumps=(share[:, None] * model.transition)[:, :, None] * given,
        moments=raw[:, :, None] * given,
        vol_floor=_VOL_FLOOR_FRAC * float(model.vol[0]),
    )


def learn_step(state: OnlineRegimes, value: float, rate: float) -> tuple[OnlineRegimes, float]:
    """The state after one more return, and the log density that return had the close before.

    Parameters
    ----------
    value : the day's simple return, as a fraction
    rate : weight of the day in the statistics, in [0, 1); its inverse is the memory in days. At 0 nothing is
        learned, and the probabilities are those of ``filter_regimes`` under the model begun with

    Raises
    ------
    SampleError : NaN or infinite
    ParameterError : a rate outside [0, 1)

    Source: Cappe (2011), J. Computational and Graphical Statistics 20, "Online EM algorithm for hidden Markov
    models", algorithm 1, with a constant step for parameters that drift.
    """
    if not 0.0 <= rate < 1.0:
        raise ParameterError(f"rate: found {rate}, expected at least 0 and below 1", remedy="Give 1 / memory in days.")
    x = float(checked_vector([value], name="value")[0])
    arrived = state.probability[:, None] * state.transition
    predicted = arrived.sum(axis=0)
    log_density = -0.5 * np.square((x - state.mean) / state.vol) - np.log(state.vol) - 0.5 * math.log(2.0 * math.pi)
    top = float(log_density.max())
    joint = predicted * np.maximum(np.exp(log_density - top), _LEAST_DENSITY)
    size = float(joint.sum())
    # Where each state of today came from. One that nothing leads to has no past to ask: all are alike to it.
    came = np.where(predicted > 0.0, arrived / np.where(predicted > 0.0, predicted, 1.0), 1.0 / len(predicted))
    here = np.eye(len(predicted))
    jumps = (1.0 - rate) * (state.jumps @ came) + rate * came[:, :, None] * here[None, :, :]
    power = np.array([1.0, x, x * x])[:, None, None]
    moments = (1.0 - rate) * (state.moments @ came) + rate * power * here
    seen = replace(state, probability=joint / size, jumps=jumps, moments=moments)
    return (_maximized(seen) if rate > 0.0 else seen), top + math.log(size)


def learn_path(model: RegimeModel, fitted: npt.ArrayLike, returns: npt.ArrayLike, rate: float) -> OnlinePath:
    """A model fitted on ``fitted`` carried through the ``returns`` after them, (n_days,) both; row t uses rows to t.

    Raises
    ------
    SampleError, ParameterError : as ``begin_online`` and ``learn_step``
    """
    x = checked_vector(returns, name="returns", min_rows=1)
    state = begin_online(model, fitted)
    probability, log_density = np.empty((len(x), len(model.vol))), np.empty(len(x))
    for day, value in enumerate(x.tolist()):
        state, log_density[day] = learn_step(state, value, rate)
        probability[day] = state.probability
    return OnlinePath(probability, log_density, state)


def _maximized(state: OnlineRegimes) -> OnlineRegimes:
    """The parameters that the statistics ask for, states in order again; as they were while a state has no days."""
    moved = state.jumps @ state.probability
    days, total, squares = state.moments @ state.probability
    left = moved.sum(axis=1)
    if min(float(days.min()), float(left.min())) <= 0.0:
        return state
    mean = total / days
    vol = np.sqrt(np.maximum(squares / days - mean * mean, state.vol_floor**2))
    order = np.argsort(vol, kind="stable")
    return OnlineRegimes(
        transition=(moved / left[:, None])[np.ix_(order, order)],
        mean=mean[order],
        vol=vol[order],
        probability=state.probability[order],
        jumps=state.jumps[np.ix_(order, order, order)],
        moments=state.moments[:, order][:, :, order],
        vol_floor=state.vol_floor,
    )


def _stationary(transition: FloatArray) -> FloatArray:
    """(n_states,) long-run share of days in each state; the least even one where the chain has several."""
    n_states = len(transition)
    system = np.vstack([transition.T - np.eye(n_states), np.ones(n_states)])
    share = np.linalg.lstsq(system, np.concatenate([np.zeros(n_states), [1.0]]), rcond=None)[0]
    share = np.maximum(share, 1e-6)
    return share / share.sum()
