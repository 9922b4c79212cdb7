"""What the world says: bars, quotes and texts, each with when it happened and when it could be known."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from .model import Model, Symbol, UtcTime

TWO = Decimal(2)


@dataclass(frozen=True, slots=True)
class Bar:
    """Open, high, low, close and volume over a span; a close-only source leaves the rest None.

    `ts_event` is the end of the span, `available_at` the first moment a decision may use it.
    Prices are floats in the instrument's currency: bars feed statistics, never a ledger.
    """

    symbol: str
    ts_event: datetime
    available_at: datetime
    close: float
    open: float | None = None
    high: float | None = None
    low: float | None = None
    volume: float | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """The top of one venue's book at a moment; sizes in shares. `synthetic` marks a generated one."""

    symbol: str
    ts_event: datetime
    bid: Decimal
    ask: Decimal
    bid_size: int
    ask_size: int
    synthetic: bool

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / TWO


class TextItem(Model):
    """A piece of news or a post: untrusted text from outside, with its source and arrival."""

    id: str
    symbol: Symbol
    source: str
    ts_event: UtcTime
    available_at: UtcTime
    headline: str
    body: str = ""
