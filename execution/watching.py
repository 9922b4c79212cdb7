"""What may stop a session while it runs: the port between the fast loop and the desk's controls."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from ..domain.trading import UNRESTRICTED, TradingStates


class Reading(NamedTuple):
    """What the fast loop sees at one moment, after the moment's quotes and fills: measured, not judged.

    `equity` is cash and positions at the latest mids; counts are of child orders of this session; costs in bps of
    traded value, positive when money is lost. `values` is each position's signed value in money, and live: whoever
    keeps a reading copies it.
    """

    now: datetime
    equity: Decimal
    values: Mapping[str, Decimal]
    sent: int
    rejected: int
    denied: int
    unresolved: int
    slippage_bps: float | None
    expected_bps: float | None
    oldest_quote_age_s: float | None


class SessionWatch(Protocol):
    """Judges readings and says what is allowed; asked at every moment, so it must be quick."""

    def states(self, now: datetime) -> TradingStates:
        """What the desk may do at this moment; a raised kill flag counts at once."""
        ...

    def observe(self, reading: Reading) -> None:
        """A breaker may trip on it; the next `states` says so."""
        ...


class Unwatched:
    """No breakers and no operator: for what is replayed without them."""

    def states(self, now: datetime) -> TradingStates:
        return UNRESTRICTED

    def observe(self, reading: Reading) -> None:
        return None
