"""The exchange beyond its book: halts, bands, delays and races, shorts, outages, fees and bad input, one fact each."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from parley.domain.orders import OrderState
from parley.execution.errors import ExecutionError, OrderIdReused, VenueUnreachable
from parley.execution.venues.bands import BandRule
from parley.execution.venues.fees import US_RETAIL_2024
from parley.execution.venues.latency import Latency
from parley.execution.venues.rules import Outage
from parley.execution.venues.venue import Expired
from parley.gate.approval import ApprovedOrder
from parley.gate.errors import NotApproved
from parley.gate.state import Borrow

from .exchange_kit import CLS, IOC, Kit, fills_of, kinds, reason_of, traded

D = Decimal


@pytest.fixture
def kit(floor: Any) -> Kit:
    return Kit(floor)


def test_nothing_fills_in_a_halt(kit: Kit) -> None:
    tape = [kit.depth(0), kit.halt(1), kit.depth(2, asks=[("99.50", 500)], bids=[("99.40", 500)]), kit.halt(3, False)]
    venue = kit.exchange(tape)
    venue.on_quote(kit.quote(0))
    venue.submit(kit.order(10, limit="99.60"))
    venue.on_quote(kit.quote(1))

    assert venue.terms("AAA").is_halted
    assert venue.on_quote(kit.quote(2)) == ()
    assert "halted: news" in reason_of(venue.submit(kit.order(10, name="c2", created_at=kit.at(2))))
    assert traded(venue.on_quote(kit.quote(3))) == [(10, D("99.60"))]


def test_where_halts_queue_orders_they_come_in_when_trading_goes_on(kit: Kit) -> None:
    tape = [kit.depth(0), kit.halt(1), kit.halt(3, False)]
    venue = kit.exchange(tape, while_halted="queue")
    venue.on_quote(kit.quote(1))

    assert kinds(venue.submit(kit.order(10, created_at=kit.at(1)))) == ["Accepted"]
    assert kinds(venue.submit(kit.order(10, name="c2", time_in_force=IOC, created_at=kit.at(1)))) == [
        "Accepted",
        "Canceled",
    ]
    assert traded(venue.on_quote(kit.quote(3))) == [(10, D("100.01"))]


def test_a_price_band_bounds_every_fill_and_pauses_a_market_that_stays_at_it(kit: Kit) -> None:
    away = [kit.depth(second, [("106", 500)], [("106.02", 500)]) for second in (10, 20, 26)]
    back = kit.depth(330)
    venue = kit.exchange([kit.depth(0), *away, back], bands=BandRule(), while_halted="queue")
    venue.on_quote(kit.quote(0))
    assert venue.terms("AAA").price_band == (D("95.00"), D("105.00"))

    venue.on_quote(kit.quote(10))
    assert kinds(venue.submit(kit.order(10, limit="104", name="c1", created_at=kit.at(10)))) == ["Accepted"]
    venue.on_quote(kit.quote(26))
    assert venue.terms("AAA").is_halted
    assert traded(venue.on_quote(kit.quote(330))) == [(10, D("104"))]


def test_a_sweep_stops_at_the_price_band(kit: Kit) -> None:
    book = kit.depth(0, asks=[("100.01", 100), ("101.50", 100)])
    venue = kit.exchange([book], bands=BandRule(width_frac=D("0.01")), while_halted="queue")
    venue.on_quote(kit.quote(0))

    # The mid is 100, so the band ends at 101.
    assert traded(venue.submit(kit.order(150, limit="102"))) == [(100, D("100.01"))]


def test_where_bands_reject_a_price_beyond_one_is_refused(kit: Kit) -> None:
    venue = kit.exchange([kit.depth(0)], bands=BandRule(width_frac=D("0.01")))
    venue.on_quote(kit.quote(0))

    assert "outside the band 99.00 to 101.00" in reason_of(venue.submit(kit.order(10, limit="102")))


def test_an_order_is_there_after_the_feed_s_and_its_own_delay(kit: Kit) -> None:
    latency = Latency(feed_ms=100, order_ms=400, ack_ms=200)
    venue = kit.exchange([kit.depth(second / 10, asks=[("100.01", 50)]) for second in range(20)], latency=latency)
    venue.on_quote(kit.quote(0))

    assert venue.submit(kit.order(10)) == ()
    assert venue.on_quote(kit.quote(0.5)) == ()
    reports = venue.on_quote(kit.quote(0.6))
    assert kinds(reports) == ["Accepted", "Filled"]
    assert {report.ts_event for report in reports} == {kit.at(0.5)}


def test_cancel_and_fill_race_by_the_venue_s_time(kit: Kit) -> None:
    def outcome(seconds: float) -> list[str]:
        tape = [kit.depth(0), kit.tick(1.04, "99.98", 30, "SELL"), kit.depth(2)]
        venue = kit.exchange(tape, latency=Latency(order_ms=50))
        venue.on_quote(kit.quote(0))
        venue.submit(kit.order(30, limit="99.99"))
        return kinds((*venue.cancel("c1", kit.at(seconds)), *venue.on_quote(kit.quote(2))))

    # The trade happens at 1.040 s; a cancel needs 0.050 s to arrive.
    assert outcome(0.98) == ["Accepted", "Canceled"]
    assert outcome(1.00) == ["Accepted", "Filled", "CancelRefused"]


def test_a_question_is_answered_after_the_requests_before_it(kit: Kit) -> None:
    venue = kit.exchange([kit.depth(0), kit.depth(1)], latency=Latency(order_ms=50))
    venue.on_quote(kit.quote(0))
    venue.submit(kit.order(30, limit="99.99"))
    venue.cancel("c1", kit.at(0))

    seen = venue.order("c1")

    assert seen is not None
    assert seen.state is OrderState.CANCELED
    assert kinds(venue.on_quote(kit.quote(1))) == ["Accepted", "Canceled"]
    assert venue.order("nobody") is None


def test_delays_are_longer_when_the_market_is_fast() -> None:
    latency = Latency(order_ms=10, jitter_ms=5, seed=3)

    slow, fast = latency.delay("order", "m"), latency.delay("order", "m", pace=3.0)

    assert fast / slow == pytest.approx(2.0, rel=1e-3)
    assert slow > timedelta(milliseconds=10)
    assert latency.delay("order", "m") == slow
    assert latency.delay("order", "n") != slow


def test_a_short_sale_needs_a_locate(kit: Kit) -> None:
    book = kit.depth(0)
    bare, located = kit.exchange([book]), kit.exchange([book], borrow={"AAA": Borrow(20, 0.03)})
    for venue in (bare, located):
        venue.on_quote(kit.quote(0))

    assert "20 of the shares sold are neither held nor located" in reason_of(
        bare.submit(kit.order(20, "SELL", "99.90"))
    )
    assert kinds(located.submit(kit.order(20, "SELL", "99.90"))) == ["Accepted", "Filled"]
    assert kinds(located.submit(kit.order(1, "SELL", "99.90", name="c2"))) == ["Rejected"]
    assert located.positions() == {"AAA": -20}


def test_an_outage_is_no_answer_and_the_market_goes_on(kit: Kit) -> None:
    out = (Outage(kit.at(1), kit.at(3)),)
    venue = kit.exchange([kit.depth(0), kit.tick(2, "99.98", 30, "SELL"), kit.depth(3)], outages=out)
    venue.on_quote(kit.quote(0))
    venue.submit(kit.order(30, limit="99.99"))

    for call in (
        lambda: venue.on_quote(kit.quote(2)),
        lambda: venue.order("c1"),
        lambda: venue.cancel("c1", kit.at(2)),
        lambda: venue.submit(kit.order(1, name="c2", created_at=kit.at(2))),
    ):
        with pytest.raises(VenueUnreachable):
            call()
    assert traded(venue.on_quote(kit.quote(3))) == [(30, D("99.99"))]
    assert venue.order("c2") is None


@pytest.mark.parametrize(("bid", "ask"), [("100.02", "100.01"), ("100.01", "100.01"), ("0", "100.01")])
def test_nobody_is_filled_on_a_crossed_locked_or_one_sided_book(kit: Kit, bid: str, ask: str) -> None:
    venue = kit.exchange()
    venue.on_quote(kit.quote(0))
    venue.on_quote(kit.quote(1, bid, ask))

    assert kinds(venue.submit(kit.order(10, created_at=kit.at(1)))) == ["Accepted"]
    assert traded(venue.on_quote(kit.quote(2))) == [(10, D("100.01"))]


@pytest.mark.parametrize(("bid", "ask"), [("100.02", "100.01"), ("100.01", "100.01"), ("0", "100.01")])
def test_a_moment_of_an_unusable_book_brings_no_size_back(kit: Kit, bid: str, ask: str) -> None:
    venue = kit.exchange()
    venue.on_quote(kit.quote(0, size=100))
    assert traded(venue.submit(kit.order(150))) == [(100, D("100.01"))]
    venue.on_quote(kit.quote(1, bid, ask))

    assert venue.on_quote(kit.quote(2, size=100)) == ()
    assert traded(venue.on_quote(kit.quote(3, size=130))) == [(30, D("100.01"))]


def test_no_auction_fills_an_order_in_a_halt(kit: Kit) -> None:
    closes = kit.floor.closes
    venue = kit.exchange([kit.depth(0), kit.halt(1), kit.cross(closes, "close")])
    venue.on_quote(kit.quote(0))
    venue.submit(kit.order(100, time_in_force=CLS))

    (ended,) = venue.close(closes)

    assert isinstance(ended, Expired)
    assert ended.reason == "AAA is halted: news"


def test_a_quote_told_again_brings_no_size_back(kit: Kit) -> None:
    venue = kit.exchange()
    venue.on_quote(kit.quote(0, size=100))
    venue.submit(kit.order(150))

    assert venue.on_quote(kit.quote(0, size=100)) == ()


def test_the_volume_cap_and_impact_hold_where_only_bars_are_known(kit: Kit) -> None:
    venue = kit.exchange(tier="T0", liquidity={"volume": 10_000.0})
    venue.on_quote(kit.quote(0, size=5_000))

    (fill,) = fills_of(venue.submit(kit.order(2_000, limit="104")))

    # A tenth of 10,000 shares; 1 % x sqrt(1,000 / 10,000) above the ask of 100.01, rounded up to a cent.
    assert (fill.quantity, fill.price, fill.tier) == (1_000, D("100.33"), "T0")


def test_fees_are_those_of_taking_making_and_selling() -> None:
    from parley.domain.orders import Side

    taken = US_RETAIL_2024.owed(Side.BUY, 1_000, 0, D(100_000))
    made = US_RETAIL_2024.owed(Side.BUY, 0, 1_000, D(100_000))
    sold = US_RETAIL_2024.owed(Side.SELL, 1_000, 0, D(100_000))

    # 1,000 x (0.0035 + 0.0030); 1,000 x (0.0035 - 0.0020); and 100,000 x 27.80 / 1e6 + 1,000 x 0.000166 more.
    assert (taken, made, sold) == (D("6.50"), D("1.50"), D("9.45"))
    assert US_RETAIL_2024.owed(Side.BUY, 0, 10, D(20)) == D("0.18")
    assert US_RETAIL_2024.worst(1_000, D(100)) == D("9.45")


def test_the_same_order_again_is_the_same_order_and_another_is_an_error(kit: Kit) -> None:
    venue = kit.exchange([kit.depth(0)])
    venue.on_quote(kit.quote(0))
    order = kit.order(10)

    assert venue.submit(order) == venue.submit(order)
    assert venue.positions() == {"AAA": 10}
    with pytest.raises(OrderIdReused, match="c1"):
        venue.submit(kit.order(11))


def test_only_genuine_approved_orders_are_taken(kit: Kit) -> None:
    order = kit.order(10)
    altered = object.__new__(ApprovedOrder)
    object.__setattr__(altered, "child", order.child.model_copy(update={"time_in_force": IOC}))
    object.__setattr__(altered, "verdict_hash", order.verdict_hash)

    fakes: list[Any] = [altered, order.child]
    for fake in fakes:
        with pytest.raises(NotApproved):
            kit.exchange().submit(fake)
    object.__setattr__(order, "child", altered.child)
    with pytest.raises(NotApproved, match="not what the gate reviewed"):
        kit.exchange().submit(order)


def test_a_tape_that_goes_back_in_time_is_refused(kit: Kit) -> None:
    with pytest.raises(ExecutionError, match="back in time"):
        kit.exchange([kit.depth(1), kit.depth(0)])
