"""One run of a book as questions find it: read afresh each time, with what is heavy kept until the log grows."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from pydantic import JsonValue

from ...desk.book import Book
from ...desk.control_log import CONTROL_FACTS
from ...desk.settings import Settings, settings_of_run
from ...domain.decisions import Evidence
from ...domain.events import DecisionMade, Event, PortfolioMarked, RunStarted
from ...domain.portfolio import Portfolio
from ...evals.book_at_rest import recorded_limits
from ...execution.standing import Standing
from ...gate.limits import Limits
from ...gate.tightening import tightest
from ...market.cards import DataSet
from ...market.history import History, MarketView
from ...memory.decisions_view import DecisionRecord
from ...memory.errors import EmptyLog
from ...memory.orders_view import ORDERS, OrderRecord
from ...memory.performance_view import SessionRecord
from ...memory.portfolio_view import PORTFOLIO
from ...quant.policy import NeutralParams, PolicyParams
from ...tools.ledger import Ledger
from ...tools.scene import CostParams, Scene
from .folds import closes, decisions, standing
from .growing import Grown
from .kept import Kept
from .look import Look
from .places import BOOK, Kinds


class DeskReader:
    """Answers about one run of a book, the latest when none is named. The log is only read, and may be growing."""

    def __init__(self, book: Path, run: str | None = None) -> None:
        self.book, self.run = book, run
        self._kept, self._grown = Kept(), Grown()

    @contextmanager
    def reading(self) -> Iterator["Reading"]:
        """The run as it stands now: one state of the log for a whole question."""
        reading = Reading(Book(self.book), self.run, self._kept, self._grown)
        try:
            yield reading
        finally:
            reading.close()


class Reading(Look):
    """A run as it stands: what it was begun with, what it did, and what it holds."""

    def measured(
        self, name: str, compute: Callable[[Ledger], object], *parts: JsonValue, of: Kinds = BOOK
    ) -> tuple[Evidence, ...]:
        """The ledger entries of some tools on the scene, asked once for this state of the book."""

        def entries() -> tuple[Evidence, ...]:
            view = self.view
            ledger = Ledger(view.as_of, view.fingerprint)
            compute(ledger)
            return ledger.entries

        return self.once(f"measured {name}", entries, *parts, of=of)

    @property
    def started(self) -> RunStarted:
        return self.once("started", self._started, of=(RunStarted,))

    @property
    def settings(self) -> Settings:
        return self.once("settings", lambda: settings_of_run(self.started.settings), of=(RunStarted,))

    @property
    def limits(self) -> Limits:
        """Those of the run's file; a decision may have been held to tighter ones."""
        return self.once("limits", lambda: recorded_limits(self.started), of=(RunStarted,))

    @property
    def limits_in_force(self) -> Limits:
        """The file's as far as people have tightened them since."""
        return self.once(
            "limits in force", lambda: tightest(self.limits, self.standing.tightened), of=(RunStarted, *CONTROL_FACTS)
        )

    @property
    def data(self) -> DataSet:
        name = self.started.data
        return self._kept.once(("data", str(self.book.path), name), lambda: self.book.load(name))

    @property
    def history(self) -> History:
        return self._kept.once(("history", str(self.book.path), self.started.data), self.data.history)

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(item.symbol for item in self.started.universe.instruments)

    @property
    def decisions(self) -> Sequence[DecisionRecord]:
        """All of them, in the order they were made."""
        return decisions(self)

    @property
    def orders(self) -> tuple[OrderRecord, ...]:
        return self.once("orders", self.views.orders, of=ORDERS.handlers)

    @property
    def sessions(self) -> Sequence[SessionRecord]:
        """All that have closed, oldest first."""
        return closes(self)

    @property
    def portfolio(self) -> Portfolio:
        return self.once("portfolio", self.views.portfolio, of=PORTFOLIO.handlers)

    @property
    def last_mark(self) -> Event | None:
        """The last session's close, with the prices the book was valued at."""
        return self.once("last mark", lambda: self.last(PortfolioMarked), of=(PortfolioMarked,))

    @property
    def last_session(self) -> str:
        """The session that closed last, as the log writes it; empty before one has."""
        return self.sessions[-1].session.isoformat() if self.sessions else ""

    @property
    def standing(self) -> Standing:
        """Restrictions, alerts and notifications in force."""
        return standing(self, self.settings.breakers)

    @property
    def prices(self) -> dict[str, Decimal]:
        """What the book is valued at: the marks of the last close, and the last close of what was bought since."""
        mark = self.last_mark
        marked = mark.decoded() if mark else None
        found = dict(marked.prices) if isinstance(marked, PortfolioMarked) else {}
        missing = [symbol for symbol in self.portfolio.holdings() if symbol not in found]
        return found | {symbol: self.scene.prices[symbol] for symbol in missing}

    @property
    def equity(self) -> Decimal:
        return self.portfolio.equity(self.prices)

    @property
    def weights(self) -> dict[str, float]:
        """Fractions of equity held, by symbol."""
        equity, prices = self.equity, self.prices
        return {symbol: float(prices[symbol] * held / equity) for symbol, held in self.portfolio.holdings().items()}

    @property
    def scene(self) -> Scene:
        """The last session's close as the tools look at it, with the book as it is."""

        def look() -> Scene:
            last = self.sessions[-1]
            return self.scene_as(self.view, self.portfolio, last.equity, last.peak_equity)

        return self.once("scene", look, of=BOOK)

    def scene_as(self, view: MarketView, portfolio: Portfolio, equity: Decimal, peak: Decimal) -> Scene:
        """A moment as the desk of this run saw it, under the limits of its file."""
        settings = self.settings
        policy = NeutralParams if settings.book == "neutral" else PolicyParams
        return Scene(
            view=view,
            universe=self.data.universe,
            portfolio=portfolio,
            equity=equity,
            peak_equity=peak,
            limits=self.limits,
            policy=policy(**settings.policy.model_dump()),
            costs=CostParams(**settings.costs.model_dump()),
        )

    @property
    def view(self) -> MarketView:
        """The market as it was known at the last session's close."""
        return self.history.as_of(self.history.close_time(self.sessions[-1].session))

    def decision_event(self, decision_id: str) -> Event | None:
        """The event of one decision, with all it saw and said."""
        return next(self.read(DecisionMade, decision_id=decision_id), None)

    def _started(self) -> RunStarted:
        first = next(self.read(RunStarted, limit=1), None)
        if first is None:
            raise EmptyLog("nothing of this run is in its log yet", remedy="Begin it with `parley run`.")
        return RunStarted.model_validate(first.payload)
