"""Sells what is held in several attempts: each through the gate, each after a new look at the positions.

HALTED forbids everything but cancels, and no emergency has a way round that: a flatten runs in REDUCING, where
the gate lets only what takes risk off pass. Every attempt sells its share of what is left as limit orders near
the touch; quotes below the price band are not traded on at all; and after the last attempt it ends and says what
is left, since a venue that refuses every exit must not be asked for ever.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from ..domain.market import Quote
from ..domain.orders import Fill
from ..domain.portfolio import Portfolio
from ..gate.approval import ApprovedPlan
from .hours import SessionHours
from .session import SessionResult
from .working import LIMIT_BAND_FRAC, is_tradable

Outcome = Literal["flat", "partly", "stuck"]
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class FlattenTerms:
    """How hard it tries: attempts, and how far below its first price a name may be sold."""

    max_attempts: int = 4
    band_frac: Decimal = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: from when it decides, which names, and the share of each that it keeps for later."""

    number: int
    decided_at: datetime
    symbols: tuple[str, ...]
    keep_frac: float


Approve = Callable[[Attempt, Portfolio], Awaitable[ApprovedPlan | str]]
"""An approved plan of sells, or why there is none."""
Work = Callable[[ApprovedPlan, Sequence[Quote], SessionHours, Portfolio], SessionResult]


@dataclass(frozen=True, slots=True)
class FlattenResult:
    """How it ended. `left` are the shares that are still held of what was to be sold."""

    outcome: Outcome
    reason: str
    attempts: int
    portfolio: Portfolio
    fills: tuple[Fill, ...]
    left: Mapping[str, int]


async def flatten(
    symbols: Iterable[str],
    quotes: Iterable[Quote],
    since: datetime,
    portfolio: Portfolio,
    approve: Approve,
    work: Work,
    terms: FlattenTerms,
    keep: Mapping[str, int] | None = None,
) -> FlattenResult:
    """Sell these names (all that is held when none is named) over the quotes after `since`, down to what to `keep`."""
    named, kept_shares = frozenset(symbols), keep or {}
    # A first bid of zero would be no band at all.
    quotes = list(filter(is_tradable, quotes))
    traded = _in_band(quotes, terms.band_frac)
    below = len(quotes) - len(traded)
    moments = sorted({quote.ts_event for quote in traded if quote.ts_event > since})
    fills: list[Fill] = []
    reason, attempts = "no quotes are left in this session to sell on", 0
    while moments and (left := _to_sell(portfolio, named, kept_shares)) and attempts < terms.max_attempts:
        tries_left = min(terms.max_attempts - attempts, len(moments))
        window, moments = _split(moments, tries_left)
        attempts += 1
        attempt = Attempt(attempts, since, tuple(sorted(left)), _keep_frac(left, portfolio, tries_left))
        approved = await approve(attempt, portfolio)
        if isinstance(approved, str):
            reason = approved
            break
        hours = SessionHours(since, window[0], max(window[-1], window[0] + timedelta(microseconds=1)))
        now = [quote for quote in traded if window[0] <= quote.ts_event <= window[-1]]
        result = work(approved, now, hours, portfolio)
        # The positions as they are, not as they were meant to be.
        portfolio, since = result.portfolio, window[-1]
        fills += result.fills
        reason = f"{below} of {len(quotes)} quotes lay below the price band" if below else "the venue filled no more"
        if result.stopped:
            reason = result.stopped
            break
    left = _to_sell(portfolio, named, kept_shares)
    outcome: Outcome = "flat" if not left else "partly" if fills else "stuck"
    return FlattenResult(outcome, "" if not left else reason, attempts, portfolio, tuple(fills), left)


def _to_sell(portfolio: Portfolio, named: frozenset[str], keep: Mapping[str, int]) -> dict[str, int]:
    held = {name: held for name, held in portfolio.holdings().items() if not named or name in named}
    return {name: held[name] - keep.get(name, 0) for name in held if held[name] > keep.get(name, 0)} if keep else held


def _keep_frac(left: Mapping[str, int], portfolio: Portfolio, tries_left: int) -> float:
    """The share of each name that an attempt keeps: the most that any of them has to."""
    holdings = portfolio.holdings()
    kept = max(1.0 - left[name] / holdings[name] / tries_left for name in left)
    # What is sold is rounded up: a share too many must not come of the last digit of a fraction.
    return kept if left == holdings or not kept else min(kept + ROUNDING, 1.0)


def _in_band(quotes: Iterable[Quote], band_frac: Decimal) -> list[Quote]:
    """The quotes whose sells, limit included, stay above the worst price taken: the first bid less the band."""
    floors: dict[str, Decimal] = {}
    kept: list[Quote] = []
    for quote in quotes:
        floor = floors.setdefault(quote.symbol, quote.bid * (1 - band_frac))
        if quote.bid * (1 - LIMIT_BAND_FRAC) >= floor:
            kept.append(quote)
    return kept


def _split(moments: list[datetime], parts: int) -> tuple[list[datetime], list[datetime]]:
    """The next attempt's share of the time that is left."""
    count = -(-len(moments) // parts)
    return moments[:count], moments[count:]
