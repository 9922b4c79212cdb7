"""The smallest change is the smallest: it flips, and nothing nearer does."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.agents.consensus import reach_consensus
from parley.domain.decisions import CheckResult, Decision, Verdict
from parley.domain.orders import ParentOrder, Plan, Side
from parley.domain.views import Agent, Vote
from parley.evals.flips import flips_of_votes, growth_flips, veto_flips

WHEN = datetime(2020, 3, 9, 20, tzinfo=UTC)


def plan_of(quantity: int) -> Plan:
    leg = ParentOrder(
        order_id="par-a",
        decision_id="dec-a",
        symbol="AAPL",
        side=Side.BUY,
        quantity=quantity,
        reference_price=Decimal(10),
        reason="toward target",
    )
    return Plan(plan_id="plan-a", decision_id="dec-a", as_of=WHEN, legs=(leg,))


def gate_of(most: int) -> Any:
    """A gate that lets through so many shares."""

    def review(plan: Plan) -> Verdict:
        shares = sum(leg.quantity for leg in plan.legs)
        row = CheckResult(
            check="order_quantity",
            value=float(shares),
            limit=float(most),
            unit="shares",
            passed=shares <= most,
            text="shares",
        )
        return Verdict(
            approved=row.passed, checks=(row,), content_hash="c", limits_hash="l", state_version="s", as_of=WHEN
        )

    return review


@pytest.mark.parametrize(("most", "grown"), [(150, 1.51), (1000, 10.01), (101, 1.02)])
def test_the_growth_that_is_vetoed_lies_just_past_the_bound(most: int, grown: float) -> None:
    (found,) = growth_flips(plan_of(100), gate_of(most), {"AAPL": 1})

    assert isinstance(found, dict) and found["check"] == "order_quantity"
    assert found["to"] == pytest.approx(grown, abs=63 / 2**12)


def test_a_plan_that_can_grow_as_far_as_is_looked_says_how_far_that_is() -> None:
    (found,) = growth_flips(plan_of(100), gate_of(6400), {"AAPL": 1})

    assert isinstance(found, dict) and (found["to"], found["at_most"]) == (None, 64.0)


def test_a_veto_flips_at_the_measured_value_of_its_limit_or_at_the_largest_share_that_fits() -> None:
    gate = gate_of(37)
    limit, size = veto_flips(plan_of(100), gate(plan_of(100)), gate, {"AAPL": 1})

    assert isinstance(limit, dict) and (limit["from"], limit["to"]) == (37.0, 100.0)
    assert isinstance(size, dict) and isinstance(size["to"], float)
    assert int(100 * size["to"]) == 37 and size["to"] + 1 / 1024 >= 0.38


def test_where_nothing_passes_no_share_is_named() -> None:
    gate = gate_of(0)
    *_, size = veto_flips(plan_of(100), gate(plan_of(100)), gate, {"AAPL": 1})

    assert isinstance(size, dict) and size["to"] is None


def strength_of(said: dict[str, Any]) -> int:
    return {"for": 1, "silent": 0, "against": -1}[said["side"]] * (said["confidence"] - 50)


def vote_of(agent: Agent, strength: int) -> Vote:
    said: Any = {"value": (strength > 0) - (strength < 0), "confidence": 50 + abs(strength)}
    return Vote(agent=agent, symbol="AAPL", **said)


def is_kept(strengths: dict[Agent, int]) -> bool:
    """Whether a leg of 100 shares keeps one, by the consensus itself."""
    votes = [vote_of(agent, by) for agent, by in strengths.items()]
    return int(100 * reach_consensus(["AAPL"], votes, frozenset()).legs[0].size_multiplier) > 0


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=4, max_size=4))
def test_the_smallest_change_of_a_vote_turns_the_leg_and_no_nearer_one_does(said: list[int]) -> None:
    strengths = dict(zip(Agent, said, strict=True))
    votes = tuple(vote_of(agent, by) for agent, by in strengths.items())
    decision = Decision.model_construct(
        drafts=(plan_of(100),), votes=votes, consensus=reach_consensus(["AAPL"], votes, frozenset())
    )

    (found,) = flips_of_votes(decision, {"AAPL": 1})

    assert isinstance(found, dict)
    now, points = is_kept(strengths), found.get("points", 101)
    assert isinstance(points, int)
    if found["agent"] is not None:
        changed: Any = found["to"]
        assert is_kept({**strengths, Agent(str(found["agent"])): strength_of(changed)}) is not now
    for agent, was in strengths.items():
        for nearer in range(max(-50, was - points + 1), min(50, was + points - 1) + 1):
            assert is_kept({**strengths, agent: nearer}) is now
