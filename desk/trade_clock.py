"""What time it is in the market: waiting that is sped up, or a jump to whatever is due next."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event
from typing import Protocol

from .clock import wall_s

LOOK_S = 0.1
"""How long a wait sleeps at most before it looks whether the desk is called."""
RESOLUTION = timedelta(minutes=1)
"""How late a thing may be and still count as on time."""

IsCalled = Callable[[], bool]


def nobody_calls() -> bool:
    return False


class TradeClock(Protocol):
    """Tells the market's time, in UTC, and waits for it."""

    def now(self) -> datetime: ...

    def wait_until(self, moment: datetime, is_called: IsCalled = nobody_calls) -> None:
        """Come back at the moment, at once where it has passed, or early as soon as the desk is called."""
        ...


class PacedClock:
    """Waiting takes a `factor` less than it would; what the desk does takes the time it takes.

    Were the desk's own work sped up too, a tenth of a second of a busy machine would be a quarter of an hour of the
    market. With a factor of 1 it is the wall's clock.
    """

    def __init__(
        self,
        start: datetime,
        factor: float,
        wall: Callable[[], float] = wall_s,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._factor, self._wall, self._sleep = factor, wall, sleep or Event().wait
        self._known = start, wall()
        """One instant on both clocks."""

    def now(self) -> datetime:
        market, wall = self._known
        return market + timedelta(seconds=max(self._wall() - wall, 0.0))

    def wait_until(self, moment: datetime, is_called: IsCalled = nobody_calls) -> None:
        while (left := (moment - self.now()).total_seconds()) > 0 and not is_called():
            nap = min(left / self._factor, LOOK_S)
            self._sleep(nap)
            # Slept longer than asked for is time the machine took: it passes, and is not sped up.
            market, wall = self._known
            self._known = market + max(timedelta(seconds=nap * self._factor), timedelta.resolution), wall + nap


class JumpClock:
    """Waits for nothing: the next moment is there as soon as it is waited for. A restart begins where it is told."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def wait_until(self, moment: datetime, is_called: IsCalled = nobody_calls) -> None:
        if not is_called():
            self._now = max(self._now, moment)
