"""The held names' own past beside the market's, as far back as all of them go: what the slower risk tools look at."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .errors import NotEnoughData
from .scene import FloatArray, Scene

LONG_DAYS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class LongHistory:
    """Simple daily returns of the held names and of the market over the same days, oldest first."""

    symbols: tuple[str, ...]
    weights: FloatArray
    """(n_names,) fractions of equity, none of them 0."""
    days: tuple[str, ...]
    """(n_days,) the session each return ends at, as ISO dates."""
    returns: FloatArray
    """(n_days, n_names)"""
    market: FloatArray
    """(n_days,) of the benchmark; of the held names in equal parts where there is none."""

    @property
    def book(self) -> FloatArray:
        """(n_days,) what today's weights would have made."""
        return self.returns @ self.weights


def long_history(scene: Scene, weights: Mapping[str, float], most_days: int = LONG_DAYS) -> LongHistory:
    """Returns since the last day that one of the held names had no close, at most `most_days` of them."""
    held = tuple(symbol for symbol, weight in weights.items() if weight)
    if not held:
        raise NotEnoughData("the book holds nothing", remedy="Give weights, or choose a day when something was held.")
    columns = [scene.view.symbols.index(symbol) for symbol in held]
    closes = scene.view.close[-(most_days + 1) :, columns]
    broken = np.flatnonzero(~np.isfinite(closes).all(axis=1))
    closes = closes[broken[-1] + 1 :] if len(broken) else closes
    if len(closes) < 3:
        raise NotEnoughData(
            "the held names share fewer than three sessions", remedy="Run `parley data check` on the data."
        )
    returns = closes[1:] / closes[:-1] - 1.0
    days = np.datetime_as_string(scene.view.sessions[-len(returns) :].astype("datetime64[D]"))
    sizes = np.array([weights[symbol] for symbol in held])
    return LongHistory(held, sizes, tuple(days.tolist()), returns, _market(scene, returns))


def _market(scene: Scene, returns: FloatArray) -> FloatArray:
    levels = scene.view.benchmark
    if levels is not None and np.isfinite(levels[-(len(returns) + 1) :]).all():
        recent = levels[-(len(returns) + 1) :]
        return recent[1:] / recent[:-1] - 1.0
    return returns.mean(axis=1)
