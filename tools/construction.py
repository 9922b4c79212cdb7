"""Ways to build a book from the same window, side by side: what each would hold, risk and cost."""

from collections.abc import Callable, Mapping
from dataclasses import asdict

import numpy as np

from ..quant.arrays import DAYS_PER_YEAR
from ..quant.black_litterman import equilibrium, market_posterior, views_from_signals
from ..quant.calibration import HORIZON_DAYS
from ..quant.errors import QuantError
from ..quant.frontier import efficient_frontier, max_sharpe, min_variance
from ..quant.hierarchical import cluster_order, hierarchical_weights
from ..quant.optimizer import maximize_utility
from ..quant.policy import reference_book
from ..quant.risk_parity import risk_budget_weights, risk_shares
from ..quant.robust import box_robust_weights, ellipsoid_radius, ellipsoid_robust_weights
from ..quant.tail_optimizer import min_expected_shortfall
from ..quant.var import annual_volatility, portfolio_var
from .book_costs import traded_cost
from .errors import NotEnoughData
from .ledger import Ledger, figure, figures
from .portfolio import RISK_AVERSION, VIEW_UNCERTAINTY
from .scene import FloatArray, Scene
from .window import Window

TAIL_LEVEL = 0.95
"""Of the shortfall that is minimized: a year then has a dozen days beyond it, not two or three."""
MEAN_CONFIDENCE = 0.95
"""Probability that the true means lie inside the ellipsoid that the robust book is built against."""
BOX_ERRORS = 2.0
"""Standard errors by which the box of means reaches to either side of the sample's."""
FRONTIER_POINTS = 60
"""Evenly spaced in return: with few, a chord near the rich end would run below books that are efficient."""
DUST_FRAC = 1e-6
"""Weights below it are what interior-point solvers leave of a zero: no holding, and no breach of a limit."""
_TILT_DUST = 1e-5


def _reference(window: Window) -> FloatArray:
    return reference_book(window.returns, window.classes)


def _equal(window: Window) -> FloatArray:
    return np.full(len(window.symbols), 1.0 / len(window.symbols))


def _least_variance(window: Window) -> FloatArray:
    return min_variance(window.cov, upper=window.max_name_frac, groups=window.sectors, factors=window.tilts)


def _least_variance_ledoit_wolf(window: Window) -> FloatArray:
    return min_variance(window.ledoit_wolf, upper=window.max_name_frac, groups=window.sectors, factors=window.tilts)


def _highest_sharpe(window: Window) -> FloatArray:
    mean = window.returns.mean(axis=0)
    return max_sharpe(mean, window.cov, upper=window.max_name_frac, groups=window.sectors, factors=window.tilts)


def _least_shortfall(window: Window) -> FloatArray:
    upper = window.max_name_frac
    return min_expected_shortfall(
        window.returns, TAIL_LEVEL, upper=upper, groups=window.sectors, factors=window.tilts
    ).weights


def _robust(window: Window) -> FloatArray:
    """Errors of the means are taken as independent: with their covariance the answer is minimum variance again."""
    n_days, n_names = window.returns.shape
    return ellipsoid_robust_weights(
        window.returns.mean(axis=0),
        window.cov,
        ellipsoid_radius(n_names, n_days, MEAN_CONFIDENCE),
        gamma=RISK_AVERSION,
        mean_cov=np.diag(np.diag(window.cov)),
        upper=window.max_name_frac,
        groups=window.sectors,
        factors=window.tilts,
    ).weights


def _box_robust(window: Window) -> FloatArray:
    """Each mean is wrong by its own two standard errors, all of them at once and against the book."""
    n_days, n_names = window.returns.shape
    error = BOX_ERRORS * window.returns.std(axis=0, ddof=1) / n_days**0.5
    return box_robust_weights(
        window.returns.mean(axis=0),
        error,
        window.cov,
        gamma=RISK_AVERSION,
        lower=np.zeros(n_names),
        upper=np.full(n_names, window.max_name_frac),
        groups=window.sectors,
        factors=window.tilts,
    ).weights


def _black_litterman(window: Window) -> FloatArray:
    """Views on every name with a confidence, around the returns that make the reference book the best one."""
    if window.opinion is None:
        raise NotEnoughData(window.no_opinion, remedy="Without scores there are no views: hold the reference book.")
    n_names = len(window.symbols)
    reference = _reference(window)
    mean, cov = equilibrium(window.cov, reference, RISK_AVERSION), window.cov
    if window.opinion.confidence.any():
        horizons = np.full(n_names, float(HORIZON_DAYS))
        expected = mean * HORIZON_DAYS + window.opinion.residual_return
        views = views_from_signals(expected, window.opinion.confidence, horizons, cov, VIEW_UNCERTAINTY)
        blended = market_posterior(cov, reference, RISK_AVERSION, VIEW_UNCERTAINTY, views.P, views.q, views.omega)
        mean, cov = blended.mean, blended.cov
    upper = np.full(n_names, window.max_name_frac)
    flat = np.zeros(n_names)
    return maximize_utility(
        mean, cov, lower=flat, upper=upper, gamma=RISK_AVERSION, groups=window.sectors, factors=window.tilts
    ).weights


METHODS: Mapping[str, Callable[[Window], FloatArray]] = {
    "reference book": _reference,
    "equal weight": _equal,
    "minimum variance": _least_variance,
    "minimum variance ledoit-wolf": _least_variance_ledoit_wolf,
    "maximum sharpe": _highest_sharpe,
    "equal risk": lambda window: risk_budget_weights(window.cov),
    "hierarchical": lambda window: hierarchical_weights(window.cov),
    "minimum shortfall": _least_shortfall,
    "robust": _robust,
    "robust box": _box_robust,
    "black-litterman": _black_litterman,
}
"""Long-only and fully invested, each a function of one window alone."""


