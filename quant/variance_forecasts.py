"""How good forecasts of a variance were: their bias, and the loss that a noisy measure of the truth cannot mislead."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import DAYS_PER_YEAR, FloatArray, checked_vector
from .errors import SampleError


@dataclass(frozen=True, slots=True)
class VarianceRecord:
    """Forecasts of a daily variance beside what came."""

    n_periods: int
    forecast_vol: float
    """Annual, from the mean of the forecast variances."""
    realized_vol: float
    """Annual, from the mean of the realized variances."""
    bias: float
    """Mean of realized over forecast variance; 1 is right, 2 means twice the variance that was promised."""
    qlike: float
    """Mean of x - ln x - 1 with x = realized / forecast: 0 is perfect, and too low a forecast costs most."""


def judge_variances(forecast: FloatArray, realized: FloatArray) -> VarianceRecord:
    """The record of forecast daily variances against realized ones of the same periods.

    Parameters
    ----------
    forecast, realized : (n_periods,) daily variances, squared fractions, above 0

    Raises
    ------
    ShapeError : lengths that differ
    SampleError : no periods, a NaN or an infinity, or a variance that is not above 0

    Source: Patton (2011), J. of Econometrics 160, QLIKE in the form with its least value at 0.
    """
    promised = checked_vector(forecast, name="forecast")
    came = checked_vector(realized, name="realized", length=len(promised))
    for name, values in (("forecast", promised), ("realized", came)):
        if values.min() <= 0.0:
            raise SampleError(f"{name}: the lowest variance is {values.min():.3e}, expected above zero")
    ratio = came / promised
    return VarianceRecord(
        n_periods=len(promised),
        forecast_vol=math.sqrt(float(promised.mean()) * DAYS_PER_YEAR),
        realized_vol=math.sqrt(float(came.mean()) * DAYS_PER_YEAR),
        bias=float(ratio.mean()),
        qlike=float((ratio - np.log(ratio) - 1.0).mean()),
    )
