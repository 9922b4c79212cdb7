"""The gate's record: an honest log passes, and a forged one is found although its hashes were computed anew."""

import inspect
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from parley.domain.canonical import content_hash, short_id
from parley.domain.control_events import BookDifference, BookReconciled, OperatorAsked, TradingStateChanged
from parley.domain.decisions import CheckResult, Decision, Evidence, ModelCall, Snapshot, Verdict
from parley.domain.events import (
    Actor,
    CancelRequested,
    ChildAccepted,
    ChildClosed,
    ChildDenied,
    ChildSubmitted,
    ChildUnresolved,
    DecisionMade,
    EvidenceRecorded,
    FillBusted,
    ModelReplied,
    NewEvent,
    OrderClosed,
    OrderFilled,
    OrderOpened,
    Payload,
    PlanApproved,
    PortfolioMarked,
    PositionCashedOut,
    RunFinished,
    RunStarted,
)
from parley.domain.instruments import Instrument, Universe
from parley.domain.orders import ChildOrder, Fill, OrderState, ParentOrder, Plan, Side
from parley.domain.overnight import DividendBooked
from parley.domain.portfolio import Portfolio, Position
from parley.domain.trading import ACCOUNT, UNRESTRICTED, Scope, TradingState
from parley.domain.views import Regime, Signal, Stance
from parley.memory.book_record import BookRecord
from parley.memory.gate_record import GateRecord, LimitsRule, named_limits_only, state_version
from parley.memory.heads import HEADS, HeadAudit, HeadSigner, read_heads
from parley.memory.log import EventLog
from parley.memory.order_record import OrderRecord
from parley.memory.verify import verify_log
from parley.storage.signing import own_key
from parley.storage.sql import open_in_memory, open_sqlite

Facts = list[NewEvent]

BEGIN = datetime(2024, 1, 2, 21, 0, tzinfo=UTC)
LIMITS = {"max_gross": 1.0}
REDUCED = UNRESTRICTED.with_state(ACCOUNT, TradingState.REDUCING)


