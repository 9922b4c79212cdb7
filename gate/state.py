"""What the gate is told about the book and the market: plain frozen values, no feed and no clock behind them.

A figure that the caller does not have is None. None is never taken for "fine": the check that reads it vetoes
wherever the limits list the figure as required.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

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
    """An order that may still fill, UNKNOWN ones included: `quantity` is what is open, `stop_price` what the market has
    to reach before it does anything."""

    client_order_id: str
    symbol: str
    side: Side
    quantity: int
    worst_price: Decimal
    stop_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Borrow:
    """Shares that can be borrowed now, and the yearly fee for them as a fraction."""

    shortable: int
    rate_frac: float


@dataclass(frozen=True, slots=True)
class GateState:
    """The book and the marks a plan is reviewed against.

    `prices` and `price_ages_days` are by symbol, for every held and every planned instrument;
    `daily_volumes` holds the usual shares per day where a volume is recorded, and nothing elsewhere;
    `returns` are simple daily returns (n_days, n) in the order of `return_symbols`, NaN where no bar exists,
    `market_returns` those of the market on the same days. `halted` are the names halted now, `protected` those
    with a protective order at the venue or ready, `borrow` what is located for short sales, `versions` the
    model and settings that made the plan, `strategy` and `venue` the scopes it belongs to.
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
    market_returns: FloatArray | None = None
    halted: frozenset[str] | None = None
    protected: frozenset[str] | None = None
    borrow: Mapping[str, Borrow] = field(default_factory=dict[str, Borrow])
    versions: tuple[str, ...] = ()
    strategy: str = ""
    venue: str = ""


class OrderContext(NamedTuple):
    """The instant a child is reviewed in; orders that may still fill are counted as filled.

    A tuple because one is made for every child: it is as fixed as a frozen class, at a third of the cost.

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
    opposite_price: Decimal | None = None
    """Best limit price of own open orders on the other side; None: any of them might meet this child."""
    in_session: bool | None = None
    """The venue is open for this order, and no auction cut-off has passed."""
    is_halted: bool | None = None
    price_band: tuple[Decimal, Decimal] | None = None
    """Lowest and highest price the venue lets trade now (limit up, limit down)."""
    clock_skew_s: float | None = None
    """Our clock less a reference one."""
    twin_age_s: float | None = None
    """Seconds since the last child of this instrument, side, quantity and price; infinite when there was none."""
    repeated_legs: int | None = None
    """Legs of this instrument and side that were filled and opened again today."""
    unexecuted: Decimal | None = None
    """Worst value of all own orders open now, both sides, all instruments."""
    settled_cash: Decimal | None = None
    """Cash that has settled, less the worst cost of open buys."""
    net_value: Decimal | None = None
    """Long less short at the plan's marks, open orders on this child's side counted as filled."""
    day_trades: int | None = None
    """Day trades of the last five business days, today's included."""
    submits_last_s: int | None = None
    cancels_last_s: int | None = None
    orders_today: int | None = None
    messages_today: int | None = None
    fills_today: int | None = None
    queue_age_s: float | None = None
    """How long the oldest message has waited in the adapter's queue."""
    venue_connected: bool | None = None
    venue_reconciled: bool | None = None
    log_writable: bool | None = None
    state_age_s: float | None = None
    """Age of the oldest part of this context that comes from outside, the quote apart."""

    def text(self) -> str:
        """All of it on one line, for the hash of the review made in it."""
        quote = self.quote
        if quote is None:
            return _LINE % self[1:]
        return _QUOTED_LINE % (
            quote.symbol, stamp(quote.ts_event), quote.bid, quote.ask, quote.bid_size, quote.ask_size, quote.synthetic,
            *self[1:],
        )  # fmt: skip


@lru_cache(maxsize=64)
def stamp(moment: datetime) -> str:
    """A moment as reviews are hashed with it; the same few come again and again."""
    return str(moment.timestamp())


_LINE = "\x1f".join(["%s"] * (len(OrderContext._fields) - 1))
"""One format for all fields behind the quote: half the cost of joining them one by one."""
_QUOTED_LINE = "%s\x1f" * 7 + _LINE
