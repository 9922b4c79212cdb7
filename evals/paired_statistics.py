"""What paired trials say: the difference of each arm to TWAP and the prediction against what came, with intervals.

Windows of one recorded day are neither many nor independent. They are resampled in blocks, whole: all symbols, sides
and sizes of a window stay together, since they met the same market.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..quant.arrays import FloatArray
from ..quant.bootstrap import Interval, block_interval
from .paired_execution import TWAP, Trial

BLOCK_WINDOWS = 2.0
BAND_DEVIATIONS = 1.96
BAND_LEVEL = 0.95
"""What a normal cost would do: stay this often within so many of its standard deviations."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over windows, and how far it could be another one."""

    value: float
    interval: Interval

    @property
    def is_clear(self) -> bool:
        """The interval leaves out zero."""
        return self.interval.low > 0.0 or self.interval.high < 0.0


@dataclass(frozen=True, slots=True)
class Paired:
    """One arm of one kind of recording against TWAP, order by order; negative differences are the arm's gain."""

    kind: str
    arm: str
    orders: int
    windows: int
    cost_bps: float
    difference_bps: Estimate
    immediate_bps: Estimate
    """The part of the difference in what was paid to and past the touch: without the drift."""
    better_frac: float
    filled_frac: float
    denied: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """Predicted against realised costs of one kind of recording; each order's two sides are taken together.

    A buy and a sell of the same minutes share their drift with opposite signs, so that their mean is what trading cost.
    """

    kind: str
    orders: int
    windows: int
    predicted_bps: float
    realised_bps: float
    missed_bps: Estimate
    """Realised less predicted."""
    slope: Estimate
    """Of realised on predicted costs: one where they grow together."""
    covered: Estimate
    """Share of single orders whose cost was within the band of the prediction."""
    spread_slope: Estimate | None
    """The same of the spread alone; None for a single symbol, whose spread is predicted alike all day."""
    spread_missed_bps: Estimate
    predicted_spread_bps: float
    predicted_impact_bps: float
    paid_impact_bps: float


def paired(trials: Sequence[Trial], arm: str, seed: int = 0) -> Paired:
    """One arm's trials of one kind against TWAP's on the same orders."""
    mine = [trial for trial in trials if trial.arm == arm]
    usual = {_order(trial): trial for trial in trials if trial.arm == TWAP.name}
    others = [usual[_order(trial)] for trial in mine]
    gaps = np.array([one.cost_bps - other.cost_bps for one, other in zip(mine, others, strict=True)])
    touch = np.array([_immediate(one) - _immediate(other) for one, other in zip(mine, others, strict=True)])
    return Paired(
        kind=mine[0].kind,
        arm=arm,
        orders=len(mine),
        windows=len({trial.window for trial in mine}),
        cost_bps=float(np.mean([trial.cost_bps for trial in mine])),
        difference_bps=_mean(mine, gaps, seed),
        immediate_bps=_mean(mine, touch, seed),
        better_frac=float((gaps < 0.0).mean()),
        filled_frac=float(np.mean([trial.filled_frac for trial in mine])),
        denied=sum(trial.denied for trial in mine),
    )


def calibration(trials: Sequence[Trial], seed: int = 0) -> Calibration:
    """Predicted and realised costs of one kind's trials, of every arm."""
    by_pair: dict[tuple[object, ...], list[Trial]] = {}
    for trial in trials:
        by_pair.setdefault((trial.symbol, trial.window, trial.notional, trial.arm), []).append(trial)
    pairs = list(by_pair.values())
    firsts = [sides[0] for sides in pairs]
    singles = [trial for sides in pairs for trial in sides]
    expected = np.array([_mean_of(sides, lambda trial: trial.predicted_bps) for sides in pairs])
    came = np.array([_mean_of(sides, lambda trial: trial.cost_bps) for sides in pairs])
    touch = np.array([_mean_of(sides, lambda trial: trial.predicted_spread_bps) for sides in pairs])
    paid = np.array([_mean_of(sides, lambda trial: trial.spread_bps) for sides in pairs])
    inside = np.array(
        [abs(item.cost_bps - item.predicted_bps) <= BAND_DEVIATIONS * item.predicted_std_bps for item in singles], float
    )
    return Calibration(
        kind=firsts[0].kind,
        orders=len(singles),
        windows=len({trial.window for trial in firsts}),
        predicted_bps=float(expected.mean()),
        realised_bps=float(came.mean()),
        missed_bps=_mean(firsts, came - expected, seed),
        slope=_slope(firsts, expected, came, seed),
        covered=_mean(singles, inside, seed),
        spread_slope=_slope(firsts, touch, paid, seed) if len({trial.symbol for trial in firsts}) > 1 else None,
        spread_missed_bps=_mean(firsts, paid - touch, seed),
        predicted_spread_bps=_mean_of(singles, lambda trial: trial.predicted_spread_bps),
        predicted_impact_bps=_mean_of(singles, lambda trial: trial.predicted_impact_bps),
        paid_impact_bps=_mean_of(singles, lambda trial: trial.impact_bps),
    )


def _order(trial: Trial) -> tuple[object, ...]:
    return trial.symbol, trial.window, trial.side, trial.notional


def _immediate(trial: Trial) -> float:
    return trial.spread_bps + trial.impact_bps


def _mean_of(trials: Sequence[Trial], part: Callable[[Trial], float]) -> float:
    return float(np.mean([part(trial) for trial in trials]))


def _mean(trials: Sequence[Trial], values: FloatArray, seed: int) -> Estimate:
    """Mean of one value a trial; windows are resampled with all that is in them."""
    sums = _by_window(trials, np.column_stack([np.ones(len(values)), values]))
    return _estimate(sums, lambda drawn: drawn[..., 1].sum(axis=-1) / drawn[..., 0].sum(axis=-1), seed)


def _slope(trials: Sequence[Trial], x: FloatArray, y: FloatArray, seed: int) -> Estimate:
    """Least squares with an intercept, from the sums of each window."""
    # About their means, so that nothing is lost to rounding where predictions are close to each other.
    x, y = x - x.mean(), y - y.mean()
    sums = _by_window(trials, np.column_stack([np.ones(len(x)), x, y, x * y, x * x]))

    def slope(drawn: FloatArray) -> FloatArray:
        n, sx, sy, sxy, sxx = np.moveaxis(drawn.sum(axis=-2), -1, 0)
        # Windows that were all predicted alike have no slope, which the bootstrap refuses by name.
        with np.errstate(invalid="ignore", divide="ignore"):
            return (n * sxy - sx * sy) / (n * sxx - sx * sx)

    return _estimate(sums, slope, seed)


def _estimate(sums: FloatArray, statistic: Callable[[FloatArray], FloatArray], seed: int) -> Estimate:
    rng = np.random.default_rng(seed)
    return Estimate(float(statistic(sums)), block_interval(sums, statistic, rng, block_days=BLOCK_WINDOWS))


def _by_window(trials: Sequence[Trial], columns: FloatArray) -> FloatArray:
    """(n_windows, n_columns) sums over each window's trials, oldest window first."""
    windows = sorted({trial.window for trial in trials})
    place = {window: row for row, window in enumerate(windows)}
    sums = np.zeros((len(windows), columns.shape[1]))
    np.add.at(sums, [place[trial.window] for trial in trials], columns)
    return sums
