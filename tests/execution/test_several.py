"""Several exchanges share a market and an account, and differ in the rest."""

from decimal import Decimal
from typing import Any

import pytest
from parley.domain.portfolio import Portfolio
from parley.execution.errors import ExecutionError
from parley.execution.venues.account import Account
from parley.execution.venues.rules import ExchangeRules, Listing
from parley.execution.venues.several import several_exchanges

from .exchange_kit import FREE, IOC, Kit, fills_of, traded

D = Decimal


def made(kit: Kit, **characters: ExchangeRules) -> Any:
    tape = [kit.depth(0, asks=[("100.01", 100), ("100.02", 100)])]
    listings = {"AAA": Listing(kit.floor.liquidity(is_recorded=False), "T2")}
    account = Account(Portfolio(cash=D(1_000_000)))
    venues = several_exchanges(kit.floor.hours, listings, characters, account, tape=tape)
    for venue in venues:
        venue.on_quote(kit.quote(0))
    return venues


def test_each_shows_its_part_and_one_keeps_the_account(floor: Any) -> None:
    kit = Kit(floor)
    big, small = made(kit, big=ExchangeRules(fees=FREE, shown_frac=0.7), small=ExchangeRules(fees=FREE, shown_frac=0.3))

    first = big.submit(kit.order(200, limit="100.01", name="a", time_in_force=IOC))
    second = small.submit(kit.order(200, limit="100.01", name="b", time_in_force=IOC))

    assert traded(first) == [(70, D("100.01"))]
    assert traded(second) == [(30, D("100.01"))]
    assert (big.positions(), small.positions()) == ({"AAA": 100}, {})
    assert big.cash() + small.cash() == D(1_000_000) - 100 * D("100.01")
    assert {fill.venue for fill in fills_of((*first, *second))} == {"big", "small"}


def test_hidden_size_is_behind_the_shown_one_and_drawn_alike_each_time(floor: Any) -> None:
    kit = Kit(floor)

    def taken(seed: int) -> int:
        (dark,) = made(kit, dark=ExchangeRules(fees=FREE, hidden_frac=2.0, seed=seed))
        return sum(quantity for quantity, _ in traded(dark.submit(kit.order(5_000, limit="100.01", time_in_force=IOC))))

    assert taken(1) == taken(1) > 100
    assert len({taken(seed) for seed in range(5)}) == 5


def test_a_swept_side_fades(floor: Any) -> None:
    kit = Kit(floor)
    shy, firm = made(
        kit,
        shy=ExchangeRules(fees=FREE, shown_frac=0.5, fade_frac=0.6),
        firm=ExchangeRules(fees=FREE, shown_frac=0.5),
    )
    for venue in (shy, firm):
        venue.submit(kit.order(50, limit="100.01", name=f"first-{venue.name}", time_in_force=IOC))

    second = {
        venue.name: traded(venue.submit(kit.order(50, name=f"next-{venue.name}", time_in_force=IOC)))
        for venue in (shy, firm)
    }
    assert second == {"shy": [(20, D("100.02"))], "firm": [(50, D("100.02"))]}


def test_parts_that_come_to_more_than_the_market_are_refused(floor: Any) -> None:
    with pytest.raises(ExecutionError, match=r"show 1\.4 of the market"):
        made(Kit(floor), a=ExchangeRules(shown_frac=0.7), b=ExchangeRules(shown_frac=0.7))


def test_an_order_spread_by_their_shares_moves_prices_as_at_one_exchange(floor: Any) -> None:
    kit = Kit(floor)

    def paid(**shares: float) -> Decimal:
        listings = {"AAA": Listing(floor.liquidity(is_recorded=False), "T0")}
        rules = {name: ExchangeRules(fees=FREE, shown_frac=share) for name, share in shares.items()}
        venues = several_exchanges(floor.hours, listings, rules, Account(Portfolio(cash=D(10_000_000))))
        fills = []
        for venue in venues:
            venue.on_quote(kit.quote(0, size=100_000))
            part = int(1_000 * shares[venue.name])
            fills += fills_of(venue.submit(kit.order(part, limit="105", name=f"to-{venue.name}")))
        assert sum(fill.quantity for fill in fills) == 1_000
        return sum((fill.notional for fill in fills), D(0)) / 1_000

    whole = paid(all=1.0)
    assert paid(one=0.5, two=0.5) == whole
    assert whole > D("100.01")