class Book:
    """Three sessions told truthfully: a cancel, a denial, a bust, a lost answer, a halt and a payout among them."""

    def __init__(self) -> None:
        self.facts: Facts = []
        self.at = BEGIN

    def add(self, payload: Payload, actor: str = "desk", decision: str | None = None, order: str | None = None) -> None:
        self.at += timedelta(seconds=1)
        when = payload.decision.as_of if isinstance(payload, DecisionMade) else self.at
        self.facts.append(
            NewEvent(
                stream=order or decision or "book",
                event_time=when,
                actor=Actor(kind=actor, name="paper" if actor == "venue" else "story"),  # pyright: ignore[reportArgumentType]
                payload=payload,
                run_id="run-1",
                decision_id=decision,
                order_id=order,
            )
        )

    def mark(self, day: int, cash: str, equity: str, prices: dict[str, str], traded: str, fees: str) -> None:
        exposure = (float(equity) - float(cash)) / float(equity)
        self.add(
            PortfolioMarked(
                session=date(2024, 1, day),
                equity=Decimal(equity),
                peak_equity=Decimal(100_000),
                cash=Decimal(cash),
                gross=exposure,
                net=exposure,
                prices={name: Decimal(price) for name, price in prices.items()},
                benchmark=None,
                traded=Decimal(traded),
                fees=Decimal(fees),
            )
        )

    def decide(self, number: int, day: int, legs: Sequence[ParentOrder], portfolio: Portfolio, equity: str) -> None:
        name, as_of = f"dec-{number}", self.at
        snapshot = Snapshot(
            as_of=as_of,
            session=date(2024, 1, day),
            symbols=("AAPL", "MSFT"),
            prices={"AAPL": Decimal(10), "MSFT": Decimal(20)},
            portfolio=portfolio,
            equity=Decimal(equity),
            peak_equity=Decimal(100_000),
            previous_equity=Decimal(100_000),
            limits_hash=content_hash(LIMITS),
            settings_hash="0" * 64,
            data_fingerprint="f" * 64,
            model="rules",
            trading_states=REDUCED if number == 2 else UNRESTRICTED,
        )
        plan = Plan(plan_id=f"plan-{number}", decision_id=name, as_of=as_of, legs=tuple(legs))
        verdict = Verdict(
            approved=True,
            checks=(check(passed=True),),
            content_hash=content_hash(plan),
            limits_hash=content_hash(LIMITS),
            state_version=state_version(name, snapshot.model_dump(mode="json")),
            as_of=as_of,
        )
        entry = Evidence(
            id=f"ev-{number}", tool="scores", tool_version=1, inputs_hash="4" * 64, as_of=as_of, unit="z", output={}
        )
        signal = Signal(
            symbol="AAPL", side=Stance.BUY, confidence=60, horizon_days=5, expected_return=0.01,
            risk_adjusted_return=0.1, regime=Regime.CALM, attribution={}, evidence=(entry.id,),
        )  # fmt: skip
        decision = Decision(
            decision_id=name, run_id="run-1", as_of=as_of, kind="trade", summary="buy", snapshot=snapshot,
            regime=Regime.CALM, views=(), signals=(signal,), assessment=None, targets=None, drafts=(plan,), votes=(),
            consensus=None, verdicts=(verdict,), plan=plan, abstentions=(), llm_calls=1, prompt_tokens=100,
        )  # fmt: skip
        call = ModelCall(
            node="analyst", prompt="analyst/views", prompt_version=1, model="rules", request_hash="5" * 64, reply="{}",
            prompt_tokens=100, completion_tokens=10,
        )  # fmt: skip
        self.add(EvidenceRecorded(decision_id=name, entries=(entry,)), "node", name)
        self.add(ModelReplied(decision_id=name, calls=(call,)), "node", name)
        self.add(DecisionMade(decision=decision), "node", name)
        self.add(PlanApproved(plan=plan, verdict=verdict), "gate", name)

    def open(self, leg: ParentOrder, arrival: str) -> None:
        self.of(leg, OrderOpened(order=leg, arrival_price=Decimal(arrival)))

    def send(self, leg: ParentOrder, sequence: int, quantity: int) -> ChildOrder:
        sent = child(leg, sequence, quantity, self.at)
        self.of(leg, ChildSubmitted(child=sent, verdict_hash=content_hash(sent)))
        return sent

    def fill(self, leg: ParentOrder, sent: ChildOrder, ident: str, quantity: int, price: str, fee: str) -> Fill:
        fill = Fill(
            execution_id=ident, client_order_id=sent.client_order_id, order_id=leg.order_id, symbol=leg.symbol,
            side=leg.side, quantity=quantity, price=Decimal(price), fee=Decimal(fee), mid_price=Decimal(price),
            touch_price=Decimal(price), venue="paper", ts_event=self.at,
        )  # fmt: skip
        self.of(leg, OrderFilled(fill=fill), "venue")
        return fill

    def close(self, leg: ParentOrder, filled: int, price: str | None, arrival: str, fees: str) -> None:
        left = leg.quantity - filled
        self.of(
            leg,
            OrderClosed(
                order_id=leg.order_id, decision_id=leg.decision_id, filled=filled, unfilled=left,
                average_price=None if price is None else Decimal(price), arrival_price=Decimal(arrival),
                fees=Decimal(fees), shortfall_bps=1.0,
                status="filled" if not left else "partial" if filled else "unfilled",
            ),
        )  # fmt: skip

    def of(self, leg: ParentOrder, payload: Payload, actor: str = "desk") -> None:
        self.add(payload, actor, leg.decision_id, leg.order_id)

    def told(self) -> Facts:
        self.add(started())
        self.mark(2, "100000", "100000", {}, "0", "0")
        first, second = leg(1, 1, "AAPL", 100), leg(1, 2, "MSFT", 50)
        self.decide(1, 2, (first, second), Portfolio(cash=Decimal(100_000)), "100000")
        self.open(first, "10.02")
        sent = self.send(first, 0, 60)
        named = {"client_order_id": sent.client_order_id, "order_id": first.order_id}
        self.of(first, ChildAccepted(**named), "venue")
        self.fill(first, sent, "x-1", 40, "10.05", "0.40")
        self.of(first, CancelRequested(**named, reason="its slice is over"))
        self.of(first, ChildClosed(**named, state=OrderState.CANCELED, unfilled=20, reason="asked"), "venue")
        refused = Verdict(
            approved=False, checks=(check(passed=False),), content_hash="6" * 64, limits_hash=content_hash(LIMITS),
            state_version="any", as_of=self.at,
        )  # fmt: skip
        self.of(first, ChildDenied(child=child(first, 1, 60, self.at), verdict=refused), "gate")
        again = self.send(first, 2, 60)
        taken_back = self.fill(first, again, "x-2", 60, "10.10", "0.60")
        self.of(first, FillBusted(execution_id="x-2", fill=taken_back, reason="erroneous"), "venue")
        late = self.send(first, 3, 60)
        expired = {"client_order_id": late.client_order_id, "order_id": first.order_id, "state": OrderState.EXPIRED}
        self.of(first, ChildClosed(**expired, unfilled=60, reason="close"), "venue")
        self.close(first, 40, "10.05", "10.02", "0.40")
        self.open(second, "20.00")
        other = self.send(second, 0, 50)
        lost = ChildUnresolved(client_order_id=other.client_order_id, order_id=second.order_id, reason="no answer")
        self.of(second, lost)
        self.fill(second, other, "x-3", 50, "20.00", "0.50")
        self.close(second, 50, "20.00", "20.00", "0.50")
        self.add(change(TradingState.ACTIVE, TradingState.HALTED, "breaker"))
        self.mark(3, "98597.10", "99997.10", {"AAPL": "10.00", "MSFT": "20.00"}, "1402", "0.90")
        self.add(OperatorAsked(command="reduce", user="ada", reason="looked", scope=ACCOUNT), "user")
        self.add(change(TradingState.HALTED, TradingState.REDUCING, "operator"))
        positions = (
            Position(symbol="AAPL", quantity=40, average_price=Decimal("10.05")),
            Position(symbol="MSFT", quantity=50, average_price=Decimal("20.00")),
        )
        third = leg(2, 3, "AAPL", 40, Side.SELL)
        self.decide(2, 3, (third,), Portfolio(cash=Decimal("98597.10"), positions=positions), "99997.10")
        self.open(third, "9.90")
        self.fill(third, self.send(third, 0, 40), "x-4", 40, "9.90", "0.40")
        self.close(third, 40, "9.90", "9.90", "0.40")
        paid = PositionCashedOut(symbol="MSFT", quantity=50, price=Decimal(20), priced_at=self.at, reason="delisted")
        self.add(paid)
        self.mark(4, "99992.70", "99992.70", {}, "396", "0.40")
        self.add(BookReconciled(venue="paper", orders_checked=0, executions_checked=0, differences=()))
        self.add(
            RunFinished(
                run_id="run-1", sessions=3, decisions=2, orders=3, fills=3, vetoes=0, abstentions=0, llm_calls=2,
                equity=Decimal("99992.70"),
            )
        )  # fmt: skip
        return self.facts


