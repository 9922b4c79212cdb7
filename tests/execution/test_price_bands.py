"""Orders near the prices that may trade: a child's limit goes as far as the venue's band, and no further."""

from decimal import Decimal
from typing import Any

import pytest
from parley.domain.events import ChildDenied, ChildSubmitted, NewEvent
from parley.domain.market import Quote
from parley.domain.orders import ChildOrder, ExecutionAdvice
from parley.execution.venues.account import Account
from parley.execution.venues.bands import BandRule
from parley.execution.venues.exchange import Exchange
from parley.execution.venues.rules import ExchangeRules, Listing

BAND = BandRule(width_frac=Decimal("0.05"))
CENT = Decimal("0.01")


def worked(floor: Any, side: str, last_bid: str) -> tuple[list[ChildOrder], list[NewEvent], Any]:
    """An order in slices of a minute: three of them at 100.00, quoted every ten seconds so that the band stays there,
    and one at another bid, a cent below its ask. What was sent, the log and the result."""
    log: list[NewEvent] = []
    leg = floor.leg("AAA", side, 390, advice=ExecutionAdvice(slices=390))
    plan = floor.approved(leg, state=floor.state(held={"AAA": 390} if side == "SELL" else None))
    listings, rules = {"AAA": Listing(floor.liquidity(), "T1")}, ExchangeRules(bands=BAND)
    venue = Exchange(floor.hours, listings, rules, Account(plan.terms.portfolio))
    bids = [*[Decimal("100.00")] * 18, Decimal(last_bid)]
    quotes = [Quote("AAA", floor.at(place / 6), bid, bid + CENT, 500, 500, False) for place, bid in enumerate(bids)]
    result = floor.work(plan, quotes, log, venue=venue)
    return [event.payload.child for event in log if isinstance(event.payload, ChildSubmitted)], log, result


@pytest.mark.parametrize(
    ("side", "bid", "limit", "price"), [("SELL", "95.50", "95.01", "95.50"), ("BUY", "104.40", "105.00", "104.41")]
)
def test_a_limit_that_would_pass_the_band_ends_at_it_and_the_order_trades(
    floor: Any, side: str, bid: str, limit: str, price: str
) -> None:
    """The first mid is 100.005: five percent around it are 95.01 and 105.00 on the grid, and a percent past these
    quotes lies beyond."""
    sent, log, result = worked(floor, side, bid)

    assert not [event for event in log if isinstance(event.payload, ChildDenied)]
    assert sent[-1].limit_price == Decimal(limit)
    assert [fill.price for fill in result.fills if fill.client_order_id == sent[-1].client_order_id] == [Decimal(price)]


def test_away_from_the_band_a_limit_is_a_percent_past_the_touch(floor: Any) -> None:
    sent, _, _ = worked(floor, "SELL", "100.00")

    assert len(sent) == 4
    assert {child.limit_price for child in sent} == {Decimal("99.00")}
