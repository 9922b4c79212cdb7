"""Ways to build a book from the same window, side by side: what each would hold, risk and cost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from ..quant.arrays import DAYS_PER_YEAR
from ..quant.black_litterman import equilibrium, posterior, views_from_signals
from ..quant.calibration import HORIZON_DAYS, tilt_is_open
from ..quant.covariance import ewma_vol, shrunk_cov
from ..quant.errors import QuantError
from ..quant.frontier import efficient_frontier, max_sharpe, min_variance
from ..quant.hierarchical import hierarchical_weights
from ..quant.impact import expected_cost_frac
from ..quant.optimizer import GroupLimits, maximize_utility
from ..quant.policy import reference_book
from ..quant.risk_parity import risk_budget_weights, risk_shares
from ..quant.robust import ellipsoid_radius, ellipsoid_robust_weights
from ..quant.shrinkage import ledoit_wolf_cov
from ..quant.tail_optimizer import min_expected_shortfall
from ..quant.var import annual_volatility, beta, portfolio_var
from .errors import NotEnoughData
from .estimators import Estimators
from .ledger import Ledger, figure, figures
from .market import scores
from .portfolio import RISK_AVERSION, VIEW_UNCERTAINTY
from .scene import FloatArray, Scene

TAIL_LEVEL = 0.95
"""Of the shortfall that is minimized: a year then has a dozen days beyond it, not two or three."""
MEAN_CONFIDENCE = 0.95
"""Probability that the true means lie inside the ellipsoid that the robust book is built against."""
FRONTIER_POINTS = 60
"""Evenly spaced in return: with few, a chord near the rich end would run below books that are efficient."""
DUST_FRAC = 1e-6
"""Weights below it are what interior-point solvers leave of a zero: no holding, and no breach of a limit."""
_SURE = 0.99


@dataclass(frozen=True, slots=True, eq=False)
class Opinion:
    """What the scores expect of each name over the horizon, and whether their record lets the desk act on it."""

    residual_return: FloatArray
    """(n_names,) beyond the market, over HORIZON_DAYS, as fractions."""
    confidence: FloatArray
    """(n_names,) from 0, no view, to below 1: what the chance of the right sign has beyond a coin's, doubled."""
    is_open: bool


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """What every method builds from: a year of returns, two covariances, the limits, and the scores' opinion."""

    symbols: tuple[str, ...]
    returns: FloatArray
    cov: FloatArray
    """Shrunk: fast volatilities around a slow correlation. Used by every method that does not say otherwise."""
    ledoit_wolf: FloatArray
    intensity: float
    """How far Ledoit and Wolf's estimate was shrunk, 0 to 1."""
    classes: tuple[str, ...]
    max_name_frac: float
    sectors: GroupLimits
    opinion: Opinion | None
    no_opinion: str
    """Why there is none; empty when there is."""


def window_of(ledger: Ledger, scene: Scene, estimators: Estimators, names: Sequence[str] | None = None) -> Window:
    """The window that ends at the scene's close, over `names` or all tradable ones; raises NotEnoughData below two."""
    symbols = tuple(scene.symbols if names is None else names)
    if len(symbols) < 2:
        raise NotEnoughData(
            f"{len(symbols)} tradable name before {scene.view.as_of:%Y-%m-%d}, building a book needs two",
            remedy="Use a data set with more names, or a later --as-of.",
        )
    places = [scene.symbols.index(symbol) for symbol in symbols]
    returns = scene.returns[:, places]
    instruments = [scene.instruments[place] for place in places]
    labels = [f"{item.asset_class.value}/{item.sector}" for item in instruments]
    caps = {
        label: scene.limits.max_sector_weight.of(item.asset_class)
        for label, item in zip(labels, instruments, strict=True)
    }
    opinion, no_opinion = _opinion(ledger, scene, estimators, places)
    ledoit_wolf, intensity = ledoit_wolf_cov(returns)
    return Window(
        symbols=symbols,
        returns=returns,
        cov=shrunk_cov(returns),
        ledoit_wolf=ledoit_wolf,
        intensity=intensity,
        classes=tuple(item.asset_class.value for item in instruments),
        max_name_frac=scene.policy.name_cap(len(symbols)),
        sectors=GroupLimits.of_labels(labels, caps),
        opinion=opinion,
        no_opinion=no_opinion,
    )


def _opinion(ledger: Ledger, scene: Scene, estimators: Estimators, places: Sequence[int]) -> tuple[Opinion | None, str]:
    try:
        outlook = scores(ledger, scene, estimators)[1].outlook
    except NotEnoughData as error:
        return None, error.message
    # A coin's chance of the right sign is no view; a certain sign would be a constraint, so it stops short of that.
    confidence = np.clip(2.0 * outlook.confidence[places] - 1.0, 0.0, _SURE)
    is_open = tilt_is_open(outlook, float("inf"), 0.0, 0.0)
    return Opinion(outlook.expected_residual_return[places], confidence, is_open), ""


def _reference(window: Window) -> FloatArray:
    return reference_book(window.returns, window.classes)


def _equal(window: Window) -> FloatArray:
    return np.full(len(window.symbols), 1.0 / len(window.symbols))


def _least_variance(window: Window) -> FloatArray:
    return min_variance(window.cov, upper=window.max_name_frac, groups=window.sectors)


