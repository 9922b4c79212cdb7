"""The parent orders that a log says were worked, each with its children, its fills and the market it was sized by."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

import numpy as np

from ..domain.events import ChildSubmitted, Event, FillBusted, OrderClosed, OrderFilled, OrderOpened, PlanApproved
from ..domain.orders import ChildOrder, Fill, ParentOrder
from ..market.history import History, MarketView
from ..memory.log import EventLog
from ..quant.arrays import FloatArray
from ..quant.covariance import ewma_vol
from .scene import WINDOW_DAYS, on_grid

MIN_VOL_DAYS = 20
QUARTER_DAYS = 63
VOLUME_DAYS = 21
READ = (PlanApproved, OrderOpened, ChildSubmitted, OrderFilled, FillBusted, OrderClosed)


@dataclass(frozen=True, slots=True)
class ExecutedOrder:
    """One closed parent order; prices are mids, volatility and volume are those known before its session."""

    order: ParentOrder
    session: date
    arrival_price: Decimal
    closing_price: Decimal
    """The last price known when it was closed, at which the rest was given up; of its own session's shares."""
    fills: tuple[Fill, ...]
    """Those that stand: one that the venue took back is none."""
    children: tuple[ChildOrder, ...]
    decided_at: datetime | None
    """The moment its plan knew the market of; None where the log holds no approval of it."""
    opened_at: datetime
    closed_at: datetime
    daily_vol_frac: float | None
    """As the desk forecasts with, for a whole session; None with too short a history."""
    quarter_vol_frac: float | None
    """Standard deviation of the last quarter's daily returns, which the paper venue charges by; None within the day."""
    daily_volume: float
    """Shares of a mean session."""
    volume_is_assumed: bool

    @property
    def filled(self) -> int:
        return sum(fill.quantity for fill in self.fills)

    @property
    def ends_at(self) -> datetime:
        """When there was nothing left to do: its last fill where it was filled whole, else its closing."""
        is_whole = bool(self.fills) and self.filled >= self.order.quantity
        return max(fill.ts_event for fill in self.fills) if is_whole else self.closed_at


@dataclass(slots=True)
class _Told:
    """What the log says of one parent, as far as it was read."""

    opened_at: datetime
    opened: OrderOpened
    closed_at: datetime | None = None
    children: list[ChildOrder] = field(default_factory=list)


def executed_orders(
    log: EventLog, history: History, assumed_daily_volume: float
) -> tuple[tuple[ExecutedOrder, ...], int]:
    """Closed orders in the order they closed, and how many are still being worked; each standing fill counts once."""
    return executed_of(log.read(types=READ), history, assumed_daily_volume)


def executed_of(
    events: Iterable[Event], history: History, assumed_daily_volume: float
) -> tuple[tuple[ExecutedOrder, ...], int]:
    """The same of some events, which may be those of one order; of other kinds than `READ` none counts."""
    told: dict[str, _Told] = {}
    decided: dict[str, datetime] = {}
    fills: dict[str, Fill] = {}
    for event in events:
        match payload := event.decoded():
            case PlanApproved():
                decided |= {leg.order_id: payload.plan.as_of for leg in payload.plan.legs}
            case OrderOpened():
                told.setdefault(payload.order.order_id, _Told(event.event_time, payload))
            case ChildSubmitted() if payload.child.order_id in told:
                told[payload.child.order_id].children.append(payload.child)
            case OrderFilled():
                fills.setdefault(payload.fill.execution_id, payload.fill)
            case FillBusted():
                fills.pop(payload.execution_id, None)
            case OrderClosed() if payload.order_id in told and told[payload.order_id].closed_at is None:
                told[payload.order_id] = mine = told.pop(payload.order_id)  # the last to close comes last
                mine.closed_at = event.event_time
            case _:
                pass
    by_order = _by_order(fills.values())
    closed = tuple(
        _executed(item, item.closed_at, tuple(by_order.get(name, ())), decided.get(name), history, assumed_daily_volume)
        for name, item in told.items()
        if item.closed_at is not None
    )
    return closed, len(told) - len(closed)


def _by_order(fills: Iterable[Fill]) -> dict[str, list[Fill]]:
    found: dict[str, list[Fill]] = {}
    for fill in fills:
        found.setdefault(fill.order_id, []).append(fill)
    return found


def _executed(
    told: _Told,
    closed_at: datetime,
    fills: tuple[Fill, ...],
    decided_at: datetime | None,
    history: History,
    assumed_daily_volume: float,
) -> ExecutedOrder:
    order, arrival = told.opened.order, told.opened.arrival_price
    known, after = history.as_of(told.opened_at), history.as_of(closed_at)
    instrument = history.universe.instrument(order.symbol)
    last = _closing(known, after, order.symbol)
    volume = _mean_volume(known, order.symbol)
    ewma, quarter = _daily_vols(known, order.symbol)
    return ExecutedOrder(
        order=order,
        session=after.session,
        arrival_price=arrival,
        closing_price=arrival if last is None or instrument is None else on_grid(last, instrument.tick),
        fills=fills,
        children=tuple(told.children),
        decided_at=decided_at,
        opened_at=told.opened_at,
        closed_at=closed_at,
        daily_vol_frac=ewma,
        quarter_vol_frac=quarter,
        daily_volume=assumed_daily_volume / float(order.reference_price) if volume is None else volume,
        volume_is_assumed=volume is None,
    )


def _closing(known: MarketView, after: MarketView, symbol: str) -> float | None:
    """The last price after the session, in the shares that were traded in it.

    On the close before a split or a dividend a history speaks of the next session's shares already: the bar before the
    session, seen from both moments, tells how many of them are one of the order's. None before the first bar.
    """
    last, column = after.last_close(symbol), known.symbols.index(symbol)
    rows = np.flatnonzero(np.isfinite(known.close[:, column]))
    if last is None or not len(rows):
        return last
    return last * float(known.close[rows[-1], column] / after.close[rows[-1], column])


def _daily_vols(view: MarketView, symbol: str) -> tuple[float | None, float | None]:
    returns = _session_returns(view, symbol)
    if len(returns) < MIN_VOL_DAYS or not returns[-MIN_VOL_DAYS:].any():
        return None, None
    quarter = float(returns[-QUARTER_DAYS:].std()) if view.interval is None else None
    return float(ewma_vol(returns[:, None])[0]), quarter


def _session_returns(view: MarketView, symbol: str) -> FloatArray:
    """Returns of the window's bars; one within a session is scaled to a whole one, as the scene of a decision does."""
    closes = view.close[-(WINDOW_DAYS + 1) :, view.symbols.index(symbol)]
    known = np.isfinite(closes)
    closes, days = closes[known], view.sessions[-len(known) :][known]
    returns = closes[1:] / closes[:-1] - 1.0
    if view.interval is None:
        return returns
    return returns * np.where(days[1:] == days[:-1], view.interval.bars_per_session**0.5, 1.0)


def _mean_volume(view: MarketView, symbol: str) -> float | None:
    """Shares a session, as the scene of a decision averages them; None where none was recorded."""
    if view.volume is None:
        return None
    interval = view.interval
    recent = view.volume[-(VOLUME_DAYS if interval is None else WINDOW_DAYS) :, view.symbols.index(symbol)]
    known = recent[np.isfinite(recent)]
    if not len(known):
        return None
    sessions = len(known) if interval is None else len(recent) / interval.bars_per_session
    return max(float(known.sum() / sessions), 1.0)
