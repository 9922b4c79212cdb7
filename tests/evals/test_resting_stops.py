"""Stops that rest at the venue over night, in whole runs: at the exchange and at the router, audited and replayed."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from parley.desk.book import Book, RunFolder, open_log
from parley.desk.errors import SettingsInvalid
from parley.desk.settings import Settings, VenueSettings, settings_of_run
from parley.domain.events import (
    ChildDenied,
    ChildSubmitted,
    OrderClosed,
    OrderFilled,
    OrderOpened,
    PortfolioMarked,
    StopFired,
)
from parley.domain.orders import OrderType, TimeInForce
from parley.domain.overnight import OrderAdjusted, SharesSplit
from parley.domain.portfolio import Portfolio, book_fill
from parley.evals.overnight import pass_night
from parley.evals.replay import replay_run
from parley.memory.gate_record import GateRecord
from parley.memory.history import run_started
from parley.memory.log import EventLog
from parley.memory.sent_orders import SentOrders
from parley.memory.verify import verify_log
from parley.service.limit_rules import reachable_limits

from .conftest import Player
from .minutes_kit import write_minutes
from .test_overnight import split_market
from .test_protecting import crash

__all__ = ["crash", "split_market"]
D, DAYS = Decimal, 7


def resting(stop_loss_frac: float = 0.03, venue: str = "exchange") -> Settings:
    chosen = VenueSettings.model_validate({"kind": venue})
    return Settings(stop_loss_frac=stop_loss_frac, stop_orders="resting", venue=chosen)


@pytest.fixture(scope="module", params=["exchange", "routed"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, crash: Path) -> RunFolder:
    """A run through the crash at either venue, made once and only read."""
    player = Player(Book(tmp_path_factory.mktemp("book")))
    return player.run(str(crash), days=DAYS, settings=resting(venue=request.param))


@dataclass(frozen=True)
class Night:
    """What is held at a close beside the open sells of it, each by name."""

    held: dict[str, int]
    protected: dict[str, int]


def facts(folder: RunFolder) -> list[Any]:
    with open_log(folder, readonly=True) as (log, _):
        return [event.decoded() for event in log.read()]


def nights(found: list[Any]) -> list[Night]:
    sent, told = SentOrders(), list[Night]()
    held = Portfolio(cash=D(10**9))
    for fact in found:
        sent.fold(fact)
        held = book_fill(held, fact.fill) if isinstance(fact, OrderFilled) else pass_night(held, fact)
        if isinstance(fact, PortfolioMarked):
            told.append(Night(held.holdings(), {item.child.symbol: item.open_quantity for item in sent.open}))
    return told


def stops_of(found: list[Any]) -> dict[str, Any]:
    sent = [fact.child for fact in found if isinstance(fact, ChildSubmitted)]
    return {child.client_order_id: child for child in sent if child.order_type is OrderType.STOP}


def check_log(folder: RunFolder) -> None:
    report = verify_log(folder.log_path, auditors=(GateRecord(reachable_limits),))
    assert report.ok, report
    assert replay_run(folder).identical


def test_every_position_is_protected_at_the_venue_in_every_night_and_closed_by_it(run: RunFolder) -> None:
    found = facts(run)
    stops, told = stops_of(found), nights(found)
    assert any(night.held for night in told)
    assert all(night.held == night.protected for night in told)
    assert {child.time_in_force for child in stops.values()} == {TimeInForce.GTC}
    filled = {fact.fill.client_order_id for fact in found if isinstance(fact, OrderFilled)}
    fired = [fact for fact in found if isinstance(fact, StopFired) and not fact.exits]
    assert len(fired) == len(filled & set(stops)) > 0
    assert all(item.price <= item.stop_price for item in fired)
    assert not any(isinstance(fact, ChildDenied) for fact in found)
    check_log(run)


def test_every_order_that_rested_has_its_result_once_it_is_over(run: RunFolder) -> None:
    found = facts(run)

    stops = stops_of(found)
    opened = [fact.order.order_id for fact in found if isinstance(fact, OrderOpened)]
    closed = {fact.order_id: fact for fact in found if isinstance(fact, OrderClosed)}
    bought = {name: fact for name, fact in closed.items() if name in {child.order_id for child in stops.values()}}
    sent = SentOrders()
    for fact in found:
        sent.fold(fact)
    left = {item.child.order_id for item in sent.open}
    assert set(opened) - set(closed) == left
    sold = {item.child.order_id: sum(fill.quantity for fill in item.fills) for item in sent.all}
    assert {name: fact.filled for name, fact in bought.items()} == {name: sold[name] for name in bought}
    assert any(fact.status == "filled" and fact.shortfall_bps > 0 for fact in bought.values())


@pytest.mark.parametrize("venue", ["exchange", "routed"])
def test_a_split_moves_the_order_that_rests_and_not_its_worth(player: Player, split_market: Path, venue: str) -> None:
    folder = player.run(str(split_market), days=7, settings=resting(0.2, venue))

    found = facts(folder)
    (split,) = [fact for fact in found if isinstance(fact, SharesSplit)]
    (moved,) = [fact for fact in found if isinstance(fact, OrderAdjusted) and fact.quantity == 3 * split.quantity]
    before = stops_of(found)[moved.client_order_id]
    assert (before.symbol, before.quantity) == ("N0", split.quantity)
    assert moved.stop_price == (before.stop_price / 3).quantize(D("0.01"), "ROUND_FLOOR")
    told = nights(found)
    assert any(night.held.get("N0", 0) >= 3 * split.quantity for night in told)
    assert all(night.held == night.protected for night in told)
    check_log(folder)


class Killed(Exception):
    pass


def test_a_run_that_was_cut_off_ends_with_the_same_log(
    run: RunFolder, player: Player, crash: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_log(run, readonly=True) as (log, _):
        head, started = log.head(), run_started(log)
    chosen = settings_of_run(started.settings)
    append, written = EventLog.append, list[int]()

    def until_killed(log: EventLog, events: Any) -> Any:
        if len(written) > 0.6 * head[0]:
            raise Killed
        written.extend(range(len(events)))
        return append(log, events)

    cut = player.book.create("run-cut")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(EventLog, "append", until_killed)
        player.run(str(crash), days=DAYS, settings=chosen, folder=cut)
    player.run(str(crash), days=DAYS, settings=chosen, folder=cut)

    with open_log(cut, readonly=True) as (log, _):
        assert log.head() == head


@pytest.mark.parametrize(
    "settings",
    [
        Settings(stop_orders="resting", stop_loss_frac=0.05),
        Settings(stop_orders="resting", venue=VenueSettings(kind="exchange")),
        Settings(stop_orders="resting", stop_loss_frac=0.05, as_live=True),
    ],
)
def test_stops_rest_only_where_something_holds_them(player: Player, crash: Path, settings: Settings) -> None:
    with pytest.raises(SettingsInvalid, match="stop_orders is resting"):
        player.run(str(crash), days=2, settings=settings)


def test_stops_the_desk_watches_are_in_no_hash(crash: Path) -> None:
    assert "stop_orders" not in Settings(stop_loss_frac=0.05).public()
    assert resting().hash() != resting().model_copy(update={"stop_orders": "desk"}).hash()


def test_the_desk_s_own_exits_go_through_the_router_too(player: Player, crash: Path) -> None:
    settings = resting(venue="routed").model_copy(update={"stop_orders": "desk"})
    folder = player.run(str(crash), days=DAYS, settings=settings)

    found = facts(folder)
    exits = {leg.order_id for fact in found if isinstance(fact, StopFired) for leg in fact.exits}
    assert exits & {fact.fill.order_id for fact in found if isinstance(fact, OrderFilled)}
    check_log(folder)


def test_within_a_day_each_order_is_for_what_is_held_at_its_moment(player: Player, tmp_path: Path) -> None:
    minutes = write_minutes(tmp_path / "minutes.csv")
    folder = player.run(f"{minutes}@30m", days=6, settings=resting(0.002, "usual"))

    found = facts(folder)
    assert any(fact.outcome == "its order at the venue traded" for fact in found if isinstance(fact, StopFired))
    assert not [fact for fact in found if isinstance(fact, ChildDenied) and fact.child.order_type is OrderType.STOP]
    check_log(folder)
