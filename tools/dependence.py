"""How the names of a book fall together: joint tail, which copula the past prefers, and the chance of a joint crash."""

import math
from collections.abc import Mapping

import numpy as np

from ..quant.copulas import (
    Copula,
    copula_tail,
    fit_gaussian_copula,
    fit_t_copula,
    pseudo_observations,
    simulate_copula,
    tail_dependence,
)
from ..quant.errors import QuantError
from .ledger import Ledger, figure
from .scene import FloatArray, Scene

COPULA_SEED = 20_080_915
COPULA_PATHS = 50_000
CRASH_SEED = 20_200_316
CRASH_PATHS = 100_000
CRASH_LEVEL_FRAC = 0.05
"""A name crashes on a day among its own worst twentieth."""
ALONE = "one name has no joint tail"


def joint_tail(
    ledger: Ledger, scene: Scene, weights: Mapping[str, float], level: float
) -> tuple[str, dict[str, object]]:
    """VaR and ES when names keep their own histories and crash together as a t copula says; and the closest pair.

    A book of one name has nothing to fall together with, and says so.
    """
    held = _held(scene, weights)
    output: dict[str, object]
    try:
        if len(held) < 2:
            output = {"refused": ALONE}
        else:
            returns = _returns(scene, held)
            copula = fit_t_copula(returns)
            rng = np.random.default_rng(COPULA_SEED)
            sizes = np.array([weights[symbol] for symbol in held])
            tail = copula_tail(copula, sizes, returns, rng, level=level, n_paths=COPULA_PATHS)
            between = copula.correlation - 2.0 * np.eye(len(held))
            one, other = np.unravel_index(int(np.argmax(between)), between.shape)
            closest = float(copula.correlation[one, other])
            output = {
                "var": figure(tail.var),
                "es": figure(tail.es),
                "degrees_of_freedom": figure(copula.dof) if copula.dof is not None else None,
                "closest_pair": f"{held[one]} and {held[other]}",
                "tail_dependence": figure(tail_dependence(closest, copula.dof)),
            }
    except QuantError as error:
        output = {"refused": error.message}
    inputs = {"weights": dict(weights), "level": level}
    return ledger.record("joint_tail", 1, "fraction of equity", inputs, output).id, output


def copula_choice(ledger: Ledger, scene: Scene, weights: Mapping[str, float]) -> tuple[str, dict[str, object]]:
    """Gaussian against t copula by likelihood and AIC, and the chance that half of the names crash on one day.

    A crash is a day in a name's own worst twentieth, long or short as it is held; the chances under both copulas
    stand beside independence and beside what the year itself counted.
    """
    held = _held(scene, weights)
    output: dict[str, object]
    try:
        if len(held) < 2:
            output = {"refused": ALONE}
        else:
            # A name held short crashes when it rises.
            signs = np.sign([weights[symbol] for symbol in held])
            returns = _returns(scene, held) * signs
            output = _compared(fit_gaussian_copula(returns), fit_t_copula(returns), returns)
    except QuantError as error:
        output = {"refused": error.message}
    return ledger.record("copula_choice", 1, "as named", {"weights": dict(weights)}, output).id, output


def _compared(gaussian: Copula, student: Copula, returns: FloatArray) -> dict[str, object]:
    n_names = returns.shape[1]
    pairs = n_names * (n_names - 1) // 2
    least = math.ceil(n_names / 2)
    aic = {"gaussian": 2.0 * (pairs - gaussian.log_likelihood), "t": 2.0 * (pairs + 1 - student.log_likelihood)}
    upper = student.correlation[np.triu_indices(n_names, 1)]
    streams = np.random.default_rng(CRASH_SEED).spawn(2)
    return {
        "log_likelihood": {"gaussian": figure(gaussian.log_likelihood), "t": figure(student.log_likelihood)},
        "aic": {name: figure(value) for name, value in aic.items()},
        "preferred": min(aic, key=lambda name: aic[name]),
        "degrees_of_freedom": figure(student.dof or 0.0),
        "mean_tail_dependence": figure(float(np.mean([tail_dependence(float(rho), student.dof) for rho in upper]))),
        "names": n_names,
        "crashing": least,
        "joint_crash": {
            "independent": figure(_independent(n_names, least)),
            "gaussian": figure(_share(simulate_copula(gaussian, CRASH_PATHS, streams[0]), least)),
            "t": figure(_share(simulate_copula(student, CRASH_PATHS, streams[1]), least)),
            "counted": figure(_share(pseudo_observations(returns), least)),
        },
    }


def _share(uniforms: FloatArray, least: int) -> float:
    return float(((uniforms <= CRASH_LEVEL_FRAC).sum(axis=1) >= least).mean())


def _independent(n_names: int, least: int) -> float:
    p = CRASH_LEVEL_FRAC
    return math.fsum(math.comb(n_names, k) * p**k * (1.0 - p) ** (n_names - k) for k in range(least, n_names + 1))


def _held(scene: Scene, weights: Mapping[str, float]) -> list[str]:
    return [symbol for symbol in scene.symbols if weights.get(symbol)]


def _returns(scene: Scene, held: list[str]) -> FloatArray:
    return scene.returns[:, [scene.symbols.index(symbol) for symbol in held]]
