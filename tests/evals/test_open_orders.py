"""What a session leaves open is in the next decision's book, and a decision's limits bind its children."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from parley.agents.llm.rules import RulesModel
from parley.desk.book import Book, open_log
from parley.desk.desk import Desk, RunPlan, build_desk, run_started
from parley.desk.settings import Settings
from parley.domain.decisions import Decision
from parley.domain.events import ChildClosed, ChildSubmitted, DecisionMade
from parley.evals import day_work
from parley.evals.days import RecordedDays
from parley.evals.venues import paper_venue
from parley.execution.errors import VenueUnreachable
from parley.gate.limits import Limits, load_limits
from parley.market.datasets import load_data

DAYS = 4


class Dumb:
    """A venue that takes the first order of its day, and from then on answers nothing at all."""

    def __init__(self, inner: Any) -> None:
        self._inner, self._is_gone = inner, False
        self.name = inner.name

    def __getattr__(self, name: str) -> Any:
        def answered(*args: Any) -> Any:
            if self._is_gone:
                raise VenueUnreachable("no line")
            return getattr(self._inner, name)(*args)

        return answered

    def worst_fee(self, *args: Any) -> Any:
        return self._inner.worst_fee(*args)

    def submit(self, order: Any) -> Any:
        self._is_gone = True
        raise VenueUnreachable("no line")


def walked(folder: Path, market: Path, dumb_on: int = -1, **changes: Any) -> tuple[Desk, list[Any]]:
    """A run whose venue goes dumb in one of its sessions; no breaker stops it."""
    settings, limits, model = Settings(), load_limits().tighten(**changes), RulesModel()
    data = load_data(str(market))
    plan = RunPlan(str(market), data.history().sessions_between()[-DAYS:], model.name, 7)
    run = Book(folder).create(plan.run_id(settings, limits))
    with open_log(run) as (log, _):
        desk = build_desk(settings, limits, data, plan, log, model, None)
        paper, opened = paper_venue(desk), list[Any]()

        def venue_of(*args: Any) -> Any:
            opened.append(args)
            return Dumb(paper(*args)) if len(opened) - 1 == dumb_on else paper(*args)

        started = run_started(settings, limits, data, plan)
        loop = RecordedDays(desk, plan.sessions, plan.seed, started, venue_of=venue_of, breakers=())
        asyncio.run(loop.run())
        return desk, [event.decoded() for event in log.read()]


def decisions(facts: list[Any]) -> list[Decision]:
    return [fact.decision for fact in facts if isinstance(fact, DecisionMade)]


def test_an_order_without_an_outcome_is_in_the_next_decisions_book_until_a_session_resolves_it(
    tmp_path: Path, market_path: Path
) -> None:
    desk, facts = walked(tmp_path, market_path, dumb_on=0)

    lost = next(fact.child for fact in facts if isinstance(fact, ChildSubmitted))
    _, second, third = decisions(facts)[:3]
    (left,) = second.snapshot.working
    assert (left.client_order_id, left.symbol, left.quantity) == (lost.client_order_id, lost.symbol, lost.quantity)
    (counted,) = desk.ports.gate_state(second.snapshot, second.decision_id).working
    assert (counted.quantity, counted.worst_price) == (lost.quantity, lost.limit_price)
    ended = [fact for fact in facts if isinstance(fact, ChildClosed) and fact.client_order_id == lost.client_order_id]
    assert [fact.reason for fact in ended] == ["its plan is over, and the venue does not know it any more"]
    assert third.snapshot.working == ()


HALVED: dict[str, Any] = {"dynamic": {"unknown": 0.5, "calm": 0.5, "stressed": 0.5, "crisis": 0.5}}


def test_plans_and_children_are_held_to_the_limits_of_their_decision(
    tmp_path: Path, market_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[str, Limits]] = []
    work = day_work.work_session

    def seen(approved: Any, quotes: Any, venue: Any, hours: Any, portfolio: Any, limits: Limits, *rest: Any, **kw: Any):
        given.append((approved.terms.limits_hash, limits))
        return work(approved, quotes, venue, hours, portfolio, limits, *rest, **kw)

    monkeypatch.setattr(day_work, "work_session", seen)
    desk, facts = walked(tmp_path, market_path, **HALVED)

    assert given
    assert all(limits.hash() == approved_under for approved_under, limits in given)
    assert all(limits.max_gross == desk.limits.max_gross / 2 for _, limits in given)
    first = decisions(facts)[0]
    assert (first.kind, first.snapshot.limits_hash) == ("trade", desk.limits.hash())
    assert first.assessment is not None
    assert first.targets is not None
    # Half of the 10 % a stock may weigh: neither the caps nor the plan ask for more.
    assert max(first.assessment.max_weights.values()) <= 0.05
    assert max(first.targets.weights.values()) <= 0.05
