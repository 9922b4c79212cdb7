"""How well the cost of orders was forecast: bias, slope, and how often the band around the forecast held."""

from collections.abc import Callable, Sequence

import numpy as np

from ..quant.arrays import FloatArray
from ..quant.bootstrap import block_interval
from ..quant.errors import QuantError
from ..quant.factors import fit_factors
from .attributed import LIKELY_ERRORS, Attributed, counted, fidelity_of
from .ledger import figure

LEAST_DECISIONS = 10
"""Below that an interval over decisions says nothing."""
BLOCK_DECISIONS = 2.0
"""Decisions that follow each other stay together: the second often finishes what the first began."""
SEED = 0


def forecasts(found: Sequence[Attributed]) -> dict[str, object]:
    """The forecast against what it forecasts (spread, impact, fees), and against that with the market's moves.

    In bps of what was filled at arrival, over the orders with fills; of all orders and of each algorithm.
    """
    filled = [one for one in found if one.item.fills]
    names = sorted({one.item.order.advice.algorithm.value for one in filled})
    return {
        "predicted_bps": [figure(_predicted(one)) for one in filled],
        "charged_bps": [figure(charged(one)) for one in filled],
        **_judged(filled),
        "by_algorithm": {
            name: _judged([one for one in filled if one.item.order.advice.algorithm.value == name]) for name in names
        },
    }


def charged(one: Attributed) -> float:
    """Spread, impact and fees, in bps of what was filled at arrival."""
    return float(one.cost.spread + one.cost.impact + one.cost.fees) / _base(one)


def with_timing(one: Attributed) -> float:
    """The same and the market's move while the order was worked: what the fills and fees came to past arrival."""
    return charged(one) + float(one.cost.timing) / _base(one)


def _base(one: Attributed) -> float:
    return float(one.item.arrival_price * one.item.filled) / 1e4


def _predicted(one: Attributed) -> float:
    return one.item.order.advice.expected_cost_bps


def _judged(filled: Sequence[Attributed]) -> dict[str, object]:
    return {
        "fidelity": counted(fidelity_of(one.item.fills) for one in filled),
        "charged": _against(filled, charged),
        "with_timing": _against(filled, with_timing),
        "coverage": _coverage([one for one in filled if one.item.order.advice.cost_std_bps > 0.0]),
    }


def _against(filled: Sequence[Attributed], realized_as: Callable[[Attributed], float]) -> dict[str, object]:
    """Bias (realized less predicted) and realized = intercept + slope x predicted.

    The slope's interval is Newey and West's, the bias's a block bootstrap over decisions: orders of one plan are no
    two samples.
    """
    if not filled:
        return {"orders": 0, "refused": "no order was filled"}
    predicted = np.array([_predicted(one) for one in filled])
    realized = np.array([realized_as(one) for one in filled])
    row: dict[str, object] = {
        "orders": len(filled),
        "mean_predicted_bps": figure(float(predicted.mean())),
        "mean_realized_bps": figure(float(realized.mean())),
        "bias_bps": figure(float((realized - predicted).mean())),
        "bias_interval": _mean_interval(filled, realized - predicted),
    }
    try:
        fit = fit_factors(realized, predicted[:, None], ("predicted",))
    except QuantError as error:
        return row | {"refused": error.message}
    slope, slope_error = float(fit.betas[0]), float(fit.beta_se[0])
    return row | {
        "slope": figure(slope),
        "slope_low": figure(slope - LIKELY_ERRORS * slope_error),
        "slope_high": figure(slope + LIKELY_ERRORS * slope_error),
        "intercept_bps": figure(fit.alpha),
        "intercept_low_bps": figure(fit.alpha - LIKELY_ERRORS * fit.alpha_se),
        "intercept_high_bps": figure(fit.alpha + LIKELY_ERRORS * fit.alpha_se),
        "r_squared": figure(fit.r_squared),
    }


def _coverage(banded: Sequence[Attributed]) -> dict[str, object]:
    """How often a cost was within 1.96 of its forecast's standard deviations; 95 % of them should be."""
    if not banded:
        return {"orders": 0, "refused": "no forecast said how far its cost may stray"}
    inside = np.array(
        [
            abs(with_timing(one) - _predicted(one)) <= LIKELY_ERRORS * one.item.order.advice.cost_std_bps
            for one in banded
        ],
        dtype=np.float64,
    )
    return {
        "orders": len(banded),
        "covered_frac": figure(float(inside.mean())),
        "interval": _mean_interval(banded, inside),
    }


def _mean_interval(found: Sequence[Attributed], values: FloatArray) -> dict[str, object]:
    """The 95 % interval of a mean over orders; whole decisions are drawn."""
    places: dict[str, int] = {}
    for one in found:
        places.setdefault(one.item.order.decision_id, len(places))
    if len(places) < LEAST_DECISIONS:
        return {"refused": f"{len(places)} decisions, {LEAST_DECISIONS} are needed"}
    sums = np.zeros((len(places), 2))
    np.add.at(
        sums, [places[one.item.order.decision_id] for one in found], np.column_stack([np.ones(len(found)), values])
    )
    rng = np.random.default_rng(SEED)
    interval = block_interval(sums, _ratio, rng, block_days=BLOCK_DECISIONS)
    return {"low": figure(interval.low), "high": figure(interval.high)}


def _ratio(drawn: FloatArray) -> FloatArray:
    return drawn[..., 1].sum(axis=-1) / drawn[..., 0].sum(axis=-1)
