"""How much of each name to hold by every sizing rule: Kelly, volatility target, range units, and the desk's own."""

from dataclasses import asdict

import numpy as np

from ..quant.arrays import DAYS_PER_YEAR
from ..quant.calibration import HORIZON_DAYS, shrunk_ic
from ..quant.covariance import ewma_vol
from ..quant.errors import QuantError
from ..quant.policy import exposure, reference_book
from ..quant.sizing import (
    Caps,
    atr_quantity,
    capped_weights,
    growth_rate,
    kelly_from_outcomes,
    kelly_weights,
    sized_book,
    vol_target_weight,
)
from .errors import NotEnoughData
from .estimators import Estimators
from .ledger import Ledger, figure, figures
from .market import scores, technical_indicators
from .scene import FloatArray, Scene
from .window import Window

KELLY_FRACTION = 0.5
"""Half of full Kelly: three quarters of the growth at half of the swings, if the expectation were right."""
RISK_FRAC = 0.0025
"""Equity lost in one name when its stop is hit."""
STOP_RANGES = 2.0
LADDER = (0.0, 0.02, 0.04, 0.06, 0.08)
"""Drawdowns at which the throttle is shown."""


def position_sizes(
    ledger: Ledger, scene: Scene, window: Window, estimators: Estimators
) -> tuple[str, dict[str, object]]:
    """Weights of every name by every rule under the same caps, with what each book would risk and grow.

    `kelly_sample` believes the year's own mean, which is mostly noise; `kelly_calibrated` and `kelly_joint` believe
    only the expected residual return that the scores' record allows, alone and with the covariance. Growth is
    measured by that calibrated expectation for every rule alike.
    """
    caps = Caps(window.max_name_frac, scene.policy.max_gross)
    output: dict[str, object]
    try:
        output = _sized(ledger, scene, window, estimators, caps)
    except (QuantError, NotEnoughData) as error:
        output = {"refused": error.message}
    inputs = {
        "names": list(window.symbols),
        "kelly_fraction": KELLY_FRACTION,
        "risk_frac": RISK_FRAC,
        "stop_ranges": STOP_RANGES,
        "caps": asdict(caps),
        "equity": str(scene.equity),
        "peak_equity": str(scene.peak_equity),
        "policy": asdict(scene.policy),
    }
    return ledger.record("position_sizes", 1, "fraction of equity", inputs, output).id, output


def _sized(ledger: Ledger, scene: Scene, window: Window, estimators: Estimators, caps: Caps) -> dict[str, object]:
    expected, calibration = _calibrated(ledger, scene, window, estimators)
    ranges, is_assumed = _ranges(ledger, scene, window)
    prices = np.array([float(scene.prices[symbol]) for symbol in window.symbols])
    book = reference_book(window.returns, window.classes)
    equity, peak = float(scene.equity), float(scene.peak_equity)
    desk = sized_book(book, window.returns, equity=equity, peak=peak, caps=caps, vix=scene.vix, params=scene.policy)
    rules = {
        "kelly_sample": _kelly_sample(window, caps),
        "kelly_calibrated": capped_weights(KELLY_FRACTION * expected / np.diag(window.cov), caps),
        "kelly_joint": kelly_weights(expected, window.cov, fraction=KELLY_FRACTION, caps=caps),
        "vol_target": _vol_target(scene, window, caps),
        "range_unit": _range_units(scene, prices, ranges, caps),
        "desk": desk.weights,
    }
    return {
        "rules": {name: _book_row(window, weights, expected) for name, weights in rules.items()},
        "weights": {name: figures(window.symbols, weights.tolist()) for name, weights in rules.items()},
        "expected_annual": figures(window.symbols, (expected * DAYS_PER_YEAR).tolist()),
        "calibration": calibration,
        "range_from_closes": is_assumed,
        "exposure": {name: figure(value) for name, value in asdict(desk.exposure).items()},
        "is_capped": desk.is_capped,
        "throttle": [_throttle_row(scene, book, window.returns, drawdown) for drawdown in LADDER],
    }


