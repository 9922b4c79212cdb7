"""A million tomorrows of a book, with and without a put on the index: simulated tails and how sure they are."""

from collections.abc import Callable, Mapping

import numpy as np

from ..quant.black_scholes import price
from ..quant.covariance import sample_cov
from ..quant.errors import QuantError
from ..quant.hedging import min_variance_hedge
from ..quant.var import normal_es, normal_var
from ..quant.var_models import fit_student_t
from ..quant.var_simulation import simulated_tail
from .hedges import OTM_FRAC, VOL_FLOOR, YEARS
from .ledger import Ledger, figure
from .long_history import LongHistory, long_history
from .scene import WINDOW_DAYS, FloatArray, Scene

SEED = 19_980_817
BATCHES = 10
PATHS_PER_BATCH = 100_000
LEAST_DOF = 2.1

Reprice = Callable[[FloatArray], FloatArray]


def simulated_book(
    ledger: Ledger, scene: Scene, weights: Mapping[str, float], level: float
) -> tuple[str, dict[str, object]]:
    """One-day VaR and ES of a million joint draws of all names and the index, in ten batches that tell the error.

    Normal draws stand beside their exact answer, as proof. The t has the book's own degrees of freedom. The put is
    three months long on the book's index part, priced again on every path at an unchanged volatility.
    """
    long = long_history(scene, weights)
    output: dict[str, object]
    try:
        output = _simulated(long, level)
    except QuantError as error:
        output = {"refused": error.message}
    inputs = {"weights": dict(weights), "level": level, "seed": SEED, "paths": BATCHES * PATHS_PER_BATCH}
    return ledger.record("simulated_book", 1, "fraction of equity", inputs, output).id, output


def _simulated(long: LongHistory, level: float) -> dict[str, object]:
    book, market = long.book[-WINDOW_DAYS:], long.market[-WINDOW_DAYS:]
    draws = np.column_stack([long.returns[-WINDOW_DAYS:], market])
    mean, cov = draws.mean(axis=0), sample_cov(draws)
    dof = max(fit_student_t(long.book).dof, LEAST_DOF)
    ratio = min_variance_hedge(book, market).ratio
    plain = _linear(long.weights)
    rows: dict[str, object] = {
        "normal": _batches(plain, mean, cov, level, None),
        "student t": _batches(plain, mean, cov, level, dof),
    }
    if ratio > 0.0:
        vol = max(float(market.std(ddof=1) * np.sqrt(252.0)), VOL_FLOOR)
        rows["student t, with an index put"] = _batches(_with_put(long.weights, ratio, vol), mean, cov, level, dof)
    center, spread = float(book.mean()), float(book.std(ddof=1))
    return {
        "paths": BATCHES * PATHS_PER_BATCH,
        "degrees_of_freedom": figure(dof),
        "exact_normal": {
            "var": figure(normal_var(center, spread, level)),
            "es": figure(normal_es(center, spread, level)),
        },
        "rows": rows,
    }


def _batches(reprice: Reprice, mean: FloatArray, cov: FloatArray, level: float, dof: float | None) -> dict[str, float]:
    """The mean of the batches' tails, and its standard error from how far the batches lie apart."""
    tails = [
        simulated_tail(reprice, mean, cov, rng, level=level, n_paths=PATHS_PER_BATCH, dof=dof)
        for rng in np.random.default_rng(SEED).spawn(BATCHES)
    ]
    found: dict[str, float] = {}
    for name, values in (("var", [tail.var for tail in tails]), ("es", [tail.es for tail in tails])):
        found[name] = figure(float(np.mean(values)))
        found[f"{name}_error"] = figure(float(np.std(values, ddof=1) / np.sqrt(BATCHES)))
    return found


def _linear(weights: FloatArray) -> Reprice:
    return lambda moves: moves[:, :-1] @ weights


def _with_put(weights: FloatArray, ratio: float, vol: float) -> Reprice:
    """The book and a put on `ratio` of the index; the index is the last column of the draws."""
    strike, later = 1.0 - OTM_FRAC, YEARS - 1.0 / 252.0
    paid = float(price("put", 1.0, strike, YEARS, 0.0, vol))

    def worth(moves: FloatArray) -> FloatArray:
        levels = np.maximum(1.0 + moves[:, -1], 1e-6)
        return moves[:, :-1] @ weights + ratio * (price("put", levels, strike, later, 0.0, vol) - paid)

    return worth
