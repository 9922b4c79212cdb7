"""What the desk's first page shows, from the read models: worth, holdings, orders, fills, the last decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import takewhile

from ...domain.events import OrderFilled, OrderOpened, PlanApproved, PortfolioMarked
from ...domain.orders import Fill
from ...domain.sessions import day_of
from ...memory.decisions_view import DecisionRecord
from ...memory.orders_view import OrderRecord
from ...memory.performance_view import SessionRecord
from ...memory.record_pages import DecisionsWanted
from ...tools.attributed import counted, made_by
from ..answers.reader import Reading
from .parts import Asked

SESSIONS_SHOWN = 12
ORDERS_SHOWN = 60
FILLS_SHOWN = 24
TAIL_EVENTS = 600
"""The newest fills are looked for among so many events of the log's end."""


@dataclass(frozen=True, slots=True)
class WorthView:
    """The book at the last close. Gains are fractions of the equity before."""

    last: SessionRecord
    gain: float | None
    """Since the close of the exchange's day before."""
    traded: Decimal
    """In the exchange's day, like the fees: in all its spans where the desk decides within the day."""
    fees: Decimal
    total: float
    """Since the run's cash."""
    benchmark: float | None
    """What the index did since the run's first close."""
    count: int
    first: SessionRecord


@dataclass(frozen=True, slots=True)
class Holding:
    """One open position; `is_marked` tells a price of the last close from one that was just paid."""

    symbol: str
    sector: str
    quantity: int
    price: Decimal
    value: Decimal
    weight: float
    unrealized: Decimal
    unrealized_frac: float
    is_marked: bool


@dataclass(frozen=True, slots=True)
class HoldingsView:
    """What is held, the largest first, and its sums as fractions of equity."""

    rows: tuple[Holding, ...]
    sectors: tuple[tuple[str, float], ...]
    equity: Decimal
    cash: Decimal
    cash_frac: float
    gross: float
    net: float
    unrealized: Decimal
    realized: Decimal


@dataclass(frozen=True, slots=True)
class FillsView:
    """The newest fills, the last one first, each with what it rests on, and how many rest on what."""

    rows: tuple[tuple[Fill, str], ...]
    rests_on: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class OrdersView:
    """The parent orders of the plan that came last."""

    rows: tuple[OrderRecord, ...]
    decision_id: str
    has_more: bool


def worth_view(asked: Asked) -> WorthView | None:
    """None before a session has closed."""
    return worth_of(asked.reading.sessions, asked.reading.started.cash) if asked.reading.sessions else None


def worth_of(sessions: Sequence[SessionRecord], cash: Decimal) -> WorthView:
    """Of a run's closes, one or more, and the cash it began with."""
    last, first = sessions[-1], sessions[0]
    day = list(takewhile(lambda item: day_of(item.session) == day_of(last.session), reversed(sessions)))
    before = sessions[-len(day) - 1].equity if len(sessions) > len(day) else cash
    has_index = last.benchmark is not None and first.benchmark
    return WorthView(
        last=last,
        gain=float(last.equity / before - 1) if before else None,
        traded=sum((item.traded for item in day), Decimal(0)),
        fees=sum((item.fees for item in day), Decimal(0)),
        total=float(last.equity / cash - 1),
        benchmark=last.benchmark / first.benchmark - 1.0 if has_index and last.benchmark and first.benchmark else None,
        count=len(sessions),
        first=first,
    )


def sessions_view(asked: Asked) -> tuple[SessionRecord, ...]:
    """The last sessions, the newest first: what the charts end in, as figures."""
    return tuple(reversed(asked.reading.sessions[-SESSIONS_SHOWN:]))


def holdings_view(asked: Asked) -> HoldingsView:
    """At the marks of the last close; a name bought since then at what it cost."""
    reading = asked.reading
    portfolio, marks = reading.portfolio, _marks(reading)
    held = [item for item in portfolio.positions if item.quantity]
    prices = {item.symbol: marks.get(item.symbol, item.average_price) for item in held}
    equity = portfolio.equity(prices)
    sectors = {item.symbol: item.sector for item in reading.started.universe.instruments}
    rows = list[Holding]()
    for item in held:
        price = prices[item.symbol]
        value, cost = price * item.quantity, abs(item.average_price * item.quantity)
        gain = (price - item.average_price) * item.quantity
        rows.append(
            Holding(
                symbol=item.symbol,
                sector=sectors.get(item.symbol, "other"),
                quantity=item.quantity,
                price=price,
                value=value,
                weight=_share(value, equity),
                unrealized=gain,
                unrealized_frac=_share(gain, cost),
                is_marked=item.symbol in marks,
            )
        )
    rows.sort(key=lambda row: (-abs(row.weight), row.symbol))
    by_sector = dict[str, float]()
    for row in rows:
        by_sector[row.sector] = by_sector.get(row.sector, 0.0) + row.weight
    return HoldingsView(
        rows=tuple(rows),
        sectors=tuple(sorted(by_sector.items(), key=lambda item: (-abs(item[1]), item[0]))),
        equity=equity,
        cash=portfolio.cash,
        cash_frac=_share(portfolio.cash, equity),
        gross=sum(abs(row.weight) for row in rows),
        net=sum(row.weight for row in rows),
        unrealized=sum((row.unrealized for row in rows), Decimal(0)),
        realized=sum((item.realized for item in portfolio.positions), Decimal(0)),
    )


def orders_view(asked: Asked) -> OrdersView:
    """Those of the newest approved plan: what is worked now, or was worked last."""
    newest = _newest_orders(asked.reading)
    has_more = len(newest) > ORDERS_SHOWN
    return OrdersView(newest[:ORDERS_SHOWN], newest[0].decision_id if newest else "", has_more)


def _newest_orders(reading: Reading) -> tuple[OrderRecord, ...]:
    """Found by the log's end: the table of all orders is long, and in no order."""
    event = reading.last(PlanApproved)
    approved = event.decoded() if event is not None else None
    plan = approved.plan.decision_id if isinstance(approved, PlanApproved) else None
    found = reading.views.orders(plan) if plan is not None else ()
    known = {row.order_id for row in found}
    for opened in reading.read(OrderOpened, after=event.seq if event is not None else 0):
        payload = opened.decoded()
        if isinstance(payload, OrderOpened) and payload.order.order_id not in known:  # one of no plan, such as a stop
            found += tuple(row for row in reading.views.orders(payload.order.decision_id) if row.seq == opened.seq)
    newest = max((row.seq for row in found), default=0)
    return tuple(row for row in found if row.seq == newest)


def fills_view(asked: Asked) -> FillsView:
    """The newest fills at the log's end."""
    reading = asked.reading
    found = reading.read(OrderFilled, after=max(reading.seq - TAIL_EVENTS, 0))
    fills = [payload.fill for event in found if isinstance(payload := event.decoded(), OrderFilled)]
    rows = tuple((fill, made_by(fill.tier, fill.synthetic)) for fill in reversed(fills[-FILLS_SHOWN:]))
    return FillsView(rows, counted(kind for _, kind in rows))


def last_decision_view(asked: Asked) -> DecisionRecord | None:
    found = asked.reading.views.pages.decisions(DecisionsWanted(), None, 1)
    return found[0] if found else None


def _marks(reading: Reading) -> Mapping[str, Decimal]:
    mark = reading.last_mark
    payload = mark.decoded() if mark else None
    return payload.prices if isinstance(payload, PortfolioMarked) else {}


def _share(part: Decimal, whole: Decimal) -> float:
    return float(part / whole) if whole else 0.0