def started() -> RunStarted:
    return RunStarted(
        run_id="run-1", data="tiny", data_fingerprint="f" * 64,
        universe=Universe(name="two", instruments=(Instrument(symbol="AAPL"), Instrument(symbol="MSFT"))),
        first_session=date(2024, 1, 2), last_session=date(2024, 1, 4), seed=7, model="rules", cash=Decimal(100_000),
        settings={"limits": dict(LIMITS)}, settings_hash="0" * 64, limits_hash=content_hash(LIMITS),
        parley_version="0.1.0",
    )  # fmt: skip


def check(*, passed: bool) -> CheckResult:
    return CheckResult(check="gross", value=0.5, limit=1.0, unit="fraction", passed=passed, text="gross is 0.5")


def leg(decision: int, number: int, symbol: str, quantity: int, side: Side = Side.BUY) -> ParentOrder:
    return ParentOrder(
        order_id=f"ord-{number}", decision_id=f"dec-{decision}", symbol=symbol, side=side, quantity=quantity,
        reference_price=Decimal(10), reason="towards the target",
    )  # fmt: skip


def child(of: ParentOrder, sequence: int, quantity: int, at: datetime) -> ChildOrder:
    return ChildOrder(
        client_order_id=short_id("ord", of.decision_id, of.order_id, sequence), order_id=of.order_id,
        decision_id=of.decision_id, symbol=of.symbol, side=of.side, quantity=quantity, limit_price=Decimal(30),
        sequence=sequence, created_at=at,
    )  # fmt: skip


