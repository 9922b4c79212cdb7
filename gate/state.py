"""What the gate is told about the book and the market: plain frozen values, no feed and no clock behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from ..domain.instruments import Instrument
from ..domain.market import Quote
from ..domain.orders import Side
from ..domain.portfolio import Portfolio
from ..domain.trading import UNRESTRICTED, TradingState, TradingStates

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WorkingOrder:
    """An order that may still fill, UNKNOWN ones included: `quantity` is what is open."""

    client_order_id: str
    symbol: str
    side: Side
    quantity: int
    worst_price: Decimal


@dataclass(frozen=True, slots=True)
class GateState:
    """The book and the marks a plan is reviewed against.

    `prices` and `price_ages_days` are by symbol, for every held and every planned instrument;
    `daily_volumes` holds the usual shares per day where a volume is recorded, and nothing elsewhere;
    `returns` are simple daily returns (n_days, n) in the order of `return_symbols`, NaN where no bar exists.
    """

    portfolio: Portfolio
    instruments: Mapping[str, Instrument]
    prices: Mapping[str, Decimal]
    price_ages_days: Mapping[str, float]
    equity: Decimal
    previous_equity: Decimal
    returns: FloatArray
    return_symbols: tuple[str, ...]
    state_version: str
    daily_volumes: Mapping[str, float] = field(default_factory=dict[str, float])
    working: tuple[WorkingOrder, ...] = ()
    trading_states: TradingStates = UNRESTRICTED


@dataclass(frozen=True, slots=True)
class OrderContext:
    """The instant a child is reviewed in; orders that may still fill are counted as filled.

    `committed` is what the parent's earlier children have filled or may fill, `children` their number;
    `reserved` is the worst cost of open buys; `gross_value` and `sector_value` are exposures at the plan's
    marks with open orders filled on the side that adds, and no credit for sells that have not filled.
    """

    quote: Quote | None
    held: int
    open_buys: int
    open_sells: int
    committed: int
    children: int
    traded: int
    cash: Decimal
    reserved: Decimal
    gross_value: Decimal
    sector_value: Decimal
    worst_fee: Decimal = Decimal(0)
    trading_state: TradingState = TradingState.ACTIVE

    def text(self) -> str:
        """All of it on one line, for the hash of the review made in it."""
        quote = self.quote
        seen = () if quote is None else (quote.symbol, quote.ts_event.isoformat(), quote.bid, quote.ask)
        counts = (self.held, self.open_buys, self.open_sells, self.committed, self.children, self.traded)
        amounts = (self.cash, self.reserved, self.gross_value, self.sector_value, self.worst_fee)
        return "\x1f".join(map(str, (*seen, *counts, *amounts, self.trading_state)))
