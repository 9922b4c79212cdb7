"""The rule that says which plans wait for a person."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.desk.approval_rule import RunSoFar, added_risk, adding_legs, approval_reasons
from parley.desk.approval_settings import ApprovalSettings, require_time_to_answer
from parley.desk.errors import SettingsInvalid
from parley.desk.settings import Settings
from parley.domain.decisions import Decision, OpenOrder, Snapshot
from parley.domain.orders import ParentOrder, Plan, Side
from parley.domain.portfolio import Portfolio, Position
from parley.domain.views import AbstainReason, Abstention, Regime

AT = datetime(2020, 3, 9, 20, tzinfo=UTC)
NAMES = ("AAA", "BBB", "CCC", "DDD")
KNOWN = RunSoFar(has_approved=True)
SIZE_ONLY = ApprovalSettings(mode="large", turnover_frac=0.25, leg_frac=0.10, novelty=False)
Legs = list[tuple[str, Side, int]]


def decided(
    legs: Legs, held: dict[str, int], equity: int = 100_000, working: tuple[OpenOrder, ...] = (), **more: object
) -> Decision:
    """A decision whose plan trades these shares at 100 each, in a book that holds those."""
    positions = tuple(
        Position(symbol=name, quantity=count, average_price=Decimal(100)) for name, count in sorted(held.items())
    )
    snapshot = Snapshot(
        as_of=AT,
        session=date(2020, 3, 9),
        symbols=NAMES,
        prices=dict.fromkeys(NAMES, Decimal(100)),
        portfolio=Portfolio(cash=Decimal(1), positions=positions),
        equity=Decimal(equity),
        peak_equity=Decimal(equity),
        previous_equity=Decimal(equity),
        limits_hash="l",
        settings_hash="s",
        data_fingerprint="d",
        model="rules",
        working=working,
    )
    orders = tuple(
        ParentOrder(
            order_id=f"o{place}",
            decision_id="dec-1",
            symbol=name,
            side=side,
            quantity=quantity,
            reference_price=Decimal(100),
            reason="",
        )
        for place, (name, side, quantity) in enumerate(legs)
    )
    decision = Decision(
        decision_id="dec-1",
        run_id="run-1",
        as_of=AT,
        kind="trade",
        summary="",
        snapshot=snapshot,
        regime=Regime.STRESSED,
        views=(),
        signals=(),
        assessment=None,
        targets=None,
        drafts=(),
        votes=(),
        consensus=None,
        verdicts=(),
        plan=Plan(plan_id="p", decision_id="dec-1", as_of=AT, legs=orders),
        abstentions=(),
        llm_calls=0,
        prompt_tokens=0,
    )
    return decision.model_copy(update=dict(more))


def codes(decision: Decision, rule: ApprovalSettings = SIZE_ONLY, so_far: RunSoFar = KNOWN) -> set[str]:
    return {reason.code for reason in approval_reasons(decision, so_far, rule)}


def test_a_plan_is_asked_for_above_its_turnover_and_above_one_legs_size() -> None:
    # 26 % of 100,000 in three buys of 8,700 each: 8.7 % a leg is below 10 %, 26.1 % together is above 25 %.
    many = decided([(name, Side.BUY, 87) for name in NAMES[:3]], {})
    one = decided([("AAA", Side.BUY, 101)], {})
    small = decided([("AAA", Side.BUY, 100), ("BBB", Side.BUY, 100)], {})

    assert codes(many) == {"turnover"}
    assert codes(one) == {"leg"}
    assert codes(small) == set()
    reason = approval_reasons(one, KNOWN, SIZE_ONLY)[0]
    assert (reason.figure, reason.limit, reason.symbols) == (0.101, 0.10, ("AAA",))
    assert reason.text == "AAA alone is 10.1% of equity, above 10.0%"


def test_sells_of_what_is_held_count_for_nothing() -> None:
    plan = decided([("AAA", Side.SELL, 900), ("BBB", Side.BUY, 50)], {"AAA": 900})

    added = added_risk(plan)

    assert added is not None and added.turnover_frac == 0.05 and added.largest_symbol == "BBB"


@pytest.mark.parametrize(
    ("legs", "held", "adds"),
    [
        ([("AAA", Side.SELL, 10)], {"AAA": 10}, False),
        ([("AAA", Side.SELL, 11)], {"AAA": 10}, True),
        ([("AAA", Side.BUY, 10)], {"AAA": -10}, False),
        ([("AAA", Side.BUY, 11)], {"AAA": -10}, True),
        ([("AAA", Side.SELL, 6), ("AAA", Side.SELL, 6)], {"AAA": 10}, True),
        ([("AAA", Side.SELL, 1)], {}, True),
    ],
)
def test_a_leg_adds_risk_where_it_leads_away_from_zero_or_through_it(
    legs: Legs, held: dict[str, int], adds: bool
) -> None:
    assert bool(adding_legs(decided(legs, held))) is adds


def test_an_open_sell_makes_another_sell_go_through_zero_and_a_stop_does_not() -> None:
    leg: Legs = [("AAA", Side.SELL, 6)]
    open_sell = OpenOrder(client_order_id="c", symbol="AAA", side=Side.SELL, quantity=6, worst_price=Decimal(90))
    stop = open_sell.model_copy(update={"stop_price": Decimal(90)})

    assert adding_legs(decided(leg, {"AAA": 10}, working=(open_sell,)))
    assert not adding_legs(decided(leg, {"AAA": 10}, working=(stop,)))


def test_novelty_asks_for_what_the_run_has_not_seen() -> None:
    rule = ApprovalSettings(mode="large", turnover_frac=9, leg_frac=9)
    known = decided([("AAA", Side.BUY, 1)], {"AAA": 0})
    unknown = decided([("AAA", Side.BUY, 1), ("BBB", Side.BUY, 1)], {"AAA": 5})
    failed = Abstention(who="analyst", reason=AbstainReason.MODEL_FAILED)
    no_data = Abstention(who="macro", reason=AbstainReason.NO_DATA)

    assert codes(known, rule) == set()
    assert codes(known, rule, RunSoFar()) == {"first_plan"}
    assert codes(unknown, rule) == {"new_symbol"}
    assert codes(known, rule, replace(KNOWN, is_new_regime=True)) == {"new_regime"}
    assert codes(known, rule, replace(KNOWN, fallbacks=1)) == {"model_trouble"}
    assert codes(known.model_copy(update={"abstentions": (failed,)}), rule) == {"model_trouble"}
    assert codes(known.model_copy(update={"abstentions": (no_data,)}), rule) == set()


def test_off_never_asks_and_all_asks_for_every_plan_that_adds_risk() -> None:
    plan = decided([("AAA", Side.BUY, 1)], {"AAA": 1})

    assert codes(plan, ApprovalSettings(mode="off", turnover_frac=0), RunSoFar()) == set()
    assert codes(plan, ApprovalSettings(mode="all", novelty=False)) == {"every_plan"}


def test_without_equity_every_leg_is_the_whole_of_it() -> None:
    assert codes(decided([("AAA", Side.BUY, 1)], {}, equity=0)) == {"turnover", "leg"}


quantities = st.integers(1, 2_000)
books = st.dictionaries(st.sampled_from(NAMES), st.integers(-1_000, 1_000), max_size=4)
plans = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(list(Side)), quantities), max_size=5)
rules = st.builds(
    ApprovalSettings,
    mode=st.sampled_from(["off", "large", "all"]),
    turnover_frac=st.floats(0, 2),
    leg_frac=st.floats(0, 1),
    novelty=st.booleans(),
)
pasts = st.builds(RunSoFar, has_approved=st.booleans(), is_new_regime=st.booleans(), fallbacks=st.integers(0, 2))


@settings(max_examples=60, deadline=None)
@given(plans, books, rules, pasts, st.data())
def test_a_larger_plan_never_needs_less_approval(
    legs: Legs, held: dict[str, int], rule: ApprovalSettings, so_far: RunSoFar, data: st.DataObject
) -> None:
    grown = [(name, side, quantity + data.draw(st.integers(0, 500))) for name, side, quantity in legs]
    larger = grown + data.draw(plans)

    assert codes(decided(legs, held), rule, so_far) <= codes(decided(larger, held), rule, so_far)


@settings(max_examples=60, deadline=None)
@given(books, rules, pasts, st.data())
def test_a_plan_that_only_takes_risk_off_never_waits(
    held: dict[str, int], rule: ApprovalSettings, so_far: RunSoFar, data: st.DataObject
) -> None:
    legs = [
        (name, Side.SELL if count > 0 else Side.BUY, data.draw(st.integers(1, abs(count))))
        for name, count in held.items()
        if count
    ]

    assert approval_reasons(decided(legs, held), so_far, rule) == ()


@settings(max_examples=40, deadline=None)
@given(plans, books, rules, pasts, st.floats(0, 2), st.floats(0, 1))
def test_stricter_settings_never_ask_less(
    legs: Legs, held: dict[str, int], rule: ApprovalSettings, so_far: RunSoFar, turnover: float, leg: float
) -> None:
    strict = rule.model_copy(
        update={"turnover_frac": min(turnover, rule.turnover_frac), "leg_frac": min(leg, rule.leg_frac)}
    )

    assert codes(decided(legs, held), rule, so_far) <= codes(decided(legs, held), strict, so_far)


def test_settings_at_rest_leave_every_run_its_id() -> None:
    off = Settings(approval=ApprovalSettings(turnover_frac=0.5, role="risk_officer"))

    assert off.hash() == Settings().hash() and "approval" not in off.public()
    assert Settings(approval=ApprovalSettings(mode="all")).hash() != Settings().hash()


def test_a_run_that_decides_within_the_day_has_no_time_to_ask() -> None:
    require_time_to_answer(ApprovalSettings(mode="all"), is_daily=True)
    require_time_to_answer(ApprovalSettings(), is_daily=False)

    with pytest.raises(SettingsInvalid, match=r"approval\.mode is all, and the run decides within the day"):
        require_time_to_answer(ApprovalSettings(mode="all"), is_daily=False)
