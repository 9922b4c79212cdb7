"""Read model of cash and positions: `domain.portfolio.book_fill`, one fill at a time, each execution id once.

Average cost can't be undone backwards, so every booking is kept: a fill that the venue took back is left out of
them, and all are folded again. That is rare.
"""

from decimal import Decimal

from ..domain.events import Event, FillBusted, OrderFilled, PositionCashedOut, RunStarted
from ..domain.overnight import (
    BorrowCharged,
    DividendBooked,
    NightPayload,
    PositionRenamed,
    SharesSplit,
    book_night,
)
from ..domain.portfolio import Portfolio, Position, book_fill, book_trade, cash_out
from ..storage.sql import Database, Row
from .errors import EmptyLog
from .projection import Table, View

NIGHTS: dict[str, type[NightPayload]] = {
    kind.__name__: kind for kind in (DividendBooked, SharesSplit, PositionRenamed, BorrowCharged)
}

_POSITION = "symbol, quantity, average_price, realized"


def read_portfolio(database: Database) -> Portfolio:
    """Cash and positions after the last booked fill."""
    rows = database.rows(f"SELECT {_POSITION} FROM view_positions ORDER BY symbol")
    return _cash_only(database).model_copy(update={"positions": tuple(map(_position, rows))})


def _fund(database: Database, event: Event, payload: RunStarted) -> None:
    # A book is funded once: starting it again is not a deposit.
    database.execute("INSERT INTO view_cash (id, cash) VALUES (1, ?) ON CONFLICT (id) DO NOTHING", (str(payload.cash),))


def _book(database: Database, event: Event, payload: OrderFilled) -> None:
    fill = payload.fill
    signed = fill.side.sign * fill.quantity
    if _note(database, fill.execution_id, event.seq, fill.symbol, signed, str(fill.price), str(fill.fee)):
        _store(database, book_fill(_with_one(database, fill.symbol), fill))


def _bust(database: Database, event: Event, payload: FillBusted) -> None:
    before = _folded(database)
    is_booked = database.execute(
        "UPDATE view_bookings SET busted = 1 WHERE execution_id = ? AND busted = 0", (payload.execution_id,)
    )
    if is_booked:
        after = _folded(database)
        cash = _cash_only(database).cash + after.cash - before.cash
        database.execute("DELETE FROM view_positions")
        _store(database, after.model_copy(update={"cash": cash}))


def _folded(database: Database) -> Portfolio:
    """All bookings that stand, from no cash at all."""
    portfolio = Portfolio(cash=Decimal(0))
    query = "SELECT symbol, signed, price, fee, night FROM view_bookings WHERE busted = 0 ORDER BY seq"
    for symbol, signed, price, fee, night in database.rows(query):
        if night:
            kind, _, content = night.partition(" ")
            portfolio = book_night(portfolio, NIGHTS[kind].model_validate_json(content))
        elif signed is not None:
            portfolio = book_trade(portfolio, symbol, signed, Decimal(price), Decimal(fee))
        elif portfolio.quantity(symbol):
            portfolio = cash_out(portfolio, symbol, Decimal(price))
    return portfolio


def _note(
    database: Database,
    execution_id: str,
    seq: int,
    symbol: str,
    signed: int | None,
    price: str,
    fee: str,
    night: str = "",
) -> bool:
    """Keep one booking; False when it is there already. A payout has no quantity of its own: it takes all."""
    values = (execution_id, seq, symbol, signed, price, fee, night)
    return bool(
        database.execute(
            "INSERT INTO view_bookings (execution_id, seq, symbol, signed, price, fee, night, busted) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (execution_id) DO NOTHING",
            values,
        )
    )


def _cash_out(database: Database, event: Event, payload: PositionCashedOut) -> None:
    held = _with_one(database, payload.symbol)
    _note(database, f"payout/{event.seq}", event.seq, payload.symbol, None, str(payload.price), "0")
    _store(database, cash_out(held, payload.symbol, payload.price))


def _pass_night(database: Database, event: Event, payload: NightPayload) -> None:
    content = f"{type(payload).__name__} {payload.model_dump_json()}"
    _note(database, f"night/{event.seq}", event.seq, payload.symbol, None, "0", "0", content)
    # A new name may be one that was held before, so every position is at hand.
    after = book_night(read_portfolio(database), payload)
    database.execute("DELETE FROM view_positions")
    _store(database, after)


def _with_one(database: Database, symbol: str) -> Portfolio:
    """Cash and one position: an event touches its own symbol only, so the others need not be read."""
    rows = database.rows(f"SELECT {_POSITION} FROM view_positions WHERE symbol = ?", (symbol,))
    return _cash_only(database).model_copy(update={"positions": tuple(map(_position, rows))})


def _store(database: Database, after: Portfolio) -> None:
    database.execute("UPDATE view_cash SET cash = ?", (str(after.cash),))
    for position in after.positions:
        database.execute(
            f"INSERT INTO view_positions ({_POSITION}) VALUES (?, ?, ?, ?) ON CONFLICT (symbol) DO UPDATE SET "
            "quantity = excluded.quantity, average_price = excluded.average_price, realized = excluded.realized",
            (position.symbol, position.quantity, str(position.average_price), str(position.realized)),
        )


def _cash_only(database: Database) -> Portfolio:
    rows = database.rows("SELECT cash FROM view_cash")
    if not rows:
        raise EmptyLog(
            "the book has no cash: its log does not begin with RunStarted",
            remedy="Append RunStarted first; it says what cash the book begins with.",
        )
    return Portfolio(cash=Decimal(rows[0][0]))


def _position(row: Row) -> Position:
    return Position(symbol=row[0], quantity=row[1], average_price=Decimal(row[2]), realized=Decimal(row[3]))


PORTFOLIO = View(
    name="portfolio",
    version=3,
    tables=(
        Table("view_cash", "id INTEGER PRIMARY KEY, cash TEXT NOT NULL", "id"),
        Table(
            "view_positions",
            "symbol TEXT PRIMARY KEY, quantity BIGINT NOT NULL, average_price TEXT NOT NULL, realized TEXT NOT NULL",
            "symbol",
        ),
        Table(
            "view_bookings",
            "execution_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, symbol TEXT NOT NULL, signed BIGINT, "
            "price TEXT NOT NULL, fee TEXT NOT NULL, night TEXT NOT NULL, busted INTEGER NOT NULL",
            "execution_id",
        ),
    ),
    handlers={
        RunStarted: _fund,
        OrderFilled: _book,
        FillBusted: _bust,
        PositionCashedOut: _cash_out,
        **dict.fromkeys(NIGHTS.values(), _pass_night),
    },
)
