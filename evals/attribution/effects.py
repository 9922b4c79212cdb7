"""Profit by effect: the market, how much was in it and when, which sectors, which names, and what trading cost.

Brinson and Fachler's allocation and selection for every session against 1/N of the data set's names, with cash as a
group, in currency: amounts add up over days as linked percentages do not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from ...domain.instruments import Universe
from ...quant.arrays import FloatArray
from ...quant.brinson import brinson_fachler
from .cells import Cell, Session
from .errors import NothingToSplit

UNCLASSIFIED = "unclassified"
MARKET, TIMING = "market at the mean exposure", "timing of the exposure"
ALLOCATION, SELECTION = "allocation to sectors", "selection within sectors"
TRADING, SPREAD, FEES, CARRY = "timing of trades in the day", "spread and impact", "fees", "dividends and borrow"
EFFECTS = (MARKET, TIMING, ALLOCATION, SELECTION, TRADING, SPREAD, FEES, CARRY)
TRADED: Mapping[str, str] = {TRADING: "trading", SPREAD: "spread_impact", FEES: "fees", CARRY: "carry"}


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Closes of every name at each of a run's sessions, in the shares of the last, NaN where there is none."""

    symbols: tuple[str, ...]
    close: FloatArray
    """(n_sessions, n_symbols)"""


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """Each effect in currency by session, (n_sessions - 1,); the first session had nothing to hold."""

    by_effect: Mapping[str, FloatArray]
    mean_exposure: float
    """Mean share of equity that was invested."""
    sectors: Mapping[str, tuple[float, float]]
    """Allocation and selection of each sector, in currency."""


def effects(sessions: Sequence[Session], prices: Prices, universe: Universe) -> Effects:
    """Raises NothingToSplit for a run of one session. What the first session traded is in the second's day."""
    if len(sessions) < 2:
        raise NothingToSplit(f"{len(sessions)} sessions, two are needed", remedy="Run over a longer span.")
    held = {cell.symbol for session in sessions for cell in session.cells}
    groups = {symbol: sector_of(symbol, universe) for symbol in sorted({*prices.symbols, *held})}
    names = sorted(set(groups.values()))
    days = [_day(session, _returns(prices, row), groups, names) for row, session in enumerate(sessions[1:], start=1)]
    exposure = np.array([day.exposure for day in days])
    market = np.array([day.market for day in days])
    mean = float(exposure.mean())
    found = {
        MARKET: mean * market,
        TIMING: (exposure - mean) * market,
        ALLOCATION: np.array([day.allocation.sum() for day in days]),
        SELECTION: np.array([day.selection.sum() for day in days]),
    }
    for effect, part in TRADED.items():
        found[effect] = np.array([float(_sum(session.cells, part)) for session in sessions[1:]])
    return Effects(
        by_effect=found,
        mean_exposure=mean,
        sectors={
            name: (
                float(sum(day.allocation[place] for day in days)),
                float(sum(day.selection[place] for day in days)),
            )
            for place, name in enumerate(names)
        },
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Day:
    exposure: float
    market: float
    """What the whole equity would have made in the benchmark."""
    allocation: FloatArray
    """(n_groups,) without cash, whose part is the exposure's."""
    selection: FloatArray


def _day(session: Session, returns: Mapping[str, float], groups: Mapping[str, str], names: Sequence[str]) -> _Day:
    equity = float(session.equity_before)
    value, made, count, reference = (dict.fromkeys(names, 0.0) for _ in range(4))
    for cell in session.cells:
        value[groups[cell.symbol]] += float(cell.value_before)
        made[groups[cell.symbol]] += float(cell.holding)
    for symbol, change in returns.items():
        count[groups[symbol]] += 1.0
        reference[groups[symbol]] += change
    present = sum(count.values())
    whole = sum(reference.values()) / present if present else 0.0
    weights = np.array([value[name] / equity for name in names])
    norm = np.array([count[name] / present if present else 0.0 for name in names])
    # A group without a price that day has the whole benchmark's return, and a group that was not held its own.
    mean = np.array([reference[name] / count[name] if count[name] else whole for name in names])
    own = np.array([made[name] / value[name] if value[name] else mean[place] for place, name in enumerate(names)])
    cash = 1.0 - float(weights.sum())
    active = brinson_fachler(
        np.append(weights, cash), np.append(own, 0.0), np.append(norm, 0.0 if present else 1.0), np.append(mean, 0.0)
    )
    # Each sector against its share of what was invested: the sum is the same, as the benchmark's own groups sum to it.
    allocation = active.allocation[:-1] + cash * norm * (mean - whole)
    return _Day(
        exposure=1.0 - cash,
        market=equity * whole,
        allocation=equity * allocation,
        selection=equity * (active.selection + active.interaction)[:-1],
    )


def sector_of(symbol: str, universe: Universe) -> str:
    """The sector of a name; the kind of asset where no sector is known."""
    item = universe.instrument(symbol)
    if item is None:
        return UNCLASSIFIED
    return item.asset_class.value if item.sector == UNCLASSIFIED else item.sector


def _returns(prices: Prices, row: int) -> dict[str, float]:
    before, after = prices.close[row - 1], prices.close[row]
    return {
        symbol: float(after[column] / before[column] - 1.0)
        for column, symbol in enumerate(prices.symbols)
        if before[column] == before[column] and after[column] == after[column] and before[column] > 0.0
    }


def _sum(cells: Sequence[Cell], part: str) -> Decimal:
    return sum((getattr(cell, part) for cell in cells), Decimal(0))
