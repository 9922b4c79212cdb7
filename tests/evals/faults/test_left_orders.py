"""Orders that the venue kept past the close: the desk halts, a person lets it go on, and each order finds its end."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from parley.domain.events import ChildClosed, OrderFilled
from parley.domain.market import Quote
from parley.domain.orders import ChildOrder, OrderState, Side
from parley.evals.faults import life
from parley.evals.faults.evidence import Evidence, evidence_of
from parley.evals.faults.faults import Fault
from parley.evals.faults.invariants import check_all
from parley.evals.faults.leftover import FILLS_NEXT_DAY, FILLS_OVERNIGHT, RESTS, LeftOrders
from parley.evals.faults.runner import play
from parley.evals.faults.world import build_world
from parley.execution.venues.venue import Canceled, CancelRefused, Filled, VenueOrder
from parley.memory.sent_orders import SentOrders

NOW = datetime(2012, 5, 3, 14, 0, tzinfo=UTC)


def played(folder: Path, *faults: Fault) -> Evidence:
    return evidence_of(play(build_world(7, 2), faults, folder))


def left(way: int, quantity: int = 100, executed: int = 30) -> LeftOrders:
    child = ChildOrder(
        client_order_id="c-1",
        order_id="p-1",
        decision_id="d-1",
        symbol="AAA",
        side=Side.BUY,
        quantity=quantity,
        limit_price=Decimal("10.00"),
        sequence=0,
        created_at=NOW,
    )
    found = LeftOrders("simulated")
    seen = VenueOrder("c-1", "AAA", Side.BUY, quantity, OrderState.PARTIALLY_FILLED, executed, NOW)
    found.keep([(child, seen)], way)
    return found


def quote(ask: str, size: int, symbol: str = "AAA") -> Quote:
    price = Decimal(ask)
    return Quote(
        symbol=symbol,
        bid=price - Decimal("0.02"),
        ask=price,
        bid_size=size,
        ask_size=size,
        ts_event=NOW,
        synthetic=True,
    )


@pytest.mark.parametrize("way", [RESTS, FILLS_OVERNIGHT])
def test_what_was_left_open_is_settled_in_the_next_session_and_trading_goes_on(way: int, tmp_path: Path) -> None:
    seen = played(tmp_path, Fault("order_outlives", 0, 1, way))

    exchange = seen.outcome.stage.exchange
    names = {name for name in exchange.orders if exchange.left.order(name)}
    closed = {p.client_order_id for _, p in seen.events if isinstance(p, ChildClosed)}
    overnight = [p.fill for _, p in seen.events if isinstance(p, OrderFilled) and "-left-" in p.fill.execution_id]
    assert check_all(seen) == ()
    assert names
    assert names <= closed
    assert bool(overnight) is (way == FILLS_OVERNIGHT)
    assert seen.reason.startswith("resume: a person")


@pytest.mark.slow
def test_a_desk_that_is_not_told_of_its_earlier_orders_halts_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "sent_orders", lambda log: SentOrders())

    seen = played(tmp_path, Fault("order_outlives", 0, 1, RESTS))

    assert (seen.state, seen.reason.split(":")[0]) == ("HALTED", "drift")


def test_a_quote_within_the_limit_fills_what_it_shows() -> None:
    orders = left(FILLS_NEXT_DAY)

    assert orders.match(quote("10.01", 50)) == ()
    assert orders.match(quote("9.98", 50, "BBB")) == ()
    (report,) = orders.match(quote("9.98", 50))
    assert isinstance(report, Filled)
    assert (report.fill.quantity, report.fill.price) == (50, Decimal("9.98"))
    (last,) = orders.match(quote("9.99", 50))
    assert isinstance(last, Filled)
    assert last.fill.quantity == 20
    assert orders.open_orders() == ()
    assert isinstance(orders.cancel("c-1", NOW)[0], CancelRefused)


def test_an_order_that_rests_fills_nothing_and_can_be_cancelled_once() -> None:
    orders = left(RESTS)

    assert orders.match(quote("9.00", 50)) == orders.overnight(NOW) == ()
    (report,) = orders.cancel("c-1", NOW)
    assert isinstance(report, Canceled)
    assert report.executed == 30
    assert [order.state for order in (orders.order("c-1"),) if order] == [OrderState.CANCELED]


def test_half_of_what_is_open_trades_overnight_at_the_limit() -> None:
    (report,) = left(FILLS_OVERNIGHT).overnight(NOW)

    assert isinstance(report, Filled)
    assert (report.fill.quantity, report.fill.price) == (35, Decimal("10.00"))
