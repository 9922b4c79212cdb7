"""The profit of a run in cells, one a name and session: what was held, what was traded, and what that cost.

Everything is folded from the log in Decimal, and each session's cells sum to the change of its equity exactly.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TypeVar

from ...domain.events import Event, FillBusted, OrderFilled, PortfolioMarked, PositionCashedOut, RunStarted
from ...domain.orders import Fill
from ...domain.overnight import BorrowCharged, DividendBooked, PositionRenamed, SharesSplit, book_night
from ...domain.portfolio import Portfolio, book_fill, book_trade, cash_out
from .errors import BookDoesNotAdd

Kept = TypeVar("Kept")
ZERO = Decimal(0)
READ = (
    RunStarted,
    OrderFilled,
    FillBusted,
    PositionCashedOut,
    DividendBooked,
    SharesSplit,
    PositionRenamed,
    BorrowCharged,
    PortfolioMarked,
)
NIGHT = (DividendBooked, SharesSplit, PositionRenamed, BorrowCharged)


@dataclass(slots=True)
class Cell:
    """One name in one session, in currency. The five parts sum to its profit."""

    session: date
    symbol: str
    decision_id: str
    """The last decision that had traded the name when the session began: whose position it was."""
    traded_by: str
    """The last decision that traded it in this session; empty where none did."""
    value_before: Decimal
    holding: Decimal = ZERO
    """What was held at the close before, to this close."""
    trading: Decimal = ZERO
    """From the mid at each fill to this close; to the last fill's mid where nothing was left."""
    spread_impact: Decimal = ZERO
    """From the mid to the price of each fill; below zero when it cost money."""
    fees: Decimal = ZERO
    carry: Decimal = ZERO
    """Dividends less borrow fees."""

    @property
    def profit(self) -> Decimal:
        return self.holding + self.trading + self.spread_impact + self.fees + self.carry


@dataclass(frozen=True, slots=True)
class Session:
    """A session's equity before and after, and its cells."""

    day: date
    equity_before: Decimal
    equity: Decimal
    cells: tuple[Cell, ...]


@dataclass(slots=True)
class _Flow:
    """What happened to one name since the last close."""

    cash: Decimal = ZERO
    carry: Decimal = ZERO
    shares_per_old: Decimal = Decimal(1)
    """New shares for each that was held when the session traded."""
    decision_id: str = ""
    fills: list[tuple[int, Fill]] = field(default_factory=list[tuple[int, Fill]])
    """With 1, or -1 for one that was taken back."""


def run_cells(events: Iterable[Event]) -> tuple[Session, ...]:
    """The sessions of a log's events, oldest first; raises BookDoesNotAdd where cells and equity part ways."""
    fold = _Fold()
    for event in events:
        fold.take(event)
    return tuple(fold.sessions)


class _Fold:
    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self._portfolio = Portfolio(cash=ZERO)
        self._equity = ZERO
        self._values: dict[str, Decimal] = {}
        self._owners: dict[str, str] = {}
        self._fills: dict[str, Fill] = {}
        self._flows: dict[str, _Flow] = defaultdict(_Flow)

    def take(self, event: Event) -> None:
        payload = event.decoded()
        if isinstance(payload, RunStarted):
            self._portfolio, self._equity = Portfolio(cash=payload.cash), payload.cash
        elif isinstance(payload, PortfolioMarked):
            self._mark(payload)
        elif isinstance(payload, OrderFilled):
            if payload.fill.execution_id not in self._fills:
                self._fills[payload.fill.execution_id] = payload.fill
                self._fill(payload.fill, 1, event.decision_id or "")
        elif isinstance(payload, FillBusted):
            if payload.execution_id in self._fills:
                self._fill(self._fills[payload.execution_id], -1, event.decision_id or "")
        elif isinstance(payload, PositionCashedOut):
            if self._portfolio.quantity(payload.symbol):
                self._book(payload.symbol, cash_out(self._portfolio, payload.symbol, payload.price))
        elif isinstance(payload, NIGHT):
            self._night(payload)

    def _fill(self, fill: Fill, sign: int, decision_id: str) -> None:
        flow = self._flows[fill.symbol]
        flow.fills.append((sign, fill))
        flow.decision_id = decision_id or flow.decision_id
        signed = -fill.side.sign * fill.quantity
        taken_back = book_trade(self._portfolio, fill.symbol, signed, fill.price, -fill.fee)
        self._book(fill.symbol, book_fill(self._portfolio, fill) if sign > 0 else taken_back)

    def _night(self, payload: DividendBooked | SharesSplit | PositionRenamed | BorrowCharged) -> None:
        symbol, after = payload.symbol, book_night(self._portfolio, payload)
        if isinstance(payload, PositionRenamed):
            symbol = payload.new_symbol
            _rename(self._values, payload.symbol, symbol)
            _rename(self._owners, payload.symbol, symbol)
            _rename(self._flows, payload.symbol, symbol)
        elif isinstance(payload, SharesSplit):
            self._flows[symbol].shares_per_old *= Decimal(payload.new_shares) / payload.old_shares
        elif isinstance(payload, DividendBooked):
            self._flows[symbol].carry += payload.amount
        else:
            self._flows[symbol].carry -= payload.amount
        self._book(symbol, after)

    def _book(self, symbol: str, after: Portfolio) -> None:
        self._flows[symbol].cash += after.cash - self._portfolio.cash
        self._portfolio = after

    def _mark(self, marked: PortfolioMarked) -> None:
        values = {name: marked.prices[name] * count for name, count in self._portfolio.holdings().items()}
        names = sorted({*self._values, *values, *self._flows})
        cells = tuple(self._cell(marked, symbol, values.get(symbol, ZERO)) for symbol in names)
        found = sum((cell.profit for cell in cells), ZERO)
        if found != marked.equity - self._equity:
            raise BookDoesNotAdd(
                f"{marked.session}: the cells come to {found}, equity moved by {marked.equity - self._equity}",
                remedy="Run `parley verify` on the run.",
            )
        self.sessions.append(Session(marked.session, self._equity, marked.equity, cells))
        self._equity, self._values = marked.equity, values
        self._flows = defaultdict(_Flow)

    def _cell(self, marked: PortfolioMarked, symbol: str, value: Decimal) -> Cell:
        flow, before = self._flows[symbol], self._values.get(symbol, ZERO)
        owner = self._owners.get(symbol, "")
        cell = Cell(marked.session, symbol, owner or flow.decision_id, flow.decision_id, before, carry=flow.carry)
        last = flow.fills[-1][1].mid_price if flow.fills else ZERO
        # Fills are of the shares of the day, marks of the next one's.
        close = marked.prices[symbol] * flow.shares_per_old if symbol in marked.prices else last
        for sign, fill in flow.fills:
            signed = sign * fill.side.sign * fill.quantity
            cell.trading += signed * (close - fill.mid_price)
            cell.spread_impact += signed * (fill.mid_price - fill.price)
            cell.fees -= sign * fill.fee
        cell.holding = value - before + flow.cash - cell.trading - cell.spread_impact - cell.fees - cell.carry
        if flow.decision_id:
            self._owners[symbol] = flow.decision_id
        return cell


def _rename(kept: dict[str, Kept], old: str, new: str) -> None:
    if old in kept:
        kept[new] = kept.pop(old)
