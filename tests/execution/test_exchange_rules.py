"""What no fill at the exchange may ever do, over drawn markets and orders; and its queues against a plain book."""

import hashlib
from collections import defaultdict
from decimal import Decimal
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.market import Quote
from parley.domain.orders import ChildOrder, Fill, Side, TimeInForce
from parley.execution.venues.exchange import Exchange
from parley.execution.venues.fees import US_RETAIL_2024
from parley.execution.venues.latency import Latency
from parley.execution.venues.market_events import Depth, Halt, MarketEvent, Print
from parley.execution.venues.order_book import OrderBook
from parley.execution.venues.venue import Canceled, CancelRefused, Filled, Report
from parley.execution.venues.worked_order import WorkedOrder
from parley.gate.state import Borrow

from .exchange_kit import Kit

CENT = Decimal("0.01")
FORCES = [TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTC]


class Case(NamedTuple):
    """Moves of the market a second apart, some to a locked or crossed book, and orders: second sent, side, quantity,
    limit in ticks, force, cancel."""

    moves: list[tuple[int, int, list[int], list[int], int, str]]
    orders: list[tuple[int, str, int, int, TimeInForce, int]]
    latency_ms: int
    tier: str
    volume: float


@st.composite
def cases(draw: Any) -> Case:
    sizes = st.lists(st.integers(0, 60), min_size=1, max_size=3)
    move = st.tuples(
        st.integers(-4, 4),
        st.sampled_from([1, 1, 2, 3, 0, -1]),
        sizes,
        sizes,
        st.integers(0, 80),
        st.sampled_from(["", "", "BUY", "SELL"]),
    )
    moves = draw(st.lists(move, min_size=2, max_size=12))
    order = st.tuples(
        st.integers(0, len(moves) - 1),
        st.sampled_from(["BUY", "SELL"]),
        st.integers(1, 120),
        st.integers(-8, 8),
        st.sampled_from(FORCES),
        st.integers(0, 20),
    )
    return Case(
        moves,
        draw(st.lists(order, min_size=1, max_size=5)),
        draw(st.sampled_from([0, 300, 1500])),
        draw(st.sampled_from(["T0", "T1", "T2"])),
        draw(st.sampled_from([400.0, 1e6])),
    )


class Played(NamedTuple):
    reports: list[Report]
    children: dict[str, ChildOrder]
    venue: Exchange
    tape: list[MarketEvent]


def play(kit: Kit, case: Case, *, halted: tuple[int, int] | None = None) -> Played:
    """The whole case through one exchange, with the clock of a session."""
    tape: list[MarketEvent] = []
    for second, (shift, spread, bids, asks, size, aggressor) in enumerate(case.moves):
        bid, ask = 10_000 + shift, 10_000 + shift + spread
        levels = 1 if case.tier != "T2" else 3
        shown = [tuple((CENT * (start + sign * place), size) for place, size in enumerate(side[:levels]))
                 for start, sign, side in ((bid, -1, bids), (ask, 1, asks))]  # fmt: skip
        if halted is not None and second in halted:
            tape.append(Halt("AAA", kit.at(second), second == halted[0], "news"))
        tape.append(Depth("AAA", kit.at(second), shown[0], shown[1]))
        if aggressor and size:
            price = CENT * (ask if aggressor == "BUY" else bid)
            tape.append(Print("AAA", kit.at(second), price, size, Side(aggressor)))
    latency = Latency(feed_ms=case.latency_ms / 2, order_ms=case.latency_ms, ack_ms=case.latency_ms, seed=5)
    liquidity = {"volume": case.volume, "is_recorded": case.tier != "T2"}
    borrow = {"AAA": Borrow(10_000, 0.01)}
    venue = kit.exchange(
        tape, case.tier, fees=US_RETAIL_2024, latency=latency, liquidity=liquidity, borrow=borrow, while_halted="queue"
    )
    reports: list[Report] = []
    children: dict[str, ChildOrder] = {}
    for second in range(len(case.moves)):
        reports += venue.on_quote(Quote("AAA", kit.at(second), CENT, CENT * 2, 0, 0, False))
        for place, (sent, side, quantity, limit, force, life) in enumerate(case.orders):
            name = f"c{place}"
            if sent == second:
                price = CENT * (10_000 + limit)
                order = kit.order(quantity, side, str(price), name, created_at=kit.at(second), time_in_force=force)
                children[name] = order.child
                reports += venue.submit(order)
            if name in children and sent + life == second:
                reports += venue.cancel(name, kit.at(second))
    reports += venue.close(kit.floor.closes)
    return Played(reports, children, venue, tape)