def change(before: TradingState, after: TradingState, cause: Any, scope: Scope = ACCOUNT) -> TradingStateChanged:
    return TradingStateChanged(scope=scope, before=before, after=after, cause=cause, name="test", reason="test")


@pytest.fixture(scope="module")
def honest() -> Facts:
    return Book().told()


def codes(facts: Facts, limits_rule: LimitsRule = named_limits_only) -> list[str]:
    """What is found in a log of these facts, written with a chain of its own."""
    audit = GateRecord(limits_rule)
    for event, fact in zip(EventLog(open_in_memory()).append(facts), facts, strict=True):
        audit.take(event, fact.payload)
    return [finding.code for finding in audit.findings()]


def place(facts: Facts, kind: type[Payload], nth: int = 0) -> int:
    return [number for number, fact in enumerate(facts) if isinstance(fact.payload, kind)][nth]


def without(kind: type[Payload], nth: int = 0) -> Callable[[Facts], Facts]:
    def omit(facts: Facts) -> Facts:
        at = place(facts, kind, nth)
        return facts[:at] + facts[at + 1 :]

    return omit


def swapped(kind: type[Payload], with_kind: type[Payload], nth: int = 0, with_nth: int = 0) -> Callable[[Facts], Facts]:
    def swap(facts: Facts) -> Facts:
        one, other = place(facts, kind, nth), place(facts, with_kind, with_nth)
        facts = list(facts)
        facts[one], facts[other] = facts[other], facts[one]
        return facts

    return swap


def edited(kind: type[Payload], change: dict[str, Any], nth: int = 0) -> Callable[[Facts], Facts]:
    """Set fields by dotted path inside the payload of one event."""

    def edit(facts: Facts) -> Facts:
        at = place(facts, kind, nth)
        data = facts[at].payload.model_dump(mode="json")
        for path, value in change.items():
            *parents, last = path.split(".")
            inner: Any = data
            for name in parents:
                inner = inner[int(name)] if name.isdigit() else inner[name]
            inner[last] = value
        return [*facts[:at], facts[at].model_copy(update={"payload": kind.model_validate(data)}), *facts[at + 1 :]]

    return edit


def outside(kind: type[Payload], **change: Any) -> Callable[[Facts], Facts]:
    """Set fields of the envelope of one event."""

    def edit(facts: Facts) -> Facts:
        at = place(facts, kind)
        return [*facts[:at], facts[at].model_copy(update=change), *facts[at + 1 :]]

    return edit


def doubled(kind: type[Payload], nth: int = 0, **change: Any) -> Callable[[Facts], Facts]:
    def double(facts: Facts) -> Facts:
        at = place(facts, kind, nth)
        copy = edited(kind, change, nth)(facts)[at] if change else facts[at]
        return [*facts[: at + 1], copy, *facts[at + 1 :]]

    return double


def inserted(payload: Payload, before: type[Payload], nth: int = 0) -> Callable[[Facts], Facts]:
    def insert(facts: Facts) -> Facts:
        at = place(facts, before, nth)
        fact = facts[at].model_copy(
            update={"payload": payload, "decision_id": None, "order_id": None, "stream": "control"}
        )
        return [*facts[:at], fact, *facts[at:]]

    return insert


