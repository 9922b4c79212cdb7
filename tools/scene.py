"""What the tools of one decision look at: the market as of a moment, the book, and the names fit to trade.

A window is a number of bars. Where a session holds many bars, every return within it is scaled to a whole session by
the square root of time, so that what is a day's risk on daily bars is a day's risk here too. A move over the night
stays as it is: it happens once a day.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

from ..domain.instruments import Instrument, Universe
from ..domain.portfolio import Portfolio
from ..gate.limits import Limits
from ..market.history import MarketView
from ..market.intervals import span_text
from ..quant.covariance import shrunk_cov
from ..quant.policy import PolicyParams
from .errors import NotEnoughData

FloatArray = npt.NDArray[np.float64]
Value = TypeVar("Value")

WINDOW_DAYS = 252
MAX_FILLED_DAYS = 12
"""Missing closes tolerated in the window: each is carried forward as a day without a move."""


@dataclass(frozen=True, slots=True)
class CostParams:
    """What trading is expected to cost, before it is known: the paper venue charges by the same numbers."""

    half_spread_bps: float
    fee_bps: float
    impact_coefficient: float
    assumed_daily_volume: float
    """USD a day, used only where the source has no volume; every figure that rests on it says so."""
    max_slices: int
    min_child_notional: float
    budget_bps: float


@dataclass(frozen=True)
class Scene:
    """One moment: every array in it ends at `view.as_of`; `as_of` reads are the only way in."""

    view: MarketView
    universe: Universe
    portfolio: Portfolio
    equity: Decimal
    peak_equity: Decimal
    limits: Limits
    policy: PolicyParams
    costs: CostParams
    memo: dict[str, object] = field(default_factory=dict, compare=False)

    def once(self, key: str, compute: Callable[[], Value]) -> Value:
        """The result of `compute`, worked out at most once per scene: several nodes ask for the same figures."""
        if key not in self.memo:
            self.memo[key] = compute()
        return cast(Value, self.memo[key])

    @cached_property
    def closes(self) -> FloatArray:
        """(n_days <= 253, n_names) closes of the window, short gaps carried forward."""
        recent = self.view.close[-(WINDOW_DAYS + 1) :]
        return _carried_forward(recent) if np.isnan(recent).any() else recent

    @cached_property
    def tradable(self) -> tuple[int, ...]:
        """Columns of the names with a close at the last row and a whole window behind it, in which they moved.

        A price that never moves has no correlation with anything and hides what it would cost to sell.
        """
        recent = self.view.close[-(WINDOW_DAYS + 1) :]
        if len(recent) < WINDOW_DAYS + 1:
            raise NotEnoughData(
                f"{len(recent)} {self._rows} before {self._moment}, {WINDOW_DAYS + 1} are needed",
                remedy="Start the run later, or give the data set a longer history.",
            )
        missing = np.isnan(recent)
        moved = np.fmax.reduce(recent, axis=0) > np.fmin.reduce(recent, axis=0)
        fit = ~missing[-1] & ~missing[0] & (missing.sum(axis=0) <= MAX_FILLED_DAYS) & moved
        columns = tuple(int(column) for column in np.flatnonzero(fit))
        if not columns:
            raise NotEnoughData(
                f"no instrument has {WINDOW_DAYS + 1} {self._rows} behind {self._moment}",
                remedy="Run `parley data check` on the data set to see where its gaps are.",
            )
        return columns

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """The tradable symbols, in the universe's order."""
        return tuple(self.view.symbols[column] for column in self.tradable)

    @cached_property
    def instruments(self) -> tuple[Instrument, ...]:
        """The tradable instruments, in the same order."""
        return tuple(map(self.instrument, self.symbols))

    def instrument(self, symbol: str) -> Instrument:
        """The universe's instrument of this symbol; a symbol it does not list is a fault of the program."""
        return self._by_symbol[symbol]

    @cached_property
    def _by_symbol(self) -> dict[str, Instrument]:
        return {item.symbol: item for item in self.universe.instruments}

    @cached_property
    def returns(self) -> FloatArray:
        """(252, n_tradable) simple returns over a session, or scaled to one."""
        closes = self.closes[:, list(self.tradable)]
        return self.scaled(closes[1:] / closes[:-1] - 1.0)

    def scaled(self, returns: FloatArray) -> FloatArray:
        """The last bars' returns (n_bars,) or (n_bars, n_names) as those of a whole session; daily ones are that."""
        if self.view.interval is None:
            return returns
        days = self.view.sessions[-(len(returns) + 1) :]
        scale = np.where(days[1:] == days[:-1], self.view.interval.bars_per_session**0.5, 1.0)
        return returns * (scale if returns.ndim == 1 else scale[:, None])

    @property
    def _rows(self) -> str:
        return "sessions" if self.view.interval is None else f"bars of {span_text(self.view.interval.bar_s)}"

    @property
    def _moment(self) -> str:
        return f"{self.view.as_of:%Y-%m-%d}" + (
            "" if self.view.interval is None else f"{self.view.as_of: %H:%M:%S} UTC"
        )

    @cached_property
    def covariance(self) -> FloatArray:
        """(n_tradable, n_tradable) shrunk covariance of returns over a session."""
        return shrunk_cov(self.returns)

    @cached_property
    def prices(self) -> dict[str, Decimal]:
        """Last close of every symbol that has one, on its tick grid: what the book is valued at."""
        lasts = zip(self.universe.instruments, self.view.last_closes().tolist(), strict=True)
        return {item.symbol: on_grid(last, item.tick) for item, last in lasts if last == last}

    @cached_property
    def daily_volume(self) -> dict[str, float]:
        """Mean volume in shares a session, for the symbols whose source has volume: over the last 21 sessions, or over
        the window's bars, of which a session has so many; a bar without a trade counts as none then."""
        if self.view.volume is None:
            return {}
        interval = self.view.interval
        recent = self.view.volume[-21:] if interval is None else self.view.volume[-WINDOW_DAYS:]
        seen = ~np.isnan(recent)
        counts = seen.sum(axis=0)
        bars = counts if interval is None else np.where(counts, len(recent) / interval.bars_per_session, 0.0)
        means = np.where(seen, recent, 0.0).sum(axis=0) / np.where(counts > 0, bars, 1)
        return {symbol: float(means[column]) for column, symbol in enumerate(self.view.symbols) if counts[column]}

    @cached_property
    def market_returns(self) -> FloatArray:
        """(252,) returns of the benchmark, or of the equal-weighted names when there is none."""
        benchmark = self.view.benchmark
        if benchmark is not None and np.isfinite(benchmark[-(WINDOW_DAYS + 1) :]).all():
            levels = benchmark[-(WINDOW_DAYS + 1) :]
            return self.scaled(levels[1:] / levels[:-1] - 1.0)
        return self.returns.mean(axis=1)

    @property
    def vix(self) -> float | None:
        """Index points at the last close; None where the source has no volatility index, or none that day."""
        last = None if self.view.vix is None else float(self.view.vix[-1])
        return None if last is None or not np.isfinite(last) else last

    def held_weights(self) -> dict[str, float]:
        """Fractions of equity held now, by symbol."""
        equity = float(self.equity)
        return {
            symbol: float(self.prices[symbol] * quantity) / equity
            for symbol, quantity in self.portfolio.holdings().items()
        }

    def vector(self, weights: Mapping[str, float]) -> FloatArray:
        """Weights by symbol as an array over the tradable names; other names are left out."""
        return np.array([weights.get(symbol, 0.0) for symbol in self.symbols])


def on_grid(price: float, tick: Decimal) -> Decimal:
    """The tick nearest to a price, at least one."""
    ticks = (Decimal(repr(float(price))) / tick).to_integral_value(rounding=ROUND_HALF_EVEN)
    return max(ticks, Decimal(1)) * tick


def _carried_forward(closes: FloatArray) -> FloatArray:
    """Each NaN replaced by the last close before it; a leading NaN stays."""
    rows = np.where(np.isnan(closes), 0, np.arange(len(closes))[:, None])
    np.maximum.accumulate(rows, axis=0, out=rows)
    return np.take_along_axis(closes, rows, axis=0)
