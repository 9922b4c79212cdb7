"""Tail risk of a book by every method side by side: they rarely agree, and where they part is the news."""

from collections.abc import Callable, Mapping

import numpy as np

from ..quant.errors import QuantError
from ..quant.extremes import fit_pareto_tail, pareto_tail_risk
from ..quant.var import expected_shortfall, historical_var, portfolio_var
from ..quant.var_models import TailRisk, cornish_fisher_of_sample, fit_student_t, normal_tail, student_t_tail
from ..quant.var_simulation import linear_monte_carlo_tail
from ..quant.volatility import fit_garch, garch_path
from .errors import NotEnoughData
from .ledger import Ledger, figure, figures
from .scene import FloatArray, Scene

LONG_DAYS = 1000
MONTE_CARLO_SEED = 19_871_019
MONTE_CARLO_PATHS = 200_000
EXTREME_LEVEL = 0.995

Tail = Mapping[str, float | str]


def book_history(scene: Scene, weights: Mapping[str, float]) -> FloatArray:
    """(n_days,) returns today's weights would have had, as far back as every held name goes, at most 1000 days."""
    held = [symbol for symbol, weight in weights.items() if weight]
    columns = [scene.view.symbols.index(symbol) for symbol in held]
    if not columns:
        raise NotEnoughData("the book holds nothing", remedy="Give weights, or choose a day when something was held.")
    closes = scene.view.close[-(LONG_DAYS + 1) :, columns]
    broken = np.flatnonzero(~np.isfinite(closes).all(axis=1))
    closes = closes[broken[-1] + 1 :] if len(broken) else closes
    if len(closes) < 3:
        raise NotEnoughData(
            "the held names share fewer than three sessions", remedy="Run `parley data check` on the data."
        )
    return (closes[1:] / closes[:-1] - 1.0) @ np.array([weights[symbol] for symbol in held])


def tail_by_method(
    ledger: Ledger, scene: Scene, weights: Mapping[str, float], level: float
) -> tuple[str, dict[str, Tail]]:
    """One-day VaR and ES at `level` by each method, in fractions of equity; a method that cannot says why."""
    history = book_history(scene, weights)
    recent = history[-252:]
    methods: dict[str, Callable[[], TailRisk]] = {
        "historical, 1 year": lambda: _historical(recent, level),
        "historical, long": lambda: _historical(history, level),
        "normal": lambda: normal_tail(recent, level),
        "student t": lambda: _student_t(history, level),
        "cornish-fisher": lambda: cornish_fisher_of_sample(history, level),
        "garch t, today": lambda: _garch(history, level),
        "filtered historical": lambda: _filtered(history, level),
        "monte carlo t": lambda: _monte_carlo(history, level),
    }
    found = {name: _stated(method) for name, method in methods.items()}
    found[f"pareto tail, {EXTREME_LEVEL:.1%}"] = _stated(
        lambda: pareto_tail_risk(fit_pareto_tail(history), EXTREME_LEVEL)
    )
    inputs = {"weights": dict(weights), "level": level, "days": len(history)}
    return ledger.record("tail_by_method", 1, "fraction of equity", inputs, found).id, found


def components(
    ledger: Ledger, scene: Scene, weights: Mapping[str, float], level: float
) -> tuple[str, dict[str, float]]:
    """Each name's share of the normal one-day VaR (Euler): they sum to it, and a hedge's is negative."""
    tail = portfolio_var(scene.vector(weights), scene.returns, level)
    parts = {
        symbol: part
        for symbol, part in figures(scene.symbols, tail.component_var.tolist()).items()
        if weights.get(symbol)
    }
    output = {"normal_var": figure(tail.normal_var), "by_name": parts}
    return ledger.record("var_components", 1, "fraction of equity", {"weights": dict(weights)}, output).id, parts


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
    surprises = (returns - model.mean) / path[: len(returns)]
    return _historical(model.mean + surprises * path[-1], level)


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
