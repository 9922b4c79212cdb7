"""How long a quote takes to us, an order to the venue and its answer back; seeded, and slower in volatile moments."""

import hashlib
import math
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from ..errors import ExecutionError

Leg = Literal["feed", "order", "ack"]
NO_TIME = timedelta(0)


@dataclass(frozen=True, slots=True)
class Latency:
    """Each leg takes its base and an exponential part of mean `jitter_ms`, times what the market's pace makes of it.

    At twice the usual pace, both are `1 + pace_share` times as long; at most `max_multiple`. A delay is a pure
    function of the seed, the leg and the message, so the order in which messages are sent changes none of them.
    """

    feed_ms: float = 0.0
    order_ms: float = 0.0
    ack_ms: float = 0.0
    jitter_ms: float = 0.0
    pace_share: float = 0.5
    max_multiple: float = 10.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("feed_ms", "order_ms", "ack_ms", "jitter_ms", "pace_share"):
            value: float = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ExecutionError(
                    f"latency {name} is {value}, expected a finite number of at least 0",
                    remedy="Correct the latency settings.",
                )
        if not (math.isfinite(self.max_multiple) and self.max_multiple >= 1):
            raise ExecutionError(
                f"latency max_multiple is {self.max_multiple}, expected at least 1",
                remedy="Correct the latency settings.",
            )

    def delay(self, leg: Leg, message: str, pace: float = 1.0) -> timedelta:
        """How long this message takes on this leg, at a pace of the market (1 is its usual one)."""
        base = {"feed": self.feed_ms, "order": self.order_ms, "ack": self.ack_ms}[leg]
        if base == 0.0 and self.jitter_ms == 0.0:
            return NO_TIME
        digest = hashlib.sha256(f"{self.seed}\x1f{leg}\x1f{message}".encode()).digest()
        uniform = (int.from_bytes(digest[:7], "big") + 1) / (1 << 56)
        multiple = min(1.0 + self.pace_share * max(pace - 1.0, 0.0), self.max_multiple)
        return timedelta(milliseconds=(base - self.jitter_ms * math.log(uniform)) * multiple)


class Pace:
    """How fast each instrument's mid moves lately, over how fast it has moved so far: 1 is as usual."""

    FAST, SLOW = 2.0 / 21.0, 2.0 / 501.0
    WARM_UP = 50

    def __init__(self) -> None:
        self._seen: dict[str, tuple[Decimal, float, float, int]] = {}

    def observe(self, symbol: str, mid: Decimal) -> None:
        last, fast, slow, count = self._seen.get(symbol, (mid, 0.0, 0.0, 0))
        move = abs(float(mid / last) - 1.0)
        fast += self.FAST * (move - fast)
        slow += max(self.SLOW, 1.0 / (count + 1)) * (move - slow)
        self._seen[symbol] = (mid, fast, slow, count + 1)

    def of(self, symbol: str) -> float:
        _, fast, slow, count = self._seen.get(symbol, (None, 0.0, 0.0, 0))
        return fast / slow if count >= self.WARM_UP and slow > 0 else 1.0
