"""What time it is in the market: the wall's own time, waiting that is sped up, or a jump to whatever is due next."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event
from typing import Protocol

from .clock import elapsed_s, wall_s

LOOK_S = 0.1
"""How long a wait sleeps at most before it looks whether the desk is called."""
RESOLUTION = timedelta(minutes=1)
"""How late a thing may be and still count as on time."""

JUMP_S = 60.0
"""By how much the wall's clock and a steady one may part between two looks: a machine's clock drifts by far less."""

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
    market. It counts steady seconds: whoever sets the machine's clock moves nothing here, and its sleep is none of it.
    """

    def __init__(
        self,
        start: datetime,
        factor: float,
        steady: Callable[[], float] = elapsed_s,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._factor, self._steady, self._sleep = factor, steady, sleep or Event().wait
        self._known = start, steady()
        """One instant on both clocks."""

    def now(self) -> datetime:
        market, steady = self._known
        return market + timedelta(seconds=self._steady() - steady)

    def wait_until(self, moment: datetime, is_called: IsCalled = nobody_calls) -> None:
        while (left := (moment - self.now()).total_seconds()) > 0 and not is_called():
            nap = min(left / self._factor, LOOK_S)
            self._sleep(nap)
            # Slept longer than asked for is time the machine took: it passes, and is not sped up.
            market, steady = self._known
            self._known = market + max(timedelta(seconds=nap * self._factor), timedelta.resolution), steady + nap


class WallClock:
    """The wall's own pace from where it begins, whatever becomes of the wall's clock.

    Set forward, or woken from the machine's sleep, it is later at once: what was due meanwhile is late or missed. Set
    back, it stands still until the wall is there again, so that no moment comes twice. Either is told.
    """

    def __init__(
        self,
        start: datetime,
        on_jump: Callable[[timedelta], None],
        wall: Callable[[], float] = wall_s,
        steady: Callable[[], float] = elapsed_s,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        """`on_jump` gets how far the wall's clock went by itself, below zero where it went back; it may raise."""
        self._wall, self._steady, self._sleep, self._on_jump = wall, steady, sleep or Event().wait, on_jump
        self._began = start, wall()
        self._apart, self._told = wall() - steady(), start

    def now(self) -> datetime:
        wall, steady = self._wall(), self._steady()
        jump, self._apart = wall - steady - self._apart, wall - steady
        start, began = self._began
        self._told = max(self._told, start + timedelta(seconds=wall - began))
        if abs(jump) > JUMP_S:
            self._on_jump(timedelta(seconds=jump))
        return self._told

    def wait_until(self, moment: datetime, is_called: IsCalled = nobody_calls) -> None:
        while (left := (moment - self.now()).total_seconds()) > 0 and not is_called():
            self._sleep(min(left, LOOK_S))


class JumpClock:
    """Waits for nothing: the next moment is there as soon as it is waited for. A restart begins where it is told."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def wait_until(self, moment: datetime, is_called: IsCalled = nobody_calls) -> None:
        if not is_called():
            self._now = max(self._now, moment)
