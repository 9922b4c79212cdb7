"""The exchange: the book, types, lifetimes and auctions, one fact each."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from parley.domain.orders import OrderState
from parley.execution.errors import VenueUnreachable
from parley.execution.venues.rules import Outage
from parley.execution.venues.worked_order import carried
from parley.memory.sent_orders import SentOrder

from .exchange_kit import CLS, FOK, GTC, GTD, IOC, OPG, STOP, STOP_LIMIT, Kit, fills_of, kinds, reason_of, traded

D = Decimal


@pytest.fixture
def kit(floor: Any) -> Kit:
    return Kit(floor)


def test_a_taker_walks_the_book_level_by_level(kit: Kit) -> None:
    book = kit.depth(0, asks=[("100.01", 100), ("100.02", 200), ("100.03", 300)])
    venue = kit.exchange([book])
    venue.on_quote(kit.quote(0))

    reports = venue.submit(kit.order(350))

    assert traded(reports) == [(100, D("100.01")), (200, D("100.02")), (50, D("100.03"))]
    assert {fill.tier for fill in fills_of(reports)} == {"T2"}
    assert {fill.touch_price for fill in fills_of(reports)} == {D("100.01")}


def test_what_was_taken_does_not_come_back_until_more_is_shown(kit: Kit) -> None:
    shown = [kit.depth(second, asks=[("100.01", size)]) for second, size in ((0, 100), (1, 100), (2, 80), (3, 130))]
    venue = kit.exchange(shown)
    venue.on_quote(kit.quote(0))
    assert traded(venue.submit(kit.order(300))) == [(100, D("100.01"))]

    assert venue.on_quote(kit.quote(1)) == ()
    assert venue.on_quote(kit.quote(2)) == ()
    assert traded(venue.on_quote(kit.quote(3))) == [(50, D("100.01"))]


def test_a_joined_price_is_behind_all_that_was_shown(kit: Kit) -> None:
    ticks = [kit.tick(1, "99.99", 400, "SELL"), kit.tick(2, "99.99", 130, "SELL")]
    venue = kit.exchange([kit.depth(0), *ticks])
    venue.on_quote(kit.quote(0))
    venue.submit(kit.order(50, limit="99.99"))

    assert venue.on_quote(kit.quote(1)) == ()
    (fill,) = fills_of(venue.on_quote(kit.quote(2)))
    assert (fill.quantity, fill.price) == (30, D("99.99"))


def test_cancels_of_others_are_taken_to_stand_behind_us(kit: Kit) -> None:
    smaller = kit.depth(1, bids=[("99.99", 40)])
    venue = kit.exchange([kit.depth(0), smaller, kit.tick(2, "99.99", 60, "SELL")])
    venue.on_quote(kit.quote(0))
    venue.submit(kit.order(50, limit="99.99"))
    venue.on_quote(kit.quote(1))

    assert traded(venue.on_quote(kit.quote(2))) == [(20, D("99.99"))]


def test_a_trade_through_the_price_fills_it_without_a_queue(kit: Kit) -> None:
    venue = kit.exchange([kit.depth(0), kit.tick(1, "99.98", 30, "SELL")])
    venue.on_quote(kit.quote(0))
    venue.submit(kit.order(50, limit="99.99"))

    assert traded(venue.on_quote(kit.quote(1))) == [(30, D("99.99"))]


def test_a_buyer_s_aggression_fills_no_buy(kit: Kit) -> None:
    venue = kit.exchange([kit.depth(0), kit.tick(1, "99.98", 5_000, "BUY")])
    venue.on_quote(kit.quote(0))
    venue.submit(kit.order(50, limit="99.99"))

    assert venue.on_quote(kit.quote(1)) == ()


def test_without_a_told_aggressor_the_touch_says_who_was_hit(kit: Kit) -> None:
    venue = kit.exchange([kit.depth(0), kit.tick(1, "100.01", 900), kit.tick(2, "99.99", 550)])
    venue.on_quote(kit.quote(0))
    venue.submit(kit.order(50, limit="99.99"))

    assert venue.on_quote(kit.quote(1)) == ()
    assert traded(venue.on_quote(kit.quote(2))) == [(50, D("99.99"))]


def test_a_sell_stop_fills_at_the_worse_of_its_price_and_the_market(kit: Kit) -> None:
    venue = kit.exchange([kit.depth(0), kit.depth(1, [("99.40", 500)], [("99.45", 500)])], held={"AAA": 50})
    venue.on_quote(kit.quote(0))
    stop = kit.order(50, "SELL", None, order_type=STOP, stop_price=D("99.80"))

    assert kinds(venue.submit(stop)) == ["Accepted"]
    assert traded(venue.on_quote(kit.quote(1))) == [(50, D("99.40"))]


def test_a_stop_limit_that_is_jumped_over_waits_at_its_limit(kit: Kit) -> None:
    jump, back = kit.depth(1, [("99.40", 500)], [("99.45", 500)]), kit.depth(2, [("99.75", 500)], [("99.80", 500)])
    venue = kit.exchange([kit.depth(0), jump, back], held={"AAA": 50})
    venue.on_quote(kit.quote(0))
    venue.submit(kit.order(50, "SELL", "99.70", order_type=STOP_LIMIT, stop_price=D("99.80")))

    assert venue.on_quote(kit.quote(1)) == ()
    assert traded(venue.on_quote(kit.quote(2))) == [(50, D("99.70"))]


def test_a_triggered_stop_stands_behind_the_orders_that_were_there_before_it(kit: Kit) -> None:
    falls = kit.depth(5, [("99.40", 500)], [("99.45", 500)])
    venue = kit.exchange([kit.depth(0), falls, kit.tick(8, "100.06", 10, "BUY")], held={"AAA": 20})
    venue.on_quote(kit.quote(0))
    stop = {"order_type": STOP_LIMIT, "stop_price": D("99.50")}
    venue.submit(kit.order(10, "SELL", "100.05", "stop", **stop))
    venue.submit(kit.order(10, "SELL", "100.05", "plain", created_at=kit.at(1)))

    (fill,) = fills_of(venue.on_quote(kit.quote(8)))

    assert (fill.client_order_id, fill.quantity) == ("plain", 10)


def test_a_print_at_the_stop_triggers_it(kit: Kit) -> None:
    venue = kit.exchange([kit.depth(0), kit.tick(1, "99.80", 5)], held={"AAA": 50})
    venue.on_quote(kit.quote(0))
    venue.submit(kit.order(50, "SELL", None, order_type=STOP, stop_price=D("99.80")))

    assert traded(venue.on_quote(kit.quote(1))) == [(50, D("99.99"))]


def test_immediate_or_cancel_takes_what_is_there_and_ends(kit: Kit) -> None:
    venue = kit.exchange([kit.depth(0)])
    venue.on_quote(kit.quote(0))

    reports = venue.submit(kit.order(600, time_in_force=IOC))

    assert kinds(reports) == ["Accepted", "Filled", "Canceled"]
    assert traded(reports) == [(500, D("100.01"))]


def test_fill_or_kill_is_all_or_nothing(kit: Kit) -> None:
    book = kit.depth(0, asks=[("100.01", 100), ("100.02", 200)])
    venue = kit.exchange([book])
    venue.on_quote(kit.quote(0))

    assert kinds(venue.submit(kit.order(301, time_in_force=FOK))) == ["Accepted", "Canceled"]
    whole = venue.submit(kit.order(300, name="c2", time_in_force=FOK))
    assert kinds(whole) == ["Accepted", "Filled", "Filled"]


def test_good_till_date_ends_at_its_moment_and_not_before(kit: Kit) -> None:
    venue = kit.exchange([kit.depth(second) for second in range(0, 40, 10)])
    venue.on_quote(kit.quote(0))
    venue.submit(kit.order(10, limit="99", time_in_force=GTD, expires_at=kit.at(20)))

    assert venue.on_quote(kit.quote(10)) == ()
    (report,) = venue.on_quote(kit.quote(20))
    assert (kinds([report]), report.ts_event) == (["Expired"], kit.at(20))


def test_only_what_stands_till_canceled_outlives_the_session(kit: Kit) -> None:
    venue = kit.exchange([kit.depth(0)])
    venue.on_quote(kit.quote(0))
    venue.submit(kit.order(10, limit="99", time_in_force=GTC))
    venue.submit(kit.order(10, limit="99", name="c2"))

    assert [report.client_order_id for report in venue.close(kit.floor.closes)] == ["c2"]
    (left,) = venue.carry_over()
    tomorrow = kit.exchange([kit.depth(0, [("98", 500)], [("98.50", 500)])])
    tomorrow.take_over([left])
    assert traded(tomorrow.on_quote(kit.quote(0))) == [(10, D("98.50"))]


def test_auction_orders_cross_at_the_official_price(kit: Kit) -> None:
    venue = kit.exchange([kit.depth(0), kit.cross(kit.floor.closes, "close", "100.20")])
    venue.on_quote(kit.quote(0))
    venue.submit(kit.order(1_500, time_in_force=CLS))
    venue.submit(kit.order(10, limit="100.10", name="c2", time_in_force=CLS))

    reports = venue.close(kit.floor.closes)

    # A tenth of the 10,000 shares that crossed is ours at most; the second order's limit is below the price.
    assert traded(reports) == [(1_000, D("100.20"))]
    assert kinds(reports) == ["Filled", "Expired", "Expired"]


def test_an_auction_s_book_shuts_before_it(kit: Kit) -> None:
    late = kit.floor.closes - timedelta(minutes=5)
    venue = kit.exchange([kit.depth(0)])
    venue.on_quote(kit.quote(0))
    venue.submit(kit.order(10, time_in_force=CLS))
    venue.on_quote(kit.quote((late - kit.floor.opens).total_seconds()))

    assert "taken until" in reason_of(venue.submit(kit.order(10, name="c2", time_in_force=CLS, created_at=late)))
    assert kinds(venue.cancel("c1", late)) == ["CancelRefused"]


def test_orders_for_the_open_come_before_it(kit: Kit) -> None:
    early, late = kit.at(-600), kit.at(-60)
    venue = kit.exchange([kit.cross(kit.floor.opens, "open", "99.90")])

    assert venue.submit(kit.order(10, time_in_force=OPG, created_at=early)) == ()
    venue.submit(kit.order(10, name="c2", time_in_force=OPG, created_at=late))
    reports = venue.on_quote(kit.quote(0))
    assert traded(reports) == [(10, D("99.90"))]
    assert [report.client_order_id for report in reports if kinds([report]) == ["Rejected"]] == ["c2"]


def test_an_order_of_the_log_goes_on_at_the_next_session_where_it_stood(kit: Kit) -> None:
    today = kit.exchange([kit.depth(0, [("97.90", 500)], [("97.99", 4)])])
    today.on_quote(kit.quote(0))
    order = kit.order(10, limit="98", time_in_force=GTC)
    told = today.submit(order)
    (first,) = fills_of((*told, *today.close(kit.floor.closes)))
    (left,) = today.carry_over()

    stood = carried(SentOrder(left.child, (first,)))

    assert (stood.seen(), stood.remaining, stood.fees) == (left.seen(), 6, first.fee)
    tomorrow = kit.exchange([kit.depth(0, [("97.40", 500)], [("97.50", 500)])])
    tomorrow.take_over([stood])
    (second,) = fills_of(tomorrow.on_quote(kit.quote(0)))
    assert (second.quantity, second.execution_id != first.execution_id) == (6, True)


def test_an_order_that_stands_is_taken_after_the_close_and_waits_for_the_next_open(kit: Kit) -> None:
    # The market is past the stop already, and still nothing trades behind the close.
    today = kit.exchange([kit.depth(0, [("98.50", 500)], [("98.52", 500)])], held={"AAA": 10})
    today.on_quote(kit.quote(0))
    late = kit.floor.closes + timedelta(seconds=1)
    stop = kit.order(10, "SELL", None, order_type=STOP, stop_price=D("99"), time_in_force=GTC, created_at=late)

    told = (*today.submit(stop), *today.close(late))

    assert kinds(told) == ["Accepted"]
    (left,) = today.carry_over()
    tomorrow = kit.exchange([kit.depth(0, [("98", 500)], [("98.02", 500)])], held={"AAA": 10})
    tomorrow.take_over([left])
    assert traded(tomorrow.on_quote(kit.quote(0))) == [(10, D("98"))]


def test_a_venue_that_was_out_at_the_close_answers_after_it(kit: Kit) -> None:
    out = Outage(kit.at(60), kit.floor.closes + timedelta(minutes=10))
    venue = kit.exchange([kit.depth(0)], outages=(out,))
    venue.on_quote(kit.quote(0))
    venue.submit(kit.order(10, limit="99"))
    with pytest.raises(VenueUnreachable):
        venue.on_quote(kit.quote(120))

    venue.close(kit.floor.closes)

    seen = venue.order("c1")
    assert seen is not None
    assert seen.state is OrderState.EXPIRED
