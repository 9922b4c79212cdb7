"""How much of a record luck could explain: deflated Sharpe ratio, the record's needed length, and selection."""

from collections.abc import Callable, Mapping

import numpy as np

from ..quant.arrays import DAYS_PER_YEAR, FloatArray
from ..quant.bootstrap import BLOCK_DAYS, N_DRAWS, block_interval, percentile_interval
from ..quant.errors import QuantError
from ..quant.overfitting import min_track_record_days, overfit_probability
from ..quant.path_metrics import moments
from ..quant.performance import (
    MIN_DAYS_TO_JUDGE,
    deflated_sharpe,
    expected_best_sharpe,
    is_distinguishable_from_luck,
    probabilistic_sharpe,
    sharpe,
)
from .errors import NotEnoughData
from .ledger import Ledger, figure
from .track_record import INTERVAL_SEED, TrackRecord, defined, interval_of, or_none

CONFIDENCE = 0.95
MAX_TRIALS = 1_000_000
BINS = 40
CSCV_BLOCKS = (16, 8)
"""Blocks of the cross-validation, the first number that leaves each block a month."""

VERDICTS = {
    "short": "A record shorter than three years cannot be told from luck, whatever its figures.",
    "zero": "The interval of the Sharpe ratio reaches zero: this record does not rule out luck.",
    "trials": "Better than nothing, yet the best of that many trials without skill would look about as good.",
    "stands": "Longer than three years, and better than luck and the counted trials explain; only those are counted.",
    "hindsight": "Held over a past they may have been chosen on: these figures cannot tell skill from hindsight.",
    "still": "The record stood still: no risk was taken, so there is no ratio to judge.",
}
LUCK_CONVENTIONS = {
    "trials": "Every configuration ever looked at counts, the dead ends too; by default only this one.",
    "trial_variance": "Trials as independent and without skill: a daily Sharpe ratio then has variance 1 / (n - 1).",
    "psr": "Probability that the true Sharpe ratio is above zero, given skew and kurtosis (Bailey and others 2012).",
    "dsr": "The same against the best that so many trials without skill would show (Bailey and others 2014).",
    "min_track_record": "Days until the probability above zero passes 95 % at this Sharpe ratio and these moments.",
    "year_interval": f"Compound return a year, stationary blocks of {BLOCK_DAYS} days on average; 95 %, "
    f"{N_DRAWS:,} draws.",
    "drawdown_interval": f"Largest drawdown of a resampled history, circular blocks of {BLOCK_DAYS} days; 95 %, "
    f"{N_DRAWS:,} draws.",
}


def luck(ledger: Ledger, record: TrackRecord, n_trials: int) -> tuple[str, dict[str, object]]:
    """What luck alone could have made of this record, given how many configurations were tried."""
    n_days, undefined = len(record.returns), dict[str, str]()
    long_enough = is_distinguishable_from_luck(n_days)
    output: dict[str, object] = {
        **record.span,
        "is_long_enough": long_enough,
        "min_days_to_judge": MIN_DAYS_TO_JUDGE,
        "n_trials": n_trials,
        **_resampled(record),
        "conventions": dict(LUCK_CONVENTIONS),
    }
    judged = defined(lambda: _judged(record, n_trials), "sharpe", undefined)
    if judged is None:
        output |= {"verdict": VERDICTS["still" if long_enough else "short"], "undefined": undefined}
    else:
        kind = "short" if not long_enough else "hindsight" if record.is_hindsight else _kind(judged)
        output |= {**judged, "verdict": VERDICTS[kind], "undefined": undefined}
    return ledger.record("luck", 1, "as named", {**record.inputs, "trials": n_trials}, output).id, output


def selection_luck(
    ledger: Ledger, returns: Mapping[str, FloatArray], what: str, inputs: Mapping[str, object]
) -> tuple[str, dict[str, object]]:
    """How often the best of several strategies in one half of the days is below the median in the other half.

    Combinatorially symmetric cross-validation over `returns`, (n_days,) each and over the same days; a set too
    small, too short or too idle for it is refused in the entry.
    """
    names = sorted(returns)
    output: dict[str, object] = {"what": what, "names": names}
    try:
        output |= _cross_validated(np.column_stack([returns[name] for name in names]) if names else np.empty((0, 0)))
    except (QuantError, NotEnoughData) as error:
        output["refused"] = error.message
    return ledger.record(
        "selection_luck", 1, "probability", {**inputs, "what": what, "names": names}, output
    ).id, output