def fills(played: Played) -> list[Fill]:
    return [report.fill for report in played.reports if isinstance(report, Filled)]


@given(case=cases())
@settings(max_examples=40, deadline=None)
def test_no_fill_breaks_a_rule_of_the_exchange(floor: Any, case: Case) -> None:
    played = play(Kit(floor), case)

    total: dict[str, int] = defaultdict(int)
    for fill in fills(played):
        child = played.children[fill.client_order_id]
        sign = fill.side.sign
        assert child.limit_price is not None
        assert sign * (fill.price - child.limit_price) <= 0
        assert sign * (fill.price - fill.touch_price) >= 0 or fill.price == child.limit_price
        assert fill.ts_event >= child.created_at
        assert (fill.ts_event - child.created_at).total_seconds() * 1000 >= 1.5 * case.latency_ms - 1e-3
        assert floor.opens <= fill.ts_event <= floor.closes
        assert fill.tier == case.tier
        total[fill.client_order_id] += fill.quantity
    assert all(total[name] <= child.quantity for name, child in played.children.items())
    assert all(
        total[name] in (0, child.quantity)
        for name, child in played.children.items()
        if child.time_in_force is TimeInForce.FOK
    )
    if case.tier != "T2":
        assert sum(total.values()) <= int(0.1 * case.volume)
    assert len({fill.execution_id for fill in fills(played)}) == len(fills(played))


@given(case=cases())
@settings(max_examples=40, deadline=None)
def test_own_orders_never_get_more_than_was_shown_and_printed(floor: Any, case: Case) -> None:
    played = play(Kit(floor), case._replace(volume=1e6))

    # Of each side: all that was ever newly shown at any price, and all that was printed by the other side.
    for side in Side:
        offered, last = 0, dict[Decimal, int]()
        for event in played.tape:
            if isinstance(event, Depth) and event.is_usable:
                levels = dict(event.asks if side is Side.BUY else event.bids)
                offered += sum(max(size - last.get(price, 0), 0) for price, size in levels.items())
                last = levels
            elif isinstance(event, Print) and event.aggressor is not side:
                offered += event.size
        assert sum(fill.quantity for fill in fills(played) if fill.side is side) <= offered


@given(case=cases())
@settings(max_examples=30, deadline=None)
def test_cash_and_shares_move_by_exactly_price_and_fee(floor: Any, case: Case) -> None:
    played = play(Kit(floor), case)

    cash, held = Decimal(1_000_000), 0
    for fill in fills(played):
        cash -= fill.side.sign * fill.price * fill.quantity + fill.fee
        held += fill.side.sign * fill.quantity
    assert played.venue.cash() == cash
    for name, child in played.children.items():
        mine = [report.fill for report in played.venue.executions() if report.client_order_id == name]
        order = played.venue._orders[name]
        owed = US_RETAIL_2024.owed(child.side, order.taken, order.made, sum((x.notional for x in mine), Decimal(0)))
        assert sum((fill.fee for fill in mine), Decimal(0)) == owed
    assert played.venue.positions() == ({"AAA": held} if held else {})
    told = {report.fill.execution_id for report in played.venue.executions()}
    assert told == {fill.execution_id for fill in fills(played)}


