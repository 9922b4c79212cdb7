"""A data set as the desk receives it: its card, its arrays, its universe and its texts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from ..domain.instruments import Universe
from ..domain.market import Quote, TextItem
from .adjusted_history import AdjustedHistory
from .corporate_actions import CorporateAction
from .history import History
from .intraday_files import RecordedQuotes
from .panel import Panel
from .recorded_sessions import RecordedSessions
from .unsound_books import UnsoundBooks

Frequency = Literal["daily", "minute", "second", "tick", "book"]

FINE_TICK = Decimal("0.000001")
"""Price grid of daily bars. Back-adjusted prices are not quoted prices: AAPL's 1990 close is 0.26 USD
in today's shares, where one cent would be 4 %, and a grid that coarse would invent returns."""

CENT_TICK = Decimal("0.01")
"""Price grid of recorded quotes: the minimum increment of US stocks above 1 USD (Regulation NMS, rule 612)."""


@dataclass(frozen=True, slots=True)
class DataCard:
    """What a reader of any result must know about the data behind it."""

    name: str
    title: str
    source: str
    license: str
    first_session: date
    last_session: date
    frequency: Frequency
    close_only: bool
    adjusted: bool
    survivorship: str
    notes: tuple[str, ...] = ()

    def units_note(self, symbol: str) -> str:
        """In what parts of what was recorded a symbol is counted and priced; empty where it is whole."""
        return next((note for note in self.notes if note.startswith(units_note(symbol, ""))), "")


def units_note(symbol: str, unit: object) -> str:
    """The note of a card on a symbol that is counted in parts of what was recorded."""
    return f"{symbol} in units of {unit}"


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """Everything loaded from one name or path; decisions read it through `history()` only."""

    card: DataCard
    panel: Panel
    universe: Universe
    texts: tuple[TextItem, ...] = ()
    recorded: RecordedQuotes | None = None
    recordings: RecordedSessions | None = None
    """What the exchange plays where the desk decides within the day; None on daily bars, and where only bars exist."""
    actions: tuple[CorporateAction, ...] = ()
    """Where prices are as they were traded: what happens to positions and orders between sessions."""
    unsound: UnsoundBooks | None = None
    """Where the desk decides within the day: which books were locked or crossed, and when."""
    joined_at: date | None = None
    """The first session of its own where earlier prices stand in front: nobody decides on those."""

    def history(self) -> History:
        """The point-in-time door to this data set."""
        if self.actions:
            return AdjustedHistory(self.panel, self.universe, self.card, self.texts, actions=self.actions)
        return History(self.panel, self.universe, self.card, self.texts, self.unsound)

    def recorded_quotes(self, symbol: str, session: date) -> Iterator[Quote]:
        """Quotes of the session as recorded, for the venue; none when the source has no quotes."""
        if self.recorded is None:
            return iter(())
        return self.recorded.quotes(symbol, session)
