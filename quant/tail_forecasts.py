"""Each tail model's rolling one-day forecasts: what it foresaw every evening from the window before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

import numpy as np

from .arrays import FloatArray, checked_fraction, checked_matrix, checked_vector
from .errors import ParameterError, SampleError, ShapeError, SolverError
from .filtered_history import WARMUP_DAYS as RESCALED_WARMUP_DAYS
from .filtered_history import rescaled_returns
from .var_models import StudentT, cornish_fisher_is_monotone, cornish_fisher_tail, fit_student_t, student_t_tail
from .volatility import MIN_ROWS_FOR_GARCH, Garch, ewma_path, fit_garch, garch_path

WARMUP_DAYS = 75
"""Days before the first window, in which the EWMA forgets its start (0.94 ** 75 is 1 %)."""
REFIT_DAYS = 21

_NORMAL = NormalDist()


class TailModel(StrEnum):
    """How tomorrow's tail is foreseen from the window."""

    HISTORICAL = "historical"
    FILTERED_HISTORICAL = "filtered_historical"
    NORMAL_EWMA = "normal_ewma"
    STUDENT_T = "student_t"
    CORNISH_FISHER = "cornish_fisher"
    GARCH_T = "garch_t"
    RESCALED = "rescaled"
    """History of every name at its own volatility of today."""
    RESCALED_LOSSES = "rescaled_losses"
    """The same with each day's losses added up without that day's gains."""


@dataclass(frozen=True, slots=True, eq=False)
class TailForecasts:
    """One model's forecasts for the days ``first_day`` and on, (n_days,) each; NaN where it refused.

    Fractions, positive when money is lost.
    """

    model: TailModel
    first_day: int
    var: FloatArray
    """At the VaR level."""
    es_var: FloatArray
    """The VaR at the ES level, which says where the tail of the ES begins."""
    es: FloatArray


@dataclass(frozen=True, slots=True)
class _Levels:
    var: float
    es: float


def forecast_tail(
    history: FloatArray,
    model: TailModel,
    *,
    window_days: int = 500,
    var_level: float = 0.99,
    es_level: float = 0.975,
    parts: FloatArray | None = None,
) -> TailForecasts:
    """Forecasts for each day from ``window_days + 75`` on, each from days before it only.

    Historical tails use the ``historical_var`` convention; EWMA models the decay 0.94 and a zero mean; GARCH-t is
    refitted every 21 days on the window and filtered daily in between, and keeps its parameters when a fit fails.

    Parameters
    ----------
    history : (n_days,) simple daily returns of the portfolio, as fractions, oldest first
    parts : (n_days, n_names) what each name brings to it, its weight times its return; only the rescaled models look
        at it, and take the portfolio for one name when there are none

    Raises
    ------
    ShapeError : parts of other days
    SampleError : too few days, a NaN or an infinity, or a window in which the portfolio stood still
    ParameterError : a level outside (0, 1), or a window too short for the levels or for GARCH
    """
    least = MIN_ROWS_FOR_GARCH if model is TailModel.GARCH_T else 30
    levels = _Levels(checked_fraction(var_level, name="var_level"), checked_fraction(es_level, name="es_level"))
    least = max(least, int(np.ceil(1.0 / (1.0 - max(var_level, es_level)) - 1e-6)))
    is_rescaled = model in (TailModel.RESCALED, TailModel.RESCALED_LOSSES)
    least += RESCALED_WARMUP_DAYS if is_rescaled else 0
    if window_days < least:
        raise ParameterError(f"window_days: found {window_days}, expected at least {least} for {model.value}")
    first_day = window_days + WARMUP_DAYS
    x = checked_vector(history, name="history", min_rows=first_day + 1)
    windows = np.lib.stride_tricks.sliding_window_view(x, window_days)[WARMUP_DAYS:-1]
    if float(np.ptp(windows, axis=1).min()) <= 0.0:
        raise SampleError(
            "history: a window never moves", remedy="Check the weights and the returns for a dead stretch."
        )
    if is_rescaled:
        matrix = x[:, None] if parts is None else checked_matrix(parts, name="parts")
        if len(matrix) != len(x):
            raise ShapeError(f"parts: found {len(matrix)} days, expected the {len(x)} of the history")
        var, es_var, es = _rescaled(matrix, window_days, levels, losses_only=model is TailModel.RESCALED_LOSSES)
    else:
        var, es_var, es = _FORECASTERS[model](x, windows, levels)
    return TailForecasts(model, first_day, var, es_var, es)


_Columns = tuple[FloatArray, FloatArray, FloatArray]


def _historical(x: FloatArray, windows: FloatArray, levels: _Levels) -> _Columns:
    losses = np.sort(-windows, axis=1)
    return (_sorted_tail(losses, levels.var)[0], *_sorted_tail(losses, levels.es))


