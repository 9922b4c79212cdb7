"""Two evaluations side by side: the samples both have, paired, with intervals, and what they do not let us conclude."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...quant.arrays import DAYS_PER_YEAR, STILL, FloatArray
from ...quant.benchmark_metrics import sharpe_difference_interval
from ...quant.bootstrap import Interval, block_interval
from ...quant.errors import QuantError
from ...quant.multiple_tests import (
    POWER,
    block_length,
    detectable_effect,
    holm,
    long_run_deviation,
    mean_p_value,
    observations_needed,
)
from ...quant.performance import is_distinguishable_from_luck
from ..errors import NotComparable
from .task import Outcome

SERIES, DAILY = "series", "daily_return"
LEVEL_OF_FALSE_ALARMS = 0.05
MIN_PAIRS = 2
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

Outcomes = Mapping[str, Sequence[Outcome]]
"""By sample, an outcome for each epoch."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One score of B less the same of A, over pairs. `holm_p` allows for how many scores were looked at.

    `needed` is how many pairs would show a difference of this size four times out of five, `detectable` the
    smallest one that these pairs would show as often; both are None where no pair differs from another.
    """

    score: str
    pairs: str
    n: int
    mean_a: float
    mean_b: float
    mean: float
    interval: Interval
    p_value: float
    holm_p: float
    needed: int | None
    detectable: float | None

    @property
    def is_clear(self) -> bool:
        return self.holm_p <= LEVEL_OF_FALSE_ALARMS


@dataclass(frozen=True, slots=True)
class Comparison:
    """What B does otherwise than A. `rows` are sample, score, A, B; `sharpe` is of paired days alone."""

    shared: int
    only_a: int
    only_b: int
    differences: tuple[Difference, ...]
    rows: tuple[tuple[str, str, float, float], ...]
    turned: tuple[tuple[str, str], ...]
    """Samples that pass in one of the two alone, and in which."""
    sharpe: Interval | None
    sentences: tuple[str, ...]


def compare(a: Outcomes, b: Outcomes, seed: int = 0) -> Comparison:
    """Pairs by sample, and days by date where samples hold a series; raises NotComparable when nothing pairs up."""
    shared = [name for name in a if name in b]
    scores = {**_score_pairs(a, b, shared), **_day_pairs(a, b, shared)}
    scores = {name: pair for name, pair in scores.items() if len(pair[0]) >= MIN_PAIRS}
    if not scores:
        raise NotComparable(
            f"the evaluations share {len(shared)} samples and no score of two or more pairs",
            remedy="Compare two evaluations of one suite, or two samples with a series of days: A:SAMPLE B:SAMPLE.",
        )
    drafts = [_difference(name, one, other, is_days, seed) for name, (one, other, is_days) in scores.items()]
    adjusted = holm([item.p_value for item in drafts])
    differences = tuple(replace(item, holm_p=float(p)) for item, p in zip(drafts, adjusted, strict=True))
    daily = scores.get(DAILY)
    sharpe = _sharpe(daily[0], daily[1], seed) if daily else None
    return Comparison(
        shared=len(shared),
        only_a=len(a) - len(shared),
        only_b=len(b) - len(shared),
        differences=differences,
        rows=_rows(a, b, shared),
        turned=_turned(a, b, shared),
        sharpe=sharpe,
        sentences=_sentences(differences, sharpe),
    )


def _score_pairs(a: Outcomes, b: Outcomes, shared: Sequence[str]) -> dict[str, tuple[FloatArray, FloatArray, bool]]:
    """By score, the means over epochs of each shared sample; epochs of one sample are no observations of their own."""
    found: dict[str, list[tuple[float, float]]] = {}
    for sample in shared:
        one, other = _means(a[sample]), _means(b[sample])
        for name in one:
            if name in other:
                found.setdefault(name, []).append((one[name], other[name]))
    is_days = bool(shared) and all(_DAY.fullmatch(sample) for sample in shared)
    return {
        name: (np.array([x for x, _ in pairs]), np.array([y for _, y in pairs]), is_days)
        for name, pairs in found.items()
    }


def _day_pairs(a: Outcomes, b: Outcomes, shared: Sequence[str]) -> dict[str, tuple[FloatArray, FloatArray, bool]]:
    """The days that both series hold; of samples with one name, or of the only one on each side."""
    names = [(name, name) for name in shared if _series(a[name]) and _series(b[name])]
    if not names and not shared and len(a) == len(b) == 1:
        names = [(next(iter(a)), next(iter(b)))]
    for one, other in names:
        left, right = _series(a[one]), _series(b[other])
        days = sorted(left.keys() & right.keys())
        if days:
            pair = np.array([left[day] for day in days]), np.array([right[day] for day in days])
            return {DAILY: (*pair, True)}
    return {}


def _series(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Simple returns by day of the first epoch; nothing where a sample holds none."""
    transcript: Any = outcomes[0].transcript
    series = transcript.get(SERIES) if isinstance(transcript, dict) else None
    if not isinstance(series, dict):
        return {}
    return {str(day): float(value) for day, value in zip(series["days"], series["returns"], strict=True)}