HALT = change(TradingState.ACTIVE, TradingState.HALTED, "breaker")
HALT_AAPL = change(TradingState.ACTIVE, TradingState.HALTED, "operator", Scope(kind="instrument", name="AAPL"))
HALT_PAPER = change(TradingState.ACTIVE, TradingState.HALTED, "operator", Scope(kind="venue", name="paper"))
DIVIDEND = DividendBooked(
    symbol="AAPL", quantity=9_999, cash_per_share=Decimal("1"), ex_date=date(2024, 1, 3), paid=None
)
REDUCE = change(TradingState.ACTIVE, TradingState.REDUCING, "operator")

SNAP, VERDICT = "decision.snapshot", "decision.verdicts.0"
STATES = f"{SNAP}.trading_states"
FORGED: dict[str, tuple[Callable[[Facts], Facts], str]] = {
    "no beginning": (without(RunStarted), "run_not_started"),
    "a second beginning": (doubled(RunStarted), "run_not_started"),
    "another run's event": (outside(OrderFilled, run_id="run-2"), "envelope_differs"),
    "another decision outside than inside": (outside(PlanApproved, decision_id="dec-9"), "envelope_differs"),
    "another order outside than inside": (outside(ChildSubmitted, order_id="ord-2"), "envelope_differs"),
    "a cause that is none": (outside(OrderFilled, cause_id="evt-0"), "cause_unknown"),
    "an approval by the desk": (outside(PlanApproved, actor=Actor(kind="desk", name="x")), "actor_differs"),
    "a fill by a person": (outside(OrderFilled, actor=Actor(kind="user", name="x")), "actor_differs"),
    "looser limits at the start": (edited(RunStarted, {"settings.limits.max_gross": 9.0}), "limits_unknown"),
    "other limits in a snapshot": (edited(DecisionMade, {f"{SNAP}.limits_hash": "9" * 64}), "limits_unknown"),
    "a denial under other limits": (edited(ChildDenied, {"verdict.limits_hash": "9" * 64}), "limits_unknown"),
    "no evidence": (without(EvidenceRecorded), "evidence_missing"),
    "no replies": (without(ModelReplied), "model_calls_differ"),
    "fewer tokens": (edited(ModelReplied, {"calls.0.prompt_tokens": 1}), "model_calls_differ"),
    "no decision": (without(DecisionMade), "plan_without_decision"),
    "a plan before its decision": (swapped(PlanApproved, DecisionMade), "plan_without_decision"),
    "a decision twice": (doubled(DecisionMade), "decision_repeated"),
    "decisions out of order": (swapped(DecisionMade, DecisionMade, 0, 1), "decision_out_of_turn"),
    "a decision from another book": (edited(DecisionMade, {f"{SNAP}.portfolio.cash": "1"}, 1), "snapshot_differs"),
    "a decision in another state": (edited(DecisionMade, {f"{STATES}.restricted": []}, 1), "snapshot_differs"),
    "a decision by another model": (edited(DecisionMade, {f"{SNAP}.model": "other"}), "snapshot_differs"),
    "a snapshot changed later": (edited(DecisionMade, {f"{SNAP}.text_ids": ["t"]}), "state_differs"),
    "a veto called a trade": (edited(DecisionMade, {f"{VERDICT}.approved": False}), "outcome_differs"),
    "an approval that failed": (edited(DecisionMade, {f"{VERDICT}.checks.0.passed": False}), "verdict_differs"),
    "no plan": (without(PlanApproved), "order_not_approved"),
    "a bigger leg in the plan": (edited(PlanApproved, {"plan.legs.0.quantity": 900}), "plan_differs"),
    "a plan that was vetoed": (edited(PlanApproved, {"verdict.approved": False}), "plan_not_approved"),
    "a plan twice": (doubled(PlanApproved), "plan_repeated"),
    "no opening": (without(OrderOpened), "child_out_of_turn"),
    "an opening of something bigger": (edited(OrderOpened, {"order.quantity": 900}), "order_differs"),
    "an opening twice": (doubled(OrderOpened), "order_repeated"),
    "no submission": (without(ChildSubmitted), "child_not_submitted"),
    "a fill before its submission": (swapped(ChildSubmitted, OrderFilled), "fill_without_child"),
    "a bigger child": (edited(ChildSubmitted, {"child.quantity": 101}), "parent_exceeded"),
    "a bigger second child": (edited(ChildSubmitted, {"child.quantity": 61}, 1), "parent_exceeded"),
    "a child on the other side": (edited(ChildSubmitted, {"child.side": "SELL"}), "child_differs"),
    "a child of no plan": (edited(ChildSubmitted, {"child.order_id": "ord-9"}), "child_without_plan"),
    "a child without a review": (edited(ChildSubmitted, {"verdict_hash": ""}), "verdict_missing"),
    "a child out of nowhere": (doubled(ChildSubmitted), "child_repeated"),
    "a child under another's review": (
        doubled(ChildSubmitted, **{"child.client_order_id": "ord-x", "child.sequence": 1, "child.quantity": 1}),
        "verdict_reused",
    ),
    "no denial": (without(ChildDenied), "sequence_gap"),
    "a denial without a reason": (edited(ChildDenied, {"verdict.checks.0.passed": True}), "denial_without_reason"),
    "an answer to nothing": (edited(ChildAccepted, {"client_order_id": "ord-x"}), "child_not_submitted"),
    "an answer after the end": (swapped(ChildAccepted, ChildClosed), "ended_order_moved"),
    "an end twice": (doubled(ChildClosed), "ended_order_moved"),
    "less left unfilled": (edited(ChildClosed, {"unfilled": 0}), "unfilled_differs"),
    "a lost answer after the last fill": (swapped(ChildUnresolved, OrderFilled, 0, 2), "ended_order_moved"),
    "no fill": (without(OrderFilled), "unfilled_differs"),
    "no last fill": (without(OrderFilled, 3), "result_differs"),
    "a fill of nothing sent": (edited(OrderFilled, {"fill.client_order_id": "ord-x"}), "fill_without_child"),
    "a fill of another name": (edited(OrderFilled, {"fill.symbol": "MSFT"}), "fill_differs"),
    "a fill at another price": (edited(OrderFilled, {"fill.price": "10.04"}), "result_differs"),
    "a fill at another fee": (edited(OrderFilled, {"fill.fee": "0.41"}), "result_differs"),
    "more filled than sent": (edited(OrderFilled, {"fill.quantity": 61}), "child_overfilled"),
    "a bust of nothing": (edited(FillBusted, {"execution_id": "x-1"}), "bust_without_fill"),
    "no bust": (without(FillBusted), "result_differs"),
    "no result": (without(OrderClosed), "order_left_open"),
    "a better result": (edited(OrderClosed, {"average_price": "10.00"}), "result_differs"),
    "an earlier arrival": (edited(OrderClosed, {"arrival_price": "10.04"}), "result_differs"),
    "a result of nothing": (edited(OrderClosed, {"order_id": "ord-9"}), "result_without_order"),
    "a result twice": (doubled(OrderClosed), "order_repeated"),
    "a child after the result": (swapped(OrderClosed, ChildSubmitted, 0, 1), "child_out_of_turn"),
    "no halt": (without(TradingStateChanged), "state_out_of_turn"),
    "a halt before the orders": (inserted(HALT, ChildSubmitted), "sent_while_halted"),
    "an instrument halted before its orders": (inserted(HALT_AAPL, ChildSubmitted), "sent_while_halted"),
    "a venue halted before its orders": (inserted(HALT_PAPER, ChildSubmitted), "sent_while_halted"),
    "reducing before buys": (inserted(REDUCE, ChildSubmitted), "added_while_reducing"),
    "a sale beyond what is held": (edited(ChildSubmitted, {"child.quantity": 41}, 4), "added_while_reducing"),
    "a buy on top of what is held": (edited(ChildSubmitted, {"child.side": "BUY"}, 4), "added_while_reducing"),
    "a next child while one is open": (without(ChildClosed), "parent_exceeded"),
    "a restriction lifted by a breaker": (edited(TradingStateChanged, {"cause": "breaker"}, 1), "rearmed_by_nobody"),
    "no payout": (without(PositionCashedOut), "mark_differs"),
    "a smaller payout": (edited(PositionCashedOut, {"quantity": 49}), "payout_differs"),
    "a dividend of nothing held": (inserted(DIVIDEND, PositionCashedOut), "night_differs"),
    "a payout at a better price": (edited(PositionCashedOut, {"price": "21"}), "mark_differs"),
    "more cash at the close": (edited(PortfolioMarked, {"cash": "99997"}, 1), "mark_differs"),
    "a higher equity at the close": (edited(PortfolioMarked, {"equity": "99999"}, 1), "mark_differs"),
    "a smaller exposure at the close": (edited(PortfolioMarked, {"gross": 0.0}, 1), "mark_differs"),
    "less traded at the close": (edited(PortfolioMarked, {"traded": "1"}, 1), "mark_differs"),
    "no close": (without(PortfolioMarked, 1), "snapshot_differs"),
    "closes out of order": (swapped(PortfolioMarked, PortfolioMarked, 1, 2), "session_out_of_turn"),
    "fewer vetoes counted": (edited(RunFinished, {"decisions": 1}), "count_differs"),
    "a better end": (edited(RunFinished, {"equity": "100001"}), "count_differs"),
    "something after the end": (swapped(PortfolioMarked, RunFinished, 2), "run_went_on"),
}  # fmt: skip


