"""A restriction that comes in while a model is asked: the decision is made again under it, at once."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from parley.agents.llm.rules import RulesModel
from parley.desk.book import Book, open_log
from parley.desk.desk import RunPlan, build_desk, run_started
from parley.desk.operator import BookPost, OperatorIntent, book_post
from parley.desk.settings import PolicySettings, Settings
from parley.desk.watchman import Watchman
from parley.domain.control_events import TradingStateChanged
from parley.domain.events import ChildSubmitted, DecisionMade
from parley.domain.trading import Scope, TradingState
from parley.evals.days import RecordedDays
from parley.evals.replay import replay_run
from parley.gate.limits import load_limits
from parley.market.datasets import load_data
from parley.memory.verify import verify_log

HALTED_NAME = Scope(kind="instrument", name="N1")
SETTINGS = Settings(policy=PolicySettings(band=0.0))


class Hanging(RulesModel):
    """Answers like the rules, but never the first time: then somebody asks for something meanwhile."""

    def __init__(self, post: BookPost, command: str) -> None:
        self._post, self._command, self.asked = post, command, 0

    async def complete(self, request: Any) -> Any:
        self.asked += 1
        if self.asked == 1:
            values = {"command": self._command, "user": "ann", "reason": "news", "scope": HALTED_NAME}
            self._post.inbox.put(OperatorIntent.model_validate(values).model_dump(mode="json"))
            await asyncio.sleep(2.0 if self._command == "resume" else 60.0)
        return await super().complete(request)


def play(book: Book, data_path: Path, command: str) -> float:
    """Three sessions; how long they took."""
    limits, data, post = load_limits(), load_data(str(data_path)), book_post(book.path)
    plan = RunPlan(str(data_path), data.history().sessions_between()[-3:], "rules", 7)
    folder = book.create(plan.run_id(SETTINGS, limits))
    began = time.monotonic()
    with open_log(folder) as (log, _), Watchman(post.flag, post.heartbeat) as watchman:
        desk = build_desk(SETTINGS, limits, data, plan, log, Hanging(post, command), None)
        started = run_started(SETTINGS, limits, data, plan)
        days = RecordedDays(desk, plan.sessions, plan.seed, started, post=post, watchman=watchman)
        assert asyncio.run(days.run()) is None
    return time.monotonic() - began


def payloads(book: Book, *kinds: type) -> list[Any]:
    with open_log(book.latest(), readonly=True) as (log, _):
        return [event.decoded() for event in log.read(types=kinds)]


@pytest.mark.parametrize(("command", "state"), [("halt", TradingState.HALTED), ("reduce", TradingState.REDUCING)])
def test_a_part_is_restricted_while_the_model_hangs_and_the_decision_is_made_under_it(
    tmp_path: Path, market_path: Path, command: str, state: TradingState
) -> None:
    book = Book(tmp_path / "book")

    took = play(book, market_path, command)

    assert took < 50.0, "nobody waited for the answer"
    change, first = payloads(book, TradingStateChanged, DecisionMade)[:2]
    assert (change.scope, change.after, change.cause) == (HALTED_NAME, state, "operator")
    assert first.decision.snapshot.trading_states.of("N1") is state
    assert len(payloads(book, DecisionMade)) == 3, "what was called off is no decision"
    sent = {item.child.symbol for item in payloads(book, ChildSubmitted)}
    assert sent
    assert "N1" not in sent
    assert verify_log(book.latest().log_path).ok
    assert replay_run(book.latest()).identical


def test_what_takes_nothing_away_waits_for_the_answer(tmp_path: Path, market_path: Path) -> None:
    book = Book(tmp_path / "book")

    assert play(book, market_path, "resume") > 2.0
