"""Executions that a venue took back: every fold of the log leaves them out, and they agree with one another."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.events import (
    CancelRefused,
    CancelRequested,
    ChildAccepted,
    ChildUnresolved,
    Payload,
    PositionCashedOut,
)
from parley.domain.orders import Side
from parley.domain.portfolio import book_fills
from parley.memory.history import fills, portfolio_at
from parley.memory.log import EventLog
from parley.memory.verify import verify_log
from parley.memory.views import ReadModels
from parley.storage.sql import open_in_memory

Opener = Callable[[Path], tuple[EventLog, ReadModels]]


def test_a_busted_fill_leaves_cash_position_order_and_child_as_if_it_had_not_been(
    story: Any, open_log: Opener, log_path: Path
) -> None:
    log, views = open_log(log_path)
    log.append([story.started(), story.approved(0), story.opened(0), story.submitted(0)])
    first, second = story.filled(0, 40, execution_id="a"), story.filled(0, 60, "11", execution_id="b")
    log.append([first, second, story.busted(first), story.busted(first)])

    history = views.order("ord-0")

    assert history is not None
    assert (history.order.filled, history.order.average_price, history.order.fees) == (60, 11, Decimal("0.35"))
    assert [(child.filled, child.state) for child in history.children] == [(60, "FILLED")]
    assert [fill.execution_id for fill in history.fills] == ["b"]
    assert views.portfolio().cash == story.cash - 60 * 11 - Decimal("0.35")
    assert [fill.execution_id for fill in fills(log)] == ["b"]
    log.close()
    assert verify_log(log_path).ok


def test_a_bust_of_the_only_fill_leaves_no_position(story: Any, open_log: Opener, log_path: Path) -> None:
    log, views = open_log(log_path)
    fill = story.filled(0)
    log.append([story.started(), fill, story.busted(fill)])

    assert views.portfolio() == portfolio_at(log, 3)
    assert views.portfolio().positions == ()
    assert portfolio_at(log, 2).quantity("AAPL") == 100
    log.close()


def test_a_child_moves_as_its_events_say(story: Any, open_log: Opener, log_path: Path) -> None:
    log, views = open_log(log_path)
    ids = {"client_order_id": "child-0", "order_id": "ord-0"}
    steps: list[tuple[Payload | None, str]] = [
        (ChildAccepted(**ids), "ACCEPTED"),
        (CancelRequested(**ids, reason="slice over"), "PENDING_CANCEL"),
        (CancelRefused(**ids, reason="too late"), "ACCEPTED"),
        (ChildUnresolved(**ids, reason="no answer"), "UNKNOWN"),
        (CancelRequested(**ids, reason="again"), "UNKNOWN"),
        (None, "PARTIALLY_FILLED"),
        (CancelRequested(**ids, reason="again"), "PENDING_CANCEL"),
    ]
    log.append([story.started(), story.approved(0), story.submitted(0)])

    for payload, state in steps:
        log.append([story.filled(0, 10) if payload is None else story.fact(payload, "order-0")])
        history = views.order("ord-0")
        assert history is not None
        assert history.children[0].state == state
    log.append([story.filled(0, 10, execution_id="x")])
    history = views.order("ord-0")
    assert history is not None
    assert (history.children[0].state, history.children[0].filled) == ("PENDING_CANCEL", 20)
    log.append([story.child_canceled(0, 80), story.filled(0, 80, execution_id="late")])
    history = views.order("ord-0")
    assert history is not None
    assert (history.children[0].state, history.children[0].filled) == ("CANCELED", 100)
    log.close()


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["AAPL", "MSFT"]),
        st.sampled_from([Side.BUY, Side.SELL]),
        st.integers(1, 50),
        st.decimals(1, 50, places=2),
        st.booleans(),
    ),
    max_size=12,
)


@given(MOVES, st.data())
@settings(max_examples=30, deadline=None)
def test_whatever_is_busted_and_paid_out_the_table_equals_the_fold_without_it(
    story: Any, moves: Any, data: Any
) -> None:
    database = open_in_memory()
    views = ReadModels(database)
    log = EventLog(database, views)
    log.append([story.started()])
    told, standing = [], []
    for number, (symbol, side, quantity, price, is_busted) in enumerate(moves):
        told.append(story.filled(number, quantity, str(price), symbol=symbol, side=side))
        log.append([told[-1]])
        if is_busted:
            place = data.draw(st.integers(0, number))
            log.append([story.busted(told[place])])
            standing = [item for item in standing if item is not told[place]]
            if place != number and told[number] not in standing:
                standing.append(told[number])
        else:
            standing.append(told[-1])
    expected = book_fills(story.started_portfolio(), [item.payload.fill for item in standing])

    assert views.portfolio() == portfolio_at(log, log.head()[0]) == expected
    held = next(iter(views.portfolio().holdings().items()), None)
    if held is not None:
        out = PositionCashedOut(
            symbol=held[0], quantity=held[1], price=Decimal(7), priced_at=told[0].event_time, reason="gone"
        )
        log.append([story.fact(out)])
        log.append([story.busted(told[-1])])
        assert views.portfolio() == portfolio_at(log, log.head()[0])
    before = views.digest()
    views.rebuild(log)
    assert views.digest() == before
