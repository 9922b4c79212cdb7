"""What one exchange is like: fees, latency, auctions, halts, what it shows of its size, and what is listed there."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from ...domain.orders import ChildOrder, OrderType, Side, TimeInForce
from ..errors import ExecutionError
from ..hours import SessionHours
from .bands import BandRule
from .fees import FeeSchedule
from .impact import Liquidity
from .latency import Latency
from .market_events import Depth, Phase, Tier

WhileHalted = Literal["reject", "queue"]
AUCTIONS: Mapping[TimeInForce, Phase] = {TimeInForce.OPG: "open", TimeInForce.CLS: "close"}
STANDING = frozenset({TimeInForce.GTC, TimeInForce.GTD})
"""What outlives a session, and is taken at any hour."""


@dataclass(frozen=True, slots=True)
class Listing:
    """An instrument as this exchange trades it, and the fidelity of the data behind it.

    T0 prices the impact of own orders, since bars show no depth; T1 and T2 give what is shown and no more.
    """

    liquidity: Liquidity
    tier: Tier = "T0"


@dataclass(frozen=True, slots=True)
class Outage:
    """Nobody reaches the venue from `start` on, before `end`; its market goes on."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class ExchangeRules:
    """`participation_frac` caps own shares by the day's recorded volume. `shown_frac` of consolidated sizes stand
    here; `hidden_frac` of what is shown stands there unseen on average, and `fade_frac` of what is left of a side
    goes away once we have swept its best level. `open_cut_off` and `close_cut_off` are how long before an auction
    its book is shut (Nasdaq takes orders on open until 09:28, NYSE on close until 15:50)."""

    fees: FeeSchedule = field(default_factory=FeeSchedule)
    latency: Latency = field(default_factory=Latency)
    participation_frac: float = 0.1
    while_halted: WhileHalted = "reject"
    bands: BandRule | None = None
    open_cut_off: timedelta = timedelta(minutes=2)
    close_cut_off: timedelta = timedelta(minutes=10)
    shown_frac: float = 1.0
    hidden_frac: float = 0.0
    fade_frac: float = 0.0
    outages: tuple[Outage, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("participation_frac", "shown_frac", "fade_frac"):
            value: float = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise ExecutionError(
                    f"exchange {name} is {value}, expected between 0 and 1", remedy="Correct the exchange's rules."
                )
        if not 0.0 <= self.hidden_frac < float("inf"):
            raise ExecutionError(
                f"exchange hidden_frac is {self.hidden_frac}, expected a finite number of at least 0",
                remedy="Correct the exchange's rules.",
            )

    def is_out(self, moment: datetime) -> bool:
        return any(outage.start <= moment < outage.end for outage in self.outages)

    def hidden(self, name: str, depth: Depth, side: Side, price: Decimal, shown: int) -> int:
        """Unseen shares at a price newly shown: exponential with mean `hidden_frac` of what is shown, drawn from the
        seed, the venue and the level."""
        if self.hidden_frac == 0.0:
            return 0
        level = f"{self.seed}\x1f{name}\x1f{depth.symbol}\x1f{side}\x1f{price}\x1f{depth.ts_event.timestamp()}"
        digest = hashlib.sha256(level.encode()).digest()
        uniform = (int.from_bytes(digest[:7], "big") + 1) / (1 << 56)
        return int(-math.log(uniform) * self.hidden_frac * shown)

    def refusal(self, child: ChildOrder, arrives_at: datetime, hours: SessionHours) -> str:
        """Why this session does not take the order, as far as hours and lifetimes go; empty when it does."""
        if child.created_at <= hours.decided_at:
            return "sent before its decision could be known"
        if child.expires_at is not None and child.expires_at <= arrives_at:
            return f"good till {child.expires_at}, and arrived at {arrives_at}"
        if child.order_type is OrderType.MARKET and child.time_in_force in (TimeInForce.GTC, TimeInForce.GTD):
            return f"a market order can't be {child.time_in_force}"
        if child.time_in_force is TimeInForce.OPG:
            ends = hours.opens_at - self.open_cut_off
            return "" if arrives_at <= ends else f"orders for the open are taken until {ends}"
        if child.time_in_force in STANDING:
            return ""  # Outside the session it waits for the next.
        if not hours.opens_at <= arrives_at <= hours.closes_at:
            return f"outside the session {hours.opens_at} to {hours.closes_at}"
        ends = hours.closes_at - self.close_cut_off
        if child.time_in_force is TimeInForce.CLS and arrives_at > ends:
            return f"orders for the close are taken until {ends}"
        return ""

    def is_locked(self, child: ChildOrder, at: datetime, hours: SessionHours) -> bool:
        """Whether an auction's order can no longer be taken back."""
        if child.time_in_force is TimeInForce.CLS:
            return at > hours.closes_at - self.close_cut_off
        return child.time_in_force is TimeInForce.OPG and at > hours.opens_at - self.open_cut_off
