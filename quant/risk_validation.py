"""Rolling out-of-sample record of the tail models: what each forecast every evening, and how often it was wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

import numpy as np

from .arrays import FloatArray, checked_fraction, checked_returns, checked_vector
from .errors import ParameterError, SampleError, SolverError
from .var_backtests import (
    BASEL_DAYS,
    MIN_DAYS,
    Zone,
    christoffersen,
    exceptions,
    kupiec,
    shortfall_test,
    traffic_light,
)
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
class ModelRecord:
    """How one model's forecasts came out."""

    model: TailModel
    n_days: int
    """Days judged: those on which the model gave a forecast."""
    n_refused: int
    """Days on which the sample lay outside the model's domain (Cornish-Fisher only)."""
    n_exceptions: int
    expected_exceptions: float
    kupiec_p: float
    independence_p: float
    coverage_p: float
    last_year_exceptions: int
    last_year_zone: Zone
    z2: float
    z2_p: float
    mean_var: float
    mean_es: float
    quantile_loss: float
    """Mean pinball loss of the VaR, a fraction a day: lower is better, and the true quantile has the lowest.
    Compare it only between models with the same ``n_days``."""


@dataclass(frozen=True, slots=True)
class _Levels:
    var: float
    es: float


def validate_risk_models(
    weights: FloatArray,
    returns: FloatArray,
    rng: np.random.Generator,
    *,
    models: tuple[TailModel, ...] = tuple(TailModel),
    window_days: int = 500,
    var_level: float = 0.99,
    es_level: float = 0.975,
) -> tuple[ModelRecord, ...]:
    """One row a model: every day's one-day forecast from the window before it, against what the day brought.

    The weights are held constant, so each model sees the portfolio's own returns. All models are judged on the same
    days, from ``window_days + 75`` on. Days on which a model refused are left out of its record and counted.

    Parameters
    ----------
    weights : (n_names,) signed fractions of equity, restored every day
    returns : (n_days, n_names) simple daily returns, as fractions, oldest first
    rng : draws the law of the ES test under right forecasts; each model's test gets its own child of it

    Raises
    ------
    ShapeError : weights and returns of different widths
    SampleError : fewer than window + 75 + 250 days, a NaN or an infinity, a portfolio that stands still
    ParameterError : a level outside (0, 1), or a window too short for the levels or for GARCH
    """
    matrix = checked_returns(returns, window_days + WARMUP_DAYS + BASEL_DAYS)
    history = matrix @ checked_vector(weights, name="weights", length=matrix.shape[1])
    streams = rng.spawn(len(models))
    return tuple(
        judge_forecasts(
            forecast_tail(history, model, window_days=window_days, var_level=var_level, es_level=es_level),
            history,
            stream,
            var_level=var_level,
            es_level=es_level,
        )
        for model, stream in zip(models, streams, strict=True)
    )


def forecast_tail(
    history: FloatArray,
    model: TailModel,
    *,
    window_days: int = 500,
    var_level: float = 0.99,
    es_level: float = 0.975,
) -> TailForecasts:
    """Forecasts for each day from ``window_days + 75`` on, each from days before it only.

    Historical tails use the ``historical_var`` convention; EWMA models the decay 0.94 and a zero mean; GARCH-t is
    refitted every 21 days on the window and filtered daily in between, and keeps its parameters when a fit fails.

    Parameters
    ----------
    history : (n_days,) simple daily returns of the portfolio, as fractions, oldest first

    Raises
    ------
    SampleError : too few days, a NaN or an infinity, or a window in which the portfolio stood still
    ParameterError : a level outside (0, 1), or a window too short for the levels or for GARCH
    """
    least = MIN_ROWS_FOR_GARCH if model is TailModel.GARCH_T else 30
    levels = _Levels(checked_fraction(var_level, name="var_level"), checked_fraction(es_level, name="es_level"))
    least = max(least, int(np.ceil(1.0 / (1.0 - max(var_level, es_level)) - 1e-6)))
    if window_days < least:
        raise ParameterError(f"window_days: found {window_days}, expected at least {least} for {model.value}")
    first_day = window_days + WARMUP_DAYS
    x = checked_vector(history, name="history", min_rows=first_day + 1)
    windows = np.lib.stride_tricks.sliding_window_view(x, window_days)[WARMUP_DAYS:-1]
    if float(np.ptp(windows, axis=1).min()) <= 0.0:
        raise SampleError(
            "history: a window never moves", remedy="Check the weights and the returns for a dead stretch."
        )
    var, es_var, es = _FORECASTERS[model](x, windows, levels)
    return TailForecasts(model, first_day, var, es_var, es)


def judge_forecasts(
    forecasts: TailForecasts,
    history: FloatArray,
    rng: np.random.Generator,
    *,
    var_level: float = 0.99,
    es_level: float = 0.975,
) -> ModelRecord:
    """Backtests of one model's forecasts against the returns (n_days,) they foresaw; levels as in ``forecast_tail``.

    Raises
    ------
    SampleError : the model gave fewer than 250 forecasts, or NaN in the returns
    """
    realized = checked_vector(history, name="history", min_rows=forecasts.first_day + 1)[forecasts.first_day :]
    given = np.isfinite(forecasts.var)
    n_given = int(given.sum())
    if n_given < max(BASEL_DAYS, MIN_DAYS):
        raise SampleError(
            f"{forecasts.model.value}: found {n_given} forecasts, expected at least {BASEL_DAYS}",
            remedy="Give a longer history, or leave out a model that refuses this sample.",
        )
    realized, var = realized[given], forecasts.var[given]
    hits = exceptions(realized, var)
    n_hits, last_year = int(hits.sum()), int(hits[-BASEL_DAYS:].sum())
    coverage = christoffersen(hits, var_level)
    shortfall = shortfall_test(realized, forecasts.es_var[given], forecasts.es[given], rng, level=es_level)
    excess = -realized - var
    return ModelRecord(
        model=forecasts.model,
        n_days=n_given,
        n_refused=len(given) - n_given,
        n_exceptions=n_hits,
        expected_exceptions=n_given * (1.0 - var_level),
        kupiec_p=kupiec(n_hits, n_given, var_level).p_value,
        independence_p=coverage.independence.p_value,
        coverage_p=coverage.conditional.p_value,
        last_year_exceptions=last_year,
        last_year_zone=traffic_light(last_year, BASEL_DAYS, var_level),
        z2=shortfall.z2,
        z2_p=shortfall.p_value,
        mean_var=float(var.mean()),
        mean_es=float(forecasts.es[given].mean()),
        quantile_loss=float(np.maximum(var_level * excess, (var_level - 1.0) * excess).mean()),
    )


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
