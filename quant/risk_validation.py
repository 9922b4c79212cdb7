"""Out-of-sample record of the tail models: how often each evening's forecast was wrong, and by how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray, checked_returns, checked_vector
from .errors import SampleError
from .tail_forecasts import WARMUP_DAYS, TailForecasts, TailModel, forecast_tail
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

    The weights are held constant, so each model sees the portfolio's own returns, and the rescaled ones those of its
    names. All models are judged on the same days, from ``window_days + 75`` on. Days on which a model refused are
    left out of its record and counted.

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
    held = checked_vector(weights, name="weights", length=matrix.shape[1])
    history, parts = matrix @ held, matrix * held
    streams = rng.spawn(len(models))
    return tuple(
        judge_forecasts(
            forecast_tail(history, model, window_days=window_days, var_level=var_level, es_level=es_level, parts=parts),
            history,
            stream,
            var_level=var_level,
            es_level=es_level,
        )
        for model, stream in zip(models, streams, strict=True)
    )


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
