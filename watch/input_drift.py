"""Whether the market that decisions see is still the one their run began in: scores and returns, by stability index."""

from collections import deque
from collections.abc import Iterator, Mapping
from decimal import Decimal

import numpy as np

from ..domain.decisions import Decision
from ..domain.events import DecisionMade, Payload, SharesSplit
from ..quant.arrays import FloatArray
from ..quant.drift import bin_counts, population_stability_index, quantile_edges
from .changes import Measured, Seen

FIRST_YEAR = 252
"""Decisions that everything later is held against."""
RECENT = 252
"""Decisions that are held against them: a year against a year. Days resemble their neighbors, so that a month's index
is above 0.15 on most days of 2011 to 2019, and a year's on one in three."""
FEWEST = 240
"""Values, on either side: nearly a year of one name. Of fewer the index is 0.15 by chance."""


class _Stream:
    """One kind of input: its first year, and then the last year in the same bins."""

    def __init__(self) -> None:
        self._first: list[list[float]] | None = []
        self._edges = self._expected = self._sum = np.empty(0)
        self._recent: deque[FloatArray] = deque()

    def take(self, values: list[float]) -> float | None:
        """The index, once there is enough to compare."""
        if self._first is not None:
            self._first.append(values)
            if len(self._first) == FIRST_YEAR:
                self._begin([value for row in self._first for value in row])
            return None
        if not len(self._edges):
            return None
        counts = bin_counts(values, self._edges)
        self._recent.append(counts)
        self._sum = self._sum + counts
        if len(self._recent) <= RECENT:
            return None
        self._sum = self._sum - self._recent.popleft()
        return population_stability_index(self._expected, self._sum) if self._sum.sum() >= FEWEST else None

    def _begin(self, sample: list[float]) -> None:
        """With too few values there is nothing to hold later ones against."""
        self._first = None
        if len(sample) >= FEWEST:
            self._edges = quantile_edges(sample)
            self._expected = bin_counts(sample, self._edges)
            self._sum = np.zeros_like(self._expected)


class InputDrift:
    """The scores that decisions were made on, and the returns between their prices."""

    kinds: tuple[type[Payload], ...] = (DecisionMade, SharesSplit)

    def __init__(self) -> None:
        self._streams = {"scores": _Stream(), "returns": _Stream()}
        self._prices: Mapping[str, Decimal] = {}
        self._split: set[str] = set()

    def take(self, seen: Seen) -> Iterator[Measured]:
        if isinstance(seen.payload, SharesSplit):
            self._split.add(seen.payload.symbol)
            return
        payload = seen.payload
        assert isinstance(payload, DecisionMade), "asked for by type"
        for subject, values in (("scores", _scores(payload.decision)), ("returns", self._returns(payload.decision))):
            index = self._streams[subject].take(values)
            if index is not None:
                yield Measured("input_drift", subject, index, seen.event.event_time, seen.event.id)

    def _returns(self, decision: Decision) -> list[float]:
        """Of every name with a price now and before; one that was split in between has none."""
        before, self._prices = self._prices, decision.snapshot.prices
        split, self._split = self._split, set()
        return [
            float(price / before[symbol] - 1)
            for symbol, price in decision.snapshot.prices.items()
            if symbol not in split and before.get(symbol)
        ]


def _scores(decision: Decision) -> list[float]:
    return [signal.score for signal in decision.signals if signal.score is not None]
