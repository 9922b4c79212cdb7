"""Nights in a run: what corporate actions and fees do to book, orders and prices, and that the log agrees with it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.desk.book import open_log
from parley.domain.events import ChildClosed, PortfolioMarked, PositionCashedOut, TradingStateChanged
from parley.domain.orders import ChildOrder, OrderType, Side, TimeInForce
from parley.domain.overnight import BorrowCharged, DividendBooked, OrderAdjusted, PositionRenamed, SharesSplit
from parley.domain.portfolio import Portfolio, Position
from parley.evals.overnight import action_facts, borrow_facts, order_facts, pass_night
from parley.evals.replay import replay_run
from parley.market.corporate_actions import CorporateAction
from parley.market.files import load_file
from parley.memory.gate_record import GateRecord
from parley.memory.sent_orders import SentOrder
from parley.memory.verify import verify_log
from parley.service.limit_rules import reachable_limits

D = Decimal
DAY = date(2015, 3, 2)


def held(quantity: int, cash: str = "1000") -> Portfolio:
    position = Position(symbol="AAA", quantity=quantity, average_price=D("60"), realized=D(7))
    return Portfolio(cash=D(cash), positions=(position,) if quantity else ())


def action(kind: Any, **terms: Any) -> CorporateAction:
    return CorporateAction("AAA", kind, DAY, **terms)


def resting(quantity: int, limit: str = "62.00", side: str = "BUY") -> SentOrder:
    return SentOrder(
        ChildOrder(
            client_order_id="gtc-1",
            order_id="leg-1",
            decision_id="d1",
            symbol="AAA",
            side=Side(side),
            quantity=quantity,
            limit_price=D(limit),
            sequence=0,
            created_at=datetime(2015, 2, 27, 15, tzinfo=UTC),
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
        )
    )


@pytest.fixture(scope="module")
def split_market(market_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The six names, N0 before its 3:1 split at three times the price, and N1 with a dividend the day after."""
    rows = [line.split(",") for line in market_path.read_text().splitlines()]
    days = sorted({row[1] for row in rows[1:]})
    for row in rows[1:]:
        if row[0] == "N0" and row[1] < days[-3]:
            row[2:6] = [f"{float(price) * 3:.2f}" for price in row[2:6]]
    path = tmp_path_factory.mktemp("market") / "split.csv"
    path.write_text("\n".join(",".join(row) for row in rows) + "\n")
    actions = (
        "symbol,kind,ex_date,cash,split_from,split_to",
        f"N0,split,{days[-3]},,1,3",
        f"N1,dividend,{days[-2]},1,,",
    )
    path.with_name("split.actions.csv").write_text("\n".join(actions) + "\n")
    return path


def facts(folder: Any) -> list[Any]:
    with open_log(folder, readonly=True) as (log, _):
        return [event.decoded() for event in log.read()]


def test_a_run_through_a_split_and_a_dividend_loses_nothing_to_them(split_market: Path, player: Any) -> None:
    folder = player.run(str(split_market), days=7)

    found = facts(folder)
    (split,) = [fact for fact in found if isinstance(fact, SharesSplit)]
    (dividend,) = [fact for fact in found if isinstance(fact, DividendBooked)]
    marks = [fact for fact in found if isinstance(fact, PortfolioMarked)]
    eve = next(mark for mark in marks if mark.session < split.ex_date and mark.session >= marks[-4].session)
    raw = load_file(split_market).panel.bar("N0", eve.session)
    assert raw is not None and split.quantity > 0 and dividend.amount == dividend.quantity
    # Three times the shares at a third of the price that traded, to the sixth digit of a price.
    assert eve.prices["N0"] * 3 == pytest.approx(D(str(raw.close)), abs=D("0.000003"))
    moves = [abs(float(after.equity / before.equity) - 1) for before, after in pairwise(marks)]
    assert max(moves) < 0.02
    assert not any(isinstance(fact, TradingStateChanged) for fact in found)
    assert verify_log(folder.log_path, auditors=[GateRecord(reachable_limits)]).findings == ()
    assert replay_run(folder).identical


def test_the_book_after_the_night_is_what_every_reader_of_the_log_finds(split_market: Path, player: Any) -> None:
    from parley.memory.history import portfolio_at

    folder = player.run(str(split_market), days=7)

    with open_log(folder, readonly=True) as (log, views):
        assert views.portfolio() == portfolio_at(log, log.head()[0])
        (split,) = log.read(types=(SharesSplit,))
        before, after = portfolio_at(log, split.seq - 1), portfolio_at(log, split.seq)
        assert after.quantity("N0") == 3 * before.quantity("N0")
        assert after.cash == before.cash


