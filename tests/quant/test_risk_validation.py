"""The rolling record of the tail models: no look-ahead, the stand-alone figures, and sane verdicts on known worlds."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.filtered_history import filtered_loss_var, filtered_var, rescaled_returns
from parley.quant.risk_validation import judge_forecasts, validate_risk_models
from parley.quant.tail_forecasts import WARMUP_DAYS, TailForecasts, TailModel, forecast_tail
from parley.quant.var import expected_shortfall, historical_var
from parley.quant.var_backtests import Zone
from parley.quant.var_models import cornish_fisher_of_sample, filtered_historical_tail, fit_student_t, student_t_tail
from parley.quant.volatility import ewma_path, fit_garch, garch_path

WINDOW = 250
FIRST = WINDOW + WARMUP_DAYS


@pytest.fixture(scope="module")
def history() -> np.ndarray:
    """700 days with moving volatility and t(6) surprises, mild enough for Cornish-Fisher's domain."""
    rng = np.random.default_rng(1)
    vol = 0.01 * np.exp(0.15 * np.sin(np.arange(700) / 40.0))
    return vol * rng.standard_t(8, 700)


@pytest.mark.parametrize("model", list(TailModel))
def test_changing_the_future_moves_no_forecast_made_before_it(model: TailModel, history: np.ndarray) -> None:
    cut = FIRST + 60
    changed = history.copy()
    changed[cut:] = -3.0 * changed[cut:][::-1]

    before, after = (forecast_tail(x, model, window_days=WINDOW) for x in (history, changed))

    upto = cut - FIRST + 1
    np.testing.assert_array_equal(before.var[:upto], after.var[:upto])
    np.testing.assert_array_equal(before.es[:upto], after.es[:upto])
    assert not np.array_equal(before.var[upto:], after.var[upto:], equal_nan=True)


@pytest.mark.parametrize("day", [FIRST, FIRST + 30, 699])
def test_forecasts_are_the_stand_alone_figures_of_the_window_before(day: int, history: np.ndarray) -> None:
    window, at = history[day - WINDOW : day], day - FIRST
    found = {model: forecast_tail(history, model, window_days=WINDOW) for model in TailModel}
    vols = ewma_path(history)
    filtered = [
        filtered_historical_tail(window, vols[day - WINDOW - 1 : day - 1], vols[day - 1], level)
        for level in (0.99, 0.975)
    ]
    fit = fit_student_t(window)

    assert found[TailModel.HISTORICAL].var[at] == pytest.approx(historical_var(window, 0.99), rel=1e-12)
    assert found[TailModel.HISTORICAL].es[at] == pytest.approx(expected_shortfall(window, 0.975), rel=1e-12)
    assert found[TailModel.FILTERED_HISTORICAL].var[at] == pytest.approx(filtered[0].var, rel=1e-12)
    assert found[TailModel.FILTERED_HISTORICAL].es[at] == pytest.approx(filtered[1].es, rel=1e-12)
    assert found[TailModel.NORMAL_EWMA].var[at] == pytest.approx(2.3263478740 * vols[day - 1], rel=1e-9)
    assert found[TailModel.STUDENT_T].es[at] == pytest.approx(
        student_t_tail(fit.location, fit.scale, fit.dof, 0.975).es, rel=1e-5
    )
    if math.isfinite(found[TailModel.CORNISH_FISHER].var[at]):
        assert found[TailModel.CORNISH_FISHER].var[at] == pytest.approx(
            cornish_fisher_of_sample(window, 0.99).var, rel=1e-10
        )


@pytest.mark.parametrize("day", [FIRST, 699])
def test_rescaled_forecasts_are_those_of_the_names_in_the_window_before(day: int, history: np.ndarray) -> None:
    rng = np.random.default_rng(4)
    returns = history[:, None] + rng.normal(0.0, 0.005, (700, 3))
    weights = np.array([0.5, -0.2, 0.4])
    parts, window = returns * weights, returns[day - WINDOW : day]

    netted, losses = (
        forecast_tail(parts.sum(axis=1), model, window_days=WINDOW, parts=np.column_stack([parts, np.zeros(700)]))
        for model in (TailModel.RESCALED, TailModel.RESCALED_LOSSES)
    )

    at = day - FIRST
    assert netted.var[at] == pytest.approx(filtered_var(weights, window, 0.99), rel=1e-12)
    assert losses.var[at] == pytest.approx(filtered_loss_var(weights, window, 0.99), rel=1e-12)
    rows = rescaled_returns(window) @ weights
    assert netted.es[at] == pytest.approx(expected_shortfall(rows, 0.975), rel=1e-12)
    assert (losses.var >= netted.var).all() and (losses.es >= netted.es).all()


