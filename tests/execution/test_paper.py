"""The paper venue fills nothing better than the market would have."""

import math
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.orders import Fill, Side
from parley.execution.errors import ExecutionError, OrderIdReused, SessionRefused
from parley.execution.hours import SessionHours
from parley.execution.venues.fees import FeeModel
from parley.execution.venues.paper import PaperVenue
from parley.execution.venues.venue import Accepted, Canceled, CancelRefused, Expired, Filled, Rejected
from parley.gate.approval import ApprovedOrder
from parley.gate.errors import NotApproved


def fills_of(reports: Any) -> list[Fill]:
    return [report.fill for report in reports if isinstance(report, Filled)]


def kinds(reports: Any) -> list[type]:
    return [type(report) for report in reports]


def test_a_buy_pays_the_ask_and_its_impact(floor: Any) -> None:
    venue = floor.venue()
    venue.on_quote(floor.quote())

    (fill,) = fills_of(venue.submit(floor.order(10_000)))

    # Square-root law by hand: 1 % x sqrt(10,000 / 1,000,000) = 10 bps on the ask, rounded up to a cent.
    assert fill.price == Decimal("100.12")
    assert Decimal("100.01") * Decimal("1.001") <= fill.price
    assert (fill.mid_price, fill.quantity, fill.tier, fill.synthetic) == (Decimal("100.00"), 10_000, "T0", True)


def test_a_fill_on_a_recorded_quote_says_so(floor: Any) -> None:
    venue = floor.venue()
    venue.on_quote(replace(floor.quote(), synthetic=False))

    (fill,) = fills_of(venue.submit(floor.order(10)))

    assert (fill.tier, fill.synthetic) == ("T1", False)


def test_a_sell_gets_the_bid_less_its_impact(floor: Any) -> None:
    venue = floor.venue()
    venue.on_quote(floor.quote())

    (fill,) = fills_of(venue.submit(floor.order(10_000, "SELL", "99.50")))

    assert fill.price == Decimal("99.89")


def test_slicing_an_order_costs_as_much_impact_as_sending_it_whole(floor: Any) -> None:
    liquidity = floor.liquidity(tick=Decimal("0.000001"))
    whole, sliced = floor.venue(liquidity=liquidity), floor.venue(liquidity=liquidity)
    for venue in (whole, sliced):
        venue.on_quote(floor.quote())

    (one,) = fills_of(whole.submit(floor.order(8_000)))
    parts = [
        fill
        for place in range(8)
        for fill in fills_of(sliced.submit(floor.order(1_000, client_order_id=f"c{place}", sequence=place)))
    ]

    assert sum(fill.notional for fill in parts) == pytest.approx(one.notional, rel=Decimal("1e-7"))
    assert [fill.price for fill in parts] == sorted(fill.price for fill in parts)


def test_displayed_size_is_used_up_by_own_orders(floor: Any) -> None:
    venue = floor.venue()
    venue.on_quote(floor.quote(size=150))

    first = fills_of(venue.submit(floor.order(100)))
    second = fills_of(venue.submit(floor.order(100, client_order_id="c2", sequence=1)))

    assert [fill.quantity for fill in first] == [100]
    assert [fill.quantity for fill in second] == [50]
    assert [fill.quantity for fill in fills_of(venue.on_quote(floor.quote(minutes=30, size=70)))] == [50]


def test_participation_caps_the_day_where_volume_is_recorded(floor: Any) -> None:
    recorded = floor.venue(liquidity=floor.liquidity(volume=1_000.0))
    assumed = floor.venue(liquidity=floor.liquidity(volume=1_000.0, is_recorded=False))
    for venue in (recorded, assumed):
        venue.on_quote(floor.quote())

    assert sum(fill.quantity for fill in fills_of(recorded.submit(floor.order(150, limit="105")))) == 100
    assert fills_of(recorded.on_quote(floor.quote(minutes=30))) == []
    assert sum(fill.quantity for fill in fills_of(assumed.submit(floor.order(150, limit="105")))) == 150


def test_a_day_without_volume_fills_nothing(floor: Any) -> None:
    venue = floor.venue(liquidity=floor.liquidity(volume=0.0))
    venue.on_quote(floor.quote())

    assert kinds(venue.submit(floor.order(10))) == [Accepted]


def test_impact_stops_at_the_limit(floor: Any) -> None:
    venue = floor.venue()
    venue.on_quote(floor.quote())

    (fill,) = fills_of(venue.submit(floor.order(90_000, limit="100.10")))

    assert fill.price <= Decimal("100.10")
    # The last share that fits, by hand: 1 % x sqrt(q / 1e6) <= 100.10 / 100.01 - 1, so q = 8,098.
    assert fill.quantity == math.floor(1e6 * ((100.10 / 100.01 - 1) / 0.01) ** 2)


