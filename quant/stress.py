"""What a shock would cost: historical scenarios, hypothetical shocks, and the smallest shock that ruins."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from statistics import NormalDist
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from .arrays import FloatArray, checked_above, checked_at_least, checked_vector
from .definite import checked_covariance
from .errors import ParameterError, SampleError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FACTORS = (
    "market_frac",
    "size_frac",
    "value_frac",
    "momentum_frac",
    "rate_10y_bp",
    "vix_points",
    "credit_bp",
)
"""The factors of the scenario table; each name ends in the unit of its move."""

_TABLE = "stress_scenarios.csv"
_SINGULAR = 1e-12


@dataclass(frozen=True, slots=True)
class Scenario:
    """One dated episode: how far each factor moved from the close before its first day to its last."""

    name: str
    title: str
    first_day: date
    last_day: date
    moves: Mapping[str, float]
    """Factor -> move, in the unit the factor's name ends in; equity factors are compounded."""
    sources: Mapping[str, str]
    """Factor -> where its move comes from."""


@dataclass(frozen=True, slots=True)
class StressResult:
    """The return of a portfolio under a set of moves; ``by_factor`` sums to it."""

    scenario: str
    return_frac: float
    """A fraction of equity, negative when money is lost."""
    by_factor: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ReverseStress:
    """The least unlikely joint move that loses a given share of equity."""

    moves: FloatArray
    """(n_factors,) in the units of the exposures' factors."""
    distance: float
    """Mahalanobis distance of the moves: standard deviations of the portfolio's own return."""
    normal_probability: float
    """That a normal portfolio loses this much or more over the covariance's horizon; real tails are fatter."""


@cache
def historical_scenarios() -> tuple[Scenario, ...]:
    """The dated table shipped with the package, in order of its rows.

    Equity factors are excess of cash (Fama-French), rates are the ten-year Treasury, credit is Baa minus
    Aaa. A factor without a figure for an episode is absent from its moves, never zero.
    """
    text = resources.files(__name__.rpartition(".")[0]).joinpath(_TABLE).read_text(encoding="utf-8")
    grouped: dict[str, list[dict[str, str]]] = {}
    for row in csv.DictReader(text.splitlines()):
        grouped.setdefault(row["scenario"], []).append(row)
    return tuple(_scenario(name, rows) for name, rows in grouped.items())


def apply_moves(exposures: Mapping[str, float], moves: Mapping[str, float], scenario: str = "custom") -> StressResult:
    """First-order return of a portfolio: the sum of exposure times move.

    Linear on purpose: for options add their own revaluation, and read multi-year episodes as a shock that
    meets today's exposures at once.

    Parameters
    ----------
    exposures : factor -> return of the portfolio per unit of the factor, e.g. beta per 1.00 of
        ``market_frac`` and return per basis point of ``rate_10y_bp``
    moves : factor -> move; factors the portfolio is not exposed to are ignored

    Raises
    ------
    SampleError : an exposure without a move (nothing is taken as zero), or a NaN
    """
    missing = sorted(set(exposures) - set(moves))
    if missing:
        raise SampleError(
            f"{scenario}: no move for {', '.join(missing)}, to which the portfolio is exposed",
            remedy="Fill them with parley.quant.stress.complete_moves, or drop the exposure knowingly.",
        )
    by_factor = {name: exposure * moves[name] for name, exposure in exposures.items()}
    total = math.fsum(by_factor.values())
    if not math.isfinite(total):
        raise SampleError(f"{scenario}: found a NaN or an infinity among exposures and moves, expected none")
    return StressResult(scenario, total, by_factor)


def stress_table(
    exposures: Mapping[str, float],
    scenarios: Sequence[Scenario] | None = None,
    *,
    names: Sequence[str] = (),
    cov: FloatArray | None = None,
) -> tuple[StressResult, ...]:
    """The portfolio under every scenario, worst first.

    Parameters
    ----------
    exposures : as in ``apply_moves``
    scenarios : the historical table when not given
    names, cov : factors and their covariance; with them, missing moves are completed, without them refused

    Raises
    ------
    SampleError : a missing move and no covariance to complete it from
    ShapeError, SampleError : as ``complete_moves``
    """
    results: list[StressResult] = []
    for scenario in historical_scenarios() if scenarios is None else scenarios:
        moves = scenario.moves if cov is None else complete_moves(scenario.moves, names, cov)
        results.append(apply_moves(exposures, moves, scenario.name))
    return tuple(sorted(results, key=lambda result: result.return_frac))


