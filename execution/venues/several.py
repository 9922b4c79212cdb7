"""Several exchanges at once: one tape, one account, and each with its own fees, delays, size, habits and outages."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..errors import ExecutionError
from ..hours import SessionHours
from .account import Account
from .exchange import Exchange
from .market_events import MarketEvent
from .rules import ExchangeRules, Listing


def several_exchanges(
    hours: SessionHours,
    listings: Mapping[str, Listing],
    characters: Mapping[str, ExchangeRules],
    account: Account,
    *,
    tape: Sequence[MarketEvent] = (),
) -> tuple[Exchange, ...]:
    """One exchange per name, in the order given; the first keeps the account that all of them settle into.

    Each shows its share of the consolidated sizes, and these may not come to more than all of it. The day's volume
    is divided by the same shares: the exchanges together allow no more than one would, and an order that is spread
    over them in these parts moves prices as it would have moved those of one.
    """
    shown = sum(rules.shown_frac for rules in characters.values())
    if not characters or shown > 1.0 + 1e-9:
        raise ExecutionError(
            f"{len(characters)} exchanges show {shown:.3g} of the market's sizes, expected at most 1 in all",
            remedy="Give each exchange its share of the consolidated sizes as shown_frac.",
        )
    return tuple(
        Exchange(
            hours,
            {symbol: _part_of(item, rules.shown_frac) for symbol, item in listings.items()},
            rules,
            account,
            tape=tape,
            name=name,
            keeps_account=place == 0,
        )
        for place, (name, rules) in enumerate(characters.items())
    )


def _part_of(listing: Listing, shown_frac: float) -> Listing:
    terms = listing.liquidity
    return replace(listing, liquidity=replace(terms, volume=terms.volume * shown_frac))