def _least_variance_ledoit_wolf(window: Window) -> FloatArray:
    return min_variance(window.ledoit_wolf, upper=window.max_name_frac, groups=window.sectors)


def _highest_sharpe(window: Window) -> FloatArray:
    mean = window.returns.mean(axis=0)
    return max_sharpe(mean, window.cov, upper=window.max_name_frac, groups=window.sectors)


def _least_shortfall(window: Window) -> FloatArray:
    upper = window.max_name_frac
    return min_expected_shortfall(window.returns, TAIL_LEVEL, upper=upper, groups=window.sectors).weights


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
    ).weights


def _black_litterman(window: Window) -> FloatArray:
    """Views on every name with a confidence, around the returns that make the reference book the best one."""
    if window.opinion is None:
        raise NotEnoughData(window.no_opinion, remedy="Without scores there are no views: hold the reference book.")
    n_names = len(window.symbols)
    mean, cov = equilibrium(window.cov, _reference(window), RISK_AVERSION), window.cov
    if window.opinion.confidence.any():
        horizons = np.full(n_names, float(HORIZON_DAYS))
        expected = mean * HORIZON_DAYS + window.opinion.residual_return
        views = views_from_signals(expected, window.opinion.confidence, horizons, cov, VIEW_UNCERTAINTY)
        blended = posterior(mean, cov, VIEW_UNCERTAINTY, views.P, views.q, views.omega)
        mean, cov = blended.mean, blended.cov
    upper = np.full(n_names, window.max_name_frac)
    flat = np.zeros(n_names)
    return maximize_utility(mean, cov, lower=flat, upper=upper, gamma=RISK_AVERSION, groups=window.sectors).weights


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
    "black-litterman": _black_litterman,
}
"""Long-only and fully invested, each a function of one window alone."""


def build_books(ledger: Ledger, scene: Scene, window: Window) -> tuple[str, dict[str, dict[str, object]]]:
    """The book of each method over the scene's tradable names; a method that cannot says why.

    Figures are of the window the weights were built on, so they flatter the methods that fit it hardest:
    minimum variance its volatility, maximum Sharpe its return.
    """
    betas = beta(window.returns, scene.market_returns)
    found = {name: _described(scene, window, method, betas) for name, method in METHODS.items()}
    found["black-litterman"]["note"] = _view_note(window)
    inputs = {
        "days": len(window.returns),
        "names": list(window.symbols),
        "max_name_frac": window.max_name_frac,
        "limits": scene.limits.hash(),
        "equity": str(scene.equity),
        "costs": asdict(scene.costs),
    }
    output = {"books": found, "ledoit_wolf_intensity": figure(window.intensity)}
    return ledger.record("build_books", 1, "fraction of equity", inputs, output).id, found


def frontier(ledger: Ledger, scene: Scene, window: Window) -> tuple[str, list[dict[str, float]]]:
    """Efficient books under the same limits, from the least variance up, by the shrunk covariance and sample means.

    Raises SolverError, naming the limits in conflict, when no fully invested book satisfies them.
    """
    upper, mean = window.max_name_frac, window.returns.mean(axis=0)
    best = efficient_frontier(mean, window.cov, FRONTIER_POINTS, upper=upper, groups=window.sectors)
    points = [
        {
            "volatility_annual": figure(vol * DAYS_PER_YEAR**0.5),
            "return_annual": figure(at * DAYS_PER_YEAR),
            "largest_weight": figure(float(weights.max())),
            "effective_names": figure(1.0 / float(np.square(weights).sum())),
        }
        for weights, at, vol in zip(best.weights, best.mean.tolist(), best.vol.tolist(), strict=True)
    ]
    inputs = {"days": len(window.returns), "max_name_frac": upper, "limits": scene.limits.hash()}
    return ledger.record("efficient_frontier", 1, "fraction a year", inputs, {"points": points}).id, points


def _described(
    scene: Scene, window: Window, method: Callable[[Window], FloatArray], betas: FloatArray
) -> dict[str, object]:
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
        "entry_cost": figure(_entry_cost(scene, window, weights)),
        "beta": figure(float(betas @ weights)),
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
    return over + [symbol for symbol, weight in names if weight > window.max_name_frac + DUST_FRAC]


def _entry_cost(scene: Scene, window: Window, weights: FloatArray) -> float:
    """Spread, fee and impact of buying the book from cash in one day, as a fraction of equity."""
    costs, equity = scene.costs, float(scene.equity)
    cost = 0.0
    for symbol, weight, vol in zip(window.symbols, weights.tolist(), ewma_vol(window.returns).tolist(), strict=True):
        shares = scene.daily_volume.get(symbol)
        traded = shares * float(scene.prices[symbol]) if shares else costs.assumed_daily_volume
        spread_frac, fee_frac = costs.half_spread_bps / 1e4, costs.fee_bps / 1e4
        cost += weight * expected_cost_frac(
            spread_frac, fee_frac, vol, weight * equity / traded, costs.impact_coefficient
        )
    return cost


def _view_note(window: Window) -> str:
    if window.opinion is None:
        return window.no_opinion
    if not window.opinion.confidence.any():
        return "The scores' record shows no skill, so there is no view: this is the reference book within the limits."
    if window.opinion.is_open:
        return "The calibration gate is open: the desk may tilt its own book this way when it is worth the cost."
    return "The calibration gate is closed: the scores' record is not proven, and the desk would not trade this tilt."
