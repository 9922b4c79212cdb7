"""The transaction cost report: a ledger of three orders worked out by hand, benchmarks of a drawn day, and refusals."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.events import ChildSubmitted, FillBusted, OrderClosed, OrderFilled, OrderOpened, Payload
from parley.domain.orders import Algorithm, ChildOrder, ExecutionAdvice, Fill, ParentOrder, Side
from parley.market.cards import DataSet
from parley.market.corporate_actions import CorporateAction
from parley.market.datasets import load_data
from parley.memory.log import EventLog
from parley.tools.attributed import NOT_FILLED, PARTS, attributed
from parley.tools.costs import cost_attribution
from parley.tools.executed import ExecutedOrder, executed_orders
from parley.tools.ledger import Ledger
from parley.tools.market_tape import Lack, MarketTape, market_tape
from parley.tools.order_benchmarks import MarketAround
from parley.tools.post_trade import post_trade

NEW_YORK = timezone(timedelta(hours=-5))
DAY = date(2015, 1, 5)
OPEN = datetime(2015, 1, 5, 9, 30, tzinfo=NEW_YORK)
RUN = {"run": "run-1", "head": "00"}
BUY, SELL, VWAP, TWAP = Side.BUY, Side.SELL, Algorithm.VWAP, Algorithm.TWAP
Traded = tuple[int, str, str, str, str, str]
"""Quantity, price, mid, touch, fee and venue."""


def at(minute: float) -> datetime:
    return (OPEN + timedelta(minutes=minute)).astimezone(UTC)


def parent(name: str, side: Side, quantity: int, decision: str, algorithm: Algorithm = TWAP) -> ParentOrder:
    return ParentOrder(
        order_id=f"par-{name}", decision_id="dec-1", symbol=name, side=side, quantity=quantity,
        reference_price=Decimal(decision), reason="toward target",
        advice=ExecutionAdvice(algorithm=algorithm, expected_cost_bps=5.0),
    )  # fmt: skip


def filled(order: ParentOrder, number: int, traded: Traded, minute: float) -> Fill:
    quantity, price, mid, touch, fee, venue = traded
    return Fill(
        execution_id=f"exe-{order.symbol}-{number}", client_order_id="ord-1", order_id=order.order_id,
        symbol=order.symbol, side=order.side, quantity=quantity, price=Decimal(price), fee=Decimal(fee),
        mid_price=Decimal(mid), touch_price=Decimal(touch), venue=venue, ts_event=at(minute), tier="T1",
    )  # fmt: skip


def executed(
    order: ParentOrder, arrival: str, closing: str, traded: Sequence[Traded], minutes: Sequence[float] = ()
) -> ExecutedOrder:
    """Open from 10:00 to 10:30; its fills at these minutes of the session, or all at the first."""
    moments = minutes or [30.0] * len(traded)
    return ExecutedOrder(
        order=order,
        session=DAY,
        arrival_price=Decimal(arrival),
        closing_price=Decimal(closing),
        fills=tuple(filled(order, place, one, moments[place]) for place, one in enumerate(traded)),
        children=(),
        decided_at=at(29),
        opened_at=at(30),
        closed_at=at(60),
        daily_vol_frac=None,
        quarter_vol_frac=None,
        daily_volume=1e6,
        volume_is_assumed=False,
    )


LEDGER = (
    executed(
        parent("AAA", BUY, 1000, "50.00", VWAP), "50.10", "50.30",
        [(600, "50.16", "50.14", "50.15", "3", "lit"), (400, "50.25", "50.20", "50.22", "2", "dark")],
    ),
    executed(parent("BBB", SELL, 500, "20.00"), "19.96", "19.80", [(300, "19.90", "19.94", "19.92", "1.50", "lit")]),
    executed(parent("CCC", BUY, 250, "8.00"), "8.10", "8.40", []),
)  # fmt: skip


def cash(group: dict[str, Any]) -> dict[str, Decimal]:
    return {part: Decimal(amount) for part, amount in group["cash"].items()}


def test_a_ledger_of_three_orders_comes_to_the_cent_in_sum_by_order_by_algorithm_and_by_venue() -> None:
    found = cast(Any, cost_attribution(Ledger(at(390), "data"), RUN, LEDGER)[1])

    # AAA: 1000 x 0.10, 600 x 0.01 + 400 x 0.02, the same + 400 x 0.01, 600 x 0.04 + 400 x 0.10, 5.
    # BBB sells 300 of 500: 300 x 0.04, 300 x 0.02 three times, 1.50, and 200 x 0.20 missed. CCC misses 250 x 0.40.
    assert cash(found["total"]) == {
        "delay": Decimal("112.00"), "spread": Decimal("20.00"), "impact": Decimal("24.00"), "timing": Decimal("70.00"),
        "fees": Decimal("6.50"), "opportunity": Decimal("140.00"), "total": Decimal("372.50"),
    }  # fmt: skip
    assert [Decimal(row["total"]) for row in found["orders"]] == [
        Decimal("201.00"),
        Decimal("71.50"),
        Decimal("100.00"),
    ]
    by_algorithm = {name: cash(group)["total"] for name, group in found["by_algorithm"].items()}
    assert by_algorithm == {"TWAP": Decimal("171.50"), "VWAP": Decimal("201.00")}
    by_venue = {name: cash(group)["total"] for name, group in found["by_venue"].items()}
    assert by_venue == {"dark": Decimal("102.00"), "lit": Decimal("130.50"), NOT_FILLED: Decimal("140.00")}
    assert cash(found["by_venue"][NOT_FILLED])["opportunity"] == Decimal("140.00")
    assert found["total"]["bps"]["total"] == pytest.approx(372.50 / 62_000 * 1e4)
    assert found["total"]["fidelity"] == {"T1 recorded": 2, NOT_FILLED: 1}


prices = st.integers(900_000, 1_100_000).map(lambda number: str(Decimal(number) / 10_000))
trades = st.tuples(st.integers(1, 400), prices, prices, prices, prices, st.sampled_from(["dark", "lit", "slow"]))


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(list(Side)), prices, prices, prices, st.lists(trades, max_size=6), st.integers(0, 500))
def test_parts_of_random_fills_sum_to_the_whole_and_venues_to_the_order(
    side: Side, decision: str, arrival: str, closing: str, traded: list[Traded], rest: int
) -> None:
    quantity = sum(size for size, *_ in traded) + rest or 1
    item = executed(parent("AAA", side, quantity, decision), arrival, closing, traded)

    found = attributed(item)

    missed = (Decimal(closing) - Decimal(decision)) * (quantity - item.filled)
    paid = sum((fill.price - Decimal(decision)) * fill.quantity for fill in item.fills)
    fees = sum(fill.fee for fill in item.fills)
    assert found.cost.total == side.sign * (paid + missed) + fees
    assert sum(getattr(found.cost, part) for part in PARTS) == found.cost.total
    for part in (*PARTS, "total", "decided_value"):
        assert sum(getattr(cost, part) for cost in found.by_venue.values()) == getattr(found.cost, part)


def write_day(path: Path, *, quotes: bool = True) -> Path:
    """Bars that close a cent dearer each minute from 50.00 on, 1000 and 3000 shares in turn; the mid is the close."""
    rows = ["symbol,ts,open,high,low,close,volume" + (",bid_close,bid_size,ask_close,ask_size" if quotes else "")]
    for minute in range(390):
        close = 50 + minute / 100
        prices = ",".join([f"{close:.2f}"] * 4)
        shown = f",{close - 0.02:.2f},700,{close + 0.02:.2f},900" if quotes else ""
        rows.append(
            f"AAA,{(OPEN + timedelta(minutes=minute)).isoformat()},{prices},{3000 if minute % 2 else 1000}{shown}"
        )
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return load_data(f"{write_day(tmp_path_factory.mktemp('day') / 'day.csv')}@30m")


WORKED = executed(
    parent("AAA", BUY, 800, "50.28", VWAP), "50.29", "50.59",
    [(500, "50.33", "50.31", "50.33", "0", "lit"), (300, "50.35", "50.33", "50.35", "0", "lit")], [32, 34],
)  # fmt: skip


def reported(data: DataSet, orders: Sequence[ExecutedOrder], minute: float = 390) -> Any:
    history = data.history()
    view = history.as_of(at(minute))
    return post_trade(Ledger(view.as_of, "data"), RUN, orders, MarketAround(data, history, view))[1]


def test_benchmarks_of_a_day_drawn_by_hand(day: DataSet) -> None:
    found = reported(day, [WORKED])
    row = found["orders"][0]
    marks = row["benchmarks"]

    # 10:00 to 10:04: four whole bars at 50.30 to 50.33, and mids of 50.29 to 50.32, each a minute.
    assert marks["interval_vwap"]["price"] == pytest.approx(50.3175)
    assert marks["interval_twap"]["price"] == pytest.approx(50.305)
    assert marks["close"]["price"] == pytest.approx(53.89)
    assert marks["reversion_1m"]["price"] == pytest.approx(50.34)
    assert marks["reversion_30m"]["price"] == pytest.approx(50.63)
    # 500 at 50.33 and 300 at 50.35 are 50.3375; the mid was 50.33 at the last fill and went on, away from the buyer.
    assert row["average_price"] == pytest.approx(50.3375)
    assert marks["arrival"]["bps"] == pytest.approx((50.3375 / 50.29 - 1) * 1e4)
    assert marks["interval_vwap"]["bps"] == pytest.approx((50.3375 / 50.3175 - 1) * 1e4)
    assert marks["reversion_5m"]["bps"] == pytest.approx(-(50.38 / 50.33 - 1) * 1e4)
    assert row["participation_of_interval"] == pytest.approx(800 / 8000)
    assert (row["fills_made_by"], row["market_from"]) == ("T1 recorded", "quotes and bars")


def test_nothing_past_the_runs_last_moment_is_looked_at_and_a_word_says_so(day: DataSet) -> None:
    marks = reported(day, [WORKED], minute=60)["orders"][0]["benchmarks"]

    assert marks["reversion_5m"]["bps"] == pytest.approx(-(50.38 / 50.33 - 1) * 1e4)
    for name in ("reversion_30m", "close"):
        assert marks[name] == {"price": {"refused": "after_run"}, "bps": {"refused": "after_run"}}
    assert marks["reversion_next_close"]["bps"] == {"refused": "within_day"}


def test_a_sale_whose_price_comes_back_up_has_a_positive_reversion(day: DataSet) -> None:
    sale = executed(parent("AAA", SELL, 100, "50.30"), "50.29", "50.59", [(100, "50.27", "50.29", "50.27", "0", "lit")])

    marks = reported(day, [sale])["orders"][0]["benchmarks"]

    assert marks["reversion_1m"]["bps"] == pytest.approx((50.30 / 50.29 - 1) * 1e4)
    assert marks["arrival"]["bps"] == pytest.approx((50.29 - 50.27) / 50.29 * 1e4)
    assert marks["interval_vwap"]["bps"] == {"refused": "no_prints"}
    assert marks["interval_twap"]["bps"] == {"refused": "no_span"}


def test_an_order_never_filled_has_benchmark_prices_and_no_cost_against_them(day: DataSet) -> None:
    row = reported(day, [executed(parent("AAA", BUY, 100, "50.30"), "50.29", "50.59", [])])["orders"][0]

    assert row["benchmarks"]["interval_vwap"]["price"] == pytest.approx(50.45, abs=0.01)
    assert row["benchmarks"]["interval_vwap"]["bps"] == {"refused": "no_fills"}
    assert (row["average_price"], row["realized_bps"], row["first_fill_at"]) == (None, None, None)


def test_means_are_weighted_by_what_was_filled_and_say_what_they_rest_on(day: DataSet) -> None:
    once = executed(parent("AAA", BUY, 200, "50.30"), "50.29", "50.59", [(200, "50.31", "50.29", "50.31", "0", "dark")])

    found = reported(day, [WORKED, once])

    values = (800 * 50.3375, 200 * 50.31)
    costs = ((50.3375 / 50.29 - 1) * 1e4, (50.31 / 50.29 - 1) * 1e4)
    mean = sum(value * cost for value, cost in zip(values, costs, strict=True)) / sum(values)
    assert found["total"]["arrival"]["bps"] == pytest.approx(mean)
    assert (found["total"]["interval_vwap"]["orders"], found["total"]["interval_vwap"]["refused"]) == (
        1,
        {"no_prints": 1},
    )
    assert found["total"]["participation"]["frac"] == pytest.approx(0.1)
    assert set(found["by_venue"]) == {"dark", "lit"}
    assert "bps" not in found["by_venue"]["dark"]["interval_vwap"]
    assert set(found["lacks"]) == {"no_prints", "no_span", "within_day"}


def tape(ends: int = 10, closes: float | None = None) -> MarketTape:
    """A price and a trade of two shares each minute, as the number of the minute."""
    ts = np.array([np.datetime64(at(minute).replace(tzinfo=None), "ns") for minute in range(1, ends + 1)])
    price = np.arange(1.0, ends + 1)
    return MarketTape("hand", ts, price, ts, price, np.full(len(ts), 2.0), 0, None if closes is None else at(closes))


def test_a_tape_tells_why_it_cannot_tell() -> None:
    late = at(1000)

    assert tape().price_at(at(4.5), late) == 4.0
    assert tape().price_at(at(0.5), late) is Lack.BEFORE_RECORDING
    assert tape().price_at(at(10.5), late) is Lack.AFTER_RECORDING
    assert tape(closes=10).price_at(at(10.5), late) is Lack.AFTER_SESSION
    assert tape().price_at(at(4.5), at(4)) is Lack.AFTER_RUN
    assert tape().close(late) is Lack.NO_CLOSE
    assert tape(closes=10).close(late) == 10.0
    assert tape(closes=9.5).close(late) == 9.0
    assert tape(closes=30).close(late) is Lack.AFTER_RECORDING
    # A trade at the very beginning came before the order; one at the end did not.
    assert tape().traded(at(2), at(4)) == (3.5, 4.0)
    assert tape().mean_price(at(2.5), at(4.5)) == pytest.approx((0.5 * 2 + 3 + 0.5 * 4) / 2)


def test_bars_alone_and_quotes_alone_tell_what_they_can(tmp_path: Path) -> None:
    bars = load_data(f"{write_day(tmp_path / 'bars.csv', quotes=False)}@30m")
    quotes = load_data(str(write_day(tmp_path / "quotes.csv")))  # decided on at daily closes
    late = at(1000)

    of_bars, of_quotes = (market_tape(data, data.history(), "AAA", DAY) for data in (bars, quotes))
    assert isinstance(of_bars, MarketTape) and isinstance(of_quotes, MarketTape)
    assert (of_bars.made_from, of_quotes.made_from) == ("bars", "quotes")
    assert of_bars.traded(at(30), at(34)) == (pytest.approx(50.3175), 8000)
    assert of_quotes.traded(at(30), at(34)) is Lack.NO_PRINTS
    assert of_bars.mean_price(at(30), at(34)) == pytest.approx(50.305)
    assert of_quotes.mean_price(at(30), at(34)) == pytest.approx(50.305)
    assert of_bars.close(late) == of_quotes.close(late) == pytest.approx(53.89)
    assert of_bars.price_at(at(391), late) is of_quotes.price_at(at(391), late) is Lack.AFTER_SESSION
    assert market_tape(bars, bars.history(), "AAA", date(2015, 1, 6)) is Lack.NOT_RECORDED


class Listed:
    """The part of a log that the report asks for: facts with their moments."""

    def __init__(self, *facts: tuple[float, Payload]) -> None:
        self.facts = facts

    def read(self, types: Sequence[type[Payload]] = ()) -> Iterator[Any]:
        for minute, payload in self.facts:
            if isinstance(payload, tuple(types)):
                yield SimpleNamespace(event_time=at(minute), decoded=lambda payload=payload: payload)


def test_on_the_eve_of_a_split_the_close_and_the_next_one_are_of_the_shares_that_were_ordered(tmp_path: Path) -> None:
    # Two for one on the 8th: 12.00 is followed by 6.50, which is 13.00 of the shares that were bought.
    days, closes = ("2015-01-05", "2015-01-06", "2015-01-07", "2015-01-08"), (10, 11, 12, 6.5)
    rows = [f"AAA,{day},{close},{close},{close},{close},1000" for day, close in zip(days, closes, strict=True)]
    (tmp_path / "split.csv").write_text("\n".join(["symbol,date,open,high,low,close,volume", *rows]) + "\n")
    split = CorporateAction("AAA", "split", date(2015, 1, 8), new_shares=2)
    data = replace(load_data(str(tmp_path / "split.csv")), actions=(split,))
    order = parent("AAA", BUY, 100, "11.00")
    half = filled(order, 0, (50, "12.00", "12.00", "12.00", "0", "lit"), 2 * 24 * 60)
    closed = OrderClosed(
        order_id=order.order_id, decision_id="dec-1", filled=50, unfilled=50, average_price=Decimal(12),
        arrival_price=Decimal("11.50"), fees=Decimal(0), shortfall_bps=0.0, status="partial",
    )  # fmt: skip
    opened = OrderOpened(order=order, arrival_price=Decimal("11.50"))
    log = Listed((2 * 24 * 60, opened), (2 * 24 * 60, OrderFilled(fill=half)), (2 * 24 * 60 + 390, closed))

    (item,), _ = executed_orders(cast(EventLog, log), data.history(), 1e6)
    marks = reported(data, [item], 3 * 24 * 60 + 390)["orders"][0]["benchmarks"]

    assert (item.closing_price, attributed(item).cost.opportunity) == (12, 50)
    assert (marks["close"]["price"], marks["reversion_next_close"]["price"]) == (12, pytest.approx(13.0))
    assert marks["reversion_next_close"]["bps"] == pytest.approx(-1 / 12 * 1e4)


def test_a_fill_that_was_taken_back_after_the_order_closed_is_none_of_its_fills(day: DataSet) -> None:
    order, other = parent("AAA", BUY, 800, "50.28"), parent("AAA", SELL, 5, "50.28")
    first, second = (filled(order, place, (400, "50.33", "50.31", "50.33", "0", "lit"), 32) for place in range(2))
    child = ChildOrder(
        client_order_id="ord-1", order_id=order.order_id, decision_id="dec-1", symbol="AAA", side=BUY, quantity=800,
        limit_price=Decimal("50.40"), sequence=0, created_at=at(30),
    )  # fmt: skip
    closed = OrderClosed(
        order_id=order.order_id, decision_id="dec-1", filled=800, unfilled=0, average_price=Decimal("50.33"),
        arrival_price=Decimal("50.29"), fees=Decimal(0), shortfall_bps=8.0, status="filled",
    )  # fmt: skip
    log = Listed(
        (30, OrderOpened(order=order, arrival_price=Decimal("50.29"))),
        (30, ChildSubmitted(child=child, verdict_hash="")),
        (32, OrderFilled(fill=first)),
        (32, OrderFilled(fill=second)),
        (32, OrderFilled(fill=second)),
        (60, closed),
        (61, FillBusted(execution_id=second.execution_id, fill=second, reason="clearly erroneous")),
        (62, OrderOpened(order=other.model_copy(update={"order_id": "par-2"}), arrival_price=Decimal("50.60"))),
    )

    (item,), still_open = executed_orders(cast(EventLog, log), day.history(), 1e6)

    assert (item.fills, item.filled, still_open) == ((first,), 400, 1)
    assert (item.children, item.opened_at, item.closed_at, item.ends_at) == ((child,), at(30), at(60), at(60))
    # 30 bars of 1000 and 3000 in turn are 2000 a minute, of which a session has 390.
    assert item.daily_volume == pytest.approx(2000 * 390)
    assert not item.volume_is_assumed and item.quarter_vol_frac is None
