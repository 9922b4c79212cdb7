"""Nights in the log: every fold of it agrees on them, also where a fill from before was taken back after."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.orders import OrderState, Side
from parley.domain.overnight import BorrowCharged, DividendBooked, OrderAdjusted, PositionRenamed, SharesSplit
from parley.memory.history import portfolio_at, sent_orders
from parley.memory.log import EventLog
from parley.memory.views import ReadModels
from parley.storage.sql import open_in_memory

DAY = date(2024, 1, 3)
Opener = Callable[[Path], tuple[EventLog, ReadModels]]


def night(story: Any, fact: Any) -> Any:
    return story.fact(fact, "book")


def dividend(held: int, cash: str = "0.5") -> DividendBooked:
    return DividendBooked(symbol="AAPL", quantity=held, cash_per_share=Decimal(cash), ex_date=DAY, paid=None)


def split(held: int, new: int = 7) -> SharesSplit:
    return SharesSplit(
        symbol="AAPL", quantity=held, old_shares=1, new_shares=new, fraction_price=Decimal(3), ex_date=DAY
    )


def test_dividend_split_and_new_name_reach_the_read_model(story: Any, open_log: Opener, log_path: Path) -> None:
    log, views = open_log(log_path)
    log.append([story.started(), story.filled(0, 100, "10.00", fee="0")])
    renamed = PositionRenamed(symbol="AAPL", quantity=700, new_symbol="APPL", ex_date=DAY)

    log.append([night(story, fact) for fact in (dividend(100), split(100), renamed)])

    book = views.portfolio()
    assert book == portfolio_at(log, log.head()[0])
    assert (book.holdings(), book.cash) == ({"APPL": 700}, Decimal(100_000) - 1_000 + 50)
    assert book.positions[0].average_price * 7 == 10


def test_a_fill_taken_back_after_a_split_is_left_out_in_old_shares(
    story: Any, open_log: Opener, log_path: Path
) -> None:
    log, views = open_log(log_path)
    first, second = (story.filled(0, count, "10", execution_id=name) for count, name in ((40, "a"), (60, "b")))
    log.append([story.started(), story.approved(0), story.opened(0), story.submitted(0), first, second])
    log.append([night(story, split(100))])

    log.append([story.busted(first)])

    assert views.portfolio() == portfolio_at(log, log.head()[0])
    assert views.portfolio().holdings() == {"AAPL": 420}


@given(steps=st.lists(st.sampled_from(["buy", "sell", "dividend", "split", "borrow"]), min_size=1, max_size=8))
@settings(max_examples=30, deadline=None)
def test_read_model_fold_and_rebuilt_read_model_agree(story: Any, steps: list[str]) -> None:
    database = open_in_memory()
    views = ReadModels(database)
    log = EventLog(database, views)
    log.append([story.started()])
    for place, step in enumerate(steps):
        held = views.portfolio().quantity("AAPL")
        if step in ("buy", "sell"):
            side = Side.BUY if step == "buy" else Side.SELL
            log.append([story.filled(place, 30 + place, "10", execution_id=f"x{place}", side=side)])
        elif step == "borrow" and held < 0:
            fee = BorrowCharged(
                symbol="AAPL", quantity=held, price=Decimal(10), rate_frac=0.1, nights=1, amount=Decimal("0.09")
            )
            cash = views.portfolio().cash
            log.append([night(story, fee)])
            assert views.portfolio().cash == cash - Decimal("0.09")
        elif held and step != "borrow":
            log.append([night(story, dividend(held) if step == "dividend" else split(held, 3))])

    found, digest = views.portfolio(), views.digest()
    views.rebuild(log)

    assert found == portfolio_at(log, log.head()[0])
    assert views.digest() == digest


def test_an_adjusted_order_is_open_for_its_new_shares_and_fills_to_its_end(
    story: Any, open_log: Opener, log_path: Path
) -> None:
    log, views = open_log(log_path)
    log.append([story.started(), story.approved(0), story.opened(0), story.submitted(0)])
    (sent,) = sent_orders(log).open
    child = sent.child
    moved = OrderAdjusted(
        client_order_id=child.client_order_id,
        order_id=child.order_id,
        quantity=child.quantity * 7,
        limit_price=Decimal("1.43"),
        stop_price=None,
        reason="split 7:1",
    )

    log.append([story.fact(moved, "book", order_id=child.order_id)])

    (sent,) = sent_orders(log).open
    assert (sent.open_quantity, sent.child.limit_price) == (child.quantity * 7, Decimal("1.43"))
    log.append([story.filled(0, child.quantity * 7, "1.43")])
    history = views.order("ord-0")
    assert history is not None and history.children[0].state == OrderState.FILLED
    assert (history.children[0].quantity, sent_orders(log).open) == (child.quantity * 7, ())
