"""Who gets how much of a child, and what the router makes of what came of it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.orders import Fill, Side
from parley.execution.routing.allocation import allocate
from parley.execution.routing.errors import RoutingRefused
from parley.execution.routing.state import (
    RoutingState,
    RoutingTerms,
    Rule,
    SliceOutcome,
    new_state,
    observe,
    slice_outcome,
)

NAMES = ("a", "b", "c")
outcomes = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(1, 3000), st.floats(0, 1), st.floats(-50, 50)), max_size=12
)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def taught(state: RoutingState, rows: Sequence[tuple[str, int, float, float]]) -> RoutingState:
    for venue, sent, frac, net in rows:
        state = observe(state, SliceOutcome(venue, sent, int(sent * frac), net))
    return state


def state_of(rule: Rule, rows: Sequence[tuple[str, int, float, float]] = (), **changes: int) -> RoutingState:
    return taught(new_state(RoutingTerms(rule=rule, **changes), NAMES), rows)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(Rule),
    outcomes,
    st.integers(1, 20_000),
    st.sampled_from([1, 10, 100]),
    st.sets(st.sampled_from(NAMES), min_size=1),
    st.integers(0, 99),
)
def test_a_split_is_the_whole_child_over_open_venues_in_lots_and_the_same_twice(
    rule: Rule, rows: list[Any], quantity: int, lot: int, open_to: set[str], seed: int
) -> None:
    state = state_of(rule, rows)

    split, again = (allocate(state, quantity, lot, open_to, rng(seed)) for _ in range(2))

    assert split == again
    assert sum(split.values()) == quantity
    assert set(split) <= open_to and min(split.values()) > 0
    assert sum(shares % lot != 0 for shares in split.values()) <= 1


@settings(max_examples=40, deadline=None)
@given(outcomes, st.randoms())
def test_what_is_known_does_not_depend_on_the_order_in_which_slices_ended(rows: list[Any], random: Any) -> None:
    shuffled = random.sample(rows, len(rows))

    assert state_of(Rule.UCB, rows) == state_of(Rule.UCB, shuffled)


def test_equal_shares_are_equal_and_one_open_venue_takes_all() -> None:
    assert allocate(state_of(Rule.EQUAL), 950, 1, NAMES, rng()) == {"a": 350, "b": 300, "c": 300}
    assert allocate(state_of(Rule.EQUAL), 950, 1, {"b"}, rng()) == {"b": 950}


def test_the_censored_rule_sends_what_a_venue_has_shown_and_one_unit_more() -> None:
    # "a" has filled three units ten times and never more; "b" and "c" have filled nothing of one unit.
    rows = [("a", 500, 0.6, 0.0)] * 10 + [("b", 100, 0.0, 0.0), ("c", 100, 0.0, 0.0)] * 10

    split = allocate(state_of(Rule.CENSORED, rows), 300, 1, NAMES, rng())

    assert split == {"a": 300}


def test_the_censored_rule_weighs_a_fill_by_what_it_is_worth() -> None:
    rows = [("a", 500, 1.0, -15.0), ("b", 500, 1.0, 15.0), ("c", 500, 1.0, -15.0)] * 10

    assert allocate(state_of(Rule.CENSORED, rows), 400, 1, NAMES, rng()) == {"b": 400}


@pytest.mark.parametrize("rule", [Rule.UCB, Rule.THOMPSON])
def test_a_bandit_turns_to_the_venue_that_fills(rule: Rule) -> None:
    rows = [("a", 100, 0.0, 0.0), ("b", 100, 1.0, 10.0), ("c", 100, 0.0, 0.0)] * 60

    split = allocate(state_of(rule, rows), 1000, 1, NAMES, rng())

    assert split.get("b", 0) >= 800


def test_the_record_counts_units_found_and_whether_more_could_have_been_there() -> None:
    state = state_of(Rule.CENSORED, [("a", 350, 1.0, 0.0), ("a", 500, 0.5, 0.0)], n_sizes=5)

    record = state.venues[0]
    # 3 whole units, all found: at least 3. 5 sent and 250 shares found: exactly 2.
    assert record.at_risk == (2, 2, 2, 0, 0)
    assert record.ended == (0, 0, 1, 0, 0)
    assert (record.slices, record.sent, record.filled) == (2, 850, 600)
    # Worth a half at no cost: 0.5 of the first slice, and half of that of the second.
    assert record.reward_sum == pytest.approx(0.75)


def test_a_shares_worth_is_its_price_against_the_touch_it_was_sent_at_less_its_fee() -> None:
    def fill(price: str, fee: str, quantity: int) -> Fill:
        at = datetime(2024, 1, 2, tzinfo=UTC)
        return Fill(
            execution_id=price, client_order_id="c", order_id="o", symbol="A", side=Side.SELL, quantity=quantity,
            price=Decimal(price), fee=Decimal(fee), mid_price=Decimal(100), touch_price=Decimal(price), venue="a",
            ts_event=at,
        )  # fmt: skip

    found = slice_outcome("a", 300, [fill("99.9", "1", 100), fill("100.2", "2", 100)], Side.SELL, Decimal(100))

    # -10 + 20 - 3 = 7 on 20,000.
    assert found.net_bps == pytest.approx(3.5)
    assert (found.sent, found.filled) == (300, 200)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: new_state(RoutingTerms(), []), r"\(none\)"),
        (lambda: new_state(RoutingTerms(), ["a", "a"]), "no name twice"),
        (lambda: RoutingTerms(unit_shares=0), "unit_shares is 0"),
        (lambda: observe(state_of(Rule.UCB), SliceOutcome("a", 100, 200, 0.0)), "200 shares filled of 100 sent"),
        (lambda: allocate(state_of(Rule.UCB), 0, 1, NAMES, rng()), "0 shares"),
        (lambda: allocate(state_of(Rule.UCB), 100, 1, [], rng()), "0 venues"),
    ],
)
def test_bad_input_is_named(call: Callable[[], object], says: str) -> None:
    with pytest.raises(RoutingRefused, match=says):
        call()
