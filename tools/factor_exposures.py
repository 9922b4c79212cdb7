"""How far each book leans on the market and on common factors: from a file of factor returns, or from the names."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..domain.canonical import content_hash
from ..quant.characteristics import CHARACTERISTICS, MOMENTUM_DAYS, characteristic_factors
from ..quant.errors import QuantError
from ..quant.factor_models import FactorModel, decompose_risk, fit_factor_model
from ..quant.factors import fit_factors
from .attribution import FactorTable
from .errors import NotEnoughData
from .estimators import market_series
from .ledger import Ledger, figure, figures
from .scene import WINDOW_DAYS, FloatArray, Scene
from .window import Window

MIN_DAYS = 126
"""Shared days below which an exposure says too little."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """Names, factors and cash on the same days."""

    returns: FloatArray
    factors: FloatArray
    names: tuple[str, ...]
    first_day: str
    last_day: str
    source: str


def factor_exposures(
    ledger: Ledger,
    scene: Scene,
    window: Window,
    books: Mapping[str, Mapping[str, float]],
    factors: FactorTable | None = None,
) -> tuple[str, dict[str, object]]:
    """Betas of each book on the factors with their t statistics, and which shares of its variance they carry.

    Without a file the factors are the market, and momentum, volatility and beta built from the names themselves,
    each bought high against low; size and value cannot be built from prices and need a file.
    """
    output: dict[str, object]
    data: object = list(CHARACTERISTICS)
    try:
        sample = _from_names(scene, window) if factors is None else _from_file(scene, window, factors)
        if factors is not None:
            data = content_hash([list(sample.names), sample.factors.tolist(), sample.returns.tolist()])
        model = fit_factor_model(sample.returns, sample.factors, sample.names)
        output = {
            "source": sample.source,
            "factors": list(sample.names),
            "first_day": sample.first_day,
            "last_day": sample.last_day,
            "days": len(sample.returns),
            "books": {name: _exposed(sample, model, window, weights) for name, weights in books.items()},
        }
    except (QuantError, NotEnoughData) as error:
        output = {"refused": error.message}
    inputs = {
        "names": list(window.symbols),
        "books": {name: dict(weights) for name, weights in books.items()},
        "factors": data,
        "file": None if factors is None else factors.source,
    }
    return ledger.record("factor_exposures", 1, "return per unit of factor", inputs, output).id, output


def _exposed(sample: _Sample, model: FactorModel, window: Window, weights: Mapping[str, float]) -> dict[str, object]:
    vector = np.array([weights.get(symbol, 0.0) for symbol in window.symbols])
    try:
        fit = fit_factors(sample.returns @ vector, sample.factors, sample.names)
    except QuantError as error:
        return {"refused": error.message}
    risk = decompose_risk(vector, model)
    return {
        "betas": figures(fit.names, fit.betas.tolist()),
        "t": figures(fit.names, fit.beta_t.tolist()),
        "r_squared": figure(fit.r_squared),
        "alpha_annual": figure(fit.alpha * WINDOW_DAYS),
        "alpha_t": figure(fit.alpha_t),
        "shares": figures(fit.names, (risk.by_factor / risk.total).tolist()),
        "own_share": figure(risk.specific / risk.total),
    }


def _from_names(scene: Scene, window: Window) -> _Sample:
    columns = [scene.view.symbols.index(symbol) for symbol in window.symbols]
    closes = scene.view.close[-(WINDOW_DAYS + MOMENTUM_DAYS + 1) :, columns]
    broken = np.flatnonzero(~np.isfinite(closes).all(axis=1))
    closes = closes[broken[-1] + 1 :] if len(broken) else closes
    n_days = len(closes) - 1 - MOMENTUM_DAYS
    if n_days < MIN_DAYS:
        raise NotEnoughData(
            f"{max(len(closes) - 1, 0)} whole days, factors from the names need {MOMENTUM_DAYS + MIN_DAYS}",
            remedy="Choose a later --as-of, or give a file with --factors.",
        )
    returns = closes[1:] / closes[:-1] - 1.0
    market = market_series(scene.view, len(returns))
    built = characteristic_factors(returns, market)
    days = scene.view.sessions[-len(built) :]
    return _Sample(
        returns=returns[-len(built) :],
        factors=np.column_stack([market[-len(built) :], built]),
        names=("market", *CHARACTERISTICS),
        first_day=str(days[0]),
        last_day=str(days[-1]),
        source="built from the names of the data set",
    )


def _from_file(scene: Scene, window: Window, table: FactorTable) -> _Sample:
    """The days of the window that the file knows; nothing of it after the scene's close is looked at."""
    days = scene.view.sessions[-len(window.returns) :]
    _, own, rows = np.intersect1d(days, table.days, assume_unique=True, return_indices=True)
    columns = {name: values[rows] for name, values in table.columns.items() if np.isfinite(values[rows]).all()}
    if len(own) < MIN_DAYS or not columns:
        found = (
            f"{len(own)} days of the window are in {table.source}" if columns else f"{table.source} has no factor then"
        )
        raise NotEnoughData(f"{found}, exposures need {MIN_DAYS}", remedy="Choose an --as-of within the file.")
    cash = np.zeros(len(own)) if table.cash is None else table.cash[rows]
    return _Sample(
        returns=window.returns[own] - cash[:, None],
        factors=np.column_stack(list(columns.values())),
        names=tuple(columns),
        first_day=str(days[own[0]]),
        last_day=str(days[own[-1]]),
        source=table.source,
    )