def _means(outcomes: Sequence[Outcome]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for outcome in outcomes:
        for name, value in outcome.scores.items():
            if value is not None:
                found.setdefault(name, []).append(value)
        if outcome.passed is not None:
            found.setdefault("passed", []).append(float(outcome.passed))
    return {name: float(np.mean(values)) for name, values in found.items()}


def _difference(name: str, one: FloatArray, other: FloatArray, is_days: bool, seed: int) -> Difference:
    gaps, rng = other - one, np.random.default_rng(seed)
    n, mean = len(gaps), float(gaps.mean())
    block = block_length(n) if is_days else 1.0
    interval = block_interval(gaps, lambda draws: draws.mean(axis=1), rng, block_days=block)
    p_value = mean_p_value(gaps, rng, block_days=block)
    deviation = long_run_deviation(gaps, None if is_days else 0)
    moves = deviation > STILL * max(abs(mean), 1.0)
    return Difference(
        score=name,
        pairs="days" if is_days else "samples",
        n=n,
        mean_a=float(one.mean()),
        mean_b=float(other.mean()),
        mean=mean,
        interval=interval,
        p_value=p_value,
        holm_p=p_value,
        needed=observations_needed(mean, deviation) if moves and mean != 0.0 else None,
        detectable=detectable_effect(n, deviation) if moves else None,
    )


def _sharpe(one: FloatArray, other: FloatArray, seed: int) -> Interval | None:
    """Of the annualized Sharpe ratios' difference; None where one of them stands still in some draw."""
    try:
        block = block_length(len(one))
        return sharpe_difference_interval(other, one, np.random.default_rng(seed), block_days=block)
    except QuantError:
        return None


def _rows(a: Outcomes, b: Outcomes, shared: Sequence[str]) -> tuple[tuple[str, str, float, float], ...]:
    """Every score that differs, the largest relative differences first."""
    found: list[tuple[str, str, float, float]] = []
    for sample in shared:
        one, other = _means(a[sample]), _means(b[sample])
        found += [(sample, name, one[name], other[name]) for name in one if name in other and one[name] != other[name]]
    return tuple(sorted(found, key=lambda row: -abs(row[3] - row[2]) / max(abs(row[2]), abs(row[3]))))


def _turned(a: Outcomes, b: Outcomes, shared: Sequence[str]) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for sample in shared:
        one, other = ([item.passed for item in side[sample]] for side in (a, b))
        if all(one) and not all(other) and None not in other:
            found.append((sample, "A"))
        elif all(other) and not all(one) and None not in one:
            found.append((sample, "B"))
    return tuple(found)


def _sentences(differences: Sequence[Difference], sharpe: Interval | None) -> tuple[str, ...]:
    """What can be said, and what cannot."""
    found: list[str] = []
    for item in differences:
        if item.mean == 0.0 and item.detectable is None:
            found.append(f"{item.score}: the same in both, over {item.n} {item.pairs}.")
        elif item.is_clear:
            way = "higher" if item.mean > 0 else "lower"
            found.append(
                f"{item.score}: B is {way} by {abs(item.mean):.4g}, which chance makes of nothing with p = "
                f"{item.holm_p:.3g} after Holm over {len(differences)} scores ({item.n} {item.pairs})."
            )
        else:
            found.append(_cannot(item))
    daily = next((item for item in differences if item.score == DAILY), None)
    if daily is not None:
        found += _on_days(daily, sharpe)
    return tuple(found)


def _cannot(item: Difference) -> str:
    text = f"{item.score}: {item.n} {item.pairs} do not show which is better (p = {item.holm_p:.2g} after Holm)"
    if item.needed is not None:
        text += f"; if the difference is what it looks like, {item.needed:,} {item.pairs} show it {POWER:.0%} of times"
    if item.detectable is not None:
        text += f"; these show {item.detectable:.3g} or more"
    return text + "."


def _on_days(daily: Difference, sharpe: Interval | None) -> list[str]:
    a_year = (value * DAYS_PER_YEAR for value in (daily.mean, daily.interval.low, daily.interval.high))
    found = ["A year of it: B less A {:+.2%}, 95 % interval {:+.2%} to {:+.2%}.".format(*a_year)]
    if sharpe is not None:
        found.append(f"Sharpe ratio, B less A: 95 % interval {sharpe.low:+.2f} to {sharpe.high:+.2f}.")
    if not is_distinguishable_from_luck(daily.n):
        found.append(
            f"{daily.n} days are fewer than three years: nothing about skill can be concluded from them, whatever "
            "the interval says, and blocks of days make it too narrow on so few."
        )
    return found
