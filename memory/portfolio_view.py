"""Read model of cash and positions: `domain.portfolio.book_fill`, one fill at a time, each execution id once."""

from decimal import Decimal

from ..domain.events import Event, OrderFilled, PositionCashedOut, RunStarted
from ..domain.portfolio import Portfolio, Position, book_fill, cash_out
from ..storage.sql import Database, Row
from .errors import EmptyLog
from .projection import Table, View

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
    is_new = database.execute(
        "INSERT INTO view_booked_fills (execution_id) VALUES (?) ON CONFLICT (execution_id) DO NOTHING",
        (fill.execution_id,),
    )
    if not is_new:
        return
    _store(database, book_fill(_with_one(database, fill.symbol), fill))


def _cash_out(database: Database, event: Event, payload: PositionCashedOut) -> None:
    _store(database, cash_out(_with_one(database, payload.symbol), payload.symbol, payload.price))


def _with_one(database: Database, symbol: str) -> Portfolio:
    """Cash and one position: an event touches its own symbol only, so the others need not be read."""
    rows = database.rows(f"SELECT {_POSITION} FROM view_positions WHERE symbol = ?", (symbol,))
    return _cash_only(database).model_copy(update={"positions": tuple(map(_position, rows))})


def _store(database: Database, after: Portfolio) -> None:
    position = after.positions[0]
    database.execute("UPDATE view_cash SET cash = ?", (str(after.cash),))
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
    version=1,
    tables=(
        Table("view_cash", "id INTEGER PRIMARY KEY, cash TEXT NOT NULL", "id"),
        Table(
            "view_positions",
            "symbol TEXT PRIMARY KEY, quantity BIGINT NOT NULL, average_price TEXT NOT NULL, realized TEXT NOT NULL",
            "symbol",
        ),
        Table("view_booked_fills", "execution_id TEXT PRIMARY KEY", "execution_id"),
    ),
    handlers={RunStarted: _fund, OrderFilled: _book, PositionCashedOut: _cash_out},
)