@given(case=cases(), start=st.integers(0, 5), length=st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_nothing_fills_while_halted(floor: Any, case: Case, start: int, length: int) -> None:
    kit, start = Kit(floor), start % len(case.moves)
    played = play(kit, case, halted=(start, start + length))

    ends = start + length if start + length < len(case.moves) else 10_000
    assert not [fill for fill in fills(played) if kit.at(start) <= fill.ts_event < kit.at(ends)]


@given(case=cases())
@settings(max_examples=30, deadline=None)
def test_after_a_cancel_is_confirmed_nothing_fills_and_every_order_ends_once(floor: Any, case: Case) -> None:
    played = play(Kit(floor), case)

    for name, child in played.children.items():
        mine = [report for report in played.venue._orders[name].reports if not isinstance(report, CancelRefused)]
        ends = [place for place, report in enumerate(mine) if isinstance(report, Canceled)]
        assert not ends or ends == [len(mine) - 1]
        moments = [report.ts_event for report in mine]
        assert moments == sorted(moments)
        assert moments[0] >= child.created_at


@given(case=cases())
@settings(max_examples=15, deadline=None)
def test_the_same_seed_gives_the_same_bytes(floor: Any, case: Case) -> None:
    def digest() -> str:
        return hashlib.sha256(repr(play(Kit(floor), case).reports).encode()).hexdigest()

    assert digest() == digest()


class Plain:
    """A queue the slow way: every share in front of an order is a row of its own, taken off one by one."""

    def __init__(self, shown: int) -> None:
        self.rows: list[str] = ["others"] * shown

    def trade(self, size: int) -> dict[str, int]:
        gone, self.rows = self.rows[:size], self.rows[size:]
        found: dict[str, int] = defaultdict(int)
        for name in gone:
            if name != "others":
                found[name] += 1
        return found


@given(
    shown=st.integers(0, 30),
    steps=st.lists(st.tuples(st.sampled_from(["join", "more", "trade"]), st.integers(1, 25)), min_size=1, max_size=14),
)
@settings(max_examples=80, deadline=None)
def test_a_queue_is_served_in_the_order_of_arrival(floor: Any, shown: int, steps: list[tuple[str, int]]) -> None:
    kit, plain = Kit(floor), Plain(shown)
    book = OrderBook(lot=1)
    book.show(kit.depth(0, [("99.99", shown)]))
    orders: list[WorkedOrder] = []
    for place, (step, size) in enumerate(steps):
        others = plain.rows.count("others")
        if step == "join":
            order = kit.resting(size, "BUY", "99.99", place, name=f"c{place}")
            orders.append(order)
            book.enter(order)
            plain.rows += [f"c{place}"] * size
        elif step == "more":
            plain.rows += ["others"] * size
            book.show(kit.depth(place, [("99.99", others + size)]))
        else:
            expected = plain.trade(size)
            done = book.trade(kit.tick(place, "99.99", size, "SELL"))
            assert {item.order.child.client_order_id: item.quantity for item in done} == expected
            book.show(kit.depth(place, [("99.99", plain.rows.count("others"))]))


@given(
    prices=st.lists(st.tuples(st.integers(9_990, 9_998), st.integers(1, 20)), min_size=1, max_size=8),
    size=st.integers(1, 100),
)
@settings(max_examples=60, deadline=None)
def test_better_prices_go_first_then_earlier_orders(floor: Any, prices: list[tuple[int, int]], size: int) -> None:
    kit, book = Kit(floor), OrderBook(lot=1)
    book.show(kit.depth(0, [("99.85", 1)]))
    for place, (price, quantity) in enumerate(prices):
        book.enter(kit.resting(quantity, "BUY", str(CENT * price), place, name=f"c{place}"))

    done = book.trade(kit.tick(60, "99.86", size, "SELL"))

    left, expected = size, list[tuple[str, int]]()
    for place in sorted(range(len(prices)), key=lambda place: (-prices[place][0], place)):
        quantity = min(prices[place][1], left)
        left -= quantity
        expected += [(f"c{place}", quantity)] if quantity else []
    assert [(item.order.child.client_order_id, item.quantity) for item in done] == expected
