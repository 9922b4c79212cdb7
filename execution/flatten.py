"""Closes positions in several attempts, sells and buys back: each through the gate, each after a new look at them.

HALTED forbids everything but cancels, and no emergency has a way round that: a flatten runs in REDUCING, where
the gate lets only what takes risk off pass. Every attempt closes its share of what is left as limit orders near
the touch; quotes past the price band are not traded on at all; and after the last attempt it ends and says what
is left, since a venue that refuses every exit must not be asked for ever.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
LEAST = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class FlattenTerms:
    """How hard it tries: attempts, and how far past its first price a name may be sold, or bought back; and how many
    moments have to be left of a session for another attempt: two where orders are on their way for a while."""

    max_attempts: int = 4
    band_frac: Decimal = Decimal("0.05")
    least_moments: int = 1


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: from when it decides, which names, and the share of each that it keeps for later; `keep_fracs` are those
    of names that keep less of themselves than the rest."""

    number: int
    decided_at: datetime
    symbols: tuple[str, ...]
    keep_frac: float
    keep_fracs: Mapping[str, float] = field(default_factory=dict[str, float])


Approve = Callable[[Attempt, Portfolio], Awaitable[ApprovedPlan | str]]
"""An approved plan of what closes, or why there is none."""
Work = Callable[[ApprovedPlan, Sequence[Quote], SessionHours, Portfolio], SessionResult]


@dataclass(frozen=True, slots=True)
class FlattenResult:
    """How it ended. `left` are the shares that are still held, or short, of what was to be closed.

    `may_go_on` says that only the session was over: attempts are left, and nothing spoke against another one.
    """

    outcome: Outcome
    reason: str
    attempts: int
    portfolio: Portfolio
    fills: tuple[Fill, ...]
    left: Mapping[str, int]
    may_go_on: bool = False


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
    """Close these names (all positions when none is named) over the quotes after `since`, down to what to `keep`."""
    named, kept_shares = frozenset(symbols), keep or {}
    # A first bid of zero would be no band at all.
    quotes = list(filter(is_tradable, quotes))
    traded = _in_band(quotes, portfolio.holdings(), terms.band_frac)
    beyond = len(quotes) - len(traded)
    moments = sorted({quote.ts_event for quote in traded if quote.ts_event > since})
    fills: list[Fill] = []
    reason, attempts, is_over = "no quotes are left in this session to trade on", 0, False
    while len(moments) >= terms.least_moments and not is_over and (left := to_close(portfolio, named, kept_shares)):
        tries_left = min(terms.max_attempts - attempts, max(len(moments) - 1, 1))
        window, moments = _split(moments, tries_left)
        attempts += 1
        kept = _keep_fracs(left, portfolio, tries_left)
        most = max(kept.values())
        less = {name: frac for name, frac in kept.items() if frac < most}
        attempt = Attempt(attempts, since, tuple(sorted(left)), most, less)
        approved = await approve(attempt, portfolio)
        if isinstance(approved, str):
            reason, is_over = approved, True
            break
        hours = SessionHours(since, window[0], _end_of(window, moments))
        now = [quote for quote in traded if window[0] <= quote.ts_event <= window[-1]]
        result = work(approved, now, hours, portfolio)
        # The positions as they are, not as they were meant to be.
        portfolio, since = result.portfolio, window[-1]
        fills += result.fills
        reason = f"{beyond} of {len(quotes)} quotes lay past the price band" if beyond else "the venue filled no more"
        reason = result.stopped or reason
        is_over = bool(result.stopped) or attempts == terms.max_attempts
    left = to_close(portfolio, named, kept_shares)
    outcome: Outcome = "flat" if not left else "partly" if fills else "stuck"
    moments_left = {quote.ts_event for quote in quotes if quote.ts_event > since}
    may_go_on = bool(left) and not is_over and len(moments_left) < terms.least_moments
    return FlattenResult(outcome, "" if not left else reason, attempts, portfolio, tuple(fills), left, may_go_on)


def to_close(portfolio: Portfolio, named: Collection[str], keep: Mapping[str, int]) -> dict[str, int]:
    """Shares of each position that are to go, signed as it is; of a short one as many stay as of a long one."""
    held = {name: held for name, held in portfolio.holdings().items() if not named or name in named}
    past = {name: abs(held[name]) - keep.get(name, 0) for name in held}
    return {name: past[name] if held[name] > 0 else -past[name] for name in held if past[name] > 0}


def _keep_fracs(left: Mapping[str, int], portfolio: Portfolio, tries_left: int) -> dict[str, float]:
    """The share of each name that an attempt keeps."""
    holdings = portfolio.holdings()
    kept = {name: 1.0 - left[name] / holdings[name] / tries_left for name in sorted(left)}
    # What is closed is rounded up: a share too many must not come of the last digit of a fraction.
    is_whole = left == holdings
    return {name: frac if is_whole or not frac else min(frac + ROUNDING, 1.0) for name, frac in kept.items()}


def _in_band(quotes: Iterable[Quote], holdings: Mapping[str, int], band_frac: Decimal) -> list[Quote]:
    """The quotes whose orders, limit included, stay inside the worst price taken: the first bid less the band, and for
    what is short the first ask with the band on top."""
    bounds: dict[str, Decimal] = {}
    kept: list[Quote] = []
    for quote in quotes:
        if holdings.get(quote.symbol, 0) < 0:
            bound = bounds.setdefault(quote.symbol, quote.ask * (1 + band_frac))
            is_inside = quote.ask * (1 + LIMIT_BAND_FRAC) <= bound
        else:
            bound = bounds.setdefault(quote.symbol, quote.bid * (1 - band_frac))
            is_inside = quote.bid * (1 - LIMIT_BAND_FRAC) >= bound
        if is_inside:
            kept.append(quote)
    return kept


def _end_of(window: Sequence[datetime], moments: Sequence[datetime]) -> datetime:
    """When the venue is left: with one moment to trade in, what was sent at it may be on its way until the next one."""
    if len(window) > 1:
        return window[-1]
    return moments[0] - LEAST if moments else window[0] + LEAST


def _split(moments: list[datetime], parts: int) -> tuple[list[datetime], list[datetime]]:
    """The next attempt's share of the time that is left. The last one never has the last moment alone, if there are
    others: what is sent at the close comes too late wherever orders are on their way for a while."""
    count = -(-len(moments) // parts)
    if len(moments) - count == 1 and count > 1:
        count -= 1
    return moments[:count], moments[count:]
