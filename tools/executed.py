"""The parent orders that a log says were worked, each with its fills and the market around it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import numpy as np

from ..domain.events import OrderClosed, OrderFilled, OrderOpened
from ..domain.orders import Fill, ParentOrder
from ..market.history import History, MarketView
from ..memory.log import EventLog
from ..quant.covariance import ewma_vol
from .scene import WINDOW_DAYS, on_grid

MIN_VOL_DAYS = 20
QUARTER_DAYS = 63
VOLUME_DAYS = 21


@dataclass(frozen=True, slots=True)
class ExecutedOrder:
    """One closed parent order; prices are mids, volatility and volume are those known before its session."""

    order: ParentOrder
    session: date
    arrival_price: Decimal
    closing_price: Decimal
    """The session's last price, at which the rest was given up."""
    fills: tuple[Fill, ...]
    daily_vol_frac: float | None
    """As the desk forecasts with; None with too short a history."""
    quarter_vol_frac: float | None
    """Standard deviation of the last quarter's returns, which the paper venue charges by."""
    daily_volume: float
    """Shares of a mean day."""
    volume_is_assumed: bool

    @property
    def filled(self) -> int:
        return sum(fill.quantity for fill in self.fills)


def executed_orders(
    log: EventLog, history: History, assumed_daily_volume: float
) -> tuple[tuple[ExecutedOrder, ...], int]:
    """Closed orders in the order they closed, and how many are still being worked; each fill counts once."""
    opened: dict[str, tuple[datetime, OrderOpened]] = {}
    fills: dict[str, dict[str, Fill]] = defaultdict(dict)
    closed: list[ExecutedOrder] = []
    for event in log.read(types=(OrderOpened, OrderFilled, OrderClosed)):
        payload = event.decoded()
        if isinstance(payload, OrderOpened):
            opened.setdefault(payload.order.order_id, (event.event_time, payload))
        elif isinstance(payload, OrderFilled):
            fills[payload.fill.order_id].setdefault(payload.fill.execution_id, payload.fill)
        elif isinstance(payload, OrderClosed):
            at, begun = opened.pop(payload.order_id)
            known, after = history.as_of(at), history.as_of(event.event_time)
            booked = tuple(fills.pop(payload.order_id, {}).values())
            closed.append(_executed(begun, booked, known, after, history, assumed_daily_volume))
    return tuple(closed), len(opened)


def _executed(
    begun: OrderOpened,
    fills: tuple[Fill, ...],
    known: MarketView,
    after: MarketView,
    history: History,
    assumed_daily_volume: float,
) -> ExecutedOrder:
    order = begun.order
    instrument = history.universe.instrument(order.symbol)
    last = after.last_close(order.symbol)
    closing = begun.arrival_price if last is None or instrument is None else on_grid(last, instrument.tick)
    volume = _mean_volume(known, order.symbol)
    ewma, quarter = _daily_vols(known, order.symbol)
    return ExecutedOrder(
        order=order,
        session=after.session,
        arrival_price=begun.arrival_price,
        closing_price=closing,
        fills=fills,
        daily_vol_frac=ewma,
        quarter_vol_frac=quarter,
        daily_volume=assumed_daily_volume / float(order.reference_price) if volume is None else volume,
        volume_is_assumed=volume is None,
    )


def _daily_vols(view: MarketView, symbol: str) -> tuple[float, float] | tuple[None, None]:
    closes = view.close[-(WINDOW_DAYS + 1) :, view.symbols.index(symbol)]
    closes = closes[np.isfinite(closes)]
    returns = closes[1:] / closes[:-1] - 1.0
    if len(returns) < MIN_VOL_DAYS or not returns[-MIN_VOL_DAYS:].any():
        return None, None
    return float(ewma_vol(returns[:, None])[0]), float(returns[-QUARTER_DAYS:].std())


def _mean_volume(view: MarketView, symbol: str) -> float | None:
    """As the scene of a decision averages it; None where none was recorded."""
    if view.volume is None:
        return None
    recent = view.volume[-VOLUME_DAYS:, view.symbols.index(symbol)]
    recent = recent[np.isfinite(recent)]
    return max(float(recent.mean()), 1.0) if len(recent) else None
