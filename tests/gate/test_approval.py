"""Nobody but the gate makes an approved object, and nobody changes one."""

import ast
import copy
import gc
import pickle
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import parley
import pytest
from parley.domain.orders import OrderType, Side, TimeInForce
from parley.gate import approval
from parley.gate.approval import ApprovedOrder, ApprovedPlan, genuine_order, genuine_plan, terms_of
from parley.gate.errors import NotApproved
from parley.gate.gate import review_child

ROOT = Path(parley.__file__).parent


@pytest.fixture
def plan(bench: Any) -> ApprovedPlan:
    return bench.review(bench.plan(bench.leg("AAA", "BUY", 50)))[1]


@pytest.fixture
def order(bench: Any, plan: ApprovedPlan) -> ApprovedOrder:
    approved = review_child(bench.child(), plan, bench.context(), bench.limits, bench.open).order
    assert approved is not None
    return approved


def test_what_the_gate_issued_is_genuine(plan: ApprovedPlan, order: ApprovedOrder) -> None:
    assert genuine_plan(plan) is plan.plan
    assert genuine_order(order) is order.child


@pytest.mark.parametrize("kind", [ApprovedPlan, ApprovedOrder])
def test_direct_construction_fails(kind: Any) -> None:
    for arguments in ((), (object(),), (object(), object())):
        with pytest.raises(NotApproved):
            kind(*arguments)


def test_copies_and_pickles_fail(plan: ApprovedPlan, order: ApprovedOrder) -> None:
    for approved in (plan, order):
        for trick in (
            copy.copy,
            copy.deepcopy,
            pickle.dumps,
            lambda item: item.__replace__(child=None),
            lambda item: item.__reduce__() and item.__reduce_ex__(2),
        ):
            with pytest.raises((NotApproved, TypeError)):
                trick(approved)


def test_attributes_can_not_be_set_or_removed(plan: ApprovedPlan, order: ApprovedOrder) -> None:
    for approved, name in ((plan, "plan"), (order, "child"), (order, "verdict_hash")):
        with pytest.raises(NotApproved):
            setattr(approved, name, None)
        with pytest.raises(NotApproved):
            delattr(approved, name)


def test_an_object_built_around_the_constructor_is_forged(plan: ApprovedPlan, order: ApprovedOrder) -> None:
    forged_order = object.__new__(ApprovedOrder)
    object.__setattr__(forged_order, "child", order.child)
    object.__setattr__(forged_order, "verdict_hash", order.verdict_hash)
    forged_plan = object.__new__(ApprovedPlan)
    object.__setattr__(forged_plan, "plan", plan.plan)

    with pytest.raises(NotApproved, match="never issued"):
        genuine_order(forged_order)
    with pytest.raises(NotApproved, match="never issued"):
        genuine_plan(forged_plan)
    with pytest.raises(NotApproved, match="never issued"):
        _ = forged_plan.terms


def test_a_look_alike_is_forged(order: ApprovedOrder) -> None:
    class LookAlike:
        child = order.child
        verdict_hash = order.verdict_hash

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return hash(order)

    for fake in (LookAlike(), None, "ApprovedOrder", order.child):
        with pytest.raises(NotApproved):
            genuine_order(fake)  # pyright: ignore[reportArgumentType] - the wrong type is the test


def test_a_subclass_is_forged_too(order: ApprovedOrder) -> None:
    sub = type("Sub", (ApprovedOrder,), {"__slots__": (), "__eq__": lambda *_: True, "__hash__": lambda _: hash(order)})
    forged = object.__new__(sub)
    object.__setattr__(forged, "child", order.child)

    with pytest.raises(NotApproved):
        genuine_order(forged)  # pyright: ignore[reportArgumentType] - the wrong type is the test


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("quantity", 10_000),
        ("limit_price", Decimal(500)),
        ("symbol", "BBB"),
        ("client_order_id", "c2"),
        ("order_id", "leg-BBB"),
        ("decision_id", "d2"),
        ("side", Side.SELL),
        ("side", None),
        ("sequence", 7),
        ("created_at", datetime(2022, 1, 3, tzinfo=UTC)),
        ("order_type", OrderType.MARKET),
        ("order_type", 5),
        ("time_in_force", TimeInForce.IOC),
        ("stop_price", Decimal(1)),
        ("expires_at", datetime(2022, 1, 3, tzinfo=UTC)),
    ],
)
def test_a_child_changed_after_approval_is_refused(order: ApprovedOrder, name: str, value: object) -> None:
    object.__setattr__(order.child, name, value)

    with pytest.raises(NotApproved, match="not what the gate reviewed"):
        genuine_order(order)


