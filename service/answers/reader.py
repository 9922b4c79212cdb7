"""One run of a book as questions find it: read afresh each time, with what is heavy kept until the log grows."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pydantic import JsonValue

from ...desk.book import Book, RunFolder
from ...desk.control_log import CONTROL_FACTS
from ...desk.operator import BookPost, book_post
from ...desk.settings import Settings, settings_of_run
from ...domain.canonical import canonical_text
from ...domain.decisions import Evidence
from ...domain.events import DecisionMade, Event, Payload, PortfolioMarked, RunStarted
from ...domain.portfolio import Portfolio
from ...evals.book_at_rest import recorded_limits
from ...execution.standing import Standing
from ...gate.limits import Limits
from ...gate.tightening import tightest
from ...market.cards import DataSet
from ...market.history import History, MarketView
from ...memory.decisions_view import DECISIONS, DecisionRecord
from ...memory.errors import EmptyLog
from ...memory.log import EventLog
from ...memory.orders_view import ORDERS, OrderRecord
from ...memory.performance_view import PERFORMANCE, SessionRecord
from ...memory.portfolio_view import PORTFOLIO
from ...memory.stored_events import StoredEvents
from ...memory.views import ReadModels
from ...quant.policy import NeutralParams, PolicyParams
from ...storage.sql import Database, open_sqlite
from ...tools.ledger import Ledger
from ...tools.scene import CostParams, Scene
from .draft import Draft
from .growing import Grown
from .kept import Kept
from .places import BOOK, Kinds, Places

Value = TypeVar("Value")
State = TypeVar("State")


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


class Reading:
    """One look at a run. Nothing is opened before it is asked for."""

    def __init__(self, book: Book, run: str | None, kept: Kept, grown: Grown) -> None:
        self.book, self._run, self._kept, self._grown = book, run, kept, grown

    @cached_property
    def folder(self) -> RunFolder:
        return self.book.find(self._run)

    @cached_property
    def _database(self) -> Database:
        database = open_sqlite(self.folder.log_path, readonly=True)
        database.begin()
        return database

    @cached_property
    def views(self) -> ReadModels:
        return ReadModels(self._database)

    @cached_property
    def _stored(self) -> StoredEvents:
        stored = StoredEvents(self._database)
        stored.require_table()
        return stored

    @cached_property
    def log(self) -> EventLog:
        """The log itself, for tools that want one; of a long run it takes its time to open, and `read` does not."""
        return EventLog(self._database, self.views)

    @cached_property
    def _places(self) -> Places:
        return Places(self._stored, self.seq)

    @property
    def run_id(self) -> str:
        return self.folder.run_id

    @cached_property
    def seq(self) -> int:
        """The place of the log's last event."""
        return self._stored.last_seq()

    @cached_property
    def head(self) -> str:
        """The hash of the log's last event: what was worked out for it holds until there is another."""
        return self._stored.hash_at(self.seq)

    def read(
        self,
        *types: type[Payload],
        after: int = 0,
        limit: int | None = None,
        decision_id: str | None = None,
        order_id: str | None = None,
    ) -> Iterator[Event]:
        """Events of some kinds, in order, of one decision or order or of all."""
        return self._stored.read(after, self.seq, limit, types, decision_id, order_id)

    def last(self, kind: type[Payload]) -> Event | None:
        """The latest event of a kind."""
        return self._stored.last(kind, self.seq)

    @property
    def post(self) -> BookPost:
        """The files by which people reach the desk."""
        return book_post(self.book.path)

    def close(self) -> None:
        if "_database" in self.__dict__:
            self._database.close()

    def draft(self, name: str, asked: Mapping[str, JsonValue]) -> Draft:
        """An answer to begin, about this state of this run."""
        return Draft(name, asked, self.run_id, self.head)

    def once(self, name: str, compute: Callable[[], Value], *parts: JsonValue, of: Kinds = ()) -> Value:
        """Worked out once of this state of the log; with `of`, until there is another event of those kinds."""
        place = self._places.of(of) if of else self.head
        return self._kept.once((self.run_id, place, name, canonical_text(list(parts))), compute)

    def seldom(self, name: str, compute: Callable[[], Value], *parts: JsonValue) -> Value:
        """What takes seconds and may be of a moment ago: renewed when the parts differ and it has rested."""
        return self._kept.seldom((self.run_id, name), canonical_text(list(parts)), compute)

    def of_decision(self, name: str, compute: Callable[[], Value], decision_id: str) -> Value:
        """What depends on one recorded decision alone: it holds as long as the run is the same one."""
        return self.once(name, compute, decision_id, of=(RunStarted,))

    def grown(
        self, name: str, types: tuple[type[Payload], ...], begin: State, add: Callable[[State, Event], State]
    ) -> State:
        """A fold of events that goes on where it stopped; `add` gives a new state and never changes the old one."""
        return self._grown.state(f"{self.run_id} {name}", self._stored, self.seq, types, begin, add)

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
    def decisions(self) -> tuple[DecisionRecord, ...]:
        return self.once("decisions", self.views.decisions, of=DECISIONS.handlers)

    @property
    def orders(self) -> tuple[OrderRecord, ...]:
        return self.once("orders", self.views.orders, of=ORDERS.handlers)

    @property
    def sessions(self) -> tuple[SessionRecord, ...]:
        return self.once("sessions", self.views.performance, of=PERFORMANCE.handlers)

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

        def fold() -> Standing:
            standing = Standing(self.settings.breakers)
            standing.resume(event.decoded() for event in self.read(*CONTROL_FACTS))
            return standing

        return self.once("standing", fold, of=(RunStarted, *CONTROL_FACTS))

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
