"""Pages of the read models: whatever is asked for, piece after piece gives the whole, once each and in order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.memory.agent_scores import AGENT_SCORES
from parley.memory.decisions_view import DECISIONS
from parley.memory.orders_view import ORDERS
from parley.memory.record_pages import DecisionsWanted, OrderPlace, OrdersWanted, RecordPages
from parley.storage.sql import Database, open_in_memory

KINDS = ("trade", "no_trade", "vetoed", "refused")
STATES = ("approved", "working", "filled", "partial", "unfilled")
NAMES = ("AAA", "BBB", "CCC")

decisions = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 3)), max_size=30)
orders = st.lists(
    st.tuples(st.integers(0, 29), st.sampled_from(NAMES), st.sampled_from(STATES), st.integers(0, 99)), max_size=40
)


def stored(made: list[tuple[str, int]], sent: list[tuple[int, str, str, int]]) -> Database:
    """Decisions at every tenth event; orders of some of them."""
    database = open_in_memory()
    for view in (DECISIONS, ORDERS, AGENT_SCORES):
        view.create(database)
    for place, (kind, silent) in enumerate(made):
        values = (f"dec-{place:02}", 10 * place + 1, f"2020-01-{place + 1:02}T21:00:00Z", kind, "said", 0, None, silent)
        database.execute("INSERT INTO view_decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, 9)", values)
    for number, (place, symbol, state, filled) in enumerate(sent):
        key = f"par-{number:02}"
        database.execute(
            "INSERT INTO view_orders VALUES (?, ?, ?, 'BUY', 100, 'TWAP', 'why', ?, ?, '1', '0.1', '10', '10', "
            "?, NULL, NULL, ?)",
            (key, f"dec-{place:02}", symbol, state, filled, 1.5 if state == "filled" else None, 10 * place + 2),
        )
    return database


@settings(max_examples=40, deadline=None)
@given(decisions, orders, st.sampled_from([None, *KINDS]), st.sampled_from([None, *NAMES]), st.booleans(), st.data())
def test_pages_of_decisions_give_each_wanted_one_once_and_the_newest_first(
    made: list[tuple[str, int]],
    sent: list[tuple[int, str, str, int]],
    kind: str | None,
    symbol: str | None,
    abstained: bool,
    data: st.DataObject,
) -> None:
    pages = RecordPages(stored(made, sent))
    wanted, size = DecisionsWanted(kind, symbol, abstained), data.draw(st.integers(1, 7))

    found: list[str] = []
    before: int | None = None
    while page := pages.decisions(wanted, before, size):
        found += [item.decision_id for item in page]
        assert len(found) <= len(made), "a page came again"
        before = page[-1].seq

    traded = {f"dec-{place:02}" for place, name, _, _ in sent if name == symbol}
    whole = [
        f"dec-{place:02}"
        for place, (of, silent) in enumerate(made)
        if kind in (None, of) and (not abstained or silent) and (symbol is None or f"dec-{place:02}" in traded)
    ]
    assert found == whole[::-1]
    assert sum(pages.decision_kinds().values()) == len(made)


@settings(max_examples=40, deadline=None)
@given(orders, st.sampled_from([None, *STATES]), st.sampled_from([None, *NAMES]), st.integers(1, 7))
def test_pages_of_orders_give_each_wanted_one_once_though_many_share_an_event(
    sent: list[tuple[int, str, str, int]], state: str | None, symbol: str | None, size: int
) -> None:
    pages = RecordPages(stored([], sent))

    found: list[tuple[int, str]] = []
    before: OrderPlace | None = None
    while page := pages.orders(OrdersWanted(state, symbol), before, size):
        found += [(item.seq, item.order_id) for item in page]
        assert len(found) <= len(sent), "a page came again"
        before = OrderPlace(page[-1].seq, page[-1].order_id)

    whole = [
        (10 * place + 2, f"par-{number:02}")
        for number, (place, name, how, _) in enumerate(sent)
        if state in (None, how) and symbol in (None, name)
    ]
    assert found == sorted(whole, key=lambda item: (-item[0], item[1]))


def test_a_decision_concerns_a_name_that_was_voted_on_and_never_traded() -> None:
    database = stored([("vetoed", 0), ("trade", 0)], [(1, "AAA", "filled", 5)])
    database.execute("INSERT INTO view_votes VALUES ('dec-00', 1, '2020-01-01', 'AAA', 1, 'risk_manager', '{}', 0.3)")

    found = RecordPages(database).decisions(DecisionsWanted(symbol="AAA"), None, 10)

    assert [item.decision_id for item in found] == ["dec-01", "dec-00"]


def test_shortfalls_are_of_orders_that_were_filled_and_closed() -> None:
    sent = [(0, "AAA", "filled", 5), (0, "BBB", "working", 5), (1, "CCC", "filled", 0)]

    found = RecordPages(stored([], sent)).shortfalls()

    assert found == (("par-00", "TWAP", "BUY", 1.5),)


@pytest.mark.parametrize(("busted", "fills", "shares"), [(0, 2, 12), (1, 1, 5)])
def test_a_venues_fills_leave_out_what_it_took_back(busted: int, fills: int, shares: int) -> None:
    database = stored([], [(0, "AAA", "filled", 5)])
    for key, quantity, gone in (("x1", 5, 0), ("x2", 7, busted)):
        values = (key, f"c-{key}", "par-00", quantity, gone)
        database.execute(
            "INSERT INTO view_fills VALUES (?, ?, ?, 'AAA', 'BUY', ?, '1', '0', '1', '1', 'paper', 't', 1, 'T0', 3, ?)",
            values,
        )

    (found,) = RecordPages(database).venues()

    assert (found.venue, found.tier, found.synthetic) == ("paper", "T0", True)
    assert (found.fills, found.shares, found.orders) == (fills, shares, 1)