def test_a_child_whose_values_changed_names_is_refused(order: ApprovedOrder) -> None:
    renamed = {"order_id": "symbol", "symbol": "order_id"}
    fields = {renamed.get(name, name): value for name, value in vars(order.child).items()}
    assert list(fields.values()) == list(vars(order.child).values())
    object.__setattr__(order.child, "__dict__", fields)

    with pytest.raises(NotApproved, match="not what the gate reviewed"):
        genuine_order(order)


def test_a_child_with_equal_values_is_the_one_that_was_reviewed(order: ApprovedOrder) -> None:
    price = order.child.limit_price
    assert price is not None
    object.__setattr__(order.child, "limit_price", Decimal(str(price)))

    assert genuine_order(order).limit_price == price


def test_a_child_swapped_after_approval_is_refused(bench: Any, order: ApprovedOrder) -> None:
    object.__setattr__(order, "child", bench.child(quantity=50))

    with pytest.raises(NotApproved, match="not what the gate reviewed"):
        genuine_order(order)


def test_a_plan_changed_after_approval_is_refused_and_its_terms_stay(plan: ApprovedPlan) -> None:
    object.__setattr__(plan.plan.legs[0], "quantity", 1_000_000)

    with pytest.raises(NotApproved, match="not what the gate reviewed"):
        genuine_plan(plan)
    assert terms_of(plan).legs["leg-AAA-BUY"].quantity == 50


def test_the_plan_that_was_offered_can_be_changed_without_effect(bench: Any) -> None:
    offered = bench.plan(bench.leg("AAA", "BUY", 50))
    _, approved = bench.review(offered)

    object.__setattr__(offered.legs[0], "quantity", 1_000_000)

    assert genuine_plan(approved).legs[0].quantity == 50


def test_the_terms_can_not_be_edited(plan: ApprovedPlan) -> None:
    with pytest.raises(TypeError):
        terms_of(plan).legs["x"] = None  # pyright: ignore[reportIndexIssue] - the assignment is the test
    with pytest.raises(AttributeError):
        terms_of(plan).equity = Decimal(1)  # pyright: ignore[reportAttributeAccessIssue] - the same


def test_a_register_entry_ends_with_its_object(bench: Any) -> None:
    before = len(approval._PLANS)
    approved = bench.review(bench.plan(bench.leg("AAA", "BUY", 1)))[1]
    assert len(approval._PLANS) == before + 1

    del approved
    gc.collect()

    assert len(approval._PLANS) <= before


def test_no_file_outside_the_gate_names_the_constructors_or_registers() -> None:
    secret = {"issue_plan", "issue_order", "_PLANS", "_ORDERS"}
    folders = ("gate", "tests", "build", "dist", "docs")
    files = [
        path
        for path in ROOT.rglob("*.py")
        if not path.relative_to(ROOT).parts[0].startswith(".") and path.relative_to(ROOT).parts[0] not in folders
    ]
    assert any(path.parts[-2] == "execution" for path in files)

    for path in files:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
        names |= {str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        assert not names & secret, f"{path.relative_to(ROOT)} names {names & secret}"


def test_only_the_gate_module_issues() -> None:
    users = {path.name for path in (ROOT / "gate").glob("*.py") if "issue_" in path.read_text()}

    assert users == {"approval.py", "gate.py"}
