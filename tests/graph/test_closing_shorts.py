"""Intents on short positions: they are bought back, through the gate, and never through zero."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.decisions import Intent, IntentKind
from parley.domain.orders import Side
from parley.domain.portfolio import Portfolio, Position
from parley.domain.trading import UNRESTRICTED, Scope, TradingState
from parley.graph.nodes import intent_plan


def test_a_flatten_buys_a_short_position_back_and_sells_a_long_one(willing: Any) -> None:
    snapshot = willing.snapshot(held={"N00": -300, "N01": 70})

    decision = willing.decide(snapshot, willing.intent("N00", "N01"))

    assert decision.kind == "trade" and decision.verdict.approved
    legs = [(leg.symbol, leg.side, leg.quantity) for leg in decision.plan.legs]
    assert legs == [("N00", Side.BUY, 300), ("N01", Side.SELL, 70)]
    assert decision.llm_calls == 0


@pytest.mark.parametrize(("keep_frac", "bought"), [(0.5, 151), (0.999, 1), (1.0, 0)])
def test_a_reduce_keeps_its_share_of_a_short_position_rounded_down(willing: Any, keep_frac: float, bought: int) -> None:
    intent = willing.intent("N00", kind=IntentKind.REDUCE, keep_frac=keep_frac)

    decision = willing.decide(willing.snapshot(held={"N00": -301}), intent)

    assert [leg.quantity for leg in decision.plan.legs] == [bought] if bought else decision.plan is None


@pytest.mark.parametrize(("state", "kind"), [(TradingState.REDUCING, "trade"), (TradingState.HALTED, "vetoed")])
def test_a_buy_back_takes_risk_off_and_passes_where_only_that_may(willing: Any, state: TradingState, kind: str) -> None:
    states = UNRESTRICTED.with_state(Scope(kind="account"), state)

    decision = willing.decide(willing.snapshot(held={"N00": -300}, trading_states=states), willing.intent("N00"))

    assert decision.kind == kind


@settings(max_examples=50, deadline=None)
@given(
    st.integers(-10_000, 10_000),
    st.sampled_from([1, 10, 100]),
    st.sampled_from(list(IntentKind)),
    st.floats(0.0, 1.0),
)
def test_an_exit_takes_a_position_towards_zero_and_never_past_it(
    held: int, lot: int, kind: IntentKind, keep_frac: float
) -> None:
    positions = (Position(symbol="AAA", quantity=held, average_price=Decimal(10)),)
    scene: Any = SimpleNamespace(
        prices={"AAA": Decimal(10)},
        portfolio=Portfolio(cash=Decimal(0), positions=positions),
        instrument=lambda symbol: SimpleNamespace(lot=lot),
        view=SimpleNamespace(as_of="2024-01-02T21:00:00Z"),
    )
    intent = Intent(intent_id="i", kind=kind, symbols=("AAA",), keep_frac=keep_frac, by="operator", reason="risk")

    legs = intent_plan(scene, intent, "dec-1").legs

    after = held + sum(leg.side.sign * leg.quantity for leg in legs)
    assert after * held >= 0, "the sign never flips"
    assert abs(after) <= abs(held)
    if kind is IntentKind.FLATTEN:
        assert after == 0
    elif legs:
        assert abs(after) <= abs(held) * Decimal(repr(keep_frac))
