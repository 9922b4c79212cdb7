"""Covariance estimates side by side: how well they are conditioned, and what their promises of variance were worth."""

from collections.abc import Callable, Mapping

import numpy as np

from ..quant.arrays import DAYS_PER_YEAR
from ..quant.covariance import ewma_cov, sample_cov, shrunk_cov
from ..quant.errors import QuantError
from ..quant.factor_models import statistical_factors
from ..quant.frontier import min_variance
from ..quant.shrinkage import (
    constant_correlation_cov,
    denoised_cov,
    fitted_factor_cov,
    ledoit_wolf_cov,
    oas_cov,
    rank_cov,
)
from ..quant.variance_forecasts import judge_variances
from .estimators import market_series
from .ledger import Ledger, figure
from .scene import WINDOW_DAYS, FloatArray, Scene
from .window import Window

COMPONENTS = 3
HOLD_DAYS = 21
TRIAL_DAYS = 756
MIN_PERIODS = 6
"""Months below which a record of forecasts is not worth printing."""

ESTIMATES: Mapping[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "shrunk": lambda returns, market: shrunk_cov(returns),
    "sample": lambda returns, market: sample_cov(returns),
    "ledoit-wolf identity": lambda returns, market: ledoit_wolf_cov(returns)[0],
    "ledoit-wolf correlation": lambda returns, market: constant_correlation_cov(returns)[0],
    "oracle approximating": lambda returns, market: oas_cov(returns)[0],
    "exponential": lambda returns, market: ewma_cov(returns),
    "denoised": lambda returns, market: denoised_cov(returns)[0],
    "ranks": lambda returns, market: rank_cov(returns),
    "market factor": lambda returns, market: fitted_factor_cov(returns, market[:, None]),
    "leading components": lambda returns, market: statistical_factors(returns, min(COMPONENTS, returns.shape[1]))[
        0
    ].cov(),
}
"""Each from a year of returns and the market's returns on the same days; the desk's own is the first."""


def covariance_estimates(ledger: Ledger, scene: Scene, window: Window) -> tuple[str, dict[str, dict[str, object]]]:
    """Condition and forecast of every estimate now, and its record: the least-variance book it led to each month.

    The book is long only with the window's cap on a name and no other limit. Its variance is forecast at a close
    and realized over the 21 days after, for as many of the last 36 periods as every name has a year before.
    """
    returns, market = _history(scene, window)
    upper = window.max_name_frac
    now = returns[-WINDOW_DAYS:], market[-WINDOW_DAYS:]
    starts = range(len(returns) - HOLD_DAYS, WINDOW_DAYS - 1, -HOLD_DAYS)
    output = {}
    for name, estimate in ESTIMATES.items():
        try:
            cov = estimate(*now)
            row = _described(cov, upper) | _record(estimate, returns, market, sorted(starts), upper)
        except QuantError as error:
            row = {"refused": error.message}
        output[name] = row
    inputs = {"names": list(window.symbols), "days": len(returns), "hold_days": HOLD_DAYS, "max_name_frac": upper}
    return ledger.record("covariance_estimates", 1, "fraction a year", inputs, output).id, output


def _history(scene: Scene, window: Window) -> tuple[FloatArray, FloatArray]:
    """Returns of the window's names and the market over the trial and the year before; the window where gaps end it."""
    columns = [scene.view.symbols.index(symbol) for symbol in window.symbols]
    closes = scene.view.close[-(TRIAL_DAYS + WINDOW_DAYS + 1) :, columns]
    broken = np.flatnonzero(~np.isfinite(closes).all(axis=1))
    closes = closes[broken[-1] + 1 :] if len(broken) else closes
    if len(closes) <= WINDOW_DAYS:
        return window.returns, scene.market_returns
    return closes[1:] / closes[:-1] - 1.0, market_series(scene.view, len(closes) - 1)


def _described(cov: FloatArray, upper: float) -> dict[str, object]:
    values = np.linalg.eigvalsh(cov)
    vol = np.sqrt(np.diag(cov))
    correlation = cov / np.outer(vol, vol)
    n_names = len(cov)
    weights = min_variance(cov, upper=upper)
    condition = float(values[-1] / values[0]) if values[0] > 1e-14 * values[-1] else None
    return {
        "condition": None if condition is None else figure(condition),
        "mean_correlation": figure((float(correlation.sum()) - n_names) / (n_names * (n_names - 1))),
        "forecast_now": figure(float(np.sqrt(weights @ cov @ weights * DAYS_PER_YEAR))),
        "effective_names": figure(1.0 / float(np.square(weights).sum())),
    }


def _record(
    estimate: Callable[[FloatArray, FloatArray], FloatArray],
    returns: FloatArray,
    market: FloatArray,
    starts: list[int],
    upper: float,
) -> dict[str, object]:
    """Forecast against realized variance of the book that each close's estimate led to."""
    if len(starts) < MIN_PERIODS:
        return {"no_record": f"{len(starts)} months are left after the first year, a record needs {MIN_PERIODS}"}
    forecast, realized = [], []
    for start in starts:
        past = slice(start - WINDOW_DAYS, start)
        cov = estimate(returns[past], market[past])
        weights = min_variance(cov, upper=upper)
        forecast.append(float(weights @ cov @ weights))
        # Around zero, as a month says nothing about a mean: the forecast is of the mean square too.
        realized.append(float(np.square(returns[start : start + HOLD_DAYS] @ weights).mean()))
    record = judge_variances(np.array(forecast), np.array(realized))
    return {
        "periods": record.n_periods,
        "forecast": figure(record.forecast_vol),
        "realized": figure(record.realized_vol),
        "bias": figure(record.bias),
        "qlike": figure(record.qlike),
    }