def test_an_honest_log_is_found_sound(honest: Facts, tmp_path: Path) -> None:
    log = EventLog(open_sqlite(tmp_path / "book.db"))
    log.append(honest)
    log.close()

    report = verify_log(tmp_path / "book.db", auditors=[GateRecord()])

    assert (report.ok, report.events, report.findings) == (True, len(honest), ())


def test_a_finding_makes_a_log_bad_whose_chain_holds(honest: Facts, tmp_path: Path) -> None:
    log = EventLog(open_sqlite(tmp_path / "book.db"))
    log.append(edited(OrderFilled, {"fill.price": "10.04"})(honest))
    log.close()

    report = verify_log(tmp_path / "book.db", auditors=[GateRecord()])

    assert (report.ok, report.first_bad, report.events) == (False, None, len(honest))
    assert [finding.code for finding in report.findings][:1] == ["result_differs"]
    assert report.findings[0].seq == 1 + place(honest, OrderClosed)
    assert report.findings[0].text == "order ord-1: average_price is 10.05, its fills say 10.04"


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_log_is_found_although_its_chain_holds(name: str, honest: Facts) -> None:
    forge, code = FORGED[name]

    assert code in codes(forge(honest))


def test_every_finding_of_the_record_has_a_log_forged_for_it() -> None:
    sources = (Path(inspect.getfile(kind)).read_text() for kind in (GateRecord, OrderRecord, BookRecord))
    text = "\n".join(sources)
    made = set(re.findall(r'_note\(\s*"([a-z_]+)"', text)) | set(
        re.findall(r'_doubts\.append\(\(\S+, "([a-z_]+)"', text)
    )

    assert made == {code for _, code in FORGED.values()}


