"""The numbers of the calibration: scores of what was said, with intervals that draw whole stretches of days."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from ...quant.arrays import FloatArray, IntArray
from ...quant.bootstrap import N_DRAWS, stationary_rows
from ...quant.probability_scores import brier_parts, brier_score, calibration_error, log_loss, reliability_bins
from ..harness.task import Scored

BLOCK_DAYS = 63
"""A quarter: outcomes of neighboring days overlap by a month, and a block has to be longer than that."""
DRAWS_AT_ONCE = 250
COIN = 0.25
"""The Brier score of always saying one half."""
MIN_DAYS = 20
"""Calls of fewer days have no interval: drawing so few again and again says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """Calls of one speaker; arrays (n_calls,). `day` is the place of the session among all."""

    who: str
    day: IntArray
    said: FloatArray
    came_true: FloatArray
    gain: FloatArray
    source: tuple[str, ...]
    regime: tuple[str, ...]

    def where(self, chosen: Sequence[bool]) -> "Said":
        """Some of the calls."""
        mask = np.array(chosen, dtype=bool)
        return Said(
            self.who,
            self.day[mask],
            self.said[mask],
            self.came_true[mask],
            self.gain[mask],
            tuple(item for item, is_in in zip(self.source, chosen, strict=True) if is_in),
            tuple(item for item, is_in in zip(self.regime, chosen, strict=True) if is_in),
        )


@dataclass(frozen=True, slots=True)
class Ranged:
    """A figure with the ends of its 95 % interval; None where it rests on too few days."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Quality:
    """How good the calls of a speaker were."""

    calls: int
    days: int
    said: float
    hit_rate: Ranged
    """Share in which the likelier side was the one that came."""
    brier: Ranged
    skill: Ranged
    """One less Brier score over a coin's, 0.25: above zero it knows something, and nothing in it was fitted."""
    log_loss: float
    error: Ranged
    """Calibration error over ten bins of equal mass."""
    reliability: float
    resolution: float
    uncertainty: float
    gain: Ranged
    """Mean return beyond the average name's over the horizon, on the side taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Diagram:
    """Of each bin: mean of what was said, share that came true, and the ends of its interval."""

    said: FloatArray
    came_true: FloatArray
    low: FloatArray
    high: FloatArray
    counts: IntArray


class Draws:
    """How often each session is in each resampled history: the same histories for every speaker."""

    def __init__(self, n_days: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        block = max(min(BLOCK_DAYS, n_days / 2), 1.0)
        parts = list[np.ndarray]()
        for first in range(0, N_DRAWS, DRAWS_AT_ONCE):
            n = min(DRAWS_AT_ONCE, N_DRAWS - first)
            rows = stationary_rows(n_days, n, block, rng) + n_days * np.arange(n)[:, None]
            counts = np.bincount(rows.ravel(), minlength=n * n_days).reshape(n, n_days)
            parts.append(counts.astype(np.float32))
        self._counts = np.concatenate(parts)

    def sums(self, day: IntArray, columns: FloatArray) -> FloatArray:
        """(n_draws, n_columns) sums of (n_calls, n_columns) over the calls of each history."""
        by_day = np.zeros((self._counts.shape[1], columns.shape[1]))
        np.add.at(by_day, day, columns)
        return self._counts @ by_day


def quality(calls: Said, draws: Draws) -> Quality:
    """Scores of one speaker with intervals over days."""
    said, true = calls.said, calls.came_true
    parts = brier_parts(said, true)
    hit = ((said > 0.5) == (true > 0.0)).astype(np.float64)
    place = _bin_places(said)
    bins = np.eye(int(place.max()) + 1)[place]
    plain = np.column_stack([np.ones(len(said)), hit, np.square(said - true), calls.gain])
    sums = draws.sums(calls.day, np.column_stack([plain, bins * (said - true)[:, None]]))

    days = len(np.unique(calls.day))

    def ranged(value: float, of: Callable[[FloatArray], FloatArray]) -> Ranged:
        return _ranged(value, of(sums[sums[:, 0] > 0.0])) if days >= MIN_DAYS else Ranged(value, None, None)

    return Quality(
        calls=len(said),
        days=days,
        said=float(said.mean()),
        hit_rate=ranged(float(hit.mean()), lambda s: s[:, 1] / s[:, 0]),
        brier=ranged(brier_score(said, true), lambda s: s[:, 2] / s[:, 0]),
        skill=ranged(1.0 - parts.brier / COIN, lambda s: 1.0 - s[:, 2] / s[:, 0] / COIN),
        log_loss=log_loss(said, true),
        error=ranged(calibration_error(said, true), lambda s: np.abs(s[:, 4:]).sum(axis=1) / s[:, 0]),
        reliability=parts.reliability,
        resolution=parts.resolution,
        uncertainty=parts.uncertainty,
        gain=ranged(float(calls.gain.mean()), lambda s: s[:, 3] / s[:, 0]),
    )


def diagram(calls: Said, draws: Draws) -> Diagram:
    """The reliability diagram, each bin's share with its interval over days."""
    found = reliability_bins(calls.said, calls.came_true)
    place = _bin_places(calls.said)
    bins = np.eye(len(found.counts))[place]
    sums = draws.sums(calls.day, np.hstack([bins, bins * calls.came_true[:, None]]))
    n_bins = len(found.counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = sums[:, n_bins:] / sums[:, :n_bins]
    low, high = np.nanquantile(shares, [0.025, 0.975], axis=0)
    return Diagram(found.said, found.came_true, low, high, found.counts)


def said_by(scored: Sequence[Scored]) -> tuple[dict[str, Said], int]:
    """All calls by speaker, with their days as places among the sessions of all windows and epochs, and how many."""
    rows: dict[str, list[tuple[int, float, int, float, str, str]]] = {}
    n_days = 0
    for item in sorted(scored, key=lambda one: (one.epoch, str(one.sample.input["first"]))):
        told = cast("Mapping[str, Any]", item.outcome.transcript)
        place = {day: n_days + row for row, day in enumerate(told["sessions"])}
        for day, who, source, regime, said, came_true, gain in told["calls"]:
            rows.setdefault(who, []).append((place[day], said, came_true, gain, source, regime))
        n_days += len(place)
    return {who: _said(who, of) for who, of in rows.items()}, n_days


def _said(who: str, rows: Sequence[tuple[int, float, int, float, str, str]]) -> Said:
    day, said, came_true, gain, source, regime = zip(*rows, strict=True)
    stated, true, gained = (np.array(column, dtype=np.float64) for column in (said, came_true, gain))
    return Said(who, np.array(day, dtype=np.int64), stated, true, gained, source, regime)


def _bin_places(said: FloatArray) -> IntArray:
    """The bin of each call: that of the diagram, whose bins rise and never part equal forecasts."""
    means = reliability_bins(said, np.zeros(len(said)))
    edges = np.cumsum(means.counts)
    ranks = np.searchsorted(np.sort(said), said, side="left")
    return np.searchsorted(edges, ranks, side="right")


def _ranged(value: float, draws: FloatArray) -> Ranged:
    if len(draws) < N_DRAWS // 2:
        return Ranged(value, None, None)
    low, high = np.quantile(draws, [0.025, 0.975])
    return Ranged(value, float(low), float(high))
