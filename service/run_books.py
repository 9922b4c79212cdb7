"""What a recorded run held when it ended, as weights at its last close."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ..desk.book import Book, open_log
from ..desk.errors import WeightsInvalid
from ..market.cards import DataSet
from ..memory.history import run_started


@dataclass(frozen=True, slots=True)
class EndedBook:
    """Weights of equity at the close of a run's last session, and the data they are over."""

    run_id: str
    data: DataSet
    session: date
    weights: dict[str, float]


def book_at_end(path: Path, run_name: str | None, *, otherwise: str) -> EndedBook:
    """The book of one run, or of the latest; one that ended with nothing held is refused, with `otherwise` to give."""
    folder = Book(path).find(run_name)
    with open_log(folder, readonly=True) as (log, views):
        data = folder.book.load(run_started(log).data)
        sessions, portfolio = views.performance(), views.portfolio()
    if not sessions or not portfolio.holdings():
        raise WeightsInvalid(f"run {folder.run_id} ended with nothing held", remedy=f"Give {otherwise} instead.")
    last = sessions[-1]
    view = data.history().as_of(data.history().close_time(last.session))
    equity = float(last.equity)
    weights = {
        symbol: quantity * (view.last_close(symbol) or 0.0) / equity
        for symbol, quantity in portfolio.holdings().items()
    }
    return EndedBook(folder.run_id, data, last.session, weights)
