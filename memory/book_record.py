"""Audits the book while a log is walked: cash, positions, marks and counts beside the fills they come from."""

import math
from dataclasses import dataclass
from decimal import Decimal

from ..domain.decisions import Decision
from ..domain.errors import LedgerError
from ..domain.events import (
    DecisionMade,
    Event,
    FillBusted,
    OrderClosed,
    OrderFilled,
    Payload,
    PortfolioMarked,
    PositionCashedOut,
    RunFinished,
    RunStarted,
)
from ..domain.overnight import BorrowCharged, DividendBooked, NightPayload, PositionRenamed, SharesSplit, book_night
from ..domain.portfolio import Portfolio, book_fill, cash_out
from ..domain.sessions import day_of
from .findings import Note

Booking = OrderFilled | PositionCashedOut | NightPayload

ROUNDING = 1e-9
"""Gross and net are floats over equity; everything else is compared exactly."""
ZERO = Decimal(0)


@dataclass(slots=True)
class _Counts:
    """What RunFinished must come to."""

    sessions: int = 0
    decisions: int = 0
    orders: int = 0
    fills: int = 0
    vetoes: int = 0
    abstentions: int = 0
    llm_calls: int = 0


class BookRecord:
    """A second bookkeeper: a fill or a payout that was changed, left out or put in shows in what came after it."""

    def __init__(self, note: Note) -> None:
        self._note = note
        self._portfolio = Portfolio(cash=ZERO)
        self._cash = ZERO
        self._bookings: dict[str, Booking] = {}
        self._traded = self._fees = ZERO
        self._mark: PortfolioMarked | None = None
        self._previous = self._peak = ZERO
        self._counts = _Counts()

    def held(self, symbol: str) -> int:
        """Signed quantity after the events so far."""
        return self._portfolio.quantity(symbol)

    def take(self, event: Event, payload: Payload) -> None:
        match payload:
            case RunStarted():
                self._cash = self._previous = self._peak = payload.cash
                self._portfolio = Portfolio(cash=payload.cash)
            case OrderFilled():
                self._book(payload.fill.execution_id, payload)
                self._traded += payload.fill.notional
                self._fees += payload.fill.fee
                self._counts.fills += 1
            case FillBusted():
                self._bust(payload)
            case PositionCashedOut():
                self._pay_out(event, payload)
            case DividendBooked() | SharesSplit() | PositionRenamed() | BorrowCharged():
                self._pass_night(event, payload)
            case DecisionMade():
                self._decided(event, payload.decision)
            case PortfolioMarked():
                self._marked(event, payload)
            case OrderClosed():
                self._counts.orders += 1
            case RunFinished():
                self._finished(event, payload)
            case _:
                pass

    def _book(self, key: str, payload: Booking) -> None:
        self._bookings[key] = payload
        self._portfolio = _booked(self._portfolio, payload)

    def _bust(self, payload: FillBusted) -> None:
        # Average cost can't be undone backwards: all that stands is booked again. Busts are rare.
        if self._bookings.pop(payload.execution_id, None) is None:
            return
        self._portfolio = Portfolio(cash=self._cash)
        for booking in self._bookings.values():
            self._portfolio = _booked(self._portfolio, booking)
        self._traded -= payload.fill.notional
        self._fees -= payload.fill.fee
        self._counts.fills -= 1

    def _pay_out(self, event: Event, payload: PositionCashedOut) -> None:
        held = self.held(payload.symbol)
        if held != payload.quantity or not held:
            text = f"{payload.quantity} {payload.symbol} became cash, held were {held}"
            self._note("payout_differs", event.seq, text)
        if held:
            self._book(f"payout/{event.seq}", payload)

    def _pass_night(self, event: Event, payload: NightPayload) -> None:
        held = self.held(payload.symbol)
        if held == payload.quantity:
            self._book(f"night/{event.seq}", payload)
        else:
            text = f"{event.type} is of {payload.quantity} {payload.symbol}, held were {held}"
            self._note("night_differs", event.seq, text)

    def _decided(self, event: Event, decision: Decision) -> None:
        """A decision starts from the book as the log has it, at the close that was marked last."""
        counts, snapshot = self._counts, decision.snapshot
        counts.decisions += 1
        counts.vetoes += decision.kind == "vetoed"
        counts.abstentions += len(decision.abstentions)
        counts.llm_calls += decision.llm_calls
        expected: dict[str, tuple[object, object]] = {"portfolio": (snapshot.portfolio, self._portfolio)}
        if self._mark is not None and decision.intent is None:
            expected |= {
                "session": (snapshot.session, self._mark.session),
                "equity": (snapshot.equity, self._mark.equity),
                "peak_equity": (snapshot.peak_equity, self._mark.peak_equity),
                "previous_equity": (snapshot.previous_equity, self._previous),
            }
        for name, (found, wanted) in expected.items():
            if found != wanted:
                text = f"decision {decision.decision_id} starts from another {name} than the log comes to"
                self._note("snapshot_differs", event.seq, text)

    def _marked(self, event: Event, mark: PortfolioMarked) -> None:
        last = self._mark
        if last is not None and mark.session <= last.session:
            text = f"session {mark.session} is marked after {last.session}"
            self._note("session_out_of_turn", event.seq, text)
        for name, found, expected in self._mark_differences(mark):
            text = f"close of {mark.session}: {name} is {found}, the fills say {expected}"
            self._note("mark_differs", event.seq, text)
        if last is None or day_of(mark.session) > day_of(last.session):
            # Within a day it stays the last close of the day before: what the daily loss is counted from.
            self._previous = last.equity if last else self._cash
        self._peak = max(self._peak, mark.peak_equity)
        self._mark = mark
        self._traded = self._fees = ZERO
        self._counts.sessions += 1

    def _mark_differences(self, mark: PortfolioMarked) -> list[tuple[str, object, object]]:
        portfolio = self._portfolio
        try:
            equity = portfolio.equity(mark.prices)
        except LedgerError as error:
            return [("prices", f"without one ({error.message})", "a price for all that is held")]
        pairs: list[tuple[str, object, object]] = [
            ("cash", mark.cash, portfolio.cash),
            ("equity", mark.equity, equity),
            ("peak_equity", mark.peak_equity, max(self._peak, equity)),
            ("traded", mark.traded, self._traded),
            ("fees", mark.fees, self._fees),
        ]
        values = [float(mark.prices[symbol] * quantity) for symbol, quantity in portfolio.holdings().items()]
        base = float(equity) or math.nan  # nothing is a fraction of no equity
        gross, net = sum(map(abs, values)) / base, sum(values) / base
        if not (abs(gross - mark.gross) <= ROUNDING and abs(net - mark.net) <= ROUNDING):
            pairs.append(("gross and net", f"{mark.gross:.6f}, {mark.net:.6f}", f"{gross:.6f}, {net:.6f}"))
        return [pair for pair in pairs if pair[1] != pair[2]]

    def _finished(self, event: Event, finished: RunFinished) -> None:
        for name in _Counts.__slots__:
            found, expected = getattr(finished, name), getattr(self._counts, name)
            if found != expected:
                text = f"the run ends with {found} {name}, the log holds {expected}"
                self._note("count_differs", event.seq, text)
        equity = self._mark.equity if self._mark else self._cash
        if finished.equity != equity:
            text = f"the run ends with equity {finished.equity}, its last close has {equity}"
            self._note("count_differs", event.seq, text)


def _booked(portfolio: Portfolio, payload: Booking) -> Portfolio:
    match payload:
        case OrderFilled():
            return book_fill(portfolio, payload.fill)
        case PositionCashedOut():
            return cash_out(portfolio, payload.symbol, payload.price)
        case _:
            return book_night(portfolio, payload)
