"""How tightly the names of a book move together today, against their own past: a dynamic conditional correlation."""

from collections.abc import Mapping
from typing import cast

import numpy as np

from ..quant.errors import QuantError
from ..quant.volatility import average_correlation, dcc_path, ewma_path, fit_dcc
from .ledger import Ledger, figure
from .long_history import LongHistory, long_history
from .scene import FloatArray, Scene

WARMUP_DAYS = 75
"""Days after which the volatility that scales the returns has forgotten its start."""
MOST_NAMES = 30
HIGH_FRAC = 0.95
"""From this share of its own history on, the average correlation is called high."""
STEP_DAYS = 5


def correlation_path(ledger: Ledger, scene: Scene, weights: Mapping[str, float]) -> tuple[str, dict[str, object]]:
    """The average pairwise correlation foreseen for tomorrow by DCC(1,1), and how many past days had a lower one.

    Returns are first divided by the EWMA volatility foreseen for their day. Of a very wide book the thirty largest
    positions are looked at; the direction they are held in plays no part.
    """
    output: dict[str, object]
    try:
        output = _measured(_largest(long_history(scene, weights)))
    except QuantError as error:
        output = {"refused": error.message}
    return ledger.record("correlation_path", 1, "correlation", {"weights": dict(weights)}, output).id, output


def _largest(history: LongHistory) -> LongHistory:
    order = np.argsort(-np.abs(history.weights), kind="stable")[:MOST_NAMES]
    kept = sorted(order.tolist())
    return LongHistory(
        tuple(history.symbols[place] for place in kept),
        history.weights[kept],
        history.days,
        history.returns[:, kept],
        history.market,
    )


def _measured(history: LongHistory) -> dict[str, object]:
    surprises = _surprises(history.returns)
    model = fit_dcc(surprises)
    average = average_correlation(dcc_path(model, surprises))
    now, past = float(average[-1]), average[:-1]
    rank = float((past < now).mean())
    # Entry t is known the evening before day t: the last is tomorrow's, and is named after the evening it was made.
    made = [*history.days[-len(surprises) - 1 : -1], history.days[-1]][-len(average) :]
    shown = sorted({*range(0, len(average), STEP_DAYS), len(average) - 1, int(average.argmax()), int(average.argmin())})
    return {
        "names": len(history.symbols),
        "days": len(surprises),
        "news": figure(model.a),
        "memory": figure(model.b),
        "now": figure(now),
        "mean": figure(float(past.mean())),
        "low": figure(float(past.min())),
        "high": figure(float(past.max())),
        "rank": figure(rank),
        "is_high": rank >= HIGH_FRAC,
        "path": {"day": [made[k] for k in shown], "correlation": [figure(float(average[k])) for k in shown]},
    }


def _surprises(returns: FloatArray) -> FloatArray:
    vols = ewma_path(returns)
    start = min(WARMUP_DAYS, len(returns) - 1)
    return cast(FloatArray, returns[start:] / np.maximum(vols[start - 1 : -1], 1e-12))
