"""A path cut into what a reader asks about: years, crises, and what the desk took the market for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...quant.arrays import DAYS_PER_YEAR, FloatArray
from ...quant.performance import max_drawdown

CRISES: Mapping[str, tuple[str, str]] = {
    "2000-02": ("2000-03-24", "2002-10-09"),
    "2008": ("2007-10-09", "2009-03-09"),
    "2020": ("2020-02-19", "2020-03-23"),
    "2022": ("2022-01-03", "2022-12-28"),
}
"""From the peak of the S&P 500 to its trough, closes of both; of 2022, when bonds fell with stocks, the year."""
REGIMES = ("calm", "stressed", "crisis", "unknown")


@dataclass(frozen=True, slots=True)
class Spell:
    """What a stretch came to: its compound return, and the largest fall from a peak inside it."""

    name: str
    n_days: int
    total_return: float
    max_drawdown: float


def years(days: Sequence[str], equity: FloatArray) -> list[Spell]:
    """Each calendar year, from the close before it; the first from where the path starts."""
    year = np.array([day[:4] for day in days[1:]])
    return [_spell(name, equity, np.flatnonzero(year == name) + 1) for name in sorted(set(year.tolist()))]


def crises(days: Sequence[str], equity: FloatArray) -> list[Spell]:
    """Those of `CRISES` that the path covers from end to end."""
    labels, found = np.array([day[:10] for day in days]), list[Spell]()
    for name, (peak, trough) in CRISES.items():
        rows = np.flatnonzero((labels > peak) & (labels <= trough))
        if len(rows) and labels[0] <= peak and labels[-1] >= trough:
            found.append(_spell(name, equity, rows))
    return found


def _spell(name: str, equity: FloatArray, rows: npt.NDArray[np.int64]) -> Spell:
    inside = equity[rows[0] - 1 : rows[-1] + 1]
    return Spell(name, len(rows), float(inside[-1] / inside[0] - 1.0), max_drawdown(inside))


@dataclass(frozen=True, slots=True)
class RegimeRow:
    """The days that followed a close at which the market was taken for this."""

    regime: str
    n_days: int
    mean_return: float
    """A year, arithmetic."""
    volatility: float
    mean_exposure: float


def by_regime(regimes: Sequence[str], returns: FloatArray, exposure: FloatArray) -> list[RegimeRow]:
    """Returns (n_days,) by the regime known at the close before each; `exposure` (n_days,) is of that close, too."""
    known = np.array(regimes)
    found = list[RegimeRow]()
    for regime in _present(regimes):
        rows = known == regime
        few = int(rows.sum()) < 2
        found.append(
            RegimeRow(
                regime=regime,
                n_days=int(rows.sum()),
                mean_return=float(returns[rows].mean()) * DAYS_PER_YEAR,
                volatility=0.0 if few else float(returns[rows].std(ddof=1)) * DAYS_PER_YEAR**0.5,
                mean_exposure=float(exposure[rows].mean()),
            )
        )
    return found


def _present(regimes: Iterable[str]) -> list[str]:
    seen = set(regimes)
    return [name for name in REGIMES if name in seen]