def _calibrated(
    ledger: Ledger, scene: Scene, window: Window, estimators: Estimators
) -> tuple[FloatArray, dict[str, object]]:
    """Daily expected residual return of each name, and how far its record was shrunk on the way; zero without one."""
    if window.opinion is None:
        return np.zeros(len(window.symbols)), {"refused": window.no_opinion}
    outlook = scores(ledger, scene, estimators)[1].outlook
    record = estimators.calibration(scene.view).composite_ics
    if not len(record):
        return window.opinion.residual_return / HORIZON_DAYS, {"refused": "no week of the scores has been judged yet"}
    return window.opinion.residual_return / HORIZON_DAYS, {
        "weeks": outlook.n_weeks,
        "ic_raw": figure(float(record.mean())),
        "ic_shrunk": figure(float(shrunk_ic(record[:, None])[0])),
        "t_stat": figure(outlook.t_stat),
        "gate_is_open": window.opinion.is_open,
    }


def _kelly_sample(window: Window, caps: Caps) -> FloatArray:
    """Half of the growth-optimal stake over each name's own year; a name that only rose says nothing about size."""
    stakes = []
    for column in window.returns.T:
        try:
            stakes.append(kelly_from_outcomes(column, fraction=KELLY_FRACTION, cap=caps.max_weight))
        except QuantError:
            stakes.append(0.0)
    return capped_weights(np.array(stakes), caps)


def _vol_target(scene: Scene, window: Window, caps: Caps) -> FloatArray:
    """An equal part of the book's volatility target to each name, as if all fell together."""
    part = scene.policy.vol_target / len(window.symbols)
    vols = ewma_vol(window.returns) * DAYS_PER_YEAR**0.5
    return capped_weights(np.array([vol_target_weight(part, vol, cap=caps.max_weight) for vol in vols.tolist()]), caps)


def _ranges(ledger: Ledger, scene: Scene, window: Window) -> tuple[FloatArray, bool]:
    """Average true range in price units; from closes alone, which shows less of it, where highs and lows are not."""
    rows = technical_indicators(ledger, scene)[1]
    if all("atr_14" in rows[symbol] for symbol in window.symbols):
        return np.array([rows[symbol]["atr_14"] for symbol in window.symbols]), False
    closes = scene.closes[:, [scene.view.symbols.index(symbol) for symbol in window.symbols]]
    moves = np.abs(np.diff(closes, axis=0))[-14:].mean(axis=0)
    if moves.min() <= 0.0:
        still = window.symbols[int(moves.argmin())]
        raise NotEnoughData(f"{still} did not move in 14 days, so it has no range", remedy="Leave it out.")
    return moves, True


def _range_units(scene: Scene, prices: FloatArray, ranges: FloatArray, caps: Caps) -> FloatArray:
    equity = float(scene.equity)
    units = [
        atr_quantity(
            equity, price, size, risk_frac=RISK_FRAC, stop_atr=STOP_RANGES, max_weight=min(caps.max_weight, 1.0)
        )
        for price, size in zip(prices.tolist(), ranges.tolist(), strict=True)
    ]
    return capped_weights(np.array(units) * prices / equity, caps)


def _book_row(window: Window, weights: FloatArray, expected: FloatArray) -> dict[str, float]:
    variance = max(float(weights @ window.cov @ weights), 0.0)
    return {
        "gross": figure(float(np.abs(weights).sum())),
        "largest": figure(float(np.abs(weights).max())),
        "volatility_annual": figure((variance * DAYS_PER_YEAR) ** 0.5),
        "growth_annual": figure(growth_rate(weights, expected, window.cov) * DAYS_PER_YEAR),
    }


def _throttle_row(scene: Scene, book: FloatArray, returns: FloatArray, drawdown: float) -> dict[str, float]:
    found = exposure(book, returns, scene.vix, 1.0 - drawdown, 1.0, scene.policy)
    return {"drawdown": drawdown, "k_dd": figure(found.k_dd), "multiplier": figure(found.multiplier)}
