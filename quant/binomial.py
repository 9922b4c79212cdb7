"""American options on a recombining tree: Leisen-Reimer by default, Cox-Ross-Rubinstein as in the textbooks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .arrays import FloatArray, checked_above
from .black_scholes import OptionKind
from .errors import ParameterError

Tree = Literal["leisen-reimer", "cox-ross-rubinstein"]


@dataclass(frozen=True, slots=True)
class TreeValue:
    """A long position in one option, valued on a tree."""

    price: float
    delta: float
    """Cash per 1.00 of spot."""
    gamma: float
    """Delta per 1.00 of spot."""


def american_value(
    kind: OptionKind,
    spot: float,
    strike: float,
    years: float,
    rate: float,
    vol: float,
    dividend_yield: float = 0.0,
    *,
    n_steps: int = 501,
    tree: Tree = "leisen-reimer",
) -> TreeValue:
    """Value, delta and gamma of an American option with a continuous dividend yield.

    Delta is read from the two nodes of step 1 and gamma from the three of step 2.

    Parameters
    ----------
    kind : "call" or "put"
    spot, strike : prices above 0
    years : time to expiry, above 0
    rate, dividend_yield : continuously compounded fractions a year
    vol : annual volatility as a fraction, above 0
    n_steps : steps of the tree, at least 3; an odd number for the Leisen-Reimer tree

    Raises
    ------
    ParameterError : a bad input, or steps so long that a branch has a probability outside (0, 1)

    Source: Cox, Ross and Rubinstein (1979), J. Financial Economics 7; Leisen and Reimer (1996), Applied
    Mathematical Finance 3, with Peizer-Pratt inversion 2, whose error falls with the square of the steps.
    """
    sign = _checked_sign(kind)
    for name, value in (("spot", spot), ("strike", strike), ("years", years), ("vol", vol)):
        checked_above(value, 0.0, name=name)
    _check_steps(n_steps, tree)
    up, down, chance = _branches(spot, strike, years, rate, vol, dividend_yield, n_steps, tree)
    discount = math.exp(-rate * years / n_steps)
    log_up, log_down = math.log(up), math.log(down)
    falls = np.arange(n_steps + 1)
    value = np.maximum(sign * (_nodes(spot, log_up, log_down, falls, n_steps) - strike), 0.0)
    early: list[tuple[FloatArray, FloatArray]] = []
    for step in range(n_steps - 1, -1, -1):
        held = discount * (chance * value[:-1] + (1.0 - chance) * value[1:])
        prices = _nodes(spot, log_up, log_down, falls[: step + 1], step)
        value = np.maximum(held, sign * (prices - strike))
        if step in (1, 2):
            early.append((prices, value))
    (s2, v2), (s1, v1) = early
    upper = (v2[0] - v2[1]) / (s2[0] - s2[1])
    lower = (v2[1] - v2[2]) / (s2[1] - s2[2])
    gamma = (upper - lower) / (0.5 * (s2[0] - s2[2]))
    return TreeValue(float(value[0]), float((v1[0] - v1[1]) / (s1[0] - s1[1])), float(gamma))


def _nodes(spot: float, log_up: float, log_down: float, falls: np.ndarray, step: int) -> FloatArray:
    return spot * np.exp(log_up * (step - falls) + log_down * falls)


def _branches(
    spot: float, strike: float, years: float, rate: float, vol: float, dividend_yield: float, n_steps: int, tree: Tree
) -> tuple[float, float, float]:
    """Up factor, down factor and the risk-neutral probability of going up."""
    span = years / n_steps
    growth = math.exp((rate - dividend_yield) * span)
    if not math.isfinite(growth):
        raise ParameterError(f"rate and dividend_yield: found {rate} and {dividend_yield}, expected finite fractions")
    if tree == "cox-ross-rubinstein":
        up = math.exp(vol * math.sqrt(span))
        down = 1.0 / up
        chance = (growth - down) / (up - down)
    else:
        sd = vol * math.sqrt(years)
        d1 = (math.log(spot / strike) + (rate - dividend_yield) * years) / sd + 0.5 * sd
        chance, share = _peizer_pratt(d1 - sd, n_steps), _peizer_pratt(d1, n_steps)
        if not (0.0 < chance < 1.0 and 0.0 < share < 1.0):
            raise ParameterError(
                f"spot and strike: found {spot} and {strike}, too far apart for {sd:.3g} standard deviations of expiry",
                remedy="Such an option is worth its exercise value or nothing; use the Cox-Ross-Rubinstein tree.",
            )
        up = growth * share / chance
        down = growth * (1.0 - share) / (1.0 - chance)
    if not 0.0 < chance < 1.0:
        raise ParameterError(
            f"n_steps: found {n_steps}, with which an up move has probability {chance:.4f}",
            remedy="Take more steps: the drift of one step must stay below its volatility.",
        )
    return up, down, chance


def _peizer_pratt(z: float, n_steps: int) -> float:
    """The success probability of n trials whose majority has normal probability N(z), inversion 2."""
    place = z / (n_steps + 1.0 / 3.0 + 0.1 / (n_steps + 1.0))
    root = math.sqrt(-math.expm1(-place * place * (n_steps + 1.0 / 6.0)))
    return 0.5 + math.copysign(0.5 * root, z)


def _checked_sign(kind: OptionKind) -> float:
    if kind not in ("call", "put"):
        raise ParameterError(f"kind: found {kind!r}, expected 'call' or 'put'")
    return 1.0 if kind == "call" else -1.0


def _check_steps(n_steps: int, tree: Tree) -> None:
    if tree not in ("leisen-reimer", "cox-ross-rubinstein"):
        raise ParameterError(f"tree: found {tree!r}, expected 'leisen-reimer' or 'cox-ross-rubinstein'")
    if int(n_steps) != n_steps or n_steps < 3:
        raise ParameterError(f"n_steps: found {n_steps}, expected a whole number of at least 3")
    if tree == "leisen-reimer" and n_steps % 2 == 0:
        raise ParameterError(f"n_steps: found {n_steps}, expected an odd number for the Leisen-Reimer tree")