def _filtered_historical(x: FloatArray, windows: FloatArray, levels: _Levels) -> _Columns:
    n_days, window_days = windows.shape
    vols = ewma_path(x)
    # vols[t] is for day t + 1: the surprise of day t + 1 is its return over the volatility of the evening before.
    if float(vols[WARMUP_DAYS - 1 :].min()) <= 0.0:
        raise SampleError("history: the first 75 days never move, so no volatility can be forecast from them")
    surprises = x[WARMUP_DAYS:] / vols[WARMUP_DAYS - 1 : -1]
    losses = np.sort(-np.lib.stride_tricks.sliding_window_view(surprises, window_days)[:-1], axis=1)
    ahead = vols[-n_days - 1 : -1]
    es_var, es = _sorted_tail(losses, levels.es)
    return ahead * _sorted_tail(losses, levels.var)[0], ahead * es_var, ahead * es


def _normal_ewma(x: FloatArray, windows: FloatArray, levels: _Levels) -> _Columns:
    ahead = ewma_path(x)[-len(windows) - 1 : -1]
    es_z = _NORMAL.inv_cdf(levels.es)
    return ahead * _NORMAL.inv_cdf(levels.var), ahead * es_z, ahead * _NORMAL.pdf(es_z) / (1.0 - levels.es)


def _student_t(x: FloatArray, windows: FloatArray, levels: _Levels) -> _Columns:
    table = np.empty((len(windows), 3))
    fit: StudentT | None = None
    for day, window in enumerate(windows):
        fit = fit_student_t(window, fit)
        table[day] = _t_row(fit.location, fit.scale, fit.dof, levels)
    return table[:, 0], table[:, 1], table[:, 2]


def _cornish_fisher(x: FloatArray, windows: FloatArray, levels: _Levels) -> _Columns:
    mean, vol = windows.mean(axis=1), windows.std(axis=1, ddof=1)
    centered = windows - mean[:, None]
    squares = centered * centered
    variance = squares.mean(axis=1)
    skewness = (squares * centered).mean(axis=1) / variance**1.5
    kurtosis = (squares * squares).mean(axis=1) / variance**2 - 3.0
    table = np.full((len(windows), 3), np.nan)
    moments = zip(mean.tolist(), vol.tolist(), skewness.tolist(), kurtosis.tolist(), strict=True)
    for day, (m, v, s, k) in enumerate(moments):
        if cornish_fisher_is_monotone(s, k):
            tail = cornish_fisher_tail(m, v, s, k, levels.es)
            table[day] = cornish_fisher_tail(m, v, s, k, levels.var).var, tail.var, tail.es
    return table[:, 0], table[:, 1], table[:, 2]


def _garch_t(x: FloatArray, windows: FloatArray, levels: _Levels) -> _Columns:
    n_days, window_days = windows.shape
    table = np.empty((n_days, 3))
    model: Garch | None = None
    for begin in range(0, n_days, REFIT_DAYS):
        model = _refit(windows[begin], model)
        span = min(REFIT_DAYS, n_days - begin)
        at = WARMUP_DAYS + begin
        vols = garch_path(model, x[at : at + window_days + span - 1])[-span:]
        dof = model.dof or 0.0
        unit = _t_row(0.0, ((dof - 2.0) / dof) ** 0.5, dof, levels)
        table[begin : begin + span] = vols[:, None] * unit - model.mean
    return table[:, 0], table[:, 1], table[:, 2]


def _rescaled(parts: FloatArray, window_days: int, levels: _Levels, *, losses_only: bool) -> _Columns:
    """Rescaling knows no weights, so a part is rescaled as its name is; a name that is not held has no part."""
    held = parts[:, parts.any(axis=0)]
    losses = np.empty((len(held) - window_days - WARMUP_DAYS, window_days - RESCALED_WARMUP_DAYS))
    for day, row in enumerate(losses):
        begin = WARMUP_DAYS + day
        rows = rescaled_returns(held[begin : begin + window_days])
        row[:] = -(np.minimum(rows, 0.0) if losses_only else rows).sum(axis=1)
    losses.sort(axis=1)
    return (_sorted_tail(losses, levels.var)[0], *_sorted_tail(losses, levels.es))


def _refit(window: FloatArray, previous: Garch | None) -> Garch:
    if previous is not None:
        try:
            return fit_garch(window, start=previous)
        except SolverError:
            pass  # a cold start below may still find it
    try:
        return fit_garch(window)
    except SolverError:
        if previous is None:
            raise
        return previous


def _t_row(location: float, scale: float, dof: float, levels: _Levels) -> FloatArray:
    tail = student_t_tail(location, scale, dof, levels.es)
    return np.array([student_t_tail(location, scale, dof, levels.var).var, tail.var, tail.es])


def _sorted_tail(losses: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """VaR and ES of each row of losses sorted upward, by the conventions of ``historical_var``; (n_rows,) each."""
    n_days = losses.shape[1]
    k = min(max(int(np.ceil(n_days * level - 1e-9)), 1), n_days)
    at_var = losses[:, k - 1]
    return at_var, at_var + (losses[:, k:] - at_var[:, None]).sum(axis=1) / (n_days * (1.0 - level))


_FORECASTERS: dict[TailModel, Callable[[FloatArray, FloatArray, _Levels], _Columns]] = {
    TailModel.HISTORICAL: _historical,
    TailModel.FILTERED_HISTORICAL: _filtered_historical,
    TailModel.NORMAL_EWMA: _normal_ewma,
    TailModel.STUDENT_T: _student_t,
    TailModel.CORNISH_FISHER: _cornish_fisher,
    TailModel.GARCH_T: _garch_t,
}
