"""The order life: every pair of state and event is either in the table or refused."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from parley.domain.orders import OrderState
from parley.execution.errors import IllegalTransition
from parley.execution.orders import TERMINAL, TRANSITIONS, OrderEvent, next_state

FILLS = (OrderEvent.PARTIALLY_FILLED, OrderEvent.FILLED)


@pytest.mark.parametrize("state", OrderState)
@pytest.mark.parametrize("event", OrderEvent)
def test_every_pair_is_in_the_table_or_raises(state: OrderState, event: OrderEvent) -> None:
    if (state, event) in TRANSITIONS:
        assert next_state(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(IllegalTransition, match=f"{state}.*{event}") as caught:
            next_state(state, event)
        assert caught.value.remedy


def test_the_table_has_the_size_that_was_reviewed() -> None:
    # A row more or less is a decision about money: change this number together with the table's comments.
    assert len(TRANSITIONS) == 59


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_a_terminal_order_never_leaves_its_state(state: OrderState) -> None:
    assert all(after is state for (before, _), after in TRANSITIONS.items() if before is state)


@pytest.mark.parametrize("state", sorted(set(OrderState) - TERMINAL))
def test_every_other_state_can_be_left(state: OrderState) -> None:
    assert any(after in TERMINAL for (before, _), after in TRANSITIONS.items() if before is state)


@pytest.mark.parametrize(
    ("path", "state"),
    [
        ("SUBMITTED FILLED ACCEPTED", OrderState.FILLED),
        ("SUBMITTED PARTIALLY_FILLED ACCEPTED FILLED", OrderState.FILLED),
        ("SUBMITTED ACCEPTED CANCEL_REQUESTED FILLED CANCEL_REFUSED", OrderState.FILLED),
        ("SUBMITTED ACCEPTED CANCEL_REQUESTED PARTIALLY_FILLED CANCELED", OrderState.CANCELED),
        ("SUBMITTED ACCEPTED CANCEL_REQUESTED CANCEL_REFUSED EXPIRED", OrderState.EXPIRED),
        ("SUBMITTED ACCEPTED CANCEL_REQUESTED CANCELED FILLED", OrderState.CANCELED),
        ("SUBMITTED LOST SUBMITTED", OrderState.UNKNOWN),
        ("SUBMITTED LOST REJECTED", OrderState.REJECTED),
        ("SUBMITTED LOST FILLED", OrderState.FILLED),
        ("SUBMITTED ACCEPTED LOST CANCEL_REQUESTED CANCELED", OrderState.CANCELED),
        ("DENIED", OrderState.DENIED),
    ],
)
def test_the_ways_of_the_real_world_are_legal(path: str, state: OrderState) -> None:
    at = OrderState.INTENDED
    for event in path.split():
        at = next_state(at, OrderEvent(event))

    assert at is state


@pytest.mark.parametrize(
    "path", ["FILLED", "ACCEPTED", "DENIED SUBMITTED", "SUBMITTED DENIED", "SUBMITTED REJECTED FILLED", "LOST"]
)
def test_what_can_not_be_is_refused(path: str) -> None:
    at = OrderState.INTENDED
    with pytest.raises(IllegalTransition):
        for event in path.split():
            at = next_state(at, OrderEvent(event))


def test_a_lost_answer_is_never_read_as_a_reject() -> None:
    lost = {after for (_, event), after in TRANSITIONS.items() if event is OrderEvent.LOST}

    assert lost == {OrderState.UNKNOWN}


class OrderLife(RuleBasedStateMachine):
    """Legal events in any order: what ended stays ended, and nothing goes back before the send."""

    def __init__(self) -> None:
        super().__init__()
        self.state = OrderState.INTENDED
        self.ended: OrderState | None = None
        self.was_sent = False

    @rule(data=st.data())
    @precondition(lambda self: any(state is self.state for state, _ in TRANSITIONS))
    def happen(self, data: st.DataObject) -> None:
        legal = sorted(event for state, event in TRANSITIONS if state is self.state)
        event = data.draw(st.sampled_from(legal))
        self.was_sent |= event is OrderEvent.SUBMITTED
        self.state = next_state(self.state, event)
        if self.ended is None and self.state in TERMINAL:
            self.ended = self.state

    @rule(event=st.sampled_from(list(OrderEvent)))
    def disturb(self, event: OrderEvent) -> None:
        if (self.state, event) not in TRANSITIONS:
            with pytest.raises(IllegalTransition):
                next_state(self.state, event)

    @invariant()
    def ended_stays_ended(self) -> None:
        assert self.ended is None or self.state is self.ended

    @invariant()
    def a_sent_order_is_neither_intended_nor_denied(self) -> None:
        if self.was_sent:
            assert self.state not in {OrderState.INTENDED, OrderState.DENIED}


OrderLife.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
TestOrderLife = OrderLife.TestCase
