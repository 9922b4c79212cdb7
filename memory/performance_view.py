"""Read model of performance: one line for each session's close."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ..domain.events import Event, PortfolioMarked
from ..domain.sessions import session_of
from ..storage.sql import Database, Row
from .projection import Table, View


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """The book at a session's close.

    `drawdown_frac` is the loss since the peak as a fraction of it; `gross` and `net` are fractions of equity.
    """

    session: date
    seq: int
    equity: Decimal
    peak_equity: Decimal
    drawdown_frac: float
    cash: Decimal
    gross: float
    net: float
    traded: Decimal
    fees: Decimal
    benchmark: float | None


_COLUMNS = "session, seq, equity, peak_equity, drawdown_frac, cash, gross, net, traded, fees, benchmark"


def read_performance(database: Database) -> tuple[SessionRecord, ...]:
    """All closed sessions, oldest first."""
    rows = database.rows(f"SELECT {_COLUMNS} FROM view_performance ORDER BY seq")
    return tuple(map(_record, rows))


def _record(row: Row) -> SessionRecord:
    session, seq, equity, peak, drawdown, cash, gross, net, traded, fees, benchmark = row
    return SessionRecord(
        session_of(session),
        seq,
        Decimal(equity),
        Decimal(peak),
        drawdown,
        Decimal(cash),
        gross,
        net,
        Decimal(traded),
        Decimal(fees),
        benchmark,
    )


def _mark(database: Database, event: Event, payload: PortfolioMarked) -> None:
    peak = payload.peak_equity
    # A book that never held anything has lost nothing.
    drawdown = float(1 - payload.equity / peak) if peak > 0 else 0.0
    database.execute(
        f"INSERT INTO view_performance ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (session) DO NOTHING",
        (
            payload.session.isoformat(),
            event.seq,
            str(payload.equity),
            str(peak),
            drawdown,
            str(payload.cash),
            payload.gross,
            payload.net,
            str(payload.traded),
            str(payload.fees),
            payload.benchmark,
        ),
    )


PERFORMANCE = View(
    name="performance",
    version=1,
    tables=(
        Table(
            "view_performance",
            "session TEXT PRIMARY KEY, seq INTEGER NOT NULL, equity TEXT NOT NULL, peak_equity TEXT NOT NULL, "
            "drawdown_frac DOUBLE PRECISION NOT NULL, cash TEXT NOT NULL, gross DOUBLE PRECISION NOT NULL, "
            "net DOUBLE PRECISION NOT NULL, traded TEXT NOT NULL, fees TEXT NOT NULL, benchmark DOUBLE PRECISION",
            "session",
        ),
    ),
    handlers={PortfolioMarked: _mark},
)
