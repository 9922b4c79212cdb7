"""Trading states: the strictest scope that applies counts, and an ACTIVE scope leaves no trace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parley.domain.trading import ACCOUNT, UNRESTRICTED, Scope, TradingState, TradingStates

ACTIVE, REDUCING, HALTED = TradingState

SCOPES = st.sampled_from(
    (
        ACCOUNT,
        Scope(kind="instrument", name="AAPL"),
        Scope(kind="instrument", name="IBM"),
        Scope(kind="venue", name="paper"),
        Scope(kind="strategy", name="momentum"),
    )
)
CHANGES = st.lists(st.tuples(SCOPES, st.sampled_from(TradingState)), max_size=8)


def after(changes: list[tuple[Scope, TradingState]]) -> TradingStates:
    states = UNRESTRICTED
    for scope, state in changes:
        states = states.with_state(scope, state)
    return states


@pytest.mark.parametrize(
    ("scope", "asked", "expected"),
    [
        (ACCOUNT, {"symbol": "AAPL"}, HALTED),
        (Scope(kind="instrument", name="AAPL"), {"symbol": "AAPL"}, HALTED),
        (Scope(kind="instrument", name="AAPL"), {"symbol": "IBM"}, ACTIVE),
        (Scope(kind="venue", name="paper"), {"symbol": "IBM", "venue": "paper"}, HALTED),
        (Scope(kind="venue", name="paper"), {"symbol": "IBM", "venue": "lit"}, ACTIVE),
        (Scope(kind="strategy", name="pairs"), {"symbol": "IBM", "strategy": "pairs"}, HALTED),
    ],
)
def test_a_scope_binds_what_it_names_and_nothing_else(
    scope: Scope, asked: dict[str, str], expected: TradingState
) -> None:
    assert UNRESTRICTED.with_state(scope, HALTED).of(**asked) is expected


def test_the_strictest_of_several_scopes_counts() -> None:
    states = after([(ACCOUNT, REDUCING), (Scope(kind="instrument", name="AAPL"), HALTED)])

    assert states.of("AAPL") is HALTED
    assert states.of("IBM") is REDUCING


def test_making_a_scope_active_again_leaves_no_trace() -> None:
    assert UNRESTRICTED.with_state(ACCOUNT, HALTED).with_state(ACCOUNT, ACTIVE) == UNRESTRICTED


@given(CHANGES)
def test_the_last_word_on_each_scope_counts_whatever_the_order_of_scopes(
    changes: list[tuple[Scope, TradingState]],
) -> None:
    last = dict(changes)

    assert after(changes) == after(sorted(last.items(), key=lambda item: str(item[0])))
    assert all(state is not ACTIVE for _, state in after(changes).restricted)