def build_books(ledger: Ledger, scene: Scene, window: Window) -> tuple[str, dict[str, dict[str, object]]]:
    """The book of each method over the scene's tradable names; a method that cannot says why.

    Figures are of the window the weights were built on, so they flatter the methods that fit it hardest:
    minimum variance its volatility, maximum Sharpe its return.
    """
    found = {name: _described(scene, window, method) for name, method in METHODS.items()}
    found["black-litterman"]["note"] = _view_note(window)
    inputs = {
        "days": len(window.returns),
        "names": list(window.symbols),
        "max_name_frac": window.max_name_frac,
        "limits": scene.limits.hash(),
        "asked": asked_inputs(window),
        "equity": str(scene.equity),
        "costs": asdict(scene.costs),
    }
    output = {
        "books": found,
        "ledoit_wolf_intensity": figure(window.intensity),
        "together": [window.symbols[place] for place in cluster_order(window.cov).tolist()],
    }
    return ledger.record("build_books", 2, "fraction of equity", inputs, output).id, found


def frontier(ledger: Ledger, scene: Scene, window: Window) -> tuple[str, list[dict[str, float]]]:
    """Efficient books under the same limits, from the least variance up, by the shrunk covariance and sample means.

    Raises SolverError, naming the limits in conflict, when no fully invested book satisfies them.
    """
    upper, mean = window.max_name_frac, window.returns.mean(axis=0)
    best = efficient_frontier(
        mean, window.cov, FRONTIER_POINTS, upper=upper, groups=window.sectors, factors=window.tilts
    )
    points = [
        {
            "volatility_annual": figure(vol * DAYS_PER_YEAR**0.5),
            "return_annual": figure(at * DAYS_PER_YEAR),
            "largest_weight": figure(float(weights.max())),
            "effective_names": figure(1.0 / float(np.square(weights).sum())),
        }
        for weights, at, vol in zip(best.weights, best.mean.tolist(), best.vol.tolist(), strict=True)
    ]
    inputs = {
        "days": len(window.returns),
        "max_name_frac": upper,
        "limits": scene.limits.hash(),
        "asked": asked_inputs(window),
    }
    return ledger.record("efficient_frontier", 1, "fraction a year", inputs, {"points": points}).id, points


def asked_inputs(window: Window) -> dict[str, object]:
    """The limits of a window, as the inputs of a ledger entry tell them."""
    tilts = window.tilts
    return {
        "sectors": dict(zip(window.sectors.names, window.sectors.upper.tolist(), strict=True)),
        "beta": None if tilts is None else [float(tilts.lower[0]), float(tilts.upper[0])],
    }


def _described(scene: Scene, window: Window, method: Callable[[Window], FloatArray]) -> dict[str, object]:
    try:
        found = method(window)
    except (QuantError, NotEnoughData) as error:
        return {"refused": error.message}
    weights = np.where(found < DUST_FRAC, 0.0, found)
    history = window.returns @ weights
    shares = risk_shares(weights, window.cov)
    sectors = dict(zip(window.sectors.names, (window.sectors.matrix @ weights).tolist(), strict=True))
    return {
        "weights": figures(window.symbols, weights.tolist()),
        "return_annual": figure(float(history.mean()) * DAYS_PER_YEAR),
        "volatility_annual": figure(annual_volatility(history)),
        "volatility_shrunk": figure(_volatility(weights, window.cov)),
        "volatility_ledoit_wolf": figure(_volatility(weights, window.ledoit_wolf)),
        "var_99": figure(portfolio_var(weights, window.returns, 0.99).historical_var),
        "es_975": figure(portfolio_var(weights, window.returns, 0.975).historical_es),
        "largest_weight": figure(float(weights.max())),
        "largest_risk_share": figure(float(shares.max())),
        "effective_names": figure(1.0 / float(np.square(weights).sum())),
        "entry_cost": figure(traded_cost(scene, window, weights)),
        "beta": figure(float(window.betas @ weights)),
        "sectors": {label: figure(weight) for label, weight in sectors.items()},
        "over_limits": _over_limits(window, weights, sectors),
    }


def _volatility(weights: FloatArray, cov: FloatArray) -> float:
    return max(float(weights @ cov @ weights), 0.0) ** 0.5 * DAYS_PER_YEAR**0.5


def _over_limits(window: Window, weights: FloatArray, sectors: Mapping[str, float]) -> list[str]:
    """The limits a book breaks: methods that follow a rule instead of a program do not know them."""
    caps = zip(sectors.items(), window.sectors.upper.tolist(), strict=True)
    names = zip(window.symbols, weights.tolist(), strict=True)
    over = [label for (label, weight), cap in caps if weight > cap + DUST_FRAC]
    over += [symbol for symbol, weight in names if weight > window.max_name_frac + DUST_FRAC]
    tilts = window.tilts
    if tilts is not None:
        found = tilts.loadings @ weights
        outside = (found < tilts.lower - _TILT_DUST) | (found > tilts.upper + _TILT_DUST)
        over += [name for name, is_out in zip(tilts.names, outside.tolist(), strict=True) if is_out]
    return over


def _view_note(window: Window) -> str:
    if window.opinion is None:
        return window.no_opinion
    if not window.opinion.confidence.any():
        return "The scores' record shows no skill, so there is no view: this is the reference book within the limits."
    if window.opinion.is_open:
        return "The calibration gate is open: the desk may tilt its own book this way when it is worth the cost."
    return "The calibration gate is closed: the scores' record is not proven, and the desk would not trade this tilt."
