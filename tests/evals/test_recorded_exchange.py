"""The exchange over what was recorded: a book feed, ticks, minutes, and a run of the desk, each at its tier."""

import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from parley.domain.orders import ChildOrder, OrderType, Side, TimeInForce
from parley.domain.portfolio import Portfolio, Position
from parley.evals.errors import NothingRecorded
from parley.evals.recorded_tape import RecordedTape, recorded_tape
from parley.execution.hours import SessionHours
from parley.execution.venues.account import Account
from parley.execution.venues.exchange import Exchange
from parley.execution.venues.fees import FeeModel, FeeSchedule
from parley.execution.venues.instrument_market import InstrumentMarket
from parley.execution.venues.latency import Latency
from parley.execution.venues.market_events import Depth, Print
from parley.execution.venues.rules import ExchangeRules, Listing
from parley.execution.venues.worked_order import Execution, worked
from parley.market.grids import Grid
from parley.market.recorded_sessions import book_grid
from parley.market.recordings import Recording, read_recording
from parley.market.sessions import utc_moment

D = Decimal
NAMED = os.environ.get("PARLEY_SHARED_DATA")
FOLDER = Path(NAMED) if NAMED else Path(__file__).resolve().parents[2].parent / "shared" / "data"


def recorded(*names: str) -> list[Path]:
    files = [FOLDER / name for name in names]
    missing = [file for file in files if not file.exists()]
    if missing:
        reason = f"no recorded data at {missing[0]}; set PARLEY_SHARED_DATA to the folder that holds orderbook/"
        pytest.skip(reason)
    return files


@pytest.fixture(scope="module")
def perpetual(tmp_path_factory: Any) -> tuple[Recording, RecordedTape]:
    """The futures' book and trades, in thousandths of a coin."""
    folder = tmp_path_factory.mktemp("book")
    for file in recorded(*(f"orderbook/btcusdt_perp_20240808_{part}.parquet" for part in ("l2_top10_100ms", "trades"))):
        (folder / file.name).symlink_to(file)
    recording = read_recording(folder)
    assert book_grid(recording) == Grid(D("0.1"), D("0.001"))
    return recording, recorded_tape(recording, book_grid(recording))


def child(quantity: int, side: str, limit: Decimal | None, at: Any, **changes: Any) -> ChildOrder:
    values = {
        "client_order_id": "c1", "order_id": "o1", "decision_id": "d1", "symbol": "BTCUSDT", "side": Side(side),
        "quantity": quantity, "limit_price": limit, "sequence": 0, "created_at": at,
    }  # fmt: skip
    return ChildOrder(**{**values, **changes})


def play(tape: RecordedTape, symbol: str, order: ChildOrder) -> list[Execution]:
    """What one order of a moment gets of the rest of the tape, without any delay."""
    market = InstrumentMarket(symbol, Listing(tape.liquidity, tape.tier), ExchangeRules(), "x")
    done: list[Any] = []
    arrived = False
    for event in tape.events:
        if not arrived and event.ts_event > order.created_at:
            arrived = True
            done += market.enter(worked(order, order.created_at), order.created_at)
        done += market.on_event(event)
    return [item for item in done if isinstance(item, Execution)]


def test_a_recorded_book_is_depth_and_its_prints_have_an_aggressor(perpetual: Any) -> None:
    recording, tape = perpetual

    assert tape.tier == "T2"
    assert (len(tape.quotes), len(tape.events)) == (3226, 3226 + 21313)
    assert [event.ts_event for event in tape.events] == sorted(event.ts_event for event in tape.events)
    first = next(event for event in tape.events if isinstance(event, Depth))
    assert (len(first.bids), float(first.bids[0][0])) == (10, pytest.approx(recording.books.bid[0, 0] / 1000))
    assert {event.aggressor for event in tape.events if isinstance(event, Print)} == {Side.BUY, Side.SELL}


def test_a_sweep_of_the_recorded_book_costs_what_its_levels_say(perpetual: Any) -> None:
    recording, tape = perpetual
    row = 1000
    at = tape.quotes[row].ts_event
    quantity = int(recording.books.ask_size[row, :4].sum() * 1000)

    done = play(tape, "BTCUSDT", child(quantity, "BUY", None, at, time_in_force=TimeInForce.IOC))

    expected, left = 0.0, quantity
    for price, size in zip(recording.books.ask[row], recording.books.ask_size[row], strict=True):
        taken = min(left, int(size * 1000 + 1e-9))
        expected, left = expected + taken * price / 1000, left - taken
    assert sum(item.quantity for item in done) == quantity
    assert float(sum(item.quantity * item.price for item in done)) == pytest.approx(expected, rel=1e-12)