def test_garch_forecast_of_the_first_window_is_the_fitted_models_own(history: np.ndarray) -> None:
    window = history[WARMUP_DAYS:FIRST]
    fit = fit_garch(window)
    assert fit.dof is not None
    scale = math.sqrt((fit.dof - 2.0) / fit.dof)

    found = forecast_tail(history, TailModel.GARCH_T, window_days=WINDOW)

    for days_on in (0, 5, 20):
        ahead = garch_path(fit, history[WARMUP_DAYS : FIRST + days_on])[-1]
        wanted = student_t_tail(fit.mean, ahead * scale, fit.dof, 0.99).var
        assert found.var[days_on] == pytest.approx(wanted, rel=1e-10)


def test_a_model_that_knows_the_law_is_kept_and_one_at_half_size_is_not() -> None:
    x = np.random.default_rng(2).normal(0.0, 0.01, 1_250)
    flat = np.ones(1_000)
    right = TailForecasts(TailModel.NORMAL_EWMA, 250, 0.023263 * flat, 0.0195996 * flat, 0.0233780 * flat)
    half = TailForecasts(TailModel.NORMAL_EWMA, 250, 0.011632 * flat, 0.0097998 * flat, 0.0116890 * flat)

    kept, refused = (judge_forecasts(forecasts, x, np.random.default_rng(3)) for forecasts in (right, half))

    assert kept.kupiec_p > 0.05
    assert kept.coverage_p > 0.01
    assert kept.z2_p > 0.05
    assert refused.kupiec_p < 1e-6
    assert refused.last_year_zone is Zone.RED
    assert refused.z2_p < 0.001
    assert kept.quantile_loss < refused.quantile_loss


def test_records_count_the_days_that_a_model_refused(history: np.ndarray) -> None:
    forecasts = forecast_tail(history, TailModel.HISTORICAL, window_days=WINDOW)
    var = forecasts.var.copy()
    var[:40] = np.nan

    record = judge_forecasts(
        TailForecasts(forecasts.model, FIRST, var, forecasts.es_var, forecasts.es), history, np.random.default_rng(4)
    )

    assert record.n_refused == 40
    assert record.n_days == len(history) - FIRST - 40
    assert record.expected_exceptions == pytest.approx(0.01 * record.n_days)


def test_the_table_is_the_same_to_the_byte_and_has_a_row_a_model(history: np.ndarray) -> None:
    returns, weights = np.column_stack([history, np.roll(history, 7)]), np.array([0.5, 0.5])
    models = (TailModel.HISTORICAL, TailModel.NORMAL_EWMA, TailModel.STUDENT_T)

    tables = [
        validate_risk_models(weights, returns, np.random.default_rng(5), models=models, window_days=WINDOW)
        for _ in range(2)
    ]

    assert tables[0] == tables[1]
    assert [row.model for row in tables[0]] == list(models)


def test_on_recorded_prices_filtering_beats_plain_history(recorded_data: Path) -> None:
    pandas = pytest.importorskip("pandas")
    bars = pandas.read_parquet(recorded_data / "daily" / "etf_equity_daily_1998_2018.parquet")
    prices = bars.pivot(index="date", columns="symbol", values="adj_close")[["AAPL", "BAC", "IBM", "SPY"]].dropna()
    returns = prices.pct_change().dropna().to_numpy()[-2_500:]
    models = (TailModel.HISTORICAL, TailModel.FILTERED_HISTORICAL)

    plain, filtered = validate_risk_models(np.full(4, 0.25), returns, np.random.default_rng(6), models=models)

    assert plain.n_days == filtered.n_days == len(returns) - 500 - WARMUP_DAYS
    assert filtered.quantile_loss < plain.quantile_loss
    assert filtered.coverage_p > plain.coverage_p


def test_bad_requests_are_refused(history: np.ndarray) -> None:
    with pytest.raises(SampleError, match="rows"):
        forecast_tail(history[:300], TailModel.HISTORICAL, window_days=WINDOW)
    with pytest.raises(ParameterError, match="window_days"):
        forecast_tail(history, TailModel.GARCH_T, window_days=120)
    with pytest.raises(ParameterError, match="at least 121 for rescaled"):
        forecast_tail(history, TailModel.RESCALED, window_days=120)
    with pytest.raises(ShapeError, match="699 days"):
        forecast_tail(history, TailModel.RESCALED, window_days=WINDOW, parts=np.ones((699, 2)))
    with pytest.raises(ParameterError, match="var_level"):
        forecast_tail(history, TailModel.HISTORICAL, var_level=1.0)
    with pytest.raises(SampleError, match="never moves"):
        forecast_tail(np.zeros(400), TailModel.HISTORICAL, window_days=WINDOW)
    with pytest.raises(ShapeError, match="weights"):
        validate_risk_models(np.ones(3), np.column_stack([history] * 2), np.random.default_rng(7), window_days=WINDOW)
    with pytest.raises(SampleError, match="forecasts"):
        nothing = np.full(700 - FIRST, np.nan)
        judge_forecasts(
            TailForecasts(TailModel.CORNISH_FISHER, FIRST, nothing, nothing, nothing), history, np.random.default_rng(8)
        )