def test_a_resting_order_waits_for_the_market_to_trade_through_it(floor: Any) -> None:
    venue = floor.venue()
    venue.on_quote(floor.quote())

    assert kinds(venue.submit(floor.order(10, limit="99.50"))) == [Accepted]
    assert venue.on_quote(floor.quote(minutes=1, bid="99.48", ask="99.50")) == ()
    (fill,) = fills_of(venue.on_quote(floor.quote(minutes=2, bid="99.40", ask="99.42")))
    assert fill.price == Decimal("99.50")


def test_a_partial_fill_goes_on_at_the_next_touch_and_not_at_its_limit(floor: Any) -> None:
    venue = floor.venue()
    venue.on_quote(floor.quote(size=60))
    venue.submit(floor.order(100, limit="100.50"))

    (fill,) = fills_of(venue.on_quote(floor.quote(minutes=30, bid="99.00", ask="99.02")))

    assert fill.quantity == 40
    assert Decimal("99.02") <= fill.price <= Decimal("99.10")


def test_cut_fills_are_whole_lots(floor: Any) -> None:
    venue = floor.venue(liquidity=floor.liquidity(lot=100))
    venue.on_quote(floor.quote(size=250))

    assert [fill.quantity for fill in fills_of(venue.submit(floor.order(300)))] == [200]
    assert [fill.quantity for fill in fills_of(venue.on_quote(floor.quote(minutes=30)))] == [100]


@pytest.mark.parametrize(
    ("created", "reason"),
    [
        (timedelta(hours=-20), "before its decision"),
        (timedelta(minutes=-1), "outside the session"),
        (timedelta(hours=6, minutes=31), "outside the session"),
    ],
)
def test_an_order_outside_its_session_is_rejected(floor: Any, created: timedelta, reason: str) -> None:
    venue = floor.venue()
    venue.on_quote(floor.quote())

    (report,) = venue.submit(floor.order(10, created_at=floor.opens + created))

    assert isinstance(report, Rejected)
    assert reason in report.reason


def test_an_intraday_decision_can_not_trade_on_its_own_moment(floor: Any) -> None:
    hours = SessionHours(floor.at(60), floor.opens, floor.closes)
    venue = PaperVenue(hours, {"AAA": floor.liquidity()}, FeeModel())

    assert venue.on_quote(floor.quote(minutes=60)) == ()
    assert kinds(venue.submit(floor.order(10, created_at=floor.at(60)))) == [Rejected]
    venue.on_quote(floor.quote(minutes=61))
    assert kinds(venue.submit(floor.order(10, client_order_id="c2", created_at=floor.at(61)))) == [Accepted, Filled]


def test_an_unknown_symbol_is_rejected(floor: Any) -> None:
    venue = PaperVenue(floor.hours, {}, FeeModel())

    assert kinds(venue.submit(floor.order(10))) == [Rejected]


def test_quotes_outside_the_session_or_out_of_order_fill_nothing(floor: Any) -> None:
    venue = floor.venue()
    venue.submit(floor.order(10))

    assert venue.on_quote(floor.quote(minutes=-1)) == ()
    assert venue.on_quote(floor.quote(minutes=391)) == ()
    assert kinds(venue.on_quote(floor.quote(minutes=5))) == [Filled]
    venue.submit(floor.order(10, client_order_id="c2", created_at=floor.at(5)))
    assert venue.on_quote(floor.quote(minutes=4)) == ()


@pytest.mark.parametrize(("bid", "ask"), [("100.02", "100.01"), ("0", "100.01"), ("-1", "100")])
def test_a_crossed_or_one_sided_quote_fills_nothing(floor: Any, bid: str, ask: str) -> None:
    venue = floor.venue()
    venue.on_quote(floor.quote())
    venue.on_quote(floor.quote(minutes=1, bid=bid, ask=ask))

    assert kinds(venue.submit(floor.order(10, created_at=floor.at(1)))) == [Accepted]


def test_a_resend_is_the_same_order(floor: Any) -> None:
    venue = floor.venue()
    venue.on_quote(floor.quote())
    order = floor.order(100)

    first, again = venue.submit(order), venue.submit(order)

    assert first == again
    assert venue.on_quote(floor.quote(minutes=30)) == ()


def test_another_order_under_a_used_id_is_an_error(floor: Any) -> None:
    venue = floor.venue()
    venue.submit(floor.order(100))

    with pytest.raises(OrderIdReused, match="c1"):
        venue.submit(floor.order(101))


def test_only_genuine_approved_orders_are_taken(floor: Any) -> None:
    venue, order = floor.venue(), floor.order(10)
    forged = object.__new__(ApprovedOrder)
    object.__setattr__(forged, "child", order.child)
    object.__setattr__(forged, "verdict_hash", order.verdict_hash)

    for fake in (forged, order.child):
        with pytest.raises(NotApproved):
            venue.submit(fake)


def test_an_order_is_canceled_once(floor: Any) -> None:
    venue = floor.venue()
    venue.submit(floor.order(10))

    assert kinds(venue.cancel("c1", floor.at(1))) == [Canceled]
    assert kinds(venue.cancel("c1", floor.at(2))) == [CancelRefused]
    assert kinds(venue.cancel("nobody", floor.at(2))) == [CancelRefused]
    assert venue.on_quote(floor.quote(minutes=3)) == ()