def test_what_the_log_itself_tells_as_a_difference_is_no_finding(honest: Facts) -> None:
    forged = edited(OrderFilled, {"fill.client_order_id": "ord-x"})(honest)
    told = BookDifference(kind="unknown_fill", subject="x-1", ours="", theirs="", explained=False, text="kept apart")

    beside = codes(edited(BookReconciled, {"differences": [told.model_dump(mode="json")]})(forged))

    elsewhere = told.model_copy(update={"kind": "position"}).model_dump(mode="json")
    assert "fill_without_child" in codes(forged)
    assert "fill_without_child" in codes(edited(BookReconciled, {"differences": [elsewhere]})(forged))
    assert "fill_without_child" not in beside


def test_a_verdict_on_another_plan_is_found_although_decision_and_approval_agree(honest: Facts) -> None:
    in_decision = edited(DecisionMade, {f"{VERDICT}.content_hash": "7" * 64})(honest)

    assert codes(edited(PlanApproved, {"verdict.content_hash": "7" * 64})(in_decision)) == ["plan_differs"]


def test_limits_that_were_tightened_on_record_are_known(honest: Facts) -> None:
    tightened = OperatorAsked(
        command="tighten", user="ada", reason="fed day", scope=ACCOUNT, detail={"limits_hash": "9" * 64}
    )
    denied = edited(ChildDenied, {"verdict.limits_hash": "9" * 64})(honest)

    assert codes(denied) == ["limits_unknown"]
    assert codes(inserted(tightened, ChildSubmitted)(denied)) == []