def complete_moves(moves: Mapping[str, float], names: Sequence[str], cov: FloatArray) -> dict[str, float]:
    """The given moves, and for every other factor its expected move given them.

    E[x | y] = S_xy S_yy^-1 y with zero means: the predictive stress test. Moves of factors outside
    ``names`` are kept but inform nothing.

    Parameters
    ----------
    moves : factor -> move, at least one of ``names``
    names : of the rows of ``cov``
    cov : (n_factors, n_factors) over any horizon: only its ratios matter

    Raises
    ------
    ShapeError : names that do not fit the covariance
    SampleError : a covariance that is not one, moved factors that are collinear, or none of the names moved

    Source: Kupiec (1998), "Stress testing in a value at risk framework", J. of Derivatives 6.
    """
    matrix = checked_covariance(cov, len(names))
    known = [i for i, name in enumerate(names) if name in moves]
    other = [i for i, name in enumerate(names) if name not in moves]
    if not known:
        raise SampleError(f"moves: found {sorted(moves)}, expected at least one of {list(names)}")
    values = checked_vector([moves[names[i]] for i in known], name="moves")
    block = matrix[np.ix_(known, known)]
    _check_invertible(block)
    expected = matrix[np.ix_(other, known)] @ np.linalg.solve(block, values)
    return dict(moves) | {names[i]: float(move) for i, move in zip(other, expected, strict=True)}


def shocked_cov(cov: FloatArray, *, vol_multiple: float = 1.0, correlation: float | None = None) -> FloatArray:
    """A covariance with every volatility multiplied and every correlation set to one number.

    Doubled volatility is ``vol_multiple=2``; a crisis in which all falls together is ``correlation=0.9``.
    One common correlation stays positive semidefinite; raising only the low ones would not.

    Parameters
    ----------
    cov : (n, n)
    correlation : from -1 / (n - 1) to 1; unchanged when not given

    Raises
    ------
    ShapeError, SampleError : not a covariance
    ParameterError : a negative multiple, or a correlation that n names cannot have
    """
    matrix = checked_covariance(cov)
    checked_at_least(vol_multiple, 0.0, name="vol_multiple")
    if correlation is not None:
        lowest = -1.0 if len(matrix) < 3 else -1.0 / (len(matrix) - 1)
        if not lowest <= correlation <= 1.0:
            raise ParameterError(f"correlation: found {correlation}, expected from {lowest:.4f} to 1")
        variance = np.diag(matrix)
        vol = np.sqrt(np.maximum(variance, 0.0))
        matrix = correlation * np.outer(vol, vol)
        np.fill_diagonal(matrix, variance)
    return matrix * vol_multiple**2


def reverse_stress(exposures: FloatArray, cov: FloatArray, loss_frac: float) -> ReverseStress:
    """The move of least Mahalanobis distance that loses ``loss_frac``: x = -L S b / (b'S b).

    Parameters
    ----------
    exposures : b, (n_factors,) return per unit of each factor
    cov : S, (n_factors, n_factors), over the horizon of the shock
    loss_frac : L, a fraction of equity, above 0

    Raises
    ------
    ShapeError, SampleError : shapes that do not fit, not a covariance, or a portfolio without risk
    ParameterError : a loss not above 0

    Source: Breuer, Jandačka, Rheinberger and Summer (2009), Int. J. Central Banking 5; Lagrange condition.
    """
    checked_above(loss_frac, 0.0, name="loss_frac")
    with_portfolio, vol = _portfolio_side(exposures, cov)
    distance = loss_frac / vol
    return ReverseStress(-loss_frac / vol**2 * with_portfolio, distance, NormalDist().cdf(-distance))


def _portfolio_side(exposures: FloatArray, cov: FloatArray) -> tuple[FloatArray, float]:
    own = checked_vector(exposures, name="exposures")
    matrix = checked_covariance(cov, len(own))
    with_portfolio = matrix @ own
    variance = float(own @ with_portfolio)
    if variance <= _SINGULAR * float(np.square(own) @ np.abs(np.diag(matrix))):
        raise SampleError(
            "exposures: the portfolio has no factor risk, so no move of the factors loses anything",
            remedy="Stress its specific risk instead.",
        )
    return with_portfolio, math.sqrt(variance)


def _check_invertible(block: FloatArray) -> None:
    scale = np.sqrt(np.maximum(np.diag(block), 0.0))
    if scale.min() <= 0.0 or np.linalg.eigvalsh(block / np.outer(scale, scale))[0] < _SINGULAR:
        raise SampleError(
            "cov: the moved factors are collinear, or one of them never moves",
            remedy="Give the move of one of them only.",
        )


def _scenario(name: str, rows: Sequence[Mapping[str, str]]) -> Scenario:
    unknown = {row["factor"] for row in rows} - set(FACTORS)
    if unknown:
        raise ShapeError(f"{_TABLE}: {name} moves {sorted(unknown)}, expected only {list(FACTORS)}")
    first = rows[0]
    return Scenario(
        name=name,
        title=first["title"],
        first_day=date.fromisoformat(first["first_day"]),
        last_day=date.fromisoformat(first["last_day"]),
        moves=MappingProxyType({row["factor"]: float(row["move"]) for row in rows}),
        sources=MappingProxyType({row["factor"]: row["source"] for row in rows}),
    )
