"""Read models: what they show, that they equal a fold, and that they can be rebuilt."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.orders import OrderState, Side
from parley.memory.errors import EmptyLog
from parley.memory.history import fills, portfolio_at
from parley.memory.log import EventLog
from parley.memory.portfolio_view import PORTFOLIO
from parley.memory.projection import View
from parley.memory.views import VIEWS, ReadModels
from parley.storage.sql import open_in_memory, open_sqlite


@pytest.fixture
def book() -> tuple[EventLog, ReadModels]:
    database = open_in_memory()
    views = ReadModels(database)
    return EventLog(database, views), views


def test_portfolio_is_the_fold_of_the_fills(story: Any, book: Any) -> None:
    log, views = book
    log.append([story.started(), story.filled(1, 100, "10.00", fee="1"), story.filled(2, 100, "20.00", fee="1")])
    log.append([story.filled(3, 150, "18.00", fee="1", side=Side.SELL)])

    portfolio = views.portfolio()

    # 100 at 10 and 100 at 20 cost 15 on average; selling 150 at 18 realizes 150 x 3.
    assert portfolio.cash == Decimal(100_000) - 1000 - 2000 + 2700 - 3
    (position,) = portfolio.positions
    assert (position.quantity, position.average_price, position.realized) == (50, Decimal(15), Decimal(450))


def test_a_fill_reported_twice_is_booked_once(story: Any, book: Any) -> None:
    log, views = book
    log.append([story.started(), *story.session(1)])
    before = views.portfolio(), views.orders()

    log.append([story.filled(1)])

    assert (views.portfolio(), views.orders()) == before


def test_a_second_start_is_not_a_deposit(story: Any, book: Any) -> None:
    log, views = book
    log.append([story.started(), story.filled(1), story.started()])

    assert views.portfolio() == portfolio_at(log, 3)


def test_an_unfunded_book_says_so(book: Any) -> None:
    _, views = book

    with pytest.raises(EmptyLog, match="does not begin with RunStarted"):
        views.portfolio()


def test_an_order_is_followed_from_approval_to_its_close(story: Any, book: Any) -> None:
    log, views = book
    states = []
    log.append([story.started()])
    for fact in story.session(1)[1:-1]:
        log.append([fact])
        states.append((views.orders()[0].state, views.orders()[0].filled))

    assert states == [
        ("approved", 0),
        ("working", 0),
        ("working", 0),
        ("working", 100),
        ("working", 100),
        ("filled", 100),
    ]
    (order,) = views.orders()
    assert (order.average_price, order.fees) == (Decimal("10.05"), Decimal("0.35"))
    assert (order.arrival_price, order.shortfall_bps) == (Decimal("10.02"), 29.94)
    assert (order.opened_at, order.closed_at) == ("2024-01-02T21:00:00Z", "2024-01-02T21:00:00Z")


def test_the_average_price_weighs_fills_by_quantity(story: Any, book: Any) -> None:
    log, views = book
    log.append([story.started(), story.opened(1), story.submitted(1)])
    log.append([story.filled(1, 30, "10.00", execution_id="a"), story.filled(1, 10, "14.00", execution_id="b")])

    (order,) = views.orders()

    assert (order.filled, order.average_price, order.fees) == (40, Decimal(11), Decimal("0.70"))


def test_one_order_comes_with_its_children_and_fills(story: Any, book: Any) -> None:
    log, views = book
    log.append([story.started(), *story.session(1), *story.session(2)])

    history = views.order("ord-2")

    assert history is not None
    assert history.order.order_id == "ord-2"
    assert [child.client_order_id for child in history.children] == ["child-2"]
    assert history.fills == (story.filled(2).payload.fill,)
    assert views.order("ord-9") is None


def test_orders_can_be_asked_for_by_decision(story: Any, book: Any) -> None:
    log, views = book
    log.append([story.started(), *story.session(1), *story.session(2)])

    assert [order.order_id for order in views.orders()] == ["ord-1", "ord-2"]
    assert [order.order_id for order in views.orders("dec-2")] == ["ord-2"]
    assert views.orders("dec-9") == ()


def _child_state(views: ReadModels) -> tuple[str, int]:
    history = views.order("ord-1")
    assert history is not None
    (child,) = history.children
    return child.state, child.filled


def test_a_child_is_partially_filled_then_filled(story: Any, book: Any) -> None:
    log, views = book
    log.append([story.started(), story.opened(1), story.submitted(1, 100)])
    assert _child_state(views) == (OrderState.SUBMITTED, 0)

    log.append([story.filled(1, 40, execution_id="a")])
    assert _child_state(views) == (OrderState.PARTIALLY_FILLED, 40)

    log.append([story.filled(1, 60, execution_id="b")])
    assert _child_state(views) == (OrderState.FILLED, 100)


def test_no_child_leaves_a_terminal_state(story: Any, book: Any) -> None:
    log, views = book
    log.append([story.started(), story.opened(1), story.submitted(1), story.filled(1, 40), story.child_canceled(1, 60)])
    assert _child_state(views) == (OrderState.CANCELED, 40)

    log.append([story.filled(1, 60, execution_id="late")])

    assert _child_state(views) == (OrderState.CANCELED, 100)
    assert views.portfolio().quantity("AAPL") == 100


def test_a_cancel_that_lost_the_race_leaves_the_child_filled(story: Any, book: Any) -> None:
    log, views = book
    log.append([story.started(), story.opened(1), story.submitted(1), story.filled(1), story.child_canceled(1)])

    assert _child_state(views) == (OrderState.FILLED, 100)


def test_a_denied_child_shows_the_gates_reasons(story: Any, book: Any) -> None:
    log, views = book
    log.append([story.started(), story.opened(1), story.denied(1)])

    history = views.order("ord-1")

    assert history is not None
    assert (history.children[0].state, history.children[0].reason) == (OrderState.DENIED, "weight 7% over 5%")


def test_a_fill_of_an_unknown_order_still_counts_in_the_portfolio(story: Any, book: Any) -> None:
    log, views = book
    log.append([story.started(), story.filled(8)])

    assert views.portfolio().quantity("AAPL") == 100
    assert views.orders() == ()


def test_decisions_are_listed_with_the_place_of_the_full_record(story: Any, book: Any) -> None:
    log, views = book
    log.append([story.started(), story.decided(1), story.decided(2, "vetoed", "too much"), story.decided(3, "refused")])

    lines = views.decisions()

    assert [(line.decision_id, line.seq, line.kind, line.legs, line.is_approved) for line in lines] == [
        ("dec-1", 2, "trade", 1, True),
        ("dec-2", 3, "vetoed", 0, False),
        ("dec-3", 4, "refused", 0, None),
    ]
    assert (lines[1].summary, lines[0].llm_calls, lines[0].prompt_tokens) == ("too much", 2, 900)
    assert lines[0].as_of == "2024-01-03T21:00:00Z"


def test_performance_has_a_line_for_each_session_with_its_drawdown(story: Any, book: Any) -> None:
    log, views = book
    log.append([story.started(), story.marked(0, "100000"), story.marked(1, "95000"), story.marked(2, "0", "0")])

    lines = views.performance()

    assert [line.session for line in lines] == [date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4)]
    assert [line.drawdown_frac for line in lines] == [0.0, 0.05, 0.0]
    assert (lines[1].equity, lines[1].benchmark) == (Decimal(95_000), None)


def test_rebuilding_gives_the_same_tables(story: Any, book: Any) -> None:
    log, views = book
    log.append([story.started(), *story.session(1), *story.session(2)])
    before = views.digest(), views.cursors()

    views.rebuild(log)

    assert (views.digest(), views.cursors()) == before


def test_a_changed_row_changes_the_digest_of_its_read_model_only(story: Any) -> None:
    database = open_in_memory()
    views = ReadModels(database)
    EventLog(database, views).append([story.started(), *story.session(1)])
    before = views.digest()

    database.execute("UPDATE view_positions SET quantity = 101")

    changed = {name for name, digest in views.digest().items() if digest != before[name]}
    assert changed == {"portfolio"}


def test_cursors_stand_at_the_head_after_a_commit(story: Any, book: Any) -> None:
    log, views = book
    log.append([story.started(), *story.session(1)])

    assert views.cursors() == {"agent_scores": 9, "decisions": 9, "orders": 9, "performance": 9, "portfolio": 9}


def test_a_log_written_without_read_models_gets_them_at_the_next_open(story: Any, log_path: Path) -> None:
    log = EventLog(open_sqlite(log_path))
    log.append([story.started(), *story.session(1)])
    log.close()

    database = open_sqlite(log_path)
    views = ReadModels(database)
    log = EventLog(database, views)

    assert views.portfolio() == portfolio_at(log, 9)
    assert [order.state for order in views.orders()] == ["filled"]


def test_a_read_model_of_another_version_is_built_anew_and_the_rest_stays(story: Any) -> None:
    database = open_in_memory()
    log = EventLog(database, ReadModels(database))
    log.append([story.started(), *story.session(1)])
    database.execute("UPDATE view_positions SET quantity = 999")
    database.execute("UPDATE view_orders SET reason = 'kept'")
    newer = View("portfolio", PORTFOLIO.version + 1, PORTFOLIO.tables, PORTFOLIO.handlers)

    views = ReadModels(database, (newer, *VIEWS[1:]))
    log = EventLog(database, views)

    assert views.portfolio() == portfolio_at(log, 9)
    assert views.orders()[0].reason == "kept"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 30),
            st.sampled_from(["AAPL", "MSFT"]),
            st.sampled_from(Side),
            st.integers(1, 500),
            st.decimals("0.01", "900", places=2),
            st.decimals("0", "5", places=2),
        ),
        max_size=15,
    )
)
def test_the_portfolio_table_always_equals_the_domain_fold(
    story: Any, moves: list[tuple[int, str, Side, int, Decimal, Decimal]]
) -> None:
    database = open_in_memory()
    views = ReadModels(database)
    log = EventLog(database, views)
    log.append([story.started()])
    for number, symbol, side, quantity, price, fee in moves:
        log.append([story.filled(number, quantity, str(price), symbol=symbol, side=side, fee=str(fee))])

    assert views.portfolio() == portfolio_at(log, log.head()[0])
    assert len(list(fills(log))) == len({number for number, *_ in moves})
    before = views.digest()
    views.rebuild(log)
    assert views.digest() == before