@given(
    quantity=st.integers(-900, 900).filter(bool),
    cash=st.decimals("0.01", "5", places=2),
    ratio=st.sampled_from([(1, 2), (2, 3), (1, 7), (10, 1), (3, 2)]),
    price=st.decimals("5", "400", places=2),
    rate=st.floats(0, 1),
    nights=st.integers(1, 5),
)
@settings(max_examples=50, deadline=None)
def test_cash_moves_by_exactly_what_was_recorded(
    quantity: int, cash: Decimal, ratio: tuple[int, int], price: Decimal, rate: float, nights: int
) -> None:
    before = held(quantity)
    old, new = ratio
    actions = [action("dividend", cash=cash), action("split", old_shares=old, new_shares=new)]

    told = action_facts(before, actions, {"AAA": price})
    after = before
    for fact in told:
        after = pass_night(after, fact)
    fees = borrow_facts(after, {"AAA": price}, rate, nights)
    for fee in fees:
        after = pass_night(after, fee)

    exact = D(quantity) * new / old
    fraction = exact - after.quantity("AAA")
    paid = sum((fee.amount for fee in fees), D(0))
    assert after.cash == pytest.approx(before.cash + cash * quantity + fraction * price - paid, abs=D("1e-15"))
    assert abs(fraction) < 1
    assert bool(fees) == (after.quantity("AAA") < 0)
    # What was paid for the shares is still there: in the position, or realized with the fraction.
    cost = after.positions[0].average_price * after.quantity("AAA")
    realized = after.positions[0].realized - before.positions[0].realized
    assert cost - realized == pytest.approx(60 * D(quantity) - fraction * price, abs=D("1e-12"))


def test_a_standing_order_is_moved_in_the_log_or_ended_there() -> None:
    grid = {"AAA": (D("0.01"), 1)}

    (moved,) = order_facts([resting(10)], [action("dividend", cash=D("2.00")), action("split", new_shares=3)], grid)
    (ended,) = order_facts([resting(10)], [action("split", old_shares=10)], grid)

    assert isinstance(moved, OrderAdjusted) and isinstance(ended, ChildClosed)
    assert (moved.quantity, moved.limit_price, moved.reason) == (30, D("20.00"), "dividend 2.00, split 3:1")
    assert (ended.unfilled, ended.reason) == (10, "a reverse split 1:10")
    assert order_facts([resting(10, side="SELL")], [action("dividend", cash=D(1))], grid) == []


def test_a_name_the_data_do_not_follow_is_paid_out_at_its_last_price() -> None:
    (out,) = action_facts(held(10), [action("rename", new_symbol="BBB")], {"AAA": D("61.5")})

    assert isinstance(out, PositionCashedOut)
    assert (out.price, out.quantity) == (D("61.5"), 10)
    assert "renamed BBB, which the data do not hold" in out.reason
    assert pass_night(held(10), out).cash == D(1000) + 615


def test_a_renamed_position_goes_on_where_the_data_follow_it() -> None:
    (fact,) = action_facts(held(10), [action("rename", new_symbol="BBB")], {"AAA": D("61.5"), "BBB": D("61.5")})

    assert pass_night(held(10), fact).holdings() == {"BBB": 10}


def test_of_two_actions_in_one_night_the_second_finds_what_the_first_left() -> None:
    actions = [action("split", new_shares=7), action("rename", new_symbol="BBB")]

    split, renamed = action_facts(held(10), actions, {"AAA": D("8"), "BBB": D("8")})

    assert isinstance(split, SharesSplit) and isinstance(renamed, PositionRenamed)
    assert (split.quantity, renamed.quantity) == (10, 70)


def test_a_short_position_pays_each_night_and_a_long_one_none() -> None:
    (fee,) = borrow_facts(held(-200), {"AAA": D("49.30")}, 0.09, 3)

    assert isinstance(fee, BorrowCharged)
    assert (fee.amount, fee.nights, pass_night(held(-200), fee).cash) == (D("7.65"), 3, D("992.35"))
    assert borrow_facts(held(200), {"AAA": D("49.30")}, 0.09, 3) == []