def _judged(record: TrackRecord, n_trials: int) -> dict[str, object]:
    n_days = len(record.returns)
    annual = sharpe(record.returns)
    daily = annual / DAYS_PER_YEAR**0.5
    skew, kurtosis = moments(record.returns)
    variance = 1.0 / (n_days - 1)

    def deflated(trials: int) -> float:
        return deflated_sharpe(daily, n_days, skew, kurtosis, n_trials=trials, trial_variance=variance)

    needed = min_track_record_days(daily, skew, kurtosis, level=CONFIDENCE) if daily > 0.0 else None
    draws = record.sharpe_draws
    counts, edges = np.histogram(draws, bins=BINS)
    return {
        "sharpe": figure(annual),
        **interval_of("sharpe", percentile_interval(draws)),
        "chance_not_above_zero": figure(float((draws <= 0.0).mean())),
        "psr": figure(probabilistic_sharpe(daily, n_days, skew, kurtosis)),
        "expected_best_sharpe": figure(expected_best_sharpe(n_trials, variance) * DAYS_PER_YEAR**0.5),
        "dsr": figure(deflated(n_trials)),
        "trials_survived": _survived(deflated),
        "min_track_record_days": or_none(needed),
        "min_track_record_years": or_none(None if needed is None else needed / DAYS_PER_YEAR),
        "histogram": {"edges": [figure(edge) for edge in edges.tolist()], "counts": counts.tolist()},
    }


def _survived(deflated: Callable[[int], float]) -> int:
    """The most trials after which the record still passes the confidence; 0 when it does not even with one."""
    if deflated(1) < CONFIDENCE:
        return 0
    low, high = 1, 2
    while high < MAX_TRIALS and deflated(high) >= CONFIDENCE:
        low, high = high, 2 * high
    if high >= MAX_TRIALS:
        return MAX_TRIALS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if deflated(middle) >= CONFIDENCE else (low, middle)
    return low


def _kind(judged: Mapping[str, object]) -> str:
    low, dsr = judged["sharpe_low"], judged["dsr"]
    assert isinstance(low, float) and isinstance(dsr, float), "both were just computed"
    if low <= 0.0:
        return "zero"
    return "stands" if dsr >= CONFIDENCE else "trials"


def _resampled(record: TrackRecord) -> dict[str, float | None]:
    rng = np.random.default_rng
    year = block_interval(record.returns, _annual_returns, rng(INTERVAL_SEED), level=CONFIDENCE)
    fall = block_interval(record.returns, _deepest_falls, rng(INTERVAL_SEED), blocks="circular", level=CONFIDENCE)
    return {**interval_of("annual_return", year), **interval_of("max_drawdown", fall)}


def _annual_returns(drawn: FloatArray) -> FloatArray:
    return np.expm1(np.log1p(drawn).mean(axis=1) * DAYS_PER_YEAR)


def _deepest_falls(drawn: FloatArray) -> FloatArray:
    """Logarithms turn the product into a sum; the start counts as a peak."""
    path = np.log1p(drawn).cumsum(axis=1)
    peak = np.maximum(np.maximum.accumulate(path, axis=1), 0.0)
    return -np.expm1((path - peak).min(axis=1).clip(max=0.0))


def _cross_validated(matrix: FloatArray) -> dict[str, object]:
    n_days, n_names = matrix.shape
    if n_names < 2:
        raise NotEnoughData(f"{n_names} strategy, choosing takes at least two")
    blocks = next((count for count in CSCV_BLOCKS if n_days >= count * BLOCK_DAYS), None)
    if blocks is None:
        raise NotEnoughData(f"{n_days} days, the cross-validation needs {CSCV_BLOCKS[-1] * BLOCK_DAYS}")
    found = overfit_probability(matrix, blocks)
    inside, outside = found.best_in_sample, found.best_out_of_sample
    return {
        "days": n_days,
        "blocks": blocks,
        "splits": len(found.logits),
        "probability": figure(found.probability),
        "loss_probability": figure(found.loss_probability),
        "in_sample_median": figure(float(np.median(inside))),
        **interval_of("in_sample", percentile_interval(inside)),
        "out_of_sample_median": figure(float(np.median(outside))),
        **interval_of("out_of_sample", percentile_interval(outside)),
    }
