"""The analyst's tools: indicators, scores with their calibration, and the market's regime."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..domain.views import Regime
from ..quant.arrays import DAYS_PER_YEAR
from ..quant.calibration import HORIZON_DAYS, MIN_NAMES, Outlook, outlook
from ..quant.errors import SampleError
from ..quant.indicators import technical_table
from ..quant.scores import HISTORY_DAYS, SCORE_NAMES, ScoreTable, score_table
from .errors import NotEnoughData
from .estimators import Estimators, market_series
from .ledger import Ledger, figure, figures
from .scene import FloatArray, Scene

Rows = Mapping[str, Mapping[str, float]]


def technical_indicators(ledger: Ledger, scene: Scene) -> tuple[str, Rows]:
    """TA-Lib indicators of every tradable name at the last close; those its data cannot support are absent."""
    rows = scene.once("technical_indicators", lambda: _indicator_rows(scene))
    return ledger.record("technical_indicators", 1, "as named", {"days": len(scene.closes)}, rows).id, rows


def _indicator_rows(scene: Scene) -> Rows:
    columns = list(scene.tradable)
    window = slice(-len(scene.closes), None)
    arrays = {
        name: None if array is None else array[window][:, columns]
        for name, array in (("high", scene.view.high), ("low", scene.view.low), ("volume", scene.view.volume))
    }
    # A gap in high, low or volume would poison the smoothed indicators; the closes have theirs carried.
    is_whole = all(array is None or not np.isnan(array).any() for array in arrays.values())
    table = technical_table(scene.closes[:, columns], **(arrays if is_whole else {}))
    return {
        symbol: {name: figure(float(values[place])) for name, values in table.items() if np.isfinite(values[place])}
        for place, symbol in enumerate(scene.symbols)
    }


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of one close as rows for people and models, and as arrays for the optimizer."""

    rows: Rows
    outlook: Outlook
    output: Mapping[str, object]
    n_days: int


def scores(ledger: Ledger, scene: Scene, estimators: Estimators) -> tuple[str, Scored]:
    """Cross-sectional scores, and the expected residual return and confidence their own record allows."""
    scored = scene.once("scores", lambda: _scored(scene, estimators))
    inputs = {"days": scored.n_days, "scores": list(SCORE_NAMES)}
    return ledger.record("scores", 1, "z and fractions", inputs, scored.output).id, scored


def _scored(scene: Scene, estimators: Estimators) -> Scored:
    columns = list(scene.tradable)
    if scene.view.interval is not None:
        raise NotEnoughData(
            "cross-sectional scores are calibrated on daily closes, and these are bars within the day",
            remedy="Run the desk on daily data for scores.",
        )
    if len(columns) < MIN_NAMES:
        raise NotEnoughData(
            f"{len(columns)} tradable names, cross-sectional scores need {MIN_NAMES}", remedy="Use a larger universe."
        )
    returns = _long_returns(scene, columns)
    try:
        table = score_table(returns, market_series(scene.view, len(returns)))
        view = outlook(estimators.calibration(scene.view), table)
    except SampleError as error:
        raise NotEnoughData(f"no scores: {error.message}", remedy=error.remedy) from error
    rows = {symbol: _score_row(table, view, place) for place, symbol in enumerate(scene.symbols)}
    output = {
        "horizon_days": HORIZON_DAYS,
        "weeks": view.n_weeks,
        "ic": figure(view.ic),
        "t_stat": figure(view.t_stat),
        "ic_by_score": figures(SCORE_NAMES, view.ic_by_score.tolist()),
        "names": rows,
    }
    return Scored(rows, view, output, len(returns))


def _long_returns(scene: Scene, columns: list[int]) -> FloatArray:
    """(252 to 504, n_tradable) returns: as much of two years as every name has without a gap."""
    closes = scene.view.close[-(HISTORY_DAYS + 1) :, columns]
    broken = np.flatnonzero(~np.isfinite(closes).all(axis=1))
    closes = closes[broken[-1] + 1 :] if len(broken) else closes
    if len(closes) < len(scene.closes):
        return scene.returns
    return closes[1:] / closes[:-1] - 1.0


def _score_row(table: ScoreTable, view: Outlook, place: int) -> dict[str, float]:
    row = {name: figure(float(table.z[index, place])) for index, name in enumerate(SCORE_NAMES)}
    return row | {
        "trend_raw": figure(float(table.raw_of("trend")[place])),
        "composite": figure(float(view.score[place])),
        "expected_return": figure(float(view.expected_residual_return[place])),
        "confidence": figure(float(view.confidence[place])),
        "residual_vol_horizon": figure(float(table.residual_vol[place]) * HORIZON_DAYS**0.5),
        "beta": figure(float(table.beta[place])),
    }


def technical_score(row: Mapping[str, float]) -> float:
    """Trend and five-day reversal in equal parts, each within -1 and 1."""
    return round((row["trend_raw"] + row["rev5"] / 3.0) / 2.0, 10)


def regime(ledger: Ledger, scene: Scene, estimators: Estimators) -> tuple[str, Regime]:
    """The most likely volatility regime by a causal filter; UNKNOWN when there are too few years to fit."""
    reading = estimators.regime(scene.view)
    if reading is None:
        evidence = ledger.record("regime", 1, "probability", {}, {"label": Regime.UNKNOWN.value})
        return evidence.id, Regime.UNKNOWN
    labels = reading.model.labels
    label = Regime(labels[int(np.argmax(reading.probabilities))])
    output = {
        "label": label.value,
        "probability": figures(labels, reading.probabilities.tolist()),
        "annual_vol": figures(labels, (reading.model.vol * np.sqrt(DAYS_PER_YEAR)).tolist()),
        "fitted_days": reading.fitted_days,
    }
    return ledger.record("regime", 1, "probability", {"refit": "each January"}, output).id, label
