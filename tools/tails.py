"""Tail risk of a book by every method side by side: they rarely agree, and where they part is the news."""

from collections.abc import Callable, Mapping

import numpy as np

from ..quant.errors import QuantError
from ..quant.extremes import fit_pareto_tail, pareto_tail_risk
from ..quant.filtered_history import rescaled_returns
from ..quant.var import (
    component_es,
    expected_shortfall,
    historical_var,
    incremental_var,
    marginal_var,
    portfolio_var,
)
from ..quant.var_models import (
    TailRisk,
    cornish_fisher_of_sample,
    filtered_historical_tail,
    fit_student_t,
    normal_tail,
    student_t_tail,
)
from ..quant.var_simulation import linear_monte_carlo_tail
from ..quant.volatility import fit_garch, garch_path
from .ledger import Ledger, figure, figures
from .long_history import long_history
from .scene import FloatArray, Scene

YEAR_DAYS = 252
MONTE_CARLO_SEED = 19_871_019
MONTE_CARLO_PATHS = 200_000
EXTREME_LEVEL = 0.995

Tail = Mapping[str, float | str]


def tail_by_method(
    ledger: Ledger, scene: Scene, weights: Mapping[str, float], level: float
) -> tuple[str, dict[str, Tail]]:
    """One-day VaR and ES at `level` by each method, in fractions of equity; a method that cannot says why."""
    long = long_history(scene, weights)
    history = long.book
    recent = history[-YEAR_DAYS:]
    methods: dict[str, Callable[[], TailRisk]] = {
        "historical, 1 year": lambda: _historical(recent, level),
        "historical, long": lambda: _historical(history, level),
        "normal": lambda: normal_tail(recent, level),
        "student t": lambda: _student_t(history, level),
        "cornish-fisher": lambda: cornish_fisher_of_sample(history, level),
        "garch t, today": lambda: _garch(history, level),
        "filtered historical": lambda: _filtered(history, level),
        "rescaled, 1 year": lambda: _historical(rescaled_returns(long.returns[-YEAR_DAYS:]) @ long.weights, level),
        "monte carlo t": lambda: _monte_carlo(history, level),
    }
    found = {name: _stated(method) for name, method in methods.items()}
    found[f"pareto tail, {EXTREME_LEVEL:.1%}"] = _stated(
        lambda: pareto_tail_risk(fit_pareto_tail(history), EXTREME_LEVEL)
    )
    inputs = {"weights": dict(weights), "level": level, "days": len(history)}
    return ledger.record("tail_by_method", 2, "fraction of equity", inputs, found).id, found


def components(
    ledger: Ledger, scene: Scene, weights: Mapping[str, float], level: float
) -> tuple[str, dict[str, float]]:
    """Each name's share of the normal one-day VaR (Euler): they sum to it, and a hedge's is negative.

    Beside it: the share of the historical ES, the VaR that one more unit of weight would add (marginal), and what
    selling the whole position to cash would change it by (incremental, worked out again, not by the slope).
    """
    vector, returns = scene.vector(weights), scene.returns
    tail = portfolio_var(vector, returns, level)
    held = [symbol for symbol in scene.symbols if weights.get(symbol)]
    places = [scene.symbols.index(symbol) for symbol in held]
    parts = figures(held, tail.component_var[places].tolist())
    sold = [incremental_var(vector, _closing(vector, place), returns, level) for place in places]
    output = {
        "normal_var": figure(tail.normal_var),
        "historical_es": figure(tail.historical_es),
        "by_name": parts,
        "es_by_name": figures(held, component_es(vector, returns, level)[places].tolist()),
        "marginal": figures(held, marginal_var(vector, returns, level)[places].tolist()),
        "when_sold": figures(held, sold),
    }
    inputs = {"weights": dict(weights), "level": level}
    return ledger.record("var_components", 2, "fraction of equity", inputs, output).id, parts


def _closing(vector: FloatArray, place: int) -> FloatArray:
    trade = np.zeros_like(vector)
    trade[place] = -vector[place]
    return trade


def _stated(method: Callable[[], TailRisk]) -> Tail:
    try:
        tail = method()
    except QuantError as error:
        return {"refused": error.message}
    return {"var": figure(tail.var), "es": figure(tail.es)}


def _historical(returns: FloatArray, level: float) -> TailRisk:
    return TailRisk(level, historical_var(returns, level), expected_shortfall(returns, level))


def _student_t(returns: FloatArray, level: float) -> TailRisk:
    fit = fit_student_t(returns)
    return student_t_tail(fit.location, fit.scale, fit.dof, level)


def _garch(returns: FloatArray, level: float) -> TailRisk:
    model = fit_garch(returns)
    vol = float(garch_path(model, returns)[-1])
    dof = model.dof or 500.0
    # The model's surprises have variance one; the t's own scale is smaller by this much.
    scale = vol * float(np.sqrt((dof - 2.0) / dof))
    return student_t_tail(model.mean, scale, dof, level)


def _filtered(returns: FloatArray, level: float) -> TailRisk:
    """Past surprises, each over its own day's volatility, at tomorrow's volatility. Source: Hull and White (1998)."""
    model = fit_garch(returns)
    path = garch_path(model, returns)
    tail = filtered_historical_tail(returns - model.mean, path[: len(returns)], float(path[-1]), level)
    return TailRisk(level, tail.var - model.mean, tail.es - model.mean)


def _monte_carlo(returns: FloatArray, level: float) -> TailRisk:
    fit = fit_student_t(returns)
    one = np.ones(1)
    return linear_monte_carlo_tail(
        one,
        np.array([returns.mean()]),
        np.array([[returns.var(ddof=1)]]),
        np.random.default_rng(MONTE_CARLO_SEED),
        level=level,
        n_paths=MONTE_CARLO_PATHS,
        dof=max(fit.dof, 2.1),
    )
