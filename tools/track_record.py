"""A record of daily equity beside its benchmark, as the tools that judge it take it, and how they write figures."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ..domain.canonical import content_hash
from ..quant.arrays import DAYS_PER_YEAR, FloatArray, IntArray
from ..quant.bootstrap import BLOCK_DAYS, MIN_INTERVAL_DAYS, N_DRAWS, Interval
from ..quant.errors import SampleError
from ..quant.sharpe_bootstrap import sharpe_draws
from .errors import NotEnoughData
from .ledger import figure

Value = TypeVar("Value")

INTERVAL_SEED = 20_200_102
"""The bootstrap's own seed: the interval of a run is a property of the run, not of the moment it is printed."""
ROLLING_DAYS = DAYS_PER_YEAR
MAX_POINTS = 240
"""Points kept of a rolling figure: more would not be seen."""


@dataclass(frozen=True, eq=False)
class TrackRecord:
    """Equity at each close, the first value before the first day that is judged; the benchmark over the same closes."""

    name: str
    sessions: npt.NDArray[np.datetime64]
    """(n_days + 1,) days."""
    equity: FloatArray
    """(n_days + 1,) net of costs, above 0."""
    benchmark: FloatArray | None
    """(n_days + 1,) levels; None where there is none for every day."""
    benchmark_name: str
    turnover: float
    """A year, buys plus sells over mean equity."""
    costs_bps: float
    """Fees, spread and impact over traded value."""
    is_hindsight: bool = False
    """Whether what was held could have been chosen on the very days that are judged."""

    def __post_init__(self) -> None:
        if len(self.equity) <= MIN_INTERVAL_DAYS:
            raise NotEnoughData(
                f"{self.name}: {len(self.equity)} closes, judging a record takes {MIN_INTERVAL_DAYS + 1}",
                remedy="Run over a longer span; three years are the least that is worth an opinion.",
            )

    @cached_property
    def returns(self) -> FloatArray:
        """(n_days,) simple daily returns."""
        return self.equity[1:] / self.equity[:-1] - 1.0

    @cached_property
    def benchmark_returns(self) -> FloatArray:
        """(n_days,) simple daily returns; raises NotEnoughData where there is no benchmark."""
        if self.benchmark is None:
            raise NotEnoughData(
                f"{self.name}: no benchmark is known for every day", remedy="Use a data set that has one."
            )
        return self.benchmark[1:] / self.benchmark[:-1] - 1.0

    @cached_property
    def days(self) -> list[str]:
        """The n_days + 1 closes as ISO days."""
        return [str(day) for day in self.sessions.astype("datetime64[D]")]

    @cached_property
    def sharpe_draws(self) -> FloatArray:
        """(N_DRAWS,) annual Sharpe ratios of resampled histories; raises SampleError for a record that stands still."""
        return sharpe_draws(self.returns, np.random.default_rng(INTERVAL_SEED))

    @cached_property
    def inputs(self) -> dict[str, object]:
        """What every ledger entry about this record is addressed by."""
        levels = None if self.benchmark is None else self.benchmark.tolist()
        series = content_hash({"days": self.days, "equity": self.equity.tolist(), "benchmark": levels})
        return {
            "record": self.name,
            "series": series,
            "hindsight": self.is_hindsight,
            "turnover": self.turnover,
            "costs_bps": self.costs_bps,
            "seed": INTERVAL_SEED,
            "draws": N_DRAWS,
            "block": BLOCK_DAYS,
        }

    @property
    def span(self) -> dict[str, object]:
        """From when to when, as ledger entries say it."""
        n_days = len(self.returns)
        return {
            "first_day": self.days[0],
            "last_day": self.days[-1],
            "days": n_days,
            "years": figure(n_days / DAYS_PER_YEAR),
        }


def defined(compute: Callable[[], Value], name: str, undefined: dict[str, str]) -> Value | None:
    """The figure, or None with the reason kept: a ratio without a denominator is no zero."""
    try:
        return compute()
    except (SampleError, NotEnoughData) as error:
        undefined[name] = error.message
        return None


def or_none(value: float | None) -> float | None:
    """A figure as the ledger keeps it, or null."""
    return None if value is None else figure(value)


def interval_of(name: str, found: Interval | None) -> dict[str, float | None]:
    """The two ends under the name of what they surround."""
    low, high = (None, None) if found is None else (figure(found.low), figure(found.high))
    return {f"{name}_low": low, f"{name}_high": high}


def thinned(n_rows: int) -> list[int]:
    """Evenly spaced rows, the first and the last among them."""
    rows: IntArray = np.unique(np.linspace(0, n_rows - 1, min(n_rows, MAX_POINTS)).round().astype(np.int64))
    return rows.tolist()


def period_ends(record: TrackRecord, unit: str) -> list[tuple[int, int]]:
    """The close before each period and its last close, as rows; the first period starts at the record's own start."""
    periods = record.sessions[1:].astype(unit)
    last = np.append(np.flatnonzero(periods[1:] != periods[:-1]) + 1, len(periods)).tolist()
    return list(zip([0, *last[:-1]], last, strict=True))


def grown(levels: FloatArray, first: int, last: int) -> float:
    """Return from one row of a path to a later one."""
    return figure(float(levels[last] / levels[first]) - 1.0)