def test_an_order_at_the_back_of_the_recorded_queue_waits_for_what_was_in_front_of_it(perpetual: Any) -> None:
    _, tape = perpetual
    place = 1000
    quote = tape.quotes[place]
    order = child(5, "BUY", quote.bid, quote.ts_event)

    done = play(tape, "BTCUSDT", order)

    filled_at = next(
        event.ts_event for event in tape.events if event.ts_event > quote.ts_event and _reaches(event, quote.bid)
    )
    assert sum(item.quantity for item in done) == 5
    assert {(item.price, item.is_maker) for item in done} == {(quote.bid, True)}
    assert filled_at > quote.ts_event


def _reaches(event: Any, price: Decimal) -> bool:
    return isinstance(event, Print) and event.price <= price and event.aggressor is Side.SELL


@pytest.mark.parametrize(
    ("name", "tier", "has_prints"),
    [("us_tick_ibm_20131007", "T1", True), ("us_minute_trade_quote_2013", "T1", False)],
)
def test_quotes_and_trades_of_a_stock_are_the_middle_tier(name: str, tier: str, has_prints: bool) -> None:
    (file,) = recorded(f"intraday/{name}.parquet")
    recording = read_recording(file, "IBM")

    tape = recorded_tape(recording, Grid())

    assert tape.tier == tier
    assert any(isinstance(event, Print) for event in tape.events) is has_prints
    assert recording.session is not None
    opens_at, closes_at = map(utc_moment, recording.session)
    assert (closes_at - opens_at) == timedelta(hours=6.5)
    assert all(opens_at <= event.ts_event <= closes_at for event in tape.events)


def test_a_span_of_a_recording_is_what_happened_in_it_both_ends_included(perpetual: Any) -> None:
    _, tape = perpetual
    opens_at, closes_at = tape.quotes[700].ts_event, tape.quotes[900].ts_event

    events, quotes = tape.between(opens_at, closes_at)

    assert quotes == tape.quotes[700:901]
    assert events == tuple(event for event in tape.events if opens_at <= event.ts_event <= closes_at)


def test_a_stop_on_the_recorded_day_sells_at_the_bid_after_its_trigger() -> None:
    (file,) = recorded("intraday/us_tick_ibm_20131007.parquet")
    tape = recorded_tape(read_recording(file, "IBM"), Grid())
    start = tape.quotes[100]
    stop = min(quote.bid for quote in tape.quotes[100:]) + D("0.05")
    order = child(100, "SELL", None, start.ts_event, symbol="IBM", order_type=OrderType.STOP, stop_price=stop)

    done = play(tape, "IBM", order)

    assert sum(item.quantity for item in done) == 100
    assert all(item.price <= stop or item.price == item.touch for item in done)
    assert all(not item.is_maker for item in done)


def test_the_same_tape_and_seed_end_in_the_same_cash(perpetual: Any) -> None:
    _, tape = perpetual
    first, last = tape.quotes[0].ts_event, tape.quotes[-1].ts_event
    hours = SessionHours(first - timedelta(hours=1), first, last)
    held = Portfolio(cash=D(10**6), positions=(Position(symbol="BTCUSDT", quantity=9, average_price=D(60)),))
    rules = ExchangeRules(fees=FeeSchedule(FeeModel()), latency=Latency(5, 5, 5, 2))

    listings = {"BTCUSDT": Listing(tape.liquidity, tape.tier)}
    venue = Exchange(hours, listings, rules, Account(held), tape=tape.events)
    told = [report for quote in tape.quotes for report in venue.on_quote(quote)]

    assert (told, venue.cash(), venue.positions()) == ([], D(10**6), {"BTCUSDT": 9})
    assert not venue.terms("BTCUSDT").is_halted


def test_a_recording_of_trades_alone_is_no_market(tmp_path: Path) -> None:
    file = tmp_path / "trades.csv"
    file.write_text("ts,symbol,price,size\n2024-08-08T12:00:00Z,AAA,10,1\n2024-08-08T12:00:01Z,AAA,11,1\n")

    with pytest.raises(NothingRecorded, match="AAA"):
        recorded_tape(read_recording(file), Grid())
