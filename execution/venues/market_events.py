"""What a venue's own market does: books shown, trades printed, auctions crossed, halts; all at the venue's time."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from ...domain.market import Quote
from ...domain.orders import Side

Tier = Literal["T0", "T1", "T2"]
"""What the data behind a fill were: bars, quotes and trades, or depth."""

Phase = Literal["open", "close"]
Levels = tuple[tuple[Decimal, int], ...]
"""Prices and the shares shown at each, best first."""


@dataclass(frozen=True, slots=True)
class Depth:
    """The book as shown at a moment; with one level a side it is a quote."""

    symbol: str
    ts_event: datetime
    bids: Levels
    asks: Levels
    synthetic: bool = False

    @property
    def is_usable(self) -> bool:
        """Two-sided, neither crossed nor locked, no negative size, levels in order: nobody is filled on anything
        else."""
        if not self.bids or not self.asks:
            return False
        bid, ask = self.bids[0][0], self.asks[0][0]
        if not (bid.is_finite() and ask.is_finite() and 0 < bid < ask):
            return False
        falling = all(near[0] > far[0] for near, far in zip(self.bids, self.bids[1:], strict=False))
        rising = all(near[0] < far[0] for near, far in zip(self.asks, self.asks[1:], strict=False))
        return falling and rising and all(size >= 0 for _, size in (*self.bids, *self.asks))


@dataclass(frozen=True, slots=True)
class Print:
    """One trade of others. `aggressor` is who took liquidity, None where the tape does not tell."""

    symbol: str
    ts_event: datetime
    price: Decimal
    size: int
    aggressor: Side | None = None


@dataclass(frozen=True, slots=True)
class Cross:
    """The official print of an auction."""

    symbol: str
    ts_event: datetime
    phase: Phase
    price: Decimal
    size: int


@dataclass(frozen=True, slots=True)
class Halt:
    """Trading stops, or goes on again."""

    symbol: str
    ts_event: datetime
    is_halted: bool
    reason: str = ""


MarketEvent = Depth | Print | Cross | Halt


def depth_of(quote: Quote) -> Depth:
    return Depth(
        quote.symbol,
        quote.ts_event,
        ((quote.bid, quote.bid_size),),
        ((quote.ask, quote.ask_size),),
        quote.synthetic,
    )
