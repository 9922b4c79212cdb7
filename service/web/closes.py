"""The closes of a run as pages read them: a long run's are kept, and a new one costs no more than itself."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from ...domain.events import Event, PortfolioMarked
from ...domain.sessions import session_of
from ...memory.performance_view import SessionRecord
from ..answers.growing import Gathered
from ..answers.reader import Reading


def closes(reading: Reading) -> Sequence[SessionRecord]:
    """All closed sessions, oldest first; the same as the read model's, which is read whole each time."""
    return reading.grown("web closes", (PortfolioMarked,), Gathered[SessionRecord](), _add)


def _add(known: Gathered[SessionRecord], event: Event) -> Gathered[SessionRecord]:
    said: Any = event.payload  # as it is stored: to check thousands of them again would take its time
    equity, peak = Decimal(said["equity"]), Decimal(said["peak_equity"])
    return known.with_item(
        SessionRecord(
            session=session_of(said["session"]),
            seq=event.seq,
            equity=equity,
            peak_equity=peak,
            drawdown_frac=float(1 - equity / peak) if peak > 0 else 0.0,
            cash=Decimal(said["cash"]),
            gross=said["gross"],
            net=said["net"],
            traded=Decimal(said["traded"]),
            fees=Decimal(said["fees"]),
            benchmark=said["benchmark"],
        )
    )