def test_day_orders_expire_at_the_close(floor: Any) -> None:
    venue = floor.venue()
    venue.submit(floor.order(10))

    assert kinds(venue.close(floor.closes)) == [Expired]
    assert venue.close(floor.closes) == ()


def test_execution_ids_are_a_function_of_venue_order_and_place(floor: Any) -> None:
    def ids() -> list[str]:
        venue = floor.venue()
        venue.on_quote(floor.quote(size=60))
        reports = [*venue.submit(floor.order(100)), *venue.on_quote(floor.quote(minutes=30))]
        return [fill.execution_id for fill in fills_of(reports)]

    assert ids() == ids()
    assert len(set(ids())) == 2


def test_fees_are_per_order_with_a_minimum_and_whole_cents(floor: Any) -> None:
    fees = FeeModel(value_bps=Decimal(1), per_share=Decimal("0.005"), minimum=Decimal(1))
    venue = floor.venue(fees, liquidity=floor.liquidity(daily_vol_frac=0.0))
    venue.on_quote(floor.quote(size=60))

    reports = [*venue.submit(floor.order(200)), *venue.on_quote(floor.quote(minutes=30))]

    # 60 x 100.01 -> 0.60 + 0.30 = 0.90, so the minimum of 1.00; all 200 -> 2.0002 + 1.00 = 3.01 in cents up.
    assert [fill.fee for fill in fills_of(reports)] == [Decimal("1.00"), Decimal("2.01")]
    assert venue.worst_fee(200, Decimal("100.01")) == Decimal("3.01")
    price = Decimal("100.01")
    assert venue.worst_fee(100, price) < venue.worst_fee(200, price), "what was asked before is another question"
    assert fees.fee(0, Decimal(0)) == 0


@pytest.mark.parametrize("bad", [Decimal(-1), Decimal("NaN"), Decimal("Infinity")])
def test_a_fee_must_be_a_finite_amount(bad: Decimal) -> None:
    for name in ("value_bps", "per_share", "minimum"):
        with pytest.raises(ExecutionError, match=name):
            replace(FeeModel(), **{name: bad})


def test_session_hours_must_make_sense(floor: Any) -> None:
    with pytest.raises(SessionRefused, match="zone"):
        SessionHours(floor.decided.replace(tzinfo=None), floor.opens, floor.closes)
    with pytest.raises(SessionRefused, match="can't work"):
        SessionHours(floor.decided, floor.closes, floor.opens)
    with pytest.raises(SessionRefused, match="can't work"):
        SessionHours(floor.closes, floor.opens, floor.closes)


@st.composite
def tapes(draw: Any) -> list[tuple[Decimal, Decimal, int]]:
    rows = st.tuples(st.decimals(98, 102, places=2), st.decimals("0.01", "0.5", places=2), st.integers(0, 400))
    return [(mid - half, mid + half, size) for mid, half, size in draw(st.lists(rows, min_size=1, max_size=6))]


@given(
    tape=tapes(),
    side=st.sampled_from(["BUY", "SELL"]),
    sizes=st.lists(st.integers(1, 500), min_size=1, max_size=4),
    limit=st.none() | st.decimals(97, 103, places=2),
    volume=st.sampled_from([0.0, 900.0, 1e5]),
)
@settings(max_examples=60, deadline=None)
def test_no_fill_breaks_a_rule_of_the_venue(
    floor: Any, tape: Any, side: str, sizes: list[int], limit: Decimal | None, volume: float
) -> None:
    if side == "BUY" and limit is None:
        limit = Decimal(102)
    venue = floor.venue(liquidity=floor.liquidity(volume=volume))
    orders = [
        floor.order(size, side, None if limit is None else str(limit), client_order_id=f"c{place}", sequence=place)
        for place, size in enumerate(sizes)
    ]
    seen: list[Filled] = []
    for place, (bid, ask, size) in enumerate(tape):
        quote = floor.quote(minutes=place, bid=str(bid), ask=str(ask), size=size)
        reports = list(venue.on_quote(quote))
        if place == 0:
            for order in orders:
                reports.extend(report for report in venue.submit(order) if isinstance(report, Filled))
        now = [report for report in reports if isinstance(report, Filled)]
        assert sum(report.fill.quantity for report in now) <= size
        seen.extend(now)

    sign = 1 if side == "BUY" else -1
    for report in seen:
        fill = report.fill
        assert sign * (fill.price - report.fill.touch_price) >= 0 or fill.price == limit
        assert limit is None or sign * (fill.price - limit) <= 0
        assert fill.price % Decimal("0.01") == 0
        assert fill.fee >= 0
    filled = {order.child.client_order_id: 0 for order in orders}
    for report in seen:
        filled[report.client_order_id] += report.fill.quantity
    assert all(filled[order.child.client_order_id] <= order.child.quantity for order in orders)
    assert sum(filled.values()) <= 0.1 * volume
    assert len({report.fill.execution_id for report in seen}) == len(seen)
    assert {report.fill.side for report in seen} <= {Side(side)}