def test_a_rule_can_explain_a_verdict_under_tighter_limits(honest: Facts) -> None:
    in_decision = edited(DecisionMade, {f"{VERDICT}.limits_hash": "8" * 64})(honest)
    facts = edited(PlanApproved, {"verdict.limits_hash": "8" * 64})(in_decision)

    assert codes(facts) == ["limits_unknown"]
    assert codes(facts, lambda started, decision: {"8" * 64}) == []


def test_a_child_may_be_denied_under_the_tighter_limits_of_its_own_plan(honest: Facts) -> None:
    facts = edited(DecisionMade, {f"{VERDICT}.limits_hash": "8" * 64})(honest)
    facts = edited(PlanApproved, {"verdict.limits_hash": "8" * 64})(facts)
    facts = edited(ChildDenied, {"verdict.limits_hash": "8" * 64})(facts)

    assert codes(facts, lambda started, decision: {"8" * 64}) == []


def test_a_book_at_rest_can_still_be_halted(honest: Facts) -> None:
    halted = change(TradingState.REDUCING, TradingState.HALTED, "operator")

    assert codes([*honest, honest[-1].model_copy(update={"payload": halted, "stream": "outside"})]) == []


def test_a_halt_of_another_instrument_stops_no_order(honest: Facts) -> None:
    scope = Scope(kind="instrument", name="XOM")
    found = codes(inserted(change(TradingState.ACTIVE, TradingState.HALTED, "operator", scope), ChildSubmitted)(honest))

    assert "sent_while_halted" not in found


SILENT = {ChildAccepted, CancelRequested, ChildClosed, ChildUnresolved, OperatorAsked, BookReconciled, RunFinished}
"""What may be missing without contradicting the rest of this story: there only a signed head shows it."""


def test_any_event_left_out_is_found_by_the_record_or_by_the_signed_heads(honest: Facts, tmp_path: Path) -> None:
    key = own_key(tmp_path)
    HeadSigner(tmp_path / HEADS, lambda: key, lambda: "now").sign_new(written(honest))
    heads, unreadable = read_heads(tmp_path / HEADS)

    for at, left_out in enumerate(honest):
        facts = honest[:at] + honest[at + 1 :]
        audit = HeadAudit(heads, unreadable, {key.public.key_id: key.public}, every_close=True)
        for event, fact in zip(written(facts).read(), facts, strict=True):
            audit.take(event, fact.payload)

        assert audit.findings(), type(left_out.payload)
        assert codes(facts) or type(left_out.payload) in SILENT


def written(facts: Facts) -> EventLog:
    log = EventLog(open_in_memory())
    log.append(facts)
    return log


def test_a_child_may_be_denied_under_limits_that_another_decision_since_the_mark_was_held_to(honest: Facts) -> None:
    """An exit beside a plan: its children are held to the limits of the plan, which the regime may have tightened."""
    denied = edited(ChildDenied, {"verdict.limits_hash": "8" * 64})(honest)

    assert codes(denied) == ["limits_unknown"]
    assert codes(denied, lambda started, decision: {"8" * 64}) == []
